"""The record of one run: what a party asks of the dealer in it, and what the dealer answers."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from mpc.errors import DesyncError, FrameError
from mpc.offline.file import CORRECTIONS, REQUESTS
from mpc.offline.reader import Reader
from mpc.offline.sealing import damaged
from mpc.randomness import SEED_BYTES, derive_seed
from mpc.transport import ArraySpec, Kind, as_arrays
from mpc.transport import Header as Frame

Array = np.ndarray[Any, np.dtype[Any]]

_SHORT = struct.Struct("<H")
_LENGTH = struct.Struct("<I")
_DIGEST = 32


def digest_of(label: str, arrays: Sequence[Array]) -> bytes:
    """Two requests of one digest are the same."""
    state = hashlib.blake2b(digest_size=_DIGEST, person=b"mpc dealt req")
    state.update(f"{label} {len(arrays)} ".encode())
    for array in arrays:
        state.update(f"{array.dtype.str}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return state.digest()


def request_entry(label: str, arrays: Sequence[Array]) -> bytes:
    """One request, in the stream of requests."""
    text = label.encode()
    return _SHORT.pack(len(text)) + text + digest_of(label, arrays)


def correction_frame(deal: bytes, sender: int, number: int, label: str, arrays: Sequence[Array]) -> list[Any]:
    """One answer, in the stream of corrections: the frame that a live dealer sends."""
    header = Frame(Kind.DATA, deal, sender, number, label, tuple(ArraySpec.of(array) for array in arrays)).encode()
    return [_LENGTH.pack(len(header)) + header, *(np.ascontiguousarray(array) for array in arrays)]


class Record:
    """What one claimed run has for this party: its seeds, the requests that it must make, and the answers."""

    def __init__(self, reader: Reader, run: int):
        self.run = run
        self._path = reader.path
        self._who, self._file = f"party {reader.header.index}", reader.path.name  # for errors that go to the other parties too
        self.session, self._sender = bytes.fromhex(reader.header.deal), reader.header.parties  # as the dealer had them
        self._requests, self._corrections = reader.stream(run, REQUESTS), reader.stream(run, CORRECTIONS)
        self.seed = bytes(self._requests.read(SEED_BYTES))  # in common with the dealer
        self._joint = bytes(self._requests.read(SEED_BYTES))
        self._asked = self._answered = 0

    def __repr__(self) -> str:
        return f"Record(run={self.run})"

    def __reduce__(self) -> Any:
        raise TypeError("a Record holds a secret seed and is never pickled")

    def joint_seed(self, number: int) -> bytes:
        """The seed of public randomness: dealt, as what was asked of the dealer may depend on it."""
        return joint_seed(self._joint, number)

    def request(self, label: str, arrays: Sequence[Array]) -> None:
        """The program asks: it must be what it asked in the dry run. DesyncError where it is not."""
        self._asked += 1
        then, digest = self._next_request()
        if (label, digest_of(label, arrays)) != (then, digest):
            same = ", of other shapes or values" if label == then else ""
            raise DesyncError(
                f"the program of {self._who} asks for '{label}' as its request {self._asked}, where {self._file} was dealt for "
                f"{repr(then) + same if then else 'nothing more'}: it is not the program, or not with the arguments, shapes and "
                "dtypes, that was dealt for. If it is, look for what the dry run could not know: a dtype (give dtype= to "
                "party.input), a revealed value, party.index, random numbers of its own. Then deal anew"
            )

    def _next_request(self) -> tuple[str, bytes]:
        if not self._requests.left:
            return "", b""
        (length,) = _SHORT.unpack(self._requests.read(_SHORT.size))
        return self._requests.read(length).decode(errors="replace"), bytes(self._requests.read(_DIGEST))

    def correction(self, label: str, specs: Sequence[ArraySpec]) -> list[Array]:
        """What the dealer answered."""
        (length,) = _LENGTH.unpack(self._corrections.read(_LENGTH.size))
        expected = Frame(Kind.DATA, self.session, self._sender, self._answered, label, tuple(specs))
        if self._corrections.read(length) != expected.encode():
            raise DesyncError(
                f"the program of {self._who} waits for '{label}', and {self._file} has the answer to something else; deal anew"
            )
        self._answered += 1
        try:
            return as_arrays(expected, [self._corrections.read(spec.nbytes) for spec in specs])
        except FrameError:
            raise damaged(self._path) from None


def joint_seed(root: bytes, number: int) -> bytes:
    return derive_seed(root, f"joint randomness {number}")
