"""sin, cos, tan: one wave of x, whose period is the whole ring after a public product with 2^(64 - scale) / (2 pi); and sinc."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import TypeVar

import numpy as np

from mpc.contract import Waves
from mpc.tensor.arithmetic import add, as_float
from mpc.tensor.base import Secret, truncate
from mpc.tensor.boolean import as_number
from mpc.tensor.curves import exact
from mpc.tensor.curves.fitting import Series, Target, fit
from mpc.tensor.curves.inverting import divide
from mpc.tensor.curves.operands import at_least, at_scale, away_from_zero, operand
from mpc.tensor.multiplication import multiply
from mpc.tensor.selection import where

S = TypeVar("S", bound=Secret)

_TURN = 6.283185307179586476925286766559


def _turns(x: S, cosines: Sequence[float], sines: Sequence[float]) -> list[S]:
    """For each pair (c, s): c cos x + s sin x, untruncated."""
    x = operand(x)
    factor = round(math.ldexp(1.0, 64 - x.scale) / _TURN)
    f, protocol = x.context.fraction_bits, x.context.protocol
    scale = f + 32
    series = [Waves(64, (0.0, c), (0.0, s), scale, factor) for c, s in zip(cosines, sines, strict=True)]
    shares = protocol.waves(x.share, series)
    away = away_from_zero(x, min(math.ldexp(1.0, f // 2 - 14), 0.5), 1, scale) if any(sines) else None
    return [x.like(protocol.add(w, away) if s else w, "float", scale) for w, s in zip(shares, sines, strict=True)]


def sin(x: S) -> S:
    """sin x.

    Domain: all x below 2^(62 - 2f). Error: 1.1 units, 1.4 for f = 24; that of one unit is not 0 for f <= 24. (For |x| near 2^30:
    1.2e-5 more, as the period is rounded to 2^-48.) 2 rounds, 16 bytes. Method: see the module; ACSAC 2023 (see `bounded`).
    """
    return truncate(_turns(x, [0.0], [1.0]))[0]


def cos(x: S) -> S:
    """cos x. As `sin`."""
    return truncate(_turns(x, [1.0], [0.0]))[0]


def sin_and_cos(x: S) -> tuple[S, S]:
    """Both, in the rounds of one: 2 rounds, 24 bytes."""
    sine, cosine = truncate(_turns(x, [0.0, 1.0], [1.0, 0.0]))
    return sine, cosine


def tan(x: S) -> S:
    """sin x / cos x.

    Error: that of the quotient of two numbers with an error of 1.1 units each, about 2 units times 1 + tan(x)^2. 10 rounds
    and 208 bytes (15 and 178 for large tensors). Where the cosine is 0 in fixed point, the result is 0.
    """
    return divide(*sin_and_cos(x))


# ---------------------------------------------------------------------------------------- sinc

_TIMES = 4  # sine and angle are multiplied by this before the quotient, so that the sine is as precise as that


@cache
def _next_to_0(f: int) -> Series:
    """sinc where |x| < 1/2."""

    def exactly(x: Decimal) -> Decimal:
        return exact.turned(exact.PI * x)[1] / (exact.PI * x) if x else Decimal(1)

    return fit(Target(np.sinc, exactly), -0.5, 0.5, 2.0, math.ldexp(1.0, -f - 3))


def sinc(x: S) -> S:
    """np.sinc: sin(pi x) / (pi x), and 1 at 0.

    Domain: |x| below 2^(60 - 2f). Error: 1.6 units (7 for f = 24). 13 rounds, 225 bytes (18 and 194 for large tensors).
    Method: 5 waves where |x| < 1/2, else the quotient.
    """
    (x,) = at_scale([x])
    f, protocol = x.context.fraction_bits, x.context.protocol
    near = _next_to_0(f).waves(64, f + 32, 1 << (63 - f))  # 2 is the whole ring, for both
    sines = (0.0, _TIMES / math.pi, *(0.0,) * (len(near.sines) - 2))
    far = replace(near, cosines=(0.0,) * len(near.cosines), sines=sines)
    shares = protocol.waves(x.share, [near, far])
    above_low, high = at_least(x, [-(1 << (f - 1)), 1 << (f - 1)], opening=shares)
    inside = x.like(protocol.xor(above_low, high), "bool", 0)
    close, sine = truncate([x.like(share, "float", near.scale) for share in shares])
    # where x is inside, what the sine is divided by must not be 0
    quotient = divide(sine, multiply(add(x, as_float(as_number(inside))), _TIMES))
    return where(inside, close, quotient)  # type: ignore[no-any-return]
