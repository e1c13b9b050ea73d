"""Are these words uniform, and independent of each other? Chi-square tests of their bytes (Pearson, 1900)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from scipy.special import chdtrc  # type: ignore[import-untyped]

Array = np.ndarray[Any, np.dtype[Any]]

MIN_SAMPLES = 5 * 256  # five expected in each cell, the usual condition of the chi-square test
FALSE_ALARM = 1e-6


def uniform_p_value(array: Array) -> float:
    """The probability that uniform words would look as uneven as these, or more so; 1 at most.

    Each byte of the words is tested by itself with 256 cells, and the smallest p-value is multiplied by their number
    (Bonferroni). `array` holds at least 1280 unsigned integers; ValueError for fewer.
    """
    if array.size < MIN_SAMPLES:
        raise ValueError(f"{array.size} words are too few to test: at least {MIN_SAMPLES} are needed")
    columns = np.ascontiguousarray(array).view(np.uint8).reshape(array.size, -1)
    expected = array.size / 256
    smallest = 1.0
    for column in columns.T:
        counts = np.bincount(column, minlength=256)
        statistic = float(((counts - expected) ** 2).sum() / expected)
        smallest = min(smallest, float(chdtrc(255, statistic)))
    return min(1.0, smallest * columns.shape[1])


def check_uniform(array: Array, what: str = "the words", false_alarm: float = FALSE_ALARM) -> None:
    """AssertionError, naming `what`, if the words are not uniform. Truly uniform ones fail with that probability."""
    p = uniform_p_value(array)
    assert p >= false_alarm, f"{what} are not uniform: truly uniform words look like this with probability {p:.3g} only"


def check_jointly_uniform(arrays: Sequence[tuple[str, Array]], false_alarm: float = FALSE_ALARM) -> None:
    """Check named arrays one by one, and the difference of every pair of one dtype and size (XOR for bytes).

    A mask that hides two values leaves each of them uniform, and their difference bare. What cannot be judged fails: arrays
    with fewer than 1280 words (pool them; empty ones are left out), and dtypes other than unsigned integers. `false_alarm`
    is for all tests together.
    """
    judged = [(name, array.ravel()) for name, array in arrays if _can_be_judged(array)]
    pairs = [
        (f"{a} minus {b}", np.bitwise_xor(x, y) if x.dtype == np.uint8 else np.subtract(x, y))
        for (a, x), (b, y) in combinations(judged, 2)
        if x.dtype == y.dtype and x.size == y.size
    ]
    tests = [*judged, *pairs]
    for name, array in tests:
        check_uniform(array, name, false_alarm / len(tests))
    left = [f"{name} ({a.dtype}, {a.size} elements)" for name, a in arrays if a.size and not _can_be_judged(a)]
    assert not left, f"cannot be judged, not being {MIN_SAMPLES} unsigned integers or more: {'; '.join(left)}"
    assert tests, "nothing to test: there is no array, or all are empty"


def _can_be_judged(array: Array) -> bool:
    return array.dtype.kind == "u" and array.size >= MIN_SAMPLES
