"""How much longer a protocol's code takes in a run than alone: a small program, recorded and run, tells.

Recorded, it runs through. In a run each wait gives the core to somebody else, and its caches have to be filled again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mpc.cost.figures import Figures
from mpc.cost.pace import own_seconds
from mpc.cost.recorded import record
from mpc.cost.timeline import Step, Timeline
from mpc.launch.job import Job
from mpc.launch.run import execute

_FIRST, _PRODUCTS = 50, 400  # products that load what is needed, and those that are measured
_TIMES = 3  # a core has its moods: now it is recorded on, and now run
_HALVINGS = 40


def products(party: Any) -> float:
    """The program: products one after another. Seconds of this thread, once everything is loaded."""
    x, y = (party.input(np.ones(4) if party.index == owner else None, owner, shape=(4,)) for owner in (0, 1))
    for _ in range(_FIRST):
        x = x * y
    x.reveal()
    begin = time.thread_time()
    for _ in range(_PRODUCTS):
        x = x * y
    x.reveal()
    return time.thread_time() - begin


def measured(timeline: Timeline) -> list[Step]:
    """The steps after the program's first reveal."""
    reveals = [place for place, step in enumerate(timeline.steps) if step.label == "reveal" and not step.sends]
    return timeline.steps[reveals[0] + 1 :]


def coldness(figures: Figures) -> float:
    """The figure `cold`, given all the others. Cost: some four seconds each time."""
    job, steps, seconds = Job(products), [], 0.0
    for _ in range(_TIMES):
        for timeline in record(job).timelines[: job.parties]:
            steps += measured(timeline)
        seconds += sum(execute(job).results)
    return solved(steps, figures, seconds)


def solved(steps: Sequence[Step], figures: Figures, seconds: float) -> float:
    """How cold it must have been for these steps to take so many seconds of their thread: 0 if they should take more anyhow."""
    low, high = 0.0, max(step.work for step in steps)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if own_seconds([*steps], replace(figures, cold=middle)) < seconds:
            low = middle
        else:
            high = middle
    return low
