"""Files that a command will write."""

from __future__ import annotations

import os
from pathlib import Path

import click


def check_writable(path: Path, option: str) -> None:
    """Refuse a file that cannot be written: before a long run, not after it. click.BadParameter names the option."""
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise click.BadParameter(f"{path} cannot be written: it, or its folder, is missing or read-only", param_hint=option)
