"""Loading: the owner reads and announces the architecture, and shares the weights."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from mpc.errors import ModelError
from mpc.onnx.architecture import decoded, encoded
from mpc.onnx.checking import check, likely_secret
from mpc.onnx.folding import simplify
from mpc.onnx.graph import Array, Graph
from mpc.onnx.model import Model
from mpc.onnx.preparing import as_secret, draft, finished
from mpc.onnx.reading import read
from mpc.session import Party


def load(party: Party, model: Any, owner: int, secret: Collection[str] = (), public: Collection[str] = ()) -> Model:
    """The owner's ONNX model, to be called with secret tensors by all parties. Only the owner's `model` is read.

    `model` is a path, bytes, or an onnx.ModelProto; None elsewhere. The architecture becomes public: operators, attributes,
    shapes, names, integer constants and single numbers. The weights stay secret; mpc.onnx.preparing has the rule, and
    `secret` and `public` name constants (at the owner) that are to be otherwise. ModelError, which names the nodes, for what
    cannot be imported. Cost: 2 rounds, and the bytes of the architecture.
    """
    architecture, weights = None, None
    dry = party._context.protocol.endpoint.dry  # then whoever has the model may tell its architecture
    if party.index == owner or (dry and model is not None):
        graph, arrays = prepared(model, secret, public)
        check(graph, likely_secret(graph))
        architecture = encoded(graph)
        weights = [as_secret(w.name, array, party.fraction_bits) for w, array in zip(graph.weights, arrays, strict=True)]
    what = f"party {party.index}, operation 'onnx.load'"
    graph = decoded(party.announce(architecture, owner), what)
    check(graph, likely_secret(graph))
    tensors = party.inputs(weights, owner)
    names = [value.name for value in graph.weights]
    if [t.shape for t in tensors] != [value.shape for value in graph.weights]:
        raise ModelError(f"{what}: party {owner} shares weights of other shapes than those of the architecture")
    return Model(party, graph, dict(zip(names, tensors, strict=True)))


def prepared(model: Any, secret: Collection[str] = (), public: Collection[str] = ()) -> tuple[Graph, list[Array]]:
    """The architecture and the weights of a model file."""
    work = draft(Graph.of(read(model)), secret, public)
    simplify(work)
    return finished(work)
