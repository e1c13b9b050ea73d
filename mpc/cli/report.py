"""What a run cost, as tables: by endpoint, by operation and by scope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mpc.launch.run import Outcome
from mpc.party import Cost, Stats
from mpc.progress import size_text

if TYPE_CHECKING:
    from rich.table import Table  # rich's import would slow every other command down


def show_costs(outcome: Outcome, names: Sequence[str]) -> None:
    """Rounds and seconds of the run, and what each endpoint sent and received; apart, what its checks sent and were dealt."""
    checked = any(stats.total.check_bytes for stats in outcome.stats)
    table = _table("", "sent", "received", "headers", "from dealer", *(["checks"] if checked else []), "seconds")
    for name, stats in zip(names, outcome.stats, strict=True):
        total = stats.total
        sizes = [total.bytes_sent, total.bytes_received, total.header_bytes, total.offline_bytes]
        sizes += [total.check_bytes + total.check_offline_bytes] if checked else []
        table.add_row(name, *map(size_text, sizes), f"{total.seconds:.2f}")
    _print(f"{outcome.seconds:.2f} s in all, {_rounds(outcome.stats[0].total)} rounds", table)


def show_profile(outcome: Outcome, name: str) -> None:
    """Costs by operation and by scope, as the first endpoint, of that name, sees them."""
    _print(f"\nby operation, at {name}", _operations(outcome.stats[0]))
    if outcome.stats[0].scopes:
        everywhere = "; what the dealer sent and kept waiting, at all parties" if len(outcome.stats) > 1 else ""
        _print(f"\nby scope, at {name}{everywhere}", _scopes(outcome))


def _operations(stats: Stats) -> Table:
    table = _table("", "rounds", "sent", "headers", "seconds waiting")
    for name, cost in sorted(stats.operations.items(), key=lambda item: -item[1].seconds):
        table.add_row(name, _rounds(cost), size_text(cost.bytes_sent), size_text(cost.header_bytes), f"{cost.seconds:.3f}")
    return table


def _rounds(cost: Cost) -> str:
    """Those of the program, plus those of checks."""
    return f"{cost.rounds}" + (f" + {cost.check_rounds}" if cost.check_rounds else "")


def _scopes(outcome: Outcome) -> Table:
    table = _table("", "calls", "rounds", "sent", "from\ndealer", "seconds", "%", "com-\nputing", "peers", "dealer")
    table.padding = (0, 1, 0, 0)  # so that it fits 80 columns
    parties = [dict(_rows(stats)) for stats in outcome.stats if stats.scopes]  # the dealer has none
    whole = outcome.stats[0].total.seconds
    for path, (name, calls, cost) in parties[0].items():
        if not calls and not cost.rounds and cost.seconds < whole / 200:
            continue  # a rest that is nothing
        everywhere = [rows[path][2] for rows in parties if path in rows]
        table.add_row(
            "  " * path.count("/") + name,
            str(calls or ""),
            str(cost.rounds),
            size_text(cost.bytes_sent),
            size_text(sum(each.offline_bytes for each in everywhere)),
            f"{cost.seconds:.3f}",
            f"{100 * cost.seconds / whole:.0f}",
            f"{cost.own_seconds:.3f}",
            f"{cost.peer_seconds:.3f}",
            f"{sum(each.dealer_seconds for each in everywhere):.3f}",
        )
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


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="left" if not column else "right", no_wrap=bool(column))
    return table


def _print(title: str, table: Table) -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, 160)  # a file has room for whole names
    console.print(title)
    console.print(table)
