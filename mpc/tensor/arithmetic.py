"""Sums of tensors, with each other and with public arrays, and the scale that they need in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from mpc.contract import MULTIPLY, Share
from mpc.fixed import RAW_BITS, RAW_BOUND
from mpc.tensor.base import Array, Secret, numeric, same_program, truncate, unsupported
from mpc.tensor.boolean import as_number, as_numbers, or_
from mpc.tensor.encoding import KINDS, encode_like
from mpc.tensor.shapes import as_public, broadcast

S = TypeVar("S", bound=Secret)


def add(x: S, y: Any) -> S:
    """x + y. Local, unless an operand has more than 2f fraction bits, and not the other's: it is truncated first.

    Booleans with numbers are converted in 1 round; of two booleans, as in NumPy, x | y.
    """
    if x.kind == "bool" and is_boolean(y, "add"):
        return or_(x, y)
    x, other = _operands("add", x, y)
    return x.like(x.context.protocol.add(x.share, other))


def subtract(x: S, y: Any, swapped: bool = False) -> S:
    """x - y, or y - x if swapped. As x + y, but not of two booleans."""
    if x.kind == "bool" and is_boolean(y, "subtract"):
        unsupported("subtract", "two booleans have no difference; use ^")
    if swapped:
        return add(negative(as_number(x)), y)
    x, other = _operands("subtract", x, y)
    return x.like(x.context.protocol.subtract(x.share, other))


def negative(x: S) -> S:
    """-x. Local."""
    numeric(x, "negative")
    return x.like(x.context.protocol.negate(x.share))


def is_boolean(value: Any, operation: str) -> bool:
    """True for a secret or public operand of booleans."""
    return bool((value if isinstance(value, Secret) else as_public(value, operation)).dtype == np.bool_)


def _operands(operation: str, x: S, y: Any) -> tuple[S, Any]:
    """x, and the share or the words of y, in one kind and one scale."""
    if isinstance(y, Secret):
        same_program([x, y], operation)
        broadcast(operation, x.shape, y.shape)
        pair: list[Any] = align([x, y], operation)
        return pair[0], pair[1].share
    public = as_public(y, operation)
    broadcast(operation, x.shape, public.shape)
    (x,) = align([x], operation, [public])
    return x, encode_like(x, public, operation)


def as_float(x: S) -> S:
    """An integer tensor as fixed point; floats as they are. Local. |x| must be below 2^(62 - f)."""
    f = x.context.fraction_bits
    return x if x.kind == "float" else x.like(_shift_left(x, f), "float", f)


def _shift_left(x: Secret, bits: int) -> Share:
    return x.share if bits == 0 else x.context.protocol.bilinear(MULTIPLY, x.share, np.asarray(np.uint64(1 << bits)))


def rescaled(x: S, bits: int) -> S:
    """x / 2^bits for a float tensor, exactly: the same words, with more fraction bits to truncate. Local.

    Truncated first, where 2^62 has no room for that; 0 <= bits <= 62 - f.
    """
    if x.scale + bits > RAW_BITS:
        (x,) = truncate([x])
    return x.like(x.share, scale=x.scale + bits)


def align(tensors: Sequence[S], operation: str, public: Sequence[Array] = ()) -> list[S]:
    """The same values in one kind and one scale, ready for a sum with each other and with public arrays.

    NumPy's promotion: float if any is, else integers. Local, if all have the same scale already, or none has more than 2f
    fraction bits; else 1 round.
    """
    promoted = {t.kind for t in tensors} | {KINDS[array.dtype.kind] for array in public}
    if promoted != {"bool"}:
        tensors = as_numbers(tensors)
    if "float" in promoted:
        tensors = [as_float(t) for t in tensors]
    if len({t.scale for t in tensors}) == 1 and all(_leaves_room(tensors[0], array) for array in public):
        return list(tensors)
    truncate([t for t in tensors if _above_double(t)])  # all in one round; each keeps its result
    tensors = [truncate([t])[0] if _above_double(t) else t for t in tensors]
    scale = max(t.scale for t in tensors)
    return [t if t.scale == scale else t.like(_shift_left(t, scale - t.scale), scale=scale) for t in tensors]


def _above_double(x: Secret) -> bool:
    return x.scale > 2 * x.context.fraction_bits


def _leaves_room(x: Secret, public: Array) -> bool:
    """True if a public summand fits at the scale of x, as it should up to 2f."""
    return not _above_double(x) or float(np.max(np.abs(public.astype(np.float64)), initial=0.0)) < RAW_BOUND / 2.0 ** (
        x.scale + 1
    )


def align_all(values: Sequence[Any], operation: str) -> list[Any]:
    """Tensors and public arrays as tensors of one kind and one scale, as `align`; public arrays become trivial shares."""
    values = [v if isinstance(v, Secret) else as_public(v, operation) for v in values]
    secrets = [v for v in values if isinstance(v, Secret)]
    if not secrets:
        unsupported(operation, "none of the operands is secret")
    same_program(secrets, operation)
    aligned = align(secrets, operation, [v for v in values if not isinstance(v, Secret)])
    remaining = iter(aligned)
    return [next(remaining) if isinstance(v, Secret) else lift(aligned[0], v, operation) for v in values]


def lift(model: S, public: Any, operation: str) -> S:
    """A public array as a tensor of the kind and scale of `model`. Local."""
    public = as_public(public, operation)
    words = public.astype(bool) if model.kind == "bool" else encode_like(model, public, operation)
    return model.constant(words, model.kind, model.scale)
