"""1 / x and a / b: x is brought into [1/4, 1) by its power of 4, and one sum of waves follows 1 / y there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import numpy as np

from mpc.contract import MULTIPLY, Protocol, Share
from mpc.fixed import RAW_BITS
from mpc.tensor.base import Secret, truncate
from mpc.tensor.curves.fitting import Series, fit
from mpc.tensor.curves.normalising import Level, Normal, Weights, levels, multiplied, normalise
from mpc.tensor.curves.operands import at_scale
from mpc.tensor.encoding import encode_like
from mpc.tensor.shapes import as_public, broadcast

S = TypeVar("S", bound=Secret)

_MARGIN = 6  # 1/64 of a unit: more than what the waves are wrong by, where the result is about one unit


@cache
def _waves(f: int) -> Series:
    return fit(lambda y: 1 / y, 0.25, 1.0, 2.0, 2.0 ** -max(f + 1, 16), lambda y: y)


def inverse_waves(x: Secret, y: Share, top: int, bits: int) -> Share:
    """2^top / y with `bits` fraction bits for y in [2^(top - 2), 2^top): a truncated share. 1 round, if y is open."""
    protocol = x.context.protocol
    waves = _waves(x.context.fraction_bits).waves(top + 1, x.context.fraction_bits + 32)
    (share,) = protocol.waves(y, [waves])
    return protocol.truncate([(share, waves.scale - bits)])[0]


def _checked(x: Secret, operation: str) -> None:
    limit = 1 << (RAW_BITS - x.context.fraction_bits)
    x.context.protocol.domain(x.share, 1 - limit, limit - 1, operation)


def reciprocal(x: S) -> S:
    """1 / x."""
    (x,) = at_scale([x])
    f, protocol = x.context.fraction_bits, x.context.protocol
    _checked(x, "reciprocal")
    chosen = _levels_of_reciprocal(f, x.size)
    normal = normalise(protocol, x.share, chosen, _units)
    factor = multiplied(protocol, normal.factors)
    protocol.open([normal.y, factor])
    bits = min(28, RAW_BITS - 1 - normal.top)
    product = protocol.bilinear(MULTIPLY, inverse_waves(x, normal.y, normal.top, bits), factor)
    scale = bits + normal.top - 2 * f  # of a unit in the last place
    *rest, nonzero = normal.others[0]
    protocol.domain(nonzero, 1, 1, "reciprocal")
    for units in rest:
        shifted = protocol.bilinear(MULTIPLY, units, np.asarray(np.uint64(1 << (scale - _MARGIN))))
        product = protocol.add(product, shifted)
    return truncate([x.like(product, "float", f + scale)])[0]


def _levels_of_reciprocal(f: int, size: int) -> list[Level]:
    """Bins for where 1 / x is a unit in the last place or more; beyond them, up to where it rounds to one."""
    if 3 * f < RAW_BITS:
        return levels(0, 2 * f, RAW_BITS - f, size, (1 << 2 * f, (1 << (2 * f + 1)) + 1), signed=True)
    return levels(0, RAW_BITS - f, RAW_BITS - f, size, signed=True)


def _units(level: Level) -> list[Weights]:
    """What is added to 1 / x in 64ths of a unit: 1, so that no result of about a unit becomes 0, and 64 beyond the bins."""
    units = [level.weights([1] * level.count, (1 << _MARGIN, 0))] if level.beyond else []
    return [*units, level.nonzero()] if level.signed else []


# ---------------------------------------------------------------------------------------- quotients

_LARGEST = 20  # bits of the largest quotient
_GUARD = 5  # bits that a normalised dividend has more than the quotient


def divide(a: Any, b: S) -> S:
    """a / b for a secret b, and a secret or public a."""
    broadcast("divide", np.shape(a), b.shape)
    dividend, b = at_scale([a, b]) if isinstance(a, Secret) else (_public(a, b), *at_scale([b]))
    f, protocol = b.context.fraction_bits, b.context.protocol
    _checked(b, "divide")
    chosen = levels(0, RAW_BITS - f, RAW_BITS - f, b.size, signed=True)
    top = chosen[-1].top
    low = min(max(top - f - _GUARD, 0) // 2, chosen[0].step if len(chosen) > 1 else top)
    also = [dividend.share] if isinstance(a, Secret) else []
    normal = normalise(protocol, b.share, chosen, lambda level: _parts(level, low), also, opened=True)
    *parts, nonzero = normal.others[0]
    protocol.domain(nonzero, 1, 1, "divide")
    factors = [multiplied(protocol, [part, *normal.factors[1:]]) for part in parts]
    protocol.open([normal.y, *factors])
    scaled = _dividend(protocol, dividend.share, factors, low)
    waves = _waves(f).waves(top + 1, f + 32)
    (share,) = protocol.waves(normal.y, [waves])
    drop, bits = max(top - low - f - _GUARD, 0), RAW_BITS - f - _GUARD - min(_LARGEST, RAW_BITS - 2 * f)
    inverse, scaled = protocol.truncate([(share, waves.scale - bits), (scaled, drop)])
    product = protocol.bilinear(MULTIPLY, inverse, scaled)
    return truncate([b.like(product, "float", bits + top - low - drop)])[0]


def _public(a: Any, b: S) -> S:
    """A public dividend as a trivial share."""
    public, f = as_public(a, "divide"), b.context.fraction_bits
    return b.constant(encode_like(b.like(b.share, "float", f), public, "divide"), "float", f)


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


def _dividend(protocol: Protocol, a: Share, factors: Sequence[Share], low: int) -> Share:
    """a times the factor, divided by 2^low: where the factor is less than that, a is."""
    scaled = protocol.bilinear(MULTIPLY, a, factors[0])
    if len(factors) == 1:
        return scaled
    (shifted,) = protocol.truncate([(a, low)])
    return protocol.add(scaled, protocol.bilinear(MULTIPLY, shifted, factors[1]))
