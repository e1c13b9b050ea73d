"""A run, watched without slowing it down: when its messages were, and how much of the processor this machine had for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

_LOOK = 0.05  # seconds


class Watch(NamedTuple):
    """A program's result, and when its first message began and its last one had come."""

    result: Any
    begin: float
    end: float


@dataclass(frozen=True)
class Watched:
    """A program, watched: less than a profile would tell, as that takes time of its own."""

    func: Callable[..., Any]

    def __call__(self, party: Any, *args: Any) -> Watch:
        meter, seen = party._endpoint.meter, [0.0, 0.0]
        count = meter.count

        def noting(operation: str, cost: Any) -> None:
            count(operation, cost)
            if cost.rounds or cost.check_rounds or cost.dealer_seconds:
                end = time.perf_counter()
                seen[:] = seen[0] or end - cost.seconds, end

        meter.count = noting
        return Watch(self.func(party, *args), *seen)


def online(watched: Sequence[Watch]) -> float:
    """Seconds from when all parties are at their first message until the last one has come."""
    return max(each.end for each in watched) - max(each.begin for each in watched)


def slowed() -> float:
    """How often the clock's seconds those of the processor are, for a moment: more than once where others are served too."""
    clock, processor = time.perf_counter(), time.process_time()
    while time.process_time() - processor < _LOOK:
        pass
    return (time.perf_counter() - clock) / (time.process_time() - processor)
