"""Small random programs on secret tensors, with what they must give: for hypothesis, and for any protocol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import hypothesis.extra.numpy as npst
import numpy as np
from hypothesis import strategies as st

from mpc.session import Party

Array = np.ndarray[Any, np.dtype[Any]]
Operation = Callable[..., Any]
_LARGEST = 2.0**8  # values stay below, so that no product leaves the range at 16 fraction bits


@dataclass(frozen=True)
class Step:
    """One operation: `apply` takes ndarrays and secret tensors alike; `spread` takes the operands' (magnitude, error)
    bounds and the unit of the last place, and gives the result's error bound."""

    text: str
    operands: tuple[int, ...]
    apply: Operation = field(repr=False)
    spread: Callable[..., float] = field(repr=False)


@dataclass
class RandomProgram:
    """A program whose parties share `inputs` (party k % n owns the k-th) and run `steps`, each on values made before.

    Calling it with a party reveals all values; `expected` and `bounds` say what they are, and how exact.
    """

    inputs: list[Array]
    steps: list[Step]
    fraction_bits: int = 16

    def __call__(self, party: Party) -> tuple[Array, ...]:
        owners = [k % party.size for k in range(len(self.inputs))]
        values: list[Any] = [
            party.input(x if party.index == owner else None, owner) for x, owner in zip(self.inputs, owners, strict=True)
        ]
        for step in self.steps:
            values.append(step.apply(*(values[k] for k in step.operands)))
        return tuple(np.asarray(v) for v in party.reveal(*values))

    def expected(self) -> list[Array]:
        """All values, by NumPy in float64."""
        values = list(self.inputs)
        for step in self.steps:
            values.append(np.asarray(step.apply(*(values[k] for k in step.operands))))
        return values

    def bounds(self) -> list[float]:
        """A bound for the error of each value: encoding, one unit for each truncation, and how the operations spread them."""
        unit = 2.0**-self.fraction_bits
        values, errors = self.expected(), [unit / 2] * len(self.inputs)
        for step in self.steps:
            sizes = [float(np.max(np.abs(values[k]), initial=0.0)) for k in step.operands]
            errors.append(step.spread(*((m, errors[k]) for m, k in zip(sizes, step.operands, strict=True)), unit=unit))
        return [error + unit for error in errors]  # the reveal truncates once more

    def check(self, results: tuple[Array, ...]) -> None:
        """AssertionError where a result is further from `expected` than its bound."""
        names = [*(f"input {k}" for k in range(len(self.inputs))), *(step.text for step in self.steps)]
        for name, got, expected, bound in zip(names, results, self.expected(), self.bounds(), strict=True):
            assert got.shape == expected.shape, f"{name}: shape {got.shape} instead of {expected.shape}"
            error = float(np.max(np.abs(got - expected), initial=0.0))
            assert error <= bound, f"{name}: an error of {error:g}, beyond the bound {bound:g}"


Bound = tuple[float, float]


def _sum_spread(x: Bound, y: Bound, unit: float) -> float:
    return x[1] + y[1]


def _product_spread(terms: int) -> Callable[..., float]:
    """The operands lose up to one unit each when they are truncated; their product's own truncation is counted when used."""

    def spread(x: Bound, y: Bound, unit: float) -> float:
        ex, ey = x[1] + unit, y[1] + unit
        return terms * (ex * y[0] + ey * x[0] + ex * ey) + unit

    return spread


def _scaled_spread(factor: float) -> Callable[..., float]:
    return lambda x, unit: (x[1] + unit) * (abs(factor) + unit) + x[0] * unit + unit


def _repeated_spread(terms: int) -> Callable[..., float]:
    return lambda x, unit: max(terms, 1) * x[1]


def _candidates(values: list[Array], a: int, b: int, factor: float) -> list[Step]:
    """The steps that fit the values a and b."""
    x, y = values[a], values[b]
    steps = [
        Step(f"v{a} * {factor}", (a,), lambda u: u * factor, _scaled_spread(factor)),
        Step(f"-v{a}", (a,), lambda u: -u, _repeated_spread(1)),
        Step(f"v{a}.T", (a,), lambda u: u.T, _repeated_spread(1)),
        Step(f"v{a}.sum()", (a,), lambda u: u.sum(), _repeated_spread(x.size)),
        Step(f"v{a}[..., None]", (a,), lambda u: u[..., None], _repeated_spread(1)),
        Step(f"v{a}.reshape(-1)", (a,), lambda u: u.reshape(-1), _repeated_spread(1)),
    ]
    if x.ndim:
        steps.append(Step(f"v{a}[::-1]", (a,), lambda u: u[::-1], _repeated_spread(1)))
    if _broadcast(x, y):
        steps.append(Step(f"v{a} + v{b}", (a, b), lambda u, v: u + v, _sum_spread))
        steps.append(Step(f"v{a} - v{b}", (a, b), lambda u, v: u - v, _sum_spread))
        steps.append(Step(f"v{a} * v{b}", (a, b), lambda u, v: u * v, _product_spread(1)))
    if x.ndim == y.ndim == 2 and x.shape[1] == y.shape[0]:
        steps.append(Step(f"v{a} @ v{b}", (a, b), lambda u, v: u @ v, _product_spread(x.shape[1])))
    return steps


def _broadcast(x: Array, y: Array) -> bool:
    try:
        return len(np.broadcast_shapes(x.shape, y.shape)) <= 4
    except ValueError:
        return False


@st.composite
def programs(draw: st.DrawFn, max_steps: int = 6, fraction_bits: int = 16) -> RandomProgram:
    """Programs of up to `max_steps` sums, products, views and reductions of two or three small float inputs."""
    shape = st.sampled_from([(2, 2), (2, 3), (3, 2), (3,), (2,), (), (0,), (1, 3)])
    elements = st.one_of(st.sampled_from([0.0, 1.0, -1.0, 2.0**-fraction_bits, 7.5]), st.floats(-8, 8))
    inputs = [draw(npst.arrays(np.float64, draw(shape), elements=elements)) for _ in range(draw(st.integers(2, 3)))]
    program = RandomProgram(inputs, [], fraction_bits)
    values = list(inputs)
    for _ in range(draw(st.integers(1, max_steps))):
        a, b = (draw(st.integers(0, len(values) - 1)) for _ in range(2))
        step = draw(st.sampled_from(_candidates(values, a, b, draw(st.sampled_from([3.0, -0.5, 0.1])))))
        result = np.asarray(step.apply(*(values[k] for k in step.operands)))
        if result.ndim <= 4 and float(np.max(np.abs(result), initial=0.0)) < _LARGEST:
            program.steps.append(step)
            values.append(result)
    return program
