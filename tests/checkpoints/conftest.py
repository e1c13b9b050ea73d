"""A small training program, and what it gives when nothing happens to it."""

import numpy as np
import pytest

from mpc.testing import protocol_of, simulate

X = np.linspace(-1, 1, 36).reshape(12, 3) ** 2
Y = X @ np.array([1.0, 0.5, -0.25])


def train(party, epochs=3, note=None, began=lambda party: None):
    """Features go with the state, labels come in again. `note(number, position)` hears the last checkpoint's number
    and what is used, at the beginning and after each call."""
    hear(party, note)
    began(party)
    x = party.input(X if party.index == 0 else None, owner=0)
    y = party.input(Y if party.index == 1 else None, owner=1)
    state = {"epoch": 0, "w": party.constant(np.zeros(3)), "x": x, "losses": []}
    while state["epoch"] < epochs:
        state = party.checkpoint(state)
        hear(party, note)
        x, w = state["x"], state["w"]
        shuffled = x[party.random.permutation(len(X))]
        error = np.maximum(x @ w, -2) - y
        w = w - (error @ x) * 0.1 + shuffled.sum() * 0
        losses = [*state["losses"], float((error * error).mean().reveal())]
        state = {"epoch": state["epoch"] + 1, "w": w, "x": x, "losses": losses}
    return {"w": state["w"].reveal(), "losses": np.array(state["losses"])}


def hear(party, note):
    if note is not None and party.index == 0:
        note(party._checkpoints._number, protocol_of(party).position())


def same(results, expected, atol=0.0):
    for one in results:
        for name, value in expected[0].items():
            np.testing.assert_allclose(one[name], value, rtol=0, atol=atol, err_msg=name)


class References:
    """Uninterrupted runs with a seed, by the numbers that they were told to skip."""

    def __init__(self):
        self._known = {}

    def __call__(self, seed, parties, epochs, skips=()):
        name = seed, parties, epochs, tuple(sorted(dict(skips).items()))
        if name not in self._known:
            self._known[name] = simulate(train, epochs, parties=parties, seed=seed, skips=dict(skips)).results
        return self._known[name]


@pytest.fixture(scope="session")
def reference():
    return References()


@pytest.fixture
def training():
    return train


@pytest.fixture
def agree():
    return same
