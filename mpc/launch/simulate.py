"""All parties as threads of this process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mpc.errors import party_name
from mpc.launch.failures import Failure, Standing, root_of
from mpc.launch.job import Job
from mpc.launch.play import mark_finished, play
from mpc.party import DEFAULT_TIMEOUT, Stats
from mpc.randomness import Stream, StreamFactory
from mpc.transport import MemoryHub, Transport
from mpc.transport.emulated import emulated

_GRACE = 1.0  # seconds that the others get to end, once one has failed


def simulate(
    program: Callable[..., Any],
    *args: Any,
    parties: int = 2,
    protocol: Any = "additive",
    fraction_bits: int = 16,
    network: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    seed: int | None = None,
    integrity: bool = False,
    check_dealer: int = 0,
    checkpoints: str | os.PathLike[str] | None = None,
    resume: bool = False,
) -> list[Any]:
    """Run `program(party, *args)` for each party, as threads with in-memory links: for notebooks and tests.

    Takes what `mpc.run` takes, and returns the same list of results. The parties share this process, its memory and its
    interpreter lock: nothing is secret here, and times mean little.
    """
    job = Job(program, args, parties, protocol, fraction_bits, network, timeout, seed)
    job = replace(job, integrity=integrity, check_dealer=check_dealer, checkpoints=checkpoints, resume=resume)
    return [result for result, _ in simulate_job(job)[: job.parties]]


def simulate_job(
    job: Job,
    stream: StreamFactory = Stream,
    wrap: Callable[[Transport], Transport] = lambda transport: transport,
    emulate: bool = True,
) -> list[tuple[Any, Stats]]:
    """Result and costs of each endpoint, the dealer last. Raises the error of the endpoint that failed on its own.

    Without `emulate`, the protocol makes its choices for the job's network, and messages do not wait as they would there.
    """
    hub, keys = MemoryHub(job.endpoints), job.keys()
    outcomes: list[tuple[Any, Stats] | None] = [None] * job.endpoints
    failures: list[Failure] = []

    def endpoint(index: int) -> None:
        try:
            transport = hub.transport(index)
            links = wrap(emulated(transport, job.links, job.parties) if emulate else transport)
            outcomes[index] = play(job, links, keys[index if index < job.parties else -1], stream)
        except BaseException as error:
            failures.append(Failure(index, error, Standing.of(error)))

    threads = [threading.Thread(target=endpoint, args=(i,), daemon=True, name=f"mpc-{i}") for i in range(job.endpoints)]
    try:
        for thread in threads:
            thread.start()
        _join(threads, failures)
    except BaseException:
        hub.transport(0).abort("the run was interrupted")
        _join_until(threads, time.monotonic() + _GRACE)
        raise
    if failures:
        raise _root(failures, job.parties)
    mark_finished(job, range(job.parties))
    return [outcome for outcome in outcomes if outcome is not None]


def _join(threads: list[threading.Thread], failures: list[Failure]) -> None:
    """Wait for all; once one has failed the others get a moment, as a thread that hangs cannot be ended."""
    for thread in threads:
        while thread.is_alive() and not failures:
            thread.join(0.2)
    _join_until(threads, time.monotonic() + _GRACE)


def _join_until(threads: list[threading.Thread], deadline: float) -> None:
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))


def _root(failures: list[Failure], parties: int) -> BaseException:
    """The error that was there first, and a note of others that are no consequence of it."""
    root = root_of(failures)
    root.error.add_note(f"raised at {party_name(root.index, parties)} of {parties} parties")
    for other in failures:
        if other is not root and other.error is not root.error and other.standing is Standing.OWN:
            who = party_name(other.index, parties)
            root.error.add_note(f"{who} failed too, with {type(other.error).__name__}: {other.error}")
    return root.error
