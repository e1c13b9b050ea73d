"""Which NumPy functions tensors have: NumPy's name and arguments, our function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mpc.errors import ShapeError
from mpc.tensor import arithmetic, products, reduction, shaping
from mpc.tensor.base import Secret, unsupported

FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.reshape: lambda a, shape, order="C": shaping.reshape(a, shape, order=order),
    np.ravel: lambda a, order="C": shaping.reshape(a, -1, order=order),
    np.transpose: shaping.transpose,
    np.matrix_transpose: lambda x: shaping.swapaxes(x, -1, -2),
    np.swapaxes: shaping.swapaxes,
    np.moveaxis: shaping.moveaxis,
    np.broadcast_to: lambda array, shape, subok=False: shaping.broadcast_to(array, shape),
    np.squeeze: shaping.squeeze,
    np.expand_dims: shaping.expand_dims,
    np.take: lambda a, indices, axis=None: shaping.take(a, indices, axis),
    np.flip: lambda m, axis=None: shaping.flip(m, axis),
    np.concatenate: lambda arrays, axis=0: shaping.concatenate(arrays, axis),
    np.stack: lambda arrays, axis=0: shaping.stack(arrays, axis),
    np.array_split: lambda ary, indices_or_sections, axis=0: shaping.split(ary, indices_or_sections, axis),
    np.where: shaping.where,
    np.sum: lambda a, axis=None, keepdims=False: reduction.total(a, axis, keepdims),
    np.mean: lambda a, axis=None, keepdims=False: reduction.mean(a, axis, keepdims),
    np.var: lambda a, axis=None, ddof=0, keepdims=False: reduction.variance(a, axis, ddof, keepdims),
    np.cumsum: lambda a, axis=None: reduction.cumsum(a, axis),
    np.dot: products.dot,
    np.inner: products.inner,
    np.outer: products.outer,
    np.tensordot: products.tensordot,
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.size if axis is None else a.shape[axis],
    np.copy: lambda a: a,
}


def _register(function: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def keep(ours: Callable[..., Any]) -> Callable[..., Any]:
        FUNCTIONS[function] = ours
        return ours

    return keep


@_register(np.einsum)
def _einsum(*operands: Any, optimize: Any = None) -> Any:
    return products.einsum(*operands)


@_register(np.vdot)
def _vdot(a: Any, b: Any) -> Any:
    flat = [shaping.reshape(v, -1) if isinstance(v, Secret) else np.ravel(v) for v in (a, b)]
    return products.dot(*flat)


@_register(np.split)
def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    n = ary.shape[axis]
    if isinstance(indices_or_sections, int) and n % indices_or_sections:
        raise ShapeError(f"split: {n} elements along axis {axis} do not divide into {indices_or_sections} equal parts")
    return shaping.split(ary, indices_or_sections, axis)


@_register(np.vstack)
def _vstack(tup: Sequence[Any]) -> Any:
    return shaping.concatenate([_at_least_2d(v) for v in tup], 0)


@_register(np.hstack)
def _hstack(tup: Sequence[Any]) -> Any:
    parts = [_at_least_1d(v) if isinstance(v, Secret) else np.atleast_1d(v) for v in tup]
    return shaping.concatenate(parts, 0 if parts[0].ndim == 1 else 1)


@_register(np.column_stack)
def _column_stack(tup: Sequence[Any]) -> Any:
    return shaping.concatenate([v[:, None] if v.ndim == 1 else v for v in tup], 1)


@_register(np.atleast_1d)
def _at_least_1d(x: Any) -> Any:
    return shaping.reshape(x, -1) if isinstance(x, Secret) and x.ndim == 0 else x


@_register(np.atleast_2d)
def _at_least_2d(x: Any) -> Any:
    if not isinstance(x, Secret):
        return np.atleast_2d(x)
    return x if x.ndim > 1 else shaping.reshape(x, (1, -1))


@_register(np.append)
def _append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return shaping.concatenate([arr, values], axis)


@_register(np.diff)
def _diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Differences of neighbours. Local."""
    arithmetic.numeric(a, "diff")
    return a.like(a.context.protocol.linear(a.share, "diff", lambda v: np.diff(v, n, axis)))


@_register(np.average)
def _average(a: Any, axis: int | None = None, weights: Any = None, keepdims: bool = False) -> Any:
    if weights is None:
        return reduction.mean(a, axis, keepdims)
    if isinstance(weights, Secret) or np.ndim(weights) != 1 or axis is None:
        unsupported("average", "weights must be a public vector, along a given axis")
    share = np.asarray(weights, float) / np.sum(weights)
    shape = [1] * a.ndim
    shape[axis] = -1
    return reduction.total(arithmetic.multiply(a, share.reshape(shape)), axis, keepdims)


@_register(np.pad)
def _pad(array: Any, pad_width: Any, mode: str = "constant") -> Any:
    """Zeros around. Local."""
    if mode != "constant":
        unsupported("pad", f"mode={mode!r} is not available; only zeros ('constant') are")
    arithmetic.numeric(array, "pad")
    return array.like(array.context.protocol.linear(array.share, "pad", lambda v: np.pad(v, pad_width)))


def _full(words: Callable[[Any], Any]) -> Callable[..., Any]:
    def make(a: Any, *args: Any) -> Any:
        public = np.broadcast_to(np.asarray(words(*args), a.dtype), a.shape)
        return shaping.lift(a, public)

    return make


FUNCTIONS[np.zeros_like] = _full(lambda: 0)
FUNCTIONS[np.ones_like] = _full(lambda: 1)
FUNCTIONS[np.full_like] = _full(lambda fill_value: fill_value)


def _rearranging(function: Any) -> None:
    """NumPy functions that only move elements, by the positions that they move."""
    FUNCTIONS[function] = lambda a, *args, **kwargs: shaping.gather(a, lambda v: function(v, *args, **kwargs))


for _function in (np.roll, np.repeat, np.tile, np.diagonal, np.rot90, np.fliplr, np.flipud, np.delete, np.resize, np.rollaxis):
    _rearranging(_function)


@_register(np.diag)
def _diag(v: Any, k: int = 0) -> Any:
    """A matrix's diagonal, or the matrix that has a given one."""
    if v.ndim == 2:
        return shaping.gather(v, lambda p: np.diag(p, k))
    return v.like(v.context.protocol.linear(v.share, "diag", lambda p: np.diag(p, k)))


@_register(np.trace)
def _trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return reduction.total(shaping.gather(a, lambda p: np.diagonal(p, offset, axis1, axis2)), -1)


def _triangle(function: Any) -> None:
    def keep(m: Any, k: int = 0) -> Any:
        return arithmetic.multiply(m, function(np.ones(m.shape[-2:], np.int64), k))

    FUNCTIONS[function] = keep


_triangle(np.tril)
_triangle(np.triu)
