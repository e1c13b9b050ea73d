"""Einstein sums of one or two operands, by one matrix product."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mpc.contract import MATMUL
from mpc.errors import ShapeError, UsageError
from mpc.tensor.base import Secret, unsupported
from mpc.tensor.multiplication import multiply, product
from mpc.tensor.shapes import as_public

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def operand(value: Any, operation: str) -> Any:
    """A tensor as it is, anything else as a public array."""
    return value if isinstance(value, Secret) else as_public(value, operation)


def either_order(function: Callable[..., Any], a: Any, b: Any) -> Any:
    """function(a, b) of a symmetric function whose first argument must be secret."""
    return function(a, b) if isinstance(a, Secret) else function(b, a)


def matrix_product(a: Any, b: Any) -> Any:
    """a @ b, where one or both are secret."""
    return product(MATMUL, a, b) if isinstance(a, Secret) else product(MATMUL, b, a, swapped=True)


def einsum(subscripts: Any, *operands: Any) -> Any:
    """np.einsum with one or two operands, ellipsis and repeated subscripts included.

    Cost: that of one product of the two operands.
    """
    if not isinstance(subscripts, str):
        subscripts, operands = _from_lists((subscripts, *operands))
    if len(operands) not in (1, 2):
        unsupported("einsum", f"one or two operands are available, not {len(operands)}; multiply them two at a time")
    values = [operand(v, "einsum") for v in operands]
    inputs, output = _parse(subscripts, values)
    pairs = [_diagonals(v, labels) for v, labels in zip(values, inputs, strict=True)]
    if len(pairs) == 1:
        value, labels = _sum_out(*pairs[0], set(output))
        return _arrange(value, labels, output)
    (a, left), (b, right) = pairs
    a, left = _sum_out(a, left, {*right, *output})
    b, right = _sum_out(b, right, {*left, *output})
    return _contract(a, left, b, right, output)


def _from_lists(args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """einsum(a, [0, 1], b, [1, 2], [0, 2]) as subscripts."""

    def text(labels: Any) -> str:
        try:
            return "".join("..." if k is Ellipsis else LETTERS[k] for k in labels)
        except (TypeError, IndexError):
            raise UsageError(f"einsum: {labels!r} is neither a string of subscripts nor a list of axis numbers") from None

    operands, labels = args[0 : len(args) // 2 * 2 : 2], args[1::2]
    arrow = "" if len(args) % 2 == 0 else "->" + text(args[-1])
    return ",".join(text(part) for part in labels) + arrow, operands


def _contract(a: Any, left: list[str], b: Any, right: list[str], output: list[str]) -> Any:
    batch = [c for c in left if c in right and c in output]
    summed = [c for c in left if c in right and c not in output]
    rows, columns = [c for c in left if c not in right], [c for c in right if c not in left]
    sizes = _sizes(left, a, right, b)

    def n(labels: list[str]) -> int:
        return math.prod(sizes[c] for c in labels)

    shape = [sizes[c] for c in batch]
    a = _broadcast(_arrange(a, left, batch + rows + summed), [sizes[c] for c in batch + rows + summed])
    b = _broadcast(_arrange(b, right, batch + summed + columns), [sizes[c] for c in batch + summed + columns])
    if summed:
        a, b = a.reshape((*shape, n(rows), n(summed))), b.reshape((*shape, n(summed), n(columns)))
        result = matrix_product(a, b)
    else:
        a, b = a.reshape((*shape, n(rows), 1)), b.reshape((*shape, 1, n(columns)))
        result = either_order(multiply, a, b)
    labels = batch + rows + columns
    return _arrange(result.reshape([sizes[c] for c in labels]), labels, output)


# ---------------------------------------------------------------------------------------- subscripts


def _parse(subscripts: str, values: list[Any]) -> tuple[list[list[str]], list[str]]:
    """Subscripts as lists of labels; an ellipsis becomes digits, counted from the right."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    parts = left.split(",")
    if len(parts) != len(values):
        raise ShapeError(f"einsum: '{subscripts}' names {len(parts)} operands, and {len(values)} are given")
    if any(c not in LETTERS for c in (left + right).replace("...", "").replace(",", "")):
        raise ShapeError(f"einsum: '{subscripts}' has a subscript that is no letter")
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
    known = {c for labels in inputs for c in labels}
    if not known.issuperset(output) or len(set(output)) != len(output):
        raise ShapeError(f"einsum: '{subscripts}' has an output subscript that is repeated or that no operand has")
    if any(c.isdigit() and c not in output for c in known):
        raise ShapeError(f"einsum: '{subscripts}' has an ellipsis in its operands and none in its output")
    return inputs, output


def _labels(part: str, hidden: int) -> list[str]:
    before, dots, after = part.partition("...")
    return [*before, *([str(k) for k in reversed(range(hidden))] if dots else []), *after]


def _sizes(left: list[str], a: Any, right: list[str], b: Any) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for c, n in zip([*left, *right], [*a.shape, *b.shape], strict=True):
        known = sizes.setdefault(c, n)
        if known != n and 1 not in (known, n):
            raise ShapeError(f"einsum: subscript '{c}' has sizes {known} and {n}")
        sizes[c] = n if known == 1 else known
    return sizes


# ---------------------------------------------------------------------------------------- tensors and arrays alike


def _diagonals(value: Any, labels: list[str]) -> tuple[Any, list[str]]:
    """Repeated labels of one operand taken as diagonals."""
    for c in dict.fromkeys(labels):
        while labels.count(c) > 1:
            i = labels.index(c)
            j = labels.index(c, i + 1)
            if value.shape[i] != value.shape[j]:
                raise ShapeError(f"einsum: subscript '{c}' has sizes {value.shape[i]} and {value.shape[j]}")
            value = np.diagonal(value, axis1=i, axis2=j)
            labels = [d for k, d in enumerate(labels) if k not in (i, j)] + [c]
    return value, labels


def _sum_out(value: Any, labels: list[str], needed: set[str]) -> tuple[Any, list[str]]:
    axes = tuple(k for k, c in enumerate(labels) if c not in needed)
    return value.sum(axis=axes) if axes else value, [c for c in labels if c in needed]


def _arrange(value: Any, labels: list[str], order: list[str]) -> Any:
    axes = [labels.index(c) for c in order]
    return value if axes == list(range(len(axes))) else value.transpose(axes)


def _broadcast(value: Any, shape: list[int]) -> Any:
    return value if list(value.shape) == shape else np.broadcast_to(value, shape)
