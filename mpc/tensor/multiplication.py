"""Products of tensors, with each other and with public arrays, by any bilinear map; quotients and powers."""

from __future__ import annotations

import operator
from typing import Any, TypeVar

import numpy as np

from mpc import fixed
from mpc.contract import MATMUL, MULTIPLY, Bilinear
from mpc.errors import RangeError
from mpc.tensor.arithmetic import as_float, is_boolean, rescaled
from mpc.tensor.base import Array, Secret, numeric, same_program, truncate, unsupported
from mpc.tensor.boolean import and_, as_number, as_numbers
from mpc.tensor.encoding import KINDS
from mpc.tensor.selection import selected
from mpc.tensor.shapes import as_numpy, as_public, broadcast

S = TypeVar("S", bound=Secret)


_FEW = 16.0


def multiply(x: S, y: Any) -> S:
    """x * y, with NumPy's broadcasting. Cost: as `product`; none for a y of 1/2, 1/4, 1/8, ...

    Of secret booleans and numbers, as `selected`: the number where the boolean is True; of two booleans, as in NumPy, x & y.
    """
    if x.kind == "bool" and is_boolean(y, "multiply"):
        return and_(x, y)
    if isinstance(y, Secret) and "bool" in (x.kind, y.kind):
        same_program([x, y], "multiply")
        broadcast("multiply", x.shape, y.shape)
        return selected([(x, y) if x.kind == "bool" else (y, x)])[0]  # type: ignore[no-any-return]
    return product(MULTIPLY, as_number(x), y)


def matmul(x: S, y: Any, swapped: bool = False) -> S:
    """x @ y, or y @ x if swapped."""
    return product(MATMUL, x, y, swapped)


def product(op: Bilinear, x: S, y: Any, swapped: bool = False) -> S:
    """op(x, y), or op(y, x) if swapped, for a public or secret y. Operands above scale f are truncated first, unless y is public
    and holds small whole numbers (signs, masks, coefficients), which is like adding x a few times.

    Cost: with a public y none beyond that; else one round, in which each operand that is not open yet is opened.
    """
    if not isinstance(y, Secret):
        if is_boolean(y, op.name):
            numeric(x, op.name)
        return _public_product(op, as_number(x), as_public(y, op.name), swapped)
    same_program([x, y], op.name)
    if x.kind == y.kind:
        numeric(x, op.name)
    operands: list[Any] = [y, x] if swapped else [x, y]
    left, right = as_numbers(operands)
    as_numpy(op.name, op.shape, left.shape, right.shape)
    left, right = truncate([left, right], opening=[left, right])
    protocol = x.context.protocol
    square = left is right and op is MULTIPLY
    share = protocol.square(left.share) if square else protocol.bilinear(op, left.share, right.share)
    return x.like(share, "float" if "float" in (left.kind, right.kind) else "int", left.scale + right.scale)


def _public_product(op: Bilinear, x: S, public: Array, swapped: bool) -> S:
    as_numpy(op.name, op.shape, *((public.shape, x.shape) if swapped else (x.shape, public.shape)))
    norm = _norm(op, public, swapped)
    words, scale, kind = _factor(x, public, norm, op.name)
    if public.ndim == 0 and words == 1 and kind == x.kind == "float" and x.scale + scale <= fixed.RAW_BITS:
        return rescaled(x, scale)
    (x,) = truncate([x]) if scale or norm > _FEW else (x,)
    share = x.context.protocol.bilinear(op, *((words, x.share) if swapped else (x.share, words)))
    return x.like(share, kind, x.scale + scale)


def _factor(x: Secret, public: Array, norm: float, operation: str) -> tuple[Array, int, str]:
    """(words, scale, the kind of the product) of a public operand."""
    what = f"{x.context.who}, operation '{operation}', public operand"
    if KINDS[public.dtype.kind] != "float":
        return fixed.encode(public, 0, fixed.RAW_BOUND, what), 0, x.kind
    f = x.context.fraction_bits
    words, scale = fixed.encode_factor(public, norm, 0 if x.kind == "float" else f, f, what)
    return words, scale, "float"


def _norm(op: Bilinear, public: Array, left: bool) -> float:
    """The largest sum of magnitudes of public factors that enters one element of the result."""
    with np.errstate(all="ignore"):  # what overflows is found to be out of range
        magnitude = np.abs(public.astype(np.float64))
        magnitude = magnitude.sum(axis=op.summed(left, public.ndim))
        return float(np.max(magnitude, initial=0.0))


# ---------------------------------------------------------------------------------------- quotients and powers

_SPREAD = 1  # bits by which divisors may differ before a truncation between them pays


def divide(x: S, y: Any) -> S:
    """x / y for public numbers y, none of them 0; exact for powers of two. |x| must be below 2^(62 - 2f).

    The relative error of a quotient is at most 2^(2 - f), and its truncation adds one unit in the last place. Local but
    for that truncation, which is deferred. Divisors that differ by more than a factor of 2 to 4 cost a truncation more,
    at once: x is first divided by the powers of two below them, so that each quotient is as precise as a single one.
    """
    x = as_number(x)
    public = as_public(y, "divide").astype(np.float64)
    if np.any(public == 0):
        raise RangeError(f"{x.context.who}, operation 'divide': division by zero")
    f = x.context.fraction_bits
    powers = np.clip(np.frexp(public)[1] - 1, 0, f)  # 2^power <= |divisor|
    least, most = (int(powers.min()), int(powers.max())) if powers.size else (0, 0)
    if most - least > _SPREAD:
        return divide(multiply(x, np.ldexp(1.0, -powers)), np.ldexp(public, -powers))
    if x.kind == "float" and x.scale > f:  # its truncation is due anyhow, and makes room
        x, public = rescaled(x, least), np.ldexp(public, -least)
    with np.errstate(all="ignore"):  # what overflows is found to be out of range
        return multiply(x, np.asarray(np.reciprocal(public)))


def power(x: S, exponent: Any) -> S:
    """x ** exponent for a public whole number of 0 or more, by repeated squaring: a round for each."""
    numeric(x, "power")
    if isinstance(exponent, float | np.floating) and float(exponent).is_integer():
        x, exponent = as_float(x), int(exponent)
    try:
        n = operator.index(exponent)
    except TypeError:
        unsupported("power", f"the exponent must be a public whole number, not {type(exponent).__name__} {exponent!r}")
    if n < 0:
        unsupported("power", f"the exponent must be 0 or more, not {n}")
    result: S | None = None
    while n:
        if n & 1:
            result = x if result is None else multiply(result, x)
        n >>= 1
        x = multiply(x, x) if n else x
    return result if result is not None else _ones(x)


def _ones(x: S) -> S:
    scale = 0 if x.kind == "int" else x.context.fraction_bits
    return x.constant(np.full(x.shape, 1 << scale, np.uint64), x.kind, scale)
