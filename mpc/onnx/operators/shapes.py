"""Operators that move elements, or ask for shapes: no communication, but where an index is secret."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpc import functions
from mpc.onnx.graph import Node
from mpc.onnx.operators.table import Table, argument, integers, is_secret, rearranged, zeros
from mpc.tensor import joining, shaping

TABLE = Table()

_MOVED = "public indices, sizes and axes"


@TABLE.add("Shape", "Size", "EyeLike", shape_only=True, note="public")
def of_shape(node: Node, x: Any) -> Any:
    return node.evaluate(zeros(x))[0]


@TABLE.add("Reshape", public=(1,), note=_MOVED)
def reshape(node: Node, x: Any, shape: Any) -> Any:
    sizes = integers(shape) or []
    if not node.get("allowzero", 0):
        sizes = [x.shape[k] if n == 0 else n for k, n in enumerate(sizes)]
    return x.reshape(sizes)


@TABLE.add("Flatten")
def flatten(node: Node, x: Any) -> Any:
    axis = node.get("axis", 1)
    axis = axis + x.ndim if axis < 0 else axis
    return x.reshape((int(np.prod(x.shape[:axis], dtype=np.int64)), -1 if x.size else 0))


@TABLE.add("Transpose")
def transpose(node: Node, x: Any) -> Any:
    return np.transpose(x, node.get("perm"))


@TABLE.add("Squeeze", public=(1,))
def squeeze(node: Node, x: Any, axes: Any = None) -> Any:
    chosen = argument(node, "axes", axes)
    return np.squeeze(x, None if chosen is None else tuple(chosen))


@TABLE.add("Unsqueeze", public=(1,))
def unsqueeze(node: Node, x: Any, axes: Any = None) -> Any:
    return np.expand_dims(x, tuple(argument(node, "axes", axes) or ()))


@TABLE.add("Expand", public=(1,), note=_MOVED)
def expand(node: Node, x: Any, shape: Any) -> Any:
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(integers(shape) or ())))


@TABLE.add("Tile", public=(1,), note=_MOVED)
def tile(node: Node, x: Any, repeats: Any) -> Any:
    return np.tile(x, integers(repeats) or ())


@TABLE.add("Concat")
def concat(node: Node, *values: Any) -> Any:
    return values[0] if len(values) == 1 else np.concatenate(values, axis=node.get("axis"))


@TABLE.add("Split", public=(1,), note=_MOVED)
def split(node: Node, x: Any, sizes: Any = None) -> Any:
    axis, parts = node.get("axis", 0), len(node.outputs)
    lengths = argument(node, "split", sizes)
    if lengths is None:
        longest = -(-x.shape[axis] // parts)
        lengths = [longest] * (parts - 1) + [x.shape[axis] - longest * (parts - 1)]
    ends = np.cumsum(lengths)
    if len(lengths) != parts or ends[-1] != x.shape[axis]:
        raise ValueError(f"parts of {lengths} do not make up the {x.shape[axis]} of axis {axis}")
    place = axis % x.ndim
    return tuple(x[(*(slice(None),) * place, slice(int(end) - n, int(end)))] for n, end in zip(lengths, ends, strict=True))


@TABLE.add("Slice", public=(1, 2, 3, 4), note=_MOVED)
def cut(node: Node, x: Any, starts: Any, ends: Any, axes: Any = None, steps: Any = None) -> Any:
    first, last = integers(starts) or [], integers(ends) or []
    key = [slice(None)] * x.ndim
    for start, end, axis, step in zip(
        first, last, integers(axes) or range(len(first)), integers(steps) or [1] * len(first), strict=True
    ):
        key[axis] = slice(*_bounds(start, end, step, x.shape[axis]), step)
    return x[tuple(key)]


def _bounds(start: int, end: int, step: int, size: int) -> tuple[int, int | None]:
    """ONNX's start and end as Python's: a negative one counts from the back, and what is beyond an edge is that edge."""
    if step > 0:
        return start, end
    start = start + size if start < 0 else start
    end = end + size if end < 0 else end
    return min(max(start, 0), size - 1), None if end < 0 else end


@TABLE.add("Gather", note="indices public or secret (secret ones not negative)")
def gather(node: Node, x: Any, indices: Any) -> Any:
    axis = node.get("axis", 0)
    if is_secret(indices):
        return functions.take(x, indices, axis)
    if indices.ndim == 0:
        return x[(*(slice(None),) * (axis % x.ndim), int(indices))]
    return np.take(x, np.asarray(indices, np.int64), axis)


@TABLE.add("GatherElements", note="indices public or secret (secret ones not negative)")
def gather_elements(node: Node, x: Any, indices: Any) -> Any:
    if not is_secret(indices):
        return rearranged(node, x, indices)
    axis = node.get("axis", 0) % x.ndim
    part = x[tuple(slice(None) if k == axis else slice(n) for k, n in enumerate(indices.shape))]
    return np.take_along_axis(part, indices, axis)


@TABLE.add("GatherND", "Compress", "ReverseSequence", public=(1,), note="public indices")
def moved(node: Node, x: Any, indices: Any) -> Any:
    return rearranged(node, x, indices)


@TABLE.add("DepthToSpace", "SpaceToDepth")
def blocks(node: Node, x: Any) -> Any:
    return rearranged(node, x)


@TABLE.add("ScatterElements", "Scatter", "ScatterND", public=(1,), note="public indices; reduction none")
def scatter(node: Node, x: Any, indices: Any, updates: Any) -> Any:
    """The numbers of the elements, scattered by the reference, say where each comes from."""
    if node.get("reduction", "none") != "none":
        raise ValueError(f"reduction='{node.get('reduction')}' is not available: add with Add, or a MatMul")
    numbers = np.arange(x.size + updates.size)
    (index,) = node.evaluate(numbers[: x.size].reshape(x.shape), indices, numbers[x.size :].reshape(updates.shape))
    return np.concatenate([x.reshape(-1), updates.reshape(-1)])[np.asarray(index, np.int64)]


@TABLE.add("Trilu", public=(1,))
def triangle(node: Node, x: Any, k: Any = None) -> Any:
    (kept,) = node.evaluate(*([np.ones(x.shape, np.int64)] if k is None else [np.ones(x.shape, np.int64), k]))
    return x * kept if x.dtype != np.bool_ else np.logical_and(x, kept.astype(bool))


@TABLE.add("Pad", public=(1, 2, 3), note="constant (a public value), reflect, edge and wrap; public widths")
def pad(node: Node, x: Any, widths: Any, value: Any = None, axes: Any = None) -> Any:
    amounts, half = integers(widths) or [], len(widths) // 2
    chosen = [axis % x.ndim for axis in integers(axes) or range(half)]
    before, after = [0] * x.ndim, [0] * x.ndim
    for k, axis in enumerate(chosen):
        before[axis], after[axis] = amounts[k], amounts[half + k]
    x = x[tuple(slice(max(0, -b), n - max(0, -a)) for b, a, n in zip(before, after, x.shape, strict=True))]
    added = [(max(0, b), max(0, a)) for b, a in zip(before, after, strict=True)]
    mode = node.get("mode", "constant")
    flat = x.reshape(-1)
    numbers = np.arange(x.size).reshape(x.shape)
    if mode != "constant":
        return flat[np.pad(numbers, added, mode=mode)]
    fill = np.zeros(1, x.dtype) if value is None else np.reshape(value, 1).astype(x.dtype)
    index = np.pad(numbers, added, constant_values=x.size)
    return joining.concatenate([flat, fill], 0, "Pad")[index]


@TABLE.add("OneHot", public=(1, 2), note="indices public or secret (secret ones not negative); public depth and values")
def one_hot(node: Node, indices: Any, depth: Any, values: Any) -> Any:
    size, axis = int(np.reshape(depth, ())), node.get("axis", -1)
    off, on = np.asarray(values)
    hot = functions.one_hot(indices.astype(np.int64), size) * (on - off) + off
    return hot if axis in (-1, hot.ndim - 1) else shaping.moveaxis(hot, -1, axis)
