"""Two-dimensional convolution modulo 2^64 and its two adjoints, as matrix products over unfolded windows.

With z = conv2d(x, w), the maps conv2d_input(g, w) and conv2d_weight(x, g) are what makes sum(g z) = sum(x conv2d_input(g, w))
= sum(w conv2d_weight(x, g)) for every g: the gradients with respect to images and filters. All are bilinear.

They take float64 arrays too, so that the size of a result can be estimated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mpc.ring.cache import Words
from mpc.ring.conv_geometry import Geometry, Padding, Pair
from mpc.ring.product import matmul, words

# Unfolded windows that are held at a time, in words: few enough to be multiplied while they are cached.
UNFOLDED = 1 << 17


def conv2d_shape(
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> tuple[int, int, int, int]:
    """Shape (N, O, H', W') of conv2d of images (N, C, H, W) with filters (O, C / groups, kH, kW).

    H' = (H + top + bottom - dilation (kH - 1) - 1) // stride + 1, and so for W'.  Raises ValueError, with both
    shapes, for channels that do not fit and filters larger than the padded image; also for parameters out of
    range.
    """
    return Geometry.of(stride, padding, dilation, groups).output(x_shape, w_shape)


def conv2d(
    x: npt.NDArray[np.uint64],
    w: npt.NDArray[np.uint64],
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Words:
    """Cross-correlation modulo 2^64, with the parameters of torch.nn.functional.conv2d.

    x is (N, C, H, W) and w is (O, C / groups, kH, kW); the result is a new array of shape conv2d_shape(...).
    padding may also be ((top, bottom), (left, right)).
    Costs N O H' W' kH kW C / groups multiplications, plus a copy of each window, a MiB of them at a time.
    Raises TypeError for a dtype other than uint64 and ValueError for shapes that do not fit.
    """
    x, w = _operands("conv2d", x, w)
    geometry = Geometry.of(stride, padding, dilation, groups)
    n, o, *size = geometry.output(x.shape, w.shape)
    result = np.zeros((n, groups, o // groups, *size), x.dtype)
    if result.size and w.size:
        windows = geometry.windows(geometry.pad(x), w.shape[2:], tuple(size))
        filters = w.reshape(groups, o // groups, -1)
        for images, rows in _blocks(windows.shape):
            part = windows[:, :, :, :, images, rows]
            product = _matmul(filters, part.reshape(groups, filters.shape[2], -1))
            result[images, :, :, rows] = product.reshape(groups, -1, *part.shape[4:]).transpose(2, 0, 1, 3, 4)
    return result.reshape(n, o, *size)


def conv2d_input(
    g: npt.NDArray[np.uint64],
    w: npt.NDArray[np.uint64],
    size: tuple[int, int],
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Words:
    """The adjoint of conv2d in its images (N, C, *size): what conv2d(x, w) makes of x, transposed. Also a transposed convolution.

    g is (N, O, H', W') as a result of conv2d, w is (O, C / groups, kH, kW). As many multiplications as conv2d.
    """
    g, w = _operands("conv2d_input", g, w)
    geometry = Geometry.of(stride, padding, dilation, groups)
    shape = (g.shape[0], w.shape[1] * groups, *size)
    _check("conv2d_input", geometry.output(shape, w.shape), g.shape)
    padded = geometry.padded(shape, g.dtype)
    if padded.size and g.size:
        windows = geometry.windows(padded, w.shape[2:], g.shape[2:])
        filters = w.reshape(groups, w.shape[0] // groups, -1).transpose(0, 2, 1)
        by_group = g.reshape(g.shape[0], groups, -1, *g.shape[2:]).transpose(1, 2, 0, 3, 4)
        for images, rows in _blocks(windows.shape):
            part = windows[:, :, :, :, images, rows]
            unfolded = _matmul(filters, by_group[:, :, images, rows].reshape(groups, filters.shape[2], -1)).reshape(part.shape)
            for i, j in np.ndindex(*w.shape[2:]):  # windows overlap, but not at one place of the filter
                part[:, :, i, j] += unfolded[:, :, i, j]
    return np.ascontiguousarray(geometry.inside(padded, size))


def conv2d_weight(
    x: npt.NDArray[np.uint64],
    g: npt.NDArray[np.uint64],
    kernel: tuple[int, int],
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Words:
    """The adjoint of conv2d in its filters (O, C / groups, *kernel): what conv2d(x, w) makes of w, transposed.

    x is (N, C, H, W), g is (N, O, H', W') as a result of conv2d. As many multiplications as conv2d.
    """
    x, g = _operands("conv2d_weight", x, g)
    geometry = Geometry.of(stride, padding, dilation, groups)
    shape = (g.shape[1], x.shape[1] // groups, *kernel)
    _check("conv2d_weight", geometry.output(x.shape, shape), g.shape)
    result = np.zeros((groups, shape[0] // groups, shape[1] * kernel[0] * kernel[1]), x.dtype)
    if result.size and g.size:
        windows = geometry.windows(geometry.pad(x), kernel, g.shape[2:])
        by_group = g.reshape(g.shape[0], groups, -1, *g.shape[2:]).transpose(1, 2, 0, 3, 4)
        for images, rows in _blocks(windows.shape):
            unfolded = windows[:, :, :, :, images, rows].reshape(groups, result.shape[2], -1)
            result += _matmul(by_group[:, :, images, rows].reshape(*result.shape[:2], -1), unfolded.transpose(0, 2, 1))
    return result.reshape(shape)


def _operands(name: str, a: Any, b: Any) -> tuple[Words, Words]:
    if a.dtype == b.dtype == np.float64:
        return a, b
    return words(name, a), words(name, b)


def _matmul(a: Words, b: Words) -> Words:
    return np.asarray(matmul(a, b) if a.dtype == np.uint64 else np.matmul(a, b))


def _check(name: str, expected: tuple[int, ...], actual: tuple[int, ...]) -> None:
    if expected != actual:
        raise ValueError(f"{name}: these images and filters give results of shape {expected}, not {actual}")


def _blocks(windows: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """Images and rows of the result whose windows are unfolded together: whole images, or rows of one."""
    *channels, n, height, width = windows
    words_per_row = int(np.prod(channels)) * width
    rows = max(1, min(height, UNFOLDED // words_per_row))
    images = max(1, UNFOLDED // (words_per_row * height)) if rows == height else 1
    for image in range(0, n, images):
        for row in range(0, height, rows):
            yield slice(image, image + images), slice(row, row + rows)
