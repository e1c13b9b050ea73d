"""Linear systems of public size, by Gauss and Jordan's elimination without exchanges of rows, after a symmetric scaling."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from mpc.contract import MULTIPLY
from mpc.errors import ShapeError
from mpc.fixed import RAW_BITS
from mpc.tensor.arithmetic import add, align_all, subtract
from mpc.tensor.base import Secret, truncate, unsupported
from mpc.tensor.curves.inverting import divide
from mpc.tensor.curves.normalising import Bins, Level
from mpc.tensor.curves.operands import at_scale
from mpc.tensor.joining import concatenate
from mpc.tensor.multiplication import multiply
from mpc.tensor.shaping import expand_dims, getitem, squeeze, swapaxes

S = TypeVar("S", bound=Secret)

_LARGEST = 64
_ROOM = 12  # bits for the entries of a scaled matrix


def solve(a: Any, b: Any) -> Any:
    """np.linalg.solve for one matrix a (n, n) and b (n,) or (n, k), either of them secret or both.

    Domain: matrices that need no exchange of rows: positive definite, or dominated by their diagonal, with n <= 64. The diagonal
    must be below 2^min(2f, 62 - 2f). Of other matrices the result has nothing to do with the solution.

    Error: with c the condition number of the scaled matrix, and m the largest of |x[j]| sqrt(|a[j, j]|), that of x[k] is below 1
    + 2 n c (1 + m) / sqrt(|a[k, k]|) units, twice that for f > 20. 10 n + 9 rounds: 9 to scale, 10 for each column. Bytes for an
    element of a, and b of one column: 510 for n = 3, 224 for 8, 188 for 16, 218 for 32 (of `inv` 558, 322, 353 and 512). Method:
    the unknowns and the equations are scaled by secret powers of two, so that the diagonal comes to lie between 1 and 4 (van der
    Sluis, *Condition Numbers and Equilibration of Matrices*, Numerische Mathematik 14, 1969); then Gauss and Jordan's
    elimination, whose quotients are by secret pivots.
    """
    size = np.shape(a)
    if len(size) != 2 or size[0] != size[1] or len(np.shape(b)) not in (1, 2) or np.shape(b)[0] != size[0]:
        raise ShapeError(f"solve: needs a of shape (n, n) and b of shape (n,) or (n, k), not {size} and {np.shape(b)}")
    if size[0] > _LARGEST:
        unsupported("solve", f"{size[0]} unknowns are too many: at most {_LARGEST}")
    matrix, right = at_scale(align_all([a, b], "solve"))
    vector = right.ndim == 1
    right = expand_dims(right, 1) if vector else right
    factor = expand_dims(_factors(getitem(matrix, (np.arange(size[0]), np.arange(size[0])))), 1)
    table = concatenate(truncate([_scaled(matrix, factor), multiply(right, factor)]), 1, "solve")
    for k in range(size[0]):
        table = _eliminated(table, k)
    result = multiply(getitem(table, (slice(None), slice(size[0], None))), factor)
    return squeeze(result, 1) if vector else result


def _factors(diagonal: S) -> S:
    """For each element d a power of two s, with the sign of d, so that 1 <= |d| s^2 < 4 (1/2 and 2 if f is odd)."""
    f, protocol = diagonal.context.fraction_bits, diagonal.context.protocol
    bits = RAW_BITS - f
    level = Level(0, 2, -(-bits // 2), bits, positive=True, signed=True)
    weights = level.weights([1 << max(f + f // 2 - j, 0) for j in range(level.count)])
    (share,) = Bins(protocol, diagonal.share, level).combine([weights])
    return diagonal.like(share, "float", f)


def _scaled(matrix: S, factor: S) -> S:
    """Each element times the factors of its row and its column, which are exact: not truncated before both, if there is room."""
    f, protocol = matrix.context.fraction_bits, matrix.context.protocol
    protocol.open([matrix.share, factor.share])
    share = protocol.bilinear(MULTIPLY, matrix.share, factor.share)
    drop = min(max(3 * f + _ROOM - RAW_BITS, 0), f)
    if drop:
        (share,) = protocol.truncate([(share, drop)])
    share = protocol.bilinear(MULTIPLY, share, swapaxes(factor, 0, 1).share)
    return matrix.like(share, "float", 3 * f - drop)


def _eliminated(table: S, k: int) -> S:
    """With column k of the table 1 in row k, and 0 in the others; columns up to k are not needed any more, and stay."""
    here = (np.arange(table.shape[0]) == k).astype(np.int64)[:, None]
    rest = getitem(table, (slice(None), slice(k, None)))
    row = divide(getitem(rest, (slice(k, k + 1),)), getitem(rest, (slice(k, k + 1), slice(0, 1))))
    # Row k becomes the quotient itself: its error is not multiplied by the pivot.
    others = multiply(rest, 1 - here)
    (row,) = truncate([row])
    taken = multiply(getitem(others, (slice(None), slice(0, 1))), row)
    (rest,) = truncate([subtract(add(others, multiply(row, here)), taken)])
    result: S = concatenate([getitem(table, (slice(None), slice(0, k))), rest], 1, "solve")
    return result


def inverse(a: S) -> Any:
    """np.linalg.inv of one matrix: as `solve` with the identity."""
    return solve(a, np.eye(a.shape[0] if a.ndim else 0))
