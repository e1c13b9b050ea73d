"""How bars are shown, on standard error: drawn anew several times a second on a terminal, else as a line now and then."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol, TextIO, cast

LOG = "MPC_LOG"  # of the environment
_LINES_EVERY = 10.0  # seconds at least between two lines, where there is no terminal
_DRAWN_EVERY = 0.25
_ERASE_BELOW = "\x1b[J"


class Row(NamedTuple):
    """What is to be seen of one bar."""

    description: str
    done: int
    total: int | None
    values: dict[str, str]
    costs: tuple[str, ...]

    @property
    def counts(self) -> str:
        return f"{self.done}" if self.total is None else f"{self.done}/{self.total}"


Rows = Callable[[], Sequence[Row]]


class Display(Protocol):
    """Shows rows from its making until `stop`."""

    def changed(self) -> None:
        """The rows have changed."""

    def stop(self, rows: Sequence[Row]) -> None:
        """Show these, for the last time."""


def as_json() -> bool:
    """Whether all that is told on standard error is to be one JSON object a line: also by the processes that we start."""
    return os.environ.get(LOG) == "json"


def json_line(event: str, text: str = "", **facts: Any) -> str:
    """Something that happened, with its time: `text` is for people, `facts` are for programs."""
    line = {"time": round(time.time(), 3), "event": event, **({"text": text} if text else {}), **facts}
    return json.dumps(line, default=str)


def display(rows: Rows) -> Display:
    if not as_json() and sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb"):
        return Live(rows)
    return Lines(rows)


class Lines:
    """A line every ten seconds at most, and one at the end."""

    def __init__(self, rows: Rows):
        self._rows, self._last = rows, time.monotonic()

    def changed(self) -> None:
        if time.monotonic() - self._last >= _LINES_EVERY:
            self._last = time.monotonic()
            self.stop(self._rows())

    def stop(self, rows: Sequence[Row]) -> None:
        """The costs are those of the outermost bar; where two show a value of the same name, it is the inner one's."""
        where = ", ".join(f"{row.description} {row.counts}" for row in rows)
        values = {name: text for row in rows for name, text in row.values.items()}
        text = f"{where}: {', '.join([*map(' '.join, values.items()), *rows[0].costs])}"
        print(json_line("progress", text) if as_json() else text, file=sys.stderr, flush=True)


class Live:
    """Bars at the foot of a terminal.

    The cursor rests on an empty line above them, and is never hidden: what any process prints comes there, the bars are drawn
    anew below it, and a party that is killed leaves a terminal in order.
    """

    def __init__(self, rows: Rows):
        self._rows = rows
        self._terminal = sys.stderr
        self._before = sys.stdout, sys.stderr
        self._over = threading.Event()
        if sys.stdout.isatty():
            sys.stdout = cast(TextIO, Above(sys.stdout))
        sys.stderr = cast(TextIO, Above(sys.stderr))
        self._now = sys.stdout, sys.stderr
        self._thread = threading.Thread(target=self._draw, daemon=True, name="mpc-progress")
        self._thread.start()

    def changed(self) -> None:
        pass  # it is drawn several times a second anyway

    def stop(self, rows: Sequence[Row]) -> None:
        self._over.set()
        self._thread.join()
        if (sys.stdout, sys.stderr) == self._now:  # else somebody has put something else in its place
            sys.stdout, sys.stderr = self._before
        self._write(f"{_ERASE_BELOW}{_text(rows)}")

    def _draw(self) -> None:
        while not self._over.wait(_DRAWN_EVERY):
            text = _text(self._rows())
            self._write(f"{_ERASE_BELOW}\n{text}\x1b[{text.count(chr(10)) + 1}A")

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):  # the terminal is gone: so be it
            self._terminal.write(text)
            self._terminal.flush()


class Above:
    """A stream to a terminal on which bars stand below the cursor: they make place for what is written."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(_ERASE_BELOW + text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def erase() -> None:
    """Bars that a party has left on the terminal, when it was killed."""
    if sys.stderr.isatty():
        sys.stderr.write(_ERASE_BELOW)
        sys.stderr.flush()


def _text(rows: Sequence[Row]) -> str:
    """The bars as lines that fit the terminal, each with its end."""
    from rich.console import Console  # only programs that show progress on a terminal pay for this import
    from rich.progress_bar import ProgressBar
    from rich.table import Column, Table

    grid = Table.grid(Column(no_wrap=True), Column(max_width=40), *[Column(no_wrap=True) for _ in range(5)], padding=(0, 1))
    for row in rows:
        bar = ProgressBar(row.total, row.done, pulse=row.total is None)
        grid.add_row(row.description, bar, row.counts, " ".join(map(" ".join, row.values.items())), *row.costs)
    console = Console(file=sys.__stderr__)
    with console.capture() as capture:
        console.print(grid)
    return capture.get()


def clock(seconds: float) -> str:
    """0:12, 12:00 or 1:00:00."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def size_text(nbytes: int) -> str:
    """Bytes as people read them, to three digits."""
    value, unit = float(nbytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    digits = 0 if unit == "B" or value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {unit}"
