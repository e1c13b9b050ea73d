"""mpc cost PROGRAM.py: what a run would cost, without data and peers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mpc.cli.host import only_default
from mpc.cli.outputs import check_writable
from mpc.cli.plan_report import show_choices
from mpc.cli.tables import new_console, table
from mpc.cluster import Cluster
from mpc.cost import Calibration, Prediction, cores, figures, machine, predict, record
from mpc.cost.report import as_data, rows, slowest, totals
from mpc.errors import Error
from mpc.launch.failures import own_traceback
from mpc.launch.job import Job
from mpc.launch.program import ProgramFile
from mpc.progress import size_text

if TYPE_CHECKING:
    from rich.table import Table  # rich's import would slow every other command down

_BY_CLUSTER = ("parties", "protocol", "fraction_bits")  # what the cluster file says
_MOST_ROWS = 25
_DOUBTFUL = 1.2


@click.command()
@click.argument("program", type=click.Path(exists=True, dir_okay=False, resolve_path=True), required=False)
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.option("-n", "--parties", default=2, show_default=True, help="How many parties.")
@click.option("--protocol", default="additive", show_default=True, help="A protocol's name.")
@click.option(
    "--network", "networks", multiple=True, help='lan, wan or "20ms,100mbit"; again for one more. [default: this machine]'
)
@click.option("--fraction-bits", default=16, show_default=True, help="Binary digits after the point.")
@click.option("--integrity/--no-integrity", default=None, help="As for mpc run. [default: across machines alone]")
@click.option("--check-dealer", default=0, show_default=True, metavar="K", help="As for mpc run.")
@click.option("--cluster", type=click.Path(dir_okay=False), help="Take parties, protocol and network from this cluster file.")
@click.option("--apart", is_flag=True, help="Each endpoint has a machine like this one. [default: with --cluster alone]")
@click.option("--explain", is_flag=True, help="Say what is chosen for each network, where there are several ways.")
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file too, in full.")
@click.option("--calibrate", is_flag=True, help="Measure this machine again before.")
@click.pass_context
def cost(
    context: click.Context,
    /,
    program: str | None,
    args: tuple[str, ...],
    networks: tuple[str, ...],
    cluster: str | None,
    apart: bool,
    explain: bool,
    json_path: Path | None,
    calibrate: bool,
    **options: Any,
) -> None:
    """Predict what a run of PROGRAM's `main(party, *ARGS)` will cost: rounds, bytes and seconds, by operation.

    The program runs on shapes alone, once for each endpoint and network: party.index is -1, and inputs need shape=. Rounds and
    bytes are exact; seconds are for this machine as it is when nothing else runs.
    """
    if program is None and not calibrate:
        raise click.UsageError("Missing argument 'PROGRAM'.", context)
    if json_path is not None:
        check_writable(json_path, "--json")
    sys.argv = [program or "", *args]
    try:
        calibration = figures(calibrate)
        _doubt(calibration)
        if program is None:
            return click.echo(f"a message costs {1e6 * sum(_message(calibration)):.0f} us of the processors")
        if cluster is not None:
            apart, networks = True, _from_cluster(context, cluster, networks, options)
        options["integrity"] = apart if options["integrity"] is None else options["integrity"]
        jobs = [Job(ProgramFile(program), args, network=network, **options) for network in networks or (None,)]
        predictions = _predictions(jobs, calibration, apart)
    except click.ClickException:
        raise
    except Error as error:
        click.echo(f"mpc: {error}", err=True)
        sys.exit(1)
    except Exception as error:  # of the program
        click.echo(error.__cause__.args[0].rstrip() if error.__cause__ is not None else own_traceback(error), err=True)
        sys.exit(1)
    _show(predictions)
    for prediction in predictions if explain else ():
        show_choices(prediction.stats[0].choices, prediction.network.name)
    if json_path is not None:
        job = {"program": Path(program).name, "args": args, **options, "apart": apart}
        _save(json_path, as_data(predictions, calibration.figures, job, machine()))


def _doubt(calibration: Calibration) -> None:
    if calibration.slowed > _DOUBTFUL:
        click.echo(
            f"mpc: other programs took processor time during the calibration, which ran {calibration.slowed:.1f} times slower "
            "than alone: repeat it with --calibrate when they have ended",
            err=True,
        )


def _message(calibration: Calibration) -> tuple[float, float, float]:
    seen = calibration.figures
    return seen.sending[0], seen.receiving[0], 2 * seen.handling[0]


def _from_cluster(context: click.Context, path: str, networks: tuple[str, ...], options: dict[str, Any]) -> tuple[str, ...]:
    """The networks; the options that the cluster file decides are set in `options`."""
    only_default(context, _BY_CLUSTER, "is what the cluster file says: change it there")
    found = Cluster.load(path)
    options |= {"parties": len(found.members), "protocol": found.protocol, "fraction_bits": found.fraction_bits}
    return networks or (found.network,)


def _predictions(jobs: list[Job], calibration: Calibration, apart: bool) -> list[Prediction]:
    found = []
    with click.progressbar(length=sum(job.endpoints for job in jobs), label="recording", file=sys.stderr) as bar:
        for job in jobs:
            recorded = record(job, progress=lambda endpoint: bar.update(0))
            bar.update(job.endpoints)
            found.append(predict(job, recorded, calibration.figures, cores(), apart))
    return found


def _save(path: Path, data: dict[str, Any]) -> None:
    try:
        path.write_text(json.dumps(data, indent=1) + "\n")
    except OSError as error:
        click.echo(f"mpc: {path} cannot be written: {error.strerror}", err=True)
        sys.exit(1)


# ---------------------------------------------------------------------- tables


def _show(predictions: list[Prediction]) -> None:
    console = new_console()
    console.print(_summary(predictions))
    for prediction in predictions:
        party = slowest(prediction)
        console.print(f"\nby operation, over {prediction.network.name}, at party {party}")
        console.print(_operations(prediction, party))


def _summary(predictions: list[Prediction]) -> Table:
    found = table("", "rounds", "sent", "received", "dealt", "online s", "dealing s", "start s", "total s")
    for prediction in predictions:
        seen = totals(prediction)
        rounds = f"{seen['rounds']}" + (f" + {seen['check_rounds']}" if seen["check_rounds"] else "")
        sizes = (size_text(int(seen[name])) for name in ("bytes_sent", "bytes_received", "offline_bytes"))
        seconds = (f"{seen[f'{name}_seconds']:.2f}" for name in ("online", "dealing", "start", "total"))
        found.add_row(prediction.network.name, rounds, *sizes, *seconds)
    return found


def _operations(prediction: Prediction, party: int) -> Table:
    shown = table("", "rounds", "sent", "dealt", "seconds", "%", "computing", "peers", "dealer")
    found = rows(prediction, party)
    whole = max(prediction.online, sum(row.seconds for row in found)) or 1.0  # waits before the first message are not online
    for row in found[:_MOST_ROWS]:
        sizes = size_text(row.bytes_sent), size_text(row.offline_bytes)
        times = (f"{seconds:.3f}" for seconds in (row.computing, row.peers, row.dealer))
        shown.add_row(row.name, str(row.rounds), *sizes, f"{row.seconds:.3f}", f"{100 * row.seconds / whole:.0f}", *times)
    if len(found) > _MOST_ROWS:
        shown.add_row(f"({len(found) - _MOST_ROWS} more)")
    return shown
