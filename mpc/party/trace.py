"""When each message and each scope of one endpoint was. It holds names, sizes and times: nothing of any value."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import NamedTuple

_MOST_MESSAGES = 250_000  # about 60 MB of memory, and as much of file


class Event(NamedTuple):
    """A message, a dealer's answer or a scope. Times are those of `time.perf_counter`, sizes bytes of payload."""

    name: str
    kind: str
    begin: float
    end: float
    rounds: int
    sent: int
    received: int
    from_dealer: int


@dataclass
class Trace:
    """Events in the order in which they ended. After very many messages only scopes, and `dropped` counts the others."""

    events: list[Event] = field(default_factory=list)
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
