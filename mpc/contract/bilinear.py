"""The bilinear maps over the ring that a protocol multiplies by. Adding one here gives it to every protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc import ring

Words = np.ndarray[Any, np.dtype[np.uint64]]


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


@dataclass(frozen=True)
class Conv2d(Bilinear):
    """Cross-correlation of images (N, C, H, W) with filters (O, C / groups, kH, kW), like PyTorch's conv2d."""

    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def __call__(self, a: Any, b: Any) -> Any:
        return ring.conv2d(a, b, self.stride, self.padding, self.dilation, self.groups)

    def shape(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
        return ring.conv2d_shape(a, b, self.stride, self.padding, self.dilation, self.groups)


MULTIPLY = Multiply()
MATMUL = Matmul()
