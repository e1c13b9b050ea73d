"""What can be known before anything runs: whether every operator can run on what is secret, and whether shapes fit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from onnx import shape_inference

from mpc.errors import ModelError
from mpc.onnx.graph import Graph, Node
from mpc.onnx.operators import OPERATORS
from mpc.onnx.preparing import RANDOM
from mpc.onnx.public import PUBLIC_ONLY

CURES = {
    "NonZero": "how many there are would be secret, and a shape is public; select with Where",
    "Unique": "how many there are would be secret, and a shape is public",
    "NonMaxSuppression": "how many remain would be secret, and a shape is public; let the model end before it",
    "If": "a secret cannot steer control flow; compute both branches, and select with Where",
    "Loop": "export the model with a fixed number of steps, written out",
    "Scan": "export the model with a fixed number of steps, written out",
    "Det": "there is no determinant of secret matrices",
    **dict.fromkeys(RANDOM, "the parties would draw different numbers; draw them before, and make them an input"),
}
_ADVICE = "there is no such operator for secret tensors (docs/onnx.md lists those that there are); express it by others"

_REFUSED = "there is no such operator for public tensors either (docs/onnx.md lists those that there are); compute it before"


@dataclass(frozen=True)
class Problem:
    node: Node
    reason: str

    def __str__(self) -> str:
        return f"{self.node}: {self.reason}"


def problems(graph: Graph, secret: Collection[str]) -> list[Problem]:
    """Of each node that cannot run, why; for inputs of which these are secret."""
    hidden = {*secret, *(value.name for value in graph.weights)}
    found = []
    for node in graph.nodes:
        if not hidden.intersection(node.inputs):
            if node.op not in OPERATORS and node.op not in PUBLIC_ONLY:
                found.append(Problem(node, CURES.get(node.op, _REFUSED)))
            continue
        operator = OPERATORS.get(node.op)
        reason = CURES.get(node.op, _ADVICE) if operator is None else _refusal(node, hidden)
        if reason:
            found.append(Problem(node, reason))
        if operator is None or not operator.shape_only:
            hidden.update(name for name in node.outputs if name)
    return found


def _refusal(node: Node, hidden: Collection[str]) -> str | None:
    operator = OPERATORS[node.op]
    for place in operator.public:
        if place < len(node.inputs) and node.inputs[place] in hidden:
            return f"its input {place}, '{node.inputs[place]}', must be public, and is secret or computed from secrets"
    return operator.refuses(node) if operator.refuses else None


def check(graph: Graph, secret: Collection[str]) -> None:
    """ModelError, which names every node that cannot run."""
    found = problems(graph, secret)
    if found:
        lines = "\n".join(f"- {problem}" for problem in found)
        raise ModelError(f"{len(found)} of {len(graph.nodes)} nodes of the model cannot run on secret tensors:\n{lines}")


def likely_secret(graph: Graph) -> list[str]:
    """The inputs that are secret in most calls: floats that no operator needs to be public. Others may be sizes and indices."""
    needed = {
        node.inputs[place]
        for node in graph.nodes
        if node.op in OPERATORS
        for place in OPERATORS[node.op].public
        if place < len(node.inputs)
    }
    return [value.name for value in graph.inputs if value.dtype.kind not in "iub" and value.name not in needed]


def check_shapes(graph: Graph, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """ModelError where inputs of these shapes do not fit, with ONNX's own words, which name the node."""
    model = graph.proto(shapes)
    for output in model.graph.output:  # exporters fix the batch that they saw there
        output.type.tensor_type.ClearField("shape")
    try:
        shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    except Exception as error:
        given = ", ".join(f"'{name}' {tuple(shape)}" for name, shape in shapes.items())
        raise ModelError(f"the model's shapes do not fit for the inputs {given or '(none)'}: {str(error).strip()}") from None
