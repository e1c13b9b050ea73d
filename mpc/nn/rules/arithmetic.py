"""Sums, elementwise products and quotients, powers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mpc.nn.rules.rule import Rule, Ruled, multiplying, shrinking
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
    """Of a secret boolean and a number too: the gradient is selected by the boolean. Backward: 1 round, which opens g."""

    def pullback(g: Any) -> Any:
        return lambda: fitted(g * y, x), lambda: fitted(g * x, y)

    if isinstance(x, Tensor) and isinstance(y, Tensor):
        return x * y, multiplying(pullback)
    return x * y, shrinking(pullback, -_size_bits(y if isinstance(x, Tensor) else x))


def _size_bits(factor: Any) -> float:
    """log2 of a public scalar's magnitude."""
    return math.log2(abs(factor)) if not isinstance(factor, Tensor) and np.ndim(factor) == 0 and factor != 0 else 0.0


def square(x: Any) -> Ruled:
    """Backward: 1 round, which opens g."""
    return np.square(x), multiplying(lambda g: (2 * (g * x),))


def divide(x: Any, y: Any) -> Ruled:
    """Backward by a secret y: g / y, 8 rounds; of a public number by y, that of its own value, 2 rounds."""
    value = x / y
    if not isinstance(y, Tensor):
        return value, shrinking(lambda g: (fitted(g / y, x), None), _size_bits(y))
    if not isinstance(x, Tensor) and np.ndim(x) == 0 and x != 0:
        return value, multiplying(lambda g: (None, -(g * value * (value if x == 1 else value / x))), value)

    def pullback(g: Any) -> Any:
        quotient = g / y
        return fitted(quotient, x), lambda: fitted(-(quotient * value), y)

    return value, pullback


def power(x: Any, exponent: Any) -> Ruled:
    """x to a public exponent, or a public base to the power of a secret."""
    value = np.power(x, exponent)
    if isinstance(exponent, Tensor):
        return value, multiplying(lambda g: (None, g * value * math.log(x)), value)
    return value, multiplying(lambda g: (exponent * (g * np.power(x, exponent - 1)), None))


def scaling(factor: float) -> Rule:
    """The rule of a product with a number."""

    def rule(x: Any) -> Ruled:
        return x * factor, lambda g: (g * factor,)

    return rule


RULES: dict[str, Rule] = {
    "add": add,
    "subtract": subtract,
    "negative": negative,
    "positive": positive,
    "multiply": multiply,
    "square": square,
    "divide": divide,
    "power": power,
    "float_power": power,
    "deg2rad": scaling(math.pi / 180),
    "radians": scaling(math.pi / 180),
    "rad2deg": scaling(180 / math.pi),
    "degrees": scaling(180 / math.pi),
}
