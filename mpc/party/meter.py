"""What a computation costs: rounds, bytes and seconds, over all, per operation and per scope."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from mpc.errors import UsageError
from mpc.party.trace import Event, Trace


@dataclass
class Cost:
    """Costs at one party. A round is one exchange: every party sends, then waits for what the others sent.

    Bytes are payload; frame headers are in `header_bytes`, sent ones. `offline_bytes` were asked of the dealer. Of the seconds,
    `peer_seconds` were spent in exchanges with the other parties, and `dealer_seconds` waiting for the dealer.

    What the checks of `integrity` and `check_dealer` cost stands apart: their rounds, the bytes that they sent, and those
    dealt beyond what is used.
    """

    rounds: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    header_bytes: int = 0
    offline_bytes: int = 0
    seconds: float = 0.0
    peer_seconds: float = 0.0
    dealer_seconds: float = 0.0
    check_rounds: int = 0
    check_bytes: int = 0
    check_offline_bytes: int = 0

    @property
    def own_seconds(self) -> float:
        """Seconds that this party computed: neither exchanged nor waited."""
        return self.seconds - self.peer_seconds - self.dealer_seconds

    def add(self, other: Cost) -> None:
        self.rounds += other.rounds
        self.bytes_sent += other.bytes_sent
        self.bytes_received += other.bytes_received
        self.header_bytes += other.header_bytes
        self.offline_bytes += other.offline_bytes
        self.seconds += other.seconds
        self.peer_seconds += other.peer_seconds
        self.dealer_seconds += other.dealer_seconds
        self.check_rounds += other.check_rounds
        self.check_bytes += other.check_bytes
        self.check_offline_bytes += other.check_offline_bytes

    def __sub__(self, other: Cost) -> Cost:
        return Cost(
            self.rounds - other.rounds,
            self.bytes_sent - other.bytes_sent,
            self.bytes_received - other.bytes_received,
            self.header_bytes - other.header_bytes,
            self.offline_bytes - other.offline_bytes,
            self.seconds - other.seconds,
            self.peer_seconds - other.peer_seconds,
            self.dealer_seconds - other.dealer_seconds,
            self.check_rounds - other.check_rounds,
            self.check_bytes - other.check_bytes,
            self.check_offline_bytes - other.check_offline_bytes,
        )


@dataclass
class Scope:
    """What ran under one path of names: how often, what it cost in all, and what of that was in no inner scope."""

    calls: int = 0
    total: Cost = field(default_factory=Cost)
    own: Cost = field(default_factory=Cost)


@dataclass
class Stats:
    """The costs of a run so far: `total`, by operation, and by scope ("net/conv1").

    An operation's seconds are those spent waiting for the others, at the dealer those spent dealing. `trace` holds when
    each message and scope was, if the run is being traced.
    """

    total: Cost = field(default_factory=Cost)
    operations: dict[str, Cost] = field(default_factory=dict)
    scopes: dict[str, Scope] = field(default_factory=dict)
    trace: Trace | None = None


class Meter:
    """Counts every message of one endpoint."""

    def __init__(self) -> None:
        self.operations: defaultdict[str, Cost] = defaultdict(Cost)
        self.trace: Trace | None = None
        self._total = Cost()
        self._scopes: dict[str, Scope] = {}
        self._open: list[tuple[str, Cost]] = []  # the scopes that we are in: their paths, and the total when they began
        self._start = time.perf_counter()

    def count(self, operation: str, cost: Cost) -> None:
        """Add a message that has just been sent or received, or at the dealer an answer that has just been made."""
        if operation not in self.operations:
            self.operations[operation] = Cost()
        self.operations[operation].add(cost)
        self._total.add(cost)
        if self.trace is not None:
            end = time.perf_counter()
            self.trace.message(_event(operation, _kind(cost), end - cost.seconds, end, cost))

    def total(self) -> Cost:
        """Costs since the start; `seconds` is the wall-clock time."""
        return replace(self._total, seconds=time.perf_counter() - self._start)

    def snapshot(self) -> Stats:
        """The costs so far. Scopes that have not ended count up to now."""
        total = self.total()
        scopes = {path: Scope(scope.calls, replace(scope.total)) for path, scope in self._scopes.items()}
        for path, before in self._open:
            scopes[path].total.add(total - before)
        for path, scope in scopes.items():
            scope.own.add(scope.total)
            parent = scopes.get(path.rpartition("/")[0])
            if parent is not None:
                parent.own = parent.own - scope.total
        return Stats(total, {name: replace(cost) for name, cost in self.operations.items()}, scopes, self.trace)

    @contextmanager
    def measure(self) -> Iterator[Cost]:
        """Yield a Cost that holds what the block cost, once the block has ended."""
        before, cost = self.total(), Cost()
        try:
            yield cost
        finally:
            cost.add(self.total() - before)

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Count what the block costs under this name too; within other scopes, under the path of their names."""
        path = self._path(name)
        opened = (path, self.total())
        scope = self._scopes.setdefault(path, Scope())
        scope.calls += 1
        self._open.append(opened)
        try:
            yield
        finally:
            self._open.remove(opened)  # the last one, but for a generator that was left amid a scope
            before, now = opened[1], self.total()
            scope.total.add(now - before)
            if self.trace is not None:
                begin, end = self._start + before.seconds, self._start + now.seconds
                self.trace.scope(_event(path.rpartition("/")[2], "scope", begin, end, now - before))

    def _path(self, name: str) -> str:
        """Slashes separate names, so those within a name (as of a layer of an imported model) become dots."""
        plain = name.strip("/").replace("/", ".") if isinstance(name, str) else ""
        if not plain:
            raise UsageError(f"operation 'scope': a scope's name must be a text with letters in it, not {name!r}")
        return f"{self._open[-1][0]}/{plain}" if self._open else plain


def _kind(cost: Cost) -> str:
    """What kind of message cost this: one that took no time was sent without waiting."""
    if cost.rounds or cost.check_rounds:
        return "exchange"
    if cost.dealer_seconds:
        return "from the dealer"
    return "dealing" if cost.seconds else "sent"


def _event(name: str, kind: str, begin: float, end: float, cost: Cost) -> Event:
    return Event(name, kind, begin, end, cost.rounds, cost.bytes_sent, cost.bytes_received, cost.offline_bytes)
