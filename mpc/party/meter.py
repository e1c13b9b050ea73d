"""What a computation costs: rounds, bytes and seconds, over all and per operation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace


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

    def add(self, other: Cost) -> None:
        self.rounds += other.rounds
        self.bytes_sent += other.bytes_sent
        self.bytes_received += other.bytes_received
        self.header_bytes += other.header_bytes
        self.offline_bytes += other.offline_bytes
        self.seconds += other.seconds

    def __sub__(self, other: Cost) -> Cost:
        return Cost(
            self.rounds - other.rounds,
            self.bytes_sent - other.bytes_sent,
            self.bytes_received - other.bytes_received,
            self.header_bytes - other.header_bytes,
            self.offline_bytes - other.offline_bytes,
            self.seconds - other.seconds,
        )


@dataclass
class Stats:
    """The costs of a run so far: `total`, and by operation. An operation's seconds are those spent waiting for peers."""

    total: Cost = field(default_factory=Cost)
    operations: dict[str, Cost] = field(default_factory=dict)


class Meter:
    """Counts every message of one endpoint."""

    def __init__(self) -> None:
        self.operations: dict[str, Cost] = {}
        self._total = Cost()
        self._start = time.perf_counter()

    def count(self, operation: str, cost: Cost) -> None:
        self.operations.setdefault(operation, Cost()).add(cost)
        self._total.add(cost)

    def total(self) -> Cost:
        """Costs since the start; `seconds` is the wall-clock time."""
        return replace(self._total, seconds=time.perf_counter() - self._start)

    def snapshot(self) -> Stats:
        return Stats(self.total(), {name: replace(cost) for name, cost in self.operations.items()})

    @contextmanager
    def measure(self) -> Iterator[Cost]:
        """Yield a Cost that holds what the block cost, once the block has ended."""
        before, cost = self.total(), Cost()
        try:
            yield cost
        finally:
            cost.add(self.total() - before)
