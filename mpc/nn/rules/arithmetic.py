"""Sums, elementwise products and quotients, powers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mpc.nn.rules.rule import Rule, Ruled, shrinking
from mpc.tensor import Tensor


def fitted(gradient: Any, operand: Any) -> Any:
    """The gradient of an operand that was broadcast: summed to its shape."""
    shape = np.shape(operand)
    if np.shape(gradient) == shape:
        return gradient
    extra = np.ndim(gradient) - len(shape)
    stretched = [k + extra for k, n in enumerate(shape) if n == 1 and np.shape(gradient)[k + extra] != 1]
    return np.reshape(np.sum(gradient, axis=(*range(extra), *stretched)), shape)


def add(x: Any, y: Any) -> Ruled:
    return x + y, lambda g: (fitted(g, x), fitted(g, y))


def subtract(x: Any, y: Any) -> Ruled:
    return x - y, lambda g: (fitted(g, x), lambda: fitted(-g, y))


def negative(x: Any) -> Ruled:
    return -x, lambda g: (-g,)


def positive(x: Any) -> Ruled:
    return x, lambda g: (g,)


def multiply(x: Any, y: Any) -> Ruled:
    """Of a secret boolean and a number too: the gradient is selected by the boolean."""

    def pullback(g: Any) -> Any:
        return lambda: fitted(g * y, x), lambda: fitted(g * x, y)

    return x * y, shrinking(pullback, -_size_bits(y if isinstance(x, Tensor) else x))


def _size_bits(factor: Any) -> float:
    """log2 of a public scalar's magnitude."""
    return math.log2(abs(factor)) if not isinstance(factor, Tensor) and np.ndim(factor) == 0 and factor != 0 else 0.0


def square(x: Any) -> Ruled:
    return np.square(x), lambda g: (2 * (g * x),)


def divide(x: Any, y: Any) -> Ruled:
    value = x / y
    if not isinstance(y, Tensor):
        return value, shrinking(lambda g: (fitted(g / y, x), None), _size_bits(y))

    def pullback(g: Any) -> Any:
        quotient = g / y
        return fitted(quotient, x), lambda: fitted(-quotient * value, y)

    return value, pullback


def power(x: Any, exponent: Any) -> Ruled:
    """x ** a public exponent."""
    if isinstance(exponent, Tensor):
        raise TypeError("a power with a secret exponent has no gradient here; use np.exp(exponent * np.log(x))")
    return np.power(x, exponent), lambda g: (exponent * (g * np.power(x, exponent - 1)), None)


RULES: dict[str, Rule] = {
    "add": add,
    "subtract": subtract,
    "negative": negative,
    "positive": positive,
    "multiply": multiply,
    "square": square,
    "divide": divide,
    "true_divide": divide,
    "power": power,
}
