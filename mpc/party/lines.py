"""Lines of the user's program: which one is running."""

from __future__ import annotations

import dis
import linecache
import sysconfig
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

_HOME = Path(__file__).parents[2]
_OURS = tuple(f"{_HOME / package}/" for package in ("mpc", "protocols"))
_STANDARD = tuple(f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib"))


class Line(NamedTuple):
    """A line of a program: its file, its number from 1, and the function that it is in (that around a comprehension)."""

    file: str
    number: int
    function: str

    @property
    def text(self) -> str:
        """What stands there; nothing where the source cannot be found, as that of a prompt."""
        return linecache.getline(self.file, self.number).strip()


class Place(NamedTuple):
    """A line of the program, and whether that itself is running, or NumPy for it: not mpc, called from it."""

    line: Line
    itself: bool


def run_program(program: Callable[..., Any], *args: Any) -> Any:
    """Run it. What stands above this call on the stack is the program."""
    return program(*args)


def place_of(frame: FrameType | None, running: bool = True) -> Place | None:
    """The innermost line of a running program that is neither in mpc nor in a library; None where no program runs.

    `running=False`: also of what uses mpc after the program, or without one.
    Of a program that is itself a library, as an installed package is, the line of the outermost function.
    """
    inside, innermost, outermost = False, None, None
    while frame is not None and frame.f_code is not run_program.__code__:
        if innermost is None:
            if _is_ours(frame.f_code.co_filename):
                inside = True
            elif not _is_library(frame.f_code.co_filename) and not _is_generated(frame):
                innermost = frame
            else:
                outermost = frame
        frame = frame.f_back
    found = innermost or outermost
    return None if found is None or (running and frame is None) else Place(_line(found), not inside)


def _line(frame: FrameType) -> Line:
    return Line(frame.f_code.co_filename, _number(frame), frame.f_code.co_qualname.split(".<locals>.<")[0])


def _number(frame: FrameType) -> int:
    number: int | None = frame.f_lineno
    return _number_at(frame.f_code, frame.f_lasti) if number is None else number


@cache
def _number_at(code: CodeType, offset: int) -> int:
    """Of a jump without a line, as back to a loop's begin from several lines: that of where it goes; else of what is before."""
    lines = [line for line, *_ in code.co_positions()]  # of instructions, of two bytes each
    jumps = (each for each in dis.get_instructions(code) if each.offset == offset and each.opcode in dis.hasjrel)
    found: list[int | None] = [code.co_firstlineno, *lines[: offset // 2], *(lines[jump.argval // 2] for jump in jumps)]
    return [line for line in found if line is not None][-1]


@cache
def _is_ours(file: str) -> bool:
    return file.startswith(_OURS)


@cache
def _is_library(file: str) -> bool:
    return file.startswith(_STANDARD) or "/site-packages/" in file or "/dist-packages/" in file


def _is_generated(frame: FrameType) -> bool:
    """Whether this code stands in no file, and is none of a prompt: a library made it, as dataclasses do."""
    return frame.f_code.co_filename.startswith("<") and frame.f_globals.get("__name__") != "__main__"
