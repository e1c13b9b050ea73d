"""Products with sums over chosen axes (dot, inner, outer, tensordot, einsum), all by one matrix product."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from mpc.contract import MATMUL
from mpc.errors import ShapeError
from mpc.tensor.arithmetic import multiply, product
from mpc.tensor.base import Secret, as_public, unsupported
from mpc.tensor.reduction import total
from mpc.tensor.shaping import broadcast_to, gather, reshape, transpose


def _operand(value: Any, operation: str) -> Any:
    return value if isinstance(value, Secret) else as_public(value, operation)


def dot(a: Any, b: Any) -> Any:
    a, b = _operand(a, "dot"), _operand(b, "dot")
    if a.ndim == 0 or b.ndim == 0:
        return multiply(a, b) if isinstance(a, Secret) else multiply(b, a)
    if b.ndim <= 2:
        return product(MATMUL, a, b)
    return tensordot(a, b, ((a.ndim - 1,), (b.ndim - 2,)))


def inner(a: Any, b: Any) -> Any:
    a, b = _operand(a, "inner"), _operand(b, "inner")
    if a.ndim == 0 or b.ndim == 0:
        return dot(a, b)
    return tensordot(a, b, ((a.ndim - 1,), (b.ndim - 1,)))


def outer(a: Any, b: Any) -> Any:
    a, b = _reshape(_operand(a, "outer"), (-1, 1)), _reshape(_operand(b, "outer"), (1, -1))
    return multiply(a, b) if isinstance(a, Secret) else multiply(b, a)


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = _operand(a, "tensordot"), _operand(b, "tensordot")
    if isinstance(axes, int):
        axes = (range(a.ndim - axes, a.ndim), range(axes))
    left, right = (normalize_axis_tuple(s, t.ndim) for s, t in zip(axes, (a, b), strict=True))
    if [a.shape[k] for k in left] != [b.shape[k] for k in right]:
        raise ShapeError(f"tensordot: the shapes {a.shape} and {b.shape} do not fit along axes {axes}")
    names = iter("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    first = [next(names) for _ in range(a.ndim)]
    second = [next(names) for _ in range(b.ndim)]
    for k, m in zip(left, right, strict=True):
        second[m] = first[k]
    summed = {first[k] for k in left}
    out = [c for c in first + second if c not in summed]
    return einsum(f"{''.join(first)},{''.join(second)}->{''.join(out)}", a, b)


def einsum(subscripts: str, *operands: Any) -> Any:
    """np.einsum with one or two operands, ellipsis and repeated subscripts included.

    Cost: that of one product of the two operands.
    """
    if len(operands) not in (1, 2):
        unsupported("einsum", f"one or two operands are available, not {len(operands)}; multiply them two at a time")
    values = [_operand(v, "einsum") for v in operands]
    inputs, output = _parse(subscripts, values)
    pairs = [_diagonals(v, labels) for v, labels in zip(values, inputs, strict=True)]
    if len(pairs) == 1:
        value, labels = _sum_out(*pairs[0], set(output))
        return _arrange(value, labels, output)
    (a, left), (b, right) = pairs
    a, left = _sum_out(a, left, {*right, *output})
    b, right = _sum_out(b, right, {*left, *output})
    return _contract(a, left, b, right, output)


def _contract(a: Any, left: list[str], b: Any, right: list[str], output: list[str]) -> Any:
    batch = [c for c in left if c in right and c in output]
    summed = [c for c in left if c in right and c not in output]
    rows, columns = [c for c in left if c not in right], [c for c in right if c not in left]
    sizes = _sizes(left, a, right, b)

    def n(labels: list[str]) -> int:
        return int(np.prod([sizes[c] for c in labels], dtype=np.int64))

    shape = [sizes[c] for c in batch]
    a = _broadcast(_arrange(a, left, batch + rows + summed), [sizes[c] for c in batch + rows + summed])
    b = _broadcast(_arrange(b, right, batch + summed + columns), [sizes[c] for c in batch + summed + columns])
    if summed:
        a, b = _reshape(a, (*shape, n(rows), n(summed))), _reshape(b, (*shape, n(summed), n(columns)))
        result = product(MATMUL, a, b)
    else:
        a, b = _reshape(a, (*shape, n(rows), 1)), _reshape(b, (*shape, 1, n(columns)))
        result = multiply(a, b) if isinstance(a, Secret) else multiply(b, a)
    labels = batch + rows + columns
    return _arrange(_reshape(result, tuple(sizes[c] for c in labels)), labels, output)


def _parse(subscripts: str, values: list[Any]) -> tuple[list[list[str]], list[str]]:
    """Subscripts as lists of labels; an ellipsis becomes digits, counted from the right."""
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    parts = left.split(",")
    if len(parts) != len(values):
        raise ShapeError(f"einsum: '{subscripts}' names {len(parts)} operands, and {len(values)} are given")
    inputs, widest = [], 0
    for part, value in zip(parts, values, strict=True):
        hidden = value.ndim - len(part.replace("...", ""))
        if hidden < 0 or (hidden and "..." not in part):
            raise ShapeError(f"einsum: '{part}' does not fit a tensor of shape {value.shape}")
        widest = max(widest, hidden if "..." in part else 0)
        inputs.append(_labels(part, hidden))
    if arrow:
        output = _labels(right, widest)
    else:
        letters = [c for labels in inputs for c in labels if not c.isdigit()]
        output = _labels("...", widest) + sorted(c for c in set(letters) if letters.count(c) == 1)
    unknown = [c for c in output if all(c not in labels for labels in inputs)]
    if unknown or len(set(output)) != len(output):
        raise ShapeError(f"einsum: '{subscripts}' has an output subscript that is repeated or that no operand has")
    return inputs, output


def _labels(part: str, hidden: int) -> list[str]:
    before, dots, after = part.partition("...")
    return [*before, *([str(k) for k in reversed(range(hidden))] if dots else []), *after]


def _diagonals(value: Any, labels: list[str]) -> tuple[Any, list[str]]:
    """Repeated labels of one operand taken as diagonals."""
    for c in dict.fromkeys(labels):
        while labels.count(c) > 1:
            i = labels.index(c)
            j = labels.index(c, i + 1)
            value = _move(value, lambda v, i=i, j=j: np.diagonal(v, axis1=i, axis2=j))
            labels = [d for k, d in enumerate(labels) if k not in (i, j)] + [c]
    return value, labels


def _move(value: Any, rearrange: Any) -> Any:
    return gather(value, rearrange) if isinstance(value, Secret) else rearrange(value)


def _sum_out(value: Any, labels: list[str], needed: set[str]) -> tuple[Any, list[str]]:
    axes = tuple(k for k, c in enumerate(labels) if c not in needed)
    if axes:
        value = total(value, axes) if isinstance(value, Secret) else np.sum(value, axis=axes)
    return value, [c for c in labels if c in needed]


def _sizes(left: list[str], a: Any, right: list[str], b: Any) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for c, n in zip([*left, *right], [*a.shape, *b.shape], strict=True):
        known = sizes.setdefault(c, n)
        if known != n and 1 not in (known, n):
            raise ShapeError(f"einsum: subscript '{c}' has sizes {known} and {n}")
        sizes[c] = n if known == 1 else known
    return sizes


def _arrange(value: Any, labels: list[str], order: list[str]) -> Any:
    axes = [labels.index(c) for c in order]
    if axes == list(range(len(axes))):
        return value
    return transpose(value, axes) if isinstance(value, Secret) else np.transpose(value, axes)


def _broadcast(value: Any, shape: list[int]) -> Any:
    if tuple(value.shape) == tuple(shape):
        return value
    return broadcast_to(value, tuple(shape)) if isinstance(value, Secret) else np.broadcast_to(value, shape)


def _reshape(value: Any, shape: tuple[int, ...]) -> Any:
    return reshape(value, shape) if isinstance(value, Secret) else np.reshape(value, shape)
