"""Sums, means and variances along axes."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from mpc.errors import RangeError
from mpc.tensor.arithmetic import divide, multiply, numeric, subtract
from mpc.tensor.base import Secret
from mpc.tensor.shaping import reshape

S = TypeVar("S", bound=Secret)


def total(x: S, axis: Any = None, keepdims: bool = False) -> S:
    """The sum along axes (all of them for None). Local."""
    numeric(x, "sum")
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)
    return x.like(x.context.protocol.linear(x.share, "sum", lambda a: np.sum(a, axis=axes, keepdims=keepdims)))


def cumsum(x: S, axis: int | None = None) -> S:
    """The running sum along an axis. Local."""
    numeric(x, "cumsum")
    if axis is None:
        x, axis = reshape(x, -1), 0
    axis = normalize_axis_index(axis, x.ndim)
    return x.like(x.context.protocol.linear(x.share, "cumsum", lambda a: np.cumsum(a, axis=axis)))


def count(x: Secret, axis: Any) -> int:
    """How many elements a reduction along `axis` puts together."""
    axes = range(x.ndim) if axis is None else normalize_axis_tuple(axis, x.ndim)
    return int(np.prod([x.shape[k] for k in axes], dtype=np.int64))


def mean(x: S, axis: Any = None, keepdims: bool = False) -> S:
    """The mean: a sum, and a division by the public count. Local but for the deferred truncation."""
    n = count(x, axis)
    if n == 0:
        raise RangeError(f"{x.context.who}, operation 'mean': no elements along axis {axis} of a tensor of shape {x.shape}")
    return divide(total(x, axis, keepdims), n)


def variance(x: S, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> S:
    """The variance, two-pass: the mean of squared distances from the mean. 2 rounds."""
    n = count(x, axis)
    if n - ddof <= 0:
        raise RangeError(f"{x.context.who}, operation 'var': {n} elements with ddof={ddof} have no variance")
    distance = subtract(x, mean(x, axis, keepdims=True))
    return divide(total(multiply(distance, distance), axis, keepdims), n - ddof)
