"""Where the time of small rounds goes: waiting for the peer, waiting for the dealer, and the parties' own Python.

    python -m benchmarks.latency [NAME ...]

Each case is a chain of dependent steps on small tensors, so that nothing but latency counts.
"""

from __future__ import annotations

import cProfile
import pstats
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

import mpc
from mpc import functions
from mpc.launch.job import Job
from mpc.launch.run import execute

REPEATS = 100
TURNS = 3


@dataclass(frozen=True)
class Case:
    """`start` makes a state out of a party, and `step` the next one from it; the latter is timed."""

    start: Callable[[Any], Any]
    step: Callable[[Any], Any]


def secret(party: Any, *shape: int, owner: int = 0) -> Any:
    values = np.random.default_rng(owner).uniform(-1, 1, shape)
    return party.input(values if party.index == owner else None, owner)


def logistic(party: Any) -> Any:
    """Features and labels of a batch of 128, and the weights."""
    return secret(party, 128, 100), secret(party, 128, owner=1), secret(party, 100)


def logistic_step(state: Any) -> Any:
    features, labels, weights = state
    wrong = functions.expit(features @ weights) - labels
    return features, labels, weights - (features.T @ wrong) * (0.1 / 128)


CASES = {
    "scalar": Case(lambda party: secret(party, 1), lambda x: x * x),
    "less": Case(lambda party: secret(party, 128), lambda x: x + (x < 0).astype(int)),
    "relu": Case(lambda party: secret(party, 128), lambda x: np.maximum(x, 0) - 0.5),
    "logistic": Case(logistic, logistic_step),
    "softmax": Case(lambda party: secret(party, 128, 10), lambda x: functions.softmax(x, axis=1)),
}


def program(party: Any, name: str, repeats: int, profiled: bool = False) -> Any:
    """(costs in all, seconds waiting for peers, seconds waiting for the dealer, lines of the profile) of the repetitions."""
    case = CASES[name]
    state = case.step(case.step(case.start(party)))
    party.input(np.zeros(1) if party.index == 0 else None, 0).reveal()  # all are here
    before, profiler = party.stats, cProfile.Profile()
    with party.measure() as cost:
        if profiled:
            profiler.enable()
        for _ in range(repeats):
            state = case.step(state)
        if profiled:
            profiler.disable()
    waits = {True: 0.0, False: 0.0}
    for label, operation in party.stats.operations.items():
        waits[label.startswith("deal.")] += operation.seconds
    for label, operation in before.operations.items():
        waits[label.startswith("deal.")] -= operation.seconds
    lines = []
    if profiled:
        lines = [
            (f"{file.split('/main/')[-1]}:{line} {function}", calls, own, total)
            for (file, line, function), (_, calls, own, total, _) in pstats.Stats(profiler).stats.items()
        ]
    return cost, waits[False], waits[True], sorted(lines, key=lambda line: -line[2])


@click.command(help=__doc__)
@click.argument("cases", nargs=-1, type=click.Choice(list(CASES)))
@click.option("--turns", default=TURNS, show_default=True)
@click.option("--profile", is_flag=True, help="show party 0's functions too")
def main(cases: Sequence[str], turns: int, profile: bool) -> None:
    table = Table(title="Microseconds a step", title_justify="left", box=None, pad_edge=False)
    for column in ("case", "rounds", "median", "best", "a round", "waiting: peer", "dealer", "own work"):
        table.add_column(column, justify="left" if column == "case" else "right")
    for name in cases or CASES:
        results = [max(execute(Job(program, (name, REPEATS))).results, key=lambda r: r[0].seconds) for _ in range(turns)]
        steps = sorted(results, key=lambda r: r[0].seconds)
        cost, peer, dealer, _ = steps[len(steps) // 2]
        unit = 1e6 / REPEATS
        rounds = cost.rounds / REPEATS
        figures = [cost.seconds * unit, steps[0][0].seconds * unit, cost.seconds * unit / rounds]
        figures += [peer * unit, dealer * unit, (cost.seconds - peer - dealer) * unit]
        table.add_row(name, f"{rounds:.2f}", *(f"{figure:.0f}" for figure in figures))
        if profile:
            lines = execute(Job(program, (name, REPEATS, True))).results[0][3]
            for place, calls, own, total in lines[:40]:
                print(f"{place:90s} {calls / REPEATS:8.1f} {own * unit:8.1f} {total * unit:8.1f}")
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
