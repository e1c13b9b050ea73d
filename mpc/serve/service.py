"""The process that stays: it starts a worker for each job, watches it, keeps what came of it, and hears who submits jobs.

It has one thread, and touches no socket of the network: what a job or a peer breaks is a worker's, and ends with it.
"""

from __future__ import annotations

import selectors
import signal
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from mpc.serve.lines import Message
from mpc.serve.options import Options
from mpc.serve.process import Process
from mpc.serve.queue import REFUSED, Queue, Submission
from mpc.serve.running import Running, Tell
from mpc.serve.workplace import Workplace

_TURN = 0.5  # seconds between two looks at clocks and signals, and
_SHORT = 0.02  # where a worker is about to end
_GRACE = 6.0  # seconds that a worker gets to end, once it has said its last, or was told to
_LONG = 3.0  # seconds of waiting for the others, from which on it is told who is missing
_SOON, _LATE = 0.2, 10.0  # seconds before another worker is started: the shortest, and the longest after failures


class Service:
    """One party, or the dealer, of a cluster. `serve` returns after SIGTERM or SIGINT, in order; all else, it survives."""

    def __init__(self, options: Options, tell: Tell):
        self._options, self._tell = options, tell
        site = options.check()
        self._queue = Queue(options, site.is_dealer)
        self._workplace = Workplace(Path(options.folder), options.keep)
        self._worker: Process | None = None
        self._stopping = False
        self._pause, self._next_start = _SOON, 0.0
        self._shown = ""

    def serve(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        self._selector = selectors.DefaultSelector()
        try:
            with self._workplace.listen() as self._listener:
                self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
                self._tell("serving", f"serving as {self._options.name}; jobs are submitted in {self._options.folder}")
                while not self._stopping:
                    self._turn()
                self._end()
        finally:
            self._selector.close()
            self._workplace.close()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _turn(self) -> None:
        if self._worker is None and time.monotonic() >= self._next_start:
            self._start()
        for key, _ in self._selector.select(_SHORT if self._leaving else _TURN):
            key.data()
        if self._worker is not None:
            self._watch(self._worker)

    def _end(self) -> None:
        """The worker tells the others that it stops, and ends."""
        self._tell("stopping", "stopping")
        if self._worker is not None:
            self._worker.stop()
            self._leaves()
        while self._worker is not None:
            self._turn()
        self._queue.end("the service was stopped before the job began; submit it again")

    def _accept(self) -> None:
        try:
            link, _ = self._listener.accept()
        except OSError:
            return
        self._queue.accept(link)
        self._give()

    # ------------------------------------------------------------------ the worker

    _deadline: float | None = None  # when the worker must have ended
    _leaving = False  # whether it has said its last, or was told to end
    _given: Submission | None = None  # what it is to propose
    _job: Running | None = None  # once it has begun
    _ready = False

    def _start(self) -> None:
        self._deadline = self._job = self._given = None
        self._leaving = self._ready = False
        self._started = time.monotonic()
        self._outcome: Message = {}
        try:
            self._folder = self._workplace.prepare()
            self._worker = Process(self._options, self._folder)
        except OSError as error:
            self._tell("trouble", f"not ready: no process can be started here: {error}")
            self._rest(failed=True)
            return
        self._selector.register(self._worker.link, selectors.EVENT_READ, self._hear)
        self._selector.register(self._worker.output, selectors.EVENT_READ, self._copy)
        self._give()

    def _give(self) -> None:
        """Let an idle worker propose the first job of the queue. It proposes one at most."""
        if self._worker is None or self._job is not None or self._given is not None or (first := self._queue.first) is None:
            return
        self._given = first
        self._worker.link.send({"event": "submission", "digest": first.digest, "args": first.args})

    def _copy(self) -> None:
        assert self._worker is not None
        if not self._worker.copy_output():
            self._selector.unregister(self._worker.output)

    def _hear(self) -> None:
        assert self._worker is not None
        for message in self._worker.link.arrived():
            reaction = getattr(self, f"_on_{message.get('event')}", None)
            if reaction is not None:
                reaction(message)
        if self._worker.link.closed:
            self._forget(self._worker.link)
            self._leaves()

    def _leaves(self) -> None:
        if not self._leaving:
            self._leaving, self._deadline = True, time.monotonic() + _GRACE

    def _forget(self, source: Any) -> None:
        with suppress(KeyError, ValueError):
            self._selector.unregister(source)

    def _on_waiting(self, message: Message) -> None:
        text = "waiting for " + "; ".join(f"{name}: {why}" for name, why in message["missing"].items())
        late = time.monotonic() - self._started > _LONG
        if message["missing"] and late and text != self._shown:
            self._shown = text
            self._tell("waiting", text, missing=message["missing"])
            for submission in self._queue:
                submission.tell("waiting", text)

    def _on_ready(self, message: Message) -> None:
        self._ready, self._shown, self._pause = True, "", _SOON
        self._tell("ready", "all are there: ready for a job")

    def _on_refused(self, message: Message) -> None:
        self._tell("refused", f"{message['text']} (asked for by {message['by']})", digest=message["digest"], by=message["by"])
        if message["own"] and self._given is not None:
            self._queue.remove(self._given)
            self._given.end(REFUSED, message["text"])

    def _on_begins(self, message: Message) -> None:
        assert self._worker is not None
        submission = self._given if message["own"] else None
        if submission is not None:
            self._queue.remove(submission)
        self._job = Running(self._workplace, self._folder, message, submission, self._tell)
        if self._options.job_timeout is not None:
            self._deadline = time.monotonic() + self._options.job_timeout + _GRACE
        self._worker.link.send({"event": "go"})

    def _on_ended(self, message: Message) -> None:
        self._outcome = {key: value for key, value in message.items() if key != "event"}
        self._leaves()

    def _on_trouble(self, message: Message) -> None:
        if not self._stopping:
            self._tell("trouble", f"not ready: {message['text']}")
        self._leaves()

    # ------------------------------------------------------------------ its end

    def _watch(self, worker: Process) -> None:
        if self._deadline is not None and time.monotonic() > self._deadline:
            worker.kill()
        if worker.code is None:
            return
        worker.end()  # what the program has started, and left behind
        while not worker.link.closed and worker.link.ready:
            self._hear()  # its last words
        self._forget(worker.link)
        self._forget(worker.output)
        worker.close()
        self._worker = self._deadline = None
        if self._job is not None:
            self._job.end(self._outcome, worker.code, worker.lost)
        self._rest(failed=not self._ready and worker.code == 0)  # it could not, and said why; a killed one is replaced at once

    def _rest(self, failed: bool) -> None:
        """Before the next worker; the longer, the more often in a row it could not begin."""
        if failed:
            self._pause = min(self._pause * 2, _LATE)
        self._next_start = time.monotonic() + self._pause
