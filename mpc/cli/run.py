"""mpc run PROGRAM.py: a program file with all its parties on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np

from mpc.cli.report import show_costs, show_profile
from mpc.errors import Error
from mpc.launch.job import Job, ProgramFile
from mpc.launch.run import Outcome, execute
from mpc.launch.trace import write_trace
from mpc.party import DEFAULT_TIMEOUT


@click.command()
@click.argument("program", type=click.Path(exists=True, dir_okay=False, resolve_path=True))
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.option("-n", "--parties", default=2, show_default=True, help="How many parties.")
@click.option("--protocol", default="additive", show_default=True, help="A protocol's name.")
@click.option("--network", default=None, help="The links that the program will run on: lan, or wan, which saves rounds.")
@click.option("--fraction-bits", default=16, show_default=True, help="Binary digits after the point.")
@click.option("--timeout", default=DEFAULT_TIMEOUT, show_default=True, help="Longest wait for one message, in seconds.")
@click.option("--profile", is_flag=True, help="Show the costs of each operation and scope, and write a trace file.")
@click.option("--trace", type=click.Path(dir_okay=False), help="The trace file, for Perfetto. [default: PROGRAM.trace.json]")
def run(
    program: str,
    args: tuple[str, ...],
    parties: int,
    protocol: str,
    network: str | None,
    fraction_bits: int,
    timeout: float,
    profile: bool,
    trace: str | None,
) -> None:
    """Run PROGRAM's `main(party, *ARGS)` in one local process per party, and show what it cost.

    ARGS are strings; put -- before one that begins with a dash.
    """
    path = _trace_path(program, trace) if profile or trace else None
    sys.argv = [program, *args]
    try:
        job = Job(ProgramFile(program), args, parties, protocol, fraction_bits, network, timeout, trace=path is not None)
        outcome = execute(job)
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            click.echo(err=True)  # it shows ^C, amid a line
        click.echo("interrupted: all parties were stopped", err=True)
        sys.exit(130)
    except Exception as error:
        _explain(error)
        sys.exit(1)
    _show_results(outcome.results)
    show_costs(outcome, parties)
    if profile:
        show_profile(outcome)
    if path is not None:
        _save_trace(path, outcome, parties)


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


def _trace_path(program: str, chosen: str | None) -> Path:
    """Where the trace goes: refused before a long run, not after it."""
    path = Path(chosen or f"{Path(program).stem}.trace.json")
    if not os.access(path.parent, os.W_OK):
        raise click.BadParameter(f"{path} cannot be written: its folder is missing or read-only", param_hint="--trace")
    return path


def _save_trace(path: Path, outcome: Outcome, parties: int) -> None:
    try:
        dropped = write_trace(path, outcome.stats, parties)
    except OSError as error:
        click.echo(f"mpc: the trace cannot be written: {error}", err=True)
        sys.exit(1)
    click.echo(f"\ntrace: {path} (open it at https://ui.perfetto.dev)")
    if dropped:
        click.echo(f"{dropped} messages came after the trace was full; they are missing in it")
