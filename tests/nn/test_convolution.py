"""Convolutions against PyTorch's: values, gradients, first parameters, and what they cost."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import mpc
from mpc import nn
from mpc.errors import OptionError

RNG = np.random.default_rng(0)
X, S = RNG.normal(size=(2, 4, 9, 8)), RNG.normal(size=(2, 4, 11))

MODULES = [
    ("Conv2d", (4, 6, 3), {}, X),
    ("Conv2d", (4, 6, (3, 2), (2, 1), (1, 2), 2, 2), {}, X),
    ("Conv2d", (4, 4, 3), {"groups": 4, "bias": False}, X),
    ("Conv2d", (4, 3, 3), {"padding": "same", "dilation": 2}, X),
    ("Conv2d", (4, 3, 3), {"padding": (1, 2), "padding_mode": "reflect"}, X),
    ("Conv2d", (4, 3, 2), {"padding": "same", "padding_mode": "circular"}, X),
    ("Conv2d", (4, 3, 3), {"padding": 1, "padding_mode": "replicate"}, X[0]),
    ("Conv1d", (4, 6, 3, 2, 1, 2, 2), {}, S),
    ("Conv1d", (4, 3, 3), {}, S[0]),
    ("ConvTranspose2d", (4, 6, 3), {}, X),
    ("ConvTranspose2d", (4, 6, (3, 2), (3, 2), 1, (2, 1), 2), {"bias": False}, X),
    ("ConvTranspose2d", (4, 2, 3, 2), {"dilation": 2}, X[0]),
    ("ConvTranspose1d", (4, 6, 4, 2, 1, 1, 2), {}, S),
]


@pytest.mark.parametrize(("name", "args", "options", "x"), MODULES)
def test_values_and_gradients(against_torch, name, args, options, x):
    against_torch(getattr(nn, name)(*args, **options), getattr(torch.nn, name)(*args, **options), x, tolerance=1e-4)


numbers = st.integers(1, 3)
pairs = st.tuples(numbers, numbers)


@settings(max_examples=25, deadline=None)
@given(numbers, numbers, numbers, pairs, pairs, st.tuples(st.integers(0, 2), st.integers(0, 2)), pairs, st.booleans())
def test_random_shapes(against_torch, n, channels, groups, kernel, stride, padding, dilation, transposed):
    x = np.random.default_rng(n).normal(size=(n, channels * groups, 7, 8))
    args = (channels * groups, 2 * groups, kernel, stride, padding)
    if transposed:
        extra = tuple(s - 1 for s in stride)
        ours, theirs = (m.ConvTranspose2d(*args, extra, groups, dilation=dilation) for m in (nn, torch.nn))
    else:
        ours, theirs = (m.Conv2d(*args, dilation, groups) for m in (nn, torch.nn))
    against_torch(ours, theirs, x, tolerance=1e-4)


@pytest.mark.parametrize(
    ("name", "args", "x"),
    [("Conv2d", (4, 6, 3, 2), X), ("Conv1d", (4, 6, 3), S), ("ConvTranspose2d", (4, 6, 3, 2), X)],
)
def test_what_they_cost(against_torch, name, args, x):
    """Each of images, filters and gradient is opened once; the bias needs nothing."""
    theirs = getattr(torch.nn, name)(*args)
    result = theirs(torch.tensor(x, dtype=torch.float32))
    forward, backward = against_torch(getattr(nn, name)(*args), theirs, x, "additive", 2, 1e-4)
    assert forward == (1, 8 * (x.size + theirs.weight.numel()))
    assert backward == (1, 8 * result.numel())


@pytest.mark.parametrize("name", ["Conv2d", "ConvTranspose2d"])
def test_first_parameters_are_uniform_as_pytorchs(name):
    args = (8, 16, 5)

    def program(party):
        return nn.reveal(getattr(nn, name)(*args).to(party))

    torch.manual_seed(0)
    ours, theirs = mpc.simulate(program, parties=1, protocol="plaintext", seed=1)[0], getattr(torch.nn, name)(*args)
    bound = 1 / np.sqrt((8 if name == "Conv2d" else 16) * 25)
    for values in (ours, {key: value.detach().numpy() for key, value in theirs.state_dict().items()}):
        assert 0.95 * bound < np.abs(values["weight"]).max() <= bound
        assert 0.8 * bound < np.abs(values["bias"]).max() <= bound
    assert abs(ours["weight"].mean()) < 0.05 * bound


def test_gradients_that_are_public():
    """Those of a sum are; with a public image or filter too."""

    def program(party):
        x, w = nn.Variable(party.input(X, 0)), nn.Variable(party.input(RNG.normal(size=(2, 4, 3, 3)), 0))
        F = nn.functional
        np.sum(F.conv2d(x, w)).backward()
        first = x.grad, w.grad
        x.grad = w.grad = None
        np.sum(F.conv2d(x, w.tensor)).backward()
        np.sum(F.conv2d(x.tensor, w)).backward()
        second = x.grad, w.grad
        x.grad = None
        np.sum(F.conv2d(x, np.ones((2, 4, 3, 3)))).backward()
        return [t.reveal() for t in (*first, *second, x.grad)]

    for_x, for_w, again_x, again_w, of_ones = mpc.simulate(program, parties=1, protocol="plaintext")[0]
    np.testing.assert_array_equal(for_x, again_x)
    np.testing.assert_array_equal(for_w, again_w)
    expected = np.ones(7)[:, None] * np.ones(6)
    counts = torch.nn.grad.conv2d_input((1, 1, 9, 8), torch.ones(1, 1, 3, 3), torch.tensor(expected[None, None]).float())
    np.testing.assert_allclose(of_ones[0, 0], 2 * counts[0, 0].numpy(), atol=1e-4)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (lambda: nn.Conv2d(4, 6, 0), "Conv2d: kernel_size=0"),
        (lambda: nn.Conv2d(4, 6, 3, groups=3), "Conv2d: groups=3"),
        (lambda: nn.ConvTranspose2d(4, 6, (1, 2, 3)), "ConvTranspose2d: kernel_size"),
    ],
)
def test_descriptions_that_are_refused(module, message):
    with pytest.raises(OptionError, match=message):
        module()


def small_network(m):
    return m.Sequential(
        m.Conv2d(1, 3, 3), m.BatchNorm2d(3), m.ReLU(), m.MaxPool2d(2), m.Conv2d(3, 4, 2), m.ReLU(), m.AvgPool2d(2), m.Flatten(),
        m.Linear(16, 5),
    )  # fmt: skip


def test_a_whole_network(against_torch):
    """Its rounds: what each layer opens truncates what the one before it computed."""
    x = RNG.random(size=(4, 1, 12, 12))
    torch.manual_seed(2)
    forward, backward = against_torch(small_network(nn), small_network(torch.nn), x, "additive", 2, 3e-3, after=[x])
    assert forward[0] <= 31
    assert backward[0] <= 14
