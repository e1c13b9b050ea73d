"""Quantisation of activations by public scales, as in models with QuantizeLinear and DequantizeLinear nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import helper

from mpc.onnx.graph import Node
from mpc.onnx.operators.products import conv
from mpc.onnx.operators.table import Table

TABLE = Table()

_NOTE = "public scale and zero point, for the tensor or an axis; no blocks. Quantised weights are made floats by their owner"


def _along(node: Node, values: Any, ndim: int) -> Any:
    """One number, or one for each place of the axis."""
    values = np.asarray(values)
    if values.ndim > 1:
        raise ValueError("scales for blocks are not available")
    if values.size == 1:
        return values.reshape(())
    return values.reshape([-1 if k == node.get("axis", 1) % ndim else 1 for k in range(ndim)])


def rounded(x: Any, offset: Any, dtype: np.dtype[Any]) -> Any:
    """x + offset as whole numbers, saturated to the range of the dtype."""
    limits = np.iinfo(dtype)
    return np.clip(np.rint(x).astype(np.int64) + offset, int(limits.min), int(limits.max))


@TABLE.add("QuantizeLinear", public=(1, 2), note=_NOTE)
def quantize(node: Node, x: Any, scale: Any, zero: Any = None) -> Any:
    number = node.get("output_dtype", 0)
    dtype = zero.dtype if zero is not None else helper.tensor_dtype_to_np_dtype(number) if number else np.dtype(np.uint8)
    offset = 0 if zero is None else _along(node, zero, x.ndim).astype(np.int64)
    return rounded(x / _along(node, scale, x.ndim).astype(np.float64), offset, dtype)


@TABLE.add("DequantizeLinear", public=(1, 2), note=_NOTE)
def dequantize(node: Node, x: Any, scale: Any, zero: Any = None) -> Any:
    whole = x if zero is None else x - _along(node, zero, x.ndim).astype(np.int64)
    return whole * _along(node, scale, x.ndim).astype(np.float64)


# ---------------------------------------------------------------------------------------- products of quantised tensors

_INTEGERS = "public scales and zero points, for the tensor or each channel of the weights"


def _shifted(values: Any, zero: Any, axis: int = 0) -> Any:
    """Without their zero point: one number, or one for each place of the axis."""
    if zero is None:
        return values.astype(np.int64)
    zero = np.asarray(zero, np.int64)
    return values.astype(np.int64) - (
        zero if zero.ndim == 0 else zero.reshape([-1 if k == axis else 1 for k in range(values.ndim)])
    )


@TABLE.add("MatMulInteger", public=(2, 3), weights=(0, 1), note=_INTEGERS)
def matmul_integer(node: Node, a: Any, b: Any, a_zero: Any = None, b_zero: Any = None) -> Any:
    return np.matmul(_shifted(a, a_zero, a.ndim - 2), _shifted(b, b_zero, b.ndim - 1))


@TABLE.add("ConvInteger", public=(2, 3), weights=(1,), note=_INTEGERS)
def conv_integer(node: Node, x: Any, w: Any, x_zero: Any = None, w_zero: Any = None) -> Any:
    return conv(node, _shifted(x, x_zero), _shifted(w, w_zero))


@TABLE.add("QLinearMatMul", public=(1, 2, 4, 5, 6, 7), weights=(0, 3), note=_INTEGERS)
def qlinear_matmul(
    node: Node, a: Any, a_scale: Any, a_zero: Any, b: Any, b_scale: Any, b_zero: Any, scale: Any, zero: Any
) -> Any:
    product = np.matmul(_shifted(a, a_zero, a.ndim - 2), _shifted(b, b_zero, b.ndim - 1))
    return rounded(product * (a_scale.astype(np.float64) * b_scale / scale), int(zero), zero.dtype)


@TABLE.add("QLinearConv", public=(1, 2, 4, 5, 6, 7), weights=(3, 8), note=_INTEGERS)
def qlinear_conv(
    node: Node, x: Any, x_scale: Any, x_zero: Any, w: Any, w_scale: Any, w_zero: Any, scale: Any, zero: Any, bias: Any = None
) -> Any:
    product = conv(node, _shifted(x, x_zero), _shifted(w, w_zero), bias)
    factor = np.reshape(x_scale.astype(np.float64) * w_scale / scale, (-1, *(1,) * (x.ndim - 2)))
    return rounded(product * factor, int(zero), zero.dtype)
