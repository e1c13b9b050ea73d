"""Two parties and a dealer as services on this machine, for the soak test and the tests of `mpc serve`."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.clusters import write_cluster
from benchmarks.waiting import until
from mpc.serve import submit

NAMES = ("a", "b", "dealer")


class Ended(NamedTuple):
    """How a job ended, as its submitter was told."""

    status: int
    text: str
    output: str
    told: list[str]


class Usage(NamedTuple):
    """What a service holds."""

    descriptors: int
    children: int
    megabytes: float
    disk: int


class Services:
    """In a folder of their own. `programs` are source texts by name, which all parties admit."""

    def __init__(self, folder: Path, programs: dict[str, str], args: dict[str, list[str]] | None = None, *options: str):
        self.folder, self._options = folder, options
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        write_cluster(folder, NAMES, head="[timeouts]\nmessage = 30\n")
        for party in NAMES[:2]:
            (folder / party).mkdir()
            for name, source in programs.items():
                (folder / party / f"{name}.py").write_text(source)
            self.admit(party, list(programs), (args or {}).get(party, []))

    def admit(self, party: str, programs: list[str], args: list[str]) -> None:
        """Write a party's list anew, with the programs' digests as they are now."""
        entries = [
            f'[[program]]\nname = "{program}"\nfile = "{program}.py"\n'
            f'sha256 = "{self.digest(party, program)}"\nargs = {json.dumps(args)}\n'
            for program in programs
        ]
        (self.folder / party / "programs.toml").write_text("\n".join(entries))

    def digest(self, party: str, program: str) -> str:
        return hashlib.sha256((self.folder / party / f"{program}.py").read_bytes()).hexdigest()

    # ------------------------------------------------------------------ processes

    def start(self, *names: str, options: Sequence[str] = ()) -> None:
        for name in names or NAMES:
            programs = [] if name == "dealer" else ["--programs", f"{name}/programs.toml"]
            with (self.folder / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        "mpc",
                        "serve",
                        "--cluster",
                        "cluster.toml",
                        "--as",
                        name,
                        *programs,
                        *self._options,
                        *options,
                    ],
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
        until(lambda: all((self.at(name) / "socket").exists() for name in names or NAMES))

    def at(self, name: str) -> Path:
        return self.folder / f"{name}.serve"

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def workers(self, name: str) -> list[int]:
        """The processes of a service's jobs: one, but for a moment between two."""
        pid = self.processes[name].pid
        try:
            return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            return []

    def all_workers(self) -> int:
        """How many processes of jobs there are on this machine, also of services that were killed."""
        mine = str(self.folder).encode()
        found = 0
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                words = path.read_bytes()
                found += b"mpc.serve.worker" in words and mine in words
        return found

    def submit(self, name: str, program: str, *args: str) -> Ended:
        output: list[bytes] = []
        told: list[str] = []
        status, text = submit(self.at(name), program, args, output.append, told.append)
        return Ended(status, text, b"".join(output).decode(), told)

    def outcomes(self, name: str) -> list[dict[str, Any]]:
        """How the jobs that a service still keeps have ended, the newest last, with what they printed."""
        found = []
        for job in sorted((self.at(name) / "jobs").glob("[0-9]*")):
            with suppress(OSError, ValueError):
                found.append(json.loads((job / "outcome.json").read_text()) | {"log": (job / "log.txt").read_text()})
        return found

    def usage(self, name: str) -> Usage:
        pid = self.processes[name].pid
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        disk = 0
        for path in self.at(name).rglob("*"):
            with suppress(OSError):  # the next job's folder comes and goes
                disk += path.stat().st_size if path.is_file() else 0
        descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        return Usage(descriptors, len(self.workers(name)), pages * os.sysconf("SC_PAGE_SIZE") / 1e6, disk)

    def idle(self, *names: str) -> bool:
        """Wait until these services have each a worker that waits for a job."""
        return until(lambda: all(self._waits(name) for name in names or NAMES))

    def _waits(self, name: str) -> bool:
        lines = [line for line in self.log(name).splitlines() if "waiting for" not in line]
        return bool(lines) and "ready for a job" in lines[-1] and len(self.workers(name)) == 1

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
