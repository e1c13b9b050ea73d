"""A simulation that also returns costs and transcripts, and takes chosen masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mpc.contract import Protocol, Share
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.party import Stats
from mpc.randomness import Stream
from mpc.session import Party
from mpc.testing.masks import Masks
from mpc.testing.masks import insecure_masks as masks
from mpc.testing.recording import Recorder, Transcript
from mpc.transport import Transport


@dataclass(frozen=True)
class Simulation:
    """`results` by party; `stats` and, where recorded, `transcripts` by endpoint: the dealer's, if there is one, last."""

    results: list[Any]
    stats: list[Stats]
    transcripts: list[Transcript]


def simulate(
    program: Callable[..., Any],
    *args: Any,
    parties: int = 2,
    protocol: str | type[Protocol] = "additive",
    fraction_bits: int = 16,
    timeout: float = 60.0,
    seed: int | None = None,
    insecure_masks: Masks | None = None,
    record: bool = False,
    checkpoints: str | Path | None = None,
    resume: bool = False,
    skips: Mapping[int, int] | None = None,
) -> Simulation:
    """Run `program(party, *args)` for each party as mpc.simulate does.

    `insecure_masks` replaces the one-time masks (as the function of that name says); `record` keeps all messages.
    `skips` gives, for checkpoints by number (0: the beginning), the number above which one-time randomness goes on there: an
    uninterrupted run with a seed then does bit for bit what one that was resumed there did.
    """
    job = Job(program, args, parties, protocol, fraction_bits, None, timeout, seed)
    job = replace(job, checkpoints=checkpoints, resume=resume, skips=skips)
    recorders: dict[int, Recorder] = {}

    def wrap(transport: Transport) -> Transport:
        if not record:
            return transport
        recorders[transport.index] = Recorder(transport)
        return recorders[transport.index]

    outcomes = simulate_job(job, Stream if insecure_masks is None else masks(insecure_masks), wrap)
    transcripts = [recorders[i].transcript for i in sorted(recorders)]
    return Simulation([result for result, _ in outcomes[:parties]], [stats for _, stats in outcomes], transcripts)


def protocol_of(party: Party) -> Protocol:
    """The party's side of the protocol, to call operations of the contract on shares directly."""
    return party._protocol


def share_input(protocol: Protocol, value: Any, owner: int = 0) -> Share:
    """A share of `value`: a uint64 or bool array that the test has everywhere, and that `owner` puts in."""
    array = np.asarray(value)
    mine = array.copy() if protocol.endpoint.index == owner else None
    return protocol.input(mine, owner, array.shape, array.dtype == bool)
