"""Comparison, selection and functions beside SPU: both are run in turns in one run, as machines and their moods differ.

Seconds are those from a common start to shares of the result, truncation and dealing included: two parties and a dealer of
`mpc.run`; SPU has two processes, and its first party makes the correlations.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.catalogue import ALL
from benchmarks.peers.spu import SPU, VERSION, how_to_get_it, installed
from benchmarks.workloads import WORKLOADS
from mpc.launch.job import Job
from mpc.launch.run import Outcome, execute
from mpc.party import Cost

TURNS = 3  # of ours and of SPU's


@dataclass
class Ours:
    """What a workload costs: seconds of each repetition (the slower party's), and one repetition's traffic."""

    seconds: list[float] = field(default_factory=list)
    rounds: int = 0
    bytes_sent: int = 0
    bytes_dealt: int = 0
    result: Any = None


def program(party: Any, name: str, repeats: int, call: Callable[..., Any] | None = None) -> tuple[list[Cost], Any]:
    """Costs of the repetitions, each on fresh inputs, and the last result, revealed to party 0."""
    workload, costs = ALL[name], []
    call = call or workload.ours
    arrays = workload.arrays()
    for _ in range(repeats + 1):  # the first one warms up
        inputs = [party.input(array if party.index == i % 2 else None, i % 2) for i, array in enumerate(arrays)]
        party.input(np.zeros(1) if party.index == 0 else None, 0).reveal()  # all are here
        with party.measure() as cost:
            result = call(*inputs)
            if result.dtype == float:
                result = result.truncate()
        costs.append(cost)
    return costs[1:], result.reveal(to=0)


def run(name: str, repeats: int | None = None) -> Outcome:
    return execute(Job(program, (name, repeats or ALL[name].repeats)))


def measure(name: str, ours: Ours) -> None:
    """One turn of ours."""
    results = run(name).results
    per_party, (ours.result, _) = zip(*results, strict=True)
    for costs in zip(*per_party, strict=True):
        ours.seconds.append(max(cost.seconds for cost in costs))
        ours.rounds = max(cost.rounds for cost in costs)
        ours.bytes_sent = max(cost.bytes_sent for cost in costs)
        ours.bytes_dealt = max(cost.offline_bytes for cost in costs)


def compare(name: str, spu: SPU | None, turns: int) -> dict[str, Any]:
    """Ours and SPU's in turns: one row of the table, as it goes to JSON."""
    workload, ours, theirs = ALL[name], Ours(), None
    reference = workload.reference(*workload.arrays())
    peer_seconds: list[float] = []
    for _ in range(turns):
        measure(name, ours)
        if spu is not None:
            theirs = spu.measure(name, workload.repeats)
            peer_seconds += theirs.seconds
    row: dict[str, Any] = {"workload": name, "target": workload.target, "ours": summary(ours, reference)}
    row["ours"]["bytes_dealt"] = ours.bytes_dealt
    if theirs is not None:
        row["spu"] = summary(theirs, reference, peer_seconds)
        row["ratio"] = row["spu"]["median"] / row["ours"]["median"]
    return row


def summary(measured: Any, reference: np.ndarray, seconds: list[float] | None = None) -> dict[str, Any]:
    seconds = seconds or measured.seconds
    return {
        "median": statistics.median(seconds),
        "min": min(seconds),
        "max": max(seconds),
        "rounds": measured.rounds,
        "bytes_sent": measured.bytes_sent,
        "error": float(np.abs(np.subtract(measured.result, reference, dtype=float)).max()),
    }


def table(rows: Sequence[dict[str, Any]], with_spu: bool) -> Table:
    title = f"Ours beside SPU {VERSION} (SEMI2K)" if with_spu else "Ours"
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False)
    columns = ["", "median s", "min", "max", "rounds", "MB sent", "dealt", "error"]
    if with_spu:
        columns += ["SPU s", "min", "max", "sends", "MB sent", "error", "ratio", "target"]
    for column in columns:
        shown.add_column(column, justify="right" if column else "left")
    for row in rows:
        shown.add_row(ALL[row["workload"]].title, *_cells(row))
    return shown


def _cells(row: dict[str, Any]) -> list[str]:
    ours, spu = row["ours"], row.get("spu")
    cells = [*_times(ours), str(ours["rounds"]), _mb(ours["bytes_sent"]), _mb(ours["bytes_dealt"]), f"{ours['error']:.1e}"]
    if spu:
        target = "" if row["target"] is None else f"{row['target']:g}"
        short = target and row["ratio"] < row["target"]
        cells += [*_times(spu), str(spu["rounds"]), _mb(spu["bytes_sent"]), f"{spu['error']:.1e}"]
        cells += [f"[red]{row['ratio']:.1f}[/]" if short else f"{row['ratio']:.1f}", target]
    return cells


def _times(measured: dict[str, Any]) -> list[str]:
    return [f"{measured[key]:.4f}" for key in ("median", "min", "max")]


def _mb(count: int) -> str:
    return f"{count / 1e6:.2f}"


def report(names: Sequence[str] = (), turns: int = TURNS, fraction_bits: int = 0) -> list[dict[str, Any]]:
    """Measure the workloads (or all) and print the table; SPU's columns are there where SPU is installed."""
    console = Console(width=150)
    with ExitStack() as stack:
        spu = stack.enter_context(SPU(fraction_bits)) if installed() else None
        rows = [compare(name, spu, turns) for name in names or WORKLOADS]
    console.print(table(rows, spu is not None))
    if spu is None:
        console.print(f"To have SPU beside it: {how_to_get_it()}", soft_wrap=True)
    return rows


@click.command(help=__doc__)
@click.argument("workloads", nargs=-1, type=click.Choice(list(ALL)))
@click.option("--turns", default=TURNS, show_default=True, help="each of 3 repetitions, or of 20 short ones")
@click.option("--fraction-bits", default=0, help="SPU's; 0: its default, 18")
@click.option("--json", "file", type=click.Path(path_type=Path), help="write the figures here too")
@click.option("--profile", type=click.Choice(list(ALL)), help="show instead where the time of one workload goes")
def main(workloads: tuple[str, ...], turns: int, fraction_bits: int, file: Path | None, profile: str | None) -> None:
    if profile:
        from benchmarks.profile_functions import show

        show(profile)
        return
    rows = report(workloads, turns, fraction_bits)
    if file:
        file.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
