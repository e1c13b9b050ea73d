"""Norms, standard deviations and correlations: roots of sums of squares, which are not truncated before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from mpc.errors import RangeError, ShapeError
from mpc.tensor import extrema, magnitude
from mpc.tensor.arithmetic import add
from mpc.tensor.base import Secret, unsupported
from mpc.tensor.curves.inverting import divide
from mpc.tensor.curves.operands import at_scale
from mpc.tensor.curves.roots import wide_sqrt
from mpc.tensor.multiplication import divide as divide_by_public
from mpc.tensor.multiplication import matmul, multiply
from mpc.tensor.reduction import centered, count, total
from mpc.tensor.shapes import as_public, axis_tuple
from mpc.tensor.shaping import reshape, swapaxes

S = TypeVar("S", bound=Secret)

_NOT_0 = 16.0  # squared units: their root is 4 units, so not 0 with its error either


def norm(x: S, order: Any = None, axis: Any = None, keepdims: bool = False) -> S:
    """np.linalg.norm for order None, "fro", 1, 2 (of vectors), inf and -inf.

    Euclidean: the sum of squares must be below 2^(60 - 2f), 2^28 for f = 16, and is not truncated before its root is taken.
    Error: 1.2 units, plus 2^-17 of the value. 9 rounds, 8 bytes an element and 118 for each result (14 rounds and 115 bytes for
    many results). Method: see `roots`. The others are exact: absolute values (4 rounds, 12.375 bytes an element), a sum, a
    maximum.
    """
    axes = axis_tuple("norm", axis, x.ndim)
    if order is None or (order == "fro" and len(axes) == 2) or (order == 2 and len(axes) == 1):
        return _euclidean(x, axes, keepdims)
    if order not in (1, np.inf, -np.inf) or len(axes) not in (1, 2):
        unsupported("norm", f"ord={order!r} is not available along {len(axes)} axes; use None, 'fro', 1, 2 or inf")
    sizes = magnitude.absolute(x)
    if len(axes) == 1 and order == 1:
        return total(sizes, axes, keepdims)
    if len(axes) == 2:  # the largest sum of a column (order 1) or row (inf)
        rows, columns = axes
        sizes = total(sizes, rows if order == 1 else columns, keepdims=True)
    find = extrema.minimum_along if order == -np.inf else extrema.maximum_along
    return find(sizes, axes, keepdims)


def vector_norm(x: S, order: Any = 2, axis: Any = None, keepdims: bool = False) -> S:
    """np.linalg.vector_norm: along several axes, that of all of their elements."""
    axes = axis_tuple("vector_norm", axis, x.ndim)
    if order == 2:
        return _euclidean(x, axes, keepdims)
    if len(axes) != 1:
        unsupported("vector_norm", f"ord={order!r} is available along one axis only")
    return norm(x, order, axes, keepdims)


def _euclidean(x: S, axes: tuple[int, ...], keepdims: bool, operation: str = "norm") -> S:
    (x,) = at_scale([x])
    with _named(x, operation):
        squares = total(multiply(x, x), axes, keepdims)
    return wide_sqrt(squares, operation)


@contextmanager
def _named(x: Secret, operation: str) -> Iterator[None]:
    """Where a protocol sees that a sum of squares is too large, the error names what the user called."""
    try:
        yield
    except RangeError as error:
        raise RangeError(
            f"{x.context.who}, operation '{operation}': a sum of squares leaves the domain, which ends at "
            f"2^{60 - 2 * x.context.fraction_bits}. Scale the data down, or use fewer fraction_bits."
        ) from error


def hypot(x: Any, y: Any) -> Any:
    """sqrt(x^2 + y^2). Domain, error and rounds as the Euclidean `norm`."""
    secrets = at_scale([v for v in (x, y) if isinstance(v, Secret)])
    protocol = secrets[0].context.protocol
    protocol.open([v.share for v in secrets])
    publics = [np.square(as_public(v, "hypot").astype(np.float64)) for v in (x, y) if not isinstance(v, Secret)]
    with _named(secrets[0], "hypot"):
        squares: list[Any] = [multiply(v, v) for v in secrets]
        together = add(squares[0], [*squares, *publics][1])
    return wide_sqrt(together, "hypot")


def std(x: S, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> S:
    """The standard deviation: the root of the sum of squared distances from the mean, divided by the root of their number.

    Domain: the sum of the squared distances must be below 2^(60 - 2f), 2^28 for f = 16; the mean may be anywhere. Error: 2 units,
    plus 2^-16 of the value; 0 of equal elements. 10 to 12 rounds: 9 for the root, and those of the mean as in `var`; 8 bytes an
    element, and 126 to 142 for each result (15 rounds and 123 bytes for many results). Method: as `var`, and `roots`.
    """
    n = count("std", x, axis)
    if n - ddof <= 0:
        raise RangeError(f"{x.context.who}, operation 'std': {n} elements with ddof={ddof} have no standard deviation")
    length = _euclidean(centered(x, axis), axis_tuple("std", axis, x.ndim), keepdims, "std")
    return divide_by_public(length, float(np.sqrt(n - ddof)))


def corrcoef(x: S, rowvar: bool = True) -> S:
    """np.corrcoef of one matrix: products of its centered rows, each divided by its length.

    Domain: sums of squared distances from the mean must be below 2^(60 - 2f). For rows of n, whose deviation is d: an error
    below 4 + 1 / d units. Exactly 0 for a row without deviation (its diagonal, too), if that was not truncated with random
    errors before, as products are. 19 rounds (20 where `var` takes 4); 32 bytes an element, 450 for each row and 8 for each pair
    of rows. Method: rows of length 1 and their scalar products, so that no product of two lengths leaves the range; see `var`
    and `roots`.
    """
    if x.ndim > 2:
        raise ShapeError(f"corrcoef: a tensor of shape {x.shape} has more than 2 axes")
    rows = reshape(x, (1, -1)) if x.ndim < 2 else x if rowvar else swapaxes(x, 0, 1)
    if not rows.shape[1]:
        raise ShapeError("corrcoef: no observations have no correlation")
    distances = centered(rows, 1)
    with _named(rows, "corrcoef"):
        squares = total(multiply(distances, distances), 1, keepdims=True)
    squares = add(squares, _NOT_0 * 2.0**-squares.scale)  # so that the length of a row without deviation is not 0
    unit = divide(distances, wide_sqrt(squares, "corrcoef"))
    result = matmul(unit, swapaxes(unit, 0, 1))
    return result if result.shape != (1, 1) else reshape(result, ())
