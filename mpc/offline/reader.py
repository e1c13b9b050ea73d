"""Reading dealt files: any of their streams, and never the whole."""

from __future__ import annotations

import os
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from mpc.errors import DealtFileError
from mpc.offline.file import LENGTH, MAGIC, RING, STREAMS, VERSION, WORD, Header
from mpc.offline.sealing import CHUNK, Keychain, SealedReader, damaged, public_of, sealed_bytes

_LONGEST = 1 << 16  # bytes of a header


class Reader:
    """A dealt file, opened with the secret key of its party. Reads what is asked for, never the whole."""

    def __init__(self, path: Path, secret: bytes, dealer_public: bytes):
        self.path = path
        self._file = _opened(path)
        try:
            self.header, text, begin = _header(path, self._file)
            self._check_keys(secret, dealer_public)
            self.keys = Keychain.of_receiver(secret, bytes.fromhex(self.header.ephemeral), dealer_public, text)
            self._index = self._read_index(begin)
        except BaseException:
            self._file.close()
            raise

    def _check_keys(self, secret: bytes, dealer_public: bytes) -> None:
        header = self.header
        if header.version != VERSION or header.ring != RING:
            raise DealtFileError(f"{self.path} is of format {header.version} and ring {header.ring}; deal anew with this version")
        if bytes.fromhex(header.to) != public_of(secret):
            raise DealtFileError(
                f"{self.path} was sealed for another key than the one given, that of {header.party!r}; take your own"
            )
        if bytes.fromhex(header.dealer) != dealer_public:
            raise DealtFileError(
                f"{self.path} says that it comes from another dealer than the one that is expected here; ask that one for it"
            )

    def _read_index(self, begin: int) -> list[tuple[int, int]]:
        """(offset, length) of each stream; they lie one after the other, and fill the file up to the index."""
        end = self._file.seek(0, os.SEEK_END) - 2 * WORD.size
        if end < begin:
            raise damaged(self.path)
        self._file.seek(end)
        offset, length = (WORD.unpack(self._file.read(WORD.size))[0] for _ in range(2))
        if length != WORD.size * len(STREAMS) * self.header.runs or offset + sealed_bytes(length) != end:
            raise damaged(self.path)
        plain = SealedReader(self._file, self.path, offset, length, self.keys, "index").read(length)
        lengths = [size for (size,) in WORD.iter_unpack(plain)]
        *offsets, filled = accumulate(map(sealed_bytes, lengths), initial=begin)
        if filled != offset:
            raise damaged(self.path)
        return list(zip(offsets, lengths, strict=True))

    def stream(self, run: int, name: str) -> SealedReader:
        offset, length = self._index[run * len(STREAMS) + STREAMS.index(name)]
        return SealedReader(self._file, self.path, offset, length, self.keys, f"{name} {run}")

    def verify(self) -> None:
        """Read all of it; DealtFileError where something is not what the dealer wrote. Cost: local; 1 to 2 GB/s."""
        for run in range(self.header.runs):
            for name in STREAMS:
                stream = self.stream(run, name)
                while stream.left:
                    stream.read(min(stream.left, CHUNK))

    def close(self) -> None:
        self._file.close()


def _opened(path: Path) -> BinaryIO:
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb", buffering=0)
    except OSError as error:
        raise DealtFileError(f"the dealt file {path} cannot be read: {error.strerror}") from None
    if not file.seekable():
        file.close()
        raise DealtFileError(f"{path} is no plain file")
    return file


def _header(path: Path, file: BinaryIO) -> tuple[Header, bytes, int]:
    """The header, its bytes, and where what follows begins."""
    begin = len(MAGIC) + LENGTH.size
    first = file.read(begin)
    length = LENGTH.unpack(first[len(MAGIC) :])[0] if len(first) == begin and first.startswith(MAGIC) else _LONGEST + 1
    text = file.read(length) if length <= _LONGEST else b""
    try:
        return Header.decode(text), text, begin + len(text)
    except (ValueError, RecursionError):
        raise DealtFileError(f"{path} is no dealt file, or its beginning is damaged; get it again from the dealer") from None
