"""One workload, run by local processes: how long its repetitions took, and what they sent.

Seconds are those from a common start to shares of the result, truncation and waiting for the dealer included.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc.bench.catalogue import ALL
from mpc.bench.workloads import Arrays, Workload
from mpc.errors import Error, RunFailed
from mpc.launch.job import Job
from mpc.launch.run import Outcome, execute
from mpc.party import Cost, Stats

Execute = Callable[[Job], Outcome]


@dataclass(frozen=True)
class Configuration:
    """What is measured: a workload, in its own size (None) or another, and how it is run. `network`: as mpc.network has it."""

    workload: str
    protocol: str = "additive"
    parties: int = 2
    network: str = "none"
    size: int | None = None
    fraction_bits: int = 16

    def job(self, repeats: int, trace: bool = False) -> Job:
        """mpc.Error where protocol, parties, network or fraction bits cannot be."""
        args = (self.workload, self.size, repeats)
        return Job(program, args, self.parties, self.protocol, self.fraction_bits, self.network, trace=trace)


@dataclass(frozen=True)
class Repetition:
    """What one repetition took. Of the slowest party: `seconds`, and of them those exchanging and those waiting for the dealer.

    `rounds` and `bytes_sent` are the largest of any party's, `bytes_dealt` what the dealer sent to all.
    """

    seconds: float
    peer_seconds: float
    dealer_seconds: float
    rounds: int
    bytes_sent: int
    bytes_dealt: int

    @classmethod
    def of(cls, costs: tuple[Cost, ...]) -> Repetition:
        slowest = max(costs, key=lambda cost: cost.seconds)
        return cls(
            slowest.seconds,
            slowest.peer_seconds,
            slowest.dealer_seconds,
            max(cost.rounds for cost in costs),
            max(cost.bytes_sent for cost in costs),
            sum(cost.offline_bytes for cost in costs),
        )


@dataclass(frozen=True)
class Turn:
    """One run of a workload: its repetitions, and seconds of the same in the clear, by NumPy in float64 on one thread.

    `startup`: seconds of the run that were not the program's. `peak`: bytes of memory of the largest party, its interpreter
    and inputs included; 0 where the system does not tell. `dealing`: seconds that the dealer worked for each repetition, if the
    run was traced. `error`: the largest, against float64.
    """

    repetitions: list[Repetition]
    plain: list[float]
    dealing: list[float]
    startup: float
    peak: int
    error: float


@dataclass(frozen=True)
class Played:
    """What one party tells. `spans`: when each repetition began and ended, in nanoseconds since 1970."""

    costs: list[Cost]
    spans: list[tuple[int, int]]
    plain: list[float]
    error: float
    seconds: float
    peak: int


def take_turn(configuration: Configuration, repeats: int | None = None, trace: bool = False, execute: Execute = execute) -> Turn:
    """Run a workload once, with so many repetitions (by default, as many as fit it) after one that warms up."""
    repeats = repeats or ALL[configuration.workload].repeats_of(configuration.size)
    try:
        outcome = execute(configuration.job(repeats, trace))
    except Error:
        raise
    except Exception as error:  # at a party, of a size that it has no memory for
        title = ALL[configuration.workload].title_of(configuration.size)
        raise RunFailed(f"{title}: {type(error).__name__}: {error}; try a smaller --size") from error
    played: list[Played] = outcome.results
    return Turn(
        [Repetition.of(costs) for costs in zip(*(each.costs for each in played), strict=True)],
        played[0].plain,
        _dealing(outcome.stats[len(played) :], played),
        max(0.0, outcome.seconds - max(each.seconds for each in played)),
        max(each.peak for each in played),
        played[0].error,
    )


def program(party: Any, name: str, size: int | None, repeats: int, ours: Callable[..., Any] | None = None) -> Played:
    """Each repetition has fresh inputs; party 0 computes in the clear once all are over. `ours`: in place of the workload's."""
    began = time.perf_counter()
    workload, costs, spans = ALL[name], [], []
    call, arrays = ours or workload.ours, workload.arrays(size)
    for _ in range(repeats + 1):  # the first one warms up
        begin, cost, result = play_once(party, call, arrays)
        spans.append((begin, time.time_ns()))
        costs.append(cost)
    revealed = result.reveal(to=0)
    plain, error = _in_the_clear(workload, arrays, revealed, repeats) if party.index == 0 else ([], 0.0)
    return Played(costs[1:], spans[1:], plain, error, time.perf_counter() - began, _peak())


def play_once(party: Any, call: Callable[..., Any], arrays: Arrays) -> tuple[int, Cost, Any]:
    """One repetition: when it began, what it cost, and its result, which is secret."""
    inputs = [_input(party, array, i % party.size) for i, array in enumerate(arrays)]
    _input(party, np.zeros(1), 0).reveal()  # all are here
    begin = time.time_ns()
    with party.measure() as cost:
        result = call(*inputs)
        if result.dtype == float:
            result = result.truncate()
    return begin, cost, result


def _input(party: Any, array: np.ndarray[Any, Any], owner: int) -> Any:
    return party.input(array if party.index == owner else None, owner, shape=array.shape)


def _in_the_clear(workload: Workload, arrays: Arrays, revealed: Any, repeats: int) -> tuple[list[float], float]:
    """Seconds of the same by NumPy, and the largest error of ours."""
    seconds = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        expected = workload.reference(*arrays)
        seconds.append(time.perf_counter() - begin)
    return seconds[1:], float(np.abs(np.subtract(revealed, expected, dtype=float)).max())


def _dealing(dealer: list[Stats], played: list[Played]) -> list[float]:
    """Seconds of the dealer's answers that began within each repetition; nothing where there is no dealer, or no trace."""
    if not dealer or dealer[0].trace is None:
        return []
    trace, seconds = dealer[0].trace, []
    for spans in zip(*(each.spans for each in played), strict=True):
        begin, end = min(begin for begin, _ in spans), max(end for _, end in spans)
        answers = [event for event in trace.events if begin <= trace.epoch + event.begin * 1e9 <= end]
        seconds.append(sum(event.end - event.begin for event in answers if event.kind == "dealing"))
    return seconds


def _peak() -> int:
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:  # Windows
        return 0
    return getrusage(RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
