"""Trained networks, exported by both of PyTorch's exporters, against onnxruntime: the same classes, and logits within 2^-7.

make_models.py has the networks.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from sklearn.datasets import load_digits

import mpc
import mpc.onnx

FOLDER = Path(__file__).parent / "models"
TESTED = 200
ALIKE = 0.995
WITHIN = 2**-7


@pytest.fixture(scope="module")
def digits():
    images, labels = load_digits(return_X_y=True)
    return (images[:TESTED] / 16).astype(np.float32), labels[:TESTED]


def logits(model, x):
    """What party 0 learns of party 1's model for its inputs, and what loading, the first and a later call cost."""

    def program(party):
        with party.measure() as loading:
            loaded = mpc.onnx.load(party, model if party.index == 1 else None, owner=1)
        secret = party.input(x if party.index == 0 else None, owner=0)
        with party.measure() as first:
            y = loaded(secret)
        with party.measure() as later:
            loaded(secret[:1])
        return y.reveal(to=0), (loading.rounds, first.rounds, later.rounds)

    (values, rounds), (nothing, _) = mpc.simulate(program)
    assert nothing is None
    return values, rounds


# At most so many: of loading, of a call with 200 inputs, and of a later one with 1. The later call opens no weights.
ROUNDS = {"mlp": (2, 11, 10), "lenet": (2, 23, 21), "residual": (2, 28, 26), "encoder": (2, 110, 102)}


@pytest.mark.parametrize("exporter", ["dynamo", "torchscript"])
@pytest.mark.parametrize("name", ROUNDS)
def test_a_trained_network_gives_the_same_classes_and_logits(name, exporter, digits):
    x, y = digits
    model = FOLDER / f"{name}-{exporter}.onnx"
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (want,) = session.run(None, {session.get_inputs()[0].name: x})
    got, rounds = logits(model, x)
    assert np.mean(want.argmax(1) == y) > 0.75, "it has learned something"
    assert np.mean(got.argmax(1) == want.argmax(1)) >= ALIKE
    assert np.abs(got - want).max() < WITHIN
    assert all(n <= most for n, most in zip(rounds, ROUNDS[name], strict=True)), rounds
