"""Secret booleans: & | ^ ~."""

from __future__ import annotations

from typing import Any, TypeVar

from mpc.tensor.base import Secret, same_program, unsupported
from mpc.tensor.shapes import as_public, broadcast

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
