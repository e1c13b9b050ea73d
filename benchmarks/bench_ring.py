"""The ring's matrix product beside NumPy's float64 product, one thread each, interleaved in one run."""

import statistics
import time
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

from mpc import ring

SHAPES = [
    (2, 2, 2), (16, 16, 16), (32, 32, 32), (64, 64, 64),
    (569, 30, 1), (1, 784, 128), (128, 784, 10), (128, 784, 128), (1000, 1, 1000),
    (256, 256, 256), (512, 512, 512), (1024, 1024, 1024), (2048, 2048, 2048),
]  # fmt: skip
CONVOLUTIONS = [
    ((32, 1, 28, 28), (16, 1, 5, 5)),
    ((32, 16, 14, 14), (32, 16, 3, 3)),
    ((1, 64, 56, 56), (64, 64, 3, 3)),
]
BUDGET = 2.0  # seconds of multiplications per shape


def interleaved(calls: list[Callable[[], object]], multiplications: int) -> list[list[float]]:
    """Seconds of each call, in turns: a noisy moment then hits all of them."""
    repeats = int(min(300, max(5, BUDGET * 8e9 / multiplications / len(calls))))
    for call in calls:
        call()
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in range(repeats):
        for call, record in zip(calls, seconds, strict=True):
            start = time.perf_counter()
            call()
            record.append(time.perf_counter() - start)
    return seconds


def matmul_table() -> Table:
    columns = (
        "m, k, n",
        "microseconds",
        "G/s best",
        "median",
        "float64 best",
        "median",
        "ratio best",
        "median",
    )
    table = Table(*columns, title="ring.matmul: multiply-adds a second, and speed over NumPy's float64")
    rng = np.random.default_rng(0)
    for m, k, n in SHAPES:
        a, b = (rng.integers(0, 2**64, shape, dtype=np.uint64) for shape in ((m, k), (k, n)))
        x, y = rng.random((m, k)), rng.random((k, n))
        mine, real = interleaved([lambda a=a, b=b: ring.matmul(a, b), lambda x=x, y=y: x @ y], m * k * n)
        middle = statistics.median
        speeds = [m * k * n / t / 1e9 for t in (min(mine), middle(mine), min(real), middle(real))]
        ratios = [min(real) / min(mine), middle(real) / middle(mine)]
        table.add_row(f"{m}, {k}, {n}", f"{min(mine) * 1e6:.1f}", *(f"{value:.2f}" for value in speeds + ratios))
    return table


def conv_table() -> Table:
    table = Table("images", "filters", "milliseconds", "G/s best", "median", title="ring.conv2d")
    rng = np.random.default_rng(0)
    for x_shape, w_shape in CONVOLUTIONS:
        x, w = (rng.integers(0, 2**64, shape, dtype=np.uint64) for shape in (x_shape, w_shape))
        work = int(np.prod(ring.conv2d_shape(x_shape, w_shape)) * np.prod(w_shape[1:]))
        (seconds,) = interleaved([lambda x=x, w=w: ring.conv2d(x, w)], work)
        speeds = [work / t / 1e9 for t in (min(seconds), statistics.median(seconds))]
        table.add_row(str(x_shape), str(w_shape), f"{min(seconds) * 1e3:.2f}", *(f"{value:.2f}" for value in speeds))
    return table


def main() -> None:
    ring.prepare()
    console = Console(width=110)
    console.print(", ".join(f"{name}: {value}" for name, value in ring.describe().items()))
    console.print(matmul_table())
    console.print(conv_table())


if __name__ == "__main__":
    main()
