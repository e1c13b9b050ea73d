"""Medians, quantiles and percentiles: the order statistics that they need, and nothing else of the order.

Cost: as np.sort (sorting.py), but only the columns of the places that the quantiles need are opened, or only the comparators
kept on which they depend. Interpolation between two of them is local but for its deferred truncation.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from mpc.errors import OptionError, RangeError, ShapeError
from mpc.tensor.arithmetic import add, as_float, subtract
from mpc.tensor.base import Array, Secret, numeric, truncate
from mpc.tensor.multiplication import multiply
from mpc.tensor.shapes import as_numpy, as_public, axis_tuple
from mpc.tensor.shaping import expand_dims, getitem, moveaxis, reshape
from mpc.tensor.sorting import select_order

S = TypeVar("S", bound=Secret)


def median(x: S, axis: Any = None, keepdims: bool = False) -> S:
    """The median along axes, a float: the mean of both middle elements, where their number is even. Exact to 1 ulp."""
    return quantile(x, 0.5, axis, "midpoint", keepdims, "median")


def percentile(x: S, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> S:
    """The quantiles for public percentages q."""
    percentages = as_public(q, "percentile")
    _check_places(x, percentages, 100, "percentile")
    return quantile(x, np.true_divide(percentages, 100), axis, method, keepdims, "percentile")


def quantile(x: S, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False, operation: str = "quantile") -> S:
    """The quantiles along axes for public q from 0 to 1, by any of NumPy's methods; q's axes come first.

    Those that choose an element are exact, and keep integers. The others interpolate: lower + gamma (upper - lower), with
    NumPy's gamma rounded to f bits, so with an error of 2^-(f + 1) of the difference, and 1 ulp; differences below 2^(62 - 2f).
    """
    numeric(x, operation)
    wanted = as_public(q, operation)
    _check_places(x, wanted, 1, operation)
    axes = axis_tuple(operation, axis, x.ndim)
    rest = tuple(size for k, size in enumerate(x.shape) if k not in axes)
    n = math.prod(x.shape[k] for k in axes)
    if n == 0:
        raise RangeError(
            f"{x.context.who}, operation '{operation}': no elements along axis {axis} of a tensor of shape {x.shape}"
        )
    # NumPy's own rule: for the elements 0, 1, 2, ... a quantile is its place among them
    try:
        places = as_numpy(operation, np.quantile, np.arange(n, dtype=np.float64), wanted.ravel(), method=method)
    except ShapeError as error:
        raise OptionError(str(error)) from None
    keeps_integers = as_numpy(operation, np.quantile, np.zeros(1, np.int64), 0.5, method=method).dtype.kind == "i"
    (x,) = truncate([x])
    flat = reshape(moveaxis(x, axes, range(len(axes))), (n, *rest))
    result = _interpolated(flat if keeps_integers else as_float(flat), places, operation)
    if keepdims:
        result = expand_dims(result, tuple(k + 1 for k in axes))
    return reshape(result, (*wanted.shape, *result.shape[1:]))


def _check_places(x: Secret, q: Array, most: int, operation: str) -> None:
    if not np.all((q >= 0) & (q <= most)):
        raise RangeError(f"{x.context.who}, operation '{operation}': q must be from 0 to {most}, and not NaN")


def _interpolated(x: S, places: Array, operation: str) -> S:
    """Of the order along the first axis, what stands at these places, between its elements too."""
    lower, upper = np.floor(places).astype(np.int64), np.ceil(places).astype(np.int64)
    used, order = np.unique(np.concatenate([lower, upper]), return_inverse=True)
    elements = select_order(x, used.tolist(), 0, operation)
    below, above = (getitem(elements, part) for part in np.split(order.ravel(), 2))
    gamma = (places - lower).reshape(-1, *(1 for _ in x.shape[1:]))
    if not gamma.any():
        return below
    share = float(gamma.flat[0]) if np.all(gamma == gamma.flat[0]) else gamma
    return add(below, multiply(subtract(above, below), share))
