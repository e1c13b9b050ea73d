"""Functions of a secret that a protocol evaluates from one opening: sums of waves, and exponentials.

What they have in common is an addition theorem: f(m - r) is a short sum of products of something public (of m) with
something that whoever deals knows (of r).
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Waves:
    """sum over k of c_k cos(k w y) + s_k sin(k w y), with w = 2 pi / 2^period, of y = factor * z modulo 2^64, for a word z.

    The result has `scale` fraction bits. The sum of all |c_k| and |s_k| must stay below 2^(62 - scale). Both tuples have the
    same length; the first cosine is the constant, and the first sine counts for nothing.
    Its error may be 2^-(scale // 2) times 1 + the sum of 1 + |c_k| + |s_k| over the waves, k > 0.
    """

    period: int  # in bits, 1 to 64
    cosines: tuple[float, ...]
    sines: tuple[float, ...]
    scale: int
    factor: int = 1


@dataclass(frozen=True)
class Exponential:
    """base^(z / 2^fraction) of a signed word z with low <= z < low + (2^width - 1) * 2^step.

    The result has `scale` fraction bits and is below 2^(62 - scale) on that range. Outside of the range it is any word.
    Its error may be 2^-precision of the value, and 2^-(scale - precision) times base^(2^step / 2^fraction).
    """

    fraction: int
    low: int
    step: int  # in bits
    width: int  # in bits, at least 1
    scale: int
    base: float = math.e
    precision: int = 12  # in bits

    @property
    def rate(self) -> float:
        """The natural logarithm of the base."""
        return math.log(self.base)
