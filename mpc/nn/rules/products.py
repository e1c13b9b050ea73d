"""Products with sums. The operands are open since the forward pass, so the gradient is all that is opened: 1 round."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from mpc import functions
from mpc.errors import UsageError
from mpc.nn.rules.arithmetic import fitted
from mpc.nn.rules.rule import Pullback, Rule, Ruled, multiplying
from mpc.nn.rules.shapes import scattered
from mpc.tensor import Tensor
from mpc.tensor.einsum import LETTERS


def matmul(x: Any, y: Any) -> Ruled:
    """x @ y, with stacks of matrices, and vectors, as np.matmul. Backward: 1 round, 8 bytes an element of the gradient."""
    left, right = _matrix(x, 0), _matrix(y, -1)

    def pullback(g: Any) -> Any:
        full = np.reshape(g, _full_shape(np.shape(g), np.ndim(x) == 1, np.ndim(y) == 1))
        return (
            lambda: np.reshape(fitted(full @ np.swapaxes(right, -1, -2), left), np.shape(x)),
            lambda: np.reshape(fitted(np.swapaxes(left, -1, -2) @ full, right), np.shape(y)),
        )

    return x @ y, _of_secrets(pullback, x, y)


def _of_secrets(pullback: Pullback, *operands: Any) -> Pullback:
    return multiplying(pullback) if all(isinstance(operand, Tensor) for operand in operands) else pullback


def _matrix(operand: Any, axis: int) -> Any:
    return np.expand_dims(operand, axis) if np.ndim(operand) == 1 else operand


def _full_shape(shape: tuple[int, ...], row: bool, column: bool) -> tuple[int, ...]:
    """The shape of the product of what vectors are as matrices."""
    columns = (1,) if column else shape[-1:]
    rest = shape if column else shape[:-1]
    return (*rest, 1, *columns) if row else (*rest, *columns)


def einsum(subscripts: Any, *operands: Any) -> Ruled:
    """np.einsum of one or two operands with letters as subscripts, none of them twice in an operand. Backward: 1 round."""
    inputs, output = _subscripts(subscripts, len(operands))

    def gradient(g: Any, k: int) -> Any:
        """Of operand k: the einsum of the others and g, and along subscripts that stand in it alone the same everywhere."""
        others = [part for m, part in enumerate(inputs) if m != k]
        found = [c for c in inputs[k] if c in output or any(c in part for part in others)]
        kept = np.einsum(f"{','.join([output, *others])}->{''.join(found)}", g, *(o for m, o in enumerate(operands) if m != k))
        shape = [n if c in found else 1 for c, n in zip(inputs[k], np.shape(operands[k]), strict=True)]
        return np.broadcast_to(np.reshape(kept, shape), np.shape(operands[k]))

    def pullback(g: Any) -> Any:
        return None, *(lambda k=k: gradient(g, k) for k in range(len(operands)))

    return np.einsum(subscripts, *operands), _of_secrets(pullback, *operands) if len(operands) > 1 else pullback


def _subscripts(subscripts: Any, count: int) -> tuple[list[str], str]:
    """The subscripts of the operands and of the result; without an arrow those that stand once, in alphabetic order."""
    if not isinstance(subscripts, str) or "." in subscripts:
        raise UsageError("einsum has a gradient for subscripts in letters, without '...'; name all axes, or use @")
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    inputs = left.split(",")
    if len(inputs) != count or any(len(set(part)) < len(part) for part in inputs):
        raise UsageError(f"einsum: '{subscripts}' has no gradient here: a subscript for each axis, none twice in an operand")
    return inputs, right if arrow else "".join(sorted(c for c in set(left) - {","} if left.count(c) == 1))


# ---------------------------------------------------------------------------------------- by other products


def dot(x: Any, y: Any) -> Any:
    if np.ndim(x) == 0 or np.ndim(y) == 0:
        return x * y
    return x @ y if np.ndim(y) <= 2 else tensordot(x, y, ((-1,), (-2,)))


def outer(a: Any, b: Any) -> Any:
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


def inner(a: Any, b: Any) -> Any:
    return a * b if np.ndim(a) == 0 or np.ndim(b) == 0 else tensordot(a, b, ((-1,), (-1,)))


def vdot(a: Any, b: Any) -> Any:
    return np.reshape(a, -1) @ np.reshape(b, -1)


def vecdot(x1: Any, x2: Any, axis: int = -1) -> Any:
    left, right = np.moveaxis(x1, axis, -1), np.moveaxis(x2, axis, -1)
    return np.squeeze(np.expand_dims(left, -2) @ np.expand_dims(right, -1), (-2, -1))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """By one einsum."""
    if hasattr(axes, "__index__"):
        axes = (range(np.ndim(a) - axes, np.ndim(a)), range(axes))
    first, second = ([k] if hasattr(k, "__index__") else list(k) for k in axes)
    left = LETTERS[: np.ndim(a)]
    right = list(LETTERS[np.ndim(a) : np.ndim(a) + np.ndim(b)])
    for k, m in zip(first, second, strict=True):
        right[m] = left[k]
    out = [c for c in [*left, *right] if (c in left) + (c in right) == 1]
    return np.einsum(f"{left},{''.join(right)}->{''.join(out)}", a, b)


# ---------------------------------------------------------------------------------------- entries by index


def take(x: Any, indices: Any, axis: int | None = None) -> Ruled:
    """np.take by public indices: local. By secret ones: 2 rounds, by one-hot words; backward: 1 round."""
    place = 0 if axis is None else axis % np.ndim(x)
    table = np.reshape(x, -1) if axis is None else x
    if not isinstance(indices, Tensor):
        key = (slice(None),) * place + (np.asarray(indices),)
        return table[key], lambda g: (np.reshape(scattered(g, np.shape(table), key), np.shape(x)), None)
    n, rest, many = table.shape[place], [m for k, m in enumerate(table.shape) if k != place], range(indices.ndim)
    numbers: Any = np.reshape(indices, -1)
    hot = functions.one_hot(numbers, n)
    rows = hot @ np.reshape(np.moveaxis(table, place, 0), (n, -1))
    places = [place + k for k in many]

    def pullback(g: Any) -> Any:
        given = hot.T @ np.reshape(np.moveaxis(g, places, many), (hot.shape[0], -1))
        return np.reshape(np.moveaxis(np.reshape(given, (n, *rest)), 0, place), np.shape(x)), None

    return np.moveaxis(np.reshape(rows, (*indices.shape, *rest)), many, places), multiplying(pullback)


def getitem(x: Tensor, key: Any) -> Ruled:
    """x[key]; a secret key chooses along the first axis, as `take`."""
    if isinstance(key, Tensor):
        return take(x, key, 0)
    return x[key], lambda g: (scattered(g, x.shape, key),)


def embedding(indices: Any, weight: Any, padding_idx: int | None = None) -> Ruled:
    """Rows of the weight; no gradient for row `padding_idx`."""
    value, pullback = take(weight, indices, 0)
    learning = (np.arange(weight.shape[0])[:, None] != padding_idx).astype(int)

    def masked(g: Any) -> Any:
        gradient, _ = pullback(g)
        return None, gradient if padding_idx is None else gradient * learning

    return value, _of_secrets(masked, indices)


RULES: dict[str, Rule] = {
    "matmul": matmul,
    "linalg.matmul": matmul,
    "einsum": einsum,
    "take": take,
    "getitem": getitem,
}

COMPOSED: dict[str, Callable[..., Any]] = {
    "dot": dot,
    "outer": outer,
    "linalg.outer": outer,
    "inner": inner,
    "vdot": vdot,
    "vecdot": vecdot,
    "linalg.vecdot": vecdot,
    "matvec": lambda x1, x2: np.squeeze(x1 @ np.expand_dims(x2, -1), -1),
    "vecmat": lambda x1, x2: np.squeeze(np.expand_dims(x1, -2) @ x2, -2),
    "linalg.multi_dot": lambda arrays: reduce(np.matmul, arrays),
    "tensordot": tensordot,
    "linalg.tensordot": tensordot,
}
