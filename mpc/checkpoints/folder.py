"""What one party keeps of a run on disk: its key, how far its randomness is used, and the latest two checkpoints.

DIR/party-I/key             32 bytes; it encrypts the others. Locked while a run uses the folder
DIR/party-I/run             which run this is, up to which number randomness may have been used, whether it has finished
DIR/party-I/checkpoint-N    a state
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mpc import share_files
from mpc.checkpoints.agreement import MOST_NUMBERS, Status
from mpc.errors import CheckpointError, StateError

Array = np.ndarray[Any, np.dtype[Any]]
Header = dict[str, Any]

VERSION = "checkpoint 1"
BLOCK = 1 << 16  # numbers that are put down as used at a time, before the first of them is


class Folder:
    """`facts`: what must be the same where the run is resumed. CheckpointError where it is not, or the files are damaged."""

    def __init__(self, root: Path, party: int, facts: Header):
        self._path = root / f"party-{party}"
        self._who = f"party {party}, operation 'checkpoint'"
        self._facts = {"version": VERSION, "party": party, **facts}
        self._lock: int | None = None
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(f"{self._who}: {self._path} cannot be made: {error.strerror}") from None
        try:
            known = self._run.exists()
            self._key = share_files.key_of(self._path / "key", self._path, create=not known)
            self._hold()
            self._clear(self._path.glob(".*"))  # halves, of a process that was killed
            self._header = self._read(self._run)[0] if known else None
        except StateError as error:
            self.close()
            raise _told(self._who, error) from None

    @property
    def status(self) -> Status:
        if self._header is None:
            return Status.EMPTY
        return Status.FINISHED if self._header["finished"] else Status.CUT_OFF

    @property
    def used(self) -> int:
        """The number up to which randomness may have been used."""
        return 0 if self._header is None else self._header["used"]

    def kept(self) -> tuple[tuple[int, bytes], ...]:
        """Number and attempt of the checkpoints here, the latest last."""
        headers = [self.read(number)[0] for number in self._numbers()]
        return tuple((header["number"], bytes.fromhex(header["attempt"])) for header in headers)

    # ------------------------------------------------------------------ changing it, durably

    def begin(self, used: int, keep: int) -> int:
        """A run begins here, whose randomness begins above `used`, from checkpoint `keep`: others will not be wanted again.

        Returns the number up to which its randomness counts as used.
        """
        claimed = self.claim(used + 1)
        self._clear(self._file(number) for number in self._numbers() if number != keep)
        return claimed

    def claim(self, number: int) -> int:
        """Put down `number` as used, and some above it. Up to which."""
        used = number + BLOCK - 1
        self._write(self._run, {"used": used, "finished": False})
        self._header = {"used": used, "finished": False}
        return used

    def finish(self) -> None:
        self._write(self._run, {"used": self.used, "finished": True})

    def write(self, number: int, attempt: bytes, arrays: Sequence[Array]) -> None:
        self._write(self._file(number), {"number": number, "attempt": attempt.hex()}, arrays)

    def read(self, number: int) -> tuple[Header, list[Array]]:
        place = self._file(number)
        try:
            header, arrays = self._read(place)
        except StateError as error:
            raise _told(self._who, error) from None
        if header.get("number") != number:
            raise CheckpointError(f"{self._who}: {place} is checkpoint {header.get('number')}, under another name")
        return header, arrays

    def forget_before(self, number: int) -> None:
        """All parties have checkpoint `number`."""
        self._clear(self._file(other) for other in self._numbers() if other < number)

    def close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # ------------------------------------------------------------------ files

    @property
    def _run(self) -> Path:
        return self._path / "run"

    def _file(self, number: int) -> Path:
        return self._path / f"checkpoint-{number}"

    def _numbers(self) -> list[int]:
        ends = [place.name.removeprefix("checkpoint-") for place in self._path.glob("checkpoint-*")]
        return sorted(int(end) for end in ends if end.isascii() and end.isdigit() and len(end) < 19)

    def _clear(self, places: Any) -> None:
        for place in list(places):
            try:
                place.unlink(missing_ok=True)
            except OSError as error:
                raise CheckpointError(f"{self._who}: {place} cannot be deleted: {error.strerror}") from None

    def _write(self, place: Path, header: Header, arrays: Sequence[Array] = ()) -> None:
        try:
            share_files.write(place, self._key, {**self._facts, **header}, arrays)
        except StateError as error:
            text = f"{error}; nothing is lost: make room or mend it, and resume from the last checkpoint"
            raise CheckpointError(f"{self._who}: {text}") from None

    def _read(self, place: Path) -> tuple[Header, list[Array]]:
        return share_files.read(place, self._key, lambda header: self._check(place, header))

    def _check(self, place: Path, header: Header) -> None:
        differ = [f"{k} {header.get(k)!r} in place of {v!r}" for k, v in self._facts.items() if header.get(k) != v]
        if differ:
            raise CheckpointError(f"{place} is of {', '.join(differ)}; resume what was saved, with the same parties and options")
        if not (_sound_run(header) if place == self._run else _sound_state(header)):
            raise CheckpointError(f"{place} is damaged: its beginning is not as it was written")

    def _hold(self) -> None:
        """One run at a time. The lock ends with its process, however that ends."""
        if os.name != "posix":
            return
        import fcntl

        self._lock = os.open(self._path / "key", os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CheckpointError(f"{self._path} is in use by another run, which must end first") from None


def _sound_run(header: Header) -> bool:
    return _is_number(header.get("used")) and isinstance(header.get("finished"), bool)


def _sound_state(header: Header) -> bool:
    attempt = header.get("attempt")
    return _is_number(header.get("number")) and isinstance(attempt, str) and re.fullmatch("[0-9a-f]{32}", attempt) is not None


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MOST_NUMBERS


def _told(who: str, error: StateError) -> CheckpointError:
    text = str(error)
    return CheckpointError(text if text.startswith(who) else f"{who}: {text}")
