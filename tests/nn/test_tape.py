"""The tape: gradients against PyTorch's, what a step costs, and what it refuses."""

import numpy as np
import pytest
import torch

import mpc
from mpc import nn

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(8, 5)), RNG.normal(size=(8, 3))
W1, W2, B = RNG.normal(size=(5, 4)), RNG.normal(size=(4, 3)), RNG.normal(size=3)


def network(x, y, w1, w2, b):
    return ((np.maximum(x @ w1, 0) @ w2 + b - y) ** 2).mean()


@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
def test_gradients_of_a_small_network(protocol):
    def program(party):
        x, y, *weights = (party.input(a, owner=0) for a in (X, Y, W1, W2, B))
        variables = [nn.Variable(w) for w in weights]
        loss = network(x, y, *variables)
        loss.backward()
        return [loss.reveal(), *(v.grad.reveal() for v in variables)]

    got = mpc.simulate(program, protocol=protocol)[0]
    weights = [torch.tensor(w, requires_grad=True) for w in (W1, W2, B)]
    loss = ((torch.relu(torch.tensor(X) @ weights[0]) @ weights[1] + weights[2] - torch.tensor(Y)) ** 2).mean()
    loss.backward()
    for mine, theirs in zip(got, [loss.detach(), *(w.grad for w in weights)], strict=True):
        np.testing.assert_allclose(mine, theirs.numpy(), atol=2e-4)
