"""Being one endpoint of a job, from the first message to the last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from mpc.checkpoints import Checkpoints, Folder
from mpc.errors import CheckpointError, RunFailed, UsageError, party_name
from mpc.launch.job import Job, expectation
from mpc.launch.program import name_of
from mpc.launch.settling import settle
from mpc.offline import Record, claim_together, open_dealt
from mpc.party import Endpoint, Keys, Profile, Stats, run_program, sampled
from mpc.randomness import Stream, StreamFactory
from mpc.session import Party
from mpc.tensor import Tensor
from mpc.transport import Transport


def play(
    job: Job, transport: Transport, keys: Keys, stream: StreamFactory = Stream, record: Record | None = None
) -> tuple[Any, Stats]:
    """Be one endpoint of a job, to the end: a party runs the program, the dealer serves. Returns (result, costs).

    `record`: the run of a dealt file that all parties have agreed on and claimed, in place of a dealer.
    Where parties settle upon one failure, all of them raise that, each with its own error as the cause.
    """
    endpoint = Endpoint(transport, job.parties, keys, job.timeout, stream, job.links, job.integrity, job.check_dealer)
    endpoint.meter.profile = Profile() if job.trace else None
    name = party_name(endpoint.index, job.parties)
    try:
        with _dealt(job, endpoint, stream, record):
            result = _serve(job, endpoint) if endpoint.index == job.parties else _run(job, endpoint)
        _refuse_secrets(result, name)
        transport.finish()
    except BaseException as error:
        settle(transport, endpoint, error)
        if isinstance(error, Exception):
            raise
        raise RunFailed(f"{name}'s program raised {type(error).__name__}({error}); let it return instead") from error
    return result, endpoint.meter.snapshot()


@contextmanager
def _dealt(job: Job, endpoint: Endpoint, stream: StreamFactory, record: Record | None) -> Iterator[None]:
    """Where a dealt file takes the dealer's place: agree with the other parties on a run of it, before anything else."""
    if record is not None:
        endpoint.use(record, stream)
    elif job.dealt is not None:
        at = job.dealt[endpoint.index]
        with closing(open_dealt(at.path, at.secret, at.dealer, expectation(job, endpoint.index))) as dealt:
            endpoint.use(claim_together(endpoint, dealt), stream)
            yield
            return
    yield


def _run(job: Job, endpoint: Endpoint) -> Any:
    protocol = job.protocol_class(endpoint)
    checkpoints = Checkpoints(protocol, _folder(job, endpoint.index), job.skips)
    try:
        checkpoints.begin(job.resume)
        with sampled(endpoint.meter.profile):
            result = _perform(job, Party(protocol, job.fraction_bits, checkpoints))
        endpoint.confirm()  # the program may return what was announced, or have kept its shares in a file
        protocol.finish()
        checkpoints.end()
    finally:
        checkpoints.close()
    return result


def _perform(job: Job, party: Party) -> Any:
    try:
        return run_program(job.program, party, *job.args)
    finally:
        party.close_progress()


def _folder(job: Job, party: int) -> Folder | None:
    """This party's folder of the run. What is said of the run there must be the same where it is resumed."""
    if job.checkpoints is None:
        return None
    protocol, fraction_bits = job.protocol_class.name, job.fraction_bits
    facts = {"program": name_of(job.program), "parties": job.parties, "protocol": protocol, "fraction_bits": fraction_bits}
    return Folder(Path(job.checkpoints), party, facts)


def mark_finished(job: Job, parties: Iterable[int]) -> None:
    """The results of these parties are known: there is nothing to resume. Not earlier: what dies last may lose them.

    Without the mark a resumed run repeats the end; an error here would cost the results.
    """
    with suppress(CheckpointError):
        for party in parties:
            folder = _folder(job, party)
            if folder is not None:
                with closing(folder):
                    folder.finish()


def _serve(job: Job, endpoint: Endpoint) -> Any:
    dealer = job.protocol_class.dealer()
    assert dealer is not None
    return dealer(endpoint)  # None: the result of this endpoint


def _refuse_secrets(result: Any, name: str) -> None:
    """A secret tensor cannot leave the run: also not in a container."""
    if isinstance(result, Tensor):
        raise UsageError(f"{name}, the program's result: a secret tensor stays at its party; return tensor.reveal() instead")
    if isinstance(result, dict | list | tuple):
        for item in result.values() if isinstance(result, dict) else result:
            _refuse_secrets(item, name)
