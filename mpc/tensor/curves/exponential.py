"""exp, exp2 and expm1: e^(m - r) is a product of something public and something dealt.

One opening of x serves the exponential, and the comparisons with the ends of its range. See `Exponential` of the contract.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cache
from typing import TypeVar

from mpc.contract import Exponential
from mpc.fixed import RAW_BITS
from mpc.tensor.base import Secret, truncate, unsupported
from mpc.tensor.curves import exact
from mpc.tensor.curves.operands import at_least, away_from_zero, operand, total, word

S = TypeVar("S", bound=Secret)

_WANTED = 15.0  # bits before the point that results have, where the range of words allows
_FARTHEST = 1 << (RAW_BITS - 1)
_BIAS = 5 / 8  # of a unit: a truncation rounds half a unit and that to one or more
_GUARD = 2  # bits that the exponential has more than its result
_LEAST, _MOST = (16, 12, 8), 20  # bits of the value that are right, as room allows


@dataclass(frozen=True)
class Range:
    """base^x for low <= x < high. A dealt digit of `width` bits stands for multiples of `span`."""

    base: float
    low: float
    high: float
    span: float
    width: int
    scale: int  # of the exponential
    precision: int

    def limit(self, f: int) -> int:
        """base^high with f fraction bits."""
        with localcontext(exact.CONTEXT):  # not in floating point, nor as the program's own context has it
            return int((Decimal(self.base) ** Decimal(self.high) * 2**f).to_integral_value())

    def curve(self, scale: int) -> Exponential:
        """For words with `scale` fraction bits."""
        step = scale + round(math.log2(self.span))
        low = math.ceil(math.ldexp(self.high, scale)) - (((1 << self.width) - 1) << step)
        return Exponential(scale, low, step, self.width, self.scale, self.base, self.precision)


@cache
def span_of(base: float, f: int, bits: int, wanted: float = _WANTED) -> Range:
    """The range that takes the fewest dealt words, from where base^x is 0.4 units in the last place.

    `bits` are the fraction bits that the result shall have after its truncation. Powers up to 2^wanted must have room.
    """
    rate = math.log2(base)
    low = math.log2(0.4 * math.ldexp(1.0, -bits)) / rate
    wanted = min(wanted, RAW_BITS - 2 * f)
    high = min(wanted + 2, RAW_BITS - 2 * f) / rate
    for least, width in ((least, width) for least in _LEAST for width in (2, 3, 4, 5)):
        for power in range(4, -8, -1):
            span = math.ldexp(1.0, power)
            scale = bits + _GUARD + math.ceil(span * rate)  # and what the precision adds to it
            end = min(high, low + ((1 << width) - 1) * span - span / 64)
            precision = min(math.floor(RAW_BITS - 0.1 - end * rate) - scale, _MOST)
            if precision >= least and end * rate >= wanted - 0.01:
                # multiples of 1/64, so that no party's rounding matters
                low, end = math.floor(64 * low) / 64, math.floor(64 * end) / 64
                return Range(base, low, end, span, width, scale + precision, precision)
    unsupported("exponential", f"the base {base} leaves no room with {f} fraction bits; use fewer")


def power_of(base: float, x: S, operation: str, minus: int = 0) -> S:
    """base^x - minus, base > 1. Powers below 0.4 units in the last place become 0, and those beyond the range its end.

    `minus` is 0 or 1. With 0, half a unit or more does not become 0; with 1, a unit next to x = 0 does not.
    """
    f, protocol = x.context.fraction_bits, x.context.protocol
    span = span_of(base, f, f)
    curve = span.curve(x.scale)
    ends = [max(-_FARTHEST, min(math.ceil(math.ldexp(v, x.scale)), _FARTHEST)) for v in (span.low, span.high)]
    protocol.domain(x.share, -2 * _FARTHEST, ends[1] - 1, operation)
    share = protocol.exponential(x.share, curve)
    if minus:
        share = protocol.add(share, away_from_zero(x, _BIAS, 1, curve.scale))
    else:
        share = protocol.add(share, word(int(_BIAS * 8) << (curve.scale - f - 3)))
    above_low, high = at_least(x, ends, opening=[share])
    (value,) = truncate([x.like(share, "float", curve.scale)])
    limit = word(span.limit(f))
    chosen = protocol.select([(protocol.xor(above_low, high), value.share), (high, limit)])
    return x.like(total(x, chosen, -minus << f), "float", f)


def exp(x: S) -> S:
    """e^x.

    Domain: x < 11.78; from there on the result stays 2^17 (130777, to be exact; less for f > 22), and below -12.02 it is 0.
    Error: 1.7 units, plus 2^-20 of the value (4 units and 2^-17 at f = 20, 22 units at f = 24); the result is not 0 where it
    rounds to a unit. 4 rounds, 24.75 bytes. Method: see the module; the exponential of an additive share: Kelkar, Le,
    Raykova and Seth, *Secure Poisson Regression*, USENIX Security 2022; with a digit in place of a wrap.
    """
    return power_of(math.e, operand(x), "exp")


def exp2(x: S) -> S:
    """2^x.

    Domain: x < 17; from there on the result stays 2^17, and below -17.33 it is 0. Error: 1.7 units, plus 2^-19 of the value.
    4 rounds, 24.75 bytes. Method: as `exp`.
    """
    return power_of(2.0, operand(x), "exp2")


def expm1(x: S) -> S:
    """e^x - 1.

    As `exp`: the error is absolute, also next to x = 0. There the result is not 0 for one unit or more, if f <= 16; the error of
    e^x = 1 is several units for f = 20 and 30 for f = 24. Method: what keeps e^x from 0 is here a wave four units long.
    """
    return power_of(math.e, operand(x), "expm1", minus=1)
