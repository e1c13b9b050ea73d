"""Pools against PyTorch's: values, gradients, and what they cost."""

import numpy as np
import pytest
import torch

import mpc
from mpc import nn

RNG = np.random.default_rng(0)
X, S = RNG.normal(size=(2, 3, 9, 8)), RNG.normal(size=(2, 3, 11))

MODULES = [
    ("MaxPool2d", (2,), {}, X),
    ("MaxPool2d", ((3, 2), (2, 1), 1, 2), {"ceil_mode": True}, X),
    ("MaxPool2d", (3, 1), {}, X[0]),
    ("MaxPool1d", (3, 2, 1), {}, S),
    ("AdaptiveMaxPool2d", ((4, None),), {}, X),
    ("AvgPool2d", (2,), {}, X),
    ("AvgPool2d", ((3, 2), 2, 1, True, False), {}, X),
    ("AvgPool2d", (2,), {"divisor_override": 3}, X[0]),
    ("AvgPool1d", (4, 1, 2), {}, S),
    ("AdaptiveAvgPool2d", ((4, 3),), {}, X),
    ("AdaptiveAvgPool2d", (1,), {}, X),
    ("AdaptiveAvgPool1d", (4,), {}, S[0]),
]


@pytest.mark.parametrize(("name", "args", "options", "x"), MODULES)
def test_values_and_gradients(against_torch, name, args, options, x):
    against_torch(getattr(nn, name)(*args, **options), getattr(torch.nn, name)(*args, **options), x, tolerance=1e-4)


def test_ties_go_where_pytorchs_go(against_torch):
    """As after a relu, where many are 0: to the first."""
    x = np.random.default_rng(1).integers(0, 2, (2, 3, 8, 8)).astype(float)
    against_torch(nn.MaxPool2d(3, 2, 1), torch.nn.MaxPool2d(3, 2, 1), x, "additive", 2)


def test_the_gradient_of_a_largest_needs_no_comparison(against_torch):
    x = RNG.normal(size=(2, 4, 16, 16))
    forward, backward = against_torch(nn.MaxPool2d(2), torch.nn.MaxPool2d(2), x, "additive", 2)
    assert forward == (5, 512 * (4 * 8 + 6 * 4.25 + 4 * 3 / 8 + 4 / 8))
    assert backward == (1, 512 * (8 + 4 / 8))


def test_means_are_local(against_torch):
    assert against_torch(nn.AvgPool2d(2), torch.nn.AvgPool2d(2), X, "additive", 3) == [(0, 0), (0, 0)]
    assert against_torch(nn.AdaptiveAvgPool2d(1), torch.nn.AdaptiveAvgPool2d(1), X, "additive", 2) == [(0, 0), (0, 0)]


@pytest.mark.parametrize(
    "call",
    [
        lambda f, x: f.pad(x, (1, 2, -1, 3), value=1.5),
        lambda f, x: f.pad(x, (1, 2, 3, 0), "reflect"),
        lambda f, x: f.pad(x, (0, 2, 2, 3), "replicate"),
        lambda f, x: f.pad(x, (1, 2, 0, 1), "circular"),
        lambda f, x: f.unfold(x, (2, 3), 2, (1, 2), (2, 1)),
    ],
)
def test_gradients_of_rearrangements(call):
    t = torch.tensor(X, requires_grad=True)
    z = call(torch.nn.functional, t)
    g = np.random.default_rng(3).normal(size=z.shape)
    z.backward(torch.tensor(g))

    def program(party):
        x = nn.Variable(party.input(X, 0))
        result = call(nn.functional, x)
        result.backward(party.input(g, 0))
        first = x.grad
        x.grad = None
        np.sum(call(nn.functional, x)).backward()  # a public gradient
        return result.reveal(), first.reveal(), x.grad.reveal()

    result, gradient, of_ones = mpc.simulate(program, parties=1, protocol="plaintext")[0]
    np.testing.assert_allclose(result, z.detach().numpy(), atol=1e-4)
    np.testing.assert_allclose(gradient, t.grad.numpy(), atol=1e-4)
    t.grad = None
    call(torch.nn.functional, t).sum().backward()
    np.testing.assert_allclose(of_ones, t.grad.numpy(), atol=1e-4)


def test_numpys_pad_has_a_gradient():
    def program(party):
        x = nn.Variable(party.input(S, 0))
        np.sum(np.pad(x, ((0, 0), (1, 0), (2, 2)), mode="edge") * np.arange(15.0)).backward()
        y = nn.Variable(party.input(S, 0))
        np.sum(np.pad(y, 1) * 2).backward()
        return x.grad.reveal(), y.grad.reveal()

    x, y = mpc.simulate(program, parties=1, protocol="plaintext")[0]
    row = np.arange(15.0)[2:13] + np.eye(11)[0] * (0 + 1) + np.eye(11)[-1] * (13 + 14)
    np.testing.assert_array_equal(x, np.broadcast_to(row, S.shape) * np.array([2, 1, 1])[:, None])
    np.testing.assert_array_equal(y, np.full(S.shape, 2.0))


@pytest.mark.parametrize("pool", [nn.MaxPool2d(2), nn.AvgPool2d(3, 2, 1), nn.AdaptiveAvgPool2d(3)])
def test_public_gradients(against_torch, pool):
    """As those of a sum are."""
    options = {k: v for k, v in vars(pool).items() if not k.startswith("_")}
    t = torch.tensor(X, requires_grad=True)
    getattr(torch.nn, type(pool).__name__)(**options)(t).sum().backward()

    def program(party):
        x = nn.Variable(party.input(X if party.index == 0 else None, 0))
        np.sum(pool(x)).backward()
        return x.grad.reveal()

    np.testing.assert_allclose(mpc.simulate(program, parties=2)[0], t.grad.numpy(), atol=1e-4)
