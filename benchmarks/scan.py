"""Where a function is tried, and by how much it is wrong there: dense scans of whole domains and of their edges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import mpc

FRACTION = 16
ULP = 2.0**-FRACTION
INPUT_END = 2.0**30 - ULP  # the largest float input
COUNT = 200_000  # points of each density
EVERY = 20_000  # around 0, each number of the fixed-point grid
CHUNK = 1 << 16  # elements of one call: normalisations hold many bits for each

Array = np.ndarray
Points = Callable[[], list[Array]]


def grid(x: Any) -> Array:
    """The nearest fixed-point numbers."""
    return np.rint(np.asarray(x, float) / ULP) * ULP


def line(low: float, high: float, *focus: tuple[float, float], gap: float = 0.0, edges: Sequence[float] = ()) -> Array:
    """Numbers from low to high, without those of magnitude below `gap`.

    Evenly and logarithmically spaced ones, evenly spaced ones of each interval in `focus`, each one near 0, the ends, powers
    of two, whole and half numbers and `edges`, the latter four with their neighbours.
    """
    top = max(abs(low), abs(high))
    sizes = np.geomspace(max(gap, ULP), top, COUNT)
    marks = np.concatenate([2.0 ** np.arange(-FRACTION, 31), np.arange(0, 33, 0.5), np.abs(edges), [gap, abs(low), abs(high)]])
    near = (marks[:, None] + np.arange(-8, 9) * ULP).ravel()
    parts = [np.linspace(low, high, COUNT), np.arange(-EVERY, EVERY + 1) * ULP, sizes, -sizes, near, -near]
    parts += [np.linspace(start, end, COUNT) for start, end in focus]
    points = np.unique(grid(np.concatenate(parts)))
    return points[(points >= low) & (points <= high) & (np.abs(points) >= gap)]


def over(low: float, high: float, *focus: tuple[float, float], gap: float = 0.0, edges: Sequence[float] = ()) -> Points:
    """The points of `line`, in an order of their own: neighbours do not meet the same masks' neighbours."""
    return lambda: [np.random.default_rng(0).permutation(line(low, high, *focus, gap=gap, edges=edges))]


@dataclass(frozen=True)
class Allowed:
    """An error is allowed up to the largest of these bounds, never their sum."""

    absolute: float = 0.0
    relative: float = 0.0
    ulps: float = 0.0

    def bound(self, reference: Array) -> Array:
        return np.maximum(max(self.absolute, self.ulps * ULP), self.relative * np.abs(reference))

    def __str__(self) -> str:
        parts = [f"{_power(self.absolute)} absolute"] if self.absolute else []
        parts += [f"{_power(self.relative)} relative"] if self.relative else []
        parts += [f"{self.ulps:g} ulp"] if self.ulps else []
        return " or ".join(parts) or "exact"


def _power(value: float) -> str:
    return f"2^{np.log2(value):.3g}"


@dataclass(frozen=True)
class Errors:
    """The worst over a scan. `worst` is error / bound, at `place`; relative errors are those of results of at least 1/8."""

    count: int
    absolute: float
    relative: float
    ulps: float  # of results below 1/8
    worst: float
    place: tuple[float, ...]
    got: float
    wanted: float
    violations: int
    zeros: int  # results of 0 that should not be
    zero_ulps: float  # the most that a result of 0 should have been

    def __str__(self) -> str:
        where = ", ".join(f"{value:.8g}" for value in self.place[:12])
        counts = f"{self.violations} of {self.count} beyond the bound, {self.zeros} wrong zeros (up to {self.zero_ulps:.3g} ulp)"
        return f"{counts}; worst at ({where}): {self.got:.8g} for {self.wanted:.8g}, {self.worst:.3g} of the bound"


def evaluate(call: Callable[..., Any], arrays: list[Array], protocol: str = "additive") -> Array:
    """The revealed results of two simulated parties. The first axis is cut into chunks."""
    rows = len(arrays[0])
    step = max(1, CHUNK // max(1, arrays[0].size // max(1, rows)))

    def program(party: Any) -> list[Array]:
        results = []
        for start in range(0, rows, step):
            cut = [array[start : start + step] for array in arrays]
            inputs = [party.input(array if party.index == i % 2 else None, i % 2) for i, array in enumerate(cut)]
            results.append(call(*inputs).reveal())
        return results

    return np.concatenate(mpc.simulate(program, parties=2, protocol=protocol, fraction_bits=FRACTION)[0])


def errors(
    call: Callable[..., Any], reference: Callable[..., Array], arrays: list[Array], allowed: Allowed, nonzero: float = 1.0
) -> Errors:
    """`nonzero`: units in the last place from which a result must not be 0."""
    got = np.asarray(evaluate(call, arrays), float)
    with np.errstate(all="ignore"):
        wanted = np.asarray(reference(*arrays), float)
    wrong = np.abs(got - wanted)
    size = np.abs(wanted)
    bound = allowed.bound(wanted)
    share = np.where(wrong > 0, wrong / np.maximum(bound, 1e-300), 0.0)
    large = size >= 1 / 8
    index = np.unravel_index(np.argmax(share), share.shape)
    place = [array[index[: array.ndim]] if array.shape == share.shape else array[index[0]] for array in arrays]
    return Errors(
        count=got.size,
        absolute=_largest(wrong),
        relative=_largest(wrong[large] / size[large]),
        ulps=_largest(wrong[~large]) / ULP,
        worst=_largest(share),
        place=tuple(float(value) for part in place for value in np.ravel(part)),
        got=float(got[index]),
        wanted=float(wanted[index]),
        violations=int((wrong > bound).sum()),
        zeros=int((size[got == 0] >= nonzero * ULP).sum()),
        zero_ulps=_largest(size[got == 0]) / ULP,
    )


def _largest(values: Array) -> float:
    return float(values.max(initial=0.0))
