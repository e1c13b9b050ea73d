"""Share files: what one party holds of secrets (a saved network, a checkpoint), encrypted and authenticated under a key of
that party (AES-GCM).

A file is a magic text, the length of a header, the header (JSON, readable, authenticated), a nonce, the arrays' bytes
(little-endian, encrypted) and a tag. Nothing in it is code.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from mpc.errors import StateError
from mpc.files import read_private, write_private
from mpc.randomness import new_seed

Array = np.ndarray[Any, np.dtype[Any]]
Key = bytes | str | Path | None

MAGIC = b"mpc share file\n"
KEY_BYTES = 32
_LARGEST_KEY_FILE = 1 << 16
_LENGTH, _NONCE, _TAG = 4, 12, 16
_DTYPES = ("uint64", "uint8", "bool")


def write(path: Path, key: bytes, header: dict[str, Any], arrays: Sequence[Array]) -> None:
    """A new file in place of an old one, all at once: readers see the one or the other. Only its owner may read it."""
    header = header | {"arrays": [[a.dtype.name, list(a.shape)] for a in arrays]}
    text = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    begin = MAGIC + len(text).to_bytes(_LENGTH, "little") + text
    nonce = new_seed()[:_NONCE]
    encryptor = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(begin)
    encrypted = (encryptor.update(_bytes(array)) for array in arrays)

    def parts() -> Iterator[bytes]:
        yield begin + nonce
        yield from encrypted
        yield encryptor.finalize() + encryptor.tag

    _put(path, parts(), replace=True)


def read(path: Path, key: Key, check: Callable[[dict[str, Any]], None]) -> tuple[dict[str, Any], list[Array]]:
    """The header and the arrays, after checking the tag; StateError for a file that was not written so, under that key.

    The file is read once. `check` sees the header before it is authenticated, so that a file of something else is refused by
    what it says it is, and not by its key.
    """
    header, begin, body = _split(path)
    check(header)
    secret = key_of(key, path, create=False)
    refusal = f"{path} is damaged, was altered, or was written under another key than the one given here; load a copy that is not"
    if len(body) < _NONCE + _TAG:
        raise StateError(refusal)
    nonce, encrypted, tag = body[:_NONCE], body[_NONCE:-_TAG], body[-_TAG:]
    decryptor = Cipher(algorithms.AES(secret), modes.GCM(bytes(nonce), bytes(tag))).decryptor()
    decryptor.authenticate_additional_data(begin)
    try:
        plain = memoryview(decryptor.update(encrypted) + decryptor.finalize())
    except InvalidTag:
        raise StateError(refusal) from None
    try:
        return header, list(_arrays(header["arrays"], plain))
    except (KeyError, TypeError, ValueError):
        raise StateError(f"{path} is not as this version of mpc writes it; load it with the version that saved it") from None


def _arrays(described: Any, plain: memoryview) -> Iterator[Array]:
    """The inverse of `_bytes`, one after the other. KeyError, TypeError or ValueError where they are not so."""
    for name, shape in described:
        if name not in _DTYPES or any(type(n) is not int or n < 0 for n in shape):
            raise ValueError("no dtype and shape")
        dtype = np.dtype(name).newbyteorder("<")
        nbytes = dtype.itemsize * math.prod(shape)
        yield np.frombuffer(plain[:nbytes], dtype).astype(name).reshape(shape)
        plain = plain[nbytes:]
    if plain:
        raise ValueError("bytes are left")


def _bytes(array: Array) -> bytes:
    if array.dtype.name not in _DTYPES:
        raise StateError(f"arrays of dtype {array.dtype} cannot be kept in a share file")
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def _split(path: Path) -> tuple[dict[str, Any], bytes, memoryview]:
    """(header, the bytes up to its end, the rest)."""
    try:
        data = memoryview(path.read_bytes())
    except OSError as error:
        raise StateError(f"{path} cannot be read: {error.strerror}") from None
    start = len(MAGIC) + _LENGTH
    end = start + int.from_bytes(data[len(MAGIC) : start], "little")
    try:
        header = json.loads(bytes(data[start:end])) if data[: len(MAGIC)] == MAGIC and end <= len(data) else None
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise StateError(f"{path} is no share file, or its beginning is damaged")
    return header, bytes(data[:end]), data[end:]


# ---------------------------------------------------------------------------------------- keys


def key_of(key: Key, path: Path, create: bool) -> bytes:
    """A key given as bytes, or kept in a file: the one named, or `path` with .key at its end."""
    if isinstance(key, bytes):
        if len(key) != KEY_BYTES:
            raise StateError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
        return key
    place = Path(f"{path}.key") if key is None else Path(key)
    if create and not place.exists():
        with suppress(FileExistsError):  # somebody else was faster
            _put(place, [new_seed()], replace=False)
    return _read_key(place)


def _read_key(place: Path) -> bytes:
    try:
        found = read_private(place, _LARGEST_KEY_FILE)
    except FileNotFoundError as error:
        raise StateError(f"the key file {place} cannot be read: {error.strerror}. The party that saved has it.") from None
    except OSError as error:
        raise StateError(f"the key file {place} cannot be read: {error.strerror}") from None
    if len(found) != KEY_BYTES:
        raise StateError(f"{place} is no key file: it has {len(found)} bytes, not {KEY_BYTES}")
    return found


def _put(path: Path, parts: Iterable[bytes], replace: bool) -> None:
    """FileExistsError if there is one not to replace."""
    try:
        write_private(path, parts, replace)
    except FileExistsError:
        raise
    except OSError as error:
        raise StateError(f"{path} cannot be written: {error.strerror}") from None
