"""Python's operators on tensors."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Self, TypeVar

import numpy as np

from mpc.errors import UsageError
from mpc.tensor import arithmetic, boolean, multiplication
from mpc.tensor.base import Secret
from mpc.tensor.dispatch import call
from mpc.tensor.numpy_ufuncs import UFUNCS
from mpc.tensor.refusals import CONTROL

S = TypeVar("S", bound=Secret)
Binary = Callable[[S, Any], S]


PRIORITY = 1000.0


def outranks(other: Any) -> bool:
    """True if the other operand's class wants the operation: by `__array_ufunc__ = None`, or by a higher `__array_priority__`."""
    kind = type(other)
    return getattr(kind, "__array_ufunc__", kind) is None or (
        hasattr(kind, "__array_ufunc__") and getattr(other, "__array_priority__", 0.0) > PRIORITY
    )


def _binary(method: Binary[S]) -> Binary[S]:
    """Leaves the operation to the other operand, if its class wants it."""

    @wraps(method)
    def checked(self: S, other: Any) -> S:
        if outranks(other):
            return NotImplemented  # type: ignore[no-any-return]
        return method(self, other)

    return checked


def by_table(name: str, *operands: Any) -> Any:
    """The ufunc `name`, if tensors have it."""
    if name not in UFUNCS:
        raise UsageError(f"np.{name} is not available for secret tensors")
    return call(f"np.{name}", UFUNCS[name], operands, {})


def _forward(name: str) -> Binary[Any]:
    return _binary(lambda self, other: by_table(name, self, other))


def _reflected(name: str) -> Binary[Any]:
    return _binary(lambda self, other: by_table(name, other, self))


def _comparison(name: str) -> Callable[[Any, Any], Any]:
    @_binary
    def compare(self: Any, other: Any) -> Any:
        if isinstance(other, Secret | np.ndarray | np.generic | int | float | list | tuple):
            return by_table(name, self, other)
        raise UsageError(f"np.{name}: a secret tensor cannot be compared with {type(other).__name__}: {CONTROL}")

    return compare


class Operators(Secret):
    """+ - * / @ ** and & | ^ ~, in both operand orders, and by UFUNCS what is not available everywhere."""

    __slots__ = ()

    @_binary
    def __add__(self, other: Any) -> Self:
        return arithmetic.add(self, other)

    @_binary
    def __sub__(self, other: Any) -> Self:
        return arithmetic.subtract(self, other)

    @_binary
    def __rsub__(self, other: Any) -> Self:
        return arithmetic.subtract(self, other, swapped=True)

    @_binary
    def __mul__(self, other: Any) -> Self:
        return multiplication.multiply(self, other)

    @_binary
    def __matmul__(self, other: Any) -> Self:
        return multiplication.matmul(self, other)

    @_binary
    def __rmatmul__(self, other: Any) -> Self:
        return multiplication.matmul(self, other, swapped=True)

    @_binary
    def __and__(self, other: Any) -> Self:
        return boolean.and_(self, other)

    @_binary
    def __or__(self, other: Any) -> Self:
        return boolean.or_(self, other)

    @_binary
    def __xor__(self, other: Any) -> Self:
        return boolean.xor(self, other)

    __radd__, __rmul__, __rand__, __ror__, __rxor__ = __add__, __mul__, __and__, __or__, __xor__

    def __neg__(self) -> Self:
        return arithmetic.negative(self)

    def __pos__(self) -> Self:
        return self

    def __invert__(self) -> Self:
        return boolean.not_(self)

    def __pow__(self, exponent: Any, modulus: Any = None) -> Any:
        if modulus is not None:
            raise UsageError("pow: a modulus is not available for secret tensors; use t ** exponent % modulus")
        return _forward("power")(self, exponent)

    def __abs__(self) -> Any:
        return by_table("absolute", self)

    __truediv__, __rtruediv__ = _forward("divide"), _reflected("divide")
    __rpow__ = _reflected("power")
    __floordiv__, __rfloordiv__ = _forward("floor_divide"), _reflected("floor_divide")
    __mod__, __rmod__ = _forward("remainder"), _reflected("remainder")
    __divmod__, __rdivmod__ = _forward("divmod"), _reflected("divmod")
    __lshift__, __rlshift__ = _forward("left_shift"), _reflected("left_shift")
    __rshift__, __rrshift__ = _forward("right_shift"), _reflected("right_shift")

    __eq__, __ne__ = _comparison("equal"), _comparison("not_equal")
    __lt__, __le__ = _comparison("less"), _comparison("less_equal")
    __gt__, __ge__ = _comparison("greater"), _comparison("greater_equal")
    __hash__ = object.__hash__
