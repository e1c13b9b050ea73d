"""What a computation costs: rounds, bytes and seconds, over all and per operation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace


@dataclass
class Cost:
    """Costs at one party. A round is one exchange: every party sends, then waits for what the others sent.

    Bytes are payload; frame headers are in `header_bytes`, sent ones. `offline_bytes` came from the dealer.
    """

    rounds: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    header_bytes: int = 0
    offline_bytes: int = 0
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __sub__(self, other: Cost) -> Cost:
        return Cost(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))

    def add(self, other: Cost) -> None:
        for f in fields(self):
            setattr(self, f.name, getattr(self, f.name) + getattr(other, f.name))


@dataclass
class Stats:
    """The costs of a run so far: `total`, and by operation. An operation's seconds are those spent waiting for peers."""

    total: Cost = field(default_factory=Cost)
    operations: dict[str, Cost] = field(default_factory=dict)


class Meter:
    """Counts every message of one endpoint."""

    def __init__(self) -> None:
        self.stats = Stats()
        self._start = time.perf_counter()

    def count(self, operation: str, cost: Cost) -> None:
        self.stats.operations.setdefault(operation, Cost()).add(cost)
        self.stats.total.add(replace(cost, seconds=0.0))

    def total(self) -> Cost:
        """Costs since the start; `seconds` is the wall-clock time."""
        return replace(self.stats.total, seconds=time.perf_counter() - self._start)

    def snapshot(self) -> Stats:
        return Stats(self.total(), {name: replace(cost) for name, cost in self.stats.operations.items()})

    @contextmanager
    def measure(self) -> Iterator[Cost]:
        """Yield a Cost that holds what the block cost, once the block has ended."""
        before, cost = self.total(), Cost()
        try:
            yield cost
        finally:
            cost.add(self.total() - before)
