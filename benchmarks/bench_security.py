"""What safer links cost: an exchange of 100 MB between two real processes, with and without `integrity`."""

import statistics
from dataclasses import replace

import numpy as np
from rich.console import Console
from rich.table import Table

from mpc.launch.job import Job
from mpc.launch.run import execute

WORDS = 12_500_000  # 100 MB, each way
REPEATS = 10
TURNS = 3


def exchange(party, words, repeats):
    """Seconds of exchanges of so many words each way, what is fed to the transcript included."""
    endpoint = party._endpoint
    array = np.full(words, party.index, np.uint64)
    seconds = []
    for _ in range(repeats + 1):  # the first one warms up
        endpoint.exchange("both are here", [array[:1]])
        with party.measure() as cost:
            endpoint.exchange("100 MB", [array])
        seconds.append(cost.seconds)
    return seconds[1:]


def rounds(party, repeats):
    """Seconds of reveals of one number, each of which depends on a product."""
    x = party.input(2.0 if party.index == 0 else None, owner=0)
    seconds = []
    for _ in range(repeats + 1):
        with party.measure() as cost:
            (x * x).reveal()
        seconds.append(cost.seconds)
    return seconds[1:]


def seconds_of(job):
    """Of each repetition, those of the slower party."""
    return [max(both) for both in zip(*execute(job).results, strict=True)]


ROWS = [
    ("exchange of 100 MB each way", Job(exchange, (WORDS, REPEATS))),
    ("x * x, revealed: one number", Job(rounds, (200,))),
]
SETTINGS = [("plain", {}), ("integrity", {"integrity": True}), ("check_dealer=1", {"check_dealer": 1})]


def main():
    title = "mpc.run: two parties and a dealer; medians, and the ratio of the best times"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in ("", *(name for name, _ in SETTINGS)):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    for name, job in ROWS:
        seconds = [[] for _ in SETTINGS]
        for _ in range(TURNS):  # in turns: the machine may slow down meanwhile
            for found, (_, options) in zip(seconds, SETTINGS, strict=True):
                found += seconds_of(replace(job, **options))
        best = [min(found) for found in seconds]
        columns = zip(seconds, best, strict=True)
        table.add_row(name, *(f"{1e3 * statistics.median(found):.1f} ms, {least / best[0]:.2f}" for found, least in columns))
    Console().print(table)


if __name__ == "__main__":
    main()
