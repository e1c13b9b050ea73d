"""Putting several tensors and public arrays together: no communication. The result is a new tensor, which is not open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mpc.errors import ShapeError
from mpc.tensor.arithmetic import align_all
from mpc.tensor.base import Array, Secret, unsupported
from mpc.tensor.shapes import as_numpy, as_public, axis_index, stand_in
from mpc.tensor.shaping import at_least, expand_dims, gather, getitem, reshape


def concatenate(values: Any, axis: int | None = 0, operation: str = "concatenate") -> Any:
    """np.concatenate; the kinds follow NumPy's promotion."""
    tensors = align_all(_sequence(values, operation), operation)
    if axis is None:
        tensors, axis = [reshape(t, -1) for t in tensors], 0
    as_numpy(operation, np.concatenate, [stand_in(t.shape) for t in tensors], axis)
    first = tensors[0]
    place = axis_index(operation, axis, first.ndim)
    return first.like(first.context.protocol.concatenate([t.share for t in tensors], place))


def stack(values: Any, axis: int = 0) -> Any:
    """np.stack: along a new axis."""
    tensors = align_all(_sequence(values, "stack"), "stack")
    if len({t.shape for t in tensors}) > 1:
        raise ShapeError(f"stack: all shapes must be equal, not {sorted({t.shape for t in tensors})}")
    return concatenate([expand_dims(t, axis) for t in tensors], axis_index("stack", axis, tensors[0].ndim + 1), "stack")


def _sequence(values: Any, operation: str) -> list[Any]:
    """The operands; a tensor or an array stands for its rows."""
    if isinstance(values, Secret) and values.ndim:
        return [getitem(values, k) for k in range(values.shape[0])]
    return as_numpy(operation, list, values)


def vstack(values: Any) -> Any:
    return concatenate([_at_least(v, 2) for v in _sequence(values, "vstack")], 0, "vstack")


def hstack(values: Any) -> Any:
    parts = [_at_least(v, 1) for v in _sequence(values, "hstack")]
    return concatenate(parts, 0 if parts and parts[0].ndim == 1 else 1, "hstack")


def dstack(values: Any) -> Any:
    return concatenate([_at_least(v, 3) for v in _sequence(values, "dstack")], 2, "dstack")


def column_stack(values: Any) -> Any:
    parts = [_at_least(v, 1) for v in _sequence(values, "column_stack")]
    return concatenate([p[:, None] if p.ndim == 1 else p for p in parts], 1, "column_stack")


def _at_least(value: Any, ndim: int) -> Any:
    if isinstance(value, Secret):
        return at_least(value, ndim)
    array = as_public(value, "concatenate")
    return {1: np.atleast_1d, 2: np.atleast_2d, 3: np.atleast_3d}[ndim](array)


def arrange(operation: str, values: Sequence[Any], function: Callable[[list[Array]], Array]) -> Any:
    """function(arrays) of tensors and public arrays, where NumPy's function only moves elements: by their positions."""
    tensors = align_all(values, operation)
    starts = np.cumsum([0, *(t.size for t in tensors)])
    positions = [np.arange(t.size).reshape(t.shape) + start for t, start in zip(tensors, starts, strict=False)]
    flat = concatenate([reshape(t, -1) for t in tensors], 0, operation)
    return gather(operation, flat, lambda _: function(positions))


def block(arrays: Any) -> Any:
    """np.block of nested lists."""
    leaves: list[Any] = []

    def number(part: Any) -> Any:
        """The same nesting, with the number of each leaf."""
        if isinstance(part, list):
            return [number(p) for p in part]
        leaves.append(part)
        return len(leaves) - 1

    def fill(part: Any, positions: list[Array]) -> Any:
        return [fill(p, positions) for p in part] if isinstance(part, list) else positions[part]

    numbered = number(arrays)
    return arrange("block", leaves, lambda positions: np.block(fill(numbered, positions)))


def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """np.insert at public places; the array or the values are secret, or both."""
    return arrange("insert", [arr, values], lambda positions: np.insert(positions[0], obj, positions[1], axis))


_PADS = ("edge", "reflect", "symmetric", "wrap")


def pad(array: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0, **kwargs: Any) -> Any:
    """np.pad with public constants, or with the array's own elements."""
    if mode in _PADS:
        return gather("pad", array, lambda a: np.pad(a, pad_width, mode, **kwargs))  # type: ignore[call-overload]
    if mode != "constant" or kwargs:
        unsupported("pad", f"mode={mode!r} is not available; {', '.join(('constant', *_PADS))} are")
    frame = as_numpy("pad", np.pad, np.zeros(array.shape), pad_width, constant_values=constant_values)
    inside = as_numpy("pad", np.pad, np.ones(array.shape, bool), pad_width)
    constants = np.asarray(frame, np.result_type(as_public(constant_values, "pad")))[~inside]
    places = np.empty(inside.shape, np.int64)
    places[~inside] = np.arange(array.size, places.size)
    places[inside] = np.arange(array.size)
    joined = concatenate([reshape(array, -1), constants], 0, "pad") if constants.size else reshape(array, -1)
    return gather("pad", joined, lambda _: places)
