"""A worker's process, seen from the service: what it says, what it prints, and its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path

from mpc.serve.lines import Lines
from mpc.serve.options import Options

LARGEST_LOG = 1 << 26  # bytes
_CHUNK = 1 << 16
_LAST = 64  # chunks that are taken from a process that has ended: what it has started may print on


class Process:
    """Started in `folder`, the job's, where `log.txt` gets what it prints. `link` and `output` become readable.

    OSError where it cannot be started. `lost` is why the log is not whole, if it is not: a disk may be full.
    """

    def __init__(self, options: Options, folder: Path):
        self._room, self.lost = LARGEST_LOG, ""
        with ExitStack() as undo:
            self._log = (folder / "log.txt").open("wb", buffering=0)
            undo.callback(self._log.close)
            ours, theirs = socket.socketpair()
            undo.callback(ours.close)
            with theirs:
                self.link = Lines(ours)
                self.output, printing = os.pipe()
                undo.callback(os.close, self.output)
                os.set_blocking(self.output, False)
                try:
                    self._process = _started(options, folder, theirs.fileno(), printing)
                finally:
                    os.close(printing)
            undo.pop_all()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def code(self) -> int | None:
        """The return code, once it has ended."""
        return self._process.poll()

    def copy_output(self) -> bool:
        """Move some of what it printed to the log; False once nothing more comes."""
        try:
            data = os.read(self.output, _CHUNK)
        except BlockingIOError:
            return self.code is None
        if self._room > 0:
            self._keep(data[: self._room])
            self._room -= len(data)
            if self._room <= 0:
                self._keep(b"\n[this log is full: what followed was dropped]\n")
        return bool(data)

    def _keep(self, data: bytes) -> None:
        try:
            while data and not self.lost:
                data = data[self._log.write(data) :]
        except OSError as error:
            self.lost = str(error.strerror)

    def stop(self) -> None:
        """Ask it to tell the others, and to end."""
        if self.code is None:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        if self.code is None:
            self._process.kill()

    def end(self) -> None:
        """It has ended: end what the program has started, and left behind."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Release everything, after `end`."""
        for _ in range(_LAST):
            if not self.copy_output():
                break
        self.link.close()
        os.close(self.output)
        with suppress(OSError):
            self._log.close()


def _started(options: Options, folder: Path, link: int, printing: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "mpc.serve.worker", str(link), str(os.getpid()), json.dumps(asdict(options))],
        pass_fds=[link],
        stdin=subprocess.DEVNULL,
        stdout=printing,
        stderr=printing,
        cwd=folder,
        process_group=0,  # so that what a program starts can be ended with it
    )
