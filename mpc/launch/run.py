"""Parties as local processes over ZeroMQ, and the parent that starts them, watches them and ends them."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

from mpc.errors import Error, PartyDied, PeerFailed, PeerTimeout, party_name
from mpc.launch.job import Job
from mpc.party import DEFAULT_TIMEOUT, Stats

_GRACE = 2.0  # seconds that the others get to report, once one has failed
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")  # one thread a party, unless told more
_START = 120.0  # seconds for an interpreter to start


@dataclass(frozen=True)
class Outcome:
    """What a run gave: each party's result, and each endpoint's costs (the dealer's last)."""

    results: list[Any]
    stats: list[Stats]
    seconds: float


@dataclass(frozen=True)
class Failure:
    """How one endpoint ended: its error, as it was there."""

    index: int
    error: BaseException
    traceback: str


class RunFailed(Error, RuntimeError):
    """A party raised an error that cannot travel between processes; its traceback is in the message."""


class RemoteTraceback(Exception):
    """The failing party's own traceback, as the cause of the error that `run` raises."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


def run(
    program: Callable[..., Any],
    *args: Any,
    parties: int = 2,
    protocol: Any = "additive",
    fraction_bits: int = 16,
    network: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    seed: int | None = None,
) -> list[Any]:
    """Run `program(party, *args)` in one fresh local process per party; a list with each party's result.

    protocol: a name, or a subclass of `mpc.contract.Protocol`. fraction_bits: digits after the binary point. timeout:
    the longest wait, in seconds, for one message of a peer, not for the whole run. seed: makes the run repeatable, for
    tests and benchmarks only. Program, arguments and results travel by cloudpickle over inherited pipes.

    A party that raises, dies or hangs ends the run: the first error is raised here, with that party's traceback.
    """
    return execute(Job(program, args, parties, protocol, fraction_bits, network, timeout, seed)).results


def execute(job: Job) -> Outcome:
    """Run a job in local processes. Whatever happens, no process is left."""
    begin = time.perf_counter()
    children = [Child(index, job) for index in range(job.endpoints)]
    try:
        _introduce(children, job)
        failures = _watch(children)
    finally:
        for child in children:
            child.end()
    if failures:
        raise _as_error(failures)
    results = [child.result for child in children[: job.parties]]
    return Outcome(results, [child.stats for child in children if child.stats], time.perf_counter() - begin)


class Child:
    """One endpoint's process, seen from the parent."""

    def __init__(self, index: int, job: Job):
        self.index = index
        self.name = party_name(index, job.parties)
        self.result: Any = None
        self.stats: Stats | None = None
        self.failure: Failure | None = None
        self.done = False
        self.pipe, theirs = Pipe()
        code = f"import sys; sys.path[:] = {sys.path!r}; from mpc.launch.child import main; main({theirs.fileno()})"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env={**dict.fromkeys(_THREADS, "1"), **os.environ},
        )
        theirs.close()

    def send(self, message: Any) -> None:
        try:
            self.pipe.send_bytes(cloudpickle.dumps(message))
        except OSError:
            return  # it has died; its closed pipe will tell

    def receive(self) -> Any:
        """The next message; None where the process has ended instead."""
        try:
            return cloudpickle.loads(self.pipe.recv_bytes())
        except (EOFError, OSError):
            return None

    def take(self) -> None:
        """Read how this endpoint ended."""
        message = self.receive()
        self.done = True
        if message is None:
            self.failure = self._died()
        elif message[0] == "result":
            _, self.result, self.stats = message
        else:
            self.failure = self._raised(message[1])

    def _died(self) -> Failure:
        try:
            code = self.process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            code = 0
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code} and no result"
        return Failure(self.index, PartyDied(f"{self.name} (process {self.process.pid}) {how}", self.index), "")

    def _raised(self, told: dict[str, Any]) -> Failure:
        if told["pickled"] is None:
            error: BaseException = RunFailed(f"{self.name} raised {told['type']}: {told['message']}")
        else:
            error = cloudpickle.loads(told["pickled"])
        return Failure(self.index, error, told["traceback"])

    def end(self) -> None:
        """Let it exit if it has finished; kill it otherwise."""
        if self.done and self.failure is None:
            try:
                self.process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                pass
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.pipe.close()


def _introduce(children: list[Child], job: Job) -> None:
    """Give each child its setup, and all of them each other's addresses."""
    token, keys = secrets.token_bytes(32), job.keys()
    for child in children:
        own = keys[child.index if child.index < job.parties else -1]
        child.send({"job": job, "index": child.index, "keys": own, "token": token, "argv": sys.argv})
    addresses = {}
    for child in children:
        message = child.receive() if child.pipe.poll(_START) else None
        if message is None:
            raise PartyDied(f"{child.name} did not start: its interpreter ended or hangs before it could run", child.index)
        addresses[child.index] = message[1]
    for child in children:
        child.send(addresses)


def _watch(children: list[Child]) -> list[Failure]:
    """Wait until all have ended. After a first failure the others are told, and have a moment to report."""
    deadline = None
    while pending := [child for child in children if not child.done]:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            break
        ready: list[Connection] = wait([child.pipe for child in pending], left)  # type: ignore[assignment]
        for child in pending:
            if child.pipe in ready:
                child.take()
                if child.failure is not None and deadline is None:
                    deadline = time.monotonic() + _GRACE
                    _tell(children, child)
    return [child.failure for child in children if child.failure is not None]


def _tell(children: list[Child], failed: Child) -> None:
    assert failed.failure is not None
    error = failed.failure.error
    how = "died" if isinstance(error, PartyDied) else f"failed with {type(error).__name__}"
    for child in children:
        if not child.done:
            child.send((failed.index, f"{failed.name} {how}; its own error has the details"))


def _as_error(failures: list[Failure]) -> BaseException:
    """The error of the endpoint that failed on its own, with its traceback, and what the others said."""

    def rank(failure: Failure) -> int:
        return 2 if isinstance(failure.error, PeerFailed) else 1 if isinstance(failure.error, PeerTimeout) else 0

    root, *others = sorted(failures, key=lambda f: (rank(f), f.index))
    for other in others:
        root.error.add_note(f"party {other.index}: {type(other.error).__name__}: {other.error}")
    if root.traceback:
        root.error.__cause__ = RemoteTraceback(root.traceback)
    return root.error
