"""Which runs of a dealt file are used: a small file beside it, that is on the disk before anything depends on it.

It holds the first run that is not used yet; all below are burnt. It is replaced as a whole, so that a crash at any moment leaves
the old content or the new one, and has a code under a key of the dealt file, so that damage is noticed.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mpc.errors import DealtFileError
from mpc.files import keep_name

_LARGEST = 1 << 12


class Ledger:
    """The ledger of one dealt file, at `path` with .ledger at the end."""

    def __init__(self, path: Path, deal: str, runs: int, key: bytes):
        self.path = path.with_name(f"{path.name}.ledger")
        self._dealt, self._deal, self._runs, self._key = path, deal, runs, key

    def position(self) -> int:
        """The first run that is not used. DealtFileError for a ledger that is damaged, or of another deal."""
        try:
            content = self._read()
        except FileNotFoundError:
            return 0  # nothing has been claimed
        except OSError as error:
            raise DealtFileError(f"the ledger {self.path} cannot be read: {error.strerror}") from None
        try:
            found = json.loads(content)
            deal, position = found["deal"], found["next"]
            genuine = hmac.compare_digest(self._tag(position), bytes.fromhex(found["tag"]))
        except (ValueError, TypeError, KeyError, RecursionError):
            deal, genuine, position = self._deal, False, 0
        if deal != self._deal:
            raise DealtFileError(
                f"the ledger {self.path} belongs to another deal than {self._dealt}: one of them was copied over. Bring back the "
                "dealt file that it belongs to; or, if that is gone and a new one is in its place, remove the ledger"
            )
        if not genuine or type(position) is not int or not 0 <= position <= self._runs:
            raise DealtFileError(
                f"the ledger {self.path} is damaged or was altered, so that nobody knows which runs of {self._dealt} are used. "
                "Using one twice would tell the other parties secrets: deal anew"
            )
        return position

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
            try:
                self._write(run + 1)
            except OSError as error:
                raise DealtFileError(f"the ledger {self.path} cannot be written: {error.strerror}; nothing was sent") from None

    def _read(self) -> bytes:
        with self.path.open("rb") as file:
            return file.read(_LARGEST)

    def _write(self, position: int) -> None:
        text = json.dumps({"deal": self._deal, "next": position, "tag": self._tag(position).hex()})
        hidden = self.path.with_name(f".{self.path.name}.new")  # one name: what a crash leaves is written over
        descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(descriptor)
        os.replace(hidden, self.path)
        keep_name(self.path.parent)

    def _tag(self, position: Any) -> bytes:
        return hashlib.blake2b(
            f"{self._deal} {position!r}".encode(), key=self._key, digest_size=16, person=b"mpc ledger"
        ).digest()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time: a lock on the dealt file, which stays where it is. It ends with the process."""
        with self._dealt.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def used_up(path: Path, runs: int) -> DealtFileError:
    return DealtFileError(f"all {runs} runs of {path} are used; let the dealer deal more (mpc deal --runs N), for all parties")
