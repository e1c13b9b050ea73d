"""The owner's rewriting of its model, so that it costs less: the same function, in other weights or another order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mpc.onnx.graph import Array, Node, is_float
from mpc.onnx.preparing import Draft

# Functions that never fall: the largest of the results is the result of the largest.
_RISING = {"Relu", "Sigmoid", "Tanh", "Softplus", "Clip", "HardSigmoid", "Elu", "Selu"}


def simplify(work: Draft) -> None:
    """Rewrite nodes one by one, in order."""
    for rule in (_scaled_gemm, _division, _inverse_root, _normalisation, _pool_first):
        for node in list(work.nodes):
            if any(node is kept for kept in work.nodes):
                rule(work, node)


def _replaced(work: Draft, old: Node, *new: Node) -> None:
    at = next(k for k, node in enumerate(work.nodes) if node is old)
    work.nodes[at : at + 1] = new


def _hidden(work: Draft, node: Node, *places: int) -> bool:
    """Whether the inputs at these places are weights of floats."""
    names = [node.inputs[place] if place < len(node.inputs) else "" for place in places]
    return all(name in work.secret and is_float(work.known[name]) for name in names)


def _with_input(node: Node, place: int, name: str) -> Node:
    inputs = list(node.inputs) + [""] * (place + 1 - len(node.inputs))
    inputs[place] = name
    return replace(node, inputs=tuple(inputs))


def _changed(work: Draft, node: Node, place: int, change: Callable[[Array], Array]) -> Node:
    """The node with another weight at this place."""
    old = work.known[node.inputs[place]]
    name = work.weight(node.inputs[place], change(old.astype(np.float64)).astype(old.dtype))
    return _with_input(node, place, name)


def _scaled_gemm(work: Draft, node: Node) -> None:
    """alpha and beta become part of the weights."""
    if node.op != "Gemm":
        return
    new, attributes = node, dict(node.attributes)
    for attribute, place in (("alpha", 1), ("beta", 2)):
        factor = attributes.get(attribute, 1.0)
        if factor != 1 and _hidden(work, node, place):
            new = _changed(work, new, place, lambda a, factor=factor: a * factor)  # type: ignore[misc]
            attributes[attribute] = 1.0
    if new is not node:
        _replaced(work, node, replace(new, attributes=attributes))


def _division(work: Draft, node: Node) -> None:
    """Division by a weight becomes multiplication by its inverse."""
    if node.op == "Div" and _hidden(work, node, 1) and np.all(work.known[node.inputs[1]] != 0):
        _replaced(work, node, replace(_changed(work, node, 1, lambda a: 1 / a), op="Mul"))


def _inverse_root(work: Draft, node: Node) -> None:
    """A root by which is only divided becomes an inverse root, which is one function: x ** -0.5."""
    if node.op != "Sqrt" or node.opset < 12 or any(output.name == node.outputs[0] for output in work.graph.outputs):
        return
    root = node.outputs[0]
    users = [user for user in work.nodes if root in user.inputs]
    if not users or not all(_divides(user, root) for user in users):
        return
    exponent = f"{node.name} exponent"
    work.known[exponent] = np.array(-0.5, np.float32)
    _replaced(work, node, replace(node, op="Pow", inputs=(node.inputs[0], exponent)))
    for user in users:
        _replaced(work, user, replace(user, op="Identity" if user.op == "Reciprocal" else "Mul"))


def _divides(node: Node, root: str) -> bool:
    return node.op == "Reciprocal" or (node.op == "Div" and node.inputs[1] == root != node.inputs[0])


def _normalisation(work: Draft, node: Node) -> None:
    """A batch normalisation becomes part of the weights before it; else one factor and one shift for each channel."""
    if node.op != "BatchNormalization" or not all(name in work.known for name in node.inputs[1:5]):
        return
    scale, bias, mean, variance = (work.known[name].astype(np.float64) for name in node.inputs[1:5])
    factor = scale / np.sqrt(variance + node.get("epsilon", 1e-5))
    shift = bias - mean * factor
    before = work.maker(node.inputs[0])
    if before is not None and work.users(node.inputs[0]) == 1 and _absorbs(work, before):
        _replaced(work, before, replace(_absorbed(work, before, factor, shift), outputs=node.outputs[:1]))
        _replaced(work, node)
        return
    dtype = work.known[node.inputs[1]].dtype
    names = [work.weight(node.inputs[1], factor.astype(dtype)), work.weight(node.inputs[2], shift.astype(dtype))]
    for text, value in (("mean", np.zeros_like(factor, dtype)), ("variance", np.ones_like(factor, dtype))):
        names.append(f"{node.name} {text}")
        work.known[names[-1]] = value
    attributes = {name: value for name, value in node.attributes.items() if name != "epsilon"} | {"epsilon": 0.0}
    _replaced(work, node, replace(node, inputs=(node.inputs[0], *names), outputs=node.outputs[:1], attributes=attributes))


def _absorbs(work: Draft, node: Node) -> bool:
    if node.op == "ConvTranspose":
        return node.get("group", 1) == 1 and _known_weights(work, node)
    if node.op == "Gemm":
        return node.get("alpha", 1.0) == node.get("beta", 1.0) == 1 and _known_weights(work, node)
    return node.op == "Conv" and _known_weights(work, node)


def _known_weights(work: Draft, node: Node) -> bool:
    has_bias = len(node.inputs) > 2 and bool(node.inputs[2])
    return _hidden(work, node, 1) and (not has_bias or _hidden(work, node, 2))


def _absorbed(work: Draft, node: Node, factor: Array, shift: Array) -> Node:
    """The node whose outputs are times factor, plus shift, for each channel."""
    axis = 1 if node.op == "ConvTranspose" or (node.op == "Gemm" and not node.get("transB", 0)) else 0
    dtype, ndim = work.known[node.inputs[1]].dtype, work.known[node.inputs[1]].ndim
    along = factor.reshape([-1 if k == axis else 1 for k in range(ndim)])
    new = _changed(work, node, 1, lambda w: w * along)
    if len(node.inputs) > 2 and node.inputs[2]:
        return _changed(work, new, 2, lambda b: b * factor + shift)
    return _with_input(new, 2, work.weight(f"{node.name} bias", shift.astype(dtype)))


def _pool_first(work: Draft, node: Node) -> None:
    """A rising function before a maximum comes after it, where there are fewer elements."""
    if node.op not in ("MaxPool", "GlobalMaxPool") or len(node.outputs) != 1:
        return
    before = work.maker(node.inputs[0])
    if before is None or before.op not in _RISING or before.inputs[0] in work.known or work.users(node.inputs[0]) != 1:
        return
    middle = before.outputs[0]
    _replaced(work, before)
    pool = replace(node, inputs=(before.inputs[0],), outputs=(middle,))
    after = replace(before, inputs=(middle, *before.inputs[1:]), outputs=node.outputs)
    _replaced(work, node, pool, after)
