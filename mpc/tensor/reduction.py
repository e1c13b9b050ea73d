"""Sums, products, means and variances along axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from mpc.errors import RangeError, ShapeError
from mpc.fixed import RAW_BITS
from mpc.tensor import extrema
from mpc.tensor.arithmetic import add, rescaled, subtract
from mpc.tensor.base import Array, Secret, numeric, truncate, unsupported
from mpc.tensor.boolean import as_number
from mpc.tensor.joining import concatenate
from mpc.tensor.multiplication import divide, multiply
from mpc.tensor.selection import maximum, minimum
from mpc.tensor.shapes import as_numpy, as_public, axis_index, axis_tuple, stand_in
from mpc.tensor.shaping import broadcast_to, expand_dims, gather, getitem, moveaxis, reshape

S = TypeVar("S", bound=Secret)


def linear(operation: str, x: S, function: Callable[[Array], Array]) -> S:
    """A map that is linear over the integers, given as a function of arrays. Local."""
    numeric(x, operation)
    return x.like(x.context.protocol.linear(x.share, operation, function))


def total(x: S, axis: Any = None, keepdims: bool = False, initial: Any = None) -> S:
    """The sum along axes (all of them for None). Local; 1 round and 1/8 byte an element for booleans, here as below."""
    x, axes = as_number(x), axis_tuple("sum", axis, x.ndim)
    result = linear("sum", x, lambda a: np.asarray(np.sum(a, axis=axes, keepdims=keepdims)))
    return result if initial is None else add(result, initial)


def trace(x: S, offset: int = 0, axis1: int = 0, axis2: int = 1) -> S:
    """The sum along a diagonal. Local."""
    return total(gather("trace", x, np.diagonal, offset, axis1, axis2), -1)


def cumsum(x: S, axis: int | None = None) -> S:
    """The running sum along an axis. Local."""
    if axis is None:
        x, axis = reshape(x, -1), 0
    place = axis_index("cumsum", axis, x.ndim)
    return linear("cumsum", as_number(x), lambda a: np.cumsum(a, axis=place))


def cumulative_sum(x: S, axis: int | None = None, include_initial: bool = False) -> S:
    """np.cumulative_sum: a running sum that may start with 0. Local."""
    if axis is None and x.ndim != 1:
        raise ShapeError(f"cumulative_sum: axis= must be given for a tensor of shape {x.shape}")
    place = axis_index("cumulative_sum", 0 if axis is None else axis, x.ndim)
    before = [(int(include_initial and k == place), 0) for k in range(x.ndim)]
    return linear("cumulative_sum", as_number(x), lambda a: np.pad(np.cumsum(a, axis=place), before))


def difference(x: S, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> S:
    """np.diff: differences of neighbours, n times. Local."""
    numeric(x, "diff")
    place = axis_index("diff", axis, x.ndim) if x.ndim else 0
    edge = tuple(1 if k == place else size for k, size in enumerate(x.shape))

    def part(value: Any) -> Any:
        if value is None:
            return []
        array = value if isinstance(value, Secret) else as_public(value, "diff")
        if array.ndim:
            return [array]
        return [broadcast_to(array, edge) if isinstance(array, Secret) else np.broadcast_to(array, edge)]

    parts = [*part(prepend), x, *part(append)]
    x = x if len(parts) == 1 else concatenate(parts, place, "diff")
    as_numpy("diff", np.diff, stand_in(x.shape), n, axis)
    return linear("diff", x, lambda a: np.diff(a, n, axis))


def count(operation: str, x: Secret, axis: Any) -> int:
    """How many elements a reduction along `axis` puts together."""
    return int(np.prod([x.shape[k] for k in axis_tuple(operation, axis, x.ndim)], dtype=np.int64))


def mean(x: S, axis: Any = None, keepdims: bool = False) -> S:
    """The mean: a sum, and a division by the public count n. Local but for the deferred truncation.

    A sum of very many elements (n of 2^(f / 2 + 1) or more, no power of two) is truncated before the division too, so
    that the sum may exceed what an operand of a product may be.
    """
    n = count("mean", x, axis)
    if n == 0:
        raise RangeError(f"{x.context.who}, operation 'mean': no elements along axis {axis} of a tensor of shape {x.shape}")
    x, f = as_number(x), x.context.fraction_bits
    result, bits = total(x, axis, keepdims), min(n.bit_length() - 1, RAW_BITS - f)
    if x.kind == "float" and bits > f // 2:
        return divide(rescaled(result, bits), n / 2.0**bits)
    return divide(result, n)


def centered(x: S, axis: Any = None) -> S:
    """Distances from the mean along axes, at scale f, and exactly 0 of equal elements. 1 round; 2 where `mean` truncates too.

    The first element is taken away before the mean of the rest is: that is exact, and leaves the mean an error of a unit and
    2^-f of the spread, however far from 0 the elements are.
    """
    (x,) = truncate([as_number(x)])
    axes = axis_tuple("mean", axis, x.ndim)
    x = subtract(x, getitem(x, tuple(slice(0, 1) if k in axes else slice(None) for k in range(x.ndim))))
    (center,) = truncate([mean(x, axis, keepdims=True)])
    return subtract(x, center)


def variance(x: S, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> S:
    """The variance: the mean of squared distances from the mean.

    Domain: the sum of the squared distances must be below 2^(62 - 2f); the mean may be anywhere. Error: 3 units, plus 2^-f of
    the value. 3 rounds, 2 for a power of two, 4 where `mean` truncates too (for f = 16, 512 elements or more); 8 bytes an
    element, and 16 to 24 for each result, 8 for a power of two. Method: two passes, the second over distances (Chan, Golub and
    LeVeque, *Algorithms for Computing the Sample Variance*, The American Statistician 37, 1983).
    """
    n = count("var", x, axis)
    if n - ddof <= 0:
        raise RangeError(f"{x.context.who}, operation 'var': {n} elements with ddof={ddof} have no variance")
    distance = centered(x, axis)
    return divide(total(multiply(distance, distance), axis, keepdims), n - ddof)


def average(x: S, axis: Any = None, weights: Any = None, keepdims: bool = False) -> S:
    """np.average with public weights: of the tensor's shape, or a vector along one axis."""
    if weights is None:
        return mean(x, axis, keepdims)
    public = as_public(weights, "average").astype(np.float64)
    if public.shape != x.shape:
        if public.ndim != 1 or axis is None or isinstance(axis, tuple):
            unsupported("average", "weights must have the tensor's shape, or be a vector along a given axis")
        place = axis_index("average", axis, x.ndim)
        if public.size != x.shape[place]:
            raise ShapeError(f"average: {public.size} weights for axis {axis} of a tensor of shape {x.shape}")
        public = public.reshape([-1 if k == place else 1 for k in range(x.ndim)])
    axes = axis_tuple("average", axis, x.ndim)
    sums = np.broadcast_to(public, x.shape).sum(axis=axes, keepdims=True)
    if np.any(sums == 0):
        raise RangeError(f"{x.context.who}, operation 'average': weights sum to zero")
    return total(multiply(as_number(x), public / sums), axis, keepdims)


def largest(x: S, axis: Any = None, keepdims: bool = False, initial: Any = None) -> S:
    """np.max: as `extrema.maximum_along`; with `initial`, which is one more number, and 4 rounds more."""
    return _with_initial("max", x, axis, keepdims, initial)


def smallest(x: S, axis: Any = None, keepdims: bool = False, initial: Any = None) -> S:
    """np.min. As `largest`."""
    return _with_initial("min", x, axis, keepdims, initial)


def _with_initial(operation: str, x: S, axis: Any, keepdims: bool, initial: Any) -> S:
    find = extrema.maximum_along if operation == "max" else extrema.minimum_along
    if initial is None:
        return find(x, axis, keepdims)
    if np.shape(initial):
        raise ShapeError(f"{operation}: initial= must be one number, not of shape {np.shape(initial)}")
    if not isinstance(initial, Secret):
        initial = as_public(initial, operation).astype(x.dtype)  # as NumPy does
    if count(operation, x, axis):
        found = find(x, axis, keepdims)
        return maximum(found, initial) if operation == "max" else minimum(found, initial)  # type: ignore[no-any-return]
    return add(total(x, axis, keepdims), initial)  # of nothing: 0 and that number


def prod(x: S, axis: Any = None, keepdims: bool = False, initial: Any = None) -> S:
    """The product along axes, by pairs: log2(n) rounds for n elements, and one for a secret `initial` factor."""
    if initial is not None:
        return multiply(prod(x, axis, keepdims), initial)
    x = as_number(x)
    axes = axis_tuple("prod", axis, x.ndim)
    rest = tuple(n for k, n in enumerate(x.shape) if k not in axes)
    factors = reshape(moveaxis(x, axes, range(len(axes))), (count("prod", x, axis), *rest))
    while (n := factors.shape[0]) > 1:
        half = n // 2
        pairs = multiply(getitem(factors, slice(0, half)), getitem(factors, slice(half, 2 * half)))
        factors = concatenate([pairs, getitem(factors, slice(2 * half, n))], 0, "prod") if n % 2 else pairs
    if factors.shape[0] == 0:
        factors = concatenate([factors, np.ones((1, *rest), np.int64)], 0, "prod")
    result = getitem(factors, 0)
    return expand_dims(result, axes) if keepdims else result
