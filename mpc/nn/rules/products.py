"""Matrix products. The operands are open since the forward pass, so the gradient is all that is opened."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpc.nn.rules.arithmetic import fitted
from mpc.nn.rules.rule import Rule, Ruled


def matmul(x: Any, y: Any) -> Ruled:
    """x @ y, with stacks of matrices, and vectors, as np.matmul. Backward: 1 round, 8 bytes an element of the gradient."""
    left, right = _matrix(x, 0), _matrix(y, -1)

    def pullback(g: Any) -> Any:
        full = np.reshape(g, _full_shape(np.shape(g), np.ndim(x) == 1, np.ndim(y) == 1))
        return (
            lambda: np.reshape(fitted(full @ np.swapaxes(right, -1, -2), left), np.shape(x)),
            lambda: np.reshape(fitted(np.swapaxes(left, -1, -2) @ full, right), np.shape(y)),
        )

    return x @ y, pullback


def _matrix(operand: Any, axis: int) -> Any:
    return np.expand_dims(operand, axis) if np.ndim(operand) == 1 else operand


def _full_shape(shape: tuple[int, ...], row: bool, column: bool) -> tuple[int, ...]:
    """The shape of the product of what vectors are as matrices."""
    columns = (1,) if column else shape[-1:]
    rest = shape if column else shape[:-1]
    return (*rest, 1, *columns) if row else (*rest, *columns)


def dot(x: Any, y: Any) -> Ruled:
    """np.dot of vectors and matrices."""
    if np.ndim(x) == 0 or np.ndim(y) == 0 or np.ndim(y) > 2:
        raise TypeError("of this np.dot there is no gradient here; use * or @")
    return matmul(x, y)


RULES: dict[str, Rule] = {"matmul": matmul, "dot": dot}
