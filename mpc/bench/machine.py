"""Where and with what something was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mpc.cost.calibrating import processor

_ROOT = Path(__file__).parents[2]


def describe() -> dict[str, str]:
    """This machine and the versions that matter, as text: what two files of results are compared by."""
    packages = {package: _version(package) for package in ("numpy", "numba", "pyzmq", "cryptography")}
    return {
        "cpu": processor(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        **packages,
    }


@dataclass(frozen=True)
class Commit:
    """What is measured, and whether the working tree differs from it."""

    commit: str
    dirty: bool


def commit() -> Commit | None:
    """None where mpc runs from no working tree of its own."""
    with suppress(OSError, subprocess.SubprocessError):
        _git("ls-files", "--error-unmatch", "mpc/__init__.py")  # else it is somebody else's tree, with us installed in it
        return Commit(_git("rev-parse", "HEAD").strip(), bool(_git("status", "--porcelain").strip()))
    return None


def _git(*arguments: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(_ROOT), *arguments]  # changes nothing, also no index
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout


def _version(package: str) -> str:
    with suppress(PackageNotFoundError):
        return version(package)
    return "missing"


def _memory() -> str:
    with suppress(AttributeError, OSError, ValueError):  # Windows has no such names
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.1f} GB"
    return "unknown"
