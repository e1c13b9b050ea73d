"""Matrix products, convolutions and pools."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mpc.onnx.graph import Node
from mpc.onnx.operators.table import Table
from mpc.tensor.windows import convolution, pooling

TABLE = Table()

Pads = tuple[tuple[int, int], ...]


@TABLE.add("MatMul")
def matmul(node: Node, x: Any, y: Any) -> Any:
    return np.matmul(x, y)


@TABLE.add("Gemm")
def gemm(node: Node, a: Any, b: Any, c: Any = None) -> Any:
    a = a.T if node.get("transA", 0) else a
    b = b.T if node.get("transB", 0) else b
    alpha, beta = node.get("alpha", 1.0), node.get("beta", 1.0)
    product = np.matmul(a, b) if alpha == 1 else np.matmul(a, b) * alpha
    if c is None:
        return product
    return product + (c if beta == 1 else c * beta)


@TABLE.add("Einsum", note="several operands are contracted from the left")
def einsum(node: Node, *operands: Any) -> Any:
    equation = node.get("equation").replace(" ", "")
    if len(operands) <= 2:
        return np.einsum(equation, *operands)
    if "->" not in equation or "..." in equation:
        raise ValueError(f"'{equation}': of more than two operands, the result must be given after '->', without '...'")
    inputs, output = equation.split("->")
    terms, values = inputs.split(","), list(operands)
    while len(values) > 2:
        later = set(output).union(*terms[2:])
        kept = "".join(c for c in dict.fromkeys(terms[0] + terms[1]) if c in later)
        values[:2] = [np.einsum(f"{terms[0]},{terms[1]}->{kept}", *values[:2])]
        terms[:2] = [kept]
    return np.einsum(f"{','.join(terms)}->{output}", *values)


# ---------------------------------------------------------------------------------------- windows


def _flat_windows(node: Node) -> str | None:
    return "windows of 3 axes are not available" if len(node.get("kernel_shape", ())) > 2 else None


def _per_axis(node: Node, name: str, axes: int) -> list[int]:
    return list(node.get(name) or [1] * axes)


def _pads(node: Node, size: tuple[int, ...], kernel: list[int]) -> Pads:
    """(before, after) for each axis, auto_pad resolved."""
    axes, mode = len(kernel), node.get("auto_pad", "NOTSET")
    if mode == "VALID":
        return ((0, 0),) * axes
    if mode == "NOTSET":
        pads = node.get("pads") or [0] * (2 * axes)
        return tuple(zip(pads[:axes], pads[axes:], strict=True))
    steps, dilations = _per_axis(node, "strides", axes), _per_axis(node, "dilations", axes)
    totals = [
        max(0, (-(-n // s) - 1) * s + d * (k - 1) + 1 - n) for n, k, s, d in zip(size, kernel, steps, dilations, strict=True)
    ]
    return _halves(totals, mode)


def _halves(totals: list[int], mode: str) -> Pads:
    """The odd one comes after (SAME_UPPER), or before."""
    return tuple((t // 2, t - t // 2) if mode == "SAME_UPPER" else (t - t // 2, t // 2) for t in totals)


def _axes(x: Any) -> int:
    axes: int = x.ndim - 2
    if axes not in (1, 2):
        raise ValueError(f"images have the shape (N, C, H, W), sequences (N, C, L); {x.shape} is neither")
    return axes


@TABLE.add("Conv", refuses=_flat_windows, note="of sequences and images; groups, dilations, any pads")
def conv(node: Node, x: Any, w: Any, bias: Any = None) -> Any:
    axes = _axes(x)
    function = convolution.conv1d if axes == 1 else convolution.conv2d
    pads = _pads(node, x.shape[2:], list(w.shape[2:]))
    steps, dilations = _per_axis(node, "strides", axes), _per_axis(node, "dilations", axes)
    return function(x, w, bias, steps, pads, dilations, node.get("group", 1))


@TABLE.add("ConvTranspose", refuses=_flat_windows, note="as Conv; output_shape too")
def conv_transpose(node: Node, x: Any, w: Any, bias: Any = None) -> Any:
    axes = _axes(x)
    function = convolution.conv_transpose1d if axes == 1 else convolution.conv_transpose2d
    kernel, steps, dilations = list(w.shape[2:]), _per_axis(node, "strides", axes), _per_axis(node, "dilations", axes)
    extra = list(node.get("output_padding") or [0] * axes)
    mode, wanted = node.get("auto_pad", "NOTSET"), node.get("output_shape")
    full = [(n - 1) * s + d * (k - 1) + 1 + e for n, k, s, d, e in zip(x.shape[2:], kernel, steps, dilations, extra, strict=True)]
    if wanted is None and mode in ("NOTSET", "VALID"):
        pads = _pads(node, x.shape[2:], kernel)
    else:
        target = list(wanted[-axes:]) if wanted is not None else [n * s for n, s in zip(x.shape[2:], steps, strict=True)]
        pads = _halves([max(0, f - t) for f, t in zip(full, target, strict=True)], "SAME_UPPER" if mode == "SAME_UPPER" else "")
    return function(x, w, bias, steps, pads, extra, node.get("group", 1), dilations)


def _max_pool_refused(node: Node) -> str | None:
    if len([name for name in node.outputs if name]) > 1:
        return "its output Indices is not available; use the values only"
    return _flat_windows(node)


@TABLE.add("MaxPool", refuses=_max_pool_refused, note="of sequences and images; without the output Indices")
def max_pool(node: Node, x: Any) -> Any:
    axes, kernel = _axes(x), node.get("kernel_shape")
    function = pooling.max_pool1d if axes == 1 else pooling.max_pool2d
    pads = _pads(node, x.shape[2:], kernel)
    return function(
        x, kernel, _per_axis(node, "strides", axes), pads, _per_axis(node, "dilations", axes), bool(node.get("ceil_mode", 0))
    )


def _average_refused(node: Node) -> str | None:
    return "dilations are not available" if any(d != 1 for d in node.get("dilations", ())) else _flat_windows(node)


@TABLE.add("AveragePool", refuses=_average_refused, note="of sequences and images; no dilations")
def average_pool(node: Node, x: Any) -> Any:
    axes, kernel = _axes(x), node.get("kernel_shape")
    function = pooling.avg_pool1d if axes == 1 else pooling.avg_pool2d
    pads = _pads(node, x.shape[2:], kernel)
    steps = _per_axis(node, "strides", axes)
    return function(x, kernel, steps, pads, bool(node.get("ceil_mode", 0)), bool(node.get("count_include_pad", 0)))


@TABLE.add("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", note="GlobalLpPool: p = 1 or 2")
def global_pool(node: Node, x: Any) -> Any:
    axes = tuple(range(2, x.ndim))
    if node.op == "GlobalAveragePool":
        return np.mean(x, axis=axes, keepdims=True)
    if node.op == "GlobalMaxPool":
        return np.max(x, axis=axes, keepdims=True)
    if node.get("p", 2) == 1:
        return np.sum(np.abs(x), axis=axes, keepdims=True)
    return np.sqrt(np.sum(x * x, axis=axes, keepdims=True))


@TABLE.add("LpPool", refuses=_average_refused, note="p = 1 or 2; no dilations")
def lp_pool(node: Node, x: Any) -> Any:
    axes, kernel, p = _axes(x), node.get("kernel_shape"), node.get("p", 2)
    function = pooling.avg_pool1d if axes == 1 else pooling.avg_pool2d
    terms = np.abs(x) if p == 1 else x * x
    steps, ceil_mode = _per_axis(node, "strides", axes), bool(node.get("ceil_mode", 0))
    total = function(terms, kernel, steps, _pads(node, x.shape[2:], kernel), ceil_mode, True) * float(math.prod(kernel))
    return total if p == 1 else np.sqrt(total)
