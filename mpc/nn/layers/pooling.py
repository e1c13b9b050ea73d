"""Pools of images (N, C, H, W) and sequences (N, C, L). What they cost stands at mpc.tensor.windows.pooling."""

from __future__ import annotations

from typing import Any

from mpc import functions
from mpc.nn.module import Module


class _MaxPool(Module):
    chooses_largest = True

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, *, ceil_mode: bool = False):
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode = padding, dilation, ceil_mode

    def _options(self) -> tuple[Any, ...]:
        return self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode

    def extra_repr(self) -> str:
        return "kernel_size={}, stride={}, padding={}, dilation={}, ceil_mode={}".format(*self._options())


class MaxPool1d(_MaxPool):
    """The largest of each window. For 2 elements forward: 4 rounds; backward: 1 round, 8 bytes a window, no comparison."""

    def forward(self, x: Any) -> Any:
        return functions.max_pool1d(x, *self._options())


class MaxPool2d(_MaxPool):
    """The largest of each window. For 2 x 2 forward: 5 rounds, 15 bytes an element of the input (8 rounds from 2^18 elements
    on, 9 in training); backward: 1 round, 8 bytes a window and 1/8 for each of its elements, no comparison."""

    def forward(self, x: Any) -> Any:
        return functions.max_pool2d(x, *self._options())


class AdaptiveMaxPool2d(Module):
    """The largest of each of (rows, columns) windows that cover the images evenly."""

    chooses_largest = True

    def __init__(self, output_size: Any):
        self.output_size = output_size

    def forward(self, x: Any) -> Any:
        return functions.adaptive_max_pool2d(x, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AvgPool1d(Module):
    """The mean of each window. Local, both ways."""

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False, count_include_pad: bool = True
    ):
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad

    def forward(self, x: Any) -> Any:
        return functions.avg_pool1d(x, *self._options())

    def _options(self) -> tuple[Any, ...]:
        return self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad

    def extra_repr(self) -> str:
        return "kernel_size={}, stride={}, padding={}, ceil_mode={}, count_include_pad={}".format(*self._options())


class AvgPool2d(AvgPool1d):
    """The mean of each window. Local, both ways."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ):
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override

    def forward(self, x: Any) -> Any:
        return functions.avg_pool2d(x, *self._options())

    def _options(self) -> tuple[Any, ...]:
        return *super()._options(), self.divisor_override


class AdaptiveAvgPool1d(AdaptiveMaxPool2d):
    """The mean of each of so many windows that cover the sequences evenly. Local, both ways."""

    chooses_largest = False

    def forward(self, x: Any) -> Any:
        return functions.adaptive_avg_pool1d(x, self.output_size)


class AdaptiveAvgPool2d(AdaptiveMaxPool2d):
    """The mean of each of (rows, columns) windows that cover the images evenly. Local, both ways."""

    chooses_largest = False

    def forward(self, x: Any) -> Any:
        return functions.adaptive_avg_pool2d(x, self.output_size)
