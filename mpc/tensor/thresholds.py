"""Public numbers that a secret is compared with: as words of its scale, so that the comparison is exact."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from mpc.contract import BroadcastTo
from mpc.fixed import RAW_BITS, RAW_BOUND
from mpc.tensor.base import Array, Secret, Shape, truncate
from mpc.tensor.shapes import as_public, broadcast

S = TypeVar("S", bound=Secret)


@dataclass(frozen=True)
class Thresholds:
    """Words t with [x >= t] for every x in range, where neither `above` nor `below` says that t is out of all range."""

    words: Array
    above: Array  # no x reaches it; NaN is here
    below: Array  # every x reaches it


def comparand(value: Any, operation: str) -> Array:
    """A public operand of a comparison: as `as_public`, but integers may be of any size."""
    if isinstance(value, int) and value.bit_length() > 63:
        value = math.copysign(math.inf, value)
    return as_public(value, operation)


def thresholds(values: Array, scale: int, strict: bool) -> Thresholds:
    """For x >= value, or x > value if strict: the least word at or above, or above, the value."""
    if values.dtype.kind != "f":
        return _integers(values.astype(np.uint64 if values.dtype.kind == "u" else np.int64), scale, strict)
    with np.errstate(over="ignore"):  # what overflows is beyond all range
        exact = np.ldexp(values.astype(np.result_type(values, np.float64)), scale)
    below = exact <= -RAW_BOUND
    above = ~(exact < RAW_BOUND)
    inside = np.where(below | above, 0, exact)
    words = (np.floor(inside) if strict else np.ceil(inside)).astype(np.int64) + np.int64(strict)
    return Thresholds(np.asarray(words).view(np.uint64), above, below)


def _integers(values: Array, scale: int, strict: bool) -> Thresholds:
    bound = 1 << (RAW_BITS - scale)
    above, below = values >= bound, values <= -bound
    inside = np.where(above | below, 0, values).astype(np.int64)
    words = np.left_shift(inside, np.int64(scale)) + np.int64(strict)
    return Thresholds(np.asarray(words).view(np.uint64), np.asarray(above), np.asarray(below))


def equals(values: Array, scale: int) -> tuple[Array, Array]:
    """(words, where a word is the value exactly)."""
    up, down = thresholds(values, scale, False), thresholds(values, scale, True)
    return up.words, (up.words + np.uint64(1) == down.words) & ~up.above & ~up.below


def comparable(x: S) -> S:
    """The value that is compared, with all its digits; truncated only if it has more than 2f fraction bits.

    So the result does not depend on whether something has asked for the truncation before; and where it has, x is open.
    """
    return truncate([x])[0] if x.scale > 2 * x.context.fraction_bits else x


def spread(x: S, shape: Shape) -> S:
    """x in a larger shape; opened before it is, so that its elements are opened once."""
    if x.shape == shape:
        return x
    if x.kind != "bool" and math.prod(shape) > x.size:
        x.context.protocol.open([x.share])
    return x.like(x.context.protocol.view(x.share, BroadcastTo(shape)))


def at_least(x: S, publics: Sequence[Any], strict: Sequence[bool], operation: str = "greater_equal") -> S:
    """Booleans [x >= t], or [x > t] where strict, for each public t: of shape (k, *the common shape). x is a number.

    Exact, for every float64 t. Cost: 3 rounds, 8 bytes an element to open x (2 rounds and none, if it is open), and 17/4
    for each t.
    """
    x = comparable(x)
    arrays = [comparand(t, operation) for t in publics]
    shape = broadcast(operation, x.shape, *(t.shape for t in arrays))
    own = broadcast(operation, *(t.shape for t in arrays))
    parts = [thresholds(t, x.scale, more) for t, more in zip(arrays, strict, strict=True)]

    def stacked(name: str, dtype: Any) -> Array:
        """Of all thresholds, without memory where they broadcast."""
        rows = [np.broadcast_to(getattr(part, name), own) for part in parts]
        array = np.stack(rows) if rows else np.empty((0, *own), dtype)
        return np.broadcast_to(array.reshape(len(rows), *(1,) * (len(shape) - len(own)), *own), (len(rows), *shape))

    protocol = x.context.protocol
    bits = protocol.at_least(spread(x, shape).share, stacked("words", np.uint64))
    if any(part.above.any() or part.below.any() for part in parts):
        above, below = stacked("above", np.bool_), stacked("below", np.bool_)
        bits = protocol.xor(protocol.and_(bits, ~(above | below)), below)
    return x.like(bits, "bool", 0)
