"""Convolutions of images and sequences, transposed ones, and the gradients of both.

All are bilinear maps of the images, the filters and the gradient themselves: each of them is opened once (8 bytes an element),
never its windows, and what the forward pass has opened serves both gradients. Dealt are 8 bytes an element of a result.
A result is a fresh product, truncated when it is next needed. Images or filters may be public: then there is no communication.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mpc.contract import Bilinear, Conv2d, Conv2dInput, Conv2dWeight
from mpc.errors import OptionError, ShapeError
from mpc.tensor.base import Secret, truncate
from mpc.tensor.multiplication import product
from mpc.tensor.shapes import as_numpy, as_public
from mpc.tensor.windows.parameters import check_axes, per_axis, sides


def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Cross-correlation of images (N, C, H, W), or (C, H, W), with filters (O, C / groups, kH, kW).

    padding: a number, (rows, columns), ((top, bottom), (left, right)), "valid" or "same".
    Cost: 1 round and 8 bytes for each element of images and filters that are not open yet.
    """
    return Convolution("conv2d", 2, input, weight, stride, padding, dilation, groups).result(bias)


def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Cross-correlation of sequences (N, C, L), or (C, L), with filters (O, C / groups, k). As `conv2d`."""
    return Convolution("conv1d", 1, input, weight, stride, padding, dilation, groups).result(bias)


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transposed convolution of images (N, C, H, W), or (C, H, W), with filters (C, O / groups, kH, kW).

    The result has (H - 1) stride - top - bottom + dilation (kH - 1) + output_padding + 1 rows. Cost: as `conv2d`.
    """
    op = Transposed("conv_transpose2d", 2, input, weight, stride, padding, output_padding, groups, dilation)
    return op.result(bias)


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transposed convolution of sequences (N, C, L), or (C, L), with filters (C, O / groups, k). As `conv_transpose2d`."""
    op = Transposed("conv_transpose1d", 1, input, weight, stride, padding, output_padding, groups, dilation)
    return op.result(bias)


# ---------------------------------------------------------------------------------------- with their gradients


class Convolution:
    """A convolution whose operands are at hand for its gradients: those open the gradient of the result, and nothing else."""

    def __init__(
        self, operation: str, axes: int, x: Any, w: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
    ):
        self._operation, self._axes, self._shapes = operation, axes, (np.shape(x), np.shape(w))
        self._x, self._w = _operands(operation, axes, x, w)
        self._options = _options(operation, axes, self._shapes[1][2:], stride, padding, dilation, groups)

    def result(self, bias: Any = None) -> Any:
        z = self._of_images(Conv2d(**self._options), self._x, self._w)
        return z if bias is None else z + self._along_channels(bias, z.shape)

    def input_gradient(self, g: Any) -> Any:
        """From the gradient of the result that of the input."""
        op = Conv2dInput(**self._options, size=self._x.shape[2:])
        return _product(op, self._images(g), self._w).reshape(self._shapes[0])

    def weight_gradient(self, g: Any) -> Any:
        """From the gradient of the result that of the weight."""
        op = Conv2dWeight(**self._options, kernel=self._w.shape[2:])
        return _product(op, self._x, self._images(g)).reshape(self._shapes[1])

    def bias_gradient(self, g: Any) -> Any:
        """From the gradient of the result that of the bias."""
        return np.sum(self._images(g), axis=(0, 2, 3))

    def _images(self, g: Any) -> Any:
        """A gradient of the result, as a batch of images."""
        batch = g if self._batched else g.reshape((1, *g.shape))
        return batch if self._axes == 2 else batch.reshape((*batch.shape[:2], 1, batch.shape[2]))

    def _of_images(self, op: Bilinear, x: Any, w: Any) -> Any:
        z = _product(op, x, w)
        z = z if self._axes == 2 else z.reshape((*z.shape[:2], z.shape[3]))
        return z if self._batched else z.reshape(z.shape[1:])

    @property
    def _batched(self) -> bool:
        return len(self._shapes[0]) == self._axes + 2

    def _along_channels(self, bias: Any, shape: tuple[int, ...]) -> Any:
        bias, channels = _operand(self._operation, bias), shape[-self._axes - 1]
        if bias.shape != (channels,):
            raise ShapeError(f"{self._operation}: the bias must have the shape ({channels},), not {bias.shape}")
        return bias.reshape((channels, *(1,) * self._axes))


class Transposed(Convolution):
    """A transposed convolution: the gradient of a convolution with respect to its images, whose result is the input here."""

    def __init__(
        self,
        operation: str,
        axes: int,
        x: Any,
        w: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ):
        if isinstance(padding, str):
            raise OptionError(f"{operation}: padding={padding!r}: give numbers")
        super().__init__(operation, axes, x, w, stride, padding, dilation, groups)
        more = (0,) * (2 - axes) + per_axis(operation, "output_padding", output_padding, axes, 0)
        steps, pads, dilations = (self._options[name] for name in ("stride", "padding", "dilation"))
        if any(m >= s for m, s in zip(more, steps, strict=True)):
            raise OptionError(f"{operation}: output_padding={output_padding} must be below the stride {stride}")
        size, kernel = self._x.shape[2:], self._w.shape[2:]
        if self._x.shape[1] != self._w.shape[0]:
            raise ShapeError(f"{operation}: {self._x.shape[1]} channels, and filters for {self._w.shape[0]}")
        self._size = tuple((size[k] - 1) * steps[k] - sum(pads[k]) + dilations[k] * (kernel[k] - 1) + more[k] + 1 for k in (0, 1))
        if min(self._size) < 1:
            raise ShapeError(f"{operation}: an input of shape {self._shapes[0]} and padding={padding} leave nothing")

    def result(self, bias: Any = None) -> Any:
        z = self._of_images(Conv2dInput(**self._options, size=self._size), self._x, self._w)
        return z if bias is None else z + self._along_channels(bias, z.shape)

    def input_gradient(self, g: Any) -> Any:
        return _product(Conv2d(**self._options), self._images(g), self._w).reshape(self._shapes[0])

    def weight_gradient(self, g: Any) -> Any:
        op = Conv2dWeight(**self._options, kernel=self._w.shape[2:])
        return _product(op, self._images(g), self._x).reshape(self._shapes[1])


def _options(operation: str, axes: int, kernel: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> dict[str, Any]:
    """stride, padding, dilation and groups for two axes; a sequence is an image of one row."""
    steps, dilations = per_axis(operation, "stride", stride, axes), per_axis(operation, "dilation", dilation, axes)
    pads = sides(operation, padding, tuple(kernel), steps, dilations)
    flat = 2 - axes
    return {
        "stride": (1,) * flat + steps,
        "padding": ((0, 0),) * flat + pads,
        "dilation": (1,) * flat + dilations,
        "groups": per_axis(operation, "groups", groups, 1)[0],
    }


def _operand(operation: str, value: Any) -> Any:
    return value if isinstance(value, Secret) else as_public(value, operation)


def _operands(operation: str, axes: int, x: Any, w: Any) -> tuple[Any, Any]:
    """Images (N, C, H, W) and filters (O, C, kH, kW). What they are views of is opened first, so that it stays open."""
    x, w = (_operand(operation, v) for v in (x, w))
    lengths, kernel = ("H, W", "kH, kW") if axes == 2 else ("L", "k")
    check_axes(operation, "the input", x.shape, (axes + 1, axes + 2), f"(N, C, {lengths}) or (C, {lengths})")
    check_axes(operation, "the weight", w.shape, (axes + 2,), f"(channels, channels / groups, {kernel})")
    if axes == 2 and x.ndim == 4:
        return x, w
    if isinstance(x, Secret) and isinstance(w, Secret):
        x, w = truncate([x, w], opening=[x, w])
        x.context.protocol.open([x.share, w.share])
    row = (1,) * (2 - axes)
    image = x.shape if x.ndim == axes + 2 else (1, *x.shape)
    return x.reshape((*image[:2], *row, *image[2:])), w.reshape((*w.shape[:2], *row, *w.shape[2:]))


def _product(op: Bilinear, left: Any, right: Any) -> Any:
    if isinstance(left, Secret):
        return product(op, left, right)
    if isinstance(right, Secret):
        return product(op, right, left, swapped=True)
    return as_numpy(op.name, op, left.astype(np.float64), right.astype(np.float64))  # of public arrays
