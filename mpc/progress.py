"""Progress of a program, shown once, by party 0: live bars on a terminal, a line now and then elsewhere (logs of CI).

Both go to standard error. Shown are counts, costs and time, and the numbers that the program hands over in the clear.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np

from mpc import ring
from mpc.errors import UsageError
from mpc.party import Cost, Endpoint

if TYPE_CHECKING:
    from rich.table import Table  # only programs that show progress on a terminal pay for this import

T = TypeVar("T")

_PAUSE = 10.0  # seconds between two lines, where there is no terminal


class Bar:
    """How far a part of a program is. `total` is None where nobody knows how long it takes."""

    def __init__(self, board: Board, description: str, total: int | None):
        if total is not None and (isinstance(total, bool) or not isinstance(total, Integral) or total < 0):
            raise UsageError(f"operation 'progress': total must be a number of steps, or None, not {total!r}")
        self.description, self.total, self.done = str(description), total, 0
        self.values: dict[str, str] = {}
        self.running = False
        self._board = board
        self._before = Cost()

    def update(self, steps: int = 1, /, **values: Any) -> None:
        """So many more steps are done. `values` as for `show`."""
        self.show(**values)
        self.done += steps
        self._board.changed()
        if self.total is not None and self.done >= self.total:
            self.close()

    def show(self, **values: Any) -> None:
        """Show public numbers beside the bar: show(loss=0.31). None, as of what was revealed to others, is not shown."""
        for name, value in values.items():
            text = _number(f"party {self._board.index}, operation 'progress': {name}", value)
            if text is not None:
                self.values[name] = text

    def open(self) -> None:
        self.running, self.done, self._before = True, 0, self._board.total()
        self._board.open(self)

    def close(self) -> None:
        """It has ended. (All end with the program.)"""
        self._board.close(self)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------ as text

    def counts(self) -> str:
        return f"{self.done}" if self.total is None else f"{self.done}/{self.total}"

    def named_values(self) -> list[str]:
        return [f"{name} {text}" for name, text in list(self.values.items())]

    def costs(self) -> list[str]:
        """Rounds, bytes and time: what is left of it, while that can be told, and in the end what it took."""
        cost = self._board.total() - self._before
        spent = _clock(cost.seconds)
        if self.running and self.total and self.done:
            spent = f"{_clock(cost.seconds / self.done * (self.total - self.done))} left"
        return [f"{cost.rounds} rounds", f"{size_text(cost.bytes_sent)} sent", spent]


class Track(Bar, Generic[T]):
    """Items, with a bar that shows how many of them are done."""

    def __init__(self, board: Board, description: str, items: Iterable[T]):
        super().__init__(board, description, len(items) if isinstance(items, Sized) else None)
        self._items = items

    def __iter__(self) -> Iterator[T]:
        self.open()
        with self:
            for item in self._items:
                yield item
                self.done += 1
                self._board.changed()


class Display(Protocol):
    """Shows bars from its making until `stop`."""

    def changed(self) -> None: ...

    def stop(self) -> None: ...


class Board:
    """The open bars of one party, outer ones first. Only party 0 shows them."""

    def __init__(self, endpoint: Endpoint):
        self.index, self.total = endpoint.index, endpoint.meter.total
        self._bars: list[Bar] = []
        self._display: Display | None = None

    def open(self, bar: Bar) -> None:
        self._bars = [other for other in self._bars if other is not bar] + [bar]
        if self.index == 0 and self._display is None:
            ring.prepare()  # a first compilation says so on a line of its own, before there is a bar
            self._display = _Live(self) if _terminal() else _Lines(self)

    def close(self, bar: Bar) -> None:
        """An inner bar goes away; the last one stays as it is now."""
        bar.running = False
        if self._bars == [bar]:
            self.close_all()
        self._bars = [other for other in self._bars if other is not bar]

    def close_all(self) -> None:
        for bar in self._bars:
            bar.running = False
        display, self._display = self._display, None
        if display is not None:
            display.stop()
        self._bars = []

    def changed(self) -> None:
        if self._display is not None:
            self._display.changed()

    def grid(self) -> Table:
        """The open bars, as lines of one table."""
        from rich.progress_bar import ProgressBar
        from rich.table import Column, Table

        grid = Table.grid("", Column(max_width=40), *[Column(no_wrap=True) for _ in range(5)], padding=(0, 1))
        for bar in self._bars:
            line = ProgressBar(bar.total, bar.done, pulse=bar.total is None)
            grid.add_row(bar.description, line, bar.counts(), " ".join(bar.named_values()), *bar.costs())
        return grid

    def line(self) -> str:
        """The open bars as one line: the costs are those of the outermost."""
        where = ", ".join(f"{bar.description} {bar.counts()}" for bar in self._bars)
        values = [text for bar in self._bars for text in bar.named_values()]
        return f"{where}: {', '.join([*values, *self._bars[0].costs()])}"


class _Live:
    """Bars at the foot of a terminal, which what the party prints moves up."""

    def __init__(self, board: Board):
        from rich.console import Console
        from rich.live import Live

        class WithCursor(Console):
            def show_cursor(self, show: bool = True) -> bool:
                return False  # it is never hidden: a party that gets killed could not show it again

        self._live = Live(
            console=WithCursor(stderr=True),
            get_renderable=board.grid,
            refresh_per_second=4,
            redirect_stdout=sys.stdout.isatty(),  # where it is a file, it stays one
        )
        self._live.start()

    def changed(self) -> None:
        pass  # it is drawn several times a second anyway

    def stop(self) -> None:
        self._live.stop()


class _Lines:
    """A line every ten seconds at most, and one at the end."""

    def __init__(self, board: Board):
        self._board, self._last = board, time.monotonic()

    def changed(self) -> None:
        if time.monotonic() - self._last >= _PAUSE:
            self._last = time.monotonic()
            self._write()

    def stop(self) -> None:
        self._write()

    def _write(self) -> None:
        print(self._board.line(), file=sys.stderr, flush=True)


def _terminal() -> bool:
    """Whether bars can be drawn on standard error."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def _number(what: str, value: Any) -> str | None:
    """A public number as text."""
    if value is None:
        return None
    if hasattr(value, "reveal"):
        raise UsageError(f"{what} is secret; show what its reveal() gives, which all those may know that it is revealed to")
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return f"{float(value):.4g}"
    raise UsageError(f"{what} must be one public number, not {type(value).__name__}")


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def size_text(nbytes: int) -> str:
    """Bytes as people read them."""
    value, unit = float(nbytes), "B"
    for larger in ("kB", "MB", "GB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.2f} {unit}"
