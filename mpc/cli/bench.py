"""mpc bench: how long workloads take on this machine, what they send, and how that has changed."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mpc.cli.bench_report import print_table, show_results
from mpc.errors import Error, OptionError

if TYPE_CHECKING:
    from mpc.bench.results import Measured, Results  # their import would slow every other command down

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


class WithDefault(click.Group):
    """What is no command of it, it takes as arguments of `run`."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in (*self.commands, *context.help_option_names):
            args = ["run", *args]
        return super().parse_args(context, args)


@click.group(cls=WithDefault)
def bench() -> None:
    """Measure workloads, and compare what was measured.

    mpc bench [NAME]... is short for mpc bench run [NAME]..., whose options `mpc bench run --help` shows.
    """


@contextmanager
def _told() -> Iterator[None]:
    """An error as one line, and so what is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("mpc: interrupted", err=True)
        sys.exit(130)
    except Error as error:
        click.echo(f"mpc: {error}", err=True)
        sys.exit(1)


@bench.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="All workloads, also those that take long.")
@click.option("--protocol", "protocols", multiple=True, default=("additive",), show_default=True, help="Repeatable.")
@click.option("-n", "--parties", multiple=True, type=int, default=(2,), show_default=True, help="How many parties. Repeatable.")
@click.option(
    "--network",
    "networks",
    multiple=True,
    default=("none",),
    show_default=True,
    help="Links to emulate: lan, wan, '20ms,100mbit', or none. Repeatable.",
)
@click.option(
    "--size",
    "sizes",
    multiple=True,
    type=int,
    help="In place of the workloads' own sizes (`mpc bench list` shows which have one, and of what). Repeatable.",
)
@click.option("--fraction-bits", default=16, show_default=True, help="Binary digits after the point.")
@click.option("--repeat", type=click.IntRange(min=1), help="Repetitions in each turn. [default: as many as fit the workload]")
@click.option("--turns", type=click.IntRange(min=1), default=3, show_default=True, help="Runs of each, in turns with the others.")
@click.option("--json", "file", type=_FILE, help="Write everything that was measured to this file.")
@click.option("--plot", "folder", type=_FOLDER, help="Draw what was measured, as PNG and SVG, in this folder.")
def run(
    names: tuple[str, ...],
    everything: bool,
    repeat: int | None,
    turns: int,
    file: Path | None,
    folder: Path | None,
    **options: Any,
) -> None:
    """Measure workloads, each combination of the options in turns with the others, and show medians.

    NAMEs are those of `mpc bench list`; without one, it is a selection that takes less than five minutes.
    Seconds are from a common start to shares of the result, waiting for the dealer included.
    """
    from mpc.bench.catalogue import ALL
    from mpc.bench.progress import shown_progress
    from mpc.bench.results import Measured, Results
    from mpc.bench.session import configurations, measure

    with _told():
        if names and everything:
            raise OptionError("--all: leave out the names, or --all")
        _check_outputs(file, folder)
        chosen = configurations(tuple(ALL) if everything else names, **options)
        results = Results.now(shlex.join(["mpc", *sys.argv[1:]]))
        wanted = [Measured.of(configuration) for configuration in chosen]
        try:
            with shown_progress() as told:
                measure(wanted, turns, repeat, told)
        except (KeyboardInterrupt, Error) as error:
            if not any(measured.turns for measured in wanted):
                raise
            click.echo(f"mpc: {str(error) or 'interrupted'}\nThis is what was measured until then.", err=True)
        results.measured.extend(measured for measured in wanted if measured.turns)
        show_results(results.measured)
        if file is not None:
            results.save(file)
        _draw(results.measured, folder)
        if not all(len(measured.turns) == turns for measured in wanted):
            sys.exit(1)


@bench.command("list")
def list_workloads() -> None:
    """The workloads, and which --size changes them."""
    from mpc.bench.tables import workloads_table

    print_table(workloads_table())


@bench.command()
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
def compare(old: Path, new: Path) -> None:
    """How many times as long what is in both files takes in NEW, with where 95 % of the ratios lie: below 1, NEW is faster."""
    from mpc.bench.compare import compare as compare_results
    from mpc.bench.labels import label
    from mpc.bench.results import Results
    from mpc.bench.tables import comparison_table

    with _told():
        before, after = Results.load(old), Results.load(new)
        comparison = compare_results(before, after)
    click.echo(f"old: {_origin(old, before)}\nnew: {_origin(new, after)}")
    for line in comparison.machines:
        click.echo(f"the machines differ, so ratios may tell of them alone: {line}")
    if comparison.changes:
        print_table(comparison_table(comparison))
    for where, missing in (("old", comparison.only_old), ("new", comparison.only_new)):
        for measured in missing:
            click.echo(f"only in {where}: {label(measured.title, measured)}")


@bench.command()
@click.argument("file", type=_FILE)
@click.argument("folder", type=_FOLDER)
def plot(file: Path, folder: Path) -> None:
    """Draw what is in FILE (of --json), as PNG and SVG, in FOLDER."""
    from mpc.bench.results import Results

    with _told():
        _draw(Results.load(file).measured, folder)


def _origin(path: Path, results: Results) -> str:
    commit = results.commit
    state = "" if commit is None else f", commit {commit.commit[:12]}" + (", and changes that are not committed" * commit.dirty)
    return f"{path}: {results.time}, mpc {results.mpc}{state}"


def _check_outputs(file: Path | None, folder: Path | None) -> None:
    """Before the minutes of measuring, not after them."""
    if file is not None and not file.absolute().parent.is_dir():
        raise OptionError(f"--json {file}: its folder is missing; make it first")
    for option, path in (("--json", file), ("--plot", folder)):
        if path is not None and not os.access(_existing(path), os.W_OK):
            raise OptionError(f"{option} {path} cannot be written: it, or its folder, is read-only; choose another")
    if folder is not None:
        from mpc.bench.plots import check_installed

        check_installed()


def _existing(path: Path) -> Path:
    """The path, or the innermost folder around it that there is."""
    return next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())


def _draw(measured: Sequence[Measured], folder: Path | None) -> None:
    if folder is None:
        return
    from mpc.bench.plots import draw

    for path in draw(measured, folder):
        click.echo(f"wrote {path}")
