"""Tables of what was measured, none of whose figures is cut off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mpc.cli.tables import new_console

if TYPE_CHECKING:
    from rich.console import Console  # rich's import would slow every other command down
    from rich.table import Table

    from mpc.bench.results import Measured


def show_results(measured: Sequence[Measured]) -> None:
    """In one table, or where that is wider than the terminal in two."""
    from mpc.bench.tables import FIRST_FIGURES, OTHER_FIGURES, results_table

    console, table = new_console(), results_table(measured)
    if _width(console, table) <= console.width:
        return print_table(table)
    print_table(results_table(measured, FIRST_FIGURES))
    click.echo()
    print_table(results_table(measured, OTHER_FIGURES))


def print_table(table: Table) -> None:
    """As wide as it is: the terminal wraps its lines, where rich would cut figures off."""
    console = new_console()
    console.width = max(console.width, _width(console, table))
    console.print(table)


def _width(console: Console, table: Table) -> int:
    """What it needs, whatever the terminal has."""
    return console.measure(table, options=console.options.update(max_width=1000)).maximum
