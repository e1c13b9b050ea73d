"""Bit planes of words, and look-ups by the digits of words in them: 64 elements to a word, 512 elements at a time."""

from typing import Any

import numpy as np
from numba import njit, types, uint64

WORDS = types.Array(uint64, 1, "C", readonly=True)
PLANES = types.Array(uint64, 2, "C")
DIGITS = types.Array(uint64, 3, "C")
DEALT = types.Array(uint64, 3, "C", readonly=True)

_CHUNK = 512


@njit(nogil=True)
def _transpose(block: Any) -> None:
    """Bit i of word j becomes bit j of word i, of 64 words: blocks of 32 x 32 change places, then those of 16 x 16, ..."""
    size, mask = 32, np.uint64(0xFFFFFFFF)
    while size:
        for start in range(0, 64, 2 * size):
            for i in range(start, start + size):
                moved = ((block[i] >> np.uint64(size)) ^ block[i + size]) & mask
                block[i + size] ^= moved
                block[i] ^= moved << np.uint64(size)
        size >>= 1
        mask ^= mask << np.uint64(size)


@njit(nogil=True)
def _chunk(words: Any, start: int, block: Any, rows: Any) -> Any:
    """The planes of the words from `start`, at most a chunk of them: rows[bit]. Returns how many words of planes."""
    blocks = (min(_CHUNK, words.size - start) + 63) // 64
    for b in range(blocks):
        first = start + 64 * b
        have = min(64, words.size - first)
        for i in range(have):
            block[i] = words[first + i]
        for i in range(have, 64):
            block[i] = 0
        _transpose(block)
        for bit in range(64):
            rows[bit, b] = block[bit]
    return blocks


@njit(types.void(WORDS, PLANES), nogil=True, cache=True)
def bit_planes(words: Any, planes: Any) -> None:
    """planes[bit] = that bit of all words."""
    block, rows = np.empty(64, np.uint64), np.empty((64, _CHUNK // 64), np.uint64)
    for start in range(0, words.size, _CHUNK):
        n, at = _chunk(words, start, block, rows), start // 64
        for bit in range(planes.shape[0]):
            for v in range(n):
                planes[bit, at + v] = rows[bit, v]


@njit(types.void(WORDS, DIGITS), nogil=True, cache=True)
def thermometers(words: Any, s: Any) -> None:
    """s[d, j] = [digit d > j] for the digits of 4 bits: of 2 bits first, then with one bit more above, twice."""
    block, rows = np.empty(64, np.uint64), np.empty((64, _CHUNK // 64), np.uint64)
    for start in range(0, words.size, _CHUNK):
        n, at = _chunk(words, start, block, rows), start // 64
        for d in range(s.shape[0]):
            for v in range(n):
                i = at + v
                a, b, c, t = rows[4 * d, v], rows[4 * d + 1, v], rows[4 * d + 2, v], rows[4 * d + 3, v]
                p0, p2 = a | b, a & b
                q0, q1, q2, q4, q5, q6 = p0 | c, b | c, p2 | c, p0 & c, b & c, p2 & c
                s[d, 0, i], s[d, 1, i], s[d, 2, i], s[d, 3, i] = q0 | t, q1 | t, q2 | t, c | t
                s[d, 4, i], s[d, 5, i], s[d, 6, i], s[d, 7, i] = q4 | t, q5 | t, q6 | t, t
                s[d, 8, i], s[d, 9, i], s[d, 10, i], s[d, 11, i] = q0 & t, q1 & t, q2 & t, c & t
                s[d, 12, i], s[d, 13, i], s[d, 14, i] = q4 & t, q5 & t, q6 & t


@njit(nogil=True)
def _pick(bit: Any, zero: Any, one: Any) -> Any:
    return zero ^ (bit & (zero ^ one))


@njit(nogil=True)
def _subtract(rows: Any, word: Any, bits: int, result: Any) -> None:
    """The `bits` lowest planes of the differences of the words in `rows` and one word, from the lowest on."""
    borrow = np.zeros(_CHUNK // 64, np.uint64)
    for bit in range(bits):
        every = np.uint64(0) - ((word >> np.uint64(bit)) & np.uint64(1))
        for v in range(_CHUNK // 64):
            a, b = rows[bit, v], borrow[v]
            different = a ^ every
            result[bit, v] = different ^ b
            borrow[v] = (different & ~a) | (~different & b)


@njit(types.void(WORDS, WORDS, types.int64, DEALT, uint64, DIGITS, DIGITS, PLANES), nogil=True, cache=True)
def look_up(words: Any, subtracted: Any, bits: int, s: Any, ones: Any, lt: Any, eq: Any, above: Any) -> None:
    """For the low `bits` bits of each difference word - subtracted[k], in digits of 4 bits: lt[d, k] = s[d, digit] and
    eq[d, k] = s[d, digit - 1] ^ s[d, digit], where s[d, -1] = ones and s[d, 15] = 0; above[k] is the next bit."""
    block, planes = np.empty(64, np.uint64), np.empty((64, _CHUNK // 64), np.uint64)
    rows = np.zeros((64, _CHUNK // 64), np.uint64)
    zero = np.uint64(0)
    for start in range(0, words.size, _CHUNK):
        n, at = _chunk(words, start, block, planes), start // 64
        for k in range(subtracted.size):
            _subtract(planes, subtracted[k], min(bits + 1, 64), rows)
            if bits < 64:
                for v in range(n):
                    above[k, at + v] = rows[bits, v]
                    rows[bits, v] = zero
            for d in range(s.shape[0]):
                for v in range(n):
                    i = at + v
                    a, b, c, t = rows[4 * d, v], rows[4 * d + 1, v], rows[4 * d + 2, v], rows[4 * d + 3, v]
                    s0, s1, s2, s3, s4 = s[d, 0, i], s[d, 1, i], s[d, 2, i], s[d, 3, i], s[d, 4, i]
                    s5, s6, s7, s8, s9 = s[d, 5, i], s[d, 6, i], s[d, 7, i], s[d, 8, i], s[d, 9, i]
                    sa, sb, sc, sd, se = s[d, 10, i], s[d, 11, i], s[d, 12, i], s[d, 13, i], s[d, 14, i]
                    l0 = _pick(b, _pick(a, s0, s1), _pick(a, s2, s3))
                    l1 = _pick(b, _pick(a, s4, s5), _pick(a, s6, s7))
                    l2 = _pick(b, _pick(a, s8, s9), _pick(a, sa, sb))
                    l3 = _pick(b, _pick(a, sc, sd), _pick(a, se, zero))
                    g0 = _pick(b, _pick(a, ones, s0), _pick(a, s1, s2))
                    g1 = _pick(b, _pick(a, s3, s4), _pick(a, s5, s6))
                    g2 = _pick(b, _pick(a, s7, s8), _pick(a, s9, sa))
                    g3 = _pick(b, _pick(a, sb, sc), _pick(a, sd, se))
                    less = _pick(t, _pick(c, l0, l1), _pick(c, l2, l3))
                    lt[d, k, i] = less
                    eq[d, k, i] = less ^ _pick(t, _pick(c, g0, g1), _pick(c, g2, g3))


@njit(
    types.void(types.Array(types.uint8, 1, "C", readonly=True), WORDS, WORDS, types.Array(uint64, 1, "C")), nogil=True, cache=True
)
def reflect(packed: Any, share: Any, total: Any, out: Any) -> None:
    """out = total - share where the bit is set, else share; `total` has one element, or as many."""
    step = 1 if total.size > 1 else 0
    for i in range(share.size):
        bit = np.uint64(packed[i >> 3] >> (i & 7)) & np.uint64(1)
        every = np.uint64(0) - bit
        out[i] = ((share[i] ^ every) + bit) + (total[i * step] & every)
