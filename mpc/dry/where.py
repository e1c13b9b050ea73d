"""Where in the program a dry run cannot go on."""

from __future__ import annotations

import sys
from typing import NoReturn

from mpc.errors import DryRunError
from mpc.party.lines import place_of


def stop(use: str, cure: str) -> NoReturn:
    raise DryRunError(f"{here()}a dry run does not know what is revealed, and the program needs it {use}. {cure}")


def here() -> str:
    """The file, number and text of the line of the program that led here; nothing where it cannot be told."""
    place = place_of(sys._getframe(1), running=False)
    if place is None:
        return ""
    file, number, _ = line = place.line
    return f"{file}:{number}: " + (f"`{line.text}`: " if line.text else "")
