"""The correlations of functions with an addition theorem: what the dealer knows of f(m - r), shared in fixed point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc.contract import Exponential
from mpc.contract.codec import register
from mpc.errors import FrameError
from mpc.ring.waves import fixed, harmonics
from mpc.transport import ArraySpec
from protocols.additive import checks
from protocols.additive.correlations import BitMask, Correlation, Evaluate
from protocols.additive.shares import MaskRef

Array = np.ndarray[Any, np.dtype[Any]]


@register
@dataclass(frozen=True, eq=False)
class OneHot(Correlation):
    """[r = j mod 2^width] as words, on a last axis of 2^width."""

    ref: MaskRef
    width: int
    shape: tuple[int, ...]
    label = "one_hot"

    def check(self) -> None:
        checks.same("one-hot words", self.ref.check(), self.shape)
        checks.whole("the width of a one-hot word", self.width, 0, 32)
        checks.size("one-hot words", (1 << self.width,))  # also where the shape has no elements
        checks.size("one-hot words", (*self.shape, 1 << self.width))

    def specs(self) -> list[ArraySpec]:
        return [ArraySpec("uint64", (*self.shape, 1 << self.width))]

    def deal(self, evaluate: Evaluate, bit_mask: BitMask) -> list[Array]:
        low = evaluate(self.ref) & np.uint64((1 << self.width) - 1)
        return [(low[..., None] == np.arange(1 << self.width, dtype=np.uint64)).astype(np.uint64)]


@register
@dataclass(frozen=True, eq=False)
class Harmonics(Correlation):
    """cos(k w r) and sin(k w r) for k = 1 .. count, with w = factor * 2 pi / 2^period, to `fraction` bits."""

    ref: MaskRef
    period: int
    factor: int
    count: int
    fraction: int
    shape: tuple[int, ...]
    label = "harmonics"

    @property
    def slack(self) -> int:
        return float_slack(self.fraction)

    def check(self) -> None:
        checks.same("waves", self.ref.check(), self.shape)
        checks.whole("the period of waves", self.period, 1, 64)
        checks.whole("the factor of waves", self.factor, 0, (1 << 64) - 1)
        checks.whole("the number of waves", self.count, 0, 1 << 16)
        checks.whole("the fraction bits of waves", self.fraction, 0, 62)
        checks.size("waves", (2, self.count, *self.shape))

    def specs(self) -> list[ArraySpec]:
        return [ArraySpec("uint64", (2, self.count, *self.shape))]

    def deal(self, evaluate: Evaluate, bit_mask: BitMask) -> list[Array]:
        return [harmonics(evaluate(self.ref) * np.uint64(self.factor), self.period, self.count, self.fraction)]


@register
@dataclass(frozen=True, eq=False)
class Powers(Correlation):
    """e^-(low bits of r) in the place of the digit of r above them, to `fraction` bits: see `curves.exponential`."""

    ref: MaskRef
    curve: Exponential
    fraction: int
    shape: tuple[int, ...]
    label = "powers"

    @property
    def slack(self) -> int:
        return float_slack(self.fraction)

    def check(self) -> None:
        checks.same("an exponential", self.ref.check(), self.shape)
        curve = self.curve
        checks.whole("the width of an exponential", curve.width, 1, 16)
        checks.whole("the step of an exponential", curve.step, 0, 64 - curve.width)
        checks.whole("the fraction bits of an exponent", curve.fraction, 0, 62)
        checks.whole("the fraction bits of an exponential", self.fraction, 0, 62)
        if type(curve.base) is not float or not 0 < curve.base < 1 << 32:
            raise FrameError(f"{curve.base!r} is no base")
        checks.size("an exponential", (1 << curve.width, *self.shape))

    def specs(self) -> list[ArraySpec]:
        return [ArraySpec("uint64", (1 << self.curve.width, *self.shape))]

    def deal(self, evaluate: Evaluate, bit_mask: BitMask) -> list[Array]:
        low, digit = split(evaluate(self.ref), self.curve)
        power = fixed(np.ldexp(np.exp(-low), self.fraction))
        digits = np.arange(1 << self.curve.width).reshape(-1, *(1 for _ in self.shape))
        return [np.where(digit == digits, power, np.uint64(0))]


def float_slack(fraction: int) -> int:
    """Machines do not agree on the last digit of exponentials and cosines: values up to 1, rounded to `fraction` bits."""
    return 1 << max(0, fraction - 50)


def split(words: Array, curve: Exponential) -> tuple[Array, Array]:
    """The low `step` bits as real exponents (times the logarithm of the base), and the digit above them."""
    low = (words & np.uint64((1 << curve.step) - 1)).astype(np.float64)
    digit = (words >> np.uint64(curve.step)) & np.uint64((1 << curve.width) - 1)
    return np.ldexp(low, -curve.fraction) * curve.rate, digit.astype(np.int64)


register(Exponential)
