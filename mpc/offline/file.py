"""Dealt files: what one party needs of the dealer for a number of runs, made ahead of time.

    magic | length of the header 4 | header (JSON) | streams | index (a stream) | where the index is 8 | its length 8

A run has two streams: "requests" (what the party must ask for, and its seeds) and "corrections" (what the dealer answers).
The index has their lengths. Integers are little-endian. Nothing in it is code.
"""

from __future__ import annotations

import json
import os
import struct
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from mpc.errors import DealtFileError
from mpc.files import keep_name
from mpc.offline.sealing import KEY_BYTES, Keychain, SealedWriter, public_of, sealed_bytes
from mpc.randomness import new_seed

MAGIC = b"mpc dealt file\n"
VERSION = 1
RING = "Z/2^64"
REQUESTS, CORRECTIONS = "requests", "corrections"
STREAMS = (REQUESTS, CORRECTIONS)
WORD = struct.Struct("<Q")
LENGTH = struct.Struct("<I")
MOST_RUNS = 1 << 20


@dataclass(frozen=True)
class Header:
    """What a file says of itself: readable by anybody, believed once the index has been opened under its hash.

    deal, program, cluster, ephemeral, to and dealer are bytes in hexadecimal; the last three are public keys.
    """

    version: int
    deal: str
    party: str
    index: int
    parties: int
    protocol: str
    program: str
    cluster: str
    ring: str
    runs: int
    ephemeral: str
    to: str
    dealer: str

    def encode(self) -> bytes:
        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True).encode()

    @classmethod
    def decode(cls, data: bytes) -> Header:
        """ValueError for what `encode` did not write."""
        found = json.loads(data)
        fields = cls.__annotations__
        if not isinstance(found, dict) or found.keys() != fields.keys():
            raise ValueError("other fields")
        if any(type(found[name]).__name__ != kind for name, kind in fields.items()):
            raise ValueError("other types")
        header = cls(**found)
        if header.encode() != data or any(len(bytes.fromhex(key)) != KEY_BYTES for key in header.keys):
            raise ValueError("written otherwise")
        if not 0 <= header.index < header.parties or not 0 < header.runs <= MOST_RUNS or len(bytes.fromhex(header.deal)) != 16:
            raise ValueError("numbers out of range")
        return header

    @property
    def keys(self) -> tuple[str, str, str]:
        return self.ephemeral, self.to, self.dealer


class Writer:
    """A dealt file in the making, under a hidden name until it is whole. Only its owner may read it."""

    def __init__(self, path: Path, facts: dict[str, Any], dealer: bytes, party_public: bytes):
        ephemeral = new_seed()
        keys = {"ephemeral": public_of(ephemeral), "to": party_public, "dealer": public_of(dealer)}
        facts = facts | {"version": VERSION, "ring": RING} | {name: key.hex() for name, key in keys.items()}
        text = Header(**facts).encode()
        self.path = path
        self._keys = Keychain.of_sender(dealer, ephemeral, party_public, text)
        self._hidden = path.with_name(f".{path.name}.{new_seed()[:8].hex()}")
        self._file: BinaryIO = os.fdopen(os.open(self._hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._lengths: list[bytes] = []
        self._open: SealedWriter | None = None
        self._begin = self._file.write(MAGIC + LENGTH.pack(len(text)) + text)

    def begin(self, run: int, name: str) -> None:
        """The next stream: of each run first its requests, then its corrections."""
        self._end_stream()
        self._open = SealedWriter(self._file, self._keys, f"{name} {run}")

    def write(self, data: Any) -> None:
        assert self._open is not None
        self._open.write(data)

    def _end_stream(self) -> None:
        if self._open is not None:
            length = self._open.close()
            self._lengths.append(WORD.pack(length))
            self._begin += sealed_bytes(length)
            self._open = None

    def complete(self) -> int:
        """Nothing follows: bring all of it to the disk; its size in bytes."""
        self._end_stream()
        index = SealedWriter(self._file, self._keys, "index")
        index.write(b"".join(self._lengths))
        self._file.write(WORD.pack(self._begin) + WORD.pack(index.close()))
        self._file.flush()
        os.fsync(self._file.fileno())
        size = self._file.tell()
        self._file.close()
        return size

    def publish(self) -> None:
        """Give the complete file its name. DealtFileError if there is one already."""
        try:
            os.link(self._hidden, self.path)
        except FileExistsError:
            raise exists(self.path) from None
        keep_name(self.path.parent)

    def close(self) -> None:
        """Whatever happened, nothing hidden is left."""
        self._file.close()
        self._hidden.unlink(missing_ok=True)


def exists(path: Path) -> DealtFileError:
    return DealtFileError(
        f"{path} exists already, and may be in use; move it away once none of its runs is needed, or deal to another folder"
    )
