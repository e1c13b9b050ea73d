"""Functions of each element by itself: activations and the like."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpc import functions
from mpc.onnx.graph import Node
from mpc.onnx.operators.table import Table, is_secret
from mpc.tensor.base import truncate

TABLE = Table()

_EXACT = "exact"
_CURVE = "right to one or two units in the last place"

for _name, _function, _note in (
    ("Abs", np.abs, _EXACT),
    ("Neg", np.negative, _EXACT),
    ("Sign", np.sign, _EXACT),
    ("Floor", np.floor, _EXACT),
    ("Ceil", np.ceil, _EXACT),
    ("Round", np.rint, _EXACT),
    ("Relu", functions.relu, _EXACT),
    ("Not", np.logical_not, _EXACT),
    ("IsNaN", np.isnan, "always False: a secret is a finite number"),
    ("IsInf", np.isinf, "always False: a secret is a finite number"),
    ("Exp", np.exp, _CURVE + "; results up to 2^17"),
    ("Log", np.log, _CURVE),
    ("Sqrt", np.sqrt, _CURVE),
    ("Reciprocal", np.reciprocal, _CURVE),
    ("Sin", np.sin, _CURVE),
    ("Cos", np.cos, _CURVE),
    ("Tan", np.tan, _CURVE),
    ("Tanh", np.tanh, _CURVE),
    ("Erf", functions.erf, _CURVE),
    ("Sigmoid", functions.sigmoid, _CURVE),
    ("Softplus", functions.softplus, _CURVE),
    ("Identity", lambda x: x, _EXACT),
):
    TABLE.elementwise(_name, _function, _note)


def parts(x: Any) -> tuple[Any, Any]:
    """max(x, 0) and min(x, 0), by one comparison."""
    positive = functions.relu(x)
    (x,) = truncate([x])  # what the comparison opened serves here too
    return positive, x - positive


@TABLE.add("LeakyRelu")
def leaky_relu(node: Node, x: Any) -> Any:
    positive, negative = parts(x)
    return positive + negative * node.get("alpha", 0.01)


@TABLE.add("PRelu")
def prelu(node: Node, x: Any, slope: Any) -> Any:
    if not is_secret(x):
        return np.where(x < 0, x * slope, x)
    positive, negative = parts(x)
    return positive + negative * slope


@TABLE.add("ThresholdedRelu")
def thresholded_relu(node: Node, x: Any) -> Any:
    return np.where(x > node.get("alpha", 1.0), x, 0.0)


@TABLE.add("Elu")
def elu(node: Node, x: Any) -> Any:
    positive, negative = parts(x)
    return positive + np.expm1(negative) * node.get("alpha", 1.0)


@TABLE.add("Celu")
def celu(node: Node, x: Any) -> Any:
    alpha = node.get("alpha", 1.0)
    positive, negative = parts(x)
    return positive + np.expm1(negative / alpha) * alpha


@TABLE.add("Selu")
def selu(node: Node, x: Any) -> Any:
    gamma = node.get("gamma", 1.0507009873554805)
    positive, negative = parts(x)
    return positive * gamma + np.expm1(negative) * (node.get("alpha", 1.6732632423543772) * gamma)


@TABLE.add("HardSigmoid")
def hard_sigmoid(node: Node, x: Any) -> Any:
    return np.clip(x * node.get("alpha", 0.2) + node.get("beta", 0.5), 0.0, 1.0)


@TABLE.add("HardSwish")
def hard_swish(node: Node, x: Any) -> Any:
    return x * np.clip(x * (1 / 6) + 0.5, 0.0, 1.0)


@TABLE.add("Softsign")
def softsign(node: Node, x: Any) -> Any:
    return x / (np.abs(x) + 1.0)


@TABLE.add("Mish")
def mish(node: Node, x: Any) -> Any:
    return x * np.tanh(functions.softplus(x))


@TABLE.add("Swish", note="alpha is public, as all attributes")
def swish(node: Node, x: Any) -> Any:
    alpha = node.get("alpha", 1.0)
    return functions.silu(x) if alpha == 1 else x * functions.sigmoid(x * alpha)


@TABLE.add("Gelu", note="approximate='tanh' is computed as the exact function, which is within 0.0005")
def gelu(node: Node, x: Any) -> Any:
    return functions.gelu(x)


@TABLE.add("Shrink")
def shrink(node: Node, x: Any) -> Any:
    bias, most = node.get("bias", 0.0), node.get("lambd", 0.5)
    return np.where(x < -most, x + bias, 0.0) + np.where(x > most, x - bias, 0.0)


@TABLE.add("Sinh", "Cosh")
def hyperbolic(node: Node, x: Any) -> Any:
    powers = np.exp(np.stack([x, -x]))
    return (powers[0] - powers[1] if node.op == "Sinh" else powers[0] + powers[1]) * 0.5


@TABLE.add("Atanh")
def atanh(node: Node, x: Any) -> Any:
    logs = np.log(np.stack([1.0 + x, 1.0 - x]))
    return (logs[0] - logs[1]) * 0.5


@TABLE.add("Asinh")
def asinh(node: Node, x: Any) -> Any:
    size = np.abs(x)
    return np.sign(x) * np.log(size + np.sqrt(size * size + 1.0))


@TABLE.add("Acosh")
def acosh(node: Node, x: Any) -> Any:
    return np.log(x + np.sqrt(x * x - 1.0))


@TABLE.add("Clip", public=(1, 2), note="bounds must be public: constants there are")
def clip(node: Node, x: Any, low: Any = None, high: Any = None) -> Any:
    largest = 2.0**28 if x.dtype.kind == "f" else 2.0**62  # what no secret reaches is no bound
    low = None if low is None or float(low) <= -largest else low
    high = None if high is None or float(high) >= largest else high
    return x if low is None and high is None else np.clip(x, low, high)


@TABLE.add("Dropout", public=(1, 2), note="the identity: training_mode is refused")
def dropout(node: Node, x: Any, ratio: Any = None, training: Any = None) -> Any:
    if training is not None and bool(training):
        raise ValueError("training_mode is not available; export the model in evaluation mode (model.eval())")
    return (x, np.ones(x.shape, bool)) if len(node.outputs) > 1 else x
