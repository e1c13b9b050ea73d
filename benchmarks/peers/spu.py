"""SPU (SecretFlow): SEMI2K over 2^64, two processes on loopback, with a trusted first party in the dealer's place.

`python -m benchmarks.peers.spu install` makes its environment in the user's cache folder: some 1 GB. SPU needs a NumPy below
2 and a Python below 3.12, so it cannot share ours. `python -m benchmarks.peers.spu run relu1m exp` measures it alone.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import click
import numpy as np

from benchmarks.catalogue import ALL

VERSION = "0.9.5"
PYTHON = "python3.11"
HOW_TO_GET_IT = f"python -m benchmarks.peers.spu install  # SPU {VERSION}, from PyPI, into {{}}"
_WORKER = Path(__file__).resolve().with_name("spu_worker.py")
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")  # SPU obeys them too, and by default uses all cores
_TRAFFIC = re.compile(r"total send bytes (\d+), recv bytes \d+, send actions (\d+)")


def folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "mpc" / "peers" / f"spu-{VERSION}"


def installed() -> bool:
    return (folder() / "complete").exists()


def how_to_get_it() -> str:
    return HOW_TO_GET_IT.format(folder())


def install() -> None:
    python = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which(PYTHON)
    if python is None:
        raise SystemExit(f"SPU {VERSION} needs {PYTHON}, which is not on the path")
    subprocess.run([python, "-m", "venv", "--clear", folder()], check=True)
    subprocess.run([folder() / "bin" / "pip", "install", "--quiet", f"spu=={VERSION}"], check=True)
    (folder() / "complete").touch()


@dataclass(frozen=True)
class Measured:
    """Seconds of each repetition (the slower party's), the busier party's traffic, and the revealed result."""

    seconds: list[float]
    bytes_sent: int
    rounds: int
    result: np.ndarray


class SPU:
    """Two parties that stay, so that they can be timed in turns with something else. Use it as a context manager."""

    def __init__(self, fraction_bits: int = 0):
        self._fraction_bits = fraction_bits
        self._traffic: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="mpc-spu-"))
        self._logs = [self._folder / f"log{rank}" for rank in range(2)]
        ports = [str(port) for port in _free_ports(2)]
        environment = {name: value for name, value in os.environ.items() if name not in _THREADS}
        self._parties = []  # -P: `import spu` must not find this file
        for rank, log in enumerate(self._logs):
            with log.open("w") as file:
                process = subprocess.Popen(
                    [folder() / "bin" / "python", "-P", _WORKER, str(rank), self._folder, str(self._fraction_bits), *ports],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file, text=True,
                    env=environment, cwd=self._folder,
                )  # fmt: skip
            self._parties.append(process)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._parties:
            process.kill()
            process.communicate()
        shutil.rmtree(self._folder)

    def measure(self, name: str, repeats: int = 3) -> Measured:
        """Time a workload; its first call also compiles it and runs it twice untimed."""
        first = name not in self._traffic
        if first:
            np.savez(self._folder / f"{name}.npz", *ALL[name].arrays())
        before = [log.stat().st_size for log in self._logs]
        for process in self._parties:
            assert process.stdin is not None
            process.stdin.write(json.dumps({"workload": name, "repeats": repeats}) + "\n")
            process.stdin.flush()
        answers = [self._answer(rank) for rank in range(2)]
        if first:
            self._traffic[name] = self._count(before)
        seconds = [max(pair) for pair in zip(*answers, strict=True)]
        return Measured(seconds, *self._traffic[name], np.load(self._folder / f"{name}.npy"))

    def _answer(self, rank: int) -> list[float]:
        stdout = self._parties[rank].stdout
        assert stdout is not None
        line = stdout.readline()
        if not line:
            raise RuntimeError(f"SPU's party {rank} died:\n{self._logs[rank].read_text()[-3000:]}")
        return json.loads(line)

    def _count(self, before: list[int]) -> tuple[int, int]:
        """Bytes that the busier party sent, and how often, in the run since the logs had these sizes."""
        pairs = []
        for log, offset in zip(self._logs, before, strict=True):
            bytes_sent, actions = _TRAFFIC.findall(log.read_bytes()[offset:].decode(errors="replace"))[-1]
            pairs.append((int(bytes_sent), int(actions)))
        return max(pair[0] for pair in pairs), max(pair[1] for pair in pairs)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@click.group(help=__doc__)
def main() -> None:
    pass


@main.command("install")
def _install() -> None:
    """Make SPU's environment in the user's cache folder."""
    install()
    click.echo(f"SPU {VERSION} is in {folder()}")


@main.command("run")
@click.argument("workloads", nargs=-1, type=click.Choice(list(ALL)))
@click.option("--repeats", default=3)
@click.option("--fraction-bits", default=0, help="0: SPU's default, 18")
def _run(workloads: tuple[str, ...], repeats: int, fraction_bits: int) -> None:
    """Measure SPU alone: all workloads, or those named."""
    if not installed():
        raise SystemExit(how_to_get_it())
    with SPU(fraction_bits) as spu:
        for name in workloads or ALL:
            done = spu.measure(name, repeats)
            error = np.abs(done.result.astype(float) - ALL[name].reference(*ALL[name].arrays())).max()
            times = f"{statistics.median(done.seconds):.4f} s, {min(done.seconds):.4f} to {max(done.seconds):.4f}"
            click.echo(f"{name}: {times}; {done.rounds} sends, {done.bytes_sent / 1e6:.2f} MB; worst error {error:.2g}")


if __name__ == "__main__":
    main()
