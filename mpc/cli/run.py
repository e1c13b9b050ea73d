"""mpc run PROGRAM.py: a program file with all its parties on this machine."""

from __future__ import annotations

import sys
from typing import Any

import click
import numpy as np

from mpc.errors import Error
from mpc.launch.job import Job, ProgramFile
from mpc.launch.run import Outcome, execute
from mpc.party import DEFAULT_TIMEOUT


@click.command()
@click.argument("program", type=click.Path(exists=True, dir_okay=False, resolve_path=True))
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.option("-n", "--parties", default=2, show_default=True, help="How many parties.")
@click.option("--protocol", default="additive", show_default=True, help="A protocol's name.")
@click.option("--network", default=None, help="The links that the program will run on: lan, or wan, which saves rounds.")
@click.option("--fraction-bits", default=16, show_default=True, help="Binary digits after the point.")
@click.option("--timeout", default=DEFAULT_TIMEOUT, show_default=True, help="Longest wait for one message, in seconds.")
@click.option("--profile", is_flag=True, help="Show the costs of each operation.")
def run(
    program: str,
    args: tuple[str, ...],
    parties: int,
    protocol: str,
    network: str | None,
    fraction_bits: int,
    timeout: float,
    profile: bool,
) -> None:
    """Run PROGRAM's `main(party, *ARGS)` in one local process per party, and show what it cost.

    ARGS are strings; put -- before one that begins with a dash.
    """
    sys.argv = [program, *args]
    try:
        job = Job(ProgramFile(program), args, parties, protocol, fraction_bits, network, timeout)
        outcome = execute(job)
    except KeyboardInterrupt:
        _restore_cursor()
        click.echo("interrupted: all parties were stopped", err=True)
        sys.exit(130)
    except Exception as error:
        _restore_cursor()
        _explain(error)
        sys.exit(1)
    _show_results(outcome.results)
    _show_costs(outcome, parties, profile)


def _restore_cursor() -> None:
    """A party that was killed while it showed its progress has left the terminal without one, amid a line."""
    if sys.stdout.isatty():
        click.echo("\x1b[?25h")


def _explain(error: BaseException) -> None:
    """The failing party's own traceback once, what the others said, and for an error of mpc just its message."""
    if error.__cause__ is not None:
        click.echo(error.__cause__.args[0].rstrip(), err=True)
    elif isinstance(error, Error):
        click.echo(f"mpc: {error}", err=True)
    else:
        raise error
    for note in getattr(error, "__notes__", ()):
        click.echo(note, err=True)


def _show_results(results: list[Any]) -> None:
    for index, result in enumerate(results):
        if result is not None:
            text = str(result) if isinstance(result, np.ndarray | np.generic) else repr(result)
            click.echo(f"party {index}: {text}")


def _show_costs(outcome: Outcome, parties: int, profile: bool) -> None:
    from rich.console import Console  # its import would slow every other command down
    from rich.table import Table

    console = Console()
    rounds = outcome.stats[0].total.rounds
    console.print(f"{outcome.seconds:.2f} s in all, {rounds} rounds")
    table = Table(box=None, pad_edge=False)
    for column in ("", "sent", "received", "headers", "from dealer", "seconds"):
        table.add_column(column, justify="left" if not column else "right")
    for index, stats in enumerate(outcome.stats):
        total = stats.total
        name = f"party {index}" if index < parties else "dealer"
        table.add_row(
            name,
            *(_size(n) for n in (total.bytes_sent, total.bytes_received, total.header_bytes, total.offline_bytes)),
            f"{total.seconds:.2f}",
        )
    console.print(table)
    if profile:
        console.print("\nby operation, at party 0")
        console.print(_operations(outcome))


def _operations(outcome: Outcome) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("", "rounds", "sent", "headers", "seconds waiting"):
        table.add_column(column, justify="left" if not column else "right")
    for name, cost in sorted(outcome.stats[0].operations.items(), key=lambda item: -item[1].seconds):
        table.add_row(name, str(cost.rounds), _size(cost.bytes_sent), _size(cost.header_bytes), f"{cost.seconds:.3f}")
    return table


def _size(nbytes: int) -> str:
    value, unit = float(nbytes), "B"
    for larger in ("kB", "MB", "GB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.2f} {unit}"
