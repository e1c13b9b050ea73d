"""Padding of the last axes, and windows of images as columns, by PyTorch's names. No communication."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from mpc.errors import OptionError, ShapeError
from mpc.tensor.base import Array, Secret, Shape
from mpc.tensor.joining import concatenate
from mpc.tensor.reduction import linear
from mpc.tensor.shapes import as_numpy
from mpc.tensor.shaping import getitem, reshape
from mpc.tensor.windows import places
from mpc.tensor.windows.parameters import check_axes, per_axis, sides

_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """`input` with (before, after) of the last axis, then of the one before it, ...; negative numbers cut off.

    mode: "constant" with a public value (0), "reflect", "replicate" or "circular". A constant makes a new tensor, which is not
    open; the others move elements, and keep an opening.
    """
    x = input
    for axis, origin in _origins(input.shape, pad, mode, value):
        inside = np.flatnonzero(origin >= 0)
        x = getitem(x, (slice(None),) * axis + (origin[inside],))
        edges = [int(inside[0]), origin.size - 1 - int(inside[-1])] if inside.size else [origin.size, 0]
        if any(edges):
            first, last = (np.full((*x.shape[:axis], n, *x.shape[axis + 1 :]), value or 0) for n in edges)
            x = concatenate([v for v in (first, x, last) if v.shape[axis]], axis, "pad")
    return x


def pad_gradient(g: Any, shape: Shape, pad: Any, mode: str = "constant") -> Any:
    """The gradient of `pad` with respect to an input of that shape: sums of what came from one place. Local."""

    def back(array: Array) -> Array:
        for axis, origin in reversed(list(_origins(shape, pad, mode, None))):
            inside = np.flatnonzero(origin >= 0)
            part = np.take(array, inside, axis)
            array = places.collected(part, origin[inside], shape[axis], axis - array.ndim)
        return array

    return linear("pad", g, back) if isinstance(g, Secret) else back(g)


def _origins(shape: Shape, pad: Any, mode: str, value: float | None) -> Iterator[tuple[int, Array]]:
    """For each padded axis where its places come from; -1 for a constant."""
    widths = as_numpy("pad", lambda: tuple(operator.index(n) for n in pad))
    if len(widths) % 2 or len(widths) > 2 * len(shape):
        raise ShapeError(f"pad: {widths} is no pair for each of the last axes of a tensor of shape {shape}")
    if mode != "constant" and (mode not in _MODES or value is not None):
        raise OptionError(f"pad: mode={mode!r} with value={value}: 'constant' has a value; {', '.join(_MODES)} have none")
    for k in range(len(widths) // 2):
        axis, (before, after) = len(shape) - 1 - k, widths[2 * k : 2 * k + 2]
        kept = np.arange(shape[axis])[max(-before, 0) : shape[axis] - max(-after, 0)]
        more = max(before, 0), max(after, 0)
        if mode == "constant":
            yield axis, np.pad(kept, more, constant_values=-1)
        else:
            yield axis, as_numpy("pad", np.pad, kept, more, _MODES[mode])


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The windows of images (N, C, H, W) as columns: (N, C * kH * kW, number of windows). Views, which keep an opening."""
    windows, border = _columns(input.shape, kernel_size, dilation, padding, stride)
    columns: Any = np.moveaxis(windows.gather(pad(input, border)), 0, 2)
    return reshape(columns, (*input.shape[:1], input.shape[1] * columns.shape[2], -1))


def unfold_gradient(g: Any, shape: Shape, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The gradient of `unfold` with respect to an input of that shape: sums of what came from one place. Local."""
    windows, border = _columns(shape, kernel_size, dilation, padding, stride)
    split = g.reshape((*shape[:2], -1, *map(len, windows.places)))

    def back(array: Array) -> Array:
        return windows.scatter(np.moveaxis(array, 2, 0))

    return pad_gradient(linear("unfold", split, back) if isinstance(g, Secret) else back(split), shape, border)


def _columns(shape: Shape, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> tuple[places.Windows, Shape]:
    """The windows of padded images, and their padding, as `pad` has it."""
    check_axes("unfold", "the input", shape, (4,), "(N, C, H, W)")
    options = (("kernel_size", kernel_size), ("stride", stride), ("dilation", dilation))
    kernels, steps, dilations = (per_axis("unfold", name, value, 2) for name, value in options)
    rows, columns = sides("unfold", padding, kernels, steps, dilations)
    size = (shape[2] + sum(rows), shape[3] + sum(columns))
    each = zip(size, kernels, steps, dilations, strict=True)
    windows = tuple(places.of_kernel("unfold", n, k, s, (0, 0), d) for n, k, s, d in each)
    return places.Windows(windows, size), (*columns, *rows)
