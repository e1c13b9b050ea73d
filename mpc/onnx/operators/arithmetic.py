"""Arithmetic, comparison, logic and selection of several tensors, and conversions."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from onnx import helper

from mpc.onnx.graph import Node
from mpc.onnx.operators.table import Table, is_secret

TABLE = Table()

_EXACT = "exact"


@TABLE.add("Add")
def add(node: Node, x: Any, y: Any) -> Any:
    return np.add(x, y)


@TABLE.add("Sub")
def subtract(node: Node, x: Any, y: Any) -> Any:
    return np.subtract(x, y)


@TABLE.add("Mul")
def multiply(node: Node, x: Any, y: Any) -> Any:
    return np.multiply(x, y)


@TABLE.add("Div", note="of integers by public integers only")
def divide(node: Node, x: Any, y: Any) -> Any:
    if x.dtype.kind == "i":
        return np.floor_divide(x - np.fmod(x, y), y)  # towards zero
    return np.divide(x, y)


@TABLE.add("Mod", public=(1,), note="public divisors")
def modulo(node: Node, x: Any, y: Any) -> Any:
    return np.fmod(x, y) if node.get("fmod", 0) else np.remainder(x, y)


@TABLE.add("Pow", public=(1,), note="one public exponent: constants there are public")
def power(node: Node, x: Any, exponent: Any) -> Any:
    if np.size(exponent) != 1:
        raise ValueError(f"one exponent is available, not an array of shape {exponent.shape}")
    value = float(np.reshape(exponent, ())[()])
    return np.power(x, int(value) if value.is_integer() else value)


@TABLE.add("Sum")
def add_all(node: Node, *values: Any) -> Any:
    return reduce(np.add, values)


@TABLE.add("Mean")
def mean_of_all(node: Node, *values: Any) -> Any:
    return reduce(np.add, values) / float(len(values))


@TABLE.add("Max", "Min")
def extreme(node: Node, *values: Any) -> Any:
    """Of several inputs the secrets play as one tournament."""
    pair, along = (np.maximum, np.max) if node.op == "Max" else (np.minimum, np.min)
    secret, public = [v for v in values if is_secret(v)], [v for v in values if not is_secret(v)]
    shape = np.broadcast_shapes(*(v.shape for v in secret))
    best = secret[0] if len(secret) == 1 else along(np.stack([np.broadcast_to(v, shape) for v in secret]), axis=0)
    return pair(best, reduce(pair, public)) if public else best


# ---------------------------------------------------------------------------------------- comparison and logic

for _name, _compare in (
    ("Equal", np.equal),
    ("Less", np.less),
    ("LessOrEqual", np.less_equal),
    ("Greater", np.greater),
    ("GreaterOrEqual", np.greater_equal),
    ("And", np.logical_and),
    ("Or", np.logical_or),
    ("Xor", np.logical_xor),
):
    TABLE.add(_name, note=_EXACT)(lambda node, x, y, compare=_compare: compare(x, y))


@TABLE.add("Where", note=_EXACT)
def where(node: Node, condition: Any, x: Any, y: Any) -> Any:
    return np.where(condition, x, y)


@TABLE.add(
    "Cast", "CastLike", note="floats to integers towards zero; widths are not narrowed; float16, bfloat16 and double are the same"
)
def cast(node: Node, x: Any, like: Any = None) -> Any:
    kind = like.dtype.kind if like is not None else _kind(node.get("to"))
    return x.astype({"b": np.bool_, "i": np.int64, "u": np.int64}.get(kind, np.float64))


def _kind(number: int) -> str:
    return np.dtype(helper.tensor_dtype_to_np_dtype(number)).kind
