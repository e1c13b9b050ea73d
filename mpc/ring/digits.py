"""Bit planes and digits of words, as comparisons need them: a row of packed bits for each bit of all elements."""

from typing import Any

import numpy as np
import numpy.typing as npt

from mpc.ring.cache import kernels, loaded

Words = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.uint8]

# Below this many elements NumPy is fast enough, and needs no kernel to be loaded; but one that is loaded is much faster.
SMALL = 1024


def _compiled(size: int) -> bool:
    return size >= SMALL or (size > 0 and loaded())


def _whole_words(rows: Rows) -> Rows:
    """The rows, filled up to whole words, which kernels need."""
    missing = -rows.shape[-1] % 8
    return np.concatenate([rows, np.zeros((*rows.shape[:-1], missing), np.uint8)], axis=-1) if missing else rows


def row_bytes(size: int) -> int:
    """Bytes of a row of `size` bits: whole bytes, and whole words from 64 bytes on."""
    nbytes = (size + 7) // 8
    return nbytes if nbytes < 64 else (nbytes + 7) // 8 * 8


def planes(words: Words, count: int) -> Rows:
    """The `count` lowest bits of the words of an array: shape (count, row_bytes(size)). Bits beyond the size are 0.

    Raises TypeError for a dtype other than uint64.
    """
    flat = _flat("planes", words)
    rows = np.zeros((count, row_bytes(flat.size)), np.uint8)
    if count == 1:
        rows[0, : (flat.size + 7) // 8] = np.packbits(flat.astype(np.uint8) & np.uint8(1), bitorder="little")
    elif flat.size >= SMALL:
        kernels().bit_planes(flat, rows.view(np.uint64))
    elif flat.size:
        bits = np.unpackbits(flat.reshape(-1, 1).view(np.uint8), axis=1, bitorder="little", count=count)
        rows[:, : (flat.size + 7) // 8] = np.packbits(bits.T, axis=1, bitorder="little")
    return rows


def thermometers(words: Words, count: int, width: int) -> Rows:
    """[digit > j] for the `count` lowest digits of `width` bits, and j below 2^width - 1: (count, 2^width - 1, row_bytes).

    count * width is 64 at most. Cost at 4 bits: about as long as copying the result twice.
    """
    flat = _flat("thermometers", words)
    if width == 4 and _compiled(flat.size):
        nbytes = row_bytes(flat.size)
        result = np.empty((count, 15, nbytes + -nbytes % 8), np.uint8)
        kernels().thermometers(flat, result.view(np.uint64))
        return np.ascontiguousarray(result[..., :nbytes])
    digits = planes(flat, count * width).reshape(count, width, -1)
    result = digits[:, :1]
    for bit in range(1, width):
        top = digits[:, bit : bit + 1]
        result = np.concatenate([result | top, top, result & top], axis=1)
    return result


def look_up(
    dealt: Rows, words: Words, width: int, first: bool, subtracted: Words | None = None, bits: int = 64
) -> tuple[Rows, Rows, Rows]:
    """XOR shares of [m_d < d] and [m_d = d] for the digits m_d of public words and XOR-shared thermometers of digits d.

    The words are the low `bits` bits of `words` - t, for each t in `subtracted` (by default 0 alone), modulo 2^64. Both results
    are (digits, len(subtracted), row_bytes); the third has the public bits above, (len(subtracted), row_bytes), if `bits` is
    below 64. `first`: this party holds the constant that [d > -1] is.
    """
    flat, subtracted = _flat("look_up", words), np.zeros(1, np.uint64) if subtracted is None else subtracted
    nbytes, compiled = dealt.shape[2], width == 4 and _compiled(flat.size)
    dealt = _whole_words(dealt) if compiled else dealt
    shape = (dealt.shape[0], len(subtracted), dealt.shape[2])
    lt, eq, above = np.empty(shape, np.uint8), np.empty(shape, np.uint8), np.zeros(shape[1:], np.uint8)
    if compiled:
        ones = np.uint64((1 << 64) - 1 if first else 0)
        results = [rows.view(np.uint64) for rows in (lt, eq, above)]
        kernels().look_up(flat, subtracted, bits, dealt.view(np.uint64), ones, *results)
        return lt[..., :nbytes], eq[..., :nbytes], above[..., :nbytes]
    for k, t in enumerate(subtracted):
        m = flat - t
        if bits < 64:
            above[k] = planes(m >> np.uint64(bits), 1)[0]
            m &= np.uint64((1 << bits) - 1)
        lt[:, k], eq[:, k] = _look_up(dealt, planes(m, dealt.shape[0] * width).reshape(shape[0], width, -1), first)
    return lt, eq, above


def _look_up(dealt: Rows, digits: Rows, first: bool) -> tuple[Rows, Rows]:
    """For the planes of digits, (digits, width, row_bytes)."""
    count, width, nbytes = digits.shape
    steps = np.empty((count, (1 << width) + 1, nbytes), np.uint8)
    steps[:, 0], steps[:, 1:-1], steps[:, -1] = 0xFF if first else 0, dealt, 0  # d > -1 always, and d > 2^width - 1 never
    less, least = steps[:, 1:], steps[:, :-1]
    for bit in range(width):
        chosen = digits[:, bit, None]
        less, least = (s[:, 0::2] ^ (chosen & (s[:, 0::2] ^ s[:, 1::2])) for s in (less, least))
    return less[:, 0], np.asarray(np.bitwise_xor(less[:, 0], least[:, 0]))


def reflect(packed: Rows, share: Words, total: Words) -> Words:
    """total - share where the packed bit of an element is set, else the share; `total` has as many elements, or one."""
    result = np.empty(share.shape, np.uint64)
    if not _compiled(share.size):
        bits = np.unpackbits(packed, count=share.size, bitorder="little").view(np.bool_).reshape(share.shape)
        np.subtract(total, share, out=result)
        return np.where(bits, result, share)
    kernels().reflect(packed, _flat("reflect", share), _flat("reflect", total), result.reshape(-1))
    return result


def _flat(name: str, words: Any) -> Words:
    if words.dtype != np.uint64:
        raise TypeError(f"{name}: expected uint64, got {words.dtype}")
    return np.ascontiguousarray(words).reshape(-1)
