"""sin, cos, tan: one wave of x, whose period is the whole ring after a public product with 2^(64 - scale) / (2 pi)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

from mpc.contract import Waves
from mpc.tensor.base import Secret, truncate
from mpc.tensor.curves.inverting import divide
from mpc.tensor.curves.operands import operand

S = TypeVar("S", bound=Secret)

_TURN = 6.283185307179586476925286766559


def _turns(x: S, cosines: Sequence[float], sines: Sequence[float]) -> list[S]:
    """For each pair (c, s): c cos x + s sin x, untruncated."""
    x = operand(x)
    factor = round(math.ldexp(1.0, 64 - x.scale) / _TURN)
    scale = x.context.fraction_bits + 32
    series = [Waves(64, (0.0, c), (0.0, s), scale, factor) for c, s in zip(cosines, sines, strict=True)]
    return [x.like(share, "float", scale) for share in x.context.protocol.waves(x.share, series)]


def sin(x: S) -> S:
    """sin x.

    Domain: all x below 2^(62 - 2f). Error: 1.1 units, so that a result of one unit may be 0: in 1 of 1000 runs for f up to 16,
    1 of 100 for 24. (For |x| near 2^30: 1.2e-5 more, as the period is rounded to 2^-48.)
    2 rounds, 16 bytes. Method: see the module; ACSAC 2023 (see `bounded`).
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
    and 208 bytes (15 and 178 for large tensors). Where the cosine is 0 in fixed point, the result is 0; where the sine is one
    unit, it may be 0 as `sin`.
    """
    return divide(*sin_and_cos(x))
