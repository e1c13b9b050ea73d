"""The header frame: what a message is, in bytes that anybody may check. No pickle, nothing is executed.

    magic 4 | kind 1 | session 16 | sender 2 | sequence 8 | label length 1 | label | arrays 4 |
    per array: dtype 1, ndim 1, shape 8*ndim

All integers little-endian. The payload follows as one raw frame an array, except in an ANNOUNCE, which describes arrays
without carrying them. A transport may join the frames of a small message to one, which costs less: see `joined`.
"""

from __future__ import annotations

import enum
import math
import struct
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np

from mpc.errors import FrameError

Array = np.ndarray[Any, np.dtype[Any]]

MAGIC = b"mpc1"
SESSION_BYTES = 16
_FIXED = struct.Struct("<4sB16sHQB")
_DTYPES = ("uint64", "uint8", "uint16", "uint32", "int64", "float64", "bool")
_NAMES = {np.dtype(name): name for name in _DTYPES}  # an array in the other byte order is not among them
_TYPES = {name: dtype for dtype, name in _NAMES.items()}
_SIZES = {name: dtype.itemsize for dtype, name in _NAMES.items()}
_MAX_NDIM = 64
_USUAL = 1 << 12  # bytes of a header that is worth remembering
_MAX_BYTES = 1 << 62


class Kind(enum.IntEnum):
    DATA = 0  # arrays follow
    ANNOUNCE = 1  # arrays are described, none follow
    ABORT = 2  # the sender cannot go on; the payload is the reason in UTF-8
    HELLO = 3  # first on a connection; the payload proves the session token
    END = 4  # the sender has finished; nothing more comes from it
    READY = 5  # the sender has heard everybody's HELLO, and names the session that they make up


class ArraySpec(NamedTuple):
    """dtype and shape of one array of a message."""

    dtype: str
    shape: tuple[int, ...]

    @classmethod
    def of(cls, array: Array) -> ArraySpec:
        name = _NAMES.get(array.dtype)
        if name is None:
            raise FrameError(f"an array of dtype {array.dtype} cannot be sent; these can: {', '.join(_DTYPES)}")
        return cls(name, array.shape)

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * _SIZES[self.dtype]

    def __str__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"


class Header(NamedTuple):
    kind: Kind
    session: bytes
    sender: int
    sequence: int
    label: str
    arrays: tuple[ArraySpec, ...] = ()

    def encode(self) -> bytes:
        length, content = _content(self.label, self.arrays)
        return _FIXED.pack(MAGIC, self.kind, self.session, self.sender, self.sequence, length) + content

    @classmethod
    def decode(cls, data: bytes) -> Header:
        """Parse a header; FrameError on anything that `encode` could not have written."""
        try:
            magic, kind, session, sender, sequence, length = _FIXED.unpack_from(data)
            if magic != MAGIC:
                raise FrameError("the message does not begin with mpc's magic")
            content = data[_FIXED.size :]
            parse = _parsed if len(content) <= _USUAL else _parsed.__wrapped__
            return cls(_KINDS[kind], session, sender, sequence, *parse(content, length))
        except FrameError:
            raise
        except (struct.error, LookupError, UnicodeDecodeError) as error:
            raise FrameError(f"a malformed message header: {error}") from None


_KINDS = {int(kind): kind for kind in Kind}


@lru_cache(maxsize=1024)  # the same messages go round and round
def _content(label: str, arrays: tuple[ArraySpec, ...]) -> tuple[int, bytes]:
    """The length of the label, and what follows it."""
    text = label.encode()
    parts = [text, len(arrays).to_bytes(4, "little")]
    for spec in arrays:
        parts.append(bytes([_DTYPES.index(spec.dtype), len(spec.shape)]))
        parts.append(struct.pack(f"<{len(spec.shape)}Q", *spec.shape))
    return len(text), b"".join(parts)


@lru_cache(maxsize=1024)
def _parsed(content: bytes, length: int) -> tuple[str, tuple[ArraySpec, ...]]:
    """The label, of that length, and the descriptions of arrays: the inverse of `_content`."""
    label = content[:length].decode()
    arrays, at = _decode_arrays(content, length)
    if at != len(content):
        raise FrameError(f"{len(content) - at} bytes left over after the header")
    return label, arrays


def origin(data: bytes) -> tuple[int, bytes, int]:
    """Kind, session and sender of a header, without parsing the rest."""
    try:
        _, kind, session, sender, _, _ = _FIXED.unpack_from(data)
    except struct.error as error:
        raise FrameError(f"a malformed message header: {error}") from None
    return kind, session, sender


def _decode_arrays(data: bytes, at: int) -> tuple[tuple[ArraySpec, ...], int]:
    """The descriptions of arrays that begin at `at`, and where they end."""
    arrays = []
    (count,), at = struct.unpack_from("<I", data, at), at + 4
    for _ in range(count):
        dtype, ndim = _DTYPES[data[at]], data[at + 1]
        if ndim > _MAX_NDIM:
            raise FrameError(f"an array of {ndim} axes: at most {_MAX_NDIM}")
        shape = struct.unpack_from(f"<{ndim}Q", data, at + 2)
        if math.prod(filter(None, shape)) * _SIZES[dtype] > _MAX_BYTES:  # NumPy refuses it even where another axis is 0
            raise FrameError(f"an array of shape {list(shape)} is larger than any memory")
        arrays.append(ArraySpec(dtype, shape))
        at += 2 + 8 * ndim
    return tuple(arrays), at


def as_arrays(header: Header, payload: Sequence[Any]) -> list[Array]:
    """The arrays of a DATA message, as read-only views of its payload frames (nothing large is copied)."""
    if len(payload) != len(header.arrays):
        raise FrameError(f"{header.label!r} describes {len(header.arrays)} arrays and carries {len(payload)} frames")
    return [_as_array(header.label, spec, memoryview(part)) for spec, part in zip(header.arrays, payload, strict=True)]


def _as_array(label: str, spec: ArraySpec, view: memoryview) -> Array:
    nbytes = spec.nbytes
    if view.nbytes != nbytes:
        raise FrameError(f"{label!r} describes {spec} and carries {view.nbytes} bytes")
    if spec.dtype == "bool" and nbytes and np.frombuffer(view, np.uint8).max() > 1:
        raise FrameError(f"{label!r} carries a truth value that is neither 0 nor 1")
    array = np.frombuffer(view, _TYPES[spec.dtype]) if nbytes else np.empty(0, _TYPES[spec.dtype])
    if not array.flags.aligned:  # a small message may begin anywhere in what the socket has read
        array = array.copy()
    array = array.reshape(spec.shape)
    array.setflags(write=False)
    return array


def joined(frames: Sequence[Any]) -> bytes:
    """Several frames (any buffers) as one: their number and lengths, 4 bytes each, and their contents."""
    lengths = [memoryview(frame).nbytes for frame in frames]
    return b"".join([struct.pack(f"<{1 + len(lengths)}I", len(lengths), *lengths), *frames])


def split(data: memoryview) -> list[memoryview]:
    """The inverse of `joined`, as views; FrameError for what it could not have made."""
    try:
        (count,) = struct.unpack_from("<I", data)
        lengths = struct.unpack_from(f"<{count}I", data, 4)
    except struct.error as error:
        raise FrameError(f"a malformed message: {error}") from None
    if not count:
        raise FrameError("a message without a header")
    ends = list(accumulate(lengths, initial=4 + 4 * count))
    if ends[-1] != data.nbytes:
        raise FrameError(f"a message of {data.nbytes} bytes that should have {ends[-1]}")
    return [data[start:end] for start, end in pairwise(ends)]
