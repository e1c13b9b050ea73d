"""Convolutions, pools and padding. What is multiplied is open since the forward pass, and what won a pool is known since then."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpc.nn.rules.rule import Rule, Ruled, multiplying
from mpc.tensor.windows import padding as pads
from mpc.tensor.windows import pooling
from mpc.tensor.windows.convolution import Convolution, Transposed
from mpc.tensor.windows.places import Windows


def _convolved(op: Convolution, bias: Any) -> Ruled:
    """Backward: 1 round and 8 bytes an element of the gradient, which serve both of the others."""

    def pullback(g: Any) -> Any:
        return lambda: op.input_gradient(g), lambda: op.weight_gradient(g), lambda: op.bias_gradient(g)

    return op.result(bias), multiplying(pullback)


def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Ruled:
    return _convolved(Convolution("conv2d", 2, input, weight, stride, padding, dilation, groups), bias)


def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Ruled:
    return _convolved(Convolution("conv1d", 1, input, weight, stride, padding, dilation, groups), bias)


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Ruled:
    op = Transposed("conv_transpose2d", 2, input, weight, stride, padding, output_padding, groups, dilation)
    return _convolved(op, bias)


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Ruled:
    op = Transposed("conv_transpose1d", 1, input, weight, stride, padding, output_padding, groups, dilation)
    return _convolved(op, bias)


# ---------------------------------------------------------------------------------------- pools


def _largest(x: Any, windows: Windows) -> Ruled:
    """Backward: 1 round, 8 bytes a window and 1/8 for each of its elements; no comparison."""
    value, winner = pooling.largest_and_winner(x, windows)
    return value, lambda g: (pooling.largest_gradient(g, winner, windows),)


def max_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Ruled:
    return _largest(input, pooling.max_windows("max_pool2d", input, 2, kernel_size, stride, padding, dilation, ceil_mode))


def max_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Ruled:
    return _largest(input, pooling.max_windows("max_pool1d", input, 1, kernel_size, stride, padding, dilation, ceil_mode))


def adaptive_max_pool2d(input: Any, output_size: Any) -> Ruled:
    return _largest(input, pooling.adaptive_windows("adaptive_max_pool2d", input, 2, output_size))


def _means(x: Any, means: pooling.Means) -> Ruled:
    """Local, both ways."""
    return means(x), lambda g: (means.gradient(g),)


def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Ruled:
    options = kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    return _means(input, pooling.mean_windows("avg_pool2d", input, 2, *options))


def avg_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False, count_include_pad: bool = True
) -> Ruled:
    options = kernel_size, stride, padding, ceil_mode, count_include_pad, None
    return _means(input, pooling.mean_windows("avg_pool1d", input, 1, *options))


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Ruled:
    return _means(input, pooling.adaptive_means("adaptive_avg_pool2d", input, 2, output_size))


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Ruled:
    return _means(input, pooling.adaptive_means("adaptive_avg_pool1d", input, 1, output_size))


# ---------------------------------------------------------------------------------------- padding


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Ruled:
    return pads.pad(input, pad, mode, value), lambda g: (pads.pad_gradient(g, input.shape, pad, mode),)


def numpy_pad(array: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Ruled:
    """np.pad, with one constant."""
    pairs = np.broadcast_to(np.asarray(pad_width, int), (array.ndim, 2))
    names = {"edge": "replicate", "wrap": "circular"}
    value = constant_values if mode == "constant" else None
    return pad(array, tuple(int(n) for n in pairs[::-1].ravel()), names.get(mode, mode), value)


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Ruled:
    options = kernel_size, dilation, padding, stride
    return pads.unfold(input, *options), lambda g: (pads.unfold_gradient(g, input.shape, *options),)


CONVOLUTIONS: dict[str, Rule] = {
    "conv1d": conv1d,
    "conv2d": conv2d,
    "conv_transpose1d": conv_transpose1d,
    "conv_transpose2d": conv_transpose2d,
}
RULES: dict[str, Rule] = {
    **CONVOLUTIONS,
    "max_pool1d": max_pool1d,
    "max_pool2d": max_pool2d,
    "adaptive_max_pool2d": adaptive_max_pool2d,
    "avg_pool1d": avg_pool1d,
    "avg_pool2d": avg_pool2d,
    "adaptive_avg_pool1d": adaptive_avg_pool1d,
    "adaptive_avg_pool2d": adaptive_avg_pool2d,
    "pad": numpy_pad,
    "unfold": unfold,
}
