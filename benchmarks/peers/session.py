"""A peer that runs: its parties are processes which stay, so that they can be timed in turns with something else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Any, Self

import numpy as np

from benchmarks.peers.errors import PeerError, TooSlow
from benchmarks.peers.peer import WORKERS, Measured, Peer, function_of

LIMIT = 300.0  # seconds that one measurement may take, with its first compilation and warm-up
_SHOWN = 1500  # characters of the log of a party that died


class Session:
    """The parties of a peer, started upon the first measurement. Use it as a context manager: at its end nothing is left."""

    def __init__(self, peer: Peer, limit: float = LIMIT):
        self.peer, self.title, self._limit = peer, peer.title, limit
        self._parties: list[subprocess.Popen[bytes]] = []
        self._folder: Path | None = None

    def __enter__(self) -> Self:
        self.peer.require()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def measure(self, workload: str, arrays: list[np.ndarray[Any, Any]], repeats: int = 3) -> Measured:
        """Time a workload on these inputs; its first call also prepares it and runs it untimed.

        PeerError where a party dies, TooSlow past the limit; either way no process is left, and the next call starts anew.
        """
        try:
            folder = self._start()
            if not (folder / f"{workload}.npz").exists():
                np.savez(folder / f"{workload}.npz", *arrays)
            order = json.dumps({"workload": workload, "function": function_of(workload), "repeats": repeats}) + "\n"
            for party in self._parties:
                _write(party, order.encode())
            answers = [json.loads(line) for line in self._lines(time.monotonic() + self._limit)]
            result = np.load(folder / f"{workload}.npy")
        except BaseException:
            self.stop()
            raise
        seconds = [max(times) for times in zip(*(answer["seconds"] for answer in answers), strict=True)]
        return Measured(seconds, _most(answers, "rounds"), _most(answers, "bytes_sent"), result)

    def _start(self) -> Path:
        if self._folder is not None:
            return self._folder
        self._folder = Path(tempfile.mkdtemp(prefix="mpc-peer-"))
        ports = _free_ports(self.peer.parties)
        variables = {**os.environ, **self.peer.variables}
        for rank in range(self.peer.parties):
            start = {"rank": rank, "ports": ports, "folder": str(self._folder), **self.peer.settings}
            command = [str(self.peer.environment.python), "-P", str(WORKERS / self.peer.worker), json.dumps(start)]
            with self._log(rank).open("wb") as log:
                party = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=self._folder, bufsize=0,
                    env={name: value for name, value in variables.items() if value is not None}, start_new_session=True,
                )  # fmt: skip
            self._parties.append(party)
        return self._folder

    def _log(self, rank: int) -> Path:
        assert self._folder is not None
        return self._folder / f"log{rank}"

    def _lines(self, deadline: float) -> list[bytes]:
        """A line of every party; whichever dies first is noticed, whoever the others wait for."""
        lines = [b""] * len(self._parties)
        with DefaultSelector() as waiting:
            for rank, party in enumerate(self._parties):
                assert party.stdout is not None
                waiting.register(party.stdout, EVENT_READ, rank)
            while waiting.get_map():
                ready = waiting.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise TooSlow(f"over {self._limit:g} s")
                for key, _ in ready:
                    data = os.read(key.fd, 1 << 16)
                    if not data:
                        raise PeerError(f"{self.title}: party {key.data} died; its last words:\n{self._last_words(key.data)}")
                    lines[key.data] += data
                    if data.endswith(b"\n"):
                        waiting.unregister(key.fileobj)
        return lines

    def _last_words(self, rank: int) -> str:
        return self._log(rank).read_text(errors="replace")[-_SHOWN:].strip() or "(none)"

    def stop(self) -> None:
        """End the parties, with whatever they started, and take their files away."""
        for party in self._parties:
            if party.poll() is None:  # else its number may be another's by now
                os.killpg(party.pid, signal.SIGKILL)
        for party in self._parties:
            party.wait()
            for pipe in (party.stdin, party.stdout):
                assert pipe is not None
                pipe.close()
        self._parties = []
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None


def _write(party: subprocess.Popen[bytes], line: bytes) -> None:
    assert party.stdin is not None
    with suppress(BrokenPipeError):  # it died: reading its answer says so, with its log
        party.stdin.write(line)


def _most(answers: list[dict[str, Any]], name: str) -> int | None:
    """Of the busiest party."""
    counts = [answer[name] for answer in answers]
    return None if None in counts else max(counts)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
