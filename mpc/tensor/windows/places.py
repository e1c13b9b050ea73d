"""Where windows are: for each axis, the places that each window covers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from mpc.errors import OptionError, ShapeError
from mpc.tensor.base import Array, Secret
from mpc.tensor.shaping import getitem, reshape, transpose
from mpc.tensor.windows.parameters import Pair, per_axis

S = TypeVar("S", bound=Secret)


def count(operation: str, size: int, kernel: int, stride: int, padding: Pair, dilation: int, ceil_mode: bool) -> int:
    """How many windows an axis has. With ceil_mode also one that is cut off, if it starts before the padding behind."""
    room = size + sum(padding) - dilation * (kernel - 1) - 1
    if room < 0:
        raise ShapeError(f"{operation}: a window of {dilation * (kernel - 1) + 1} is larger than the padded axis of {size}")
    if not ceil_mode:
        return room // stride + 1
    windows = -(-room // stride) + 1
    return windows - 1 if (windows - 1) * stride >= size + padding[0] else windows


def of_kernel(
    operation: str, size: int, kernel: int, stride: int, padding: Pair, dilation: int = 1, ceil_mode: bool = False
) -> Array:
    """Places (windows, kernel) of an axis. One outside of it is replaced by the next one inside that the window has."""
    start = np.arange(count(operation, size, kernel, stride, padding, dilation, ceil_mode))[:, None] * stride - padding[0]
    first, last = -(np.minimum(start, 0) // dilation), np.minimum((size - 1 - start) // dilation, kernel - 1)
    if np.any(first > last):
        raise ShapeError(f"{operation}: a window of {kernel} has nothing but padding: {padding} is too much for a size of {size}")
    return np.asarray(start + np.clip(np.arange(kernel), first, last) * dilation)


def padded_intervals(operation: str, size: int, kernel: int, stride: int, padding: Pair, ceil_mode: bool) -> tuple[Array, Array]:
    """The starts and the ends of windows, which may begin and end in the padding."""
    starts = np.arange(count(operation, size, kernel, stride, padding, 1, ceil_mode)) * stride - padding[0]
    return starts, np.minimum(starts + kernel, size + padding[1])


def evenly(operation: str, size: tuple[int, ...], windows: Any) -> tuple[tuple[Array, Array], ...]:
    """For each axis the starts and the ends of so many windows that cover it evenly; as many as there are places, for None."""
    try:
        given = (windows,) * len(size) if windows is None else tuple(windows)
    except TypeError:
        given = (windows,) * len(size)
    if len(given) != len(size):
        raise OptionError(f"{operation}: output_size={windows!r}: give one number, or {len(size)} of them")
    counts = [per_axis(operation, "output_size", n if w is None else w, 1)[0] for n, w in zip(size, given, strict=True)]
    return tuple((k * n // w, -(-(k + 1) * n // w)) for n, w in zip(size, counts, strict=True) for k in [np.arange(w)])


def of_intervals(starts: Array, ends: Array) -> Array:
    """Places of windows of different lengths: the last one of the shorter ones repeats."""
    longest = int(np.max(ends - starts))
    return np.asarray(np.minimum(starts[:, None] + np.arange(longest), ends[:, None] - 1))


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows on the last axes of a tensor: for each axis the places (windows, kernel), and its size."""

    places: tuple[Array, ...]
    size: tuple[int, ...]

    def gather(self, x: S) -> S:
        """(k, ..., H', W') of (..., H, W): what each window has at each of its k places. Views, which keep an opening."""
        axes = len(self.places)
        for axis, places in enumerate(self.places):
            x = getitem(x, (..., _key(places), *(slice(None),) * (axes - axis - 1)))
        front = x.shape[: x.ndim - axes]
        split = reshape(x, (*front, *(n for places in self.places for n in places.shape)))
        windows, kernel = _alternate(len(front), axes)
        return reshape(transpose(split, (*kernel, *range(len(front)), *windows)), (-1, *front, *map(len, self.places)))

    def scatter(self, x: Array) -> Array:
        """The adjoint of `gather`, of an array: each place gets the sum of what the windows have for it."""
        axes = len(self.places)
        front = x.shape[1 : x.ndim - axes]
        windows, kernel = _alternate(len(front), axes)
        split = x.reshape((*(p.shape[1] for p in self.places), *front, *map(len, self.places)))
        x = split.transpose(np.argsort((*kernel, *range(len(front)), *windows))).reshape((*front, *(p.size for p in self.places)))
        for axis, (places, size) in enumerate(zip(self.places, self.size, strict=True)):
            x = collected(x, places, size, axis - axes)
        return np.asarray(x)


def _alternate(front: int, axes: int) -> tuple[range, range]:
    """The axes of windows and of places in a window, in turns behind those in front."""
    return range(front, front + 2 * axes, 2), range(front + 1, front + 2 * axes, 2)


def _key(places: Array) -> Any:
    """As a slice where that is enough: then nothing is copied."""
    flat = places.reshape(-1)
    return slice(0, flat.size) if np.array_equal(flat, np.arange(flat.size)) else flat


def collected(x: Array, places: Array, size: int, axis: int) -> Array:
    """Sums of the slices of x along an axis that have the same place."""
    flat = places.reshape(-1)
    if np.array_equal(flat, np.arange(size)):
        return x
    present, starts = np.unique(np.sort(flat), return_index=True)
    sums = np.add.reduceat(np.take(x, np.argsort(flat, kind="stable"), axis), starts, axis)
    result = np.zeros((*x.shape[:axis], size, *sums.shape[x.ndim + axis + 1 :]), x.dtype)
    np.moveaxis(result, axis, 0)[present] = np.moveaxis(sums, axis, 0)
    return result


def interval_sums(starts: Array, ends: Array, axis: int) -> Callable[[Array], Array]:
    """The sums of an array along an axis from each start to its end, as a function of the array."""
    edges, some = np.stack([starts, ends], 1).reshape(-1), np.asarray(ends > starts)

    def sums(x: Array) -> Array:
        last = np.moveaxis(x, axis, -1)
        room = np.concatenate([last, np.zeros((*last.shape[:-1], 1), x.dtype)], -1)  # an edge may be the end of the axis
        result = np.add.reduceat(room, edges, -1)[..., ::2] * some.astype(x.dtype)
        return np.asarray(np.moveaxis(result, -1, axis))

    return sums


def adjoint(starts: Array, ends: Array, size: int) -> tuple[Array, Array]:
    """For each place of an axis of that size the first interval that contains it, and the first one after it that does not."""
    places = np.arange(size)
    return np.searchsorted(ends, places, "right"), np.searchsorted(starts, places, "right")
