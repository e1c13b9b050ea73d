"""What ours and peers took for one workload, turn by turn, and the ratios of that."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from benchmarks.peers.peer import Measured
from mpc.bench.measure import Turn
from mpc.network import Network

WIDE = Network.parse("wan")  # 40 ms one way, 352 Mbit/s


class Ratio(NamedTuple):
    """A peer's seconds by ours: of the medians, and the least and the most of the turns, each of which has its own."""

    medians: float
    least: float
    most: float


@dataclass
class Figures:
    """One system: `turns` are seconds of each repetition; the rest is of one repetition, as `Measured` has it.

    `error`: the largest absolute one. `failure`: why there is nothing more; whatever was measured before stays.
    """

    name: str
    title: str
    turns: list[list[float]] = field(default_factory=list)
    rounds: int | None = None
    bytes_sent: int | None = None
    bytes_dealt: int = 0
    error: float | None = None
    failure: str = ""

    def add(self, measured: Measured, reference: np.ndarray[Any, Any]) -> None:
        self._add(measured.seconds, measured.rounds, measured.bytes_sent, 0, worst_error(measured.result, reference))

    def add_ours(self, turn: Turn) -> None:
        one = turn.repetitions[-1]
        seconds = [repetition.seconds for repetition in turn.repetitions]
        self._add(seconds, one.rounds, one.bytes_sent, one.bytes_dealt, turn.error)

    def _add(self, seconds: list[float], rounds: int | None, sent: int | None, dealt: int, error: float) -> None:
        self.turns.append(seconds)
        self.rounds, self.bytes_sent, self.bytes_dealt = rounds, sent, dealt
        self.error = max(error, self.error or 0.0)

    @property
    def seconds(self) -> list[float]:
        return [seconds for turn in self.turns for seconds in turn]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def wide(self) -> float | None:
        """Seconds that rounds and bytes cost on a wide-area network, by formula: no computation, nothing dealt."""
        return None if self.rounds is None or self.bytes_sent is None else WIDE.seconds(self.rounds, self.bytes_sent)

    def summary(self) -> dict[str, Any]:
        counts = {"rounds": self.rounds, "bytes_sent": self.bytes_sent, "bytes_dealt": self.bytes_dealt, "wide": self.wide}
        figures: dict[str, Any] = {
            "title": self.title,
            "turns": self.turns,
            **counts,
            "error": self.error,
            "failure": self.failure,
        }
        if self.turns:
            figures |= {"median": self.median, "min": min(self.seconds), "max": max(self.seconds)}
        return figures


@dataclass
class Row:
    """A workload, in its own size (None) or another. `target`: how many times faster than SPU SEMI2K ours is to be."""

    workload: str
    title: str
    size: int | None
    target: float | None
    ours: Figures
    peers: list[Figures]

    def ratio(self, peer: Figures) -> Ratio | None:
        """None where one of them has no turn. Turns that only one of them has count in its median alone."""
        if not self.ours.turns or not peer.turns:
            return None
        pairs = zip(peer.turns, self.ours.turns, strict=False)
        by_turn = [statistics.median(theirs) / statistics.median(ours) for theirs, ours in pairs]
        return Ratio(peer.median / self.ours.median, min(by_turn), max(by_turn))

    def wide_ratio(self, peer: Figures) -> float | None:
        return peer.wide / self.ours.wide if peer.wide is not None and self.ours.wide else None

    def target_of(self, peer: Figures) -> float | None:
        return self.target if peer.name == "spu" and self.size is None else None

    def missed(self, peer: Figures) -> bool:
        target, ratio = self.target_of(peer), self.ratio(peer)
        return target is not None and ratio is not None and ratio.medians < target

    def summary(self) -> dict[str, Any]:
        """For JSON: all figures, every repetition among them."""
        peers = {}
        for peer in self.peers:
            ratio = self.ratio(peer)
            ratios = {"ratio": ratio._asdict() if ratio else None, "wide_ratio": self.wide_ratio(peer)}
            peers[peer.name] = peer.summary() | ratios
        head = {"workload": self.workload, "title": self.title, "size": self.size, "target": self.target}
        return {**head, "ours": self.ours.summary(), "peers": peers}


def worst_error(result: np.ndarray[Any, Any], reference: np.ndarray[Any, Any]) -> float:
    return float(np.abs(np.subtract(result, reference, dtype=float)).max())
