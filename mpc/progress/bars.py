"""Bars, as programs move them. They show counts, costs and time, and numbers that the program hands over in the clear."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from numbers import Integral, Real
from typing import Any, Generic, TypeVar

import numpy as np

from mpc import ring
from mpc.errors import UsageError
from mpc.party import Cost, Endpoint
from mpc.progress.display import Display, Row, clock, display, size_text

T = TypeVar("T")


class Bar:
    """How far a part of a program is. `total` is None where nobody knows how long it takes."""

    def __init__(self, board: Board, description: str, total: int | None):
        if total is not None and (isinstance(total, bool) or not isinstance(total, Integral) or total < 0):
            raise UsageError(f"operation 'progress': total must be a number of steps, or None, not {total!r}")
        self._board = board
        self._description, self._total, self._done = str(description), total, 0
        self._values: dict[str, str] = {}
        self._before = Cost()

    def update(self, steps: int = 1, /, **values: Any) -> None:
        """So many more steps are done. `values` as for `show`."""
        self.show(**values)
        self._done += steps
        self._board.changed()
        if self._total is not None and self._done >= self._total:
            self.close()

    def show(self, **values: Any) -> None:
        """Show public numbers beside the bar: show(loss=0.31). None, as of what was revealed to others, is not shown."""
        for name, value in values.items():
            text = _number(f"party {self._board.index}, operation 'progress': {name}", value)
            if text is not None:
                self._values[name] = text

    def open(self) -> None:
        """It begins, from 0."""
        self._done = 0
        self._board.open(self)
        self._before = self._board.cost()

    def close(self) -> None:
        """It has ended. (All end with the program.)"""
        self._board.close(self)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------ for the board

    def fraction(self, inner: float) -> float:
        """The part that is done, where `inner` is that of the current step."""
        return min(1.0, (self._done + inner) / self._total) if self._total else 0.0

    def row(self, fraction: float, running: bool) -> Row:
        """What is to be seen. While it runs, the time that is left, if that can be told; in the end, what it took."""
        cost = self._board.cost() - self._before
        left = cost.seconds / fraction * (1 - fraction) if fraction else None
        seconds = clock(cost.seconds) if not running or left is None else f"{clock(left)} left"
        costs = (f"{cost.rounds} rounds", f"{size_text(cost.bytes_sent)} sent", seconds)
        return Row(self._description, self._done, self._total, dict(self._values), costs)


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
                self._done += 1
                self._board.changed()


class Board:
    """The open bars of one party, outer ones first. Only party 0 shows them."""

    def __init__(self, endpoint: Endpoint):
        self.index, self.cost = endpoint.index, endpoint.meter.total
        self._bars: list[Bar] = []
        self._display: Display | None = None

    def open(self, bar: Bar) -> None:
        self._bars = [*self._without(bar), bar]
        ring.prepare()  # all parties at once, and a first compilation says so on a line of its own, before there is a bar
        if self.index == 0 and self._display is None:
            self._display = display(self.rows)

    def close(self, bar: Bar) -> None:
        """An inner bar goes away; the last one stays as it is now."""
        if self._bars == [bar]:
            self.close_all()
        self._bars = self._without(bar)

    def close_all(self) -> None:
        shown, self._display = self._display, None
        if shown is not None:
            shown.stop(self.rows(running=False))
        self._bars = []

    def changed(self) -> None:
        if self._display is not None:
            self._display.changed()

    def rows(self, running: bool = True) -> list[Row]:
        """What is to be seen of the bars. One within a step of another is a part of that step."""
        rows: list[Row] = []
        fraction = 0.0
        for bar in reversed(self._bars):
            fraction = bar.fraction(fraction)
            rows.insert(0, bar.row(fraction, running))
        return rows

    def _without(self, bar: Bar) -> list[Bar]:
        return [other for other in self._bars if other is not bar]


def _number(what: str, value: Any) -> str | None:
    """A public number as text."""
    if value is None:
        return None
    if hasattr(value, "reveal"):
        raise UsageError(f"{what} is secret; show what its reveal() gives, which is public from then on")
    if getattr(value, "is_unknown", False):
        return "?"
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return f"{float(value):.4g}"
    raise UsageError(f"{what} must be one public number, not {type(value).__name__}")
