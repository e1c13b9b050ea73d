"""More functions of docs/functions.md: of arrays and their rows, of integers and booleans. Scans of fewer points."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.function_rows import ABSOLUTE, EXACT, RELATIVE, TIMED, WHOLE, Row, evenly, shuffled
from benchmarks.scan import INPUT_END, Allowed, Array, Points, grid, line
from mpc.bench.workloads import function

TENTHS = grid(np.linspace(-100, 100, 10))
HEIGHTS = grid(np.random.default_rng(7).uniform(-100, 100, 10))
BINS = np.linspace(-100, 100, 11)
TIMED_ROWS, ROWS = shuffled(1000, 100), shuffled(100, 100)


def few(low: float, high: float) -> Points:
    """A fiftieth of the points of `line`, and the ends."""
    return lambda: [np.concatenate([line(low, high)[::50], grid([low, high])])]


def integers(bound: int, count: int = TIMED, low: int | None = None) -> Points:
    low = -bound if low is None else low
    return lambda: [np.random.default_rng(8).integers(low, bound, count)]


def booleans(*shape: int, count: int = 1, share: float = 0.5) -> Points:
    return lambda: [np.random.default_rng(i).random(shape) < share for i in range(count)]


def chosen() -> list[Array]:
    return booleans(TIMED)() + shuffled(TIMED, count=2)()


def well_conditioned() -> list[Array]:
    rng = np.random.default_rng(9)
    return [grid(rng.uniform(-1, 1, (8, 8)) + 8 * np.eye(8)), grid(rng.uniform(-10, 10, 8))]


def interpolated(x: Any) -> Any:
    return np.interp(x, TENTHS, HEIGHTS)


def by_rows(name: str, title: str, allowed: Allowed, **options: Any) -> Row:
    """A function of NumPy's along the rows of 100."""

    def call(x: Any) -> Any:
        return getattr(np, name)(x, axis=1, **options)

    return Row(f"`np.{title}` of 100", "|x| < 100", call, call, ROWS, TIMED_ROWS, allowed)


CHOICES = [
    Row("`np.minimum(x, y)`", "|x| < 100", np.minimum, np.minimum, shuffled(TIMED, count=2), shuffled(TIMED, count=2), EXACT),
    by_rows("argmin", "argmin(x, axis=1)", EXACT),
    by_rows("argsort", "argsort(x, axis=1)", EXACT),
    by_rows("quantile", "quantile(x, .25, axis=1)", Allowed(ulps=1), q=0.25),
    Row("`np.where(b, x, y)`", "|x| < 100", np.where, np.where, chosen, chosen, EXACT),
    Row("`a & b`", "booleans", np.logical_and, np.logical_and, booleans(TIMED, count=2), booleans(TIMED, count=2), EXACT),
    Row("`np.any(b, axis=1)` of 100", "booleans", lambda b: np.any(b, axis=1), lambda b: np.any(b, axis=1),
        booleans(1000, 100, share=0.005), booleans(1000, 100), EXACT),
    Row("`np.histogram(x, edges)`, 10 public bins", "|x| < 100", lambda x: np.histogram(x, BINS)[0],
        lambda x: np.histogram(x, BINS)[0], shuffled(50_000), shuffled(TIMED), EXACT),
    Row("`np.digitize(x, edges)`, 10 public bins", WHOLE, lambda x: np.digitize(x, BINS), lambda x: np.digitize(x, BINS),
        few(-INPUT_END, INPUT_END), shuffled(TIMED), EXACT),
    Row("`np.interp(x, xp, fp)`, 10 public points", WHOLE, interpolated, interpolated, few(-INPUT_END, INPUT_END),
        shuffled(TIMED), Allowed(ulps=2)),
    Row("`one_hot(i, 10)`", "0 <= i < 10", lambda i: function("one_hot")(i, size=10), lambda i: i[:, None] == np.arange(10),
        integers(10, 10_000, 0), integers(10, low=0), EXACT),
    Row("`np.ceil(x)`", WHOLE, np.ceil, np.ceil, few(-INPUT_END, INPUT_END), shuffled(TIMED), EXACT),
    Row("`i // 3`", "integers, |i| < 2^45", lambda i: i // 3, lambda i: i // 3, integers(2**45), integers(1000), EXACT),
    Row("`i % 10`", "integers, |i| < 2^45", lambda i: i % 10, lambda i: i % 10, integers(2**45), integers(1000), EXACT),
]  # fmt: skip


def powers(count: int = 10_000) -> list[Array]:
    """Bases, and exponents with which they stay below 2^14."""
    rng = np.random.default_rng(9)
    x = grid(np.exp2(rng.uniform(-16, 13.9, count)))
    most = np.minimum(4, 14 / np.maximum(np.abs(np.log2(x)), 1e-3))
    return [x, grid(rng.uniform(-1, 1, count) * most)]


def timed_powers() -> list[Array]:
    return powers(TIMED)


STATISTICS = [
    by_rows("std", "std(x, axis=1)", RELATIVE),
    by_rows("var", "var(x, axis=1)", RELATIVE),
    Row("`np.linalg.norm(x, axis=1)` of 100", "|x| < 100", lambda x: np.linalg.norm(x, axis=1),
        lambda x: np.linalg.norm(x, axis=1), ROWS, TIMED_ROWS, RELATIVE),
    by_rows("cumsum", "cumsum(x, axis=1)", EXACT),
    Row("`np.prod(x, axis=1)` of 8", "|x| < 1", lambda x: np.prod(x, axis=1), lambda x: np.prod(x, axis=1),
        shuffled(1000, 8, bound=1.0), shuffled(12_500, 8, bound=1.0), Allowed(ulps=8), nonzero=8),
    Row("`np.cov(x)`, 10 rows", "|x| < 100", np.cov, np.cov, shuffled(10, 1000), shuffled(10, 10_000), RELATIVE, nonzero=5),
    Row("`np.corrcoef(x)`, 10 rows", "|x| < 100", np.corrcoef, np.corrcoef, shuffled(10, 1000), shuffled(10, 10_000),
        Allowed(ulps=5), nonzero=5),
    Row("`np.linalg.solve(a, b)`, 8 x 8", "diagonally dominant", np.linalg.solve, np.linalg.solve, well_conditioned,
        well_conditioned, Allowed(ulps=32)),
    Row("`np.tan(x)`", "|x| <= 1.25", np.tan, np.tan, few(-1.25, 1.25), evenly(-1.25, 1.25), RELATIVE, nonzero=4),
    Row("`np.sinc(x)`", "|x| < 2^28", np.sinc, np.sinc, few(-(2**28) + 1, 2**28 - 1), evenly(-8, 8), ABSOLUTE, nonzero=3),
    Row("`np.cbrt(x)`", WHOLE, np.cbrt, np.cbrt, few(-INPUT_END, INPUT_END), evenly(-100, 100), RELATIVE, nonzero=2),
    Row("`x ** y` of secrets", "2^-16 <= x, x ** y <= 2^14, |y| <= 4", np.power, np.power, powers, timed_powers, RELATIVE),
    Row("`np.copysign(x, y)`", "|x| < 100", np.copysign, np.copysign, shuffled(10_000, count=2), shuffled(TIMED, count=2), EXACT),
    Row("`np.hypot(x, y)`", "|x| < 100", np.hypot, np.hypot, shuffled(10_000, count=2), shuffled(TIMED, count=2), RELATIVE),
    Row("`np.log10(x)`", "2^-16 <= x <= 2^29", np.log10, np.log10, few(2.0**-16, 2.0**29), evenly(0.01, 100), ABSOLUTE),
    Row("`np.logaddexp(x, y)`", "|x| < 100", np.logaddexp, np.logaddexp, shuffled(10_000, count=2), shuffled(TIMED, count=2),
        ABSOLUTE),
]  # fmt: skip

SECTIONS = {"Choices, places and whole numbers": CHOICES, "Of rows and pairs": STATISTICS}
