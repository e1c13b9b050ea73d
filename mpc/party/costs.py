"""What a computation costs: rounds, bytes and seconds, over all, by operation, by scope and by line."""

from __future__ import annotations

from dataclasses import dataclass, field

from mpc.party.lines import Line
from mpc.party.trace import Trace
from mpc.plan import Choice


@dataclass
class Cost:
    """Costs at one party. A round is one exchange: every party sends, then waits for what the others sent.

    Bytes are payload; frame headers are in `header_bytes`, sent ones. `offline_bytes` were asked of the dealer. Of the seconds,
    `peer_seconds` were spent in exchanges with the other parties, and `dealer_seconds` waiting for the dealer.

    What the checks of `integrity` and `check_dealer` cost stands apart: their rounds, the bytes that they sent, and those
    dealt beyond what is used. So do `unused_offline_bytes`: asked for ahead of time, and then not needed.
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
    unused_offline_bytes: int = 0

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
        self.unused_offline_bytes += other.unused_offline_bytes

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
            self.unused_offline_bytes - other.unused_offline_bytes,
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

    An operation's seconds are those spent waiting for the others, at the dealer those spent dealing. Only of a run that is
    profiled: `lines` of the program; the seconds that each operation computed, which count as its own; `trace`, when each
    message and scope was. Seconds computed by line and by operation are sampled, all the rest is counted.
    `choices` are the planner's.
    """

    total: Cost = field(default_factory=Cost)
    operations: dict[str, Cost] = field(default_factory=dict)
    scopes: dict[str, Scope] = field(default_factory=dict)
    lines: dict[Line, Cost] = field(default_factory=dict)
    trace: Trace | None = None
    choices: list[Choice] = field(default_factory=list)
