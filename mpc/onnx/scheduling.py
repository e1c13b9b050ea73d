"""The order of the nodes, and what they open together: independent products share their rounds.

A node's level is how many products and functions come before it; sums, views and shapes have the level of what they use. All
nodes of a level are independent of each other, so what their products open is truncated in one round and opened in one, and the
same function of several tensors runs once, on all of their elements.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from mpc.onnx.graph import Node
from mpc.onnx.operators import OPERATORS
from mpc.onnx.operators.table import is_secret
from mpc.tensor.base import truncate

# Operators that never communicate, but for a truncation.
_LOCAL = {
    "Add", "Sub", "Neg", "Sum", "Mean", "Identity", "Cast", "CastLike", "Dropout", "Not", "Xor",
    "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Expand", "Tile", "Concat", "Split", "Slice", "Pad",
    "GatherND", "Compress", "ReverseSequence", "DepthToSpace", "SpaceToDepth", "ScatterElements", "ScatterND", "Trilu",
    "Shape", "Size", "EyeLike", "AveragePool", "GlobalAveragePool", "ReduceSum", "ReduceMean", "CumSum",
}  # fmt: skip
_PRODUCTS = {
    "MatMul",
    "Gemm",
    "Conv",
    "ConvTranspose",
    "Einsum",
}  # elementwise ones may do without an opening
_FUNCTIONS = {
    "Abs", "Celu", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Log", "Mish", "Reciprocal",
    "Relu", "Selu", "Sigmoid", "Sign", "Softplus", "Softsign", "Sqrt", "Swish", "Tanh",
}  # fmt: skip
_PARTS = {"Gather", "Slice", "Split"}


def by_level(nodes: Sequence[Node]) -> list[list[Node]]:
    """The nodes in groups that run one after the other: those of a level that communicate, then those that do not."""
    level: dict[str, int] = {}
    groups: dict[tuple[int, bool], list[Node]] = {}
    for node in nodes:
        local = node.op in _LOCAL or node.op not in OPERATORS
        own = max((level.get(name, 0) for name in node.inputs), default=0) + (not local)
        level.update(dict.fromkeys(node.outputs, own))
        groups.setdefault((own, local), []).append(node)
    return [groups[key] for key in sorted(groups)]


def open_together(nodes: Iterable[Node], values: Mapping[str, Any]) -> None:
    """What these independent products open, if there are several: one round for the truncations, one for the openings."""
    pairs = [[values[name] for name in node.inputs[:2]] for node in nodes if node.op in _PRODUCTS]
    products = [pair for pair in pairs if all(map(is_secret, pair))]
    operands = [x for pair in products for x in pair if x.kind == "float"]
    if len(products) > 1 and operands:
        ready = truncate(operands, opening=operands)
        operands[0].context.protocol.open([t.share for t in ready])


def batches(nodes: Iterable[Node], values: Mapping[str, Any]) -> list[list[Node]]:
    """The nodes, those together that are the same function of secret tensors of one kind and scale."""
    groups: dict[Any, list[Node]] = {}
    for number, node in enumerate(nodes):
        key: Any = number
        if node.op in _FUNCTIONS and is_secret(x := values[node.inputs[0]]):
            key = (node.op, repr(sorted(node.attributes.items())), x.kind, x.scale)
        groups.setdefault(key, []).append(node)
    return list(groups.values())


def joined(tensors: Sequence[Any]) -> Any:
    """All elements of the tensors, one after the other."""
    return np.concatenate([t.reshape(-1) for t in tensors])


def parted(flat: Any, tensors: Sequence[Any]) -> list[Any]:
    """What `joined` made of the tensors, in their shapes again."""
    ends = np.cumsum([t.size for t in tensors])
    return [flat[int(end) - t.size : int(end)].reshape(t.shape) for t, end in zip(tensors, ends, strict=True)]


def divided(nodes: Iterable[Node]) -> set[str]:
    """The values of which several parts are used: they are truncated as a whole, before that."""
    users: dict[str, list[str]] = {}
    for node in nodes:
        for name in node.inputs[:1]:
            users.setdefault(name, []).append(node.op)
        for name in node.inputs[1:]:
            users.setdefault(name, []).append("")
    return {name for name, ops in users.items() if "Split" in ops or (len(ops) > 1 and set(ops) <= _PARTS)}
