"""Calibration: a short run of two parties on this machine, which tells what messages cost beyond the protocol's own work."""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

import numpy as np

from mpc.cost.figures import Figures, from_text, path_for, to_text
from mpc.cost.fitting import fitted
from mpc.cost.watching import slowed
from mpc.errors import CalibrationError
from mpc.files import write_private
from mpc.launch.job import Job
from mpc.launch.run import execute
from mpc.party import Endpoint
from mpc.party.links import Links

_BATCHES, _SMALL, _LARGE = 8, 40, 4  # how often, and how many exchanges each time
_BETWEEN = (0, 1 << 14, 1 << 17, 1 << 19)  # words that are computed with between two small exchanges
_WORDS = 1 << 20  # of a large one


class Seen(NamedTuple):
    """Of one exchange, on average. Seconds of the clock, but for what was `computed` before it; of this thread's core, that,
    and within `send` and `receive`; of the other threads'."""

    clock: float
    computed: float
    sending: float
    receiving: float
    others: float


@dataclass(frozen=True)
class Facts:
    """What a party saw: small exchanges, by how much was computed between them, and large ones; what it computed itself, and
    how often the clock's seconds those of the processor were: more than once where other programs were served too."""

    small: list[list[Seen]]
    large: list[Seen]
    quickest: float
    process: float
    slowed: float


class TimedLinks:
    """Links, and the seconds of this thread within them."""

    def __init__(self, inner: Links):
        self._inner = inner
        self.sending = self.receiving = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def send(self, *args: Any, **kwargs: Any) -> Any:
        begin = time.thread_time()
        try:
            return self._inner.send(*args, **kwargs)
        finally:
            self.sending += time.thread_time() - begin

    def receive(self, *args: Any, **kwargs: Any) -> Any:
        begin = time.thread_time()
        try:
            return self._inner.receive(*args, **kwargs)
        finally:
            self.receiving += time.thread_time() - begin


def exchanges(party: Any) -> Facts:
    """The program of a calibration."""
    process, slow = time.process_time(), slowed()
    endpoint: Endpoint = party._endpoint
    endpoint._links = timed = TimedLinks(endpoint._links)  # type: ignore[assignment]
    word, many = np.zeros(8, np.uint64), np.zeros(_WORDS, np.uint64)
    between = [np.zeros(words, np.uint64) for words in _BETWEEN]
    small: list[list[Seen]] = [[] for _ in between]
    large, clocks = [], []
    for _ in range(_BATCHES):
        for seen, array in zip(small, between, strict=True):
            seen.append(_seen(endpoint, timed, word, _SMALL, array))
        large.append(_seen(endpoint, timed, many, _LARGE, between[0]))
        clocks += [_seen(endpoint, timed, word, 1, between[0]).clock for _ in range(_SMALL)]
    quickest = quantiles(clocks, n=10)[0]
    small, large = [seen[1:] for seen in small], large[1:]  # the first ones load what later ones need
    return Facts(small, large, quickest, time.process_time() - process, slow)


def _seen(endpoint: Endpoint, timed: TimedLinks, array: Any, times: int, between: Any) -> Seen:
    timed.sending = timed.receiving = computed = 0.0
    clock, thread, process = time.perf_counter(), time.thread_time(), time.process_time()
    for _ in range(times):
        begin = time.thread_time()
        _compute(between)
        computed += time.thread_time() - begin
        endpoint.exchange("calibration", [array])
    clock, thread, process = time.perf_counter() - clock, time.thread_time() - thread, time.process_time() - process
    return Seen(*(s / times for s in (clock - computed, computed, timed.sending, timed.receiving, process - thread)))


def _compute(array: Any) -> None:
    """As between a protocol's messages: arrays, and Python."""
    if array.size:
        array += 1
        [str(number) for number in range(200)]


@dataclass(frozen=True)
class Calibration:
    """What was measured, and how much slower than alone this machine was meanwhile: from 1.2 on, figures are doubtful."""

    figures: Figures
    slowed: float


def calibrate() -> Calibration:
    """Measure this machine: about 25 seconds, on an idle one."""
    children, parent = _children_seconds(), time.process_time()
    outcome = execute(Job(exchanges, protocol="plaintext"))
    children, parent = _children_seconds() - children, time.process_time() - parent
    found: list[Facts] = outcome.results
    process = max(0.0, children - sum(facts.process for facts in found)) / len(found)
    figures, slow = fitted(figures_of(found, process, parent), cores())
    return Calibration(figures, max(slow, median(facts.slowed for facts in found)))


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def figures_of(found: Sequence[Facts], process: float, starting: float) -> Figures:
    """What the parties saw, put together. Where other programs run too, the processor's seconds change little."""
    small = [[seen for facts in found for seen in facts.small[level]] for level in range(len(_BETWEEN))]
    columns = {name: rising([median(getattr(seen, name) for seen in level) for level in small]) for name in Seen._fields}
    computed, sending, receiving = columns["computed"], columns["sending"], columns["receiving"]
    handling = [others / 2 for others in columns["others"]]  # of one message: each exchange has one each way
    large = median(seen.others for facts in found for seen in facts.large)
    byte = max(0.0, large / 2 - handling[0]) / (8 * _WORDS)
    waking = max(0.0, min(facts.quickest for facts in found) - sending[0] - receiving[0] - handling[0])
    return Figures(tuple(computed), tuple(sending), tuple(receiving), tuple(handling), byte, waking, process, starting)


def rising(column: Sequence[float]) -> list[float]:
    """What computing more cannot make less: noise is taken out."""
    return list(accumulate(column, max))


def figures(renew: bool = False) -> Calibration:
    """This machine's figures: those that are kept, or new ones, which are kept then. CalibrationError, which says what to do."""
    facts = machine()
    path = path_for(facts)
    if not renew and path.exists():
        return Calibration(from_text(_read(path), str(path)), 1.0)
    print("mpc: measuring this machine, once (about 25 s)", file=sys.stderr, flush=True)
    found = calibrate()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, [to_text(found.figures, facts).encode()], replace=True)
    except OSError as error:
        raise CalibrationError(f"{path} cannot be written: {error.strerror}; set XDG_CACHE_HOME to a folder that can") from None
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CalibrationError(f"{path} cannot be read: {error}; renew it: mpc cost --calibrate") from None


def machine() -> dict[str, Any]:
    """What figures depend on: the processor, its cores, and versions."""
    packages = {name: version(name) for name in ("numpy", "numba", "pyzmq")}
    return {"processor": processor(), "cores": cores(), "python": platform.python_version(), **packages}


def processor() -> str:
    """Its name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def cores() -> int:
    """How many of them this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
