"""Predictions: what a job will cost, by operation, over a network that need not be there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mpc.cost.figures import Figures
from mpc.cost.recorded import Recorded
from mpc.cost.replay import Replayed, Spent, replay, separate, shared
from mpc.launch.job import Job
from mpc.network import Network
from mpc.party import Cost, Stats


@dataclass(frozen=True)
class Prediction:
    """Exact counts, and seconds as replayed. Lists are by party; `endpoints` has the dealer too, if there is one.

    `starting`: seconds until the programs begin, on one machine. `loading`: from there until all parties are at their first
    message, for imports and for reading data. `online`: until the last message. `ending`: what parties do by themselves after it.
    """

    network: Network
    stats: list[Stats]
    endpoints: list[Replayed]
    starting: float
    dealing: float

    @property
    def parties(self) -> list[Replayed]:
        return self.endpoints[: len(self.stats)]

    @property
    def loading(self) -> float:
        return max(party.begin for party in self.parties)

    @property
    def online(self) -> float:
        return max(party.end for party in self.parties) - self.loading

    @property
    def ending(self) -> float:
        return max(party.finish for party in self.parties) - self.loading - self.online

    @property
    def total(self) -> float:
        """Seconds from the launch on."""
        return self.starting + self.loading + self.online + self.ending

    def operation(self, name: str, party: int) -> tuple[Cost, Spent]:
        """What a party counts and spends in one operation."""
        return self.stats[party].operations.get(name, Cost()), self.endpoints[party].operations.get(name, Spent())


def predict(job: Job, recorded: Recorded, figures: Figures, cores: float, apart: bool = False, others: float = 0.0) -> Prediction:
    """Replay what was recorded of a job over its network.

    All endpoints share this machine's cores, with `others`, so many other threads that compute all the time; `apart`: each
    has a machine like this one.
    """
    count = len(recorded.timelines)
    figures = figures if apart else replace(figures, waking=max(figures.waking, figures.beside))
    hosts = separate(count) if apart else shared(count, cores, others)
    endpoints = replay(recorded.timelines, job.parties, job.links, figures, hosts)
    starting = figures.start(1, cores) if apart else figures.start(count, cores)
    dealing = recorded.timelines[-1].work if count > job.parties else 0.0
    return Prediction(job.links, recorded.stats, endpoints, starting, dealing)
