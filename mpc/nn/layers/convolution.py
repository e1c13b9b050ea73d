"""Convolutions, and transposed ones.

Forward: 1 round; 8 bytes an element of images and filters, not of windows, which both stay open for the backward pass.
Backward: 1 round, 8 bytes an element of the gradient. What they give is truncated by whatever needs it.
"""

from __future__ import annotations

import math
from typing import Any

from mpc import functions
from mpc.errors import OptionError
from mpc.nn import functional as F
from mpc.nn.init import Uniform
from mpc.nn.module import Module, Parameter
from mpc.tensor.windows.parameters import per_axis, sides


class _Convolution(Module):
    _axes: int
    _transposed = False

    def _describe(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        groups: int,
        bias: bool,
    ) -> None:
        name, axes = type(self).__name__, self._axes
        self.in_channels, self.out_channels, self.groups, self.padding = in_channels, out_channels, groups, padding
        self.kernel_size = per_axis(name, "kernel_size", kernel_size, axes)
        self.stride = per_axis(name, "stride", stride, axes)
        self.dilation = per_axis(name, "dilation", dilation, axes)
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise OptionError(f"{name}: groups={groups} must divide {in_channels} and {out_channels} channels")
        first, second = (in_channels, out_channels) if self._transposed else (out_channels, in_channels)
        fan_in = second // groups * math.prod(self.kernel_size)
        self.weight = Parameter((first, second // groups, *self.kernel_size), Uniform(fan_in))
        self.bias = Parameter((out_channels,), Uniform(fan_in)) if bias else None

    def extra_repr(self) -> str:
        options = f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}"
        return f"{self.in_channels}, {self.out_channels}, {options}, groups={self.groups}, bias={self.bias is not None}"


class _Straight(_Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
    ):
        self._describe(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        self.padding_mode = padding_mode

    def forward(self, x: Any) -> Any:
        convolve: Any = functions.conv1d if self._axes == 1 else functions.conv2d
        padding = self.padding
        if self.padding_mode != "zeros":
            pairs = sides(type(self).__name__, padding, self.kernel_size, self.stride, self.dilation)
            x, padding = F.pad(x, [n for pair in reversed(pairs) for n in pair], self.padding_mode), 0
        return convolve(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Straight):
    """Of sequences (N, C, L) with `weight` (out_channels, in_channels / groups, k): torch.nn.Conv1d."""

    _axes = 1


class Conv2d(_Straight):
    """Of images (N, C, H, W) with `weight` (out_channels, in_channels / groups, kH, kW): torch.nn.Conv2d."""

    _axes = 2


class _Transposed(_Convolution):
    _transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
    ):
        self._describe(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        self.output_padding = output_padding

    def forward(self, x: Any) -> Any:
        convolve: Any = functions.conv_transpose1d if self._axes == 1 else functions.conv_transpose2d
        return convolve(x, self.weight, self.bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation)


class ConvTranspose1d(_Transposed):
    """Of sequences (N, C, L) with `weight` (in_channels, out_channels / groups, k): torch.nn.ConvTranspose1d."""

    _axes = 1


class ConvTranspose2d(_Transposed):
    """Of images (N, C, H, W) with `weight` (in_channels, out_channels / groups, kH, kW): torch.nn.ConvTranspose2d."""

    _axes = 2
