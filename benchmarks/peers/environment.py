"""A peer's Python environment: versions that cannot live beside ours, in the user's cache folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.errors import PeerError

PYTHON = (3, 11)  # the one version that all peers run on


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mpc" / "peers"


@dataclass(frozen=True)
class Environment:
    """`pip`: the arguments of each `pip install` that makes it, in order; every version is pinned."""

    name: str
    pip: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return cache() / self.name

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def _marker(self) -> Path:
        """Written last, with what was installed: other pins, or an installation cut short, and it is made anew."""
        return self.folder / "complete"

    @property
    def installed(self) -> bool:
        return self._marker.is_file() and self._marker.read_text() == self._recipe()

    def _recipe(self) -> str:
        return "".join(f"pip install {line}\n" for line in self.pip)

    def install(self) -> bool:
        """Make it, unless it is there: whether there was anything to do. PeerError: no Python, or what pip could not do."""
        if self.installed:
            return False
        python = sys.executable if sys.version_info[:2] == PYTHON else shutil.which(f"python{PYTHON[0]}.{PYTHON[1]}")
        if python is None:
            raise PeerError(
                f"{self.name} needs Python {PYTHON[0]}.{PYTHON[1]}, which is not on the path: install it, then try again"
            )
        self._run(python, "-m", "venv", "--clear", str(self.folder))
        for line in self.pip:
            self._run(str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *line.split())
        self._marker.write_text(self._recipe())
        return True

    def _run(self, *command: str) -> None:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            shown = "\n".join(done.stderr.splitlines()[-5:])
            raise PeerError(
                f"{self.name} was not installed: `{' '.join(command)}` failed; is a package index within reach?\n{shown}"
            )
