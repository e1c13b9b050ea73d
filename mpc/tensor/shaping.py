"""Moving elements of tensors about: no communication, and an opening made before still serves afterwards."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from mpc.contract import MULTIPLY, BroadcastTo, Index, Reshape, Transpose
from mpc.errors import ShapeError
from mpc.tensor.arithmetic import align, fitting
from mpc.tensor.base import Array, Secret, as_public, same_program, unsupported
from mpc.tensor.encoding import encode_public

S = TypeVar("S", bound=Secret)


def reshape(x: S, *shape: Any, order: str = "C") -> S:
    if order != "C":
        unsupported("reshape", f"order={order!r} is not available; only 'C' is")
    wanted = shape[0] if len(shape) == 1 and not hasattr(shape[0], "__index__") else shape
    try:
        sizes = np.broadcast_to(np.uint8(0), x.shape).reshape(tuple(wanted)).shape
    except ValueError:
        raise ShapeError(f"reshape: a tensor of shape {x.shape} has no shape {tuple(wanted)}") from None
    return x.view(Reshape(sizes))


def transpose(x: S, axes: Sequence[int] | None = None) -> S:
    order = tuple(range(x.ndim))[::-1] if axes is None else normalize_axis_tuple(tuple(axes), x.ndim, "axes")
    if len(order) != x.ndim:
        raise ShapeError(f"transpose: axes {axes} do not match a tensor of shape {x.shape}")
    return x.view(Transpose(order))


def swapaxes(x: S, axis1: int, axis2: int) -> S:
    order = list(range(x.ndim))
    a, b = normalize_axis_index(axis1, x.ndim), normalize_axis_index(axis2, x.ndim)
    order[a], order[b] = order[b], order[a]
    return transpose(x, order)


def moveaxis(x: S, source: Any, destination: Any) -> S:
    sources, targets = (normalize_axis_tuple(a, x.ndim) for a in (source, destination))
    order = [axis for axis in range(x.ndim) if axis not in sources]
    for target, axis in sorted(zip(targets, sources, strict=True)):
        order.insert(target, axis)
    return transpose(x, order)


def broadcast_to(x: S, shape: Any) -> S:
    shape = (operator.index(shape),) if hasattr(shape, "__index__") else tuple(shape)
    fitting("broadcast_to", lambda a, b: np.broadcast_to(np.empty(a, np.uint8), b), x.shape, shape)
    return x.view(BroadcastTo(shape))


def squeeze(x: S, axis: Any = None) -> S:
    ones = [k for k, n in enumerate(x.shape) if n == 1]
    chosen = ones if axis is None else normalize_axis_tuple(axis, x.ndim)
    if any(k not in ones for k in chosen):
        raise ShapeError(f"squeeze: an axis in {axis} of a tensor of shape {x.shape} is not of size 1")
    return reshape(x, tuple(n for k, n in enumerate(x.shape) if k not in chosen))


def expand_dims(x: S, axis: Any) -> S:
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    new = normalize_axis_tuple(axes, x.ndim + len(axes))
    sizes = iter(x.shape)
    return reshape(x, tuple(1 if k in new else next(sizes) for k in range(x.ndim + len(axes))))


def getitem(x: S, key: Any) -> S:
    """x[key] for public keys: integers, slices, None, Ellipsis, integer and boolean arrays."""
    parts = key if isinstance(key, tuple) else (key,)
    clean = tuple(_public_key(part) for part in parts)
    np.broadcast_to(np.uint8(0), x.shape)[clean]  # NumPy's own IndexError, before anything else
    return x.view(Index(clean))


def _public_key(part: Any) -> Any:
    if isinstance(part, Secret):
        unsupported("indexing", "an index must be public; a secret cannot steer which element is read")
    if part is None or part is Ellipsis or isinstance(part, slice):
        return part
    if hasattr(part, "__index__") and not isinstance(part, bool | np.ndarray):
        return operator.index(part)
    array = as_public(part, "indexing")
    return array.astype(np.int64) if array.size == 0 and not isinstance(part, np.ndarray) else array


def gather(x: S, rearrange: Callable[[Array], Array]) -> S:
    """Any rearrangement that NumPy can do, by the positions that it moves."""
    positions = rearrange(np.arange(int(np.prod(x.shape, dtype=np.int64))).reshape(x.shape))
    return x.view(Reshape((-1,))).view(Index((np.asarray(positions),)))


def flip(x: S, axis: Any = None) -> S:
    axes = range(x.ndim) if axis is None else normalize_axis_tuple(axis, x.ndim)
    return x.view(Index(tuple(slice(None, None, -1) if k in axes else slice(None) for k in range(x.ndim))))


def take(x: S, indices: Any, axis: int | None = None) -> S:
    _public_key(indices)
    if axis is None:
        return getitem(reshape(x, -1), np.asarray(indices))
    axis = normalize_axis_index(axis, x.ndim)
    return getitem(x, (slice(None),) * axis + (np.asarray(indices),))


def split(x: S, sections: Any, axis: int = 0) -> list[S]:
    """np.array_split; np.split checks that the sections are equal first."""
    axis = normalize_axis_index(axis, x.ndim)
    parts = np.array_split(np.arange(x.shape[axis]), sections)
    starts = [0, *np.cumsum([len(p) for p in parts])]
    return [getitem(x, (slice(None),) * axis + (slice(int(a), int(b)),)) for a, b in zip(starts, starts[1:], strict=False)]


# ---------------------------------------------------------------------------------------- joining


def as_secrets(values: Sequence[Any], operation: str) -> list[Any]:
    """All values as tensors of one kind and scale; public arrays become trivial shares."""
    first = next((v for v in values if isinstance(v, Secret)), None)
    if first is None:
        unsupported(operation, "none of the operands is secret")
    tensors = [v if isinstance(v, Secret) else lift(first, as_public(v, operation)) for v in values]
    same_program(tensors, operation)
    return align(tensors)


def lift(like: S, public: Array) -> S:
    """A public array as a tensor of the same program as `like`."""
    return like.constant(*encode_public(like.context, public, "public operand"))


def concatenate(values: Sequence[Any], axis: int | None = 0) -> Any:
    tensors = as_secrets(list(values), "concatenate")
    if axis is None:
        tensors, axis = [reshape(t, -1) for t in tensors], 0
    shapes = [t.shape for t in tensors]
    fitting("concatenate", lambda *s: np.concatenate([np.empty(a, np.uint8) for a in s], axis), *shapes)
    axis = normalize_axis_index(axis, tensors[0].ndim)
    return tensors[0].like(tensors[0].context.protocol.concatenate([t.share for t in tensors], axis))


def stack(values: Sequence[Any], axis: int = 0) -> Any:
    tensors = as_secrets(list(values), "stack")
    if len({t.shape for t in tensors}) > 1:
        raise ShapeError(f"stack: all shapes must be equal, not {sorted({t.shape for t in tensors})}")
    return concatenate([expand_dims(t, axis) for t in tensors], axis)


def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the public condition holds, else y. Local."""
    if isinstance(condition, Secret):
        unsupported("where", "selection by a secret condition is not available; the condition must be public")
    chosen = np.asarray(condition).astype(bool)
    x, y = as_secrets([x, y], "where")
    shape = fitting("where", np.broadcast_shapes, chosen.shape, x.shape, y.shape)
    protocol = x.context.protocol
    if x.kind == "bool":
        return x.like(protocol.xor(protocol.and_(x.share, chosen), protocol.and_(y.share, ~chosen)))
    ones, rest = (np.broadcast_to(c, shape).astype(np.uint64) for c in (chosen, ~chosen))
    return x.like(protocol.add(protocol.bilinear(MULTIPLY, x.share, ones), protocol.bilinear(MULTIPLY, y.share, rest)))
