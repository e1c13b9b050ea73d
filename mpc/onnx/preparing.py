"""What the owner does with its model before anything is shared: constants are computed, and each is public or secret.

The rule. A tensor of numbers that the model holds is the owner's secret, except where it is part of the architecture:
- floats: one number without axes, a `Constant` node of one element, and what stands where an operator needs a public input
  (bounds of Clip, the exponent of Pow, the scales of Resize, ...) are public; all others are secret;
- int32, int64, booleans and strings are public (shapes, axes, indices, masks); other integers are quantised weights, and secret,
  and so is what DequantizeLinear makes of any, and the bias of a quantised convolution;
- what is computed from secrets alone is computed by the owner, and secret; from public constants alone, public.
`secret=` and `public=` name those that are to be otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from onnx import GraphProto, numpy_helper

from mpc.errors import ModelError, RangeError
from mpc.onnx.graph import Array, Graph, Node, Value, is_float
from mpc.onnx.operators import OPERATORS

RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
_PUBLIC_KINDS = {"int32", "int64", "bool", "object"}  # object: strings


@dataclass(eq=False)
class Draft:
    """A graph in the making: the nodes that are left, and the values that its owner knows, some of them secret."""

    graph: Graph
    asked: dict[str, bool]  # of constants that the owner has named: whether they are to be secret
    nodes: list[Node] = field(default_factory=list)
    known: dict[str, Array] = field(default_factory=dict)
    secret: set[str] = field(default_factory=set)

    def users(self, name: str) -> int:
        """How often a value is used, as a result of the model too."""
        outputs = sum(output.name == name for output in self.graph.outputs)
        return outputs + sum(node.inputs.count(name) for node in self.nodes)

    def maker(self, name: str) -> Node | None:
        return next((node for node in self.nodes if name in node.outputs), None)

    def weight(self, name: str, value: Array) -> str:
        """A new secret constant of that name, or one like it."""
        while name in self.known:
            name += "'"
        self.known[name] = value
        self.secret.add(name)
        return name


def draft(graph: Graph, secret: Collection[str] = (), public: Collection[str] = ()) -> Draft:
    """The graph without what its owner can compute alone."""
    work = Draft(graph, dict.fromkeys(public, False) | dict.fromkeys(secret, True))
    made = {name for node in graph.nodes if node.op == "Constant" for name in node.outputs}
    unknown = work.asked.keys() - graph.constants.keys() - made
    if unknown:
        raise ModelError(f"secret= and public= name constants; the model has none called {', '.join(sorted(unknown))}")
    for name, array in graph.constants.items():
        _learn(work, name, array, is_float(array) and array.ndim == 0)
    _fold(work, graph.nodes)
    for node in work.nodes:
        operator = OPERATORS.get(node.op)
        if operator is not None:
            work.secret.update(name for name in _at(node, operator.weights) if name in work.known and name not in work.asked)
            work.secret.difference_update(name for name in _at(node, operator.public) if name not in work.asked)
    return work


def _at(node: Node, places: Iterable[int]) -> list[str]:
    return [node.inputs[place] for place in places if place < len(node.inputs)]


def _learn(work: Draft, name: str, array: Array, number: bool) -> None:
    """A constant of the model; `number` says that it is a single one, as architectures have."""
    work.known[name] = array
    weight = not number and array.dtype.name not in _PUBLIC_KINDS and array.dtype.kind not in "UO"
    if work.asked.get(name, weight):
        work.secret.add(name)


def _fold(work: Draft, nodes: Iterable[Node]) -> None:
    for node in nodes:
        values = [work.known.get(name) for name in node.inputs]
        all_known = all(value is not None or not name for name, value in zip(node.inputs, values, strict=True))
        operator = OPERATORS.get(node.op)
        if node.op == "Constant":
            (value,) = node.evaluate()
            _learn(work, node.outputs[0], np.asarray(value), is_float(value) and value.size == 1)
        elif node.op == "If" and all_known and node.inputs[0] not in work.secret:
            _fold(work, _branch(work, node, bool(values[0])))
        elif all_known and node.op not in RANDOM and "::" not in node.op and not _has_subgraphs(node):
            results = node.evaluate(*values)
            names = [name for name in node.outputs if name]
            work.known.update(zip(names, (np.asarray(result) for result in results), strict=True))
            shape_only = operator is not None and operator.shape_only
            hidden = work.secret.intersection(node.inputs) or node.op == "DequantizeLinear"
            if hidden and not shape_only:
                work.secret.update(names)
        else:
            work.nodes.append(node)


def _has_subgraphs(node: Node) -> bool:
    return any(isinstance(value, GraphProto) for value in node.attributes.values())


def _branch(work: Draft, node: Node, condition: bool) -> list[Node]:
    """The nodes of the branch that a known condition takes."""
    branch: GraphProto = node.attributes["then_branch" if condition else "else_branch"]
    for proto in branch.initializer:
        array = numpy_helper.to_array(proto)
        _learn(work, proto.name, array, is_float(array) and array.ndim == 0)
    nodes = [Node.of(proto, node.opset) for proto in branch.node]
    names = zip(branch.output, node.outputs, strict=True)
    return nodes + [Node("Identity", f"{node.name} {k}", (o.name,), (name,), {}, node.opset) for k, (o, name) in enumerate(names)]


def finished(work: Draft) -> tuple[Graph, list[Array]]:
    """The architecture, with its weights as inputs, and their values."""
    used = dict.fromkeys([name for node in work.nodes for name in node.inputs] + [o.name for o in work.graph.outputs])
    names = [name for name in used if name in work.known]
    hidden = [name for name in names if name in work.secret]
    constants = {name: work.known[name] for name in names if name not in work.secret}
    weights = [Value(name, work.known[name].dtype, work.known[name].shape) for name in hidden]
    graph = replace(work.graph, nodes=work.nodes, constants=constants, weights=weights)
    return graph, [work.known[name] for name in hidden]


_ENDLESS = 1e30  # masks have infinities, or the lowest float32, in their place


def as_secret(name: str, array: Array, fraction_bits: int) -> Array:
    """A weight as it is shared: infinities, which masks have, are the largest number that sums leave room for.

    RangeError, which names the weight, for other numbers beyond that.
    """
    if not is_float(array):
        return array.astype(np.int64) if array.dtype.kind in "iuV" else array
    largest = np.ldexp(1.0, 60 - 2 * fraction_bits)
    values: Any = array.astype(np.float64)
    beyond = (np.abs(values) > largest) & (np.abs(values) < _ENDLESS)
    if np.any(beyond):
        raise RangeError(
            f"the weight '{name}' has a number of {largest:g} or more in magnitude, which fixed point has no room for"
        )
    return np.asarray(np.clip(values, -largest, largest))
