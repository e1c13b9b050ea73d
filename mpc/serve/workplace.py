"""The folder of a service: its lock, its socket, and a folder for each of the last jobs."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import socket
from contextlib import suppress
from pathlib import Path

from mpc.errors import ServiceError
from mpc.serve.lines import Message

SOCKET = "socket"
_LONGEST = 100  # bytes of a Unix socket's path


class Workplace:
    """Of one service at a time. `jobs/000012` has what job 12 printed (log.txt), its outcome, and the files that it wrote.

    `prepare`, `begin` and `end` raise OSError: a disk may be full, and a program can do anything to these folders.
    """

    def __init__(self, folder: Path, keep: int):
        self.folder, self._jobs, self._keep = folder, folder / "jobs", keep
        try:
            folder.mkdir(0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            self._jobs.mkdir(exist_ok=True)
            self._lock = (folder / "lock").open("a")
        except OSError as error:
            raise ServiceError(
                f"the service's folder {folder} cannot be used: {error.strerror}; choose another (--folder)"
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise ServiceError(f"another service runs in {folder}: end it first, or choose another folder (--folder)") from None

    def listen(self) -> socket.socket:
        """The socket where jobs are submitted, which only this user may open."""
        path = self.folder / SOCKET
        check_length(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            path.unlink(missing_ok=True)  # of a service that was killed
            listener.bind(str(path))
        except OSError as error:
            listener.close()
            raise ServiceError(f"the socket {path} cannot be made: {error.strerror}; choose another folder (--folder)") from None
        finally:
            os.umask(before)
        listener.listen(64)
        listener.setblocking(False)
        return listener

    def prepare(self) -> Path:
        """An empty folder for the next job, hidden until that begins."""
        path = self._jobs / ".next"
        shutil.rmtree(path, ignore_errors=True)
        self._jobs.mkdir(exist_ok=True)
        path.mkdir()
        return path

    def begin(self, prepared: Path) -> Path:
        """Give it its number."""
        path = self._jobs / f"{1 + max(map(int, self._numbers()), default=0):06d}"
        prepared.rename(path)
        return path

    def end(self, job: Path, outcome: Message) -> None:
        """Keep how it ended, and of all jobs the last ones."""
        hidden = job / ".outcome.json"
        try:
            hidden.write_text(json.dumps(outcome, indent=1) + "\n")
            hidden.replace(job / "outcome.json")
        finally:  # this makes room, too
            for name in self._numbers()[: -self._keep]:
                shutil.rmtree(self._jobs / name, ignore_errors=True)

    def _numbers(self) -> list[str]:
        names = (path.name for path in self._jobs.iterdir())
        return sorted((name for name in names if re.fullmatch("[0-9]+", name)), key=int)

    def close(self) -> None:
        with suppress(OSError):
            (self.folder / SOCKET).unlink()
        shutil.rmtree(self._jobs / ".next", ignore_errors=True)
        self._lock.close()


def check_length(path: Path) -> None:
    if len(os.fsencode(path)) > _LONGEST:
        raise ServiceError(f"the path {path} is too long for a socket; choose a shorter folder (--folder)")
