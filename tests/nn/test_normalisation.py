"""Batch and layer normalisation against PyTorch's: values, gradients, running statistics, modes, and what they cost."""

import numpy as np
import pytest
import torch

import mpc
from mpc import nn
from mpc.errors import OptionError, RangeError, ShapeError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 3, 5, 4)) * [[[2.0]], [[0.3]], [[7.0]]] + [[[5.0]], [[-0.2]], [[-90.0]]]
V, S = X[:, :, 0, 0], X[:, :, 0]

MODULES = [
    ("BatchNorm2d", (3,), {}, X),
    ("BatchNorm2d", (3, 1e-2, 0.4), {"affine": False}, X),
    ("BatchNorm2d", (3,), {"track_running_stats": False}, X),
    ("BatchNorm1d", (3,), {}, V),
    ("BatchNorm1d", (3,), {}, S),
    ("LayerNorm", (4,), {}, X),
    ("LayerNorm", ((5, 4), 1e-2), {}, X),
    ("LayerNorm", ((5, 4),), {"elementwise_affine": False}, X),
    ("LayerNorm", (4,), {"bias": False}, X),
]


def trained(module):
    """With parameters that are not the first ones."""
    generator = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        torch.nn.init.uniform_(parameter, 0.5, 1.5, generator=generator)
    return module


@pytest.mark.parametrize(("name", "args", "options", "x"), MODULES)
@pytest.mark.parametrize(("protocol", "parties"), [("plaintext", 1), ("additive", 2)])
def test_values_gradients_and_statistics(against_torch, protocol, parties, name, args, options, x):
    theirs = trained(getattr(torch.nn, name)(*args, **options))
    against_torch(getattr(nn, name)(*args, **options), theirs, x, protocol, parties, 1e-3, after=[x, x + 1])


def test_small_variances_keep_their_digits(against_torch):
    """1e-3 is 65 units in the last place; its root is right to 2^-9 all the same, as far as the distances are."""
    x = np.round(RNG.normal(size=(64, 2)) * 0.03 * 2**16) / 2**16
    against_torch(nn.BatchNorm1d(2), torch.nn.BatchNorm1d(2), x, tolerance=2e-3)


@pytest.mark.parametrize("count", [32, 20])
def test_small_values_are_normalised(count):
    """Deviations of 0.01, whose squares are a few units in the last place: in training, and by running statistics after it."""
    theirs = torch.nn.BatchNorm1d(3, momentum=0.5).double()
    small = np.random.default_rng(5).normal(size=(count, 3)) * 0.01

    def program(party):
        net = nn.BatchNorm1d(3, momentum=0.5).to(party)
        x = party.input(small, 0)
        trained = [net(x) for _ in range(20)][-1]
        net.eval()
        return party.reveal(trained.tensor, net(x).tensor)

    t = torch.tensor(small)
    expected = [theirs(t) for _ in range(20)][-1], theirs.eval()(t)
    for got, value in zip(mpc.simulate(program, parties=1, protocol="plaintext")[0], expected, strict=True):
        largest = value.detach().abs().max().item()
        np.testing.assert_allclose(got, value.detach().numpy(), atol=0.006 * largest)


def test_loaded_variances_have_the_digits_of_numbers_but_eps_has_its_own():
    theirs = torch.nn.BatchNorm1d(2, affine=False).double().eval()
    theirs.running_var.copy_(torch.tensor([2.0**-13, 2.0**-10]))
    t = torch.tensor([[0.01, 0.02], [-0.03, 0.05]])

    def program(party):
        net = nn.BatchNorm1d(2, affine=False).to(party).eval()
        net.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
        return net(party.input(t.numpy(), 0)).reveal()

    np.testing.assert_allclose(mpc.simulate(program, parties=1, protocol="plaintext")[0], theirs(t.double()), rtol=2e-3)


def test_gradients_of_many_elements_do_not_drift(against_torch):
    """What the means in the gradient are wrong by is the same for all of 3200 elements, and so adds up in the layer before."""

    def network(m):
        return m.Sequential(m.Conv2d(1, 2, 3), m.BatchNorm2d(2), m.Sigmoid(), m.AvgPool2d(2), m.Flatten(), m.Linear(2 * 25, 3))

    torch.manual_seed(4)
    x = np.random.default_rng(4).random(size=(32, 1, 12, 12))
    against_torch(network(nn), network(torch.nn), x, tolerance=1e-3)


def test_equal_values_give_the_bias(against_torch):
    """A variance of 0: the inverse is as large as eps lets it, and does not overflow."""
    x = np.full((4, 2), 7.25)
    against_torch(nn.BatchNorm1d(2, eps=1e-3), torch.nn.BatchNorm1d(2, eps=1e-3), x)


def test_running_statistics_over_many_batches():
    theirs = torch.nn.BatchNorm1d(3).double()
    batches = RNG.normal(size=(12, 8, 3)) * 3 + 1

    def program(party):
        net = nn.BatchNorm1d(3).to(party)
        for batch in batches:
            net(party.input(batch, 0))
        assert net(nn.Variable(party.input(batches[0], 0))).shape == (8, 3)
        return nn.reveal(net)

    for batch in [*batches, batches[0]]:
        theirs(torch.tensor(batch))
    for name, value in mpc.simulate(program, parties=1, protocol="plaintext")[0].items():
        np.testing.assert_allclose(value, theirs.state_dict()[name].numpy(), atol=3e-4, err_msg=name)


@pytest.mark.parametrize(("columns", "rounds"), [(8, (12, 4)), (7, (14, 5))])
def test_what_batch_norm_costs(against_torch, columns, rounds):
    """An element is opened once forward (its truncation), and its gradient once backward."""
    x = RNG.normal(size=(16, 4, 8, columns))
    forward, backward = against_torch(nn.BatchNorm2d(4), torch.nn.BatchNorm2d(4), x, "additive", 2)
    assert (forward[0], backward[0]) == rounds
    assert 8 * x.size <= forward[1] < 8 * x.size + 1200 * 4  # the channels cost little
    assert 8 * x.size <= backward[1] < 8 * x.size + 100 * 4


def test_what_layer_norm_costs(against_torch):
    x = RNG.normal(size=(8, 64))
    forward, backward = against_torch(nn.LayerNorm(64), torch.nn.LayerNorm(64), x, "additive", 2)
    assert (forward[0], backward[0]) == (11, 4)
    assert 16 * x.size <= forward[1] < 16 * x.size + 300 * 8
    assert backward[1] < 16 * x.size + 100 * 8


def test_evaluation_folds_once():
    """The factors of the channels are computed once, as long as nothing changes them; copies do not share them."""

    def program(party):
        net = nn.BatchNorm2d(3).to(party).eval()
        costs = []

        def measured(net):
            with party.measure() as cost, nn.no_grad():
                result = net(party.input(X if party.index == 0 else None, 0))
            costs.append(cost.rounds)
            return result.reveal()

        first, second = measured(net), measured(net)
        net.load_state_dict(net.state_dict() | {"bias": np.array([1.0, 0, -1])})
        third, fourth = measured(net), measured(net.to(party))
        return costs, first, second, third, fourth

    costs, first, second, third, fourth = mpc.simulate(program, parties=2)[0]
    announced = costs[1]  # that of the input
    assert announced <= 2
    assert min(costs[0], costs[2]) >= announced + 10
    assert costs[3] > announced
    np.testing.assert_allclose(first, second, atol=1e-3)
    np.testing.assert_allclose(third, first + np.array([1.0, 0, -1]).reshape(3, 1, 1), atol=2e-3)
    np.testing.assert_allclose(third, fourth, atol=2e-3)


def test_gradients_in_evaluation():
    theirs = trained(torch.nn.BatchNorm1d(3).double()).eval()
    t = torch.tensor(V, requires_grad=True)
    theirs(t).sum().backward()

    def program(party):
        net = nn.BatchNorm1d(3).to(party).eval()
        net.load_state_dict({k: v.double().numpy() for k, v in theirs.state_dict().items()})
        x = nn.Variable(party.input(V, 0))
        np.sum(net(x)).backward()
        return [g.reveal() for g in (x.grad, net.weight.grad, net.bias.grad)]

    expected = [t.grad, theirs.weight.grad, theirs.bias.grad]
    for got, grad in zip(mpc.simulate(program, parties=1, protocol="plaintext")[0], expected, strict=True):
        np.testing.assert_allclose(got, grad.numpy(), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda party: nn.BatchNorm2d(4).to(party)(party.input(X, 0)), ShapeError, "BatchNorm2d: 4 channels"),
        (lambda party: nn.BatchNorm2d(3).to(party)(party.input(V, 0)), ShapeError, "BatchNorm2d: "),
        (lambda party: nn.BatchNorm1d(3).to(party)(party.input(V[:1], 0)), RangeError, "one value in each group"),
        (lambda party: nn.LayerNorm(3).to(party)(party.input(X, 0)), ShapeError, "LayerNorm: "),
        (lambda party: nn.BatchNorm1d(3, momentum=None), OptionError, "BatchNorm1d: momentum"),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        mpc.simulate(call, parties=1, protocol="plaintext")
