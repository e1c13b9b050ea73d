"""mpc doctor: is this machine ready?"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click
import numpy as np


@click.command()
def doctor() -> None:
    """Show versions, processor and kernel speed, whether links can be encrypted, and what is wrong."""
    import zmq

    from mpc import __version__, ring
    from mpc.launch.find import known_protocols

    problems = []
    _line("mpc", __version__)
    _line("python", f"{platform.python_version()} ({sys.executable})")
    for package in ("numpy", "numba", "llvmlite", "cryptography", "pyzmq", "cloudpickle", "rich", "click"):
        try:
            _line(package, version(package))
        except PackageNotFoundError:
            problems.append(f"{package} is not installed: pip install {package}")
    _line("libzmq", zmq.zmq_version())
    _line("CURVE", "available" if zmq.has("curve") else "missing")
    if not zmq.has("curve"):
        problems.append("this ZeroMQ has no CURVE: parties on several machines could not encrypt. Install pyzmq from PyPI.")
    if tuple(map(int, zmq.zmq_version().split("."))) < (4, 3, 4):
        problems.append("libzmq is older than 4.3.4, which has known security faults: pip install --upgrade pyzmq")
    protocols = known_protocols()
    _line("protocols", ", ".join(protocols))
    if "additive" not in protocols:
        problems.append("the additive protocol is not registered: install mpc with pip, do not only put it on the path")
    kernels = ring.describe()
    _line("vectors", f"{kernels['lanes']} lanes of 64 bits; matrix products by the {kernels['kernel']} kernel")
    _line("kernel cache", str(kernels["cache folder"]))
    if not kernels["writable"]:
        problems.append(f"{kernels['cache folder']} cannot be written, so every process compiles: set XDG_CACHE_HOME")
    integer, real = _speed(ring.matmul, np.uint64), _speed(np.matmul, np.float64)
    _line("ring matmul", f"{integer:.1f} G multiply-adds/s on one thread; NumPy's float64, on all its threads: {real:.1f}")
    for problem in problems:
        click.echo(f"problem: {problem}", err=True)
    if problems:
        sys.exit(1)
    click.echo("no problems found")


def _line(name: str, value: str) -> None:
    click.echo(f"{name:<14}{value}")


def _speed(matmul: Callable[[Any, Any], Any], dtype: type) -> float:
    """Billions of multiply-adds a second, the best of five products of 1024 x 1024 matrices."""
    n = 1024
    a: np.ndarray[Any, Any] = np.random.default_rng(0).integers(0, 1 << 20, (n, n)).astype(dtype)
    best = float("inf")
    for _ in range(6):
        begin = time.perf_counter()
        matmul(a, a)
        best = min(best, time.perf_counter() - begin)
    return n**3 / best / 1e9
