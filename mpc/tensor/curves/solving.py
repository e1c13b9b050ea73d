"""Linear systems of public size, by Gauss and Jordan's elimination without exchanges of rows."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from mpc.errors import ShapeError
from mpc.tensor.arithmetic import align_all, subtract
from mpc.tensor.base import Secret, truncate, unsupported
from mpc.tensor.curves.inverting import divide
from mpc.tensor.curves.operands import at_scale
from mpc.tensor.joining import concatenate
from mpc.tensor.multiplication import multiply
from mpc.tensor.shaping import expand_dims, getitem, squeeze

S = TypeVar("S", bound=Secret)

_LARGEST = 64


def solve(a: Any, b: Any) -> Any:
    """np.linalg.solve for one matrix a (n, n) and b (n,) or (n, k), either of them secret or both.

    Domain: matrices that need no exchange of rows: positive definite, or dominated by their diagonal, with n <= 64; pivots and
    quotients as `divide` wants them. Error: below n c units, with c the condition number, times the largest entry of the
    solution if that is above 1. 10 n rounds. Of other matrices the result has nothing to do with the solution.
    """
    size = np.shape(a)
    if len(size) != 2 or size[0] != size[1] or len(np.shape(b)) not in (1, 2) or np.shape(b)[0] != size[0]:
        raise ShapeError(f"solve: needs a of shape (n, n) and b of shape (n,) or (n, k), not {size} and {np.shape(b)}")
    if size[0] > _LARGEST:
        unsupported("solve", f"{size[0]} unknowns are too many: at most {_LARGEST}")
    matrix, right = at_scale(align_all([a, b], "solve"))
    vector = right.ndim == 1
    table = concatenate([matrix, expand_dims(right, 1) if vector else right], 1, "solve")
    for k in range(size[0]):
        table = _eliminated(table, k)
    result = getitem(table, (slice(None), slice(size[0], None)))
    return squeeze(result, 1) if vector else result


def _eliminated(table: S, k: int) -> S:
    """With column k of the table 1 in row k, and 0 in the others; columns up to k are not needed any more, and stay."""
    n = table.shape[0]
    rest = getitem(table, (slice(None), slice(k, None)))
    row = divide(getitem(rest, (slice(k, k + 1),)), getitem(rest, (slice(k, k + 1), slice(0, 1))))
    others = subtract(getitem(rest, (slice(None), slice(0, 1))), (np.arange(n) == k).astype(np.float64)[:, None])
    (rest,) = truncate([subtract(rest, multiply(others, row))])
    result: S = concatenate([getitem(table, (slice(None), slice(0, k))), rest], 1, "solve")
    return result


def inverse(a: S) -> Any:
    """np.linalg.inv of one matrix: as `solve` with the identity."""
    return solve(a, np.eye(a.shape[0] if a.ndim else 0))
