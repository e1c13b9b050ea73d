"""The architecture on its way from the owner to the others: an ONNX model whose weights are inputs without a value.

It is parsed as a protocol buffer and checked like any file: nothing in it is executed, and it names no other file.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, helper

from mpc.errors import ModelError
from mpc.onnx import records
from mpc.onnx.graph import Array, Graph

MOST_BYTES = 1 << 22  # a transformer of two layers, as the older exporter writes it, has 46 kB
MOST_RECORDS = 1 << 18  # and 2514 records: parsed, each may take some hundred bytes
_COUNT = "mpc.weights"


def encoded(graph: Graph) -> Array:
    """The graph as bytes."""
    model = graph.proto()
    helper.set_model_props(model, {_COUNT: str(len(graph.weights))})
    text = model.SerializeToString(deterministic=True)
    if len(text) > MOST_BYTES:
        raise ModelError(
            f"the architecture has {len(text)} bytes without its weights, more than {MOST_BYTES}: large integer constants are "
            "public; name those that are weights in secret="
        )
    return np.frombuffer(text, np.uint8)


def decoded(words: Array, what: str) -> Graph:
    """The graph that `encoded` sent; ModelError for anything else."""
    if words.dtype != np.uint8 or words.ndim != 1 or words.size > MOST_BYTES:
        raise ModelError(f"{what}: the architecture is no sequence of at most {MOST_BYTES} bytes")
    try:
        text = words.tobytes()
        records.count(memoryview(text), ModelProto.DESCRIPTOR, MOST_RECORDS)
        model = ModelProto.FromString(text)
        _refuse_files(model)
        onnx.checker.check_model(model)
        count = int(next(p.value for p in model.metadata_props if p.key == _COUNT))
        if not 0 <= count <= len(model.graph.input):
            raise ModelError(f"{count} weights of {len(model.graph.input)} inputs")
        return Graph.of(model, count)
    except Exception as error:
        raise ModelError(f"{what}: the architecture that the owner sent is no valid model: {str(error).strip()}") from None


def _refuse_files(model: ModelProto) -> None:
    for tensor in _tensors(model.graph):
        if tensor.data_location != TensorProto.DEFAULT or tensor.external_data:
            raise ModelError(f"its constant '{tensor.name}' names a file")


def _tensors(graph: GraphProto) -> Iterator[TensorProto]:
    """Every tensor with a value."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for attribute in (a for node in graph.node for a in node.attribute):
        yield from _of_attribute(attribute)


def _of_attribute(attribute: AttributeProto) -> Iterator[TensorProto]:
    yield from (attribute.t, *attribute.tensors)
    for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
        yield from (sparse.values, sparse.indices)
    for graph in (attribute.g, *attribute.graphs):
        yield from _tensors(graph)
