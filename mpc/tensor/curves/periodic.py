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
    """sin x."""
    return truncate(_turns(x, [0.0], [1.0]))[0]


def cos(x: S) -> S:
    """cos x."""
    return truncate(_turns(x, [1.0], [0.0]))[0]


def sin_and_cos(x: S) -> tuple[S, S]:
    """Both, in the rounds of one."""
    sine, cosine = truncate(_turns(x, [0.0, 1.0], [1.0, 0.0]))
    return sine, cosine


def tan(x: S) -> S:
    """sin x / cos x."""
    return divide(*sin_and_cos(x))
