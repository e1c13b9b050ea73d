"""Moving elements of one tensor about: no communication, and an opening made before still serves afterwards."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from mpc.contract import BroadcastTo, Index, Reshape, Transpose
from mpc.errors import IndexingError, ShapeError
from mpc.tensor.base import Array, Secret, Shape, unsupported
from mpc.tensor.shapes import as_numpy, as_public, as_sizes, axis_index, axis_tuple, broadcast, stand_in

S = TypeVar("S", bound=Secret)


def reshape(x: S, shape: Any, order: str = "C") -> S:
    """The same elements in another shape; one size may be -1."""
    if order not in ("C", "A", "K"):
        unsupported("reshape", f"order={order!r} is not available; only 'C' is")
    sizes = as_sizes("reshape", shape)
    return x.viewed(Reshape(as_numpy("reshape", lambda: stand_in(x.shape).reshape(sizes).shape)))


def transpose(x: S, axes: Sequence[int] | None = None) -> S:
    """Axes in another order, the reverse of now by default."""
    order = tuple(range(x.ndim))[::-1] if axes is None else axis_tuple("transpose", tuple(axes), x.ndim)
    if len(order) != x.ndim:
        raise ShapeError(f"transpose: axes {axes} do not match a tensor of shape {x.shape}")
    return x.viewed(Transpose(order))


def matrix_transpose(x: S) -> S:
    if x.ndim < 2:
        raise ShapeError(f"matrix_transpose: a tensor of shape {x.shape} is no matrix")
    return swapaxes(x, -1, -2)


def swapaxes(x: S, axis1: int, axis2: int) -> S:
    order = list(range(x.ndim))
    a, b = (axis_index("swapaxes", axis, x.ndim) for axis in (axis1, axis2))
    order[a], order[b] = order[b], order[a]
    return transpose(x, order)


def moveaxis(x: S, source: Any, destination: Any) -> S:
    return transpose(x, _order("moveaxis", x, lambda a: np.moveaxis(a, source, destination)))


def rollaxis(x: S, axis: int, start: int = 0) -> S:
    return transpose(x, _order("rollaxis", x, lambda a: np.rollaxis(a, axis, start)))


def _order(operation: str, x: Secret, move: Callable[[Array], Array]) -> Shape:
    """The order of axes after `move`: axis k of the stand-in has size k."""
    return tuple(as_numpy(operation, move, np.empty(tuple(range(x.ndim)), np.uint8)).shape)


def broadcast_to(x: S, shape: Any) -> S:
    sizes = as_sizes("broadcast_to", shape)
    as_numpy("broadcast_to", np.broadcast_to, stand_in(x.shape), sizes)
    return x.viewed(BroadcastTo(sizes))


def squeeze(x: S, axis: Any = None) -> S:
    return reshape(x, as_numpy("squeeze", lambda: np.squeeze(stand_in(x.shape), axis).shape))


def expand_dims(x: S, axis: Any) -> S:
    return reshape(x, as_numpy("expand_dims", lambda: np.expand_dims(stand_in(x.shape), axis).shape))


def at_least(x: S, ndim: int) -> S:
    """NumPy's atleast_1d, atleast_2d and atleast_3d."""
    function = {1: np.atleast_1d, 2: np.atleast_2d, 3: np.atleast_3d}[ndim]
    return x if x.ndim >= ndim else reshape(x, function(stand_in(x.shape)).shape)


# ---------------------------------------------------------------------------------------- choosing elements


def getitem(x: S, key: Any) -> S:
    """x[key] for public keys: integers, slices, None, Ellipsis, integer and boolean arrays."""
    clean = tuple(_public_key(part) for part in (key if isinstance(key, tuple) else (key,)))
    as_numpy("indexing", lambda: stand_in(x.shape)[clean])  # before anything else, so that all parties agree
    return x.viewed(Index(clean))


def _public_key(part: Any) -> Any:
    """One part of a key, in an array of its own if it is one: a view keeps it."""
    if part is None or part is Ellipsis or isinstance(part, slice):
        return part
    if isinstance(part, int | np.integer) and not isinstance(part, bool):
        return operator.index(part)
    if isinstance(part, Secret):
        unsupported("indexing", "a secret index cannot be combined with others; use x[index], or np.take(x, index, axis)")
    array = as_numpy("indexing", np.asarray, part)
    if array.size == 0 and isinstance(part, list):
        return array.astype(np.int64)
    if array.dtype.kind not in "biu":
        raise IndexingError(f"indexing: an index must be integers, slices, ..., None, or booleans, not {array.dtype}")
    return array.astype(bool if array.dtype.kind == "b" else np.int64)


def gather(operation: str, x: S, rearrange: Callable[..., Array], *args: Any, **kwargs: Any) -> S:
    """Any rearrangement that NumPy can do, `rearrange(array, ...)`, by the positions that it moves."""
    positions = as_numpy(operation, rearrange, np.arange(x.size).reshape(x.shape), *args, **kwargs)
    return x.viewed(Reshape((-1,))).viewed(Index((np.array(positions, np.int64),)))


def take(x: S, indices: Any, axis: int | None = None, mode: str = "raise") -> S:
    """Elements of the flattened tensor, or slices along an axis, by public indices."""
    index = as_public(indices, "take")
    if mode != "raise" or index.dtype.kind not in "iu":
        return gather("take", x, lambda a: np.asarray(np.take(a, index, axis, mode=mode)))  # type: ignore[call-overload]
    if axis is None:
        return getitem(reshape(x, -1), index)
    return getitem(x, (slice(None),) * axis_index("take", axis, x.ndim) + (index,))


def take_along_axis(x: S, indices: Any, axis: int | None = -1) -> S:
    return gather("take_along_axis", x, np.take_along_axis, _public_key(indices), axis)


def flip(x: S, axis: Any = None) -> S:
    axes = axis_tuple("flip", axis, x.ndim)
    return x.viewed(Index(tuple(slice(None, None, -1) if k in axes else slice(None) for k in range(x.ndim))))


def split(operation: str, x: S, sections: Any, axis: int = 0) -> list[S]:
    """np.array_split; for the others NumPy's rules about equal parts."""
    axis = axis_index(operation, axis, x.ndim)
    function = np.array_split if operation == "array_split" else np.split
    parts = as_numpy(operation, function, np.arange(x.shape[axis]), sections)
    slices = [slice(int(part[0]), int(part[-1]) + 1) if part.size else slice(0) for part in parts]
    return [getitem(x, (slice(None),) * axis + (s,)) for s in slices]


def unstack(x: S, axis: int = 0) -> tuple[S, ...]:
    axis = axis_index("unstack", axis, x.ndim)
    return tuple(getitem(x, (slice(None),) * axis + (k,)) for k in range(x.shape[axis]))


def broadcast_arrays(*values: Any) -> tuple[Any, ...]:
    """All of them in their common shape; public arrays stay public."""
    arrays = [v if isinstance(v, Secret) else as_public(v, "broadcast_arrays") for v in values]
    shape: Shape = broadcast("broadcast_arrays", *(a.shape for a in arrays))
    return tuple(broadcast_to(a, shape) if isinstance(a, Secret) else np.broadcast_to(a, shape) for a in arrays)
