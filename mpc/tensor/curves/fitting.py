"""Sums of waves that follow a function on an interval, fitted when a program first needs them.

A least-squares fit at Chebyshev nodes is within a small factor of the best possible. The interval is shorter than the
period, so that the waves need not repeat the function at its ends ("Fourier extension": Huybrechs, SIAM Journal on Numerical
Analysis 47, 2010), and the error falls exponentially with their number. Singular values below 1e-10 are left out, which
keeps the coefficients small.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc.contract import Waves

Array = np.ndarray[Any, np.dtype[Any]]
Function = Callable[[Array], Array]

_MOST = 48  # harmonics
_CUT = 1e-10


@dataclass(frozen=True)
class Series:
    """cosines[k] cos(2 pi k x / period) + sines[k] sin(2 pi k x / period), summed over k; `error` is its largest."""

    period: float
    cosines: tuple[float, ...]
    sines: tuple[float, ...]
    error: float

    def waves(self, period: int, scale: int, factor: int = 1) -> Waves:
        """For the contract: `factor` times a word is x, where 2^period stands for the period. `scale` bits, if there is room."""
        size = sum(map(abs, (*self.cosines, *self.sines)))
        return Waves(period, self.cosines, self.sines, min(scale, 61 - math.frexp(size)[1]), factor)

    def __call__(self, x: Array) -> Array:
        return np.asarray(_basis(x, self.period, len(self.cosines) - 1) @ np.array([*self.cosines, *self.sines[1:]]))


def fit(function: Function, low: float, high: float, period: float, error: float, weight: Function = np.ones_like) -> Series:
    """The shortest series whose error on [low, high], times the weight, is at most `error`; the best one, if none is."""
    least, most = 2, 4
    while (series := _fit(function, low, high, period, most, weight)).error > error:
        if most == _MOST:
            return series
        least, most = most, min(_MOST, most + 4)
    while most - least > 1:
        middle = (least + most) // 2
        attempt = _fit(function, low, high, period, middle, weight)
        least, most, series = (middle, most, series) if attempt.error > error else (least, middle, attempt)
    return series


def _fit(function: Function, low: float, high: float, period: float, count: int, weight: Function) -> Series:
    x = (low + high) / 2 + (high - low) / 2 * np.cos((np.arange(6 * count + 20) + 0.5) * np.pi / (6 * count + 20))
    w = weight(x)
    found = np.linalg.lstsq(_basis(x, period, count) * w[:, None], function(x) * w, rcond=_CUT)[0]
    dense = np.linspace(low, high, 50 * count)
    residual = (_basis(dense, period, count) @ found - function(dense)) * weight(dense)
    cosines, sines = found[: count + 1].tolist(), found[count + 1 :].tolist()
    return Series(period, tuple(cosines), (0.0, *sines), float(np.abs(residual).max()))


def _basis(x: Array, period: float, count: int) -> Array:
    phase = np.multiply.outer(x, 2 * np.pi / period * np.arange(count + 1))
    return np.concatenate([np.cos(phase), np.sin(phase)[..., 1:]], axis=-1)
