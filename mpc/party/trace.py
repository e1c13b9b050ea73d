"""When each message, scope and line of one endpoint was. It holds names, sizes and times: nothing of any value."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import NamedTuple

from mpc.party.lines import Line

_MOST_MESSAGES = 250_000  # about 60 MB of memory, and as much of file


class Event(NamedTuple):
    """A message, a dealer's answer or a scope. Times are those of `time.perf_counter`, sizes bytes of payload.

    `line` is that of the program; None at the dealer, for scopes, and before and after the program.
    """

    name: str
    kind: str
    begin: float
    end: float
    rounds: int
    sent: int
    received: int
    from_dealer: int
    line: Line | None = None


class Span(NamedTuple):
    """The program was at this line for so long, as far as samples tell."""

    line: Line
    begin: float
    end: float


@dataclass
class Trace:
    """Events in the order in which they ended, and lines as they were run. After very many messages only scopes, and
    `dropped` counts the others; after as many changes of line no more of these."""

    events: list[Event] = field(default_factory=list)
    lines: list[Span] = field(default_factory=list)
    dropped: int = 0
    messages: int = 0
    # `time.perf_counter_ns` plus this is nanoseconds since 1970: the clock that all processes of a machine have in common.
    epoch: int = field(default_factory=lambda: time.time_ns() - time.perf_counter_ns())

    def message(self, event: Event) -> None:
        if self.messages < _MOST_MESSAGES:
            self.messages += 1
            self.events.append(event)
        else:
            self.dropped += 1

    def scope(self, event: Event) -> None:
        self.events.append(event)

    def sample(self, line: Line, begin: float, end: float) -> None:
        """The program was at this line; one span for several samples that follow each other."""
        if self.lines and self.lines[-1].line == line and self.lines[-1].end == begin:
            self.lines[-1] = self.lines[-1]._replace(end=end)
        elif len(self.lines) < _MOST_MESSAGES:
            self.lines.append(Span(line, begin, end))
