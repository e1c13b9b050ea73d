"""sqrt and rsqrt: x is brought into [1/4, 1) by its power of 4, where one sum of waves follows the function."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeVar

import numpy as np

from mpc.contract import MULTIPLY
from mpc.fixed import RAW_BITS
from mpc.tensor.base import Secret, truncate
from mpc.tensor.curves.fitting import Series, fit
from mpc.tensor.curves.normalising import Level, levels, multiplied, normalise
from mpc.tensor.curves.operands import at_scale

S = TypeVar("S", bound=Secret)

WIDEST = 60  # bits of the largest word that can be normalised


@cache
def _waves(exponent: float, odd: int, f: int) -> Series:
    """y^exponent, times the root of 2 if odd: to half a unit of f bits, relatively."""
    scale, error = math.sqrt(1 + odd), 2.0 ** -max(f + 1, 16)
    return fit(lambda y: scale * y**exponent, 0.25, 1.0, 2.0, error, lambda y: y**-exponent / scale)


def positive(x: Secret, low: int, operation: str) -> list[Level]:
    """The bins of words from 1 on, as many as x may have; the domain is from `low` on."""
    bits = min(RAW_BITS - max(x.scale - x.context.fraction_bits, x.context.fraction_bits), WIDEST)
    if x.scale > x.context.fraction_bits:
        bits = WIDEST
    x.context.protocol.domain(x.share, low, (1 << bits) - 1, operation)
    return levels(0, bits, bits, x.size)


def sqrt(x: S) -> S:
    """The square root of x >= 0."""
    return wide_sqrt(at_scale([x])[0])


def wide_sqrt(x: S, operation: str = "sqrt") -> S:
    """The square root of x at any scale: of a sum of squares, with all of its digits."""
    # x = y 4^-k, so that its root is that of y times 2^-k, here 2^(greatest k - k) / 2^(greatest k)
    shift, odd = divmod(2 * x.context.fraction_bits - x.scale, 2)
    chosen = positive(x, 0, operation)
    return _scaled(x, chosen, 0.5, odd, lambda level, bin_shift: (level.shifts()[0] - bin_shift) // 2, shift + 1)


def rsqrt(x: S) -> S:
    """1 / sqrt(x) for x > 0."""
    (x,) = at_scale([x])
    chosen = positive(x, 1, "rsqrt")
    shift, odd = divmod(3 * x.context.fraction_bits - chosen[-1].top, 2)
    return _scaled(x, chosen, -0.5, odd, lambda level, bin_shift: bin_shift // 2, shift)


def _scaled(x: S, chosen: Sequence[Level], exponent: float, odd: int, power: Callable[[Level, int], int], shift: int) -> S:
    """2^(shift + odd / 2) y^exponent in units in the last place, times 2^power(level, shift of the bin) of each level."""
    f, protocol = x.context.fraction_bits, x.context.protocol
    normal = normalise(
        protocol, x.share, chosen, lambda level: [level.weights([1 << power(level, s) for s in level.shifts()])], opened=True
    )
    factor = multiplied(protocol, [share for (share,) in normal.others])
    protocol.open([normal.y, factor])
    waves = _waves(exponent, odd, f).waves(normal.top + 1, f + 32)
    (share,) = protocol.waves(normal.y, [waves])
    bits = min(max(f, shift) + 14, RAW_BITS - 3 - normal.top // 2)
    (root,) = protocol.truncate([(share, waves.scale - bits)])
    product = protocol.bilinear(MULTIPLY, root, factor)
    if exponent < 0 and f < 16:  # half a unit or more does not become 0
        product = protocol.add(product, np.asarray(np.uint64(5 << (bits - shift - 3))))
    return truncate([x.like(product, "float", f + bits - shift)])[0]
