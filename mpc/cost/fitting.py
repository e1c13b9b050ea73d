"""What a run does beyond what is recorded of it, fitted to a small program that is both recorded and run.

Recorded, an endpoint runs through, alone. In a run each wait gives the core to somebody else: its caches have to be filled again,
and it comes back when the system lets it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from mpc.cost.figures import Figures
from mpc.cost.pace import own_seconds
from mpc.cost.predicting import predict
from mpc.cost.recorded import Recorded, record
from mpc.cost.timeline import Step, Timeline
from mpc.cost.watching import Watch, Watched, online, slowed
from mpc.launch.job import Job
from mpc.launch.run import execute

_FIRST, _PRODUCTS = 50, 400  # products that load what is needed, and those after them
_TIMES = 5  # a core has its moods, while it is recorded on or run: the median counts
_HALVINGS = 16
_LONGEST = 1e-3  # seconds that either may come to


class Ran(NamedTuple):
    """Seconds of this thread, once everything was loaded, and how much slower than alone this machine was then."""

    seconds: float
    slowed: float


def products(party: Any) -> Ran:
    """The program: products one after another."""
    x, y = (party.input(np.ones(4) if party.index == owner else None, owner, shape=(4,)) for owner in (0, 1))
    for _ in range(_FIRST):
        x = x * y
    x.reveal()
    begin = time.thread_time()
    for _ in range(_PRODUCTS):
        x = x * y
    x.reveal()
    seconds = time.thread_time() - begin
    return Ran(seconds, slowed())


def measured(timeline: Timeline) -> list[Step]:
    """The steps after the program's first reveal."""
    reveals = [place for place, step in enumerate(timeline.steps) if step.label == "reveal" and not step.sends]
    return timeline.steps[reveals[0] + 1 :]


def fitted(figures: Figures, cores: float) -> tuple[Figures, float]:
    """With `cold`, and then `beside`, such that the program takes as long as it does, by the processor and by the clock; and how
    much slower than alone this machine was meanwhile. Cost: some four seconds each time."""
    job = Job(products)
    trials = [(record(job), execute(replace(job, program=Watched(products))).results) for _ in range(_TIMES)]
    figures = replace(figures, cold=median(_cold(figures, job, *trial) for trial in trials))
    figures = replace(figures, beside=median(_beside(figures, job, cores, *trial) for trial in trials))
    return figures, median(party.result.slowed for _, ran in trials for party in ran)


def _cold(figures: Figures, job: Job, recorded: Recorded, ran: Sequence[Watch]) -> float:
    steps = [step for timeline in recorded.timelines[: job.parties] for step in measured(timeline)]
    seconds = sum(party.result.seconds for party in ran)
    return solved(lambda cold: own_seconds(steps, replace(figures, cold=cold)), seconds, 0.0, _LONGEST)


def _beside(figures: Figures, job: Job, cores: float, recorded: Recorded, ran: Sequence[Watch]) -> float:
    def predicted(beside: float) -> float:
        return predict(job, recorded, replace(figures, beside=beside), cores).online

    return solved(predicted, online(ran), figures.waking, figures.waking + _LONGEST)


def solved(rising: Callable[[float], float], wanted: float, low: float, high: float) -> float:
    """Where a function that rises comes to what is wanted; the end that is nearest, if nowhere."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < wanted else (low, middle)
    return low
