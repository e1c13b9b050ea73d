"""Products with sums over chosen axes: dot, inner, outer, tensordot, kron, cross, convolve, ... Each costs one product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from mpc.contract import Conv2d
from mpc.errors import ShapeError
from mpc.tensor.arithmetic import subtract
from mpc.tensor.base import Secret, unsupported
from mpc.tensor.einsum import LETTERS, einsum, either_order, matrix_product, operand
from mpc.tensor.multiplication import divide, matmul, multiply, product
from mpc.tensor.reduction import centered
from mpc.tensor.shapes import as_numpy, axis_index, axis_tuple
from mpc.tensor.shaping import getitem, moveaxis, reshape, swapaxes

S = TypeVar("S", bound=Secret)


def dot(a: Any, b: Any) -> Any:
    a, b = operand(a, "dot"), operand(b, "dot")
    if a.ndim == 0 or b.ndim == 0:
        return either_order(multiply, a, b)
    if b.ndim <= 2:
        return matrix_product(a, b)
    return tensordot(a, b, ((a.ndim - 1,), (b.ndim - 2,)), "dot")


def inner(a: Any, b: Any) -> Any:
    a, b = operand(a, "inner"), operand(b, "inner")
    if a.ndim == 0 or b.ndim == 0:
        return either_order(multiply, a, b)
    return tensordot(a, b, ((a.ndim - 1,), (b.ndim - 1,)), "inner")


def vdot(a: Any, b: Any) -> Any:
    return matrix_product(_flat(operand(a, "vdot")), _flat(operand(b, "vdot")))


def outer(a: Any, b: Any) -> Any:
    left, right = _flat(operand(a, "outer")), _flat(operand(b, "outer"))
    return either_order(multiply, left[:, None], right[None, :])


def linalg_outer(x1: Any, x2: Any) -> Any:
    a, b = operand(x1, "linalg.outer"), operand(x2, "linalg.outer")
    if a.ndim != 1 or b.ndim != 1:
        raise ShapeError(f"linalg.outer: both operands must be vectors, not of shapes {a.shape} and {b.shape}")
    return outer(a, b)


def _flat(value: Any) -> Any:
    return value.reshape(-1)


def tensordot(a: Any, b: Any, axes: Any = 2, operation: str = "tensordot") -> Any:
    a, b = operand(a, operation), operand(b, operation)
    if hasattr(axes, "__index__"):
        n = axes.__index__()
        if not 0 <= n <= min(a.ndim, b.ndim):
            raise ShapeError(f"{operation}: axes={axes} for tensors of shapes {a.shape} and {b.shape}")
        axes = (tuple(range(a.ndim - n, a.ndim)), tuple(range(n)))
    first_axes, second_axes = as_numpy(operation, tuple, axes)
    left, right = (
        axis_tuple(operation, s if hasattr(s, "__index__") else tuple(s), t.ndim) for s, t in ((first_axes, a), (second_axes, b))
    )
    if [a.shape[k] for k in left] != [b.shape[k] for k in right]:
        raise ShapeError(f"{operation}: the shapes {a.shape} and {b.shape} do not fit along axes {axes}")
    names = iter(LETTERS)
    first, second = [next(names) for _ in range(a.ndim)], [next(names) for _ in range(b.ndim)]
    for k, m in zip(left, right, strict=True):
        second[m] = first[k]
    summed = {first[k] for k in left}
    out = [c for c in first + second if c not in summed]
    return einsum(f"{''.join(first)},{''.join(second)}->{''.join(out)}", a, b)


def vecdot(x1: Any, x2: Any, axis: int = -1) -> Any:
    """The products of vectors along an axis, as one stack of matrix products."""
    a, b = (_axis_last("vecdot", operand(x, "vecdot"), axis) for x in (x1, x2))
    _same_length("vecdot", a.shape[-1], b.shape[-1])
    return matrix_product(a[..., None, :], b[..., :, None])[..., 0, 0]


def matvec(x1: Any, x2: Any) -> Any:
    a, v = _matrix("matvec", x1), _axis_last("matvec", operand(x2, "matvec"), -1)
    return matrix_product(a, v[..., :, None])[..., 0]


def vecmat(x1: Any, x2: Any) -> Any:
    v, a = _axis_last("vecmat", operand(x1, "vecmat"), -1), _matrix("vecmat", x2)
    return matrix_product(v[..., None, :], a)[..., 0, :]


def _axis_last(operation: str, value: Any, axis: int) -> Any:
    return np.moveaxis(value, axis_index(operation, axis, value.ndim), -1)


def _matrix(operation: str, value: Any) -> Any:
    matrix = operand(value, operation)
    if matrix.ndim < 2:
        raise ShapeError(f"{operation}: an operand of shape {matrix.shape} is no matrix")
    return matrix


def _same_length(operation: str, a: int, b: int) -> None:
    if a != b:
        raise ShapeError(f"{operation}: vectors of lengths {a} and {b}")


def multi_dot(arrays: Sequence[Any]) -> Any:
    """The product of several matrices, from the left. One round for each secret product."""
    result = operand(arrays[0], "multi_dot")
    for array in arrays[1:]:
        result = np.matmul(result, operand(array, "multi_dot"))
    return result


def matrix_power(a: S, n: int) -> S:
    """a @ a @ ... by repeated squaring, for n of 1 or more."""
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"matrix_power: a tensor of shape {a.shape} is no stack of square matrices")
    if not isinstance(n, int | np.integer) or n < 1:
        unsupported("matrix_power", f"the exponent must be a public integer of 1 or more, not {n!r}")
    half = matrix_power(a, n // 2) if n > 1 else a
    whole = matmul(half, half) if n > 1 else a
    return matmul(whole, a) if n > 1 and n % 2 else whole


def kron(a: Any, b: Any) -> Any:
    a, b = operand(a, "kron"), operand(b, "kron")
    n = max(a.ndim, b.ndim)
    sizes = [(1,) * (n - t.ndim) + tuple(t.shape) for t in (a, b)]
    apart = [a.reshape([m for k in sizes[0] for m in (k, 1)]), b.reshape([m for k in sizes[1] for m in (1, k)])]
    return either_order(multiply, *apart).reshape([p * q for p, q in zip(*sizes, strict=True)])


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """np.cross of vectors of three elements. Each is opened once: 1 round, 48 bytes a pair."""
    if axis is not None:
        axisa = axisb = axisc = axis
    left, right = _axis_last("cross", operand(a, "cross"), axisa), _axis_last("cross", operand(b, "cross"), axisb)
    if left.shape[-1] != 3 or right.shape[-1] != 3:
        raise ShapeError(f"cross: vectors must have 3 elements, not {left.shape[-1]} and {right.shape[-1]}")
    products = either_order(multiply, left[..., :, None], right[..., None, :])
    forward, back = [1, 2, 0], [2, 0, 1]
    result = subtract(getitem(products, (..., forward, back)), getitem(products, (..., back, forward)))
    return moveaxis(result, -1, axisc)


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """np.convolve of two vectors. Each is opened once."""
    long, short = operand(a, "convolve"), operand(v, "convolve")
    if long.ndim > 1 or short.ndim > 1 or not long.size or not short.size:
        raise ShapeError(f"convolve: operands must be vectors with elements, not of shapes {long.shape} and {short.shape}")
    long, short = (_flat(x) for x in ((long, short) if long.size >= short.size else (short, long)))
    n, m = long.size, short.size
    if mode not in ("full", "same", "valid"):
        raise ShapeError(f"convolve: mode={mode!r}; it must be 'full', 'same' or 'valid'")
    kernel: Any = np.flip(short)
    image, weights = long.reshape((1, 1, 1, n)), kernel.reshape((1, 1, 1, m))
    op = Conv2d(padding=(0, m - 1))
    full = product(op, image, weights) if isinstance(image, Secret) else product(op, weights, image, swapped=True)
    start, size = {"full": (0, n + m - 1), "same": ((m - 1) // 2, n), "valid": (m - 1, n - m + 1)}[mode]
    return getitem(reshape(full, -1), slice(start, start + size))


def covariance(m: S, rowvar: bool = True, bias: bool = False, ddof: int | None = None) -> S:
    """np.cov of one matrix.

    Domain: sums of n products of distances from the mean must be below 2^(62 - 2f); the mean may be anywhere. Error: 3 units,
    plus 2^-f of the product of both deviations. 3 rounds (2 and 4 as in `var`), 8 bytes an element, 8 or 16 for each mean and 8
    for each result. Method: as `var`, and one matrix product.
    """
    if m.ndim > 2:
        raise ShapeError(f"cov: a tensor of shape {m.shape} has more than 2 axes")
    rows = reshape(m, (1, -1)) if m.ndim < 2 else m if rowvar else swapaxes(m, 0, 1)
    count = rows.shape[1] - ((0 if bias else 1) if ddof is None else ddof)
    if count <= 0:
        raise ShapeError(f"cov: {rows.shape[1]} observations have no covariance")
    distances = centered(rows, 1)
    result = divide(matmul(distances, swapaxes(distances, 0, 1)), count)
    return reshape(result, as_numpy("cov", lambda: np.squeeze(np.empty(result.shape, np.uint8)).shape))
