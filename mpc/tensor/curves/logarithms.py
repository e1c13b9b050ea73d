"""Logarithms: x is brought into [1/16, 1) by its power of 16; a sum of waves gives the rest, and the power is added."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from typing import TypeVar

import numpy as np

from mpc.contract import MULTIPLY
from mpc.tensor.arithmetic import add, subtract
from mpc.tensor.base import Secret, truncate
from mpc.tensor.curves import exact
from mpc.tensor.curves.fitting import Series, Target, fit
from mpc.tensor.curves.normalising import Level, Weights, normalise, turn
from mpc.tensor.curves.operands import at_scale, away_from_zero, word
from mpc.tensor.curves.roots import positive

S = TypeVar("S", bound=Secret)


STEP = 4  # bits of a bin
_SPREAD = 1.4
_AWAY = 1 / 8  # of a unit; more than what the waves are wrong by next to 1


@cache
def _waves(base: float, period: float, bits: int) -> Series:
    target = Target(lambda y: np.log(y) / math.log(base), lambda y: y.ln() / Decimal(base).ln())
    return fit(target, 2.0**-STEP, 1.0, period, math.ldexp(1.0, -bits))


def _below(level: Level, less: int) -> list[Weights]:
    """By how much the shift of the bin is less than the largest, which counts where x is in no bin; less that many bits."""
    rows, constant = level.saturated([level.shifts()[0] - shift + (less if level.positive else 0) for shift in level.shifts()])
    return [(rows, constant - (less if level.positive else 0))]


def logarithm(base: float, x: S, chosen: Sequence[Level], scale: int = 0, more: int = 0, less: int = 0) -> S:
    """The logarithm of a float tensor x, untruncated; where x is not positive, that of the least number divided by 2^less.

    It has `scale` fraction bits, by default f + 32, if there is room; it is right to about f + 2 + `more` bits.
    """
    f, protocol = x.context.fraction_bits, x.context.protocol
    normal = normalise(protocol, x.share, chosen, lambda level: _below(level, less), least=chosen[0].positive)
    period, factor = turn(normal.top, _SPREAD)
    waves = _waves(base, period, max(f + 2, 16) + more).waves(64, scale or f + 32, factor)
    (result,) = protocol.waves(normal.y, [waves])
    with localcontext(exact.CONTEXT):  # not in floating point: it must be the same at all parties
        two = Fraction(Decimal(2).ln() / Decimal(base).ln())
    for (shift,) in normal.others:
        result = protocol.add(result, protocol.bilinear(MULTIPLY, shift, word(round(two * 2**waves.scale))))
    least = chosen[0].low + STEP  # with the largest shifts, y = x 2^(top - least)
    result = protocol.add(result, word(round((least - x.scale) * two * 2**waves.scale)))
    return x.like(result, "float", waves.scale)


def log_of(base: float, x: S, operation: str) -> S:
    """The logarithm of x > 0, untruncated."""
    (x,) = at_scale([x])
    return logarithm(base, x, positive(x, 1, operation, STEP))


def log(x: S) -> S:
    """The natural logarithm.

    Domain: x > 0, up to 2^(62 - 2f). Of what is not positive it is that of the least number, log 2^-f; of what is larger, that
    of 2^(62 - 2f). Error: 1.2 units.
    7 rounds, 89 bytes (12 and 79 for large tensors). Method: see the module and `normalising`; 15 waves.
    """
    return truncate([log_of(math.e, x, "log")])[0]


def log2(x: S) -> S:
    """The logarithm to base 2. As `log`."""
    return truncate([log_of(2.0, x, "log2")])[0]


def log10(x: S) -> S:
    """The logarithm to base 10. As `log`."""
    return truncate([log_of(10.0, x, "log10")])[0]


def log1p(x: S) -> S:
    """log(1 + x) for x > -1. As `log`: the error is absolute, 1.3 units, also next to x = 0.

    There the result of one unit is not 0 for f <= 16 (it is in 4 of 1000 runs for 20, 11 of 100 for 24).
    """
    (x,) = at_scale([x])
    y = add(x, 1.0)
    result, protocol = log_of(math.e, y, "log1p"), x.context.protocol
    away = away_from_zero(subtract(y, 1.0), _AWAY, 1, result.scale)  # local: y is open
    return truncate([result.like(protocol.add(result.share, away))])[0]
