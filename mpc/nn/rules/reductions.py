"""Sums, means and variances."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mpc.nn.rules.rule import Rule, Ruled, shrinking
from mpc.tensor.reduction import count


def _spread(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """The gradient of a sum, for each of the summands."""
    if axis is None:
        axis = tuple(range(x.ndim))
    if not keepdims and axis != ():
        g = np.expand_dims(g, tuple(k % x.ndim for k in (axis if isinstance(axis, tuple) else (axis,))))
    return np.broadcast_to(g, x.shape)


def total(x: Any, axis: Any = None, keepdims: bool = False) -> Ruled:
    return np.sum(x, axis, keepdims=keepdims), lambda g: (_spread(g, x, axis, keepdims),)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Ruled:
    n = count("mean", x, axis)

    value = np.mean(x, axis, keepdims=keepdims)
    return value, shrinking(lambda g: (_spread(g / n, x, axis, keepdims),), math.log2(n))


def variance(x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Ruled:
    """As a mean of squares; the distances are opened once, for the squares and for the gradient."""
    divisor = count("var", x, axis) - ddof
    distance = x - np.mean(x, axis, keepdims=True)
    value = np.sum(np.square(distance), axis, keepdims=keepdims) / divisor
    return value, lambda g: (_spread(g * (2 / divisor), x, axis, keepdims) * distance,)


RULES: dict[str, Rule] = {"sum": total, "mean": mean, "var": variance}
