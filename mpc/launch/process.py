"""One endpoint's process, seen from the launcher."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from mpc.errors import PartyDied, RunFailed
from mpc.launch.channel import Channel, Packed, pack, unpack
from mpc.launch.failures import Failure, exit_text, revive
from mpc.party import Stats

_START_FILE = Path(__file__).with_name("start.py")
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")  # one thread a party, unless told more
# Memory of large arrays stays with the process that freed it: getting fresh pages for each costs more than the arithmetic.
_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 25), "MALLOC_TRIM_THRESHOLD_": str(1 << 30), "MALLOC_TOP_PAD_": str(1 << 26)}
_PATIENCE = 1.0  # seconds that an interpreter which has reported gets to exit


class Child:
    """A process and the thread that talks to it, so that no stopped or slow child ever blocks the launcher.

    The thread puts the child into `events` when it has an `address`, and again when it is `done`.
    """

    def __init__(self, index: int, name: str, events: SimpleQueue[Child]):
        self.index, self.name = index, name
        self.address: str | None = None
        self.result: Any = None
        self.stats: Stats | None = None
        self.failure: Failure | None = None
        self.done = False
        self._events = events
        self._listens = False
        self._program: SimpleQueue[Sequence[Packed] | None] = SimpleQueue()
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, str(_START_FILE), str(theirs.fileno()), str(os.getpid()), *_paths()],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                process_group=0,  # so that what a program starts can be ended with it
                env={**dict.fromkeys(_THREADS, "1"), **_MEMORY, **os.environ},
            )
        self._ended = os.pidfd_open(self.process.pid) if hasattr(os, "pidfd_open") else None
        self._thread: threading.Thread | None = None

    # ------------------------------------------------------------------ called by the launcher, never waiting

    def introduce(self, setup: Packed) -> None:
        self._thread = threading.Thread(target=self._follow, args=(setup,), daemon=True, name=f"mpc-follow-{self.index}")
        self._thread.start()

    def begin(self, messages: Sequence[Packed]) -> None:
        """Send the addresses and the program."""
        self._program.put(messages)

    def tell(self, peer: int, reason: str) -> None:
        """A peer has failed. One that is still reading its program is not told: it will be killed."""
        if self._listens and not self.done:
            with suppress(OSError):
                self._channel.send(pack((peer, reason)))

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()

    # ------------------------------------------------------------------ the thread

    def _follow(self, setup: Packed) -> None:
        try:
            self._converse(setup)
        except (EOFError, OSError):
            self.failure = self._died()
        except Exception as error:
            self.failure = Failure(self.index, RunFailed(f"the launcher lost {self.name}: {type(error).__name__}: {error}"))
        self.done = True
        self._events.put(self)

    def _converse(self, setup: Packed) -> None:
        self._channel.send(setup)
        kind, *told = unpack(self._receive())
        if kind == "unready":
            error = PartyDied(f"{self.name} did not start: its interpreter cannot import mpc: {told[0]}", self.index)
            self.failure = Failure(self.index, error, traceback=told[1])
            return
        self.address = told[0]
        self._events.put(self)
        messages = self._program.get()
        if messages is None:
            return
        for message in messages:
            self._channel.send(message)
        self._listens = True
        kind, *told = unpack(self._receive())
        if kind == "error":
            self.failure = revive(self.index, self.name, told[0])
        else:
            self.stats, self.result = told[0], self._read_result(self._receive())

    def _receive(self) -> Packed:
        """The next message, or EOFError: also where a process forked by the child keeps the link open."""
        poll = select.poll()
        poll.register(self._channel.fileno(), select.POLLIN)
        if self._ended is not None:
            poll.register(self._ended, select.POLLIN)
        if self._channel.fileno() not in dict(poll.poll()):
            raise EOFError
        return self._channel.receive()

    def _read_result(self, packed: Packed) -> Any:
        try:
            return unpack(packed)
        except Exception as error:
            text = f"{self.name} returned something that cannot be read here: {type(error).__name__}: {error}"
            self.failure = Failure(self.index, RunFailed(text))

    def _died(self) -> Failure:
        try:
            how = exit_text(self.process.wait(_PATIENCE))
        except subprocess.TimeoutExpired:
            how = "closed its link to the launcher"
        when = "" if self._listens else " before it could run the program"
        return Failure(self.index, PartyDied(f"{self.name} (process {self.process.pid}) {how}{when}", self.index))

    # ------------------------------------------------------------------ the end

    def leave(self) -> None:
        """Let it exit, if it has reported."""
        self._channel.end_sending()

    def close(self) -> None:
        """Reap the process, which has ended or been killed, and release everything."""
        self._program.put(None)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # what the program has started, and left behind
        self.process.wait()
        self._channel.shut()
        if self._thread is not None:
            self._thread.join()
        self._channel.close()
        if self._ended is not None:
            os.close(self._ended)


def end(children: Sequence[Child], at_once: bool) -> list[int]:
    """End all processes: those that have reported may exit by themselves. The indices of those that had not."""
    silent = [child.index for child in children if not child.done]
    try:
        for child in children:
            if not child.done:
                child.kill()
            child.leave()
        deadline = time.monotonic() + (0 if at_once else _PATIENCE)
        for child in children:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0, deadline - time.monotonic()))
    finally:
        for child in children:
            child.kill()
        for child in children:
            child.close()
    return silent


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Processes started meanwhile begin with SIGINT blocked: Ctrl-C cannot hit one before it has said how to take it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _paths() -> list[str]:
    return [path for path in sys.path if isinstance(path, str)]
