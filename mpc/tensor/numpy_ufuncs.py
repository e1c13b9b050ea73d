"""Which ufuncs tensors have, by name. Operands may come in either order: one of them is a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpc.tensor import arithmetic, boolean
from mpc.tensor.base import Secret, unsupported


def _symmetric(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, y: function(x, y) if isinstance(x, Secret) else function(y, x)


def _subtract(x: Any, y: Any) -> Any:
    return arithmetic.subtract(x, y) if isinstance(x, Secret) else arithmetic.add(arithmetic.negative(y), x)


def _divide(x: Any, y: Any) -> Any:
    if not isinstance(x, Secret):
        unsupported("divide", "division by a secret tensor is not available; divide by a public number or array")
    return arithmetic.divide(x, y)


def _power(x: Any, exponent: Any) -> Any:
    if not isinstance(x, Secret):
        unsupported("power", "the exponent must be a public integer")
    return arithmetic.power(x, exponent)


def _matmul(x: Any, y: Any) -> Any:
    return arithmetic.matmul(x, y) if isinstance(x, Secret) else arithmetic.matmul_public_left(x, y)


UFUNCS: dict[str, Callable[..., Any]] = {
    "add": _symmetric(arithmetic.add),
    "subtract": _subtract,
    "multiply": _symmetric(arithmetic.multiply),
    "divide": _divide,
    "matmul": _matmul,
    "negative": arithmetic.negative,
    "positive": lambda x: x,
    "square": lambda x: arithmetic.multiply(x, x),
    "power": _power,
    "bitwise_and": _symmetric(boolean.and_),
    "logical_and": _symmetric(boolean.and_),
    "bitwise_or": _symmetric(boolean.or_),
    "logical_or": _symmetric(boolean.or_),
    "bitwise_xor": _symmetric(boolean.xor),
    "logical_xor": _symmetric(boolean.xor),
    "invert": boolean.not_,
    "logical_not": boolean.not_,
}
