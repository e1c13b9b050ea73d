"""Pools: the largest or the mean of each window of images (N, C, H, W) or (C, H, W), and of sequences with L for H, W.

The largest by `extrema`: the input is opened once, also where windows overlap, and all windows play at the same time. For 2 x 2
elements in a window: 5 rounds and 15 bytes an element of the input; for 2^18 or more 8 rounds and 15.5 bytes, with 3/4 of the
dealing. 3 x 3, overlapping: 6 rounds while there are few windows, else 10. Its gradient needs no comparison: the bits of the
forward pass tell where the largest was (for one round more, where there were several levels), and it takes 1 round, 8 bytes a
window and 1/8 a candidate. Means are local, and so are their gradients; they are truncated when they are next needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeVar

import numpy as np

from mpc.tensor import extrema
from mpc.tensor.base import Array, Secret
from mpc.tensor.multiplication import divide
from mpc.tensor.reduction import linear
from mpc.tensor.selection import where
from mpc.tensor.windows import places
from mpc.tensor.windows.parameters import Pair, check_axes, per_axis, sides
from mpc.tensor.windows.places import Windows

S = TypeVar("S", bound=Secret)


def max_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Any:
    """The largest of each window of (..., H, W). `stride` is the kernel's size, if it is not given; padding never wins."""
    return largest(input, max_windows("max_pool2d", input, 2, kernel_size, stride, padding, dilation, ceil_mode))


def max_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Any:
    """The largest of each window of (..., L). As `max_pool2d`."""
    return largest(input, max_windows("max_pool1d", input, 1, kernel_size, stride, padding, dilation, ceil_mode))


def adaptive_max_pool2d(input: Any, output_size: Any) -> Any:
    """The largest of each of (rows, columns) windows that cover the images evenly; None leaves an axis as it is."""
    return largest(input, adaptive_windows("adaptive_max_pool2d", input, 2, output_size))


def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each window of (..., H, W); padding counts as zeros, or not at all. Local; truncated when next needed."""
    return mean_windows("avg_pool2d", input, 2, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)(
        input
    )


def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each window of (..., L). As `avg_pool2d`."""
    return mean_windows("avg_pool1d", input, 1, kernel_size, stride, padding, ceil_mode, count_include_pad, None)(input)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The mean of each of (rows, columns) windows that cover the images evenly; None leaves an axis as it is. Local."""
    return adaptive_means("adaptive_avg_pool2d", input, 2, output_size)(input)


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """The mean of each of so many windows that cover the sequences evenly. Local."""
    return adaptive_means("adaptive_avg_pool1d", input, 1, output_size)(input)


# ---------------------------------------------------------------------------------------- the largest


def max_windows(
    operation: str, x: Secret, axes: int, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Windows:
    """The windows of a pool with this kernel on the last axes of x."""
    size = _size(operation, x, axes)
    kernels, steps, pads = _kernel(operation, axes, kernel, stride, padding)
    dilations = per_axis(operation, "dilation", dilation, axes)
    each = zip(size, kernels, steps, pads, dilations, strict=True)
    return Windows(tuple(places.of_kernel(operation, *options, ceil_mode) for options in each), size)


def adaptive_windows(operation: str, x: Secret, axes: int, output_size: Any) -> Windows:
    """So many windows for each of the last axes of x."""
    size = _size(operation, x, axes)
    intervals = places.evenly(operation, size, output_size)
    return Windows(tuple(places.of_intervals(*each) for each in intervals), size)


def largest(x: S, windows: Windows) -> S:
    """The largest of each window: (..., H', W')."""
    return extrema.maximum_of(x, windows.gather)


def largest_and_winner(x: S, windows: Windows) -> tuple[S, S]:
    """`largest`, and booleans (k, ..., H', W') with one True for each window: at the place of the (first) largest."""
    return extrema.maximum_and_winner(x, windows.gather)


def largest_gradient(g: Any, winner: S, windows: Windows) -> S:
    """The gradient of `largest` with respect to x: each window's goes to where its largest is. 1 round, g being open or not."""
    chosen: S = where(winner, g, 0)
    return linear("max_pool", chosen, windows.scatter)


# ---------------------------------------------------------------------------------------- means


@dataclass(frozen=True, eq=False)
class Means:
    """Means of windows on the last axes of a tensor: for each axis the starts and ends of the windows, and its size."""

    intervals: tuple[tuple[Array, Array], ...]
    size: tuple[int, ...]
    divisor: Any  # a number, or one for each window

    def __call__(self, x: S) -> S:
        """The mean of each window: (..., H', W'). Local."""
        sums: S = self._sums(x, self.intervals)
        return divide(sums, self.divisor)

    def gradient(self, g: Any) -> Any:
        """The gradient of the means with respect to x; of a public g a public one. Local."""
        covering = tuple(places.adjoint(*each, n) for each, n in zip(self.intervals, self.size, strict=True))
        return self._sums(g / self.divisor, covering)

    def _sums(self, x: Any, intervals: tuple[tuple[Array, Array], ...]) -> Any:
        for axis, each in enumerate(intervals):
            sums = places.interval_sums(*each, axis - len(intervals))
            x = linear("avg_pool", x, sums) if isinstance(x, Secret) else sums(x)
        return x


def mean_windows(
    operation: str,
    x: Secret,
    axes: int,
    kernel: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None,
) -> Means:
    """The means of a pool with this kernel on the last axes of x."""
    size = _size(operation, x, axes)
    kernels, steps, pads = _kernel(operation, axes, kernel, stride, padding)
    each = list(zip(size, kernels, steps, pads, strict=True))
    padded = [places.padded_intervals(operation, *options, ceil_mode) for options in each]
    inside = tuple((np.clip(a, 0, n), np.clip(b, 0, n)) for (a, b), n in zip(padded, size, strict=True))
    return Means(inside, size, _divisor(padded if count_include_pad else inside) if divisor is None else divisor)


def adaptive_means(operation: str, x: Secret, axes: int, output_size: Any) -> Means:
    """The means of so many windows for each of the last axes of x."""
    size = _size(operation, x, axes)
    intervals = places.evenly(operation, size, output_size)
    return Means(intervals, size, _divisor(intervals))


def _divisor(intervals: Sequence[tuple[Array, Array]]) -> Any:
    """How many places each window has; one number, where they all have as many."""
    lengths = [np.maximum(ends - starts, 1) for starts, ends in intervals]
    counts = reduce(np.multiply.outer, lengths)
    return int(counts.flat[0]) if counts.size and np.all(counts == counts.flat[0]) else counts


# ---------------------------------------------------------------------------------------- what the caller says


def _size(operation: str, x: Any, axes: int) -> tuple[int, ...]:
    lengths = "H, W" if axes == 2 else "L"
    check_axes(operation, "the input", x.shape, (axes + 1, axes + 2), f"(N, C, {lengths}) or (C, {lengths})")
    return tuple(x.shape[-axes:])


def _kernel(
    operation: str, axes: int, kernel: Any, stride: Any, padding: Any
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[Pair, ...]]:
    kernels = per_axis(operation, "kernel_size", kernel, axes)
    steps = kernels if stride is None else per_axis(operation, "stride", stride, axes)
    return kernels, steps, sides(operation, padding, kernels, steps, (1,) * axes)
