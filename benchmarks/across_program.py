"""What bench_across runs on each host: an exchange of 100 MB, or the training of examples/two_hospitals.py."""

import json
import time
from pathlib import Path

import numpy as np

import mpc

WORDS = 12_500_000  # 100 MB, each way


def main(party, what, out):
    seconds = {"exchange": exchange, "training": training}[what](party)
    if party.index == 0:
        Path(out).write_text(json.dumps(seconds))


def exchange(party):
    """Seconds of exchanges between the two parties, what is fed to the transcript and its comparison included."""
    endpoint = party._endpoint
    array = np.full(WORDS, party.index, np.uint64)
    seconds = []
    for _ in range(9):  # the first one warms up
        endpoint.exchange("both are here", [array[:1]])
        begin = time.perf_counter()
        endpoint.exchange("100 MB", [array])
        endpoint.confirm()
        seconds.append(time.perf_counter() - begin)
    return seconds[1:]


def training(party):
    """Seconds of an epoch of logistic regression on 426 x 30 secret features."""
    rng = np.random.default_rng(0)
    features = party.input(rng.normal(size=(426, 30)) if party.index == 0 else None, owner=0)
    labels = party.input(rng.integers(0, 2, 426).astype(float) if party.index == 1 else None, owner=1)
    w, b = np.zeros(30), 0.0
    seconds = []
    for _ in range(61):
        begin = time.perf_counter()
        error = mpc.functions.sigmoid(features @ w + b) - labels
        w = w - 0.5 * (features.T @ error / 426 + 0.01 * w)
        b = b - 0.5 * error.mean()
        b.truncate()
        seconds.append(time.perf_counter() - begin)
    w.reveal()
    return seconds[1:]
