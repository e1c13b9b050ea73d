"""Cosines and sines of words in fixed point, the words read as angles: 2^period of them are a full turn."""

from typing import Any

import numpy as np
import numpy.typing as npt

from mpc.ring.cache import kernels
from mpc.ring.elementary import turn

Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

# Below this many cosines NumPy is fast enough, and needs no kernel to be loaded.
SMALL = 4096


def harmonics(words: Words, period: int, count: int, fraction: int) -> Words:
    """cos(k w z) and sin(k w z), k = 1 .. count, w = 2 pi / 2^period, with `fraction` bits: (2, count, *words.shape).

    The error is half a unit in the last place plus about k 2^-51.
    """
    flat = np.ascontiguousarray(words).reshape(-1)
    if flat.size * count < SMALL:
        result = fixed(np.ldexp(np.stack(_waves(flat, period, count)), fraction))
    else:
        result = np.empty((2, count, flat.size), np.uint64)
        kernels().harmonics(flat, period, 2.0**fraction, result)
    return result.reshape(2, count, *words.shape)


def wave_sums(words: Words, period: int, dealt: Words, cosines: Floats, sines: Floats, fraction: int) -> Words:
    """sum over k of A_k dealt[0, k] + B_k dealt[1, k] for each row s of the tables (S, count): (S, *words.shape).

    A_k = c cos(k w z) + d sin(k w z) and B_k = c sin(k w z) - d cos(k w z), c = cosines[s, k] and d = sines[s, k], rounded
    to `fraction` bits. So with the harmonics of r dealt, the sums are those of z - r.
    """
    flat, (rows, count) = np.ascontiguousarray(words).reshape(-1), cosines.shape
    dealt = dealt.reshape(2, count, flat.size)
    result = np.zeros((rows, flat.size), np.uint64)
    c, d = np.ldexp(cosines, fraction), np.ldexp(sines, fraction)
    if flat.size * count >= SMALL:
        kernels().add_waves(flat, period, dealt, c, d, result)
    else:
        cos, sin = _waves(flat, period, count)
        a = fixed(c[:, :, None] * cos + d[:, :, None] * sin)
        b = fixed(c[:, :, None] * sin - d[:, :, None] * cos)
        result = np.asarray((a * dealt[0]).sum(axis=1, dtype=np.uint64) + (b * dealt[1]).sum(axis=1, dtype=np.uint64))
    return result.reshape(rows, *words.shape)


def _waves(flat: Words, period: int, count: int) -> tuple[Floats, Floats]:
    """Cosines and sines of the multiples of the angle, (count, size), by the recurrence of its sums."""
    first = turn(np.left_shift(flat, np.uint64(64 - period)))  # the period, seen as the whole ring
    cos, sin = (np.empty((count, flat.size)) for _ in range(2))
    c, s = first
    for k in range(count):
        cos[k], sin[k] = c, s
        c, s = c * first[0] - s * first[1], s * first[0] + c * first[1]
    return cos, sin


def fixed(values: Any) -> Words:
    """Real numbers rounded to nearest, as words."""
    return np.asarray(np.rint(values)).astype(np.int64).view(np.uint64)
