"""Ours beside peers, as a table: one line for each system and workload."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from benchmarks.peers.comparison import Figures, Row

TITLE = "Ours beside published systems: two parties and a dealer, f = 16, online and dealing together"
COLUMNS = (
    "",
    "",
    "median s",
    "min",
    "max",
    "ratio",
    "by turn",
    "target",
    "rounds",
    "MB sent",
    "dealt",
    "error",
    "wide s",
    "ratio",
)
NOTES = """\
Ratios: a system's seconds by ours, of the medians, and the least and the most of the turns. Rounds: SPU's are messages that a
party sends one after another, CrypTen's its own count, MPyC has none. MB: 10^6 bytes, of the party that sends most; dealt: by
our dealer, to all. Wide s: rounds x 40 ms + bytes sent at 352 Mbit/s, by formula."""


def table(rows: Sequence[Row]) -> Table:
    shown = Table(title=TITLE, title_justify="left", box=None, pad_edge=False)
    for number, column in enumerate(COLUMNS):
        shown.add_column(column, justify="left" if number < 2 else "right", no_wrap=True)
    for row in rows:
        shown.add_row(row.title, "ours", *_times(row.ours), "", "", "", *_costs(row.ours), _seconds(row.ours.wide), "")
        for peer in row.peers:
            shown.add_row("", peer.title, *_times(peer), *_ratio(row, peer), *_costs(peer), *_wide(row, peer))
    return shown


def failures(rows: Sequence[Row]) -> list[str]:
    """Why peers have no figures, or fewer, as markup."""
    return [escape(f"{row.title}: {peer.title}: {peer.failure}") for row in rows for peer in row.peers if peer.failure]


def _times(figures: Figures) -> list[str]:
    if not figures.turns:
        return [figures.failure if len(figures.failure) < 16 else "failed", "", ""]
    return [_seconds(value) for value in (figures.median, min(figures.seconds), max(figures.seconds))]


def _ratio(row: Row, peer: Figures) -> list[str]:
    ratio, target = row.ratio(peer), row.target_of(peer)
    if ratio is None:
        return ["", "", ""]
    wanted = "" if target is None else f"[red]{target:g} missed[/]" if row.missed(peer) else f"{target:g}"
    return [_short(ratio.medians), f"{_short(ratio.least)}..{_short(ratio.most)}", wanted]


def _costs(figures: Figures) -> list[str]:
    sent = "" if figures.bytes_sent is None else f"{figures.bytes_sent / 1e6:.2f}"
    dealt = f"{figures.bytes_dealt / 1e6:.2f}" if figures.bytes_dealt else ""
    error = "" if figures.error is None else f"{figures.error:.1e}"
    return ["" if figures.rounds is None else str(figures.rounds), sent, dealt, error]


def _wide(row: Row, peer: Figures) -> list[str]:
    ratio = row.wide_ratio(peer)
    return [_seconds(peer.wide), "" if ratio is None else _short(ratio)]


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _short(value: float) -> str:
    """Two digits at least."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"
