"""1 / x and a / b: x is brought into [1/8, 1) by its power of 8, and one sum of waves follows 1 / y there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import numpy as np

from mpc.contract import MULTIPLY, Protocol, Share, Waves
from mpc.fixed import RAW_BITS
from mpc.plan import Planner
from mpc.tensor.base import Secret, truncate
from mpc.tensor.curves.fitting import Series, Target, fit
from mpc.tensor.curves.normalising import Level, Weights, levels, multiplied, normalise, turn
from mpc.tensor.curves.operands import at_scale, word
from mpc.tensor.curves.roots import WIDEST
from mpc.tensor.encoding import encode_like
from mpc.tensor.shapes import as_public, broadcast

Words = np.ndarray[Any, np.dtype[np.uint64]]
S = TypeVar("S", bound=Secret)

_MARGIN = 6  # 1/64 of a unit: more than what the waves are wrong by, where the result is about one unit


STEP = 3  # bits of a bin
_SPREAD = {3: 1.4, 4: 1.25}


@cache
def _series(period: float, f: int, step: int) -> Series:
    target = Target(lambda y: 1 / y, lambda y: 1 / y, relative=True)
    return fit(target, 2.0**-step, 1.0, period, 2.0 ** -max(f + 1, 16))


def inverse_waves(x: Secret, y: Share, top: int, step: int = STEP, opening: Sequence[Share] = ()) -> tuple[Share, int]:
    """2^top / y for y in [2^(top - step), 2^top), and how many fraction bits it has. 1 round, if y is not open.

    `opening` is opened in the same round.
    A step of 4 takes 21 waves in place of 12, where it saves all bins.
    """
    period, factor = turn(top, _SPREAD[step])
    waves = _series(period, x.context.fraction_bits, step).waves(64, x.context.fraction_bits + 32, factor)
    return x.context.protocol.waves(y, [waves], opening)[0], waves.scale


def _bits(f: int) -> int:
    """Of the largest word that can be inverted."""
    return min(RAW_BITS - f, WIDEST)


def _checked(x: Secret, operation: str) -> None:
    limit = 1 << _bits(x.context.fraction_bits)
    x.context.protocol.domain(x.share, 1 - limit, limit - 1, operation)


def reciprocal(x: S) -> S:
    """1 / x.

    Domain: x not 0, up to 2^(62 - 2f) in magnitude; of 0 it is 0, and of what is larger. Error: 1.2 units, plus 2^-17 of the
    value; the result is not 0 where it rounds to a unit. 8 rounds, 154 bytes (13 and 115 for large tensors). Method: see the
    module and `normalising`; 12 waves.
    """
    (x,) = at_scale([x])
    f, protocol = x.context.fraction_bits, x.context.protocol
    _checked(x, "reciprocal")
    chosen = _levels_of_reciprocal(protocol.planner, f, x.size)
    normal = normalise(protocol, x.share, chosen, _units)
    factor = multiplied(protocol, normal.factors)
    bits = min(28, RAW_BITS - 1 - normal.top)
    share, fraction = inverse_waves(x, normal.y, normal.top, opening=[factor])
    (inverse,) = protocol.truncate([(share, fraction - bits)])
    product = protocol.bilinear(MULTIPLY, inverse, factor)
    scale = bits + normal.top - 2 * f  # of a unit in the last place
    *rest, nonzero = normal.others[0]
    protocol.domain(nonzero, 1, 1, "reciprocal")
    for units in rest:
        shifted = protocol.bilinear(MULTIPLY, units, word(1 << (scale - _MARGIN)))
        product = protocol.add(product, shifted)
    return truncate([x.like(product, "float", f + scale)])[0]


def _levels_of_reciprocal(planner: Planner, f: int, size: int) -> list[Level]:
    """Bins for where 1 / x is a unit in the last place or more; beyond them, up to where it rounds to one.

    With more fraction bits: bins for the whole domain.
    """
    if 3 * f < RAW_BITS:
        return levels(planner, 0, 2 * f, RAW_BITS, size, STEP, (1 << 2 * f, (1 << (2 * f + 1)) + 1), signed=True)
    return levels(planner, 0, RAW_BITS - f, RAW_BITS, size, STEP, (1 << (RAW_BITS - f),), signed=True)


def _units(level: Level) -> list[Weights]:
    """What is added to 1 / x in 64ths of a unit: 1, so that no result of about a unit becomes 0, and 64 beyond the bins."""
    units = [level.weights([1] * level.count, (1 << _MARGIN, 0))] if len(level.beyond) > 1 else []
    return [*units, level.nonzero()] if level.signed else []


# ---------------------------------------------------------------------------------------- quotients

_LARGEST = 20  # bits of the largest quotient
_WAVE = 2.2  # units: longer than twice what counts, and short enough to be large at an eighth of a unit
_THREE = (48, 54)  # bits for which `levels` takes three coarse bins, and what those reach


def _guard(f: int) -> int:
    """Bits that a normalised dividend has more than the quotient: so that it is wrong by 1/12 of a unit, where there is room."""
    return 7 if f <= 16 else 5


def divide(a: Any, b: S) -> S:
    """a / b for a secret b, and a secret or public a.

    Domain: b not 0, below 2^(62 - 2f) and 2^(60 - f) in magnitude, and |a / b| below 2^20 (2^17 if f < 8; 2^(62 - 2f) if that is
    less). It is 0 of b = 0. Error: 1.3 units (1.5 for odd f), plus 2^-17 of the quotient (2^-15 for f from 8 to 11, 2^-11 below;
    for f > 20, 4 units), however large or small b is: a is multiplied by the power of 8 of b, and only then by an inverse. For f
    <= 16 a quotient of one unit or more is not 0 (of just one unit, for f = 20, in 5 of 1000 runs), and 0 / b is 0. 8 rounds, 184
    bytes (13 and 154 for large tensors); 8 bytes less for a public a.
    """
    broadcast("divide", np.shape(a), b.shape)
    operands: list[Any] = at_scale([b, a] if isinstance(a, Secret) else [b])
    b, secret = operands[0], operands[1:]
    dividend = secret[0].share if secret else encode_like(b, as_public(a, "divide"), "divide")
    f, protocol = b.context.fraction_bits, b.context.protocol
    _checked(b, "divide")
    chosen = _levels_of_quotient(protocol.planner, f, b.size)
    top = chosen[-1].top
    guard = _guard(f)
    low = min(max(top - f - guard, 0) // 2, chosen[0].step if len(chosen) > 1 else top)
    also = [x.share for x in secret]
    normal = normalise(protocol, b.share, chosen, lambda level: _parts(level, low), also, opened=True)
    *parts, nonzero = normal.others[0]
    protocol.domain(nonzero, 1, 1, "divide")
    factors = [multiplied(protocol, [part, *normal.factors[1:]]) for part in parts]
    share, fraction = inverse_waves(b, normal.y, top, opening=factors)
    scaled = _dividend(protocol, dividend, factors, low)
    drop, bits = max(top - low - f - guard, 0), min(fraction - 1, RAW_BITS - f - guard - min(_LARGEST, RAW_BITS - 2 * f))
    inverse, short = protocol.truncate([(share, fraction - bits), (scaled, drop)])
    product = protocol.bilinear(MULTIPLY, inverse, short)
    product = protocol.add(product, _away_from_zero(protocol, scaled, top - low - f, bits + top - low - drop - f))
    return truncate([b.like(product, "float", bits + top - low - drop)])[0]


def _away_from_zero(protocol: Protocol, scaled: Share, bits: int, unit: int) -> Share:
    """1/4 or 1/2 of a unit with the sign of the quotient, where that is about one: so what it is wrong by does not make it 0.

    It is a wave of the dividend, which is open; where the quotient is one unit, 2^unit, that is between 2^(bits - 3) and 2^bits.
    The amplitude is a power of 4: then public and dealt factors have as many bits, and it is exactly 0 of 0.
    """
    waves = Waves(64, (0.0, 0.0), (0.0, 1.0), (unit - 1) // 2 * 2, round(math.ldexp(1 / _WAVE, 64 - bits)))
    return protocol.waves(scaled, [waves])[0]


def _levels_of_quotient(planner: Planner, f: int, size: int) -> list[Level]:
    """Bins for all divisors: three coarse ones where they do, so that more of their bits can be left out of the dividend."""
    bits = _bits(f)
    chosen = levels(planner, 0, bits, bits, size, STEP, signed=True)
    return (
        levels(planner, 0, _THREE[0], bits, size, STEP, signed=True)
        if len(chosen) > 1 and _THREE[0] < bits <= _THREE[1]
        else chosen
    )


def _parts(level: Level, low: int) -> list[Weights]:
    """The factor of the bin without its low bits, where it has more, and as it is, where it has not."""
    if not level.signed:
        return []
    shifts = level.shifts()
    parts = [
        level.weights([1 << (s - low) if s >= low else 0 for s in shifts]),
        level.weights([1 << s if s < low else 0 for s in shifts]),
    ]
    return [*(parts if low else parts[:1]), level.nonzero()]


def _dividend(protocol: Protocol, a: Share | Words, factors: Sequence[Share], low: int) -> Share:
    """a times the factor, divided by 2^low: where the factor is less than that, a is."""
    scaled = protocol.bilinear(MULTIPLY, factors[0], a)
    if len(factors) == 1:
        return scaled
    if isinstance(a, np.ndarray):
        shifted = np.right_shift(a.view(np.int64), np.int64(low)).view(np.uint64)
    else:
        (shifted,) = protocol.truncate([(a, low)])
    return protocol.add(scaled, protocol.bilinear(MULTIPLY, factors[1], shifted))
