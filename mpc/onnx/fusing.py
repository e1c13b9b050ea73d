"""Nodes that make up one function, as older exporters write them, become that function again: it costs less, and is as exact.

Each party does this to the architecture that it has checked, so all of them run the same nodes.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np

from mpc.onnx.graph import Graph, Node


def fused(graph: Graph) -> list[Node]:
    """The nodes to run."""
    found = _Patterns(graph)
    replaced = {
        match[-1].name: (match, node) for node in graph.nodes if node.op == "Erf" for match in [found.gelu(node)] if match
    }
    gone = {node.name for match, _ in replaced.values() for node in match[:-1]}
    nodes = []
    for node in graph.nodes:
        if node.name in replaced:
            nodes.append(
                replace(
                    node, op="Gelu", inputs=(found.operand(replaced[node.name][1]),), attributes={}, opset=max(node.opset, 20)
                )
            )
        elif node.name not in gone:
            nodes.append(node)
    return nodes


class _Patterns:
    def __init__(self, graph: Graph):
        self.constants = graph.constants
        self.maker = {name: node for node in graph.nodes for name in node.outputs}
        self.user = {name: node for node in graph.nodes for name in node.inputs}
        self.uses = Counter(name for node in graph.nodes for name in node.inputs)
        self.uses.update(output.name for output in graph.outputs)

    def operand(self, erf: Node) -> str:
        """The x of erf(x / sqrt 2)."""
        inner = self.maker[erf.inputs[0]]
        return next(name for name in inner.inputs if name not in self.constants)

    def gelu(self, erf: Node) -> list[Node] | None:
        """x (1 + erf(x / sqrt 2)) / 2: its nodes, the last one last. The half may stand at x, or at the end."""
        inner = self.maker.get(erf.inputs[0])
        if inner is None or not self._scaled(inner, math.sqrt(0.5)):
            return None
        x = self.operand(erf)
        plus = self._next(erf)
        if plus is None or plus.op != "Add" or self._constant(plus) != 1:
            return None
        times = self._next(plus)
        if times is None or times.op != "Mul":
            return None
        other = next((name for name in times.inputs if name != plus.outputs[0]), "")
        own = [node for node in (inner, erf, plus) if node is not inner or self.uses[inner.outputs[0]] == 1]
        if other == x:
            last = self._next(times)
            return [*own, times, last] if last is not None and self._scaled(last, 0.5) else None
        half = self.maker.get(other)
        if half is None or x not in half.inputs or not self._scaled(half, 0.5) or self.uses[other] != 1:
            return None
        return [*own, half, times]

    def _next(self, node: Node) -> Node | None:
        """The one node that uses its result."""
        return self.user.get(node.outputs[0]) if self.uses[node.outputs[0]] == 1 else None

    def _constant(self, node: Node) -> float | None:
        """The public number among its two inputs."""
        values = [self.constants[name] for name in node.inputs if name in self.constants]
        return float(np.reshape(values[0], ())) if len(values) == 1 and values[0].size == 1 else None

    def _scaled(self, node: Node, factor: float) -> bool:
        """Whether the node multiplies something by this number."""
        value = self._constant(node)
        if value is None or node.op not in ("Mul", "Div") or (node.op == "Div" and node.inputs[0] in self.constants):
            return False
        return math.isclose(value if node.op == "Mul" else 1 / value, factor, rel_tol=1e-4)
