"""Sums and products of tensors, with each other and with public arrays: here the scale is kept."""

from __future__ import annotations

import operator
from typing import Any, TypeVar

import numpy as np

from mpc import fixed
from mpc.contract import MATMUL, MULTIPLY, Bilinear, Conv2d
from mpc.errors import RangeError, ShapeError
from mpc.tensor.base import Array, Secret, as_public, same_program, truncate, unsupported

S = TypeVar("S", bound=Secret)

RAW_BOUND = 2.0**fixed.RAW_BITS


def numeric(x: Secret, operation: str) -> None:
    if x.kind == "bool":
        unsupported(operation, "arithmetic on secret booleans is not available; combine them with & | ^ ~")


# ---------------------------------------------------------------------------------------- sums; no communication


def add(x: S, y: Any) -> S:
    """x + y. Local, unless an operand that was divided must be truncated first."""
    return _sum("add", x, y)


def subtract(x: S, y: Any) -> S:
    return _sum("subtract", x, y)


def _sum(operation: str, x: S, y: Any) -> S:
    numeric(x, operation)
    if isinstance(y, Secret):
        numeric(y, operation)
        same_program([x, y], operation)
        fitting(operation, np.broadcast_shapes, x.shape, y.shape)
        x, y = align([x, y])
        return x.like(getattr(x.context.protocol, operation)(x.share, y.share))
    public = as_public(y, operation)
    fitting(operation, np.broadcast_shapes, x.shape, public.shape)
    x = at_most_double(as_float(x) if public.dtype.kind == "f" else x)
    words = fixed.encode(public, x.scale, RAW_BOUND / 2.0**x.scale, f"{x.context.who}, operation '{operation}', public operand")
    return x.like(getattr(x.context.protocol, operation)(x.share, words))


def fitting(operation: str, rule: Any, *shapes: Any) -> Any:
    """What `rule` makes of the shapes; ShapeError, which names them, if they do not fit."""
    try:
        return rule(*shapes)
    except ValueError:
        raise ShapeError(f"{operation}: the shapes {' and '.join(map(str, shapes))} do not fit together") from None


def as_float(x: S) -> S:
    """An integer tensor as fixed point; floats as they are. Local."""
    if x.kind == "float":
        return x
    f = x.context.fraction_bits
    return x.like(_shift_left(x, f), "float", f)


def _shift_left(x: Secret, bits: int) -> Any:
    return x.share if bits == 0 else x.context.protocol.bilinear(MULTIPLY, x.share, np.asarray(np.uint64(1 << bits)))


def at_most_double(x: S) -> S:
    """Truncated, if x has more than 2f fraction bits."""
    return truncate([x])[0] if x.scale > 2 * x.context.fraction_bits else x


def align(tensors: list[S]) -> list[S]:
    """The same values in one kind and one scale. Local, unless one with more than 2f fraction bits must be truncated."""
    kinds = {t.kind for t in tensors}
    if kinds == {"bool"} or (len(kinds) == 1 and len({t.scale for t in tensors}) == 1):
        return tensors
    if "bool" in kinds:
        unsupported("align", "secret booleans and numbers do not mix")
    if "float" in kinds:
        tensors = [as_float(t) for t in tensors]
        f = tensors[0].context.fraction_bits
        long = [k for k, t in enumerate(tensors) if t.scale > 2 * f]
        for k, short in zip(long, truncate([tensors[k] for k in long]), strict=True):
            tensors[k] = short
    scale = max(t.scale for t in tensors)
    return [t.like(_shift_left(t, scale - t.scale), scale=scale) for t in tensors]


def negative(x: S) -> S:
    numeric(x, "negative")
    return x.like(x.context.protocol.negate(x.share))


# ---------------------------------------------------------------------------------------- products


def multiply(x: S, y: Any) -> S:
    """x * y, with NumPy's broadcasting."""
    return product(MULTIPLY, x, y)


def matmul(x: S, y: Any) -> S:
    """x @ y."""
    return product(MATMUL, x, y)


def matmul_public_left(x: Any, y: S) -> S:
    """x @ y for a public x."""
    return product(MATMUL, x, y)


def conv2d(x: Any, w: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Any:
    """Cross-correlation of images x (N, C, H, W) with filters w (O, C / groups, kH, kW); one of them may be public.

    Cost: as a product: each image and filter is opened once (not its patches), 1 round.
    """

    def pair(value: Any) -> tuple[int, int]:
        return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))

    return product(Conv2d(pair(stride), pair(padding), pair(dilation), groups), x, w)


def product(op: Bilinear, x: Any, y: Any) -> Any:
    """op(x, y), where at least one operand is secret. Operands above scale f are truncated first.

    Cost: with a public operand none beyond that; else one round, in which each operand that is not open yet is opened.
    """
    if isinstance(x, Secret) and isinstance(y, Secret):
        return _secret_product(op, x, y)
    return _public_product(op, x, y)


def _secret_product(op: Bilinear, x: S, y: Any) -> S:
    for t in (x, y):
        numeric(t, op.name)
    same_program([x, y], op.name)
    fitting(op.name, op.shape, x.shape, y.shape)
    protocol = x.context.protocol
    if x is y and op is MULTIPLY:
        (x,) = truncate([x])
        return x.like(protocol.square(x.share), scale=2 * x.scale)
    x, y = truncate([x, y], opening=[x, y])
    kind = "float" if "float" in (x.kind, y.kind) else "int"
    return x.like(protocol.bilinear(op, x.share, y.share), kind, x.scale + y.scale)


def _public_product(op: Bilinear, x: Any, y: Any) -> Any:
    secret, other = (x, y) if isinstance(x, Secret) else (y, x)
    numeric(secret, op.name)
    public = as_public(other, op.name)
    shapes = (secret.shape, public.shape) if secret is x else (public.shape, secret.shape)
    fitting(op.name, op.shape, *shapes)
    (secret,) = truncate([secret])
    what = f"{secret.context.who}, operation '{op.name}', public operand"
    if public.dtype.kind == "f":
        bound = fixed.input_bound(secret.context.fraction_bits)
        scale = fixed.factor_scale(_norm(op, public, left=secret is not x), secret.context.fraction_bits)
        words, kind = fixed.encode(public, scale, bound, what), "float"
    else:
        words, scale, kind = fixed.encode(public, 0, RAW_BOUND, what), 0, secret.kind
    operands = (secret.share, words) if secret is x else (words, secret.share)
    return secret.like(secret.context.protocol.bilinear(op, *operands), kind, secret.scale + scale)


def _norm(op: Bilinear, public: Array, left: bool) -> float:
    """The largest sum of magnitudes of public factors that enters one element of the result."""
    magnitude = np.abs(public)
    if op is MATMUL:
        magnitude = magnitude.sum(axis=-1 if left or public.ndim == 1 else -2)
    elif op is not MULTIPLY:
        magnitude = magnitude.sum(axis=tuple(range(1, public.ndim)))
    return float(np.max(magnitude, initial=0.0))


def divide(x: S, y: Any) -> S:
    """x / y for public numbers y, none of them 0. Local but for the truncation, which is deferred."""
    if isinstance(y, Secret):
        unsupported("divide", "division by a secret tensor is not available; divide by a public number or array")
    numeric(x, "divide")
    public = as_public(y, "divide").astype(np.float64)
    if np.any(public == 0):
        raise RangeError(f"{x.context.who}, operation 'divide': division by zero")
    return multiply(x, np.asarray(np.reciprocal(public)))


def power(x: S, exponent: Any) -> S:
    """x ** exponent for a public integer exponent of 0 or more, by repeated squaring."""
    numeric(x, "power")
    try:
        n = operator.index(exponent)
    except TypeError:
        unsupported("power", f"the exponent must be a public integer, not {type(exponent).__name__}")
    if n < 0:
        unsupported("power", "the exponent must be 0 or more")
    if n == 0:
        ones = np.full(x.shape, 1 << x.scale if x.scale <= x.context.fraction_bits else 1 << x.context.fraction_bits, np.uint64)
        return x.constant(ones, x.kind, min(x.scale, x.context.fraction_bits))
    result: S | None = None
    while True:
        if n & 1:
            result = x if result is None else multiply(result, x)
        n >>= 1
        if not n:
            assert result is not None
            return result
        x = multiply(x, x)
