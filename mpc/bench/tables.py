"""Results and comparisons as tables."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mpc.bench.catalogue import ALL
from mpc.bench.compare import Comparison
from mpc.bench.labels import differing, in_common
from mpc.bench.results import Measured
from mpc.progress import size_text

if TYPE_CHECKING:
    from rich.table import Table  # rich's import would slow every other command down

_FIGURES = (
    "median s", "min", "max", "rounds", "sent", "dealt", "dealer s", "start s", "x float64", "error"
)  # fmt: skip
ALL_FIGURES, FIRST_FIGURES, OTHER_FIGURES = slice(None), slice(5), slice(5, None)


def results_table(rows: Sequence[Measured], figures: slice = ALL_FIGURES) -> Table:
    """A row for each configuration, and one more for a step where a workload has several; of the columns, these figures."""
    shown, title = differing(rows), in_common(rows)
    table = _table(["", *(option.name for option in shown), *_FIGURES[figures]], title)
    for measured in rows:
        cells = [option.of(measured) for option in shown]
        table.add_row(_text(measured.title), *map(_text, cells), *_figures(measured)[figures])
        if measured.steps > 1:
            table.add_row("  a step", *([""] * len(cells)), *_step(measured)[figures])
    return table


def comparison_table(comparison: Comparison) -> Table:
    """Ratios of medians, new to old, with where 95 % of them are if what was measured is drawn anew."""
    rows = [change.new for change in comparison.changes]
    shown, title = differing(rows), in_common(rows)
    table = _table(["", *(option.name for option in shown), "old s", "new s", "ratio", "95 %", "", ""], title)
    for change in comparison.changes:
        interval = f"{change.low:.2f} to {change.high:.2f}"
        cells = [_seconds(change.old.median), _seconds(change.new.median), f"{change.ratio:.2f}", interval, change.verdict]
        options = [_text(option.of(change.new)) for option in shown]
        table.add_row(_text(change.new.title), *options, *cells, "; ".join(change.costs))
    return table


def workloads_table() -> Table:
    """All workloads, and of which unit --size counts how many."""
    table = _table(["name", "what", "size", "of"])
    table.columns[1].justify = table.columns[3].justify = "left"
    for name, workload in ALL.items():
        table.add_row(name, workload.title, *(("", "") if workload.size is None else (str(workload.size), workload.unit)))
    return table


def _figures(measured: Measured) -> list[str]:
    one, seconds = measured.repetitions[-1], measured.seconds
    return [
        *(_seconds(value) for value in (measured.median, min(seconds), max(seconds))),
        str(one.rounds),
        size_text(one.bytes_sent),
        size_text(one.bytes_dealt),
        _seconds(statistics.median(measured.dealing)) if measured.dealing else "",
        f"{statistics.median(turn.startup for turn in measured.turns):.2f}",
        f"{measured.median / measured.plain:.3g}" if measured.plain else "",
        f"{max(turn.error for turn in measured.turns):.1e}",
    ]


def _step(measured: Measured) -> list[str]:
    one, seconds, steps = measured.repetitions[-1], measured.seconds, measured.steps
    return [
        *(_seconds(value / steps) for value in (measured.median, min(seconds), max(seconds))),
        f"{one.rounds / steps:.3g}",
        *(size_text(round(count / steps)) for count in (one.bytes_sent, one.bytes_dealt)),
        _seconds(statistics.median(measured.dealing) / steps) if measured.dealing else "",
    ]


def _seconds(value: float) -> str:
    """To three digits at least, and to the microsecond at most."""
    return f"{value:.4f}" if value >= 0.01 else f"{value:.6f}"


def _text(text: str) -> str:
    """As it is: a file's texts are no markup."""
    from rich.markup import escape

    return escape(text)


def _table(columns: Sequence[str], title: str = "") -> Table:
    from rich.table import Table

    table = Table(title=_text(title) or None, title_justify="left", box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=not number)
    return table
