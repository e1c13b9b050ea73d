"""Where the time of a workload goes: each operation's waiting and the dealer's work, and party 0's own functions."""

from __future__ import annotations

import cProfile
import pstats
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from mpc.bench.catalogue import ALL
from mpc.bench.measure import program
from mpc.launch.job import Job
from mpc.launch.run import execute
from mpc.party import Cost

REPEATS = 20
LINES = 25

Line = tuple[str, int, float, float]  # place, calls, own seconds, seconds with what it calls
Operations = dict[str, Cost]


def show(name: str) -> None:
    """Print the report for one of the workloads."""
    for _ in range(2):  # the first may compile
        warm_up = execute(Job(program, (name, None, 0))).stats[-1].operations
    outcome = execute(Job(profiled, (name,)))
    operations, lines, _ = outcome.results[0]
    seconds = [max(pair) for pair in zip(*(result[2] for result in outcome.results), strict=True)]
    console = Console(width=130)
    console.print(f"{ALL[name].title}: median {statistics.median(seconds):.4f} s, best {min(seconds):.4f} s")
    console.print("\nParty 0, a repetition (input and reveal are not timed above); its seconds are those of waiting")
    console.print(_operations(operations, REPEATS))
    console.print("\nThe dealer, a repetition; its seconds are those of work (the start of a process makes them uncertain)")
    console.print(_operations(_less(outcome.stats[-1].operations, warm_up), REPEATS + 1))
    console.print("\nParty 0's functions, in one repetition under the profiler")
    console.print(_functions(lines))


def profiled(party: Any, name: str) -> tuple[Operations, list[Line], list[float]]:
    """Costs of the repetitions, and one more under Python's profiler: numba's kernels count as part of what calls them."""
    profiler, snapshots = cProfile.Profile(), []

    def call(*inputs: Any) -> Any:
        snapshots.append(party.stats)
        if len(snapshots) < REPEATS + 2:
            return ALL[name].ours(*inputs)
        profiler.enable()
        result = ALL[name].ours(*inputs)
        result = result.truncate() if result.dtype == float else result
        profiler.disable()
        return result

    costs = program(party, name, None, REPEATS + 1, call).costs  # after a warm-up
    entries: Mapping[Any, Any] = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    lines = [(_place(*where), calls, own, total) for where, (_, calls, own, total, _) in entries.items()]
    operations = _less(snapshots[-1].operations, snapshots[1].operations)
    return operations, sorted(lines, key=lambda line: -line[2])[:LINES], [cost.seconds for cost in costs[:-1]]


def _less(costs: Operations, before: Operations) -> Operations:
    return {name: cost - before.get(name, Cost()) for name, cost in costs.items()}


def _place(file: str, line: int, function: str) -> str:
    return function if file == "~" else f"{'/'.join(Path(file).parts[-3:])}:{line} {function}"


def _operations(operations: Operations, repeats: int) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("operation", "rounds", "MB sent", "MB from the dealer", "seconds"):
        table.add_column(column, justify="left" if column == "operation" else "right")
    for name, cost in sorted(operations.items(), key=lambda item: -item[1].seconds):
        figures = [figure / repeats for figure in (cost.rounds, cost.bytes_sent / 1e6, cost.offline_bytes / 1e6)]
        table.add_row(name, *(f"{figure:.2f}" for figure in figures), f"{cost.seconds / repeats:.4f}")
    return table


def _functions(lines: list[Line]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("function", "calls", "own seconds", "in all"):
        table.add_column(column, justify="left" if column == "function" else "right")
    for place, calls, own, total in lines:
        table.add_row(place, str(calls), f"{own:.4f}", f"{total:.4f}")
    return table


@click.command(help=__doc__)
@click.argument("workload", type=click.Choice(list(ALL)))
def main(workload: str) -> None:
    show(workload)


if __name__ == "__main__":
    main()
