"""Which runs of a dealt file are used: small files that are on the disk before anything depends on it.

A ledger holds the first run that is not used yet; all below are burnt. There are two of each: one beside the dealt file, which
goes where its folder goes, and one in the user's state folder, by deal and party, which holds for every copy of the dealt file,
wherever it is moved. The higher one is true. Each is replaced as a whole, so that a crash at any moment leaves the old content or
the new one, and has a code under a key of the dealt file, so that damage is noticed.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from mpc.errors import DealtFileError
from mpc.files import keep_name

_LARGEST = 1 << 12
_CURE = "set XDG_STATE_HOME to a folder that this user can write, which stays, and is the same for all runs"


class Ledger:
    """The ledgers of one dealt file, of party `index`: `path` has its name with .ledger at the end, `kept` is the user's."""

    def __init__(self, path: Path, deal: str, index: int, runs: int, key: bytes):
        self.path = path.with_name(f"{path.name}.ledger")
        self._dealt, self._deal, self._index, self._runs, self._key = path, deal, index, runs, key

    @property
    def kept(self) -> Path:
        return kept_in() / f"{self._deal}-{self._index}.ledger"

    def position(self) -> int:
        """The first run that is not used. DealtFileError for a ledger that is damaged, or of another deal. Writes nothing."""
        return max(self._position(self.kept), self._position(self.path))

    def claim(self, run: int) -> None:
        """Mark `run`, and all below, as used: on the disk, once this returns. DealtFileError if it is used, or not there."""
        with self._locked():
            position = self.position()
            if run < position:
                raise DealtFileError(
                    f"run {run} of {self._dealt} is used: its ledger is at {position}. A run is never used twice; start again, "
                    "and the parties agree on the next one"
                )
            if run >= self._runs:
                raise used_up(self._dealt, self._runs)
            for path in (self.kept, self.path):
                try:
                    self._write(path, run + 1)
                except OSError as error:
                    raise self._unusable(path, "written", error) from None

    def _position(self, path: Path) -> int:
        """As one of the two ledgers has it."""
        try:
            with path.open("rb") as file:
                content = file.read(_LARGEST)
        except FileNotFoundError:
            return 0  # nothing has been claimed, as far as this one knows
        except OSError as error:
            raise self._unusable(path, "read", error) from None
        try:
            found = json.loads(content)
            deal, position = found["deal"], found["next"]
            genuine = hmac.compare_digest(self._tag(position), bytes.fromhex(found["tag"]))
        except (ValueError, TypeError, KeyError, RecursionError):
            deal, genuine, position = self._deal, False, 0
        if deal != self._deal and path == self.path:
            raise DealtFileError(
                f"the ledger {path} belongs to another deal than {self._dealt}: one of them was copied over. Bring back the "
                "dealt file that it belongs to; or, if that is gone and a new one is in its place, remove the ledger"
            )
        if not genuine or deal != self._deal or type(position) is not int or not 0 <= position <= self._runs:
            raise DealtFileError(
                f"the ledger {path} is damaged or was altered, so that nobody knows which runs of {self._dealt} are used. "
                "Using one twice would tell the other parties secrets: deal anew"
            )
        return position

    def _write(self, path: Path, position: int) -> None:
        text = json.dumps({"deal": self._deal, "next": position, "tag": self._tag(position).hex()})
        hidden = path.with_name(f".{path.name}.new")  # one name: what a crash leaves is written over
        descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(descriptor)
        os.replace(hidden, path)
        keep_name(path.parent)

    def _tag(self, position: Any) -> bytes:
        return hashlib.blake2b(
            f"{self._deal} {position!r}".encode(), key=self._key, digest_size=16, person=b"mpc ledger"
        ).digest()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time, of those that use this file and, whichever copy they use, of this user's. It ends with it."""
        lock = self.kept.with_name("lock")
        with ExitStack() as open_files:
            for path, mode in ((self._dealt, "rb"), (lock, "ab")):  # a network's file system locks what can be written
                try:
                    if path == lock:
                        _make(lock.parent)
                    file = open_files.enter_context(open(path, mode, opener=partial(os.open, mode=0o600)))
                    fcntl.flock(file, fcntl.LOCK_EX)
                except OSError as error:
                    raise self._unusable(path, "locked", error) from None
            yield

    def _unusable(self, path: Path, what: str, error: OSError) -> DealtFileError:
        """Before anything was sent."""
        cure = f"; {_CURE}" if path.parent == self.kept.parent else ""
        return DealtFileError(f"the ledger of {self._dealt}: {path} cannot be {what}: {error.strerror}; nothing was sent{cure}")


def kept_in() -> Path:
    """Where this user's ledgers are, by the XDG Base Directory Specification: a relative XDG_STATE_HOME does not count."""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():
        try:
            state = Path.home() / ".local" / "state"
        except RuntimeError:
            raise DealtFileError(f"this user has no home folder, where ledgers of dealt files are kept; {_CURE}") from None
    return state / "mpc" / "ledgers"


def _make(folder: Path) -> None:
    """With names that survive a power cut, as the ledger will."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(0o700, parents=True, exist_ok=True)
    for each in missing:
        keep_name(each.parent)


def used_up(path: Path, runs: int) -> DealtFileError:
    return DealtFileError(f"all {runs} runs of {path} are used; let the dealer deal more (mpc deal --runs N), for all parties")
