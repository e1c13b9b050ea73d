"""The bilinear maps over the ring that a protocol multiplies by. Adding one here gives it to every protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc import ring

Words = np.ndarray[Any, np.dtype[np.uint64]]
Side = int | tuple[int, int]


@dataclass(frozen=True)
class Bilinear:
    """A map B(a, b) of uint64 arrays, linear in each modulo 2^64."""

    @property
    def name(self) -> str:
        return type(self).__name__.lower()

    def __call__(self, a: Any, b: Any) -> Any:
        raise NotImplementedError

    def shape(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
        """The result's shape; ValueError where the two do not fit."""
        raise NotImplementedError

    def summed(self, left: bool, ndim: int) -> tuple[int, ...]:
        """Axes of an operand with so many, the left or the right one: an element of the result is a sum over a part of them."""
        return ()

    def scratch(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        """Shapes of the arrays that are made on the way, where they may be larger than operands and result."""
        return ()


@dataclass(frozen=True)
class Multiply(Bilinear):
    """Elementwise, with NumPy's broadcasting."""

    def __call__(self, a: Any, b: Any) -> Any:
        return np.asarray(np.multiply(a, b))

    def shape(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
        return np.broadcast_shapes(a, b)


@dataclass(frozen=True)
class Matmul(Bilinear):
    """Matrix product with np.matmul's rules for vectors and stacks of matrices."""

    def __call__(self, a: Any, b: Any) -> Any:
        return np.asarray(ring.matmul(a, b) if a.dtype == np.uint64 else np.matmul(a, b))

    def shape(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
        if not a or not b:
            raise ValueError("an operand is a scalar; use * instead")
        left, right = (1, *a) if len(a) == 1 else a, (*b, 1) if len(b) == 1 else b
        if left[-1] != right[-2]:
            raise ValueError(f"shapes {a} and {b} do not fit: {left[-1]} columns against {right[-2]} rows")
        result = (*np.broadcast_shapes(left[:-2], right[:-2]), left[-2], right[-1])
        if len(a) == 1:
            result = (*result[:-2], result[-1])
        return result[:-1] if len(b) == 1 else result

    def summed(self, left: bool, ndim: int) -> tuple[int, ...]:
        return (-1,) if left or ndim == 1 else (-2,)


@dataclass(frozen=True)
class _Convolution(Bilinear):
    stride: tuple[int, int] = (1, 1)
    padding: tuple[Side, Side] = (0, 0)  # (rows, columns), or ((top, bottom), (left, right))
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    @property
    def _options(self) -> tuple[tuple[int, int], tuple[Side, Side], tuple[int, int], int]:
        return self.stride, self.padding, self.dilation, self.groups

    def _scratch(self, images: tuple[int, ...], kernel: tuple[int, ...], width: int) -> tuple[tuple[int, ...], ...]:
        """Padded images, and the windows of one row of the result."""
        rows, columns = (2 * side if isinstance(side, int) else sum(side) for side in self.padding)
        return (*images[:2], images[2] + rows, images[3] + columns), (images[1], *kernel, width)


@dataclass(frozen=True)
class Conv2d(_Convolution):
    """Cross-correlation of images (N, C, H, W) with filters (O, C / groups, kH, kW), like PyTorch's conv2d."""

    def __call__(self, a: Any, b: Any) -> Any:
        return ring.conv2d(a, b, *self._options)

    def shape(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
        return ring.conv2d_shape(a, b, *self._options)

    def scratch(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        return self._scratch(a, b[2:], self.shape(a, b)[3])

    def summed(self, left: bool, ndim: int) -> tuple[int, ...]:
        return 1, 2, 3


@dataclass(frozen=True)
class Conv2dInput(_Convolution):
    """From a gradient of Conv2d's result and the filters that of its images, whose (H, W) is `size`. A transposed convolution."""

    size: tuple[int, int] = (1, 1)

    def __call__(self, a: Any, b: Any) -> Any:
        return ring.conv2d_input(a, b, self.size, *self._options)

    def shape(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
        result = (*a[:1], *(n * self.groups for n in b[1:2]), *self.size)
        _same("gradients", a, ring.conv2d_shape(result, b, *self._options))
        return result

    def scratch(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        return self._scratch(self.shape(a, b), b[2:], a[3])

    def summed(self, left: bool, ndim: int) -> tuple[int, ...]:
        return (1, 2, 3) if left else (0, 2, 3)


@dataclass(frozen=True)
class Conv2dWeight(_Convolution):
    """From the images and a gradient of Conv2d's result that of its filters, whose (kH, kW) is `kernel`."""

    kernel: tuple[int, int] = (1, 1)

    def __call__(self, a: Any, b: Any) -> Any:
        return ring.conv2d_weight(a, b, self.kernel, *self._options)

    def shape(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
        result = (*b[1:2], *(n // max(1, self.groups) for n in a[1:2]), *self.kernel)
        _same("gradients", b, ring.conv2d_shape(a, result, *self._options))
        return result

    def scratch(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        return self._scratch(a, self.kernel, b[3])

    def summed(self, left: bool, ndim: int) -> tuple[int, ...]:
        return 0, 2, 3


def _same(what: str, actual: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if actual != expected:
        raise ValueError(f"{what} of shape {actual}, where the result has {expected}")


MULTIPLY = Multiply()
MATMUL = Matmul()
