"""Cosines and sines of multiples of an angle, in fixed point, by the recurrence of the angle's sums; 64 elements at a time."""

from typing import Any

import numpy as np
from numba import njit, types, uint64

from mpc.ring.elementary import TURN, circle
from mpc.ring.kernels.planes import PLANES, WORDS

SHARES = types.Array(uint64, 3, "C", readonly=True)
TABLE = types.Array(types.float64, 2, "C", readonly=True)
RESULT = types.Array(uint64, 3, "C")

_CHUNK = 64
_COSINES, _SINES = circle()


@njit(nogil=True)
def _start(words: Any, at: int, n: int, period: int, wave: Any) -> None:
    """wave = cos and sin of the angle, in rows 0 and 1, and again in rows 2 and 3: as `elementary.turn`."""
    for i in range(n):
        word = words[at + i] << np.uint64(64 - period)
        part = word >> np.uint64(56)
        x = float(word & np.uint64((1 << 56) - 1)) * TURN
        square = x * x
        c = 1 - square * (1 / 2 - square * (1 / 24 - square * (1 / 720)))
        s = x * (1 - square * (1 / 6 - square * (1 / 120 - square * (1 / 5040))))
        wave[0, i] = wave[2, i] = _COSINES[part] * c - _SINES[part] * s
        wave[1, i] = wave[3, i] = _SINES[part] * c + _COSINES[part] * s


@njit(nogil=True)
def _next(wave: Any) -> None:
    """The wave in rows 2 and 3, turned by the angle."""
    for i in range(_CHUNK):
        c = wave[2, i] * wave[0, i] - wave[3, i] * wave[1, i]
        wave[3, i] = wave[3, i] * wave[0, i] + wave[2, i] * wave[1, i]
        wave[2, i] = c


@njit(types.void(WORDS, types.int64, types.float64, RESULT), nogil=True, cache=True)
def harmonics(words: Any, period: int, unit: float, out: Any) -> None:
    """out[0, k - 1] = cos(2 pi k word / 2^period) * unit, rounded to nearest, and out[1, k - 1] the sine."""
    wave = np.zeros((4, _CHUNK), np.float64)
    for at in range(0, words.size, _CHUNK):
        n = min(_CHUNK, words.size - at)
        _start(words, at, n, period, wave)
        for k in range(out.shape[1]):
            for i in range(n):
                out[0, k, at + i] = np.uint64(np.int64(np.rint(wave[2, i] * unit)))
                out[1, k, at + i] = np.uint64(np.int64(np.rint(wave[3, i] * unit)))
            _next(wave)


@njit(types.void(WORDS, types.int64, SHARES, TABLE, TABLE, PLANES), nogil=True, cache=True)
def add_waves(words: Any, period: int, dealt: Any, cosines: Any, sines: Any, out: Any) -> None:
    """out[s] += sum over k of (c cos + s sin)(k w word) dealt[0, k] + (c sin - s cos)(k w word) dealt[1, k], factors rounded."""
    wave = np.zeros((4, _CHUNK), np.float64)
    for at in range(0, words.size, _CHUNK):
        n = min(_CHUNK, words.size - at)
        _start(words, at, n, period, wave)
        for k in range(cosines.shape[1]):
            for s in range(out.shape[0]):
                c, d = cosines[s, k], sines[s, k]
                for i in range(n):
                    p = np.uint64(np.int64(np.rint(c * wave[2, i] + d * wave[3, i])))
                    q = np.uint64(np.int64(np.rint(c * wave[3, i] - d * wave[2, i])))
                    out[s, at + i] += p * dealt[0, k, at + i] + q * dealt[1, k, at + i]
            _next(wave)
