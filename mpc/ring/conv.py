"""Two-dimensional convolution modulo 2^64, as matrix products over unfolded windows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from mpc.ring.cache import Words
from mpc.ring.product import matmul, words

Pair = int | tuple[int, int]

# Unfolded windows that are held at a time, in words: few enough to be multiplied while they are cached.
UNFOLDED = 1 << 17


@dataclass(frozen=True)
class _Geometry:
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int


def conv2d_shape(
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> tuple[int, int, int, int]:
    """Shape (N, O, H', W') of conv2d of images (N, C, H, W) with filters (O, C / groups, kH, kW).

    H' = (H + 2 padding - dilation (kH - 1) - 1) // stride + 1, and so for W'.  Raises ValueError, with both
    shapes, for channels that do not fit and filters larger than the padded image; also for parameters out of
    range.
    """
    return _shape(x_shape, w_shape, _geometry(stride, padding, dilation, groups))


def conv2d(
    x: npt.NDArray[np.uint64],
    w: npt.NDArray[np.uint64],
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Words:
    """Cross-correlation modulo 2^64, with the parameters of torch.nn.functional.conv2d.

    x is (N, C, H, W) and w is (O, C / groups, kH, kW); the result is a new array of shape conv2d_shape(...).
    Costs N O H' W' kH kW C / groups multiplications, plus a copy of each window, a MiB of them at a time.
    Raises TypeError for a dtype other than uint64 and ValueError for shapes that do not fit.
    """
    x, w = words("conv2d", x), words("conv2d", w)
    geometry = _geometry(stride, padding, dilation, groups)
    shape = n, o, height, width = _shape(x.shape, w.shape, geometry)
    result = np.zeros((n, groups, o // groups, height, width), np.uint64)
    if result.size == 0 or w.size == 0:
        return result.reshape(shape)
    windows = _windows(_pad(x, geometry.padding), w.shape, geometry, height, width)
    filters = w.reshape(groups, o // groups, -1)
    for images, rows in _blocks(n, height, words_per_row=x.shape[1] * w.shape[2] * w.shape[3] * width):
        part = windows[images, :, :, :, :, rows]
        unfolded = part.reshape(*part.shape[:2], filters.shape[2], -1)
        product = matmul(filters, unfolded)
        result[images, :, :, rows] = product.reshape(*product.shape[:3], -1, width)
    return result.reshape(shape)


def _geometry(stride: Pair, padding: Pair, dilation: Pair, groups: int) -> _Geometry:
    geometry = _Geometry(_pair("stride", stride, 1), _pair("padding", padding, 0), _pair("dilation", dilation, 1), groups)
    if groups < 1:
        raise ValueError(f"conv2d: groups must be at least 1, got {groups}")
    return geometry


def _pair(name: str, value: Pair, least: int) -> tuple[int, int]:
    first, second = (value, value) if isinstance(value, int) else value
    if min(first, second) < least:
        raise ValueError(f"conv2d: {name} must be at least {least}, got {value}")
    return first, second


def _shape(x_shape: tuple[int, ...], w_shape: tuple[int, ...], geometry: _Geometry) -> tuple[int, int, int, int]:
    shapes = f"conv2d: images {x_shape} and filters {w_shape}"
    if len(x_shape) != 4 or len(w_shape) != 4:
        raise ValueError(f"{shapes}: expected (N, C, H, W) and (O, C / groups, kH, kW)")
    (n, channels, *image), (o, channels_per_group, *kernel) = x_shape, w_shape
    if channels != channels_per_group * geometry.groups or o % geometry.groups:
        raise ValueError(f"{shapes}: channels do not fit {geometry.groups} groups")
    height, width = (
        (image[axis] + 2 * geometry.padding[axis] - geometry.dilation[axis] * (kernel[axis] - 1) - 1) // geometry.stride[axis] + 1
        for axis in (0, 1)
    )
    if min(kernel) < 1 or min(height, width) < 1:
        raise ValueError(f"{shapes}: the filter is empty or larger than the padded image")
    return n, o, height, width


def _pad(x: Words, padding: tuple[int, int]) -> Words:
    if not any(padding):
        return x
    rows, columns = padding
    padded = np.zeros((*x.shape[:2], x.shape[2] + 2 * rows, x.shape[3] + 2 * columns), np.uint64)
    padded[:, :, rows : rows + x.shape[2], columns : columns + x.shape[3]] = x
    return padded


def _windows(x: Words, w_shape: tuple[int, ...], geometry: _Geometry, height: int, width: int) -> Words:
    """View (N, groups, C / groups, kH, kW, H', W') of padded images."""
    n, channels = x.shape[:2]
    (dy, dx), (sy, sx) = geometry.dilation, geometry.stride
    image, channel, row, column = x.strides
    shape = (n, geometry.groups, channels // geometry.groups, *w_shape[2:], height, width)
    group = channel * (channels // geometry.groups)
    strides = (image, group, channel, row * dy, column * dx, row * sy, column * sx)
    return as_strided(x, shape, strides, writeable=False)


def _blocks(n: int, height: int, words_per_row: int) -> list[tuple[slice, slice]]:
    """Images and rows of the result whose windows are unfolded together: whole images, or rows of one."""
    rows = max(1, min(height, UNFOLDED // words_per_row))
    images = max(1, UNFOLDED // (words_per_row * height)) if rows == height else 1
    return [(slice(i, i + images), slice(r, r + rows)) for i in range(0, n, images) for r in range(0, height, rows)]
