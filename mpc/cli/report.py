"""What a run cost, as tables: by endpoint, by operation, by scope and by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mpc.cli.line_report import show_lines
from mpc.cli.tables import FIGURES, figures, narrow, show, table, title_of
from mpc.launch.run import Outcome
from mpc.party import Cost, Stats
from mpc.progress import size_text

if TYPE_CHECKING:
    from rich.table import Table  # rich's import would slow every other command down


def show_costs(outcome: Outcome, names: Sequence[str]) -> None:
    """Rounds and seconds of the run, and what each endpoint sent and received; apart, what its checks sent and were dealt, and
    what was asked of the dealer in vain."""
    checked = any(stats.total.check_bytes for stats in outcome.stats)
    unused = any(stats.total.unused_offline_bytes for stats in outcome.stats)
    more = ["unused"] * unused + ["checks"] * checked
    rows = table("", "sent", "received", "headers", "from dealer", *more, "seconds")
    for name, stats in zip(names, outcome.stats, strict=True):
        total = stats.total
        sizes = [total.bytes_sent, total.bytes_received, total.header_bytes, total.offline_bytes]
        sizes += [total.unused_offline_bytes] if unused else []
        sizes += [total.check_bytes + total.check_offline_bytes] if checked else []
        rows.add_row(name, *map(size_text, sizes), f"{total.seconds:.2f}")
    show(f"{outcome.seconds:.2f} s in all, {_rounds(outcome.stats[0].total)} rounds", rows)


def show_profile(outcome: Outcome, name: str) -> None:
    """Costs by operation, by scope and by line, as the first endpoint, of that name, sees them."""
    show(f"\nby operation, at {name}", _operations(outcome.stats[0]))
    if outcome.stats[0].scopes:
        show(title_of("by scope", name, len(outcome.stats)), _scopes(outcome))
    show_lines(outcome.stats, name)


def _operations(stats: Stats) -> Table:
    rows = table("", "rounds", "sent", "headers", "waiting", "computing")
    for name, cost in sorted(stats.operations.items(), key=lambda item: -item[1].seconds):
        waiting, sizes = cost.seconds - cost.own_seconds, (size_text(cost.bytes_sent), size_text(cost.header_bytes))
        rows.add_row(name, _rounds(cost), *sizes, f"{waiting:.3f}", f"{cost.own_seconds:z.3f}")
    return rows


def _rounds(cost: Cost) -> str:
    """Those of the program, plus those of checks."""
    return f"{cost.rounds}" + (f" + {cost.check_rounds}" if cost.check_rounds else "")


def _scopes(outcome: Outcome) -> Table:
    table = narrow("", "calls", *FIGURES)
    parties = [dict(_rows(stats)) for stats in outcome.stats if stats.scopes]  # the dealer has none
    whole = outcome.stats[0].total.seconds
    for path, (name, calls, cost) in parties[0].items():
        if not calls and not cost.rounds and cost.seconds < whole / 200:
            continue  # a rest that is nothing
        everywhere = [rows[path][2] for rows in parties if path in rows]
        table.add_row("  " * path.count("/") + name, str(calls or ""), *figures(cost, everywhere, whole))
    return table


def _rows(stats: Stats) -> Iterator[tuple[str, tuple[str, int, Cost]]]:
    """(path, (name, calls, cost)) of each scope, below it the scopes within, and what was in none of these."""
    inner: dict[str, list[str]] = {}
    for path in stats.scopes:
        inner.setdefault(path.rpartition("/")[0], []).append(path)

    def below(parent: str, rest: Cost) -> Iterator[tuple[str, tuple[str, int, Cost]]]:
        for path in inner.get(parent, ()):
            scope = stats.scopes[path]
            yield path, (path.rpartition("/")[2], scope.calls, scope.total)
            if path in inner:
                yield from below(path, scope.own)
        yield f"{parent}/" if parent else "", ("(rest)", 0, rest)

    rest = stats.total
    for path in inner[""]:
        rest = rest - stats.scopes[path].total
    yield from below("", rest)
