"""Where the time of small rounds goes: exchanging with the peer, waiting for the dealer, and the parties' own Python.

Each case is a chain of dependent steps on small tensors, so that latency is all that counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from mpc import functions
from mpc.launch.job import Job
from mpc.launch.run import execute
from mpc.party import Cost

REPEATS = 100
TURNS = 3


@dataclass(frozen=True)
class Case:
    """`start` makes a state out of a party, and `step` the next one of it; the latter is timed."""

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
    "rowmax": Case(lambda party: secret(party, 1000, 10), lambda x: x + 0.5 * x.max(axis=1).reshape((1000, 1))),
}


def program(party: Any, name: str, repeats: int) -> Cost:
    """The costs of the steps, after two that warm up."""
    case = CASES[name]
    state = case.step(case.step(case.start(party)))
    party.input(np.zeros(1) if party.index == 0 else None, 0).reveal()  # all are here
    with party.measure() as cost:
        for _ in range(repeats):
            state = case.step(state)
    return cost


def slowest(name: str) -> Cost:
    return max(execute(Job(program, (name, REPEATS))).results, key=lambda cost: cost.seconds)


@click.command(help=__doc__)
@click.argument("cases", nargs=-1, type=click.Choice(list(CASES)))
@click.option("--turns", default=TURNS, show_default=True, help=f"each of {REPEATS} steps")
def main(cases: Sequence[str], turns: int) -> None:
    table = Table(title="Microseconds a step, at the slower party", title_justify="left", box=None, pad_edge=False)
    for column in ("", "rounds", "median", "best", "a round", "exchanging", "dealer", "own"):
        table.add_column(column, justify="right" if column else "left")
    for name in cases or CASES:
        costs = sorted((slowest(name) for _ in range(turns)), key=lambda cost: cost.seconds)
        cost, rounds = costs[len(costs) // 2], costs[0].rounds / REPEATS
        seconds = [cost.seconds, costs[0].seconds, cost.seconds / rounds]
        seconds += [cost.peer_seconds, cost.dealer_seconds, cost.own_seconds]
        table.add_row(name, f"{rounds:g}", *(f"{each / REPEATS * 1e6:.0f}" for each in seconds))
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
