"""Modules: descriptions, copies with parameters, and the order in which Sequential computes."""

import cloudpickle
import numpy as np
import pytest
import torch

import mpc
from mpc import nn

X = np.random.default_rng(0).normal(size=(2, 3, 6, 6))


class Net(nn.Module):
    def __init__(self):
        self.first, self.second = nn.Linear(4, 3), nn.Linear(3, 2)
        self.scale = nn.Parameter((2,), nn.init.ones)
        self.tied = self.first.weight

    def forward(self, x):
        return self.second(np.tanh(self.first(x))) * self.scale


def test_a_description_stays_as_it_is_and_the_copy_has_parameters():
    net = Net()

    def program(party):
        model = net.to(party)
        shapes = {name: p.shape for name, p in model.named_parameters()}
        assert model.tied is model.first.weight
        assert model.to(party) is not model
        return shapes, model(party.input(np.ones((5, 4)) if party.index == 0 else None, owner=0)).shape

    shapes, shape = mpc.simulate(program, protocol="plaintext")[0]
    assert list(shapes) == ["scale", "tied", "first.bias", "second.weight", "second.bias"] and shape == (5, 2)
    with pytest.raises(mpc.Error, match=r"net\.to\(party\)` returns"):
        net.first.weight.reveal()
    assert repr(cloudpickle.loads(cloudpickle.dumps(net))) == repr(net)


@pytest.mark.parametrize("activation, pool", [("ReLU", "MaxPool2d"), ("Tanh", "AdaptiveMaxPool2d"), ("GELU", "MaxPool2d")])
def test_a_max_pool_after_an_activation_that_never_falls_goes_first(activation, pool):
    net = nn.Sequential(getattr(nn, activation)(), getattr(nn, pool)(2))

    def program(party):
        x = nn.Variable(party.input(X if party.index == 0 else None, owner=0))
        y = net.to(party)(x)
        np.sum(y).backward()
        return y.reveal(), x.grad.reveal(), list(party.stats.scopes)

    y, gradient, scopes = mpc.simulate(program, protocol="plaintext")[0]
    x = torch.tensor(X, requires_grad=True)
    theirs = torch.nn.Sequential(getattr(torch.nn, activation)(), getattr(torch.nn, pool)(2))(x)
    theirs.sum().backward()
    np.testing.assert_allclose(y, theirs.detach().numpy(), atol=1e-4)
    np.testing.assert_allclose(gradient, x.grad.numpy(), atol=1e-3)
    inside = [path for path in scopes if path.startswith("Sequential/")]
    assert ("1 " in inside[0]) is (activation != "GELU")
