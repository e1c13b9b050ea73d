"""Sums, means, variances, products and norms along axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mpc import functions
from mpc.errors import UsageError
from mpc.nn.rules.rule import Rule, Ruled, shrinking
from mpc.tensor.curves.lengths import vector_norm as vector_length
from mpc.tensor.reduction import centered, count
from mpc.tensor.shapes import axis_tuple


def spread(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """The gradient of a sum, for each of the summands."""
    return np.broadcast_to(_kept(g, x, axis, keepdims), x.shape)


def _kept(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """With the axes of the sum, of size 1."""
    return g if keepdims else np.reshape(g, [1 if k in axis_tuple("sum", axis, x.ndim) else n for k, n in enumerate(x.shape)])


def total(x: Any, axis: Any = None, keepdims: bool = False) -> Ruled:
    return np.sum(x, axis, keepdims=keepdims), lambda g: (spread(g, x, axis, keepdims),)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Ruled:
    n = count("mean", x, axis)
    value = np.mean(x, axis, keepdims=keepdims)
    return value, shrinking(lambda g: (spread(g / n, x, axis, keepdims),), math.log2(n))


def variance(x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Ruled:
    """As a mean of squares; the distances are opened once, for the squares and for the gradient."""
    divisor = count("var", x, axis) - ddof
    if divisor <= 0:
        return np.var(x, axis, ddof=ddof, keepdims=keepdims), lambda g: ()  # which raises
    distance = centered(x, axis)
    value = np.sum(np.square(distance), axis, keepdims=keepdims) / divisor
    return value, lambda g: (spread(g * (2 / divisor), x, axis, keepdims) * distance,)


def deviation(x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Ruled:
    """Backward: a division by the deviation, 8 rounds, and a product."""
    divisor = count("std", x, axis) - ddof
    if divisor <= 0:
        return np.std(x, axis, ddof=ddof, keepdims=keepdims), lambda g: ()  # which raises
    distance = centered(x, axis)
    value = vector_length(distance, 2, axis, keepdims) / math.sqrt(divisor)
    return value, lambda g: (spread(g / (value * divisor), x, axis, keepdims) * distance,)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Ruled:
    """The Euclidean one. Backward: a division by the norm, 8 rounds, and a product; 0 where the norm is 0."""
    if ord is not None and not (ord == "fro" and x.ndim == 2) and not (ord == 2 and len(axis_tuple("norm", axis, x.ndim)) == 1):
        raise UsageError(f"linalg.norm: ord={ord!r} has no gradient here; use np.sum or np.max of np.abs")
    value = np.linalg.norm(x, ord, axis, keepdims)
    return value, lambda g: (spread(g / value, x, axis, keepdims) * x,)


def vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Ruled:
    if ord != 2:
        raise UsageError(f"linalg.vector_norm: ord={ord!r} has no gradient here; use np.sum or np.max of np.abs")
    value = vector_length(x, 2, axis, keepdims)
    return value, lambda g: (spread(g / value, x, axis, keepdims) * x,)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Ruled:
    """Backward: softmax(x) as exp(x - logsumexp(x)), 4 rounds, and a product."""
    value = functions.logsumexp(x, axis, keepdims=True)
    result = value if keepdims else np.sum(value, axis)
    return result, lambda g: (_kept(g, x, axis, keepdims) * np.exp(x - value),)


def cumsum(x: Any, axis: int | None = None) -> Ruled:
    """Backward: the running sum from the other end."""
    place = 0 if axis is None else axis

    def pullback(g: Any) -> Any:
        return (np.reshape(np.flip(np.cumsum(np.flip(g, place), place), place), x.shape),)

    return np.cumsum(x, axis), pullback


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Ruled:
    ones = np.eye(x.shape[axis1], x.shape[axis2], offset, dtype=int)
    ones = np.moveaxis(np.reshape(ones, ones.shape + (1,) * (x.ndim - 2)), (0, 1), (axis1, axis2))
    axes = (axis1 % x.ndim, axis2 % x.ndim)
    return np.trace(x, offset, axis1, axis2), lambda g: (np.expand_dims(g, axes) * ones,)


RULES: dict[str, Rule] = {
    "sum": total,
    "mean": mean,
    "var": variance,
    "std": deviation,
    "linalg.norm": norm,
    "linalg.vector_norm": vector_norm,
    "logsumexp": logsumexp,
    "cumsum": cumsum,
    "trace": trace,
}


def average(a: Any, axis: Any = None, weights: Any = None, keepdims: bool = False) -> Any:
    """With public weights."""
    if weights is None:
        return np.mean(a, axis, keepdims=keepdims)
    w = np.asarray(weights, float)
    if w.shape != a.shape:
        w = np.reshape(w, [-1 if k == axis % a.ndim else 1 for k in range(a.ndim)])
    return np.sum(a * (w / np.sum(np.broadcast_to(w, a.shape), axis, keepdims=True)), axis, keepdims=keepdims)


def prod(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """By pairs: log2(n) products for n elements, and as many backward."""
    axes = axis_tuple("prod", axis, a.ndim)
    rest = [n for k, n in enumerate(a.shape) if k not in axes]
    factors = np.reshape(np.moveaxis(a, axes, range(len(axes))), (-1, *rest))
    while (n := factors.shape[0]) > 1:
        half = n // 2
        pairs = factors[:half] * factors[half : 2 * half]
        factors = np.concatenate([pairs, factors[2 * half :]]) if n % 2 else pairs
    return np.expand_dims(factors[0], axes) if keepdims else factors[0]


COMPOSED: dict[str, Callable[..., Any]] = {
    "average": average,
    "prod": prod,
    "linalg.trace": lambda x, *, offset=0: np.trace(x, offset, -2, -1),
}
