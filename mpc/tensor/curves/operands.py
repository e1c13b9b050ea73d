"""What curves are asked of: fixed-point tensors, and their words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from mpc.contract import Index, Share, Waves
from mpc.fixed import RAW_BITS
from mpc.tensor.arithmetic import as_float
from mpc.tensor.base import Array, Secret, truncate
from mpc.tensor.boolean import as_number

S = TypeVar("S", bound=Secret)


def operand(x: S) -> S:
    """x as fixed point with at most 2f fraction bits: what is open of it stays so. Local, unless it has more."""
    x = as_float(as_number(x))
    return truncate([x])[0] if x._truncated is not None or x.scale > 2 * x.context.fraction_bits else x


def at_scale(tensors: Sequence[S]) -> list[S]:
    """As fixed point with f fraction bits; what must be truncated is, all in one round."""
    return truncate([as_float(as_number(x)) for x in tensors])


def words(values: Sequence[int], shape: tuple[int, ...]) -> Array:
    """A public word for each row of (len(values), *shape)."""
    column = np.array([value % (1 << 64) for value in values], np.uint64)
    return np.broadcast_to(column.reshape(-1, *(1 for _ in shape)), (len(values), *shape))


def at_least(x: Secret, thresholds: Sequence[int], opening: Sequence[Share] = (), bits: int = RAW_BITS) -> list[Share]:
    """Bits [x >= t] for each threshold, a word at the scale of x."""
    protocol = x.context.protocol
    rows = protocol.at_least(x.share, words(thresholds, x.shape), bits, opening)
    return [protocol.view(rows, Index((k,))) for k in range(len(thresholds))]


def away_from_zero(x: Secret, size: float, units: int, scale: int) -> Share:
    """`size` units in the last place in the sign of x, where |x| is `units` of them: a bias that keeps odd functions from 0.

    It is a wave of x whose length is four times that, of `scale` fraction bits: local, where x is opened anyway.
    """
    f = x.context.fraction_bits
    factor = 1 << (62 + f - x.scale - (units - 1).bit_length())
    series = Waves(64, (0.0, 0.0), (0.0, size), scale - f, factor)
    return x.context.protocol.waves(x.share, [series])[0]


def word(value: int) -> Array:
    """A public word."""
    return np.array(value % (1 << 64), np.uint64)


def total(x: Secret, shares: Sequence[Share], addend: int = 0) -> Any:
    """The sum of shares, and a public word."""
    protocol, result = x.context.protocol, shares[0]
    for share in shares[1:]:
        result = protocol.add(result, share)
    return protocol.add(result, word(addend)) if addend else result
