"""Functions of one tensor, and softmax. Most derivatives are products of the function's own value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mpc import functions
from mpc.nn.rules.rule import Rule, Ruled
from mpc.tensor import Tensor


def exp(x: Tensor) -> Ruled:
    value = np.exp(x)
    return value, lambda g: (g * value,)


def log(x: Tensor) -> Ruled:
    return np.log(x), lambda g: (g / x,)


def sqrt(x: Tensor) -> Ruled:
    value = np.sqrt(x)
    return value, lambda g: (g / (2 * value),)


def reciprocal(x: Tensor) -> Ruled:
    value = np.reciprocal(x)
    return value, lambda g: (-(g * np.square(value)),)


def rsqrt(x: Tensor) -> Ruled:
    """1 / sqrt(x), and -value^3 / 2."""
    value = functions.rsqrt(x)
    return value, lambda g: (-0.5 * (g * value * np.square(value)),)


def tanh(x: Tensor) -> Ruled:
    value = np.tanh(x)
    return value, lambda g: (g - g * np.square(value),)


def expit(x: Tensor) -> Ruled:
    value = functions.expit(x)
    return value, lambda g: (g * (value - np.square(value)),)


def softplus(x: Tensor) -> Ruled:
    return functions.softplus(x), lambda g: (g * functions.expit(x),)


def silu(x: Tensor) -> Ruled:
    """x s, with s = expit(x), and s + x s (1 - s)."""

    def pullback(g: Any) -> Any:
        s = functions.expit(x)
        return (g * (s + x * (s - np.square(s))),)

    return functions.silu(x), pullback


def erf(x: Tensor) -> Ruled:
    return functions.erf(x), lambda g: (g * _bell(x, 2 / math.sqrt(math.pi), 1.0),)


def _bell(x: Tensor, height: float, width: float) -> Any:
    """height * exp(-width x^2); flat beyond |x| = 8, where it is below every last place."""
    return height * np.exp(-width * np.square(np.clip(x, -8.0, 8.0)))


def gelu(x: Tensor) -> Ruled:
    """x Phi(x), and Phi(x) + x phi(x), of the normal distribution."""

    def pullback(g: Any) -> Any:
        below = 0.5 + 0.5 * functions.erf(x * math.sqrt(0.5))
        return (g * (below + np.clip(x, -8.0, 8.0) * _bell(x, 1 / math.sqrt(2 * math.pi), 0.5)),)

    return functions.gelu(x), pullback


def sin(x: Tensor) -> Ruled:
    return np.sin(x), lambda g: (g * np.cos(x),)


def cos(x: Tensor) -> Ruled:
    return np.cos(x), lambda g: (-(g * np.sin(x)),)


def softmax(x: Tensor, axis: Any = None) -> Ruled:
    value = functions.softmax(x, axis)

    def pullback(g: Any) -> Any:
        product = g * value
        return (product - value * np.sum(product, axis, keepdims=True),)

    return value, pullback


def log_softmax(x: Tensor, axis: Any = None) -> Ruled:
    value = functions.log_softmax(x, axis)
    return value, lambda g: (g - np.exp(value) * np.sum(g, axis, keepdims=True),)


RULES: dict[str, Rule] = {
    "exp": exp,
    "log": log,
    "sqrt": sqrt,
    "reciprocal": reciprocal,
    "rsqrt": rsqrt,
    "tanh": tanh,
    "expit": expit,
    "softplus": softplus,
    "silu": silu,
    "erf": erf,
    "gelu": gelu,
    "sin": sin,
    "cos": cos,
    "softmax": softmax,
    "log_softmax": log_softmax,
}
