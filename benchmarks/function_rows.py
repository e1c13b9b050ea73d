"""The functions of docs/functions.md: how each is called, the answer in float64, where it is scanned, and what it is to reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from benchmarks.scan import INPUT_END, ULP, Allowed, Array, Points, grid, line, over
from mpc.bench.workloads import function, softmax

TIMED = 10**5  # elements of the inputs that are timed
EXACT = Allowed()
ABSOLUTE = Allowed(absolute=2**-11)
RELATIVE = Allowed(relative=2**-11, ulps=4)
EXP_END = float(np.log(2.0**14))
LOWEST, HIGHEST = 2.0**-16, 2.0**29


@dataclass(frozen=True)
class Row:
    """`sample` gives the 10^5 elements that are timed and counted; `rounds` and `bytes_sent`, an element, are limits."""

    name: str
    domain: str
    call: Callable[..., Any]
    reference: Callable[..., Array]
    points: Points
    sample: Points
    allowed: Allowed
    rounds: int | None = None
    bytes_sent: float | None = None
    nonzero: float = 0.501  # units in the last place from which a result must not be 0
    before: Callable[..., Any] = lambda *inputs: inputs  # what `call` gets; not timed


def evenly(low: float, high: float, shape: tuple[int, ...] = (TIMED,)) -> Points:
    return lambda: [grid(np.linspace(low, high, int(np.prod(shape)))).reshape(shape)]


def shuffled(*shape: int, bound: float = 100.0, count: int = 1) -> Points:
    return lambda: [grid(np.random.default_rng(i).uniform(-bound, bound, shape)) for i in range(count)]


def wide_pairs() -> list[Array]:
    """Raw words x and y with |x - y| < 2^62: equal, one apart, of any distance up to the end; as integers."""
    rng = np.random.default_rng(1)
    x = np.rint(line(-INPUT_END, INPUT_END)[::4] * 2.0**31).astype(np.int64)
    far = rng.integers(-(2**61), 2**61, len(x))
    near = x + rng.integers(-3, 4, len(x))
    scaled = x + np.rint(rng.choice([-1, 1], len(x)) * np.exp2(rng.uniform(0, 59, len(x)))).astype(np.int64)
    inside = [np.clip(y, -(2**61) + 1, 2**61 - 1) for y in (near, scaled, far, -x, x)]
    return [np.tile(np.clip(x, -(2**61) + 1, 2**61 - 1), len(inside)), np.concatenate(inside)]


def float_pairs() -> list[Array]:
    """Floats over the whole range, and others: equal, next to them, and anywhere."""
    rng = np.random.default_rng(2)
    x = line(-INPUT_END / 2, INPUT_END / 2)[::4]
    y = [x, x + ULP, x - ULP, grid(x + rng.normal(0, 1, len(x))), rng.permutation(x)]
    return [np.tile(x, len(y)), np.concatenate(y)]


def factors() -> list[Array]:
    """Factors whose products cover the range below 2^30."""
    rng = np.random.default_rng(3)
    y = grid(np.exp2(rng.uniform(-12, 14, 400_000)) * rng.choice([-1, 1], 400_000))
    x = grid(np.exp2(rng.uniform(-16, 29.9 - np.log2(np.abs(y)).clip(0))))
    ones = line(-INPUT_END, INPUT_END)
    return [np.concatenate([x, ones]), np.concatenate([y, np.ones(len(ones))])]


def quotients() -> list[Array]:
    rng = np.random.default_rng(4)
    y = grid(np.exp2(rng.uniform(-9, 14, 400_000)) * rng.choice([-1, 1], 400_000))
    return [grid(rng.uniform(-1, 1, len(y)) * 2.0 ** rng.uniform(-10, 10, len(y))), y]


def indices() -> list[Array]:
    return [np.random.default_rng(6).integers(0, 100, TIMED)]


def rows_of_ten() -> list[Array]:
    """Logits: random ones up to 4 and 100, ties, far ahead, all but one masked with -2^20, and near each other."""
    rng = np.random.default_rng(5)
    count = 8000
    ahead = rng.uniform(-5, 5, (count, 10))
    ahead[:, 3] += rng.uniform(0, 90, count)
    masked = np.where(rng.random((count, 10)) < rng.random((count, 1)), -(2.0**20), rng.uniform(-100, 100, (count, 10)))
    masked[np.arange(count), rng.integers(0, 10, count)] = rng.uniform(-100, 100, count)
    parts = [rng.uniform(-4, 4, (count, 10)), rng.uniform(-100, 100, (count, 10)), ahead, masked]
    parts += [
        rng.normal(0, 1e-3, (count, 10)) + rng.uniform(-100, 100, (count, 1)),
        np.repeat(rng.uniform(-100, 100, (500, 1)), 10, 1),
    ]
    parts += [np.full((1, 10), edge) for edge in (-(2.0**20), -100, 0, 100)]
    return [grid(np.concatenate(parts))]


def relu(x: Any) -> Any:
    return np.maximum(x, 0)


def take(i: Any) -> Any:
    return np.take_along_axis(TABLE, i, 0)


def search(x: Any) -> Any:
    return np.searchsorted(EDGES, x)


def gelu(x: Array) -> Array:
    return x * special.ndtr(x)


def rows_sum(x: Any) -> Any:
    return function("softmax")(x, axis=1).sum(axis=1)


SMALL, WHOLE = over(-INPUT_END, INPUT_END, (-32, 32)), f"|x| < 2^{30}"
EDGES, TABLE = grid(np.linspace(-8, 8, 16)), grid(np.linspace(-100, 100, 100))
POSITIVE = over(LOWEST, HIGHEST, (0, 16), (0, 1000))
LOGITS, TEN = evenly(-8, 8), shuffled(10_000, 10, bound=4.0)
HEAPS = shuffled(10_000, 10)

ORDER = [
    Row("`x < 0`", "|x| < 2^30", lambda x: x < 0, lambda x: x < 0, SMALL, shuffled(TIMED), EXACT, 3, 12.25),
    Row("`x < y`", "words, |x - y| < 2^62", np.less, np.less, wide_pairs, shuffled(TIMED, count=2), EXACT, 3, 12.25),
    Row("`x == y`", "words, |x - y| < 2^62", np.equal, np.equal, wide_pairs, shuffled(TIMED, count=2), EXACT),
    Row("`np.maximum(x, y)`", "|x - y| < 2^30", np.maximum, np.maximum, float_pairs, shuffled(TIMED, count=2), EXACT),
    Row("`np.maximum(x * y, 0)` of a product", "|x y| < 2^30", relu, lambda x, y: relu(x * y), factors, shuffled(TIMED, count=2),
        Allowed(ulps=1), 4, 12.5, nonzero=1, before=lambda x, y: (x * y,)),
    Row("`abs(x)`", WHOLE, abs, np.abs, SMALL, shuffled(TIMED), EXACT),
    Row("`np.sign(x)`", WHOLE, np.sign, np.sign, SMALL, shuffled(TIMED), EXACT),
    Row("`np.clip(x, -1, 1)`", WHOLE, lambda x: np.clip(x, -1, 1), lambda x: np.clip(x, -1, 1), SMALL, shuffled(TIMED), EXACT),
    Row("`np.floor(x)`", WHOLE, np.floor, np.floor, SMALL, shuffled(TIMED), EXACT),
    Row("`np.rint(x)`", "the same; halves go up", np.rint, lambda x: np.floor(x + 0.5), SMALL, shuffled(TIMED), EXACT),
    Row("`x.max(axis=1)` of 10", "|x| < 2^20", lambda x: x.max(axis=1), lambda x: x.max(axis=1), rows_of_ten, HEAPS, EXACT, 16),
    Row("`x.argmax(axis=1)` of 10", "|x| < 2^20", lambda x: x.argmax(axis=1), lambda x: x.argmax(axis=1), rows_of_ten, HEAPS,
        EXACT),
    Row("`np.searchsorted(t, x)`, 16 public", WHOLE, search, search, SMALL, shuffled(TIMED), EXACT),
    Row("`np.take_along_axis(t, i, 0)`, 100 public", "0 <= i < 100", take, lambda i: TABLE[i], indices, indices, EXACT),
    Row("`np.sort(x)` of 1000", "|x| < 2^20", np.sort, np.sort, shuffled(40, 1000), shuffled(100, 1000), EXACT),
    Row("`np.median(x, axis=1)` of 100", "|x| < 2^20", lambda x: np.median(x, axis=1), lambda x: np.median(x, axis=1),
        shuffled(400, 100), shuffled(1000, 100), Allowed(ulps=1)),
]  # fmt: skip

SIGMOIDAL = [
    Row("`expit(x)`", WHOLE, function("expit"), special.expit, SMALL, LOGITS, ABSOLUTE, 8, 250),
    Row("`np.tanh(x)`", WHOLE, np.tanh, np.tanh, SMALL, LOGITS, ABSOLUTE, 8, 250),
    Row("`erf(x)`", WHOLE, function("erf"), special.erf, SMALL, LOGITS, ABSOLUTE, 8, 250),
    Row("`gelu(x)`", WHOLE, function("gelu"), gelu, SMALL, LOGITS, ABSOLUTE, 8, 250),
    Row("`silu(x)`", WHOLE, function("silu"), lambda x: x * special.expit(x), SMALL, LOGITS, ABSOLUTE, 8, 250),
    Row("`softplus(x)`", WHOLE, function("softplus"), lambda x: np.logaddexp(0, x), SMALL, LOGITS, ABSOLUTE),
    Row("`np.sin(x)`", "|x| < 2^14", np.sin, np.sin, over(-(2**14), 2**14, (-32, 32)), LOGITS, ABSOLUTE),
    Row("`np.cos(x)`", "|x| < 2^14", np.cos, np.cos, over(-(2**14), 2**14, (-32, 32)), LOGITS, ABSOLUTE),
]

POWERS = over(-INPUT_END, EXP_END, (-16, EXP_END), edges=[EXP_END])
RELATIVE_FUNCTIONS = [
    Row("`np.exp(x)`", "x <= ln 2^14", np.exp, np.exp, POWERS, evenly(-8, 4), RELATIVE, 10, 250),
    Row("`np.exp2(x)`", "x <= 14", np.exp2, np.exp2, over(-INPUT_END, 14, (-20, 14)), evenly(-8, 4), RELATIVE, 10, 250),
    Row("`np.expm1(x)`", "x <= ln 2^14", np.expm1, np.expm1, POWERS, evenly(-8, 4), RELATIVE),
    Row("`1 / x`", "2^-9 <= |x| <= 2^14", lambda x: 1 / x, lambda x: 1 / x,
        over(-(2**14), 2**14, (-16, 16), (-1, 1), gap=2**-9), evenly(0.1, 50), RELATIVE, 16, 300),
    Row("`1 / x`, beyond", "2^-14 <= |x| < 2^30", lambda x: 1 / x, lambda x: 1 / x,
        over(-INPUT_END, INPUT_END, (-1, 1), gap=2**-14), evenly(0.1, 50), RELATIVE),
    Row("`x / y`", "2^-9 <= |y| <= 2^14", np.divide, np.divide, quotients,
        lambda: [*shuffled(TIMED)(), *evenly(0.1, 50)()], RELATIVE, nonzero=1),
    Row("`np.sqrt(x)`", "2^-16 <= x <= 2^29", np.sqrt, np.sqrt, POSITIVE, evenly(0.01, 100), RELATIVE, 18, 400),
    Row("`rsqrt(x)`", "2^-16 <= x <= 2^29", function("rsqrt"), lambda x: x**-0.5, POSITIVE, evenly(0.01, 100), RELATIVE, 18, 400),
    Row("`np.log(x)`", "2^-16 <= x <= 2^29", np.log, np.log, POSITIVE, evenly(0.01, 100), Allowed(absolute=2**-11), 18, 400),
    Row("`np.log2(x)`", "2^-16 <= x <= 2^29", np.log2, np.log2, POSITIVE, evenly(0.01, 100), Allowed(absolute=2**-11), 18, 400),
    Row("`np.log1p(x)`", "2^-16 - 1 <= x <= 2^29", np.log1p, np.log1p, over(LOWEST - 1, HIGHEST, (-1, 16)), evenly(0, 100),
        ABSOLUTE),
    Row("`x ** 1.5`", "x >= 2^-16, x ** 1.5 <= 2^14", lambda x: x**1.5, lambda x: x**1.5,
        over(LOWEST, 2.0 ** (28 / 3), (0, 16)), evenly(0.01, 100), RELATIVE),
]  # fmt: skip

ROWS_OF_TEN = [
    Row("`softmax(x, axis=1)` of 10", "|x| <= 100, or -2^20", lambda x: function("softmax")(x, axis=1), softmax, rows_of_ten, TEN,
        Allowed(absolute=2**-10), 44, nonzero=1),
    Row("sum of a row of softmax", "the same", rows_sum, lambda x: np.ones(len(x)), rows_of_ten, TEN, Allowed(absolute=2**-9)),
    Row("`log_softmax(x, axis=1)` of 10", "the same", lambda x: function("log_softmax")(x, axis=1),
        lambda x: special.log_softmax(x, axis=1), rows_of_ten, TEN, Allowed(absolute=2**-10), nonzero=1),
    Row("`logsumexp(x, axis=1)` of 10", "the same", lambda x: function("logsumexp")(x, axis=1),
        lambda x: special.logsumexp(x, axis=1), rows_of_ten, TEN, Allowed(absolute=2**-10)),
]  # fmt: skip

SECTIONS = {
    "Comparison and selection": ORDER,
    "Bounded functions and their relatives": SIGMOIDAL,
    "Exponentials, quotients, roots and logarithms": RELATIVE_FUNCTIONS,
    "Of rows": ROWS_OF_TEN,
}
