"""Comparisons: < <= > >= == != between secrets, and with public numbers. The results are secret booleans.

Exact, also one unit in the last place apart, while |x - y| stays below 2^(62 - s) for s fraction bits: 2^46 for inputs and
sums, 2^30 where a product is not truncated yet (f = 16). Products are compared with all of the digits that they have.
Public numbers may be any: what no secret can reach is above or below all of them, and NaN compares as in NumPy.

Cost: 3 rounds and 12.25 bytes an element to each peer for an order, 3 rounds and 10.5 bytes for == and !=. Of that, 1 round
and 8 bytes open the secret, or the difference of two; what is open already needs 2 rounds and 4.25 or 2.5 bytes.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from mpc.contract import Index
from mpc.tensor import boolean
from mpc.tensor.arithmetic import align
from mpc.tensor.base import Array, Secret, same_program
from mpc.tensor.shapes import broadcast
from mpc.tensor.thresholds import at_least, comparable, comparand, equals, spread

S = TypeVar("S", bound=Secret)


def less(x: Any, y: Any) -> Any:
    """x < y; one of them is secret."""
    return _less("less", x, y)


def greater(x: Any, y: Any) -> Any:
    """x > y."""
    return _less("greater", y, x)


def less_equal(x: Any, y: Any) -> Any:
    """x <= y."""
    return _not_less("less_equal", y, x)


def greater_equal(x: Any, y: Any) -> Any:
    """x >= y."""
    return _not_less("greater_equal", x, y)


def equal(x: Any, y: Any) -> Any:
    """x == y. With a public number that x cannot have exactly, False."""
    x, y = _operands("equal", *((x, y) if isinstance(x, Secret) else (y, x)))
    if _booleans(x, y):
        return boolean.not_(boolean.xor(x, y))
    protocol = x.context.protocol
    if isinstance(y, Secret):
        return x.like(protocol.equal(*_shares(x, y, "equal")), "bool", 0)
    x = spread(comparable(x), broadcast("equal", x.shape, y.shape))
    words, exact = equals(y, x.scale)
    bits = protocol.equal(x.share, words)
    return x.like(bits if exact.all() else protocol.and_(bits, exact), "bool", 0)


def not_equal(x: Any, y: Any) -> Any:
    """x != y. As x == y."""
    return boolean.not_(equal(x, y))


def truth(x: S) -> S:
    """Booleans as they are; of numbers, whether they are not 0."""
    return x if x.kind == "bool" else not_equal(x, 0)


def _less(operation: str, x: Any, y: Any) -> Any:
    x, y = _operands(operation, x, y)
    if _booleans(x, y):
        return boolean.and_(y, ~x) if isinstance(y, Secret) else boolean.and_(boolean.not_(x), y)
    if not isinstance(x, Secret):
        return _reaches(y, x, True, operation)
    if not isinstance(y, Secret):
        return _ordered(boolean.not_(_reaches(x, y, False, operation)), y)
    return x.like(x.context.protocol.less(*_shares(x, y, operation)), "bool", 0)


def _not_less(operation: str, x: Any, y: Any) -> Any:
    """x >= y."""
    if isinstance(x, Secret) and isinstance(y, Secret):
        return boolean.not_(_less(operation, x, y))
    x, y = _operands(operation, x, y)
    if _booleans(x, y):
        return boolean.not_(_less(operation, x, y))
    if isinstance(x, Secret):
        return _reaches(x, y, False, operation)
    return _ordered(boolean.not_(_reaches(y, x, True, operation)), x)


def _reaches(x: S, public: Array, strict: bool, operation: str) -> S:
    """x >= public, or x > public."""
    bits = at_least(x, [public], [strict], operation)
    return bits.viewed(Index((0,)))


def _ordered(x: S, public: Array) -> S:
    """x, but False where the public number is NaN."""
    return boolean.and_(x, ~np.isnan(public)) if np.isnan(public).any() else x


def _operands(operation: str, x: Any, y: Any) -> tuple[Any, Any]:
    """Tensors and public arrays, without a mix of booleans and numbers."""
    x, y = (v if isinstance(v, Secret) else comparand(v, operation) for v in (x, y))
    same_program([v for v in (x, y) if isinstance(v, Secret)], operation)
    if _booleans(x, y):
        return x, y
    return tuple(boolean.as_number(v) if isinstance(v, Secret) else v for v in (x, y))  # type: ignore[return-value]


def _booleans(x: Any, y: Any) -> bool:
    return bool(x.dtype == np.bool_ and y.dtype == np.bool_)


def _shares(x: S, y: S, operation: str) -> tuple[Any, Any]:
    """Of two secrets in one kind and scale. Where their common shape is larger than both together, they are opened first."""
    shape = broadcast(operation, x.shape, y.shape)
    x, y = align([comparable(x), comparable(y)], operation)
    if math.prod(shape) > x.size + y.size:
        x.context.protocol.open([x.share, y.share])
    return x.share, y.share
