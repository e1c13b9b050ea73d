"""Dealing ahead of time: a dry run's requests, answered by the protocol's own dealer into one sealed file a party."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mpc.dry.endpoint import Asked, Request
from mpc.dry.run import Dry, dry_run
from mpc.errors import DealtFileError, OptionError
from mpc.launch.job import Job, job_digest
from mpc.offline.file import CORRECTIONS, MOST_RUNS, REQUESTS, Writer, exists
from mpc.offline.record import correction_frame, request_entry
from mpc.party import Endpoint, Keys
from mpc.randomness import new_seed

Array = np.ndarray[Any, np.dtype[Any]]


class Recipient(NamedTuple):
    """A party that gets a file: its name, its X25519 public key, and where the file is written."""

    name: str
    public: bytes
    path: Path


@dataclass(frozen=True)
class Dealing:
    """What was dealt: its id (32 hexadecimal digits), the first run's dry run, and the files' sizes in bytes, by party."""

    deal: str
    runs: int
    dry: Dry
    sizes: list[int]


def deal(
    job: Job,
    recipients: Sequence[Recipient],
    dealer: bytes,
    runs: int = 1,
    cluster: str = "",
    progress: Callable[[int], None] = lambda run: None,
) -> Dealing:
    """Write the dealt files of a job for so many runs. `dealer` is its secret X25519 key, `cluster` the digest of its cluster.

    All files appear, or none; DealtFileError where there is one already. DryRunError for a program that needs values (see
    `dry_run`). `progress(run)` is called before each run. Memory: one run's requests, and the largest correlation. Cost: a dry
    run, and a dealer's work for each run; a dry run for each too, where the program draws public randomness.
    """
    serve = _checked(job, recipients, runs)
    dry = first = dry_run(job)
    identity = new_seed()[:16]
    common = {
        "deal": identity.hex(),
        "parties": job.parties,
        "protocol": job.protocol_class.name,
        "program": job_digest(job),
        "cluster": cluster,
        "runs": runs,
    }
    with ExitStack() as hidden, _writing(recipients[0].path.parent):
        writers: list[Writer] = []
        for index, (name, public, path) in enumerate(recipients):
            writers.append(Writer(path, common | {"party": name, "index": index}, dealer, public))
            hidden.callback(writers[-1].close)
        for run in range(runs):
            progress(run)
            dry = dry_run(job) if run and dry.drew_jointly else dry
            _deal_run(run, dry, writers, identity, job, serve)
        sizes = [writer.complete() for writer in writers]
        _publish(writers)
    return Dealing(identity.hex(), runs, first, sizes)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DealtFileError(f"the dealt files in {folder} cannot be written: {error.strerror}; nothing was dealt") from None


def _publish(writers: Sequence[Writer]) -> None:
    """Give all files their names, or none."""
    with ExitStack() as published:
        for writer in writers:
            writer.publish()
            published.callback(writer.path.unlink)
        published.pop_all()


def _checked(job: Job, recipients: Sequence[Recipient], runs: int) -> Callable[[Endpoint], None]:
    """The program of the dealer, if the job can be dealt for."""
    serve = job.protocol_class.dealer()
    if serve is None:
        raise OptionError(
            f"protocol '{job.protocol_class.name}' needs no dealer: there is nothing to deal; run the program as it is"
        )
    if len(recipients) != job.parties:
        raise OptionError(f"the program runs with {job.parties} parties, and there are {len(recipients)} to deal for")
    if not 1 <= runs <= MOST_RUNS:
        raise OptionError(f"runs={runs}: must be from 1 to {MOST_RUNS}")
    for recipient in recipients:
        if recipient.path.exists():
            raise exists(recipient.path)
    return serve


def _deal_run(
    run: int, dry: Dry, writers: Sequence[Writer], identity: bytes, job: Job, serve: Callable[[Endpoint], None]
) -> None:
    """One record in each file, under fresh seeds."""
    seeds = {index: new_seed() for index in range(job.parties)}
    for index, writer in enumerate(writers):
        writer.begin(run, REQUESTS)
        writer.write(seeds[index] + dry.joint)
        for request in dry.requests[index]:
            writer.write(request_entry(request.label, request.parts))
        writer.begin(run, CORRECTIONS)
    serve(DealingEndpoint(dry.requests, writers, identity, seeds, job))


class DealingEndpoint(Asked):
    """What the dealer sends goes to files."""

    def __init__(
        self,
        requests: Sequence[Sequence[Request]],
        writers: Sequence[Writer],
        identity: bytes,
        seeds: dict[int, bytes],
        job: Job,
    ):
        super().__init__(requests, job, Keys(identity, seeds, {}))
        self._writers = writers
        self._answers = [0] * job.parties

    def send_correction(self, party: int, label: str, arrays: Sequence[Array]) -> None:
        for part in correction_frame(self.session, self.size, self._answers[party], label, arrays):
            self._writers[party].write(part)
        self._answers[party] += 1
