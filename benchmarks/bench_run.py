"""Start-up, and secret products between real processes, beside one plaintext float64 product on one thread."""

import statistics
import time

import numpy as np
from rich.console import Console
from rich.table import Table

import mpc
from mpc.launch.job import Job
from mpc.launch.run import execute

REPEATS = 10


def trivial(party):
    return party.index


def secret_matmul(party, size, repeats):
    """Seconds of fresh (size, size) products, truncated, from a common start to shares of the result."""
    rng = np.random.default_rng(party.index)
    seconds = []
    for _ in range(repeats + 1):  # the first one warms up
        mine = rng.uniform(-1, 1, (size, size))
        x, y = (party.input(mine if party.index == owner else None, owner) for owner in (0, 1))
        x[0, 0].reveal()  # both are here
        with party.measure() as cost:
            (x @ y).truncate()
        seconds.append(cost)
    return seconds[1:]


def secret_multiply(party, size, repeats):
    costs = []
    for _ in range(repeats + 1):
        x, y = (party.input(np.full(size, 1.5) if party.index == owner else None, owner) for owner in (0, 1))
        x[0].reveal()
        with party.measure() as cost:
            (x * y).truncate()
        costs.append(cost)
    return costs[1:]


def plain_matmul(size):
    a = np.random.default_rng(0).uniform(-1, 1, (size, size))
    begin = time.perf_counter()
    np.matmul(a, a)
    return time.perf_counter() - begin


def seconds_of(action, repeats=REPEATS):
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return times


def startup(table):
    for name, run in (("mpc.simulate", mpc.simulate), ("mpc.run", mpc.run)):
        run(trivial)
        times = seconds_of(lambda run=run: run(trivial))
        table.add_row(f"{name}, trivial program", f"{statistics.median(times):.4f} s", f"best {min(times):.4f} s")


def workload(table, name, program, *args):
    """The slowest party's time, and the dealer's own, of which most passes while the parties work."""
    outcome = execute(Job(program, (*args, REPEATS)))
    runs = [max(costs, key=lambda cost: cost.seconds) for costs in zip(*outcome.results, strict=True)]
    seconds = [cost.seconds for cost in runs]
    dealing = sum(cost.seconds for cost in outcome.stats[-1].operations.values()) / (REPEATS + 1)
    cost = runs[0]
    table.add_row(
        name,
        f"{statistics.median(seconds):.4f} s",
        f"best {min(seconds):.4f} s; {cost.rounds} rounds, {cost.bytes_sent / 1e6:.1f} MB sent a party, "
        f"{outcome.results[1][0].offline_bytes / 1e6:.1f} MB dealt; "
        f"the dealer works {dealing:.4f} s (loading its kernels included)",
    )
    return seconds


def main():
    table = Table(title="mpc.run: two parties and a dealer", title_justify="left", box=None, pad_edge=False)
    for column in ("", "median", ""):
        table.add_column(column)
    startup(table)
    workload(table, "multiply 10^6, truncated", secret_multiply, 10**6)
    before = [plain_matmul(1024) for _ in range(REPEATS)]
    secret = workload(table, "matmul 1024^3, truncated", secret_matmul, 1024)
    plain = [*before, *(plain_matmul(1024) for _ in range(REPEATS))]
    ratio, best = statistics.median(secret) / statistics.median(plain), min(secret) / min(plain)
    table.add_row("NumPy float64 matmul 1024^3, one thread", f"{statistics.median(plain):.4f} s", f"best {min(plain):.4f} s")
    table.add_row("secret / plaintext matmul", f"{ratio:.2f}", f"best / best {best:.2f}; the target is at most 6")
    Console().print(table)


if __name__ == "__main__":
    main()
