"""Modules beside PyTorch's: the same parameters and inputs, the same values and gradients."""

import numpy as np
import pytest
import torch

import mpc
from mpc import nn


def _state(module):
    return {name: value.detach().double().numpy() for name, value in module.state_dict().items()}


def check_module(ours, theirs, x, protocol="plaintext", parties=1, tolerance=2e-3, after=()):
    """`ours` with the parameters of `theirs`: result, gradients of input and parameters, and state afterwards; and the
    relative error that they may have. Returns (rounds, bytes sent) of the ways forward and back. `after`: inputs for eval."""
    theirs = theirs.double()
    before = {name: value.copy() for name, value in _state(theirs).items()}
    t = torch.tensor(x, requires_grad=True)
    z = theirs(t)
    g = np.random.default_rng(3).normal(size=z.shape)
    z.backward(torch.tensor(g))
    gradients = {name: parameter.grad.numpy() for name, parameter in theirs.named_parameters()}
    expected = {"result": z.detach().numpy(), "input": t.grad.numpy(), **gradients}
    expected |= {f"state {name}": value for name, value in _state(theirs).items()}
    theirs.eval()
    expected |= {f"after {k}": theirs(torch.tensor(value)).detach().numpy() for k, value in enumerate(after)}

    def program(party):
        net = ours.to(party)
        net.load_state_dict(before)
        net.requires_grad_()

        def secret(value):
            return party.input(value if party.index == 0 else None, owner=0)

        inputs = nn.Variable(secret(x))
        upstream = secret(g)
        with party.measure() as forward:
            result = net(inputs)
        with party.measure() as backward:
            result.backward(upstream)
        found = {"result": result.tensor, "input": inputs.grad}
        found |= {name: parameter.grad for name, parameter in net.named_parameters()}
        found |= {f"state {name}": value for name, value in net.state_dict().items()}
        net.eval()
        with nn.no_grad():
            found |= {f"after {k}": net(secret(value)) for k, value in enumerate(after)}
        values = dict(zip(found, party.reveal(*found.values()), strict=True))
        return values, [(cost.rounds, cost.bytes_sent) for cost in (forward, backward)]

    for found, costs in mpc.simulate(program, parties=parties, protocol=protocol):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert found[name].shape == value.shape, name
            largest = max(1.0, float(np.max(np.abs(value), initial=0)))
            np.testing.assert_allclose(found[name], value, rtol=0, atol=tolerance * largest, err_msg=name)
    return costs


@pytest.fixture(scope="session")
def against_torch():
    return check_module
