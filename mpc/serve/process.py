"""A worker's process, seen from the service: what it says, what it prints, and its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from mpc.serve.lines import Lines
from mpc.serve.options import Options

LARGEST_LOG = 1 << 26  # bytes
_CHUNK = 1 << 16
_LAST = 64  # chunks that are taken from a process that has ended: what it has started may print on


class Process:
    """Started in `folder`, the job's, where `log.txt` gets what it prints. `link` and `output` become readable."""

    def __init__(self, options: Options, folder: Path):
        ours, theirs = socket.socketpair()
        self.link = Lines(ours)
        self.output, printing = os.pipe()
        os.set_blocking(self.output, False)
        self._log = (folder / "log.txt").open("wb")
        self._room = LARGEST_LOG
        setup = json.dumps(asdict(options))
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "mpc.serve.worker", str(theirs.fileno()), str(os.getpid()), setup],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=printing,
                stderr=printing,
                cwd=folder,
                process_group=0,  # so that what a program starts can be ended with it
            )
        os.close(printing)

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
            self._log.write(data[: self._room])
            self._room -= len(data)
            if self._room <= 0:
                self._log.write(b"\n[this log is full: what followed was dropped]\n")
            self._log.flush()
        return bool(data)

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
        self._log.close()
