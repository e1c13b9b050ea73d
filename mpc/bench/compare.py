"""Two files of results: how much slower or faster each workload has become, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc.bench.measure import Turn
from mpc.bench.results import Measured, Results

RESAMPLES = 4000
_AT_ONCE = 1 << 16  # numbers that are drawn
_TAILS = (2.5, 97.5)  # percent: 95 lie between
_FEW = 3  # turns: of fewer, two runs of the same would often seem to differ

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Change:
    """`ratio` of the median seconds, new to old, and its interval; `costs`: rounds and bytes that differ, as texts."""

    new: Measured
    old: Measured
    ratio: float
    low: float
    high: float
    costs: list[str]

    @property
    def verdict(self) -> str:
        """Whether the interval excludes 1, if there are enough turns to say so."""
        if min(len(self.old.turns), len(self.new.turns)) < _FEW:
            return "few turns"
        return "faster" if self.high < 1 else "slower" if self.low > 1 else ""


@dataclass(frozen=True)
class Comparison:
    """`machines`: what differs between the machines, as texts."""

    changes: list[Change]
    only_old: list[Measured]
    only_new: list[Measured]
    machines: list[str]


def compare(old: Results, new: Results) -> Comparison:
    """What was measured in both, by workload, protocol, parties, network, size and fraction bits; and what only in one."""
    before = {measured.configuration: measured for measured in old.measured}
    after = {measured.configuration: measured for measured in new.measured}
    return Comparison(
        [_change(before[key], after[key]) for key in before if key in after],
        [measured for key, measured in before.items() if key not in after],
        [measured for key, measured in after.items() if key not in before],
        [
            f"{name}: {old.machine.get(name, 'unknown')} | {new.machine.get(name, 'unknown')}"
            for name in {**old.machine, **new.machine}
            if old.machine.get(name) != new.machine.get(name)
        ],
    )


def _change(old: Measured, new: Measured) -> Change:
    low, high = interval(old.turns, new.turns)
    a, b = old.repetitions[-1], new.repetitions[-1]
    pairs = (
        ("rounds", a.rounds, b.rounds), ("bytes sent", a.bytes_sent, b.bytes_sent), ("bytes dealt", a.bytes_dealt, b.bytes_dealt),
    )  # fmt: skip
    costs = [f"{name} {was:,} to {now:,}" for name, was, now in pairs if was != now]
    return Change(new, old, new.median / old.median, low, high, costs)


def interval(old: Sequence[Turn], new: Sequence[Turn]) -> tuple[float, float]:
    """Where 95 % of the ratios of medians are, if turns, and repetitions within these, are drawn anew with replacement.

    Turns first: repetitions of one run have the same processes, and tell little of how runs differ. The same files give the
    same interval.
    """
    rng = np.random.default_rng(0)
    ratios = _medians(new, rng) / _medians(old, rng)
    low, high = np.percentile(ratios, _TAILS)
    return float(low), float(high)


def _medians(turns: Sequence[Turn], rng: np.random.Generator) -> Array:
    """Medians of RESAMPLES draws. Where turns have unlike numbers of repetitions, each gives as many as the shortest."""
    count = min(len(turn.repetitions) for turn in turns)
    seconds = np.array([[repetition.seconds for repetition in turn.repetitions[:count]] for turn in turns])
    medians = [np.median(_drawn(seconds, draws, rng), axis=1) for draws in _portions(seconds.size)]
    return np.concatenate(medians)


def _drawn(seconds: Array, draws: int, rng: np.random.Generator) -> Array:
    turns, count = seconds.shape
    which, within = rng.integers(turns, size=(draws, turns, 1)), rng.integers(count, size=(draws, turns, count))
    drawn: Array = seconds[which, within].reshape(draws, -1)
    return drawn


def _portions(size: int) -> list[int]:
    """RESAMPLES in portions that take little memory."""
    portion = min(RESAMPLES, max(1, _AT_ONCE // size))
    return [min(portion, RESAMPLES - done) for done in range(0, RESAMPLES, portion)]
