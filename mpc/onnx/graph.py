"""An ONNX graph as plain data: its nodes in order, what goes in and out, and which constants are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, ValueInfoProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from mpc.errors import ModelError

Array = np.ndarray[Any, np.dtype[Any]]

_FIRST_OF_REFERENCE = {"DequantizeLinear": 19}  # the reference lacks earlier versions, which do the same


def is_float(array: Array) -> bool:
    """Whether these are floats: those that NumPy lacks (bfloat16, float8) have a kind of their own."""
    return array.dtype.kind == "f" or array.dtype.name.startswith(("bfloat", "float"))


@dataclass(frozen=True, eq=False)
class Node:
    """One operation. Inputs and outputs are names; "" is one that is left out. An operator that is not ONNX's own has its domain
    before it."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    opset: int

    def __str__(self) -> str:
        return f"node '{self.name}' ({self.op})"

    def get(self, attribute: str, default: Any = None) -> Any:
        return self.attributes.get(attribute, default)

    @property
    def proto(self) -> NodeProto:
        return helper.make_node(self.op, self.inputs, self.outputs, self.name, **self.attributes)

    @cached_property
    def _evaluator(self) -> ReferenceEvaluator:
        names = [name for name in dict.fromkeys(self.inputs) if name]
        graph = helper.make_graph(
            [self.proto],
            "node",
            [ValueInfoProto(name=name) for name in names],
            [ValueInfoProto(name=name) for name in self.outputs if name],
        )
        opset = max(self.opset, _FIRST_OF_REFERENCE.get(self.op, 0))
        return ReferenceEvaluator(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]))

    def evaluate(self, *values: Any) -> Any:
        """The outputs for public inputs, by ONNX's own reference; a list in the order of those outputs that are not left out."""
        feeds = {name: value for name, value in zip(self.inputs, values, strict=False) if name}
        try:
            with np.errstate(all="ignore"):
                return self._evaluator.run(None, feeds)
        except Exception as error:
            raise ModelError(f"{self}: its public inputs cannot be evaluated: {error}") from error

    @classmethod
    def of(cls, proto: NodeProto, opset: int) -> Node:
        attributes = {a.name: _attribute(a) for a in proto.attribute}
        op = proto.op_type if proto.domain in ("", "ai.onnx") else f"{proto.domain}::{proto.op_type}"
        return cls(op, proto.name, tuple(proto.input), tuple(proto.output), attributes, opset)


def _attribute(proto: AttributeProto) -> Any:
    value = helper.get_attribute_value(proto)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if proto.type == AttributeProto.STRINGS:
        return [text.decode(errors="replace") for text in value]
    return list(value) if proto.type in (AttributeProto.INTS, AttributeProto.FLOATS) else value


@dataclass(frozen=True)
class Value:
    """What is declared of an input: its name, its dtype in NumPy, and its sizes (None for those that only a call fixes)."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | str | None, ...] | None

    @classmethod
    def of(cls, proto: ValueInfoProto) -> Value:
        kind = proto.type.WhichOneof("value")
        if kind != "tensor_type":
            raise ModelError(f"the model's input '{proto.name}' is no tensor, but a {kind}: make tensors its inputs")
        tensor = proto.type.tensor_type
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type))
        if not tensor.HasField("shape"):
            return cls(proto.name, dtype, None)
        return cls(proto.name, dtype, tuple(_size(d) for d in tensor.shape.dim))

    def proto(self, shape: Any = None) -> ValueInfoProto:
        sizes = self.shape if shape is None else shape
        return helper.make_tensor_value_info(self.name, helper.np_dtype_to_tensor_dtype(self.dtype), sizes)


def _size(dimension: Any) -> int | str | None:
    kind = dimension.WhichOneof("value")
    return None if kind is None else getattr(dimension, kind)


@dataclass(eq=False)
class Graph:
    """Nodes in an order in which they can run. `constants` are known to whoever has the graph; `weights` have no value in it."""

    opset: int
    nodes: list[Node]
    inputs: list[Value]
    outputs: list[ValueInfoProto]
    constants: dict[str, Array]
    weights: list[Value] = field(default_factory=list)

    @classmethod
    def of(cls, model: ModelProto, weights: int = 0) -> Graph:
        """The graph of a model whose last `weights` inputs are weights."""
        opset = default_opset(model)
        constants = {proto.name: numpy_helper.to_array(proto) for proto in model.graph.initializer}
        inputs = [Value.of(proto) for proto in model.graph.input if proto.name not in constants]
        own = len(inputs) - weights
        nodes = [Node.of(proto, opset) for proto in model.graph.node]
        return cls(opset, nodes, inputs[:own], list(model.graph.output), constants, inputs[own:])

    def proto(self, shapes: Mapping[str, tuple[int, ...]] | None = None) -> ModelProto:
        """As a model, whose inputs have these shapes where given."""
        shapes = shapes or {}
        graph = GraphProto(name="model")
        graph.node.extend(node.proto for node in self.nodes)
        graph.input.extend(value.proto(shapes.get(value.name)) for value in (*self.inputs, *self.weights))
        graph.output.extend(self.outputs)
        graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in self.constants.items())
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        return model


def default_opset(model: ModelProto) -> int:
    """The version of ONNX's own operators that a model uses."""
    return next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 1)
