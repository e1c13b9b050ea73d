"""Predicted and measured, in turns: python -m benchmarks.bench_prediction [NAMES] [--turns 3] [--network lan --network wan]

The demo programs, and workloads of the bench. Seconds are those online, from when all parties are at their first message to
the last; ratios, of medians. Rounds and bytes must be exact. Where other programs take processor time, measured seconds grow:
so a second ratio is of what is predicted beside as many other threads as computed just before and after.
"""

import hashlib
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from mpc.bench.catalogue import ALL
from mpc.bench.measure import play_once
from mpc.cost import cores, figures, predict, record
from mpc.cost.watching import Watched, online
from mpc.launch.job import Job
from mpc.launch.program import ProgramFile
from mpc.launch.run import execute
from mpc.party import Cost

EXAMPLES = Path(__file__).parents[1] / "examples"
DEMOS = {  # name: file, arguments, parties
    "two_hospitals": ("two_hospitals", (), 2),
    "two_banks_fraud": ("two_banks_fraud", ("3000", "2"), 2),
    "three_hospitals_risk": ("three_hospitals_risk", ("200", "5"), 3),
    "mnist_mlp": ("mnist", ("mlp", "2"), 2),
    "mnist_lenet": ("mnist", ("lenet", "1"), 2),
    "model_service": ("model_service", (), 2),
}
WORKLOADS = ("matmul1024", "chain", "mul1m", "relu1m", "sigmoid", "softmax", "logreg", "dense_train", "lenet16")
REPEATS = 3
LOOK, BLOCK = 0.2, bytes(1 << 20)


def workload(party, name):
    """The program of a workload."""
    arrays = ALL[name].arrays()
    for _ in range(REPEATS):
        play_once(party, ALL[name].ours, arrays)


def job(name, network):
    if name in DEMOS:
        file, args, parties = DEMOS[name]
        return Job(ProgramFile(str(EXAMPLES / f"{file}.py")), args, parties, network=network)
    return Job(workload, (name,), network=network)


def counted(stats):
    names = [field.name for field in fields(Cost) if "seconds" not in field.name]
    return [[getattr(each.total, name) for name in names] for each in stats]


def others():
    """How many threads of other programs compute, of the priority of ours: from how little of each core is left."""

    def busy(_):
        clock, processor = time.perf_counter(), time.thread_time()
        while time.thread_time() - processor < LOOK:
            hashlib.sha256(BLOCK)  # others of our threads run meanwhile
        return (time.perf_counter() - clock) / (time.thread_time() - processor)

    with ThreadPoolExecutor(cores()) as pool:
        slowed = statistics.mean(pool.map(busy, range(cores())))
    return cores() * (slowed - 1)


def turn(name, network):
    """(predicted seconds, predicted beside others, measured, whether the counts were exact)."""
    this, seen = job(name, network), figures().figures
    recorded = record(this)
    predicted, beside = predict(this, recorded, seen, cores()).online, others()
    outcome = execute(replace(this, program=Watched(this.program)))
    beside = statistics.mean([beside, others()])
    loaded = predict(this, recorded, seen, cores(), others=beside).online
    exact = counted(recorded.stats) == counted(outcome.stats[: this.parties])
    return predicted, loaded, online(outcome.results), exact


@click.command()
@click.argument("names", nargs=-1)
@click.option("--turns", default=3, show_default=True)
@click.option("--network", "networks", multiple=True, default=("none",), show_default=True)
def main(names, turns, networks):
    console, table = Console(), Table(box=None, pad_edge=False)
    console.width = max(console.width, 130)
    for column in ("", "network", "predicted s", "measured s", "ratio", "beside others", "exact"):
        table.add_column(column, justify="left" if column in ("", "network") else "right", no_wrap=True)
    for network in networks:
        for name in names or (*DEMOS, *WORKLOADS):
            found = [turn(name, network) for _ in range(turns)]
            predicted, loaded, measured = (statistics.median(column) for column in list(zip(*found, strict=True))[:3])
            ratios = f"{predicted / measured:.2f}", f"{loaded / measured:.2f}"
            exact = "yes" if all(each[3] for each in found) else "NO"
            table.add_row(name, network, f"{predicted:.3f}", f"{measured:.3f}", *ratios, exact)
            console.print(f"{name} {network}: {ratios[0]}, beside others {ratios[1]}", style="dim")
    console.print(table)


if __name__ == "__main__":
    main()
