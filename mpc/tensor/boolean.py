"""Secret booleans: & | ^ ~, any and all, and what they are as numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from mpc.contract import Index, Reshape
from mpc.tensor.base import Secret, same_program, unsupported
from mpc.tensor.shapes import as_public, axis_tuple, broadcast
from mpc.tensor.shaping import expand_dims, moveaxis, reshape

S = TypeVar("S", bound=Secret)


def xor(x: S, y: Any) -> S:
    """x ^ y. Local."""
    return x.like(x.context.protocol.xor(*_operands("^", x, y)))


def and_(x: S, y: Any) -> S:
    """x & y. 1 round and 1/4 byte an element to each peer; local if y is public."""
    return x.like(x.context.protocol.and_(*_operands("&", x, y)))


def or_(x: S, y: Any) -> S:
    """x | y. As x & y."""
    return x.like(x.context.protocol.or_(*_operands("|", x, y)))


def not_(x: S) -> S:
    """~x. Local."""
    _boolean("~", x)
    return x.like(x.context.protocol.not_(x.share))


def all_(x: S, axis: Any = None, keepdims: bool = False, operation: str = "all") -> S:
    """Whether all are True along axes. 1 round for each factor of 4 in their number, the first of 1/8 byte an element."""
    _boolean(operation, x)
    axes = axis_tuple(operation, axis, x.ndim)
    rest = tuple(n for k, n in enumerate(x.shape) if k not in axes)
    size = math.prod(x.shape[k] for k in axes)
    flat = reshape(moveaxis(x, axes, range(len(axes))), (size, *rest))
    result = flat.like(flat.context.protocol.all(flat.share))
    return expand_dims(result, axes) if keepdims else result


def any_(x: S, axis: Any = None, keepdims: bool = False) -> S:
    """Whether any is True along axes. As `all`."""
    _boolean("any", x)
    return not_(all_(not_(x), axis, keepdims, "any"))


# ---------------------------------------------------------------------------------------- as numbers


def as_number(x: S) -> S:
    """Booleans as the integers 0 and 1, numbers as they are. 1 round and 1/8 byte an element for booleans."""
    return as_numbers([x])[0]


def as_numbers(tensors: Sequence[S]) -> list[S]:
    """As `as_number`, all of them in one round."""
    todo = [t for t in tensors if t.kind == "bool"]
    if not todo:
        return list(tensors)
    protocol = todo[0].context.protocol
    if len(todo) == 1:
        words = [protocol.to_words(todo[0].share)]
    else:
        flat = protocol.to_words(protocol.concatenate([protocol.view(t.share, Reshape((-1,))) for t in todo], 0))
        ends = np.cumsum([t.size for t in todo])
        parts = [protocol.view(flat, Index((slice(int(end) - t.size, int(end)),))) for t, end in zip(todo, ends, strict=True)]
        words = [protocol.view(part, Reshape(t.shape)) for t, part in zip(todo, parts, strict=True)]
    integers = iter([t.like(share, "int", 0) for t, share in zip(todo, words, strict=True)])
    return [next(integers) if t.kind == "bool" else t for t in tensors]


def _boolean(operation: str, x: Secret) -> None:
    if x.kind != "bool":
        unsupported(operation, f"needs boolean tensors, not {x.kind}")


def _operands(operation: str, x: Secret, y: Any) -> tuple[Any, Any]:
    _boolean(operation, x)
    if isinstance(y, Secret):
        _boolean(operation, y)
        same_program([x, y], operation)
        broadcast(operation, x.shape, y.shape)
        return x.share, y.share
    public = as_public(y, operation)
    if public.dtype.kind != "b":
        unsupported(operation, f"the public operand must be boolean, not {public.dtype}")
    broadcast(operation, x.shape, public.shape)
    return x.share, public
