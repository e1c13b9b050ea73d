"""Timelines of a job's endpoints, measured on shapes alone: the protocol's own code runs, and nobody is at the other end.

What an endpoint computes between its messages is timed; what a message itself costs is not, as nothing is sent: that is
calibrated (`mpc.cost.calibrating`) and added when the timelines are replayed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from mpc.cost.timeline import Step, Timeline
from mpc.dry.endpoint import Asked, DryEndpoint, DryLinks, Request
from mpc.launch.job import Job
from mpc.party import Keys
from mpc.party.links import Specs
from mpc.party.mac import TAG_BYTES
from mpc.randomness import SEED_BYTES, Stream
from mpc.transport import Header, Kind

Array = np.ndarray[Any, np.dtype[Any]]


class Stopwatch:
    """Seconds computed since the last lap: those of the clock, or of the processor where other programs were served meanwhile."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self._clock, self._processor = time.perf_counter(), time.process_time()

    def read(self) -> float:
        return min(time.perf_counter() - self._clock, time.process_time() - self._processor)


class RecordingLinks(DryLinks):
    """Notes each message, and what was computed before it."""

    def __init__(self, *args: Any):
        super().__init__(*args)
        self.steps: list[Step] = []
        self.watch = Stopwatch()

    def send(
        self, to: int, label: str, specs: Specs, arrays: Sequence[Array], kind: Kind = Kind.DATA, sealed: bool = False
    ) -> int:
        if sealed:
            self._pass_over(to, arrays)
        work = self.watch.read()
        header = super().send(to, label, specs, arrays, kind, sealed)
        nbytes = header + sum(array.nbytes for array in arrays) + TAG_BYTES * sealed
        self.steps.append(Step(work, True, to, label, nbytes))
        self.watch.restart()
        return header

    def receive(
        self,
        peer: int,
        label: str | None,
        specs: Specs | None = None,
        kind: Kind = Kind.DATA,
        sealed: bool = False,
        forever: bool = False,
    ) -> tuple[Header, list[Array]]:
        work = self.watch.read()
        header, arrays = super().receive(peer, label, specs, kind, sealed, forever)
        self.steps.append(Step(work, False, peer, header.label))
        self.watch.restart()
        if sealed:
            self._pass_over(peer, arrays)
        return header, arrays

    def _pass_over(self, peer: int, arrays: Sequence[Array]) -> None:
        """What a seal costs: a pass over the message."""
        self._seal(self.index, peer, 0, b"", arrays)


class RecordingEndpoint(DryEndpoint):
    """A dry run's endpoint that draws its masks and shares, and asks the dealer, as a real one does, for the time that this
    takes."""

    @property
    def asks_ahead(self) -> bool:  # type: ignore[override]
        return not self.check_dealer

    def __init__(self, role: int, job: Job, joint: bytes):
        super().__init__(
            role, job.parties, joint, job.links, job.integrity, job.check_dealer, stream=Stream, links=RecordingLinks
        )

    def timeline(self) -> Timeline:
        assert isinstance(self._dry, RecordingLinks)
        return Timeline(self._dry.steps, self._dry.watch.read())


class RecordingDealer(Asked):
    """The dealer's corrections go nowhere."""

    def __init__(self, requests: Sequence[Sequence[Request]], job: Job):
        super().__init__(requests, job, Keys(bytes(16), dict.fromkeys(range(job.parties), bytes(SEED_BYTES)), {}))
        self._steps: list[Step] = []
        self._watch = Stopwatch()

    def receive_request(self, party: int) -> tuple[str, list[Array]]:
        work = self._watch.read()
        label, parts = super().receive_request(party)
        self._steps.append(Step(work, False, party, label))
        self._watch.restart()
        return label, parts

    def send_correction(self, party: int, label: str, arrays: Sequence[Array]) -> None:
        work = self._watch.read()
        self._steps.append(Step(work, True, party, label, sum(array.nbytes for array in arrays)))
        self._watch.restart()

    def timeline(self) -> Timeline:
        return Timeline(self._steps, self._watch.read())
