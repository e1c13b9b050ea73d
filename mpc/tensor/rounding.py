"""Rounding to whole numbers, and quotients and remainders by public divisors. All of it exact.

A floor by b bits takes 3 rounds and 8.4 to 8.9 bytes an element to each peer for b up to 16, else 4 rounds and 10.1 (b up to 32),
11.3 (48) or 12.4 bytes. floor, ceil, rint and round are one by f bits, or by the 2f of a fresh product: it is rounded with all
of its digits, not truncated first. trunc makes two of them in the same rounds, then 3 rounds and 12.5 bytes to choose one: 6
rounds and 30.2 bytes. Integers stay as they are.

`x // y` and `x % y` by a power of two are one floor too. By others they take 5 rounds and 18.1 to 20.4 bytes for an integer x,
and for a float a floor more: 8 rounds and 27 to 29.3 bytes if y is odd. y is public and a whole multiple of 2^-f, of either
sign. If it is no power of two, |x| / 2^k must be below 2^45 units in the last place, and N below 2^29, for y = N 2^k units and
an odd N (for integers x, y itself is N where it is below 2^29).
"""

from __future__ import annotations

import operator
from typing import Any, TypeVar

import numpy as np

from mpc.contract import MULTIPLY
from mpc.errors import RangeError
from mpc.tensor.arithmetic import add, as_float, negative, subtract
from mpc.tensor.base import Array, Secret, numeric, unsupported
from mpc.tensor.boolean import as_number
from mpc.tensor.dividing import floor_quotient, quotient_towards_zero
from mpc.tensor.multiplication import multiply
from mpc.tensor.shapes import as_numpy, as_public
from mpc.tensor.thresholds import comparable

S = TypeVar("S", bound=Secret)


def floor(x: S) -> S:
    """The largest whole number at or below x."""
    numeric(x, "floor")
    if x.kind == "int":
        return x
    x = comparable(x)
    return as_float(x.like(x.context.protocol.floor([(x.share, x.scale)])[0], "int", 0))


def ceil(x: S) -> S:
    """The smallest whole number at or above x."""
    numeric(x, "ceil")
    return x if x.kind == "int" else negative(floor(negative(comparable(x))))


def rint(x: S) -> S:
    """The nearest whole number, as a float. Halves go up: 0.5 to 1, -0.5 to 0. (NumPy's go to the even neighbour.)"""
    numeric(x, "rint")
    return as_float(x) if x.kind == "int" else floor(add(comparable(x), 0.5))


def round_(x: S, decimals: Any = 0) -> S:
    """np.round, but halves go up: to whole numbers, or for negative `decimals` to tens, hundreds, ... (as `x // 10`)."""
    numeric(x, "round")
    places = int(as_numpy("round", operator.index, decimals))
    if places < 0:
        tens = 10**-places
        return multiply(floor_divide(add(x, tens // 2), tens), tens)
    if x.kind == "int":
        return x
    if places:
        unsupported("round", f"decimals={places}: binary digits have no tenths; reveal the tensor and round the result")
    return rint(x)


def trunc(x: S, operation: str = "trunc") -> S:
    """The whole number next to x towards 0."""
    numeric(x, operation)
    return x if x.kind == "int" else as_float(as_int(x, operation))


def as_int(x: S, operation: str = "astype(int)") -> S:
    """A float as an integer, towards 0 as NumPy's astype(int); booleans as 0 and 1, in 1 round."""
    if x.kind == "bool":
        return as_number(x)
    x = comparable(x)
    return x if x.kind == "int" else quotient_towards_zero(x, np.asarray(1 << x.scale), operation)


def modf(x: S) -> tuple[S, S]:
    """(x - trunc(x), trunc(x)), both floats."""
    numeric(x, "modf")
    x = comparable(as_float(x))
    whole = trunc(x, "modf")
    return subtract(x, whole), whole


# ---------------------------------------------------------------------------------------- by public divisors


def floor_divide(x: S, y: Any) -> S:
    """x // y: the largest whole number at or below x / y; a float if x or y is."""
    return _quotient_of(*_operands("floor_divide", x, y), "floor_divide")[0]


def remainder(x: S, y: Any) -> S:
    """x % y: x - (x // y) y, with the sign of y."""
    return divmod_(x, y, "remainder")[1]


def divmod_(x: S, y: Any, operation: str = "divmod") -> tuple[S, S]:
    """(x // y, x % y), as one of them."""
    x, units = _operands(operation, x, y)
    quotient, whole = _quotient_of(x, units, operation)
    return quotient, _rest(x, whole, units)


def fmod(x: S, y: Any) -> S:
    """x - trunc(x / y) y, with the sign of x. The steps of x % y twice, 3 rounds and 12.5 bytes."""
    x, units = _operands("fmod", x, y)
    return _rest(x, quotient_towards_zero(x, units, "fmod"), units)


def _operands(operation: str, x: S, y: Any) -> tuple[S, Array]:
    """x, a float if y is, and y in units of its last place."""
    if not isinstance(x, Secret) or isinstance(y, Secret):
        unsupported(operation, "the divisor must be public; divide by a secret with / and round the quotient")
    numeric(x, operation)
    public = as_public(y, operation)
    if np.any(public == 0):
        raise RangeError(f"{x.context.who}, operation '{operation}': division by zero")
    if public.dtype.kind == "f" and x.kind == "int":
        x = as_float(x)
    x = comparable(x)
    return x, _units(x, public, operation)


def _units(x: Secret, y: Array, operation: str) -> Array:
    """y in units of the last place of x, as whole numbers: exactly."""
    f = x.context.fraction_bits if x.kind == "float" else 0
    units = np.asarray(np.ldexp(y.astype(np.float64), f) if y.dtype.kind == "f" else y.astype(object) * (1 << f))
    most = 1 << (62 - x.scale + f)
    if not all(abs(d) < most and d == int(d) for d in units.flat):  # no NaN is
        raise RangeError(
            f"{x.context.who}, operation '{operation}': divisors must be whole multiples of 2^-{f} below 2^{62 - x.scale}"
        )
    return np.asarray(np.left_shift(units.astype(np.int64), np.int64(x.scale - f)))


def _quotient_of(x: S, units: Array, operation: str) -> tuple[S, S]:
    """The quotient in the kind of x, and as an integer."""
    whole = floor_quotient(x, units, operation)
    return (as_float(whole) if x.kind == "float" else whole), whole


def _rest(x: S, whole: S, units: Array) -> S:
    """x - whole y."""
    protocol = x.context.protocol
    return x.like(protocol.subtract(x.share, protocol.bilinear(MULTIPLY, whole.share, units.view(np.uint64))))
