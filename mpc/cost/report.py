"""A prediction as plain data: for JSON, and for tables."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, NamedTuple

from mpc.cost.figures import Figures
from mpc.cost.predicting import Prediction


class Row(NamedTuple):
    """One operation at one party: exact counts, and predicted seconds."""

    name: str
    rounds: int
    bytes_sent: int
    offline_bytes: int
    computing: float
    peers: float
    dealer: float

    @property
    def seconds(self) -> float:
        return self.computing + self.peers + self.dealer


def slowest(prediction: Prediction) -> int:
    """The party that is through last."""
    return max(range(len(prediction.parties)), key=lambda party: prediction.parties[party].end)


def rows(prediction: Prediction, party: int) -> list[Row]:
    """All operations, the longest first."""
    names = dict.fromkeys([*prediction.stats[party].operations, *prediction.endpoints[party].operations])
    found = []
    for name in names:
        cost, spent = prediction.operation(name, party)
        rounds = cost.rounds + cost.check_rounds
        found.append(Row(name, rounds, cost.bytes_sent, cost.offline_bytes, spent.computing, spent.peers, spent.dealer))
    return sorted(found, key=lambda row: -row.seconds)


def totals(prediction: Prediction) -> dict[str, int | float]:
    """Counts of the busiest party, and seconds."""
    costs = [stats.total for stats in prediction.stats]
    return {
        "rounds": max(cost.rounds for cost in costs),
        "check_rounds": max(cost.check_rounds for cost in costs),
        "bytes_sent": max(cost.bytes_sent for cost in costs),
        "bytes_received": max(cost.bytes_received for cost in costs),
        "header_bytes": max(cost.header_bytes for cost in costs),
        "offline_bytes": max(cost.offline_bytes for cost in costs),
        "check_bytes": max(cost.check_bytes + cost.check_offline_bytes for cost in costs),
        "online_seconds": prediction.online,
        "dealing_seconds": prediction.dealing,
        "start_seconds": prediction.starting + prediction.loading,
        "total_seconds": prediction.total,
    }


def as_data(predictions: list[Prediction], figures: Figures, job: dict[str, Any], machine: dict[str, Any]) -> dict[str, Any]:
    """What `mpc cost --json` writes."""
    return {
        "job": job,
        "machine": machine,
        "figures": asdict(figures),
        "networks": [
            {
                "network": prediction.network.name,
                "totals": totals(prediction),
                "parties": [
                    {
                        "total": asdict(prediction.stats[party].total),
                        "operations": [row._asdict() | {"seconds": row.seconds} for row in rows(prediction, party)],
                    }
                    for party in range(len(prediction.parties))
                ],
            }
            for prediction in predictions
        ],
    }
