"""What is measured: inputs, what a party does with their secret tensors, and the float64 answer. Operations and functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

LONG, SHORT = 10**6, 10**5
CHAINED = 1000

Array = np.ndarray[Any, Any]
Arrays = list[Array]


@dataclass(frozen=True)
class Workload:
    """`what` names it, with {size} where its size belongs; `size` counts its `unit`s, and is None where shapes are fixed.

    `inputs` takes the size, or nothing; `ours` the secret tensors of the inputs; `reference` the inputs. `target`: how many
    times faster than SPU SEMI2K ours is to be. `repeats`: of one run, after a warm-up. `steps`: equal ones, of which it consists.
    """

    what: str
    inputs: Callable[..., Arrays]
    ours: Callable[..., Any]
    reference: Callable[..., Any]
    target: float | None = None
    repeats: int = 3
    size: int | None = None
    unit: str = "elements"
    steps: int = 1

    @property
    def title(self) -> str:
        return self.title_of(self.size)

    def title_of(self, size: int | None) -> str:
        return self.what if size is None else self.what.format(size=count_text(size))

    def repeats_of(self, size: int | None) -> int:
        """Fewer, but three where it has as many, of a larger size."""
        if size is None or self.size is None:
            return self.repeats
        return min(self.repeats, max(3, self.repeats * self.size // size))

    def arrays(self, size: int | None = None) -> Arrays:
        """Inputs, in its own size or another.

        They are multiples of 2^-16: every system encodes them exactly, and so has the same ones (JAX takes float32).
        """
        size = self.size if size is None else size
        return [np.rint(array * 2**16) / 2**16 for array in (self.inputs() if size is None else self.inputs(size))]


def count_text(count: int) -> str:
    """10^6 for a large power of ten, else the number."""
    zeros = len(str(count)) - 1
    return f"10^{zeros}" if zeros > 3 and count == 10**zeros else str(count)


def uniform(*shape: int | None, count: int = 1, bound: float = 1.0) -> Callable[[int], Arrays]:
    """Uniform numbers; None stands for the size in the shape."""

    def arrays(size: int) -> Arrays:
        sizes = [size if length is None else length for length in shape]
        return [np.random.default_rng(i).uniform(-bound, bound, sizes) for i in range(count)]

    return arrays


def evenly(low: float, high: float) -> Callable[[int], Arrays]:
    return lambda size: [np.linspace(low, high, size)]


def function(name: str) -> Callable[..., Any]:
    """A function of mpc.functions, looked up when it is called."""
    return lambda x, **options: getattr(import_module("mpc.functions"), name)(x, **options)


def softmax(x: Array) -> Any:
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def rows_max(x: Any) -> Any:
    return x.max(axis=1)


def chained(x: Any, y: Any) -> Any:
    """Each product is a factor of the next: latency is all that counts."""
    for _ in range(CHAINED):
        x = x * y
    return x


def matmul(side: int) -> Workload:
    inputs, target = uniform(None, None, count=2), 7 if side == 1024 else None
    return Workload("x @ y, {size} x {size}", inputs, np.matmul, np.matmul, target, 5, side, "rows and columns")


def product(size: int, target: float | None = None) -> Workload:
    return Workload("x * y, {size}", uniform(None, count=2), np.multiply, np.multiply, target, size=size)


WORKLOADS = {
    "mul1m": product(LONG, 4),
    "ltz1m": Workload("x < 0, {size}", uniform(None), lambda x: x < 0, lambda x: x < 0, 12, size=LONG),
    "relu1m": Workload(
        "relu, {size}", uniform(None), lambda x: np.maximum(x, 0), lambda x: np.maximum(x, 0), 12, size=LONG
    ),
    "sigmoid": Workload(
        "sigmoid, {size}", evenly(-8, 8), function("expit"), lambda x: 1 / (1 + np.exp(-x)), 7, size=SHORT
    ),
    "exp": Workload("exp, {size}", evenly(-8, 4), np.exp, np.exp, 2.5, size=SHORT),
    "reciprocal": Workload("1 / x, {size}", evenly(0.1, 50), lambda x: 1 / x, lambda x: 1 / x, 8, size=SHORT),
    "sqrt": Workload("sqrt, {size}", evenly(0.01, 100), np.sqrt, np.sqrt, 7, size=SHORT),
    "log": Workload("log, {size}", evenly(0.01, 100), np.log, np.log, 10, size=SHORT),
    "rowmax": Workload(
        "max of rows, {size} x 10", uniform(None, 10), rows_max, rows_max, 5, 20, size=1000, unit="rows"
    ),
    "softmax": Workload(
        "softmax of rows, {size} x 10", uniform(None, 10, bound=4), lambda x: function("softmax")(x, axis=1), softmax, 6, 20,
        size=1000, unit="rows",
    ),
}  # fmt: skip

PRODUCTS = {
    "matmul256": matmul(256),
    "matmul512": matmul(512),
    "matmul1024": matmul(1024),
    "mul10m": product(10**7),
    "chain": Workload(
        f"{CHAINED} dependent scalar products", lambda: [np.array([1.0001]), np.array([0.9999])], chained,
        lambda x, y: x * y**CHAINED, 4, 3, steps=CHAINED,
    ),
}  # fmt: skip
