"""Sums of waves that follow a function on an interval, fitted when a program first needs them.

A least-squares fit at Chebyshev nodes is within a small factor of the best possible. The interval is shorter than the
period, so that the waves need not repeat the function at its ends ("Fourier extension": Huybrechs, SIAM Journal on Numerical
Analysis 47, 2010), and the error falls exponentially with their number. A regularisation of 1e-10 keeps the coefficients small.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from mpc.contract import Waves
from mpc.tensor.curves.exact import least_squares

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Target:
    """A function for arrays, and for decimal numbers. `relative`: what counts is the error divided by it."""

    function: Callable[[Array], Array]
    exact: Callable[[Decimal], Decimal]
    relative: bool = False

    def weight(self, x: Array) -> Array:
        return np.asarray(1 / self.function(x)) if self.relative else np.ones_like(x)

    def exact_weight(self, x: Decimal) -> Decimal:
        return 1 / self.exact(x) if self.relative else Decimal(1)


_MOST = 48  # harmonics
_CUT = 1e-10


@dataclass(frozen=True)
class Series:
    """cosines[k] cos(2 pi k x / period) + sines[k] sin(2 pi k x / period), summed over k."""

    period: float
    cosines: tuple[float, ...]
    sines: tuple[float, ...]

    def waves(self, period: int, scale: int, factor: int = 1) -> Waves:
        """For the contract: `factor` times a word is x, where 2^period stands for the period. `scale` bits, if there is room."""
        size = sum(map(abs, (*self.cosines, *self.sines)))
        return Waves(period, self.cosines, self.sines, min(scale, 61 - math.frexp(size)[1]), factor)


def fit(target: Target, low: float, high: float, period: float, error: float) -> Series:
    """The shortest series whose error on [low, high] is at most `error`; the longest, if none is.

    Its length is found in floating point, its coefficients then in decimal arithmetic.
    """
    least, most = 2, 4
    while _error(target, low, high, period, most) > error and most < _MOST:
        least, most = most, most + 4
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if _error(target, low, high, period, middle) > error else (least, middle)
    cosines, sines = least_squares(target.exact, low, high, period, most, target.exact_weight)
    return Series(period, tuple(cosines), (0.0, *sines))


def _error(target: Target, low: float, high: float, period: float, count: int) -> float:
    """The largest error of a series with `count` harmonics, nearly."""
    nodes = np.cos((np.arange(6 * count + 20) + 0.5) * np.pi / (6 * count + 20))
    x = (low + high) / 2 + (high - low) / 2 * nodes
    weight = target.weight(x)
    found = np.linalg.lstsq(_basis(x, period, count) * weight[:, None], target.function(x) * weight, rcond=_CUT)[0]
    dense = np.linspace(low, high, 50 * count)
    residual = (_basis(dense, period, count) @ found - target.function(dense)) * target.weight(dense)
    return float(np.abs(residual).max())


def _basis(x: Array, period: float, count: int) -> Array:
    phase = np.multiply.outer(x, 2 * np.pi / period * np.arange(count + 1))
    return np.concatenate([np.cos(phase), np.sin(phase)[..., 1:]], axis=-1)
