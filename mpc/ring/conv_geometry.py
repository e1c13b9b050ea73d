"""The parameters and the shapes of a two-dimensional convolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from mpc.ring.cache import Words

Shape = tuple[int, ...]
Pair = int | tuple[int, int]
Padding = int | tuple[Pair, Pair]  # a number, (rows, columns), or ((top, bottom), (left, right))


@dataclass(frozen=True)
class Geometry:
    stride: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]
    dilation: tuple[int, int]
    groups: int

    @classmethod
    def of(cls, stride: Pair, padding: Padding, dilation: Pair, groups: int) -> Geometry:
        """ValueError for what is out of range."""
        rows, columns = (padding, padding) if isinstance(padding, int) else padding
        sides = _pair("padding", rows, 0), _pair("padding", columns, 0)
        if groups < 1:
            raise ValueError(f"conv2d: groups must be at least 1, got {groups}")
        return cls(_pair("stride", stride, 1), sides, _pair("dilation", dilation, 1), groups)

    def output(self, x_shape: Shape, w_shape: Shape) -> tuple[int, int, int, int]:
        """The shape (N, O, H', W') of the result; ValueError where images and filters do not fit."""
        shapes = f"conv2d: images {x_shape} and filters {w_shape}"
        if len(x_shape) != 4 or len(w_shape) != 4:
            raise ValueError(f"{shapes}: expected (N, C, H, W) and (O, C / groups, kH, kW)")
        (n, channels, *image), (o, channels_per_group, *kernel) = x_shape, w_shape
        if channels != channels_per_group * self.groups or o % self.groups:
            raise ValueError(f"{shapes}: channels do not fit {self.groups} groups")
        height, width = (
            (image[axis] + sum(self.padding[axis]) - self.dilation[axis] * (kernel[axis] - 1) - 1) // self.stride[axis] + 1
            for axis in (0, 1)
        )
        if min(kernel) < 1 or min(height, width) < 1:
            raise ValueError(f"{shapes}: the filter is empty or larger than the padded image")
        return n, o, height, width

    def padded(self, shape: Shape, dtype: Any) -> Words:
        """Zeros of the shape of these images with their padding."""
        (top, bottom), (left, right) = self.padding
        return np.zeros((*shape[:2], shape[2] + top + bottom, shape[3] + left + right), dtype)

    def inside(self, padded: Words, size: Shape) -> Words:
        """The part of padded images that is not padding."""
        (top, _), (left, _) = self.padding
        return padded[:, :, top : top + size[0], left : left + size[1]]

    def pad(self, x: Words) -> Words:
        if self.padding == ((0, 0), (0, 0)):
            return x
        padded = self.padded(x.shape, x.dtype)
        self.inside(padded, x.shape[2:])[:] = x
        return padded

    def windows(self, padded: Words, kernel: Shape, size: Shape) -> Words:
        """View (groups, C / groups, kH, kW, N, H', W') of padded images; kernel (kH, kW), size (H', W')."""
        n, channels = padded.shape[:2]
        (dy, dx), (sy, sx) = self.dilation, self.stride
        image, channel, row, column = padded.strides
        shape = (self.groups, channels // self.groups, *kernel, n, *size)
        strides = (channel * (channels // self.groups), channel, row * dy, column * dx, image, row * sy, column * sx)
        return as_strided(padded, shape, strides)


def _pair(name: str, value: Pair, least: int) -> tuple[int, int]:
    first, second = (value, value) if isinstance(value, int) else value
    if min(first, second) < least:
        raise ValueError(f"conv2d: {name} must be at least {least}, got {value}")
    return first, second
