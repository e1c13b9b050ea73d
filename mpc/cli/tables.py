"""How tables of costs look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mpc.party import Cost
from mpc.progress import size_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table  # rich's import would slow every other command down
    from rich.text import Text

FIGURES = ("rounds", "sent", "from\ndealer", "seconds", "%", "com-\nputing", "peers", "dealer")


def table(*columns: str) -> Table:
    """Of figures, beside names in the columns without a title."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="left" if not column else "right", no_wrap=bool(column))
    return table


def narrow(*columns: str) -> Table:
    """The same, for so many columns that they fit 80 characters only just."""
    rows = table(*columns)
    rows.padding = (0, 1, 0, 0)
    return rows


def figures(cost: Cost, everywhere: Sequence[Cost], whole: float) -> list[str]:
    """What stands under FIGURES: a party's cost, of `whole` seconds; what the dealer sent and kept waiting, at all parties."""
    return [
        str(cost.rounds),
        size_text(cost.bytes_sent),
        size_text(sum(each.offline_bytes for each in everywhere)),
        f"{cost.seconds:z.3f}",
        f"{100 * cost.seconds / whole:z.0f}",
        f"{cost.own_seconds:z.3f}",
        f"{cost.peer_seconds:z.3f}",
        f"{sum(each.dealer_seconds for each in everywhere):z.3f}",
    ]


def title_of(what: str, name: str, endpoints: int) -> str:
    """The title of a table of FIGURES at the endpoint of that name."""
    return f"\n{what}, at {name}" + ("; the dealer's columns: all parties" if endpoints > 1 else "")


def new_console() -> Console:
    """Standard output, wide enough for names beside figures: a narrow terminal wraps lines, where rich would cut them off."""
    from rich.console import Console

    console = Console(highlight=False)
    console.width = max(console.width, 80 if console.is_terminal else 160)
    return console


def show(title: str, table: Table | Text) -> None:
    console = new_console()
    console.print(title, markup=False)
    console.print(table)
