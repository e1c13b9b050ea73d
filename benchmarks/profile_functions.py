"""Where the time of a workload goes: each operation's waiting and the dealer's work, and party 0's own functions."""

from __future__ import annotations

import cProfile
import pstats
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.bench_functions import program
from benchmarks.workloads import WORKLOADS
from mpc.launch.job import Job
from mpc.launch.run import execute
from mpc.party import Cost, Stats

REPEATS = 5
LINES = 25

Line = tuple[str, int, float, float]  # place, calls, own seconds, seconds with what it calls


def show(name: str) -> None:
    """Print the report for one of the workloads."""
    _, warm_up, plain = (execute(Job(program, (name, repeats))) for repeats in (0, 0, REPEATS))  # the first may compile
    lines = execute(Job(profiled, (name,))).results[0]
    costs = [max(pair, key=lambda cost: cost.seconds) for pair in zip(*(result[0] for result in plain.results), strict=True)]
    median = statistics.median(cost.seconds for cost in costs)
    console = Console(width=130)
    console.print(f"{WORKLOADS[name].title}: median {median:.4f} s, best {min(cost.seconds for cost in costs):.4f} s")
    console.print("\nParty 0, a repetition (input and reveal are not timed above); its seconds are those of waiting")
    console.print(_operations(plain.stats[0], warm_up.stats[0]))
    console.print("\nThe dealer, a repetition; its seconds are those of work")
    console.print(_operations(plain.stats[-1], warm_up.stats[-1]))
    console.print("\nParty 0's functions, in one repetition under the profiler")
    console.print(_functions(lines))


def profiled(party: Any, name: str) -> list[Line]:
    """The last of the repetitions under Python's profiler: numba's kernels count as part of what calls them."""
    profiler, calls = cProfile.Profile(), 0

    def call(*inputs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls <= REPEATS:
            return WORKLOADS[name].ours(*inputs)
        profiler.enable()
        result = WORKLOADS[name].ours(*inputs)
        result = result.truncate() if result.dtype == float else result
        profiler.disable()
        return result

    program(party, name, REPEATS, call)
    entries: Mapping[Any, Any] = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    lines = [(_place(*where), calls, own, total) for where, (_, calls, own, total, _) in entries.items()]
    return sorted(lines, key=lambda line: -line[2])[:LINES]


def _place(file: str, line: int, function: str) -> str:
    return function if file == "~" else f"{'/'.join(Path(file).parts[-3:])}:{line} {function}"


def _operations(stats: Stats, warm_up: Stats) -> Table:
    """A repetition's costs: those of all, less those of a run with nothing but the warm-up."""
    table = Table(box=None, pad_edge=False)
    for column in ("operation", "rounds", "MB sent", "MB from the dealer", "seconds"):
        table.add_column(column, justify="left" if column == "operation" else "right")
    costs = {name: cost - warm_up.operations.get(name, Cost()) for name, cost in stats.operations.items()}
    for name, cost in sorted(costs.items(), key=lambda item: -item[1].seconds):
        figures = [figure / REPEATS for figure in (cost.rounds, cost.bytes_sent / 1e6, cost.offline_bytes / 1e6)]
        table.add_row(name, *(f"{figure:.2f}" for figure in figures), f"{cost.seconds / REPEATS:.4f}")
    return table


def _functions(lines: list[Line]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("function", "calls", "own seconds", "in all"):
        table.add_column(column, justify="left" if column == "function" else "right")
    for place, calls, own, total in lines:
        table.add_row(place, str(calls), f"{own:.4f}", f"{total:.4f}")
    return table
