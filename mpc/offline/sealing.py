"""Sealed streams: encrypted to one party, authenticated as from one dealer, written and read piece by piece.

Keys: HKDF-SHA256 over DH(ephemeral, party) || DH(dealer, party) on X25519, salted with the hash of the file's header; the first
makes keys fresh for each file, the second can be computed by the dealer and the party alone. Each stream has its own key, by
its name.

A stream is cut into chunks of 1 MiB, each sealed by AES-256-GCM under the nonce (chunk number, whether it is the last), with
the header as associated data: STREAM (Hoang, Reyhanitabar, Rogaway and Vizar, *Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance*, CRYPTO 2015). So chunks that were altered, dropped, moved or cut off are noticed.
"""

from __future__ import annotations

import hashlib
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mpc.errors import DealtFileError

CHUNK = 1 << 20  # bytes of plaintext
TAG = 16
KEY_BYTES = 32


class Keychain:
    """The keys of one file's streams, by name."""

    def __init__(self, shared: bytes, header: bytes):
        self._shared = shared
        self.header = hashlib.sha256(header).digest()

    @classmethod
    def of_sender(cls, dealer: bytes, ephemeral: bytes, party_public: bytes, header: bytes) -> Keychain:
        """From the dealer's and an ephemeral secret key."""
        return cls(_agree(ephemeral, party_public) + _agree(dealer, party_public), header)

    @classmethod
    def of_receiver(cls, party: bytes, ephemeral_public: bytes, dealer_public: bytes, header: bytes) -> Keychain:
        """From the party's secret key."""
        return cls(_agree(party, ephemeral_public) + _agree(party, dealer_public), header)

    def __repr__(self) -> str:
        return "Keychain(<secret>)"

    def __reduce__(self) -> Any:
        raise TypeError("a Keychain holds secret keys and is never pickled")

    def key(self, name: str) -> bytes:
        return HKDF(SHA256(), KEY_BYTES, self.header, b"mpc dealt file: " + name.encode()).derive(self._shared)


def public_of(secret: bytes) -> bytes:
    """The X25519 public key of a secret one."""
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def _agree(secret: bytes, public: bytes) -> bytes:
    try:
        return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        raise DealtFileError(
            "a key of the dealt file is no X25519 key: the file was altered; get it again from the dealer"
        ) from None


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def sealed_bytes(length: int) -> int:
    """What a stream of `length` bytes takes on the disk."""
    return length + TAG * max(1, -(-length // CHUNK))


class SealedWriter:
    """Write a stream to a file, from where that stands. Memory: one chunk."""

    def __init__(self, file: BinaryIO, keys: Keychain, name: str):
        self.length = 0
        self._file, self._aad = file, keys.header
        self._cipher = AESGCM(keys.key(name))
        self._number = 0
        self._held = bytearray()

    def write(self, data: Any) -> None:
        """Any buffer."""
        view = memoryview(data).cast("B") if memoryview(data).nbytes else memoryview(b"")
        self.length += view.nbytes
        while view:
            if len(self._held) == CHUNK:  # more follows, so that this chunk is not the last
                self._seal(last=False)
            room = CHUNK - len(self._held)
            self._held += view[:room]
            view = view[room:]

    def close(self) -> int:
        """Write what is left; the length of the stream."""
        self._seal(last=True)
        return self.length

    def _seal(self, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last), bytes(self._held), self._aad))
        self._number += 1
        self._held.clear()


class SealedReader:
    """Read a stream of `length` bytes that begins at `offset` of a file. Memory: one chunk, and what is asked for."""

    def __init__(self, file: BinaryIO, path: Any, offset: int, length: int, keys: Keychain, name: str):
        self.left = length
        self._file, self._path, self._offset, self._aad = file, path, offset, keys.header
        self._cipher = AESGCM(keys.key(name))
        self._number, self._chunks = 0, max(1, -(-length // CHUNK))
        self._unread = length  # bytes in chunks that have not been opened
        self._held = memoryview(b"")
        if not length:
            self._open()  # its one chunk says that it is empty

    def read(self, count: int) -> bytearray:
        """The next `count` bytes; DealtFileError where there are fewer, or where they are not what the dealer wrote."""
        if count > self.left:
            raise damaged(self._path)
        self.left -= count
        out = bytearray(count)
        rest = memoryview(out)
        while rest:
            if not self._held:
                self._open()
            part = self._held[: len(rest)]
            rest[: len(part)] = part
            self._held, rest = self._held[len(part) :], rest[len(part) :]
        return out

    def _open(self) -> None:
        size = min(CHUNK, self._unread)
        self._file.seek(self._offset)
        sealed = self._file.read(size + TAG)
        last = self._number == self._chunks - 1
        try:
            plain = self._cipher.decrypt(_nonce(self._number, last), sealed, self._aad)
        except (InvalidTag, ValueError):
            raise damaged(self._path) from None
        self._held = memoryview(plain)
        self._unread -= size
        self._offset += len(sealed)
        self._number += 1


def damaged(path: Any) -> DealtFileError:
    return DealtFileError(
        f"the dealt file {path} is damaged, was cut off, or was altered after the dealer had sealed it. Nothing of that part was "
        "used: get the file again from the dealer, all parties those of one deal"
    )
