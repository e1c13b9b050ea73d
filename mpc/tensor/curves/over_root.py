"""a / sqrt(x): a is multiplied by the root of x's power of 16, and only then by an inverse root: no digits are lost."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TypeVar

from mpc.contract import MULTIPLY
from mpc.tensor.base import Secret
from mpc.tensor.curves.fitting import Series, Target, fit
from mpc.tensor.curves.normalising import Level, Weights, multiplied, normalise, turn
from mpc.tensor.curves.roots import positive

S = TypeVar("S", bound=Secret)

_STEP = 4  # bits of a bin
_SPREAD = 1.4
_ROOT_BITS, _GUARD = 18, 4


def _inverse_root(y: Decimal) -> Decimal:
    return 1 / y.sqrt()


@cache
def _series(period: float, f: int) -> Series:
    return fit(Target(lambda y: y**-0.5, _inverse_root, relative=True), 2.0**-_STEP, 1.0, period, 2.0 ** -max(f + 1, 16))


def over_root(a: S, x: S) -> S:
    """a / sqrt(x), not truncated, for a and x of one shape; x at twice a's scale, which need not be f.

    Domain: x below 2^60 in words, and |a / sqrt(x)| below 2^7; it is 0 where x is not positive. Error: a unit of f
    fraction bits, plus 2^-16 of the value, however small or large x is. 7 rounds, 128 bytes an element (12 and 123 for large
    tensors), its own truncation not included.
    """
    f, protocol = x.context.fraction_bits, x.context.protocol
    chosen = positive(x, 0, "over_root", _STEP)

    def roots(level: Level) -> list[Weights]:
        return [level.saturated([1 << shift // 2 for shift in level.shifts()])]

    normal = normalise(protocol, x.share, chosen, roots, also=[a.share], opened=True)
    factor = multiplied(protocol, [share for (share,) in normal.others])
    period, turning = turn(normal.top, _SPREAD)
    waves = _series(period, f).waves(64, f + 32, turning)
    (share,) = protocol.waves(normal.y, [waves], opening=[factor])
    scaled = protocol.bilinear(MULTIPLY, a.share, factor)  # below 2^(7 + top / 2)
    items = [(share, waves.scale - _ROOT_BITS), (scaled, normal.top // 2 - f - _GUARD)]
    inverse, short = protocol.truncate(items)
    return a.like(protocol.bilinear(MULTIPLY, inverse, short), "float", _ROOT_BITS + f + _GUARD + a.scale - x.scale // 2)
