"""Rearrangements, and joining: their gradients are rearranged back. All local."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mpc.errors import UsageError
from mpc.nn.rules.arithmetic import fitted
from mpc.nn.rules.rule import Rule, Ruled
from mpc.tensor import Tensor
from mpc.tensor.reduction import linear


def reshape(x: Any, shape: Any, order: str = "C") -> Ruled:
    return np.reshape(x, shape, order=order), lambda g: (np.reshape(g, x.shape, order=order),)  # type: ignore[call-overload]


def transpose(x: Any, axes: Any = None) -> Ruled:
    back = None if axes is None else np.argsort([axis % x.ndim for axis in axes])
    return np.transpose(x, axes), lambda g: (np.transpose(g, back),)


def matrix_transpose(x: Any) -> Ruled:
    return swapaxes(x, -1, -2)


def swapaxes(x: Any, axis1: int, axis2: int) -> Ruled:
    return np.swapaxes(x, axis1, axis2), lambda g: (np.swapaxes(g, axis1, axis2),)


def moveaxis(x: Any, source: Any, destination: Any) -> Ruled:
    return np.moveaxis(x, source, destination), lambda g: (np.moveaxis(g, destination, source),)


def _reshaped(function: Callable[..., Any]) -> Rule:
    """The rule of a function that keeps all elements in their order."""

    def rule(x: Any, *args: Any, **options: Any) -> Ruled:
        return function(x, *args, **options), lambda g: (np.reshape(g, x.shape),)

    return rule


def broadcast_to(x: Any, shape: Any) -> Ruled:
    return np.broadcast_to(x, shape), lambda g: (fitted(g, x),)


def copy(a: Any) -> Ruled:
    return a, lambda g: (g,)


# ---------------------------------------------------------------------------------------- elements that move


def scattered(values: Any, shape: tuple[int, ...], key: Any) -> Any:
    """An array of zeros of that shape, to which `values` are added at `key`."""
    parts = key if isinstance(key, tuple) else (key,)
    once = all(part is None or part is Ellipsis or isinstance(part, slice) or np.ndim(part) == 0 for part in parts)

    def place(array: Any) -> Any:
        result = np.zeros(shape, array.dtype)
        if once:
            result[key] = array
        else:
            np.add.at(result, key, array)
        return result

    return linear("getitem", values, place) if isinstance(values, Tensor) else place(np.asarray(values))


def _moving(function: Callable[..., Any]) -> Rule:
    """The rule of a function that moves elements of its first argument, repeats or leaves out some."""

    def rule(x: Any, *args: Any, **options: Any) -> Ruled:
        value = function(x, *args, **options)

        def pullback(g: Any) -> Any:
            places = function(np.arange(x.size).reshape(x.shape), *args, **options).ravel()
            return (np.reshape(scattered(np.reshape(g, -1), (x.size,), places), x.shape),)

        return value, pullback

    return rule


def _triangle(function: Callable[..., Any]) -> Rule:
    def rule(m: Any, k: int = 0) -> Ruled:
        return function(m, k), lambda g: (function(g, k),)

    return rule


# ---------------------------------------------------------------------------------------- joining


def concatenate(arrays: Sequence[Any], axis: int | None = 0) -> Ruled:
    if isinstance(arrays, Tensor):
        raise UsageError("np.concatenate of variables takes a list of them; to join the rows of one use np.reshape")
    if axis is None:
        joined, pullback = concatenate([np.reshape(a, -1) for a in arrays])
        return joined, lambda g: ([np.reshape(p, np.shape(a)) for p, a in zip(pullback(g)[0], arrays, strict=True)],)
    ends = np.cumsum([np.shape(a)[axis] for a in arrays])[:-1]
    return np.concatenate(arrays, axis), lambda g: (np.split(g, ends, axis),)


def stack(arrays: Sequence[Any], axis: int = 0) -> Ruled:
    if isinstance(arrays, Tensor):
        raise UsageError("np.stack of variables takes a list of them")
    return np.stack(arrays, axis), lambda g: ([np.take(g, k, axis) for k in range(len(arrays))],)


def _joining(function: Callable[..., Any]) -> Rule:
    """The rule of another function that joins a list of arrays."""

    def rule(arrays: Sequence[Any]) -> Ruled:
        value = function(arrays)

        def pullback(g: Any) -> Any:
            ends = np.cumsum([np.size(a) for a in arrays])
            starts = [end - np.size(a) for end, a in zip(ends, arrays, strict=True)]
            places = function([np.arange(s, e).reshape(np.shape(a)) for s, e, a in zip(starts, ends, arrays, strict=True)])
            back = np.reshape(g, -1)[np.argsort(places, axis=None)]
            return ([np.reshape(back[s:e], np.shape(a)) for s, e, a in zip(starts, ends, arrays, strict=True)],)

        return value, pullback

    return rule


def diag(v: Any, k: int = 0) -> Ruled:
    """The diagonal of a matrix, or the matrix of a diagonal."""
    return _moving(np.diag)(v, k) if v.ndim == 2 else (np.diag(v, k), lambda g: (np.diag(g, k),))


def diagflat(v: Any, k: int = 0) -> Ruled:
    return np.diagflat(v, k), lambda g: (np.reshape(np.diag(g, k), v.shape),)


def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Ruled:
    if isinstance(indices, Tensor):
        raise UsageError("take_along_axis by secret indices has no gradient here; use np.take, or a product with one_hot")
    return _moving(np.take_along_axis)(arr, indices, axis)


RULES: dict[str, Rule] = {
    "reshape": reshape,
    "transpose": transpose,
    "matrix_transpose": matrix_transpose,
    "linalg.matrix_transpose": matrix_transpose,
    "swapaxes": swapaxes,
    "moveaxis": moveaxis,
    "broadcast_to": broadcast_to,
    "copy": copy,
    "real": copy,
    "conjugate": copy,
    "diag": diag,
    "diagflat": diagflat,
    "take_along_axis": take_along_axis,
    "concatenate": concatenate,
    "stack": stack,
}
RULES |= {f.__name__: _reshaped(f) for f in (np.expand_dims, np.squeeze, np.ravel, np.atleast_1d, np.atleast_2d, np.atleast_3d)}
RULES |= {f.__name__: _triangle(f) for f in (np.triu, np.tril)}
RULES |= {f.__name__: _joining(f) for f in (np.vstack, np.hstack, np.dstack, np.column_stack)}
RULES |= {
    f.__name__: _moving(f)
    for f in (
        np.flip,
        np.fliplr,
        np.flipud,
        np.rot90,
        np.roll,
        np.rollaxis,
        np.tile,
        np.repeat,
        np.delete,
        np.resize,
        np.diagonal,
    )
}
RULES["linalg.diagonal"] = _moving(np.linalg.diagonal)


# ---------------------------------------------------------------------------------------- by indexing


def _split(function: Callable[..., Any]) -> Callable[..., Any]:
    def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
        parts = function(np.arange(ary.shape[axis]), indices_or_sections)
        before = (slice(None),) * (axis % ary.ndim)
        return [ary[(*before, slice(int(part[0]), int(part[-1]) + 1) if part.size else slice(0))] for part in parts]

    return split


def _split_along(place: int) -> Callable[..., Any]:
    return lambda ary, indices_or_sections: np.split(ary, indices_or_sections, min(place, ary.ndim - 1))


def unstack(x: Any, axis: int = 0) -> tuple[Any, ...]:
    return tuple(np.take(x, k, axis) for k in range(x.shape[axis]))


def broadcast_arrays(*arrays: Any) -> tuple[Any, ...]:
    shape = np.broadcast_shapes(*map(np.shape, arrays))
    return tuple(np.broadcast_to(a, shape) for a in arrays)


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return np.concatenate([arr, values], axis)


def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    before = (slice(None),) * (axis % a.ndim)
    for _ in range(n):
        a = a[(*before, slice(1, None))] - a[(*before, slice(None, -1))]
    return a


COMPOSED: dict[str, Callable[..., Any]] = {
    "split": _split(np.split),
    "array_split": _split(np.array_split),
    "vsplit": _split_along(0),
    "hsplit": _split_along(1),
    "dsplit": _split_along(2),
    "unstack": unstack,
    "broadcast_arrays": broadcast_arrays,
    "append": append,
    "diff": diff,
}
