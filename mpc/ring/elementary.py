"""Cosine, sine and exponential by nothing but tables, sums and products: bit for bit the same on every processor.

Parties multiply their shares with public factors. If those differed in their last place, as those of mathematical libraries may
from one processor to the next, the products would have nothing to do with each other. IEEE 754 settles sums and products; the
tables are made with whole numbers.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

TURNS = 256  # parts of a full turn in the table
_PARTS = 64  # parts of 1 in the table of exponentials
LARGEST = 64  # the largest exponent in magnitude

_BITS = 160
_ONE = 1 << _BITS
_PI = 3141592653589793238462643383279502884197169399375105820974944592 * _ONE // 10**63
TURN = _PI / (_ONE << 63)  # the angle of one unit of a word: 2 pi / 2^64


def _series(x: int, start: int, step: int, sign: int) -> int:
    """sum over k of sign^k x^(start + step k) / (start + step k)!, of numbers with _BITS fraction bits."""
    total, term, n = 0, _ONE, 0
    while term:
        if n >= start and (n - start) % step == 0:
            total += term if sign > 0 or (n - start) // step % 2 == 0 else -term
        n += 1
        term = term * x // (n << _BITS)
    return total


@cache
def circle() -> tuple[Floats, Floats]:
    """Cosine and sine of the multiples of 2 pi / TURNS."""
    x = 2 * _PI // TURNS
    c, s = _series(x, 0, 2, -1), _series(x, 1, 2, -1)
    points = [(_ONE, 0)]
    for _ in range(TURNS - 1):
        a, b = points[-1]
        points.append(((a * c - b * s) >> _BITS, (b * c + a * s) >> _BITS))
    return np.array([a / _ONE for a, _ in points]), np.array([b / _ONE for _, b in points])


@cache
def _exponentials() -> Floats:
    """e^(k / _PARTS) for k from -LARGEST * _PARTS on."""
    step = _series(_ONE // _PARTS, 0, 1, 1)
    up = [_ONE]
    for _ in range(LARGEST * _PARTS):
        up.append(up[-1] * step >> _BITS)
    down = [_ONE / x for x in up[:0:-1]]
    return np.array([*down, *(x / _ONE for x in up)])


def turn(words: Words) -> tuple[Floats, Floats]:
    """Cosine and sine of 2 pi word / 2^64, to about 2^-52."""
    cosines, sines = circle()
    part = (words >> np.uint64(56)).astype(np.intp)
    x = (words & np.uint64((1 << 56) - 1)).astype(np.float64) * TURN
    square = x * x
    c = 1 - square * (1 / 2 - square * (1 / 24 - square * (1 / 720)))
    s = x * (1 - square * (1 / 6 - square * (1 / 120 - square * (1 / 5040))))
    return cosines[part] * c - sines[part] * s, sines[part] * c + cosines[part] * s


def exp(x: Any) -> Any:
    """e^x for |x| below LARGEST, to about 2^-51 of it."""
    part = np.floor(np.multiply(x, _PARTS))
    rest = x - part * (1 / _PARTS)
    tail = 1 / 24 + rest * (1 / 120 + rest * (1 / 720 + rest * (1 / 5040)))
    power = 1 + rest * (1 + rest * (1 / 2 + rest * (1 / 6 + rest * tail)))
    return _exponentials()[part.astype(np.intp) + LARGEST * _PARTS] * power
