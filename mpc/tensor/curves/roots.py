"""sqrt, rsqrt and cbrt: x is brought into [1/16, 1) by its power of 16, where one sum of waves follows the function.

For cbrt into [1/8, 1), by its power of 8.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from typing import TypeVar

import numpy as np

from mpc.contract import MULTIPLY
from mpc.fixed import RAW_BITS
from mpc.tensor.base import Secret, truncate
from mpc.tensor.curves.fitting import Series, Target, fit
from mpc.tensor.curves.normalising import Level, Weights, levels, multiplied, normalise, turn
from mpc.tensor.curves.operands import at_scale, word

S = TypeVar("S", bound=Secret)

WIDEST = 60  # bits of the largest word that can be normalised


_STEP = 4  # bits of a bin
_SPREAD = {0.5: 1.6, -0.5: 1.4}


@cache
def _waves(exponent: float, odd: int, period: float, f: int) -> Series:
    """y^exponent, times the root of 2 if odd: to half a unit of f bits, relatively."""

    def exact(y: Decimal) -> Decimal:
        root = ((1 + odd) * y).sqrt()
        return root if exponent > 0 else root / y

    target = Target(lambda y: math.sqrt(1 + odd) * y**exponent, exact, relative=True)
    return fit(target, 2.0**-_STEP, 1.0, period, 2.0 ** -max(f + 1, 16))


def positive(x: Secret, low: int, operation: str, step: int) -> list[Level]:
    """The bins of words from 1 on, as many as x may have; the domain is from `low` on, and beyond it x counts as its end."""
    f = x.context.fraction_bits
    bits = min(RAW_BITS - f if x.scale == f else RAW_BITS, WIDEST)
    x.context.protocol.domain(x.share, low, (1 << bits) - 1, operation)
    return levels(x.context.protocol.planner, 0, bits, RAW_BITS, x.size, step, (1 << bits,))


def sqrt(x: S) -> S:
    """The square root.

    Domain: x >= 0, up to 2^(62 - 2f); 0 for what is negative, and 2^(31 - f) for what is larger. Error: 1.2 units, plus 2^-17
    of the value. 8 rounds, 105 bytes (13 and 111 for large tensors). Method: see the module and `normalising`; 10 waves.
    """
    return wide_sqrt(at_scale([x])[0])


def wide_sqrt(x: S, operation: str = "sqrt") -> S:
    """The square root of x at any scale: of a sum of squares, with all of its digits."""
    # x = y 4^-k, so that its root is that of y times 2^-k, here 2^(greatest k - k) 2^-(greatest k)
    shift, odd = divmod(2 * x.context.fraction_bits - x.scale, 2)
    chosen = positive(x, 0, operation, _STEP)
    return _scaled(x, chosen, 0.5, odd, lambda level, bin_shift: (level.shifts()[0] - bin_shift) // 2, shift + _STEP // 2)


def rsqrt(x: S) -> S:
    """1 / sqrt(x).

    Domain: x > 0, up to 2^(62 - 2f); 0 for what is not positive (0 or one unit for f < 16), and 2^(f - 31) for what is larger.
    Error: 1.2 units, plus 2^-17 of the value. 8 rounds, 105 bytes (13 and 111 for large tensors). Method: see the module and
    `normalising`; 15 waves.
    """
    return wide_rsqrt(at_scale([x])[0])


def wide_rsqrt(x: S) -> S:
    """1 / sqrt(x) of x at any scale: of a variance, with all of its digits."""
    chosen = positive(x, 1, "rsqrt", _STEP)
    shift, odd = divmod(2 * x.context.fraction_bits + x.scale - chosen[-1].top, 2)
    return _scaled(x, chosen, -0.5, odd, lambda level, bin_shift: bin_shift // 2, shift)


def _scaled(x: S, chosen: Sequence[Level], exponent: float, odd: int, power: Callable[[Level, int], int], shift: int) -> S:
    """2^(shift + odd / 2) y^exponent in units in the last place, times 2^power(level, shift of the bin) of each level."""
    f, protocol = x.context.fraction_bits, x.context.protocol
    normal = normalise(
        protocol, x.share, chosen, lambda level: [level.saturated([1 << power(level, s) for s in level.shifts()])], opened=True
    )
    factor = multiplied(protocol, [share for (share,) in normal.others])
    period, turning = turn(normal.top, _SPREAD[exponent])
    waves = _waves(exponent, odd, period, f).waves(64, f + 32, turning)
    (share,) = protocol.waves(normal.y, [waves], opening=[factor])
    bits = min(max(f, shift) + 14, RAW_BITS - 3 - normal.top // 2)
    (root,) = protocol.truncate([(share, waves.scale - bits)])
    product = protocol.bilinear(MULTIPLY, root, factor)
    if exponent < 0 and f < 16:  # half a unit or more does not become 0
        product = protocol.add(product, word(5 << (bits - shift - 3)))
    return truncate([x.like(product, "float", f + bits - shift)])[0]


# ---------------------------------------------------------------------------------------- cube roots

_STEP_OF_CUBES = 3  # bits of a bin
_SPREAD_OF_CUBES = 1.5


@cache
def _cube_root(remainder: int, period: float, f: int) -> Series:
    """The cube root of 2^remainder y: to half a unit of f bits, relatively."""
    target = Target(lambda y: np.cbrt(y * 2.0**remainder), lambda y: (y * 2**remainder) ** (Decimal(1) / 3), relative=True)
    return fit(target, 2.0**-_STEP_OF_CUBES, 1.0, period, 2.0 ** -max(f + 1, 16))


def cbrt(x: S) -> S:
    """The cube root, with the sign of x.

    Domain: |x| up to 2^(62 - 2f); of what is larger it is arbitrary. Error: 1.2 units, plus 2^-17 of the value (2^-16 for f <
    16). 8 rounds, 188 bytes (13 and 129 for large tensors). Method: see the module and `normalising`; 8 waves.
    """
    (x,) = at_scale([x])
    f, protocol = x.context.fraction_bits, x.context.protocol
    highest = min(RAW_BITS - f, WIDEST)
    protocol.domain(x.share, 1 - (1 << highest), (1 << highest) - 1, "cbrt")
    chosen = levels(protocol.planner, 0, highest, RAW_BITS, x.size, _STEP_OF_CUBES, signed=True)

    def thirds(level: Level) -> list[Weights]:
        return [level.weights([1 << (level.shifts()[0] - shift) // 3 for shift in level.shifts()])]

    normal = normalise(protocol, x.share, chosen, thirds, opened=True)
    factor = multiplied(protocol, [share for (share,) in normal.others])
    period, turning = turn(normal.top, _SPREAD_OF_CUBES)
    # x = y 2^(top - f - shifts), and the largest shifts are top - 3
    waves = _cube_root(-f % 3, period, f).waves(64, f + 32, turning)
    (share,) = protocol.waves(normal.y, [waves], opening=[factor])
    bits = min(f + 14, RAW_BITS - 3 - normal.top // 3)
    (root,) = protocol.truncate([(share, waves.scale - bits)])
    product = protocol.bilinear(MULTIPLY, root, factor)
    return truncate([x.like(product, "float", bits - 1 + -(-f // 3))])[0]
