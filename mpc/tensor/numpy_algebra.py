"""NumPy's functions that sum and multiply: NumPy's arguments, our function. For the parameters see numpy_arranging.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mpc.tensor import products, reduction
from mpc.tensor.base import unsupported
from mpc.tensor.einsum import einsum, matrix_product
from mpc.tensor.numpy_arranging import ediff1d

Function = Callable[..., Any]


def _average(a: Any, axis: Any, weights: Any, returned: bool, keepdims: bool) -> Any:
    if returned:
        unsupported("np.average", "returned=True is not available; sum the weights yourself")
    return reduction.average(a, axis, weights, keepdims)


def _covariance(m: Any, y: Any, rowvar: bool, bias: bool, ddof: int | None) -> Any:
    if y is not None:
        unsupported("np.cov", "y= is not available; stack the variables in one tensor")
    return products.covariance(m, rowvar, bias, ddof)


def _correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    return products.convolve(a, np.flip(v), mode)


SUMS: dict[str, Function] = {
    "sum": lambda a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True: reduction.total(
        a, axis, keepdims, initial
    ),
    "prod": lambda a, axis=None, dtype=None, out=None, keepdims=False, initial=None: reduction.prod(a, axis, keepdims, initial),
    "mean": lambda a, axis=None, dtype=None, out=None, keepdims=False, *, where=True: reduction.mean(a, axis, keepdims),
    "var": lambda a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, correction=None: reduction.variance(
        a, axis, ddof if correction is None else correction, keepdims
    ),
    "average": lambda a, axis=None, weights=None, returned=False, *, keepdims=False: _average(
        a, axis, weights, returned, keepdims
    ),
    "cov": lambda m, y=None, rowvar=True, bias=False, ddof=None: _covariance(m, y, rowvar, bias, ddof),
    "cumsum": lambda a, axis=None, dtype=None, out=None: reduction.cumsum(a, axis),
    "cumulative_sum": lambda x, *, axis=None, dtype=None, out=None, include_initial=False: reduction.cumulative_sum(
        x, axis, include_initial
    ),
    "diff": lambda a, n=1, axis=-1, prepend=None, append=None: reduction.difference(a, n, axis, prepend, append),
    "ediff1d": ediff1d,
    "trace": lambda a, offset=0, axis1=0, axis2=1, dtype=None, out=None: reduction.trace(a, offset, axis1, axis2),
    "linalg.trace": lambda x, *, offset=0, dtype=None: reduction.trace(x, offset, -2, -1),
}

PRODUCTS: dict[str, Function] = {
    "dot": lambda a, b, out=None: products.dot(a, b),
    "vdot": products.vdot,
    "inner": products.inner,
    "outer": lambda a, b, out=None: products.outer(a, b),
    "tensordot": lambda a, b, axes=2: products.tensordot(a, b, axes),
    "einsum": lambda *operands, out=None, optimize=None: einsum(*operands),
    "kron": products.kron,
    "cross": products.cross,
    "convolve": products.convolve,
    "correlate": _correlate,
    "linalg.matmul": lambda x1, x2: matrix_product(x1, x2),
    "linalg.vecdot": lambda x1, x2, *, axis=-1: products.vecdot(x1, x2, axis),
    "linalg.outer": products.linalg_outer,
    "linalg.tensordot": lambda x1, x2, *, axes=2: products.tensordot(x1, x2, axes),
    "linalg.cross": lambda x1, x2, *, axis=-1: products.cross(x1, x2, axis=axis),
    "linalg.multi_dot": lambda arrays, *, out=None: products.multi_dot(arrays),
    "linalg.matrix_power": products.matrix_power,
}
