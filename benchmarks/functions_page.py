"""`python -m benchmarks.functions_page > docs/functions.md`: what each function costs, and by how much it is wrong.

Everything is measured: errors by scanning domains, costs by the meter, times on this machine. Some minutes.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks import array_rows, function_rows
from benchmarks.function_rows import Row
from benchmarks.peers_page import beside_peers, missed_times, peers_section
from benchmarks.scan import ULP, Errors, errors
from mpc.launch.job import Job
from mpc.launch.run import execute
from mpc.party import Cost

REPEATS = 5
SECTIONS = {**function_rows.SECTIONS, **array_rows.SECTIONS}

_HEAD = """\
# Functions: accuracy and cost

*Written by `python -m benchmarks.functions_page > docs/functions.md` from measurements; the tables of functions
are benchmarks/function_rows.py and array_rows.py.*

Protocol `additive`, two parties, 16 fraction bits: one unit in the last place (ulp) is 2^-16.

**Errors** are the worst of a scan of the whole domain, against float64 of the same encoded input: evenly and logarithmically
spaced points, all numbers within 0.3 of zero, powers of two and the domain's ends with their neighbours. *Relative* is the worst
for results of 1/8 and more, *ulp* the worst for those below. The error *allowed* is the larger of the bounds, never their sum,
and what rounds to an ulp or more is never 0 (of products, quotients and softmax: what is an ulp or more).

**Costs** are those of a fresh secret input: rounds, bytes that a party sends an element of the input, bytes that the dealer sends
an element. **ms** is for 10^5 elements (in rows of 8 to 10^4, where there are rows; of `solve`, for one system), from a common
start to shares of the result, two parties, a dealer and its dealing included, on one machine ({cores} cores, {processor}); the
median of {repeats}.
"""


@dataclass(frozen=True)
class Costs:
    rounds: int
    bytes_sent: float  # an element
    bytes_dealt: float
    seconds: float


def main_program(party: Any, rows: list[Row]) -> list[list[Cost]]:
    """The costs of each row's repetitions; the first one of each warms up."""
    return [[_once(party, row) for _ in range(REPEATS + 1)][1:] for row in rows]


def _once(party: Any, row: Row) -> Cost:
    arrays = row.sample()
    inputs = [party.input(array if party.index == i % 2 else None, i % 2) for i, array in enumerate(arrays)]
    inputs = row.before(*inputs)
    party.input(np.zeros(1) if party.index == 0 else None, 0).reveal()  # all are here
    with party.measure() as cost:
        result = row.call(*inputs)
        if result.dtype == float:
            result.truncate()
    return cost


def measure(rows: list[Row]) -> list[Costs]:
    results = execute(Job(main_program, (rows,))).results
    found = []
    for row, per_party in zip(rows, zip(*results, strict=True), strict=True):
        elements = row.sample()[0].size
        slower = [max(pair, key=lambda cost: cost.seconds) for pair in zip(*per_party, strict=True)]
        sent, dealt = (max(getattr(costs[0], name) for costs in per_party) / elements for name in ("bytes_sent", "offline_bytes"))
        found.append(Costs(slower[0].rounds, sent, dealt, statistics.median(cost.seconds for cost in slower)))
    return found


def scan(row: Row) -> Errors:
    return errors(lambda *inputs: row.call(*row.before(*inputs)), row.reference, row.points(), row.allowed, row.nonzero)


def misses(row: Row, error: Errors, cost: Costs) -> Iterable[str]:
    """In what the row does not reach what it is to reach."""
    if error.violations:
        yield str(error)
    if error.zeros:
        yield f"{error.zeros} of {error.count} results are 0 that should not be, of up to {error.zero_ulps:.3g} ulp"
    if row.rounds is not None and cost.rounds > row.rounds:
        yield f"{cost.rounds} rounds, not {row.rounds}"
    if row.bytes_sent is not None and round(cost.bytes_sent, 2) > row.bytes_sent:  # packed bits end in padding
        yield f"{cost.bytes_sent:.2f} bytes an element, not {row.bytes_sent:g}"


def line(row: Row, error: Errors, cost: Costs) -> str:
    ulps = error.ulps if error.ulps else error.absolute / ULP if error.absolute < 1 / 8 else 0
    worst = [_short(error.absolute), _short(error.relative), f"{ulps:.3g}"] if error.absolute else ["0", "0", "0"]
    costs = [str(cost.rounds), f"{cost.bytes_sent:.2f}", f"{cost.bytes_dealt:.1f}", f"{cost.seconds * 1e3:.1f}"]
    return "| " + " | ".join([row.name, row.domain.replace("|", "\\|"), *worst, str(row.allowed), *costs]) + " |"


def _short(value: float) -> str:
    return f"{value:.1e}" if value else "0"


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def page(rows: Callable[[str], bool], with_peers: bool) -> str:
    parts, short = [_HEAD.format(repeats=REPEATS, cores=os.cpu_count(), processor=processor())], []
    columns = "function | domain | absolute | relative | ulp | allowed | rounds | bytes sent | dealt | ms"
    for title, all_rows in SECTIONS.items():
        chosen = [row for row in all_rows if rows(row.name)]
        if not chosen:
            continue
        parts.append(f"## {title}\n\n| {columns} |\n|{' --- |' * (columns.count('|') + 1)}")
        for row, cost in zip(chosen, measure(chosen), strict=True):
            error = scan(row)
            parts.append(line(row, error, cost))
            print(f"{row.name}: {error}; {cost}", file=sys.stderr, flush=True)
            short += [f"- {row.name}: {text}" for text in misses(row, error, cost)]
        parts.append("")
    peers = beside_peers() if with_peers else {}
    short += missed_times(peers)
    parts.append("## What falls short\n\n" + ("\n".join(short) or "Nothing: each function keeps its bounds.") + "\n")
    return "\n".join(parts) + ("\n" + peers_section(peers) if with_peers else "")


@click.command(help=__doc__)
@click.option("--only", default="", help="only functions whose row has this in its name, and no peers")
def main(only: str) -> None:
    print(page(lambda name: only in name, with_peers=not only), end="")


if __name__ == "__main__":
    main()
