"""What depends on nothing secret: computed in the clear by ONNX's reference, of bounded size, and the same at all parties.

Public floats become factors of shares, so they must be the same bit for bit (docs/decisions/0010). Operators that move elements,
or do one operation of IEEE 754 for each, give that on every processor. Products of matrices, long sums and functions do not:
there party 0's results count, which it announces.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, ValueInfoProto, helper, numpy_helper, shape_inference

from mpc.errors import ModelError
from mpc.onnx.graph import Array, Node, is_float
from mpc.session import Party

MOST_ELEMENTS = 1 << 26
_SMALL = 1 << 10  # inputs that say how large a result becomes (shapes, pads, ...) have fewer elements
_MOST_WIDTH = 1 << 12
_WIDTHS = ("kernel_shape", "pads", "strides", "dilations", "output_padding")
_NO_LARGER = {
    "Cast", "Flatten", "Identity", "Reshape", "Shape", "Size", "Slice", "Sqrt", "Squeeze", "Transpose", "Unsqueeze",
}  # fmt: skip
_BROADCASTING = {"PRelu", "LayerNormalization", "RMSNormalization"}  # the reference does so where ONNX forbids it

# Beside those for secrets. An architecture is another party's: nothing else of the reference runs, which has operators that take
# a time beyond all bounds for a few bytes.
PUBLIC_ONLY = {
    "Acos", "Asin", "Atan", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor", "BlackmanWindow", "Constant",
    "ConstantOfShape", "CumProd", "HammingWindow", "HannWindow", "NonZero", "Range",
}  # fmt: skip

_EXACT = {
    "Abs", "Add", "And", "ArgMax", "ArgMin", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor", "Cast",
    "CastLike", "Ceil", "Clip", "Compress", "Concat", "Constant", "ConstantOfShape", "DepthToSpace", "DequantizeLinear", "Div",
    "Equal", "Expand", "EyeLike", "Flatten", "Floor", "Gather", "GatherElements", "GatherND", "GlobalMaxPool", "Greater",
    "GreaterOrEqual", "Hardmax", "Identity", "IsInf", "IsNaN", "Less", "LessOrEqual", "Max", "MaxPool", "Min", "Mod", "Mul",
    "Neg", "NonZero", "Not", "OneHot", "Or", "Pad", "QuantizeLinear", "Reciprocal", "ReduceMax", "ReduceMin", "Relu", "Reshape",
    "ReverseSequence", "Round", "Scatter", "ScatterElements", "ScatterND", "Shape", "Sign", "Size", "Slice", "SpaceToDepth",
    "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tile", "Transpose", "Trilu", "Unsqueeze", "Where", "Xor",
}  # fmt: skip
_EXACT_OF_INTEGERS = {
    "CumProd", "CumSum", "Gemm", "MatMul", "MatMulInteger", "Pow", "Range", "ReduceL1", "ReduceProd", "ReduceSum",
    "ReduceSumSquare",
}  # fmt: skip

# Operators that multiply their inputs at these places with each other: a product of two public ones would be computed in the
# clear, and meet the node's secrets.
_PRODUCTS = {
    **dict.fromkeys(("Conv", "ConvTranspose", "Einsum", "Gemm"), ((0, 1),)),
    **dict.fromkeys(("GRU", "LSTM", "RNN"), ((0, 1), (5, 2))),
    **dict.fromkeys(("GroupNormalization", "InstanceNormalization", "LayerNormalization", "RMSNormalization"), ((0, 0),)),
}


def results(party: Party, node: Node, values: Sequence[Any]) -> list[Any]:
    """The outputs of a node for public inputs: one for each name, None for "". 1 round where they are not exact, else 0."""
    if node.op not in _NO_LARGER:
        _bound(node, _inferred(node, values))
    root = _is_inverse_root(node, values)
    with np.errstate(all="ignore"):
        found = [np.asarray(value) for value in ([1 / np.sqrt(values[0])] if root else node.evaluate(*values))]
    _bound(node, [value.shape for value in found])
    if not root and not _is_exact(node, values):
        found = _announced(party, node, found)
    left = iter(found)
    return [next(left) if name else None for name in node.outputs]


def _is_inverse_root(node: Node, values: Sequence[Any]) -> bool:
    """Whether this is the power by which the owner replaces Sqrt and a division: of public floats it is those two, each exact."""
    return node.op == "Pow" and _is_public_float(values[0]) and np.ndim(values[1]) == 0 and float(values[1]) == -0.5


def on_shares(party: Party, node: Node, values: Sequence[Any]) -> list[Any]:
    """A node's inputs, some of them secret: of two public floats that it multiplies the first becomes a tensor, so that their
    product is the protocol's. Local."""
    given = list(values) + [None] * 8
    for first, second in _PRODUCTS.get(node.op, ()):
        if _is_public_float(given[first]) and _is_public_float(given[second]):
            given[first] = party.constant(given[first])
    return given[: len(values)]


def _is_public_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and is_float(value)


# ---------------------------------------------------------------------------------------- the same at all parties


def _is_exact(node: Node, values: Sequence[Any]) -> bool:
    of_integers = all(value is None or np.asarray(value).dtype.kind in "iub" for value in values)
    return node.op in _EXACT or (of_integers and node.op in _EXACT_OF_INTEGERS)


def _announced(party: Party, node: Node, own: Sequence[Array]) -> list[Array]:
    """Party 0's results, all in one round, in the dtypes and shapes of one's own."""
    words = np.concatenate([_words(array) for array in own])
    given = party.announce(words if party.index in (0, -1) else None, owner=0)  # -1: a dry run
    if given.dtype != words.dtype or given.shape != words.shape:
        raise ModelError(f"{node}: party 0 announces {given.size} public results in place of {words.size}")
    parts = np.split(given, np.cumsum([array.size for array in own])[:-1])
    return [_array(part, array) for part, array in zip(parts, own, strict=True)]


def _words(array: Array) -> Array:
    """The elements as int64: floats by the bits of a double, which holds all of them exactly."""
    flat = array.reshape(-1)
    return flat.astype(np.float64).view(np.int64) if is_float(array) else flat.astype(np.int64)


def _array(words: Array, like: Array) -> Array:
    values = words.view(np.float64) if is_float(like) else words
    return values.astype(like.dtype).reshape(like.shape)


# ---------------------------------------------------------------------------------------- bounds


def _bound(node: Node, shapes: Sequence[tuple[int, ...]]) -> None:
    for shape in shapes:
        if math.prod(shape) > MOST_ELEMENTS:
            raise ModelError(f"{node}: a public result of shape {shape} has more than {MOST_ELEMENTS} elements")
    for name in _WIDTHS:
        if any(abs(width) > _MOST_WIDTH for width in node.get(name) or ()):
            raise ModelError(f"{node}: {name} of public values may be {_MOST_WIDTH} at most, not {node.get(name)}")


def _inferred(node: Node, values: Sequence[Any]) -> list[tuple[int, ...]]:
    """The shapes that ONNX infers for the results: those that it knows."""
    arrays = {name: np.asarray(value) for name, value in zip(node.inputs, values, strict=False) if name}
    try:
        inferred = shape_inference.infer_shapes(_alone(node, arrays))
        broadcast = np.broadcast_shapes(*(a.shape for a in arrays.values())) if node.op in _BROADCASTING else ()
    except Exception as error:
        raise ModelError(f"{node}: its public inputs do not fit: {error}") from error
    dimensions = [output.type.tensor_type.shape.dim for output in inferred.graph.output]
    return [broadcast, *(tuple(d.dim_value for d in dims) for dims in dimensions if all(d.HasField("dim_value") for d in dims))]


def _alone(node: Node, arrays: dict[str, Array]) -> ModelProto:
    graph = helper.make_graph(
        [node.proto],
        "node",
        [helper.make_tensor_value_info(name, _type(array.dtype), array.shape) for name, array in arrays.items()],
        [ValueInfoProto(name=name) for name in node.outputs if name],
        [numpy_helper.from_array(array, name) for name, array in arrays.items() if array.size <= _SMALL],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", node.opset)])


@cache
def _type(dtype: np.dtype[Any]) -> int:
    return TensorProto.STRING if dtype.kind in "OU" else helper.np_dtype_to_tensor_dtype(dtype)
