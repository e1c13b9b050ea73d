"""Where in the program a dry run cannot go on."""

from __future__ import annotations

import linecache
import sys
from typing import NoReturn

from mpc.errors import DryRunError

_OURS = ("mpc", "protocols", "numpy")


def stop(use: str, cure: str) -> NoReturn:
    raise DryRunError(f"{here()}a dry run does not know what is revealed, and the program needs it {use}. {cure}")


def here() -> str:
    """The file, number and text of the line of the program that led here; nothing where it cannot be told."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _OURS:
        frame = frame.f_back  # type: ignore[assignment]
    if frame is None:
        return ""
    path = frame.f_code.co_filename
    text = linecache.getline(path, frame.f_lineno).strip()
    return f"{path}:{frame.f_lineno}: " + (f"`{text}`: " if text else "")
