"""Training and inference that is measured: a logistic regression, a multilayer perceptron and LeNet, on random data."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from mpc.bench.workloads import Array, Arrays, Workload

SIZES = (784, 128, 128, 10)
LENET = ((20, 1, 5, 5), (20,), (50, 20, 5, 5), (50,), (500, 800), (500,), (10, 500), (10,))
BATCH, RATE, STEPS = 128, 0.1, 100


def _he(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Random weights (out, in, ...) of variance 2 / fan-in; biases of 0."""
    return rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else np.zeros(shape)


def dense_arrays() -> Arrays:
    rng = np.random.default_rng(2)
    shapes = [shape for a, b in pairwise(SIZES) for shape in ((b, a), (b,))]
    return [_he(shape, rng) for shape in shapes] + [rng.uniform(0, 1, (BATCH, SIZES[0]))]


def training_arrays() -> Arrays:
    return [*dense_arrays(), np.eye(10)[np.random.default_rng(3).integers(0, 10, BATCH)]]


def lenet_arrays(batch: int) -> Arrays:
    rng = np.random.default_rng(4)
    return [_he(shape, rng) for shape in LENET] + [rng.uniform(0, 1, (batch, 1, 28, 28))]


def logistic_arrays() -> Arrays:
    rng = np.random.default_rng(1)
    x, w = rng.uniform(-1, 1, (1000, 100)), rng.normal(size=100)
    return [x, (x @ w > 0).astype(float)]


# ---------------------------------------------------------------------------------------- ours


def _with(net: Any, weights: Sequence[Any]) -> Any:
    for parameter, value in zip(net.parameters(), weights, strict=True):
        parameter.set(value)
    return net


def _dense(weights: Sequence[Any]) -> Any:
    from mpc import nn

    a, b, c, d = SIZES
    return _with(nn.Sequential(nn.Linear(a, b), nn.ReLU(), nn.Linear(b, c), nn.ReLU(), nn.Linear(c, d)), weights)


def dense_inference(*arrays: Any) -> Any:
    from mpc import nn

    with nn.no_grad():
        return _dense(arrays[:6])(arrays[6])


def dense_training(*arrays: Any) -> Any:
    """One step of SGD; the first layer's new weights."""
    from mpc import nn

    net = _dense(arrays[:6])
    optimizer = nn.SGD(net.parameters(), lr=RATE)
    nn.CrossEntropyLoss()(net(arrays[6]), arrays[7]).backward()
    optimizer.step()
    return net[0].weight.tensor


def lenet(*arrays: Any) -> Any:
    from mpc import nn

    layers = [nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.Flatten()]
    net = nn.Sequential(*layers, nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))
    with nn.no_grad():
        return _with(net, arrays[:8])(arrays[8])


def logistic(x: Any, y: Any) -> Any:
    """STEPS steps of gradient descent, by mini-batches."""
    from mpc import functions

    w: Any = np.zeros(x.shape[1])
    for i in range(STEPS):
        rows = slice(i % 7 * BATCH, (i % 7 + 1) * BATCH)
        error = functions.expit(x[rows] @ w) - y[rows] if i else 0.5 - y[rows]
        w = w - x[rows].T @ error * (0.5 / BATCH)
    return w


# ---------------------------------------------------------------------------------------- in the clear


def dense_reference(*arrays: Array) -> Any:
    h = arrays[6]
    for k in (0, 2, 4):
        h = (np.maximum(h, 0) if k else h) @ arrays[k].T + arrays[k + 1]
    return h


def training_reference(*arrays: Array) -> Any:
    w1, b1, w2, b2, w3, b3, x, t = arrays
    z1 = x @ w1.T + b1
    z2 = np.maximum(z1, 0) @ w2.T + b2
    z3 = np.maximum(z2, 0) @ w3.T + b3
    p = np.exp(z3 - z3.max(axis=1, keepdims=True))
    g = (p / p.sum(axis=1, keepdims=True) - t) / BATCH
    g = (((g @ w3) * (z2 > 0)) @ w2) * (z1 > 0)
    return w1 - RATE * (g.T @ x)


def lenet_reference(*arrays: Array) -> Any:
    def conv(v: Array, w: Array, b: Array) -> Any:
        windows = np.lib.stride_tricks.sliding_window_view(v, w.shape[2:], (2, 3))
        return np.einsum("nchwij,ocij->nohw", windows, w, optimize=True) + b[:, None, None]

    def pool(v: Array) -> Any:
        n, c, h, w = v.shape
        return v.reshape(n, c, h // 2, 2, w // 2, 2).max(axis=(3, 5))

    v = pool(conv(arrays[8], *arrays[0:2]))
    v = pool(conv(v, *arrays[2:4])).reshape(len(v), -1)
    return np.maximum(v @ arrays[4].T + arrays[5], 0) @ arrays[6].T + arrays[7]


def logistic_reference(x: Array, y: Array) -> Any:
    w = np.zeros(x.shape[1])
    for i in range(STEPS):
        rows = slice(i % 7 * BATCH, (i % 7 + 1) * BATCH)
        w -= x[rows].T @ (1 / (1 + np.exp(-(x[rows] @ w))) - y[rows]) * (0.5 / BATCH)
    return w


def lenet_inference(batch: int, repeats: int) -> Workload:
    return Workload("LeNet inference, batch {size}", lenet_arrays, lenet, lenet_reference, 10, repeats, size=batch, unit="images")


MODELS = {
    "logreg": Workload(
        f"logistic regression, {STEPS} steps", logistic_arrays, logistic, logistic_reference, 10, steps=STEPS
    ),
    "dense_inf": Workload("MLP inference, batch 128", dense_arrays, dense_inference, dense_reference, 25, 10),
    "dense_train": Workload("MLP training step, batch 128", training_arrays, dense_training, training_reference, 35, 5),
    "lenet16": lenet_inference(16, 3),
    "lenet128": lenet_inference(128, 1),
}  # fmt: skip
