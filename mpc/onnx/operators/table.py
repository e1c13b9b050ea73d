"""What is known of an operator: how it runs, and what it asks of its node. Each topic beside has a table of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc.onnx.graph import Array, Node, is_float
from mpc.tensor.base import Secret

Run = Callable[..., Any]
Refusal = Callable[[Node], str | None]


@dataclass(frozen=True)
class Operator:
    """An operator. `run(node, *inputs)` gets None for an input that is left out, and returns one value or a tuple.

    The inputs at the places `public` must be public, so constants there are. Integer constants at `weights` are secret, as floats
    are everywhere.
    `refuses(node)` says what is wrong with a node's attributes, before anything runs. `note` is for the docs.
    """

    run: Run
    note: str = ""
    public: tuple[int, ...] = ()
    weights: tuple[int, ...] = ()
    refuses: Refusal | None = None
    shape_only: bool = False  # its result depends on the inputs' shapes alone, so it is public


class Table(dict[str, Operator]):
    """Operators by name."""

    def add(self, *names: str, **options: Any) -> Callable[[Run], Run]:
        """A decorator: the function runs these operators."""

        def added(function: Run) -> Run:
            for name in names:
                self[name] = Operator(function, **options)
            return function

        return added

    def elementwise(self, name: str, function: Callable[[Any], Any], note: str = "") -> None:
        """A function of one tensor, without attributes."""
        self[name] = Operator(lambda node, x: function(x), note)


def is_secret(value: Any) -> bool:
    return isinstance(value, Secret)


def integers(value: Any) -> list[int] | None:
    """A public array of whole numbers as a list; None stays None."""
    return None if value is None else [int(n) for n in np.atleast_1d(value)]


def argument(node: Node, name: str, value: Any) -> list[int] | None:
    """What newer opsets have as an input, and older ones as an attribute."""
    return integers(node.get(name) if value is None else value)


def rearranged(node: Node, x: Any, *rest: Any) -> Any:
    """What a node makes of x that moves elements only: the same that it makes of their numbers."""
    flat = x.reshape(-1)
    outputs = node.evaluate(np.arange(x.size).reshape(x.shape), *rest)
    results = tuple(flat[np.asarray(index, np.int64)] for index in outputs)
    return results[0] if len(results) == 1 else results


def zeros(x: Any) -> Array:
    """A public array with the shape of x, for operators that ask for no more; it takes no memory."""
    return np.broadcast_to(np.zeros((), np.int64 if x.dtype.kind == "i" else np.float32), x.shape)


def finite(value: Any, fraction_bits: int) -> Any:
    """A public operand whose infinities, and what else no secret reaches, are the largest number: masks have them."""
    if value is None or is_secret(value) or not is_float(value):
        return value
    largest = math.ldexp(1.0, 60 - 2 * fraction_bits)
    return np.clip(value.astype(np.float64), -largest, largest)
