"""All parties as threads of this process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from mpc.errors import PeerFailed, PeerTimeout
from mpc.launch.job import Job, play
from mpc.party import DEFAULT_TIMEOUT, Stats
from mpc.randomness import Stream, StreamFactory
from mpc.transport import MemoryHub, Transport


def simulate(
    program: Callable[..., Any],
    *args: Any,
    parties: int = 2,
    protocol: Any = "additive",
    fraction_bits: int = 16,
    network: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    seed: int | None = None,
) -> list[Any]:
    """Run `program(party, *args)` for each party, as threads with in-memory links: for notebooks and tests.

    Takes what `mpc.run` takes, and returns the same list of results. The parties share this process, its memory and its
    interpreter lock: nothing is secret here, and times mean little.
    """
    job = Job(program, args, parties, protocol, fraction_bits, network, timeout, seed)
    return [result for result, _ in simulate_job(job)[: job.parties]]


def simulate_job(
    job: Job,
    stream: StreamFactory = Stream,
    wrap: Callable[[Transport], Transport] = lambda transport: transport,
) -> list[tuple[Any, Stats]]:
    """Result and costs of each endpoint, the dealer last. Raises the first error of the endpoint that failed on its own."""
    hub, keys = MemoryHub(job.endpoints), job.keys()
    outcomes: list[tuple[Any, Stats] | None] = [None] * job.endpoints
    errors: dict[int, BaseException] = {}

    def endpoint(index: int) -> None:
        try:
            outcomes[index] = play(job, wrap(hub.transport(index)), keys[index if index < job.parties else -1], stream)
        except BaseException as error:
            errors[index] = error

    threads = [threading.Thread(target=endpoint, args=(i,), daemon=True, name=f"mpc-{i}") for i in range(job.endpoints)]
    for thread in threads:
        thread.start()
    try:
        _join(threads, errors)
    except KeyboardInterrupt:
        hub.transport(0).abort("the run was interrupted")
        raise
    if errors:
        raise _root(errors, job)
    return [outcome for outcome in outcomes if outcome is not None]


def _join(threads: list[threading.Thread], errors: dict[int, BaseException]) -> None:
    """Wait for all; once one has failed the others get a moment, as a thread that hangs cannot be ended."""
    for thread in threads:
        while thread.is_alive():
            thread.join(0.2)
            if errors and thread.is_alive():
                thread.join(2.0)
                break


def _root(errors: dict[int, BaseException], job: Job) -> BaseException:
    def rank(error: BaseException) -> int:
        return 2 if isinstance(error, PeerFailed) else 1 if isinstance(error, PeerTimeout) else 0

    index = min(errors, key=lambda i: (rank(errors[i]), i))
    who = "the dealer" if index == job.parties else f"party {index}"
    errors[index].add_note(f"raised at {who} of {job.parties} parties")
    return errors[index]
