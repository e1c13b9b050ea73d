"""What is timed beside the peers: the inputs, what ours does with them, and the float64 answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

LONG, SHORT = 10**6, 10**5
Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Workload:
    """`target`: how many times faster than SPU ours is to be. `repeats`: within a turn, after a warm-up."""

    title: str
    inputs: Callable[[], Arrays]
    ours: Callable[..., Any]
    reference: Callable[..., np.ndarray]
    target: float | None = None
    repeats: int = 3

    def arrays(self) -> Arrays:
        """Multiples of 2^-16: every system encodes them exactly, and so has the same inputs (JAX takes float32)."""
        return [np.rint(array * 2**16) / 2**16 for array in self.inputs()]


def uniform(*shape: int, count: int = 1, bound: float = 1.0) -> Callable[[], Arrays]:
    return lambda: [np.random.default_rng(i).uniform(-bound, bound, shape) for i in range(count)]


def evenly(low: float, high: float) -> Callable[[], Arrays]:
    return lambda: [np.linspace(low, high, SHORT)]


def function(name: str) -> Callable[..., Any]:
    """A function of mpc.functions, looked up when it is called."""
    return lambda x, **options: getattr(import_module("mpc.functions"), name)(x, **options)


def softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


WORKLOADS = {
    "mul1m": Workload("x * y, 10^6", uniform(LONG, count=2), lambda x, y: x * y, lambda x, y: x * y),
    "ltz1m": Workload("x < 0, 10^6", uniform(LONG), lambda x: x < 0, lambda x: x < 0, 10),
    "relu1m": Workload("relu, 10^6", uniform(LONG), lambda x: np.maximum(x, 0), lambda x: np.maximum(x, 0), 10),
    "sigmoid": Workload("sigmoid, 10^5", evenly(-8, 8), function("expit"), lambda x: 1 / (1 + np.exp(-x)), 6),
    "exp": Workload("exp, 10^5", evenly(-8, 4), np.exp, np.exp, 2.5),
    "reciprocal": Workload("1 / x, 10^5", evenly(0.1, 50), lambda x: 1 / x, lambda x: 1 / x, 7),
    "sqrt": Workload("sqrt, 10^5", evenly(0.01, 100), np.sqrt, np.sqrt, 6),
    "log": Workload("log, 10^5", evenly(0.01, 100), np.log, np.log, 9),
    "rowmax": Workload("max of rows, 1000 x 10", uniform(1000, 10), lambda x: x.max(axis=1), lambda x: x.max(axis=1), 4, 20),
    "softmax": Workload(
        "softmax of rows, 1000 x 10", uniform(1000, 10, bound=4), lambda x: function("softmax")(x, axis=1), softmax, 6, 20
    ),
}
