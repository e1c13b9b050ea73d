"""Which ufuncs tensors have, by name. Operands may come in either order: one of them is a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mpc.tensor import arithmetic, boolean, multiplication, products
from mpc.tensor.base import Secret
from mpc.tensor.einsum import either_order, matrix_product
from mpc.tensor.numpy_curves import UFUNCS as CURVES
from mpc.tensor.numpy_order import UFUNCS as ORDER
from mpc.tensor.numpy_sorting import UFUNCS as SORTING


def _symmetric(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x1, x2: either_order(function, x1, x2)


def _subtract(x1: Any, x2: Any) -> Any:
    return arithmetic.subtract(x1, x2) if isinstance(x1, Secret) else arithmetic.subtract(x2, x1, swapped=True)


def _known(value: bool) -> Callable[[Any], Any]:
    """What is public about every fixed-point number: it is finite."""
    return lambda x: np.full(x.shape, value)


UFUNCS: dict[str, Callable[..., Any]] = {
    "add": _symmetric(arithmetic.add),
    "subtract": _subtract,
    "multiply": _symmetric(multiplication.multiply),
    "square": lambda x: multiplication.multiply(x, x),
    "negative": arithmetic.negative,
    "positive": lambda x: x,
    "conjugate": lambda x: x,
    "matmul": matrix_product,
    "vecdot": products.vecdot,
    "matvec": products.matvec,
    "vecmat": products.vecmat,
    "bitwise_and": _symmetric(boolean.and_),
    "logical_and": _symmetric(boolean.and_),
    "bitwise_or": _symmetric(boolean.or_),
    "logical_or": _symmetric(boolean.or_),
    "bitwise_xor": _symmetric(boolean.xor),
    "logical_xor": _symmetric(boolean.xor),
    "invert": boolean.not_,
    "logical_not": boolean.not_,
    "isfinite": _known(True),
    "isinf": _known(False),
    "isnan": _known(False),
    **ORDER,
    **SORTING,
    **CURVES,
}
