"""mpc run PROGRAM.py: a program file, with all its parties on this machine, or as one party of a cluster."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np

from mpc.cli.host import Host, only_default, run_host
from mpc.cli.log import Log
from mpc.cli.outputs import check_writable
from mpc.cli.plan_report import show_choices
from mpc.cli.report import show_costs, show_profile
from mpc.errors import Error, party_name
from mpc.launch.job import Job
from mpc.launch.program import ProgramFile
from mpc.launch.run import Outcome, execute
from mpc.launch.trace import write_trace
from mpc.party import DEFAULT_TIMEOUT
from mpc.progress import LOG


@click.command()
@click.argument("program", type=click.Path(exists=True, dir_okay=False, resolve_path=True), required=False)
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.option("-n", "--parties", default=2, show_default=True, help="How many parties.")
@click.option("--protocol", default="additive", show_default=True, help="A protocol's name.")
@click.option("--network", default=None, help="Links to emulate, and to plan for: lan, wan, or such as '20ms,100mbit'.")
@click.option("--fraction-bits", default=16, show_default=True, help="Binary digits after the point.")
@click.option("--timeout", default=DEFAULT_TIMEOUT, show_default=True, help="Longest wait for one message, in seconds.")
@click.option(
    "--integrity/--no-integrity",
    default=None,
    help="Compare what the parties received before anything is revealed. [default: across machines alone]",
)
@click.option("--check-dealer", default=0, show_default=True, metavar="K", help="Versions of what is dealt that are checked.")
@click.option("--checkpoints", type=click.Path(file_okay=False), help="The folder where party.checkpoint keeps states.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint. [default folder: PROGRAM.checkpoints]")
@click.option("--profile", is_flag=True, help="Show the costs of each operation, scope and line, and write a trace file.")
@click.option("--explain", is_flag=True, help="Say what was chosen for the network, where there are several ways.")
@click.option("--trace", type=click.Path(dir_okay=False), help="The trace file, for Perfetto. [default: PROGRAM.trace.json]")
@click.option("--cluster", type=click.Path(dir_okay=False), help="Run one party of this cluster file; the others run elsewhere.")
@click.option("--as", "name", help="Which party, or dealer, of the cluster this host is.")
@click.option("--key", type=click.Path(dir_okay=False), help="This host's key file. [default: NAME.key]")
@click.option("--dealt", type=click.Path(dir_okay=False), help="This party's file of `mpc deal`, in place of a dealer.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0.1),
    help="How long to wait for the other hosts, in seconds. [default: as the cluster file says]",
)
@click.option("--insecure-transport", is_flag=True, help="Neither encrypt nor authenticate links: for tests, on loopback alone.")
@click.option("--log-json", is_flag=True, help="Tell what happens as one JSON object a line, on standard error.")
@click.pass_context
def run(
    context: click.Context,
    /,
    program: str | None,
    args: tuple[str, ...],
    profile: bool,
    explain: bool,
    trace: str | None,
    cluster: str | None,
    name: str | None,
    key: str | None,
    dealt: str | None,
    wait: float | None,
    insecure_transport: bool,
    log_json: bool,
    **options: Any,
) -> None:
    """Run PROGRAM's `main(party, *ARGS)` in one local process per party, and show what it cost.

    With --cluster and --as, run this host's party alone, or the dealer, which needs no PROGRAM; the cluster file then says
    the protocol, fraction bits, network and timeout.

    ARGS are strings; put -- before one that begins with a dash.
    """
    path = _trace_path(program or "dealer", trace) if profile or trace else None
    sys.argv = [program or "", *args]
    log = Log(log_json)
    if log_json:
        os.environ[LOG] = "json"
    across = cluster is not None or name is not None
    options["integrity"] = across if options["integrity"] is None else options["integrity"]
    options["checkpoints"] = _checkpoint_folder(program or "dealer", options["checkpoints"], options["resume"])
    if across:
        _only_local(context, cluster, name)
        host = Host(str(cluster), str(name), key, wait, insecure_transport, dealt)
        names, outcome = run_host(host, program, args, {"trace": path is not None, **_of_host(options)}, log)
    else:
        if program is None:
            raise click.UsageError("Missing argument 'PROGRAM'.", context)
        job = {"trace": path is not None, **options}
        names, outcome = _run_local(program, args, job, log)
    _show_results(names, outcome.results)
    show_costs(outcome, names)
    if profile:
        show_profile(outcome, names[0])
    if explain:
        show_choices(outcome.stats[0].choices, "the cluster's links" if across else options["network"] or "loopback")
    if path is not None:
        _save_trace(path, outcome, names)


_BY_CLUSTER = ("parties", "protocol", "network", "fraction_bits", "timeout")  # what the cluster file says


def _only_local(context: click.Context, cluster: str | None, name: str | None) -> None:
    """Refuse options that a run across machines takes from its cluster file."""
    if cluster is None or name is None:
        raise click.UsageError("--cluster and --as belong together: which cluster, and which member of it this host is.", context)
    only_default(context, _BY_CLUSTER, "is what the cluster file says: change it there, on every host")


def _of_host(options: dict[str, Any]) -> dict[str, Any]:
    return {option: value for option, value in options.items() if option not in _BY_CLUSTER}


def _run_local(program: str, args: tuple[str, ...], options: dict[str, Any], log: Log) -> tuple[list[str], Outcome]:
    try:
        job = Job(ProgramFile(program), args, **options)
        log.event("start", parties=job.parties, program=job.digest)
        outcome = execute(job)
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            click.echo(err=True)  # it shows ^C, amid a line
        log.event("interrupted", "interrupted: all parties were stopped", complete=False)
        sys.exit(130)
    except Exception as error:
        _explain(error, log)
        sys.exit(1)
    log.event("finished", seconds=outcome.seconds, rounds=outcome.stats[0].total.rounds)
    return [party_name(index, job.parties) for index in range(job.endpoints)], outcome


def _explain(error: BaseException, log: Log) -> None:
    """The failing party's own traceback once, what the others said, and for an error of mpc just its message."""
    if error.__cause__ is not None:
        click.echo(error.__cause__.args[0].rstrip(), err=True)
    elif isinstance(error, Error):
        click.echo(f"mpc: {error}", err=True)
    else:
        raise error
    for note in getattr(error, "__notes__", ()):
        click.echo(note, err=True)
    log.event("failed", error=type(error).__name__, notes=getattr(error, "__notes__", []), complete=False)


def _show_results(names: list[str], results: list[Any]) -> None:
    for name, result in zip(names, results, strict=False):
        if result is not None:
            text = str(result) if isinstance(result, np.ndarray | np.generic) else repr(result)
            click.echo(f"{name}: {text}")


def _checkpoint_folder(program: str, chosen: str | None, resume: bool) -> str | None:
    return chosen or (f"{Path(program).stem}.checkpoints" if resume else None)


def _trace_path(program: str, chosen: str | None) -> Path:
    """Where the trace goes: refused before a long run, not after it."""
    path = Path(chosen or f"{Path(program).stem}.trace.json")
    check_writable(path, "--trace")
    return path


def _save_trace(path: Path, outcome: Outcome, names: list[str]) -> None:
    try:
        dropped = write_trace(path, outcome.stats, names)
    except OSError as error:
        click.echo(f"mpc: the trace cannot be written: {error}", err=True)
        sys.exit(1)
    click.echo(f"\ntrace: {path} (open it at https://ui.perfetto.dev)")
    if dropped:
        click.echo(f"{dropped} messages came after the trace was full; they are missing in it")
