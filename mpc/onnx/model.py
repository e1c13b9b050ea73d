"""A loaded model: called like a function of tensors, in every party."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from mpc.errors import Error, ModelError, PeerFailed, PeerTimeout, ShapeError, UsageError
from mpc.onnx import public
from mpc.onnx.checking import check, check_shapes
from mpc.onnx.fusing import fused
from mpc.onnx.graph import Graph, Node, Value
from mpc.onnx.operators import OPERATORS
from mpc.onnx.operators.table import finite, is_secret
from mpc.onnx.scheduling import batches, by_level, divided, joined, open_together, parted
from mpc.session import Party
from mpc.tensor import Tensor
from mpc.tensor.base import truncate


class Model:
    """`model(*inputs)` computes the model on secret tensors, or public arrays; `model(name=tensor)` by the inputs' names.

    Returns a tensor, or a tuple of them for several outputs. What depends on nothing secret is a public array. `weights` are the
    owner's, secret, by name; they are opened (under masks) when they are first multiplied, once for all calls.
    """

    def __init__(self, party: Party, graph: Graph, weights: dict[str, Tensor]):
        self.weights = weights
        self._party, self._graph = party, graph
        self._checked: set[Any] = set()
        nodes = fused(graph)
        self._levels, self._divided = by_level(nodes), divided(nodes)
        self._uses = Counter(name for node in nodes for name in node.inputs)
        self._uses.update(output.name for output in graph.outputs)

    @property
    def inputs(self) -> list[str]:
        """The names of the inputs, in order."""
        return [value.name for value in self._graph.inputs]

    @property
    def outputs(self) -> list[str]:
        """The names of the outputs, in order."""
        return [value.name for value in self._graph.outputs]

    def __repr__(self) -> str:
        return f"Model({', '.join(self.inputs)} -> {', '.join(self.outputs)}; {len(self._graph.nodes)} nodes)"

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        values = self._bound(inputs, named)
        self._check(values)
        left = Counter(self._uses)
        values |= self._graph.constants | self.weights
        for nodes in self._levels:
            open_together(nodes, values)
            for batch in batches(nodes, values):
                with self._party.scope(f"{batch[0].op} {batch[0].name.replace('/', '.')}"):
                    self._run(batch, values)
                _forget(values, [name for node in batch for name in node.inputs], left)
        results = tuple(values[name] for name in self.outputs)
        return results[0] if len(results) == 1 else results

    def _run(self, batch: list[Node], values: dict[str, Any]) -> None:
        """Add the outputs of these nodes, which are one, or the same function of several tensors."""
        node, rest = batch[0], batch[1:]
        if rest:
            tensors = [values[each.inputs[0]] for each in batch]
            (flat,) = _results(self._party, node, [joined(tensors)])
            results = parted(flat, tensors)
        else:
            results = _results(self._party, node, [values[name] if name else None for name in node.inputs])
        names = [each.outputs[0] for each in batch] if rest else node.outputs
        values.update((name, result) for name, result in zip(names, results, strict=False) if name)
        whole = [name for name in names if name in self._divided and is_secret(values[name])]
        values.update(zip(whole, truncate([values[name] for name in whole]), strict=True))

    # ------------------------------------------------------------------ before anything runs

    def _bound(self, inputs: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        """The inputs by name."""
        declared = self._graph.inputs
        if len(inputs) > len(declared):
            raise UsageError(f"the model has {len(declared)} inputs ({', '.join(self.inputs)}), not {len(inputs)}")
        given = dict(zip(self.inputs, inputs, strict=False))
        twice, unknown = given.keys() & named.keys(), named.keys() - set(self.inputs)
        missing = set(self.inputs) - given.keys() - named.keys()
        for what, names in (("given twice", twice), ("unknown", unknown), ("missing", missing)):
            if names:
                raise UsageError(f"the model's inputs are {', '.join(self.inputs)}; {what}: {', '.join(sorted(names))}")
        given |= named
        return {value.name: _as_declared(value, given[value.name]) for value in declared}

    def _check(self, values: dict[str, Any]) -> None:
        signature = tuple((name, value.shape, is_secret(value)) for name, value in values.items())
        if signature not in self._checked:
            check(self._graph, [name for name, value in values.items() if is_secret(value)])
            check_shapes(self._graph, {name: value.shape for name, value in values.items()})
            self._checked.add(signature)


def _as_declared(value: Value, given: Any) -> Any:
    """The input as a tensor or an array, whose dtype and axes are those declared."""
    array = given if is_secret(given) else np.asarray(given)
    kinds = {"b": "b", "i": "i", "u": "i"}
    wanted, found = (kinds.get(dtype.kind, "f") for dtype in (value.dtype, array.dtype))
    if wanted != found:
        raise UsageError(f"the model's input '{value.name}' takes {value.dtype}, not {array.dtype}; convert it with astype")
    if value.shape is not None:
        fits = len(value.shape) == array.ndim and all(
            not isinstance(size, int) or size == n for size, n in zip(value.shape, array.shape, strict=True)
        )
        if not fits:
            declared = tuple("?" if size is None else size for size in value.shape)
            raise ShapeError(
                f"the model's input '{value.name}' has the shape {declared}, not {array.shape}. Export the model with dynamic "
                "axes for sizes that vary"
            )
    return array if is_secret(array) else array.astype(value.dtype)


# ---------------------------------------------------------------------------------------- one node


def _results(party: Party, node: Node, values: list[Any]) -> Any:
    operator = OPERATORS.get(node.op)
    secrets = [value for value in values if is_secret(value)]
    if not secrets:
        return public.results(party, node, values)
    try:
        if operator is None:
            raise ModelError("there is no such operator for secret tensors")
        bits = secrets[0].context.fraction_bits
        result = operator.run(node, *public.on_shares(party, node, [finite(value, bits) for value in values]))
    except (PeerFailed, PeerTimeout):
        raise
    except Error as error:
        raise type(error)(f"{node}: {error}") from error
    except (ValueError, TypeError, IndexError, KeyError, ArithmeticError) as error:
        raise ModelError(f"{node}: {error}") from error
    return result if isinstance(result, tuple | list) else (result,)


def _forget(values: dict[str, Any], names: Iterable[str], left: Counter[str]) -> None:
    """Let go of what no later node needs: openings live as long as their tensors."""
    left.subtract(names)
    for name in set(names):
        if name and left[name] <= 0:
            values.pop(name, None)
