"""Sums, means, extremes, orders and softmax along axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpc import functions
from mpc.onnx.graph import Node
from mpc.onnx.operators.table import Table, argument, is_secret
from mpc.tensor.base import truncate

TABLE = Table()


def _l2(x: Any, **options: Any) -> Any:
    return np.sqrt(np.sum(x * x, **options))


_REDUCTIONS: dict[str, Any] = {
    "ReduceSum": np.sum,
    "ReduceMean": np.mean,
    "ReduceMax": np.max,
    "ReduceMin": np.min,
    "ReduceProd": np.prod,
    "ReduceL1": lambda x, **options: np.sum(np.abs(x), **options),
    "ReduceL2": _l2,
    "ReduceSumSquare": lambda x, **options: np.sum(x * x, **options),
    "ReduceLogSum": lambda x, **options: np.log(np.sum(x, **options)),
    "ReduceLogSumExp": functions.logsumexp,
}


@TABLE.add(*_REDUCTIONS, public=(1,), note="public axes")
def reduce(node: Node, x: Any, axes: Any = None) -> Any:
    chosen = argument(node, "axes", axes)
    if not chosen and node.get("noop_with_empty_axes", 0):
        return x
    axis = tuple(chosen) if chosen else tuple(range(x.ndim))
    return _REDUCTIONS[node.op](x, axis=axis, keepdims=bool(node.get("keepdims", 1)))


@TABLE.add("ArgMax", "ArgMin", note="of equal ones the first, or the last (select_last_index)")
def position(node: Node, x: Any) -> Any:
    axis, keepdims = node.get("axis", 0), bool(node.get("keepdims", 1))
    function = np.argmax if node.op == "ArgMax" else np.argmin
    if not node.get("select_last_index", 0):
        return function(x, axis=axis, keepdims=keepdims)
    return (x.shape[axis] - 1) - function(np.flip(x, axis), axis=axis, keepdims=keepdims)


@TABLE.add("CumSum", public=(1,))
def cumulative(node: Node, x: Any, axis: Any) -> Any:
    place = int(np.reshape(axis, ()))
    backwards = bool(node.get("reverse", 0))
    x = np.flip(x, place) if backwards else x
    total = np.cumsum(x, axis=place)
    total = total - x if node.get("exclusive", 0) else total
    return np.flip(total, place) if backwards else total


@TABLE.add("TopK", public=(1,), note="public k; the values come in order, whether sorted is set or not")
def top_k(node: Node, x: Any, k: Any) -> Any:
    count, axis = int(np.reshape(k, ())), node.get("axis", -1)
    if node.get("largest", 1):
        return functions.top_k(x, count, axis)
    values, indices = functions.top_k(-x, count, axis)
    return -values, indices


@TABLE.add("Softmax", "LogSoftmax", note="right to two units in the last place")
def softmax(node: Node, x: Any) -> Any:
    function = functions.softmax if node.op == "Softmax" else functions.log_softmax
    if node.opset >= 13:
        return function(x, axis=node.get("axis", -1))
    axis = node.get("axis", 1) % max(1, x.ndim)  # until opset 12: over all axes from this one on
    return function(x, axis=tuple(range(axis, x.ndim)))


@TABLE.add("Hardmax", note="as Softmax; exact")
def hardmax(node: Node, x: Any) -> Any:
    axis = node.get("axis", 1 if node.opset < 13 else -1) % x.ndim
    rows = x if node.opset >= 13 else x.reshape((*x.shape[:axis], -1))
    best = functions.one_hot(np.argmax(rows, axis=axis), rows.shape[axis]).astype(np.float64)
    return np.moveaxis(best, -1, axis).reshape(x.shape)


# ---------------------------------------------------------------------------------------- normalisation

_EPSILON = "epsilon counts as a multiple of 2^-16"


def _axes(first: int, ndim: int) -> tuple[int, ...]:
    return tuple(range(first % ndim, ndim))


def standardised(x: Any, axes: tuple[int, ...], epsilon: float, factor: Any = None, centre: bool = True) -> tuple[Any, Any, Any]:
    """factor (x - mean) / sqrt(var + epsilon), the mean, and the inverse root. x is secret.

    The factor is opened in the round of a truncation, and multiplied first, so that its product is truncated in the same round
    as the variance.
    """
    mean = np.mean(x, axis=axes, keepdims=True)
    (x,) = truncate([x - mean if centre else x], opening=[factor] if is_secret(factor) else [])
    variance = np.mean(x * x, axis=axes, keepdims=True) + epsilon
    x = x if factor is None else x * factor
    x, variance = truncate([x, variance])
    inverse = functions.rsqrt(variance)
    return x * inverse, mean, inverse


@TABLE.add("LayerNormalization", note=_EPSILON)
def layer_norm(node: Node, x: Any, scale: Any, bias: Any = None) -> Any:
    y, mean, inverse = standardised(x, _axes(node.get("axis", -1), x.ndim), node.get("epsilon", 1e-5), scale)
    y = y if bias is None else y + bias
    return (y, mean, inverse)[: len(node.outputs)] if len(node.outputs) > 1 else y


@TABLE.add("RMSNormalization", note=_EPSILON)
def rms_norm(node: Node, x: Any, scale: Any) -> Any:
    return standardised(x, _axes(node.get("axis", -1), x.ndim), node.get("epsilon", 1e-5), scale, centre=False)[0]


def _channels(values: Any, ndim: int) -> Any:
    """One number for each channel, shaped to go with (N, C, ...)."""
    return values.reshape((-1, *(1,) * (ndim - 2)))


@TABLE.add("InstanceNormalization", note=_EPSILON)
def instance_norm(node: Node, x: Any, scale: Any, bias: Any) -> Any:
    y, _, _ = standardised(x, _axes(2, x.ndim), node.get("epsilon", 1e-5), _channels(scale, x.ndim))
    return y + _channels(bias, x.ndim)


@TABLE.add("GroupNormalization", note="from opset 21 on, with scale and bias for each channel; " + _EPSILON)
def group_norm(node: Node, x: Any, scale: Any, bias: Any) -> Any:
    groups = node.get("num_groups")
    grouped = x.reshape((x.shape[0], groups, x.shape[1] // groups, -1))
    y = standardised(grouped, (2, 3), node.get("epsilon", 1e-5), scale.reshape((1, groups, -1, 1)))[0]
    return y.reshape(x.shape) + _channels(bias, x.ndim)


def _training(node: Node) -> str | None:
    return "training_mode is not available; export the model in evaluation mode" if node.get("training_mode", 0) else None


@TABLE.add(
    "BatchNormalization",
    refuses=_training,
    note="by weights: part of the Conv or Gemm before it, else one product",
)
def batch_norm(node: Node, x: Any, scale: Any, bias: Any, mean: Any, variance: Any) -> Any:
    epsilon = node.get("epsilon", 1e-5)
    if epsilon == 0 and not is_secret(variance):  # the owner has made one factor and one shift of them all
        return x * _channels(scale, x.ndim) + _channels(bias, x.ndim)
    inverse = functions.rsqrt(variance + epsilon) if is_secret(variance) else 1 / np.sqrt(variance + epsilon)
    factor = scale * inverse
    return x * _channels(factor, x.ndim) + _channels(bias - mean * factor, x.ndim)


@TABLE.add("LpNormalization", note="p = 1 or 2; a row of zeros gives 0")
def lp_norm(node: Node, x: Any) -> Any:
    axis = node.get("axis", -1)
    if node.get("p", 2) == 1:
        return x / np.sum(np.abs(x), axis=axis, keepdims=True)
    return x * functions.rsqrt(np.sum(x * x, axis=axis, keepdims=True))


@TABLE.add("LRN")
def local_response(node: Node, x: Any) -> Any:
    size = node.get("size")
    before, after = (size - 1) // 2, size // 2
    squares = x * x
    channels = range(x.shape[1])
    sums = [np.sum(squares[:, max(0, c - before) : c + after + 1], axis=1) for c in channels]
    base = np.stack(sums, axis=1) * (node.get("alpha", 1e-4) / size) + node.get("bias", 1.0)
    return x * np.power(base, -node.get("beta", 0.75))
