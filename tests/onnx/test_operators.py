"""Each operator as a model of one node, against onnxruntime, or ONNX's reference where that lacks it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import mpc
import mpc.onnx

RNG = np.random.default_rng(7)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def positive(*shape):
    return RNG.uniform(0.2, 3, shape).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def scalar(value):
    return np.array(value, np.float32)


@dataclass
class Case:
    """The inputs in `secret` are the client's, in `public` public arrays; the others are initializers of the model."""

    op: str
    inputs: list
    attributes: dict = field(default_factory=dict)
    secret: tuple = (0,)
    public: tuple = ()
    opset: int = 18
    outputs: int = 1
    within: float = 2**-12
    secure: bool = False  # by the additive protocol too

    def model(self):
        """The model, and what it gives for the inputs."""
        names = ["" if value is None else f"in{k}" for k, value in enumerate(self.inputs)]
        given = sorted({*self.secret, *self.public})
        declared = [helper.make_tensor_value_info(names[k], kind(self.inputs[k]), self.inputs[k].shape) for k in given]
        weights = [numpy_helper.from_array(v, names[k]) for k, v in enumerate(self.inputs) if k not in given and v is not None]
        outputs = [f"out{k}" for k in range(self.outputs)]
        node = helper.make_node(self.op, names, outputs, name="node", **self.attributes)
        graph = helper.make_graph([node], "case", declared, [helper.make_empty_tensor_value_info(n) for n in outputs], weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=10)
        values = expected(model, {names[k]: self.inputs[k] for k in given})
        del graph.output[:]
        graph.output.extend(helper.make_tensor_value_info(n, kind(v), v.shape) for n, v in zip(outputs, values, strict=True))
        return helper.make_model(graph, opset_imports=model.opset_import, ir_version=10), values


def expected(model, inputs):
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(None, inputs)
    except Exception:  # it lacks the operator, or a type of it
        return ReferenceEvaluator(model).run(None, inputs)


def kind(array):
    return helper.np_dtype_to_tensor_dtype(array.dtype)


X = normal(2, 3, 4)
IMAGE = normal(2, 4, 7, 6)
FLAT = ("Abs", "Neg", "Sign", "Floor", "Ceil", "Round", "Relu", "Exp", "Sin", "Cos", "Tanh", "Erf", "Sigmoid", "Softplus")
CASES = {op: Case(op, [X]) for op in FLAT}


def add(name, *args, **options):
    assert name not in CASES, name
    CASES[name] = Case(name.split(" ")[0], *args, **options)


# ---------------------------------------------------------------------------------------- elementwise
add("Tan", [X * 0.4])
for _op in ("Log", "Sqrt", "Reciprocal"):
    add(_op, [positive(2, 5)])
for _op in ("Identity", "IsNaN", "IsInf"):
    add(_op, [X], secure=True)
for _op in ("Sinh", "Cosh", "Asinh", "Softsign", "HardSwish", "Mish"):
    add(_op, [X], within=2**-10)
add("Atanh", [np.tanh(X)], within=2**-8)
add("Acosh", [positive(5) + 1], within=2**-9)
add("Not", [X > 0], secure=True)
add("LeakyRelu", [X], {"alpha": 0.1}, secure=True)
add("PRelu", [X, positive(3, 1)], secure=True)
add("PRelu secret", [X, positive(4)], secret=(0, 1))
add("ThresholdedRelu", [X], {"alpha": 0.3})
add("Elu", [X], {"alpha": 0.7})
add("Celu", [X], {"alpha": 0.7})
add("Selu", [X])
add("HardSigmoid", [X], {"alpha": 0.3, "beta": 0.4})
add("Swish", [X], {"alpha": 1.5}, opset=24)
add("Gelu", [X], {"approximate": "none"}, opset=20, secure=True)
add("Gelu tanh", [X], {"approximate": "tanh"}, opset=20, within=2**-10)
add("Shrink", [X], {"bias": 0.2, "lambd": 0.6})
add("Clip", [X, scalar(-0.5), scalar(0.7)], secure=True)
add("Clip one side", [X, None, scalar(0.7)])
add("Clip beyond", [X, scalar(-np.inf), scalar(3.4e38)])
add("Dropout", [X])
add("Dropout mask", [X, scalar(0.5), np.array(False)], outputs=2)
for _op in ("Add", "Sub", "Mul"):
    add(_op, [X, normal(3, 1)], secure=True)
    add(f"{_op} secrets", [X, normal(4)], secret=(0, 1))
    add(f"{_op} integers", [ints(3, -4, 5), ints(7, 2, -9)], secret=(0, 1))
add("Mul public", [X, normal(3, 1)], public=(1,))
add("Div", [X, positive(4)], secure=True)
add("Div secrets", [X, positive(4)], secret=(0, 1))
add("Div number", [X, scalar(3.7)])
add("Div integers", [ints(7, -7, 8, -9, 0), ints(2, 2, -3, 5, 3)])
add("Mod integers", [ints(7, -7, 8, -9), ints(2, 3, -3, 5)])
add("Mod floats", [X * 5, np.array([1.5], np.float32)], {"fmod": 1}, public=(1,))
add("Pow", [X, scalar(2)], secure=True)
add("Pow three", [X, np.array([3], np.float32)])
add("Pow root", [positive(6), scalar(0.5)])
add("Pow inverse", [positive(6), scalar(-1.3)], within=2**-9)
add("Sum", [X, normal(4), normal(3, 1)], secret=(0, 1))
add("Mean", [X, normal(4), normal(3, 1)], secret=(0, 1, 2))
add("Max", [X, normal(4), normal(3, 1)], secret=(0, 1, 2), secure=True)
add("Min", [X, normal(4), scalar(0.1)], secret=(0, 1))
for _op in ("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"):
    add(_op, [np.round(X), np.round(normal(4))], secret=(0, 1))
    add(f"{_op} weight", [np.round(X), np.round(normal(4))])
add("Greater number", [X, scalar(0.5)], secure=True)
for _op in ("And", "Or", "Xor"):
    add(_op, [X > 0, normal(4) > 0], secret=(0, 1))
add("Where", [X > 0, X, normal(4)], secure=True)
add("Where mask", [normal(3, 4) > 0, X, scalar(-7)], secret=(1,))
add("Cast integer", [X * 5], {"to": TensorProto.INT64})
add("Cast float", [ints(3, -4)], {"to": TensorProto.FLOAT})
add("Cast boolean", [X > 0], {"to": TensorProto.FLOAT}, secure=True)
add("Cast truth", [np.round(X)], {"to": TensorProto.BOOL})
add("Cast half", [X], {"to": TensorProto.FLOAT16}, within=2**-9)
add("CastLike", [X * 5, ints(1)])
# ---------------------------------------------------------------------------------------- products
add("MatMul", [X, normal(4, 5)], secure=True)
add("MatMul secrets", [X, normal(2, 4, 5)], secret=(0, 1))
add("MatMul vector", [X, normal(4)])
add("MatMul weight first", [normal(5, 3), X], secret=(1,))
add("Gemm", [normal(3, 4), normal(5, 4), normal(5)], {"alpha": 0.5, "beta": 2.0, "transB": 1}, secure=True)
add("Gemm secrets", [normal(4, 3), normal(4, 5), normal(5)], {"alpha": 0.5, "beta": 2.0, "transA": 1}, secret=(0, 1, 2))
add("Gemm no bias", [normal(3, 4), normal(4, 5)])
add("Einsum", [X, normal(4, 5)], {"equation": "bij, jk -> bik"})
add("Einsum three", [X, normal(4, 5), normal(5)], {"equation": "bij,jk,k->bi"})
add("Einsum one", [X], {"equation": "bij->ji"})
add(
    "MatMulInteger",
    [RNG.integers(0, 9, (3, 4)).astype(np.uint8), RNG.integers(0, 9, (4, 2)).astype(np.uint8), np.array(3, np.uint8)],
)
K = normal(5, 4, 3, 2)
add("Conv", [IMAGE, K, normal(5)], secure=True)
add("Conv pads", [IMAGE, K], {"pads": [1, 0, 2, 1], "strides": [2, 1], "dilations": [1, 2]})
add("Conv groups", [IMAGE, normal(6, 2, 3, 3), normal(6)], {"group": 2, "pads": [1, 1, 1, 1]}, secure=True)
add("Conv same", [IMAGE, K], {"auto_pad": "SAME_UPPER", "strides": [2, 2]})
add("Conv same lower", [IMAGE, K], {"auto_pad": "SAME_LOWER", "strides": [1, 3]})
add("Conv valid", [IMAGE, K], {"auto_pad": "VALID"})
add("Conv sequence", [normal(2, 3, 9), normal(4, 3, 3), normal(4)], {"pads": [2, 1], "strides": [2], "dilations": [2]})
add("ConvTranspose", [normal(2, 3, 4, 5), normal(3, 2, 3, 3), normal(2)], {"strides": [2, 1], "pads": [1, 0, 0, 1]}, secure=True)
add("ConvTranspose extra", [normal(1, 4, 3, 3), normal(4, 2, 3, 3)], {"strides": [2, 2], "output_padding": [1, 1], "group": 2})
add("ConvTranspose shape", [normal(1, 3, 4, 4), normal(3, 2, 3, 3)], {"strides": [2, 2], "output_shape": [8, 8]})
add("ConvTranspose same", [normal(1, 3, 4, 4), normal(3, 2, 3, 3)], {"strides": [2, 2], "auto_pad": "SAME_UPPER"})
add("ConvTranspose sequence", [normal(1, 3, 4), normal(3, 2, 3)], {"strides": [3], "dilations": [2]})
add("MaxPool", [IMAGE], {"kernel_shape": [2, 2], "strides": [2, 2]}, secure=True)
add("MaxPool pads", [IMAGE], {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]})
add("MaxPool ceil", [IMAGE], {"kernel_shape": [2, 4], "strides": [3, 3], "ceil_mode": 1})
add("MaxPool dilated", [IMAGE], {"kernel_shape": [2, 2], "dilations": [2, 3]})
add("MaxPool same", [IMAGE], {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_LOWER"})
add("MaxPool sequence", [normal(2, 3, 8)], {"kernel_shape": [3], "strides": [2]})
add("AveragePool", [IMAGE], {"kernel_shape": [2, 2], "strides": [2, 2]}, secure=True)
add("AveragePool pads", [IMAGE], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 0, 1]})
add("AveragePool included", [IMAGE], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1})
add("AveragePool ceil", [IMAGE], {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}, opset=19)
add("AveragePool ceil pads", [IMAGE],
    {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1, "pads": [1, 1, 1, 1], "count_include_pad": 1},
    opset=19)  # fmt: skip
add("AveragePool sequence", [normal(2, 3, 8)], {"kernel_shape": [3], "strides": [2], "auto_pad": "SAME_UPPER"})
add("GlobalAveragePool", [IMAGE], secure=True)
add("GlobalMaxPool", [IMAGE])
add("GlobalLpPool", [IMAGE], within=2**-9)
add("LpPool", [IMAGE], {"kernel_shape": [2, 2], "strides": [2, 2], "p": 2}, within=2**-9)
add("LpPool one", [IMAGE], {"kernel_shape": [3, 2], "p": 1, "pads": [1, 0, 1, 0]})
# ---------------------------------------------------------------------------------------- reductions
for _op in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare"):
    add(_op, [X, ints(1)], within=2**-10)
    add(f"{_op} all", [X], {"keepdims": 0}, within=2**-9)
add("ReduceLogSum", [positive(2, 5), ints(-1)])
add("ReduceLogSumExp", [X, ints(0, -1)])
add("ReduceSum old", [X], {"axes": [0, 2], "keepdims": 0}, opset=11)
add("ReduceSum nothing", [X], {"noop_with_empty_axes": 1})
add("ReduceMax old", [X], {"axes": [-1]}, opset=12)
add("ArgMax", [X], {"axis": -1, "keepdims": 0}, secure=True)
add("ArgMax last", [np.round(X)], {"axis": 1, "select_last_index": 1})
add("ArgMin", [X], {"axis": 1})
add("CumSum", [X, ints(1)[0]])
add("CumSum back", [X, ints(2)[0]], {"exclusive": 1, "reverse": 1})
add("TopK", [X, ints(2)], {"axis": -1}, outputs=2, secure=True)
add("TopK smallest", [X, ints(2)], {"axis": 1, "largest": 0}, outputs=2)
add("Softmax", [X * 3], {"axis": 1}, secure=True)
add("Softmax old", [X], {"axis": 1}, opset=11)
add("LogSoftmax", [X], {"axis": -1})
add("LogSoftmax old", [X], opset=12)
add("Hardmax", [X], {"axis": 1})
add("Hardmax old", [X], {"axis": 1}, opset=11)
add("LayerNormalization", [X, normal(4), normal(4)], {"epsilon": 1e-4}, within=2**-9, secure=True)
add("LayerNormalization axes", [X, normal(3, 4)], {"axis": 1}, outputs=3, within=2**-8)
add("RMSNormalization", [X, normal(4)], opset=23, within=2**-9)
add("InstanceNormalization", [IMAGE, normal(4), normal(4)], within=2**-9)
add("GroupNormalization", [IMAGE, normal(4), normal(4)], {"num_groups": 2}, opset=21, within=2**-9)
add("BatchNormalization", [IMAGE, normal(4), normal(4), normal(4), positive(4)], within=2**-10, secure=True)
add("BatchNormalization old", [IMAGE, normal(4), normal(4), normal(4), positive(4)], opset=11, within=2**-10)
add("BatchNormalization secrets", [IMAGE, normal(4), normal(4), normal(4), positive(4)], secret=(0, 1, 2, 3, 4), within=2**-9)
add("MeanVarianceNormalization", [IMAGE], within=2**-9)
add("LpNormalization", [X], {"axis": 1}, within=2**-9)
add("LpNormalization one", [X], {"axis": -1, "p": 1}, within=2**-9)
add("LRN", [IMAGE], {"size": 3, "alpha": 0.1}, within=2**-10)
# ---------------------------------------------------------------------------------------- shapes
add("Reshape", [X, ints(0, -1)], secure=True)
add("Flatten", [X], {"axis": 2})
add("Flatten negative", [X], {"axis": -2})
add("Transpose", [X], {"perm": [1, 2, 0]})
add("Transpose default", [X])
add("Squeeze", [X[:, :1], ints(1)])
add("Squeeze old", [X[:1, :1]], {"axes": [0]}, opset=11)
add("Squeeze all", [X[:1, :, :1]])
add("Unsqueeze", [X, ints(0, -1)])
add("Unsqueeze old", [X], {"axes": [1]}, opset=11)
add("Expand", [X[:, :1], ints(5, 1, 2, 3, 1)])
add("Tile", [X, ints(1, 2, 3)])
add("Concat", [X, normal(2, 1, 4)], {"axis": 1}, secret=(0, 1), secure=True)
add("Concat weight", [X, normal(2, 1, 4)], {"axis": -2})
add("Split", [X, ints(1, 3)], {"axis": 2}, outputs=2)
add("Split even", [normal(7, 2)], {"num_outputs": 3}, outputs=3)
add("Split old", [X], {"axis": -1, "split": [3, 1]}, outputs=2, opset=11)
add("Slice", [normal(6, 7), ints(1, -2), ints(2**60, -6), ints(0, 1), ints(2, -2)])
add("Slice plain", [X, ints(0, 1), ints(1, 3)])
add("Slice back", [X, ints(-1), ints(-(2**60)), ints(1), ints(-1)])
add("Gather", [X, ints(2, 0, -1)], {"axis": 1})
add("Gather one", [X, np.array(1)], {"axis": -1})
add("Gather table", [normal(6, 3), ints(2, 0, 5)], secret=(1,), secure=True)
add("Gather secrets", [X, np.array([[1, 0], [2, 2]])], {"axis": 1}, secret=(0, 1))
add("GatherElements", [X, RNG.integers(-3, 3, (2, 2, 4))], {"axis": 1})
add("GatherElements secrets", [X, RNG.integers(0, 3, (2, 2, 4))], {"axis": 1}, secret=(0, 1))
add("GatherND", [X, np.array([[0, 1], [1, 2]])])
add("Compress", [X, np.array([True, False, True])], {"axis": 1})
add("ReverseSequence", [X, ints(2, 1, 2)], {"time_axis": 0, "batch_axis": 1})
add("DepthToSpace", [IMAGE], {"blocksize": 2, "mode": "CRD"})
add("SpaceToDepth", [normal(1, 2, 4, 6)], {"blocksize": 2})
add("ScatterElements", [normal(3, 3), np.array([[1, 0, 2], [0, 2, 1]]), normal(2, 3)], secret=(0, 2))
add("ScatterND", [normal(4, 2), np.array([[1], [3]]), normal(2, 2)])
add("Trilu", [normal(3, 4)], {"upper": 0})
add("Trilu k", [normal(2, 3, 4), np.array(1)])
add("Pad", [X, ints(0, 1, 2, 1, 0, 0), scalar(1.5)], secure=True)
add("Pad zeros", [X, ints(0, 1, -1, 1, 0, 2)])
add("Pad axes", [X, ints(1, 2), scalar(0), ints(-1)])
add("Pad reflect", [X, ints(0, 1, 2, 0, 1, 3)], {"mode": "reflect"})
add("Pad edge", [X, ints(0, 1, 2, 0, 1, 3)], {"mode": "edge"})
add("OneHot", [ints(1, 0, 3), np.array(4), np.array([-1, 2], np.float32)], secure=True)
add("OneHot axis", [np.array([[1, 0], [2, 1]]), np.array(3), np.array([0, 1], np.float32)], {"axis": 1})
add("Resize", [IMAGE, None, np.array([1, 1, 2, 2], np.float32)], {"mode": "nearest"}, secure=True)
add("Resize asymmetric", [IMAGE, None, np.array([1, 1, 0.7, 1.5], np.float32)],
    {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"})  # fmt: skip
add("Resize linear", [IMAGE, None, None, ints(2, 4, 10, 9)], {"mode": "linear"})
add("Resize corners", [IMAGE, None, np.array([1, 1, 2, 2], np.float32)],
    {"mode": "linear", "coordinate_transformation_mode": "align_corners"})  # fmt: skip
add("Resize cubic", [IMAGE, None, np.array([1, 1, 2, 1], np.float32)], {"mode": "cubic"})
add("Shape", [X])
add("Size", [X])
add("EyeLike", [normal(3, 4)])
# ---------------------------------------------------------------------------------------- recurrent
STEPS, BATCH, FEATURES, HIDDEN = 3, 2, 4, 3
SEQUENCE = normal(STEPS, BATCH, FEATURES)


def weights(gates, directions=1):
    return [normal(directions, gates * HIDDEN, n) * 0.5 for n in (FEATURES, HIDDEN)] + [normal(directions, 2 * gates * HIDDEN)]


add("LSTM", [SEQUENCE, *weights(4)], {"hidden_size": HIDDEN}, outputs=3, secure=True, within=2**-10)
add("LSTM both", [SEQUENCE, *weights(4, 2), None, normal(2, BATCH, HIDDEN), normal(2, BATCH, HIDDEN), normal(2, 3 * HIDDEN)],
    {"hidden_size": HIDDEN, "direction": "bidirectional"}, outputs=3, within=2**-10)  # fmt: skip
add("LSTM lengths", [SEQUENCE, *weights(4), np.array([2, 3], np.int32)], {"hidden_size": HIDDEN, "direction": "reverse"},
    outputs=3, within=2**-10)  # fmt: skip
add("GRU", [SEQUENCE, *weights(3)], {"hidden_size": HIDDEN}, outputs=2, secure=True, within=2**-10)
add("GRU after", [SEQUENCE, *weights(3, 2)], {"hidden_size": HIDDEN, "linear_before_reset": 1, "direction": "bidirectional"},
    outputs=2, within=2**-10)  # fmt: skip
add("RNN", [SEQUENCE, *weights(1)], {"hidden_size": HIDDEN}, outputs=2, within=2**-10)
add("RNN relu", [SEQUENCE, *weights(1)], {"hidden_size": HIDDEN, "activations": ["Relu"]}, outputs=2, within=2**-10)
# ---------------------------------------------------------------------------------------- quantised, and operators written out
SCALE = np.array([0.1, 0.2, 0.05], np.float32)
add("QuantizeLinear", [X, scalar(0.05), np.array(128, np.uint8)])
add("QuantizeLinear axis", [X, SCALE, np.array([0, 1, 2], np.int8)], {"axis": 1})
add("DequantizeLinear", [RNG.integers(-9, 9, (2, 3)).astype(np.int8), SCALE, np.array([0, 1, 2], np.int8)])
BYTES, SIGNED = (RNG.integers(low, low + 99, (1, 2, 5, 5)).astype(dtype) for low, dtype in ((0, np.uint8), (-50, np.int8)))
FILTERS, ZERO = RNG.integers(-9, 9, (3, 2, 3, 3)).astype(np.int8), np.array(3, np.uint8)
add("ConvInteger", [BYTES, FILTERS, ZERO], {"pads": [1, 1, 1, 1]})
add("QLinearConv", [BYTES, scalar(0.05), ZERO, FILTERS, SCALE, np.zeros(3, np.int8), scalar(0.4), ZERO,
    np.array([40, -7, 0], np.int32)], {"strides": [2, 2]})  # fmt: skip
add("QLinearMatMul", [BYTES[0, 0], scalar(0.05), ZERO, BYTES[0, 1], scalar(0.1), ZERO, scalar(0.5), ZERO])
Q, KEYS, VALUES = normal(2, 3, 8), normal(2, 5, 8), normal(2, 5, 8)
add("Attention", [Q, KEYS, VALUES], {"q_num_heads": 2, "kv_num_heads": 2}, secret=(0, 1, 2), opset=23, within=2**-9, secure=True)
add("Attention causal", [Q, Q, VALUES[:, :3]], {"q_num_heads": 2, "kv_num_heads": 2, "is_causal": 1}, secret=(0, 1, 2),
    opset=23, within=2**-9)  # fmt: skip
add("Attention grouped", [Q, KEYS[..., :4], VALUES[..., :4], normal(3, 5)], {"q_num_heads": 4, "kv_num_heads": 2},
    secret=(0, 1, 2), opset=23, within=2**-8)  # fmt: skip
add("RotaryEmbedding", [Q, normal(2, 3, 2), normal(2, 3, 2)], {"num_heads": 2}, opset=23)
add("CenterCropPad", [IMAGE, ints(4, 8)], {"axes": [2, 3]})

add("NegativeLogLikelihoodLoss", [normal(4, 3), ints(0, 2, 1, 1)])
add("SoftmaxCrossEntropyLoss", [normal(4, 3), ints(0, 2, 1, 1)])
add("SwiGLU", [normal(2, 6), normal(2, 6)], secret=(0, 1), opset=28)

MODELS = {name: case.model() for name, case in CASES.items()}


def outcomes(names, protocol):
    """{name: results or the error} of these cases in one run. Party 1 owns the models, party 0 the inputs."""

    def program(party):
        found = {}
        for name in names:
            case, (model, _) = CASES[name], MODELS[name]
            loaded = mpc.onnx.load(party, model if party.index == 1 else None, owner=1)
            inputs = {f"in{k}": party.input(case.inputs[k] if party.index == 0 else None, owner=0) for k in case.secret}
            inputs |= {f"in{k}": case.inputs[k] for k in case.public}
            results = loaded(**inputs)
            results = results if isinstance(results, tuple) else (results,)
            found[name] = [r.reveal() if isinstance(r, mpc.Tensor) else r for r in results]
        return found

    try:
        return mpc.simulate(program, protocol=protocol, seed=1)[0]
    except Exception as error:
        if len(names) == 1:
            return {names[0]: error}
        return {name: outcome for half in (names[::2], names[1::2]) for name, outcome in outcomes(half, protocol).items()}


@pytest.fixture(scope="module")
def plaintext():
    return outcomes(list(CASES), "plaintext")


@pytest.fixture(scope="module")
def additive():
    return outcomes([name for name, case in CASES.items() if case.secure], "additive")


def compare(name, results):
    if isinstance(results, Exception):
        raise results
    for got, want in zip(results, MODELS[name][1], strict=True):
        assert np.shape(got) == want.shape
        if want.dtype.kind == "f":
            np.testing.assert_allclose(got, want, atol=CASES[name].within, rtol=CASES[name].within)
        else:
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", CASES)
def test_an_operator_in_the_clear(name, plaintext):
    compare(name, plaintext[name])


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.secure])
def test_an_operator_on_shares(name, additive):
    compare(name, additive[name])
