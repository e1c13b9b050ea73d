"""Parties as local processes over ZeroMQ, and the launcher that starts them, watches them and ends them."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Any

from mpc.errors import PartyDied, party_name
from mpc.launch.channel import pack
from mpc.launch.failures import Failure, Standing, raisable
from mpc.launch.job import Job
from mpc.launch.packing import pack_job
from mpc.launch.play import mark_finished
from mpc.launch.process import Child, end, interrupts_held
from mpc.party import DEFAULT_TIMEOUT, Stats
from mpc.progress import erase

_GRACE = 2.0  # seconds that the others get to report, once one has failed
_START = 120.0  # seconds for an interpreter to start


@dataclass(frozen=True)
class Outcome:
    """What a run gave: each party's result, and each endpoint's costs (the dealer's last)."""

    results: list[Any]
    stats: list[Stats]
    seconds: float


def run(
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
    """Run `program(party, *args)` in one fresh local process per party; a list with each party's result.

    protocol: a name, or a subclass of `mpc.contract.Protocol`. fraction_bits: digits after the binary point. network: links
    to emulate, and for which the protocol chooses its ways: "lan" (0.15 ms one way, 3 Gbit/s), "wan" (40 ms, 352 Mbit/s), or a
    latency one way and a bandwidth as in "20ms,100mbit"; ",dealer=lan" after it (or wan, none) where the dealer's links are
    others; None: the machine as fast as it is. timeout: the longest wait, in seconds, for one message of a
    peer, not for the whole run. seed: makes the run repeatable, for tests and benchmarks only. Program, arguments and results
    travel by cloudpickle over inherited pipes.

    integrity: messages that are altered on their way, or not the same for all parties, are an IntegrityError before anything
    is revealed (docs/across-machines.md). check_dealer: how many further versions of everything the dealer deals, of which
    it does not know that they are looked at: wrong dealing goes unnoticed with a probability of 1 / (1 + check_dealer).

    checkpoints: the folder where `party.checkpoint` keeps states, each party's in one of its own. resume: go on from the last
    one there, in place of a run that was cut off (docs/across-machines.md).

    A party that raises, dies or lets another wait for longer than `timeout` ends the run: the first error is raised here,
    with that party's traceback. (Parties that all compute without ever talking are not interrupted.)
    """
    job = Job(program, args, parties, protocol, fraction_bits, network, timeout, seed)
    return execute(replace(job, integrity=integrity, check_dealer=check_dealer, checkpoints=checkpoints, resume=resume)).results


def execute(job: Job) -> Outcome:
    """Run a job in local processes. Whatever happens, no process is left."""
    began = time.perf_counter()
    children: list[Child] = []
    failures: list[Failure] = []
    reported = False
    try:
        events: SimpleQueue[Child] = SimpleQueue()
        with interrupts_held():
            for index in range(job.endpoints):
                children.append(Child(index, party_name(index, job.parties), events))
        failures = _introduce(children, job, events) or _watch(children, job, events)
        reported = True
    finally:
        silent = end(children, at_once=not reported)
        if silent or failures:
            erase()
    if failures:
        raise raisable(failures, job.parties, silent)
    mark_finished(job, range(job.parties))
    results = [child.result for child in children[: job.parties]]
    return Outcome(results, [child.stats for child in children if child.stats], time.perf_counter() - began)


def _introduce(children: list[Child], job: Job, events: SimpleQueue[Child]) -> list[Failure]:
    """Give each child its keys, and, once all are listening, each other's addresses and the program."""
    token, keys = secrets.token_bytes(32), job.keys()
    for child in children:
        own = keys[child.index if child.index < job.parties else -1]
        child.introduce(pack({"index": child.index, "parties": job.parties, "keys": own, "token": token}))
    program, service = pack_job(job)  # while the interpreters start
    deadline = time.monotonic() + _START
    for _ in children:
        try:
            child = events.get(timeout=max(0, deadline - time.monotonic()))
        except Empty:
            return [_never_started(next(child for child in children if child.address is None))]
        if child.failure is not None:
            return [child.failure]
    meeting = pack(({child.index: child.address for child in children}, sys.argv))
    for child in children:
        child.begin([meeting, program if child.index < job.parties else service])
    return []


def _never_started(child: Child) -> Failure:
    return Failure(child.index, PartyDied(f"{child.name} did not start: its interpreter hangs before it could run", child.index))


def _watch(children: list[Child], job: Job, events: SimpleQueue[Child]) -> list[Failure]:
    """Wait until all have ended. Failures, in the order in which they came.

    After the first one the others are told, and have a moment to report. A dealer that all parties have left gets as long.
    """
    failures: list[Failure] = []
    deadline, told = None, False
    pending = {child.index for child in children}
    while pending:
        try:
            child = events.get(timeout=None if deadline is None else max(0, deadline - time.monotonic()))
        except Empty:
            break
        pending.discard(child.index)
        if child.failure is not None:
            failures.append(child.failure)
            if not told and child.failure.standing is not Standing.PEER:  # else they hear of the root by themselves
                told = True
                _tell(children, child, child.failure)
        if deadline is None and (failures or pending == {job.parties}):
            deadline = time.monotonic() + _GRACE
    return failures


def _tell(children: list[Child], failed: Child, failure: Failure) -> None:
    how = "died" if isinstance(failure.error, PartyDied) else f"failed with {type(failure.error).__name__}"
    for child in children:
        if child is not failed:
            child.tell(failed.index, f"{failed.name} {how}; its own error has the details")
