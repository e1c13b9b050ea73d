"""Recording a whole job: each endpoint in a process of its own, one after another, as a run would start them all at once.

A fresh process has what a run's has: modules to import, kernels to load, one thread, memory that it keeps.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from traceback import walk_tb
from typing import Any

from mpc.cost.recording import RecordingDealer, RecordingEndpoint
from mpc.cost.timeline import Timeline
from mpc.dry import Request
from mpc.dry.run import perform
from mpc.errors import Error
from mpc.launch.job import Job
from mpc.launch.program import ProgramFile, no_program
from mpc.launch.run import execute
from mpc.party import Stats
from mpc.randomness import new_seed

_NO_DATA = (
    "the program failed on shapes alone. Here party.index is -1 and there is no data: read data, and make what depends on it, "
    "only where party.index is that of its owner, and give every input its shape="
)


@dataclass(frozen=True)
class Recorded:
    """By endpoint, the dealer last: timelines; by party: what it counted, as `mpc run` shows it, but for seconds."""

    timelines: list[Timeline]
    stats: list[Stats]


@dataclass(frozen=True)
class _AsParty:
    """One party of a job, recorded. (`func` tells the launcher which program this carries along.)"""

    func: Callable[..., Any]
    job: Job
    role: int
    joint: bytes

    def __call__(self, party: Any) -> tuple[Timeline, Stats, list[Request]]:
        endpoint = RecordingEndpoint(self.role, self.job, self.joint)
        with redirect_stdout(io.StringIO()):  # what it prints is of no value
            try:
                perform(self.job, endpoint)
            except Exception as error:
                _advise(error)
                raise
        return endpoint.timeline(), endpoint.meter.snapshot(), endpoint.requests


def _advise(error: Exception) -> None:
    """Also say that it may be the missing data; mpc's own errors say what they are, and what fails while loading needs none."""
    loading = any(frame.f_code is ProgramFile.load.__code__ for frame, _ in walk_tb(error.__traceback__))
    if not loading and not isinstance(error, Error):
        error.add_note(f"mpc: {_NO_DATA}")


@dataclass(frozen=True)
class _AsDealer:
    job: Job
    requests: Sequence[Sequence[Request]]

    def __call__(self, party: Any) -> Timeline:
        endpoint = RecordingDealer(self.requests, self.job)
        serve = self.job.protocol_class.dealer()
        assert serve is not None
        serve(endpoint)
        return endpoint.timeline()


def record(job: Job, fresh: bool = True, progress: Callable[[int], None] = lambda endpoint: None) -> Recorded:
    """The timelines of a job's endpoints. `progress(endpoint)` is called before each.

    Not `fresh`: in this process, for tests; times are then those of an interpreter that has everything loaded. DryRunError
    for a program that needs data. Cost: a party's computation for each party, the dealer's, and a second for each process.
    """
    alone = _in_process_of_its_own if fresh else _here
    joint = new_seed()
    timelines, stats, requests = [], [], []
    for role in range(job.parties):
        progress(role)
        timeline, counted, asked = alone(_AsParty(job.program, job, role, joint))
        timelines.append(timeline)
        stats.append(counted)
        requests.append(asked)
    if job.endpoints > job.parties:
        progress(job.parties)
        timelines.append(alone(_AsDealer(replace(job, program=no_program, args=()), requests)))
    return Recorded(timelines, stats)


def _in_process_of_its_own(program: Callable[..., Any]) -> Any:
    return execute(Job(program, parties=1, protocol="plaintext")).results[0]


def _here(program: Callable[..., Any]) -> Any:
    return program(None)
