"""Dry runs: a program on shapes alone, in this process, with the protocol's own code, and without peers and data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mpc.dry.endpoint import DryEndpoint, Request
from mpc.dry.party import DryParty
from mpc.launch.job import Job
from mpc.party import Stats, run_program
from mpc.randomness import new_seed


@dataclass(frozen=True)
class Dry:
    """`requests` to the dealer and costs, `stats`, by party; what the program returned, where revealed values are Unknown.

    `joint` is the seed of public randomness, and `drew_jointly` whether any was drawn: then another seed may mean other requests.
    """

    requests: list[list[Request]]
    stats: list[Stats]
    result: Any
    joint: bytes
    drew_jointly: bool


def dry_run(job: Job, joint: bytes | None = None) -> Dry:
    """Run the job's program once for each party, with `party.index` -1, on an endpoint that goes nowhere.

    Rounds, bytes and requests are those of a real run; seconds are not. DryRunError, with the line of the program, for what needs
    data: an input without shape=, a branch on a revealed value. Cost: a party's computation, for each party.
    """
    seed = new_seed() if joint is None else joint
    runs = [_as_party(job, role, seed) for role in range(job.parties)]
    endpoints = [endpoint for endpoint, _ in runs]
    return Dry(
        [endpoint.requests for endpoint in endpoints],
        [endpoint.meter.snapshot() for endpoint in endpoints],
        runs[0][1],
        seed,
        any(endpoint.drew_jointly for endpoint in endpoints),
    )


def _as_party(job: Job, role: int, joint: bytes) -> tuple[DryEndpoint, Any]:
    endpoint = DryEndpoint(role, job.parties, joint, job.links, job.integrity, job.check_dealer)
    return endpoint, perform(job, endpoint)


def perform(job: Job, endpoint: DryEndpoint) -> Any:
    """Run the job's program as the party of this endpoint. What it returns."""
    protocol = job.protocol_class(endpoint)
    party = DryParty(protocol, job.fraction_bits)
    try:
        result = run_program(job.program, party, *job.args)
    finally:
        party.close_progress()
    endpoint.confirm()
    protocol.finish()
    return result
