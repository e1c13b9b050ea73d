"""A run's costs by line of its program, and when they arose: counted by the party, and sampled by a thread beside it."""

from __future__ import annotations

import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from mpc.party.costs import Cost
from mpc.party.lines import Line, Place, place_of
from mpc.party.trace import Event, Trace

_INTERVAL = 0.002  # seconds between two looks at the program; one takes some 30 microseconds


class Profile:
    """What is known of one endpoint of a run that is profiled.

    Rounds, bytes and waits by line are exact. Of seconds there are samples: of each line, waits within; and of what ran in
    mpc from the end of one round to the end of the next, which counts as the former's operation. Less the waits, which are
    known, they are the seconds computed.
    """

    def __init__(self) -> None:
        self.trace = Trace()
        self._lines: dict[Line, Cost] = {}
        self._line_seconds: defaultdict[Line, float] = defaultdict(float)
        self._operation = ""  # that of the last round
        self._operation_seconds: defaultdict[str, float] = defaultdict(float)
        self._waits: defaultdict[str, float] = defaultdict(float)

    def count(self, operation: str, cost: Cost) -> None:
        """Add a message that has just been sent or received, or at the dealer an answer that has just been made."""
        place = place_of(sys._getframe(1))
        line = None if place is None else place.line
        if line is not None:
            self._lines.setdefault(line, Cost()).add(cost)
        self._waits[self._operation] += cost.peer_seconds + cost.dealer_seconds
        if cost.rounds or cost.check_rounds:
            self._operation = operation
        end = time.perf_counter()
        self.trace.message(_event(operation, _kind(cost), end - cost.seconds, end, cost, line))

    def scope(self, name: str, begin: float, end: float, cost: Cost) -> None:
        """Add a scope that has just ended."""
        self.trace.scope(_event(name, "scope", begin, end, cost))

    def sample(self, place: Place, begin: float, end: float) -> None:
        """Add a look at where the program is. To be called from one thread alone."""
        self._line_seconds[place.line] += end - begin
        if not place.itself:
            self._operation_seconds[self._operation] += end - begin
        self.trace.sample(place.line, begin, end)

    def lines(self) -> dict[Line, Cost]:
        """The costs of each line so far, with the seconds that it took."""
        costs = {line: replace(cost) for line, cost in self._lines.copy().items()}
        for line, seconds in self._line_seconds.copy().items():
            cost = costs.setdefault(line, Cost())
            cost.seconds = max(seconds, cost.seconds)  # that of waits, so far
        return costs

    def computing(self) -> dict[str, float]:
        """The seconds computed for each operation so far."""
        seconds = self._operation_seconds.copy()
        seconds.pop("", None)  # before the first round
        return {name: max(0.0, each - self._waits[name]) for name, each in seconds.items()}


@contextmanager
def sampled(profile: Profile | None) -> Iterator[None]:
    """Look every two milliseconds at what this thread runs, as long as the block runs."""
    if profile is None:
        yield
        return
    over: list[bool] = []  # an Event's wait would cost twice what a look does
    looking = threading.Thread(target=_look, args=(profile, threading.get_ident(), over), daemon=True, name="mpc-profile")
    looking.start()
    try:
        yield
    finally:
        over.append(True)
        looking.join()


def _look(profile: Profile, thread: int, over: list[bool]) -> None:
    """All the time since the last look counts as where the program is now: one that holds the interpreter's lock keeps others
    from looking for as long."""
    begin = time.perf_counter()
    while not over:
        time.sleep(_INTERVAL)
        place = place_of(sys._current_frames().get(thread))
        end = time.perf_counter()
        if place is not None:
            profile.sample(place, begin, end)
        begin = end


def _kind(cost: Cost) -> str:
    """What kind of message cost this: one that took no time was sent without waiting."""
    if cost.rounds or cost.check_rounds:
        return "exchange"
    if cost.dealer_seconds:
        return "from the dealer"
    return "dealing" if cost.seconds else "sent"


def _event(name: str, kind: str, begin: float, end: float, cost: Cost, line: Line | None = None) -> Event:
    return Event(name, kind, begin, end, cost.rounds, cost.bytes_sent, cost.bytes_received, cost.offline_bytes, line)
