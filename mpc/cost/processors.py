"""Virtual time, and threads on hosts whose cores they share."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from itertools import count

Then = Callable[[], object]
Work = Iterator[float | None]


class Host:
    """Cores that all threads of one machine share evenly (processor sharing), beside `others`, so many threads of others."""

    def __init__(self, cores: float = math.inf, others: float = 0.0):
        self._cores, self._others = cores, others
        self._served = 0.0  # seconds that a thread which was always there would have had
        self._jobs: list[tuple[float, int, Then]] = []  # by what `_served` is when they end
        self._order = count()

    def start(self, work: float, then: Then) -> None:
        """Compute for so many seconds of a core, and then do that."""
        heapq.heappush(self._jobs, (self._served + work, next(self._order), then))

    def _rate(self) -> float:
        return min(1.0, self._cores / (len(self._jobs) + self._others))

    def until_next(self) -> float:
        """Seconds until the next job ends, if none comes before."""
        return max(0.0, self._jobs[0][0] - self._served) / self._rate() if self._jobs else math.inf

    def advance(self, seconds: float) -> None:
        if self._jobs:
            self._served += seconds * self._rate()

    def end_next(self) -> Then:
        self._served, _, then = heapq.heappop(self._jobs)
        return then


class Clock:
    """Seconds since the start; what happens next is what time goes on to."""

    def __init__(self, hosts: list[Host]):
        self.now = 0.0
        self._hosts = list(dict.fromkeys(hosts))
        self._timers: list[tuple[float, int, Then]] = []
        self._order = count()

    def at(self, moment: float, then: Then) -> None:
        heapq.heappush(self._timers, (moment, next(self._order), then))

    def run(self) -> None:
        """Until nothing happens any more."""
        while True:
            host = min(self._hosts, key=Host.until_next)
            computing = host.until_next()
            timer = self._timers[0][0] - self.now if self._timers else math.inf
            step = min(computing, timer)
            if step == math.inf:
                return
            for each in self._hosts:
                each.advance(step)
            self.now += step
            then = host.end_next() if computing <= timer else heapq.heappop(self._timers)[2]
            then()


class Thread:
    """Does `work`: an iterator of seconds to compute, or None to sleep until woken. Spurious wake-ups happen."""

    def __init__(self, host: Host, work: Work):
        self._host, self._work = host, work
        self._sleeps = True

    def wake(self) -> None:
        if self._sleeps:
            self._sleeps = False
            self._go_on()

    def _go_on(self) -> None:
        for seconds in self._work:
            if seconds is None:
                self._sleeps = True
                return
            if seconds > 0:
                self._host.start(seconds, self._go_on)
                return
