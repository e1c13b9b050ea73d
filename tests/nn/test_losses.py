"""Losses and their gradients against PyTorch's."""

import numpy as np
import pytest
import torch

import mpc
from mpc import nn

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(6, 4)) * 2, RNG.normal(size=(6, 4))
BITS = RNG.random((6, 4)) > 0.4
IMAGES = RNG.normal(size=(3, 5, 2, 2))
CLASSES, PIXELS = RNG.integers(0, 4, 6), RNG.integers(0, 5, (3, 2, 2))
SHARES = RNG.dirichlet(np.ones(4), 6)
WEIGHT = np.array([0.5, 2.0, 1.0, 3.0])
LARGE = np.array([[100.0, -100.0, 0.0, 99.0], [-100.0, -100.0, -100.0, 100.0], [3.0, 100.0, -7.0, 100.0]])

REDUCTIONS = ["mean", "sum", "none"]


def loss(name, x, target, **options):
    return name, options, x, target


CASES = [
    *(loss("MSELoss", X, Y, reduction=r) for r in REDUCTIONS),
    *(loss("L1Loss", X, Y, reduction=r) for r in REDUCTIONS),
    *(loss("BCEWithLogitsLoss", X, BITS, reduction=r) for r in REDUCTIONS),
    loss("BCEWithLogitsLoss", X, SHARES),
    loss("BCEWithLogitsLoss", X, BITS, pos_weight=WEIGHT),
    loss("BCEWithLogitsLoss", X, SHARES, pos_weight=np.float64(3.0), reduction="sum"),
    loss("BCEWithLogitsLoss", X, SHARES, pos_weight=[10.0]),
    loss("BCEWithLogitsLoss", LARGE, LARGE > 50),
    *(loss("CrossEntropyLoss", X, CLASSES, reduction=r) for r in REDUCTIONS),
    *(loss("CrossEntropyLoss", X, CLASSES, weight=WEIGHT, reduction=r) for r in REDUCTIONS),
    loss("CrossEntropyLoss", X, CLASSES, weight=WEIGHT, label_smoothing=0.2),
    loss("CrossEntropyLoss", X, SHARES),
    loss("CrossEntropyLoss", X, SHARES, weight=WEIGHT, label_smoothing=0.1),
    loss("CrossEntropyLoss", X, np.eye(4)[CLASSES], reduction="none"),
    *(loss("CrossEntropyLoss", IMAGES, PIXELS, reduction=r, label_smoothing=0.1) for r in REDUCTIONS),
    loss("CrossEntropyLoss", IMAGES, PIXELS, weight=np.arange(1.0, 6.0)),
    loss("CrossEntropyLoss", X[0], np.array(2)),
    loss("CrossEntropyLoss", LARGE, np.array([1, 3, 1])),
]


def expected(name, options, x, target):
    """PyTorch's value and gradient."""
    extra = {key: torch.tensor(v) if isinstance(v, np.ndarray | np.floating | list) else v for key, v in options.items()}
    variable = torch.tensor(x, requires_grad=True)
    whole = name == "CrossEntropyLoss" and target.dtype.kind == "i"
    value = getattr(torch.nn, name)(**extra)(variable, torch.tensor(target if whole else target.astype(float)))
    value.sum().backward()
    return value.detach().numpy(), variable.grad.numpy()


@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
def test_values_and_gradients(protocol):
    """Targets are secret in the first half, and public in the second."""

    def program(party):
        results = []
        for public in (False, True):
            for name, options, x, target in CASES:
                variable = nn.Variable(party.input(x, owner=0))
                y = target if public else party.input(target, owner=0)
                value = getattr(nn, name)(**options)(variable, y)
                value.backward(np.ones(value.shape) if value.shape else None)
                results.append(party.reveal(value.tensor, variable.grad))
        return results

    for (value, gradient), case in zip(mpc.simulate(program, protocol=protocol)[0], [*CASES, *CASES], strict=True):
        torch_value, torch_gradient = expected(*case)
        assert value.shape == torch_value.shape and gradient.shape == torch_gradient.shape
        np.testing.assert_allclose(value, torch_value, atol=3e-4, rtol=1e-4, err_msg=str(case))
        np.testing.assert_allclose(gradient, torch_gradient, atol=2e-4, rtol=1e-4, err_msg=str(case))


def test_the_gradient_of_a_mean_keeps_its_digits():
    """Also where each element's part of it is far below the last place of a tensor."""
    n = 3000

    def program(party):
        variable = nn.Variable(party.input(np.linspace(-1, 1, n), owner=0))
        nn.MSELoss()(variable, np.zeros(n)).backward()
        grad = variable.grad
        return grad.like(grad.share, scale=grad.scale - 12).reveal() / 2**12  # with all of its digits

    np.testing.assert_allclose(mpc.simulate(program)[0], np.linspace(-1, 1, n) * 2 / n, atol=3e-8)


def test_both_operands_of_a_difference_get_a_gradient():
    def program(party):
        x, y = (nn.Variable(party.input(a, owner=0)) for a in (X, Y))
        (nn.MSELoss()(x, y) + nn.L1Loss(reduction="sum")(x, y)).backward()
        return party.reveal(x.grad, y.grad)

    x_grad, y_grad = mpc.simulate(program, protocol="plaintext")[0]
    np.testing.assert_allclose(x_grad, (X - Y) / 12 + np.sign(X - Y), atol=1e-3)
    np.testing.assert_array_equal(x_grad, -y_grad)


def test_costs():
    """Training does not compute a loss's value, which nobody looks at."""

    def program(party):
        x, y = party.input(X, owner=0), party.input(CLASSES, owner=0)
        with party.measure() as forward:
            loss = nn.CrossEntropyLoss()(nn.Variable(x), y)
        with party.measure() as backward:
            loss.backward()
        with party.measure() as value:
            loss.reveal()
        return forward.rounds, backward.rounds, value.rounds

    forward, backward, value = mpc.simulate(program)[0]
    assert forward == 1 and backward <= 12 and value >= 8


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x: nn.MSELoss()(x, np.zeros(4)), "shape"),
        (lambda x: nn.MSELoss(reduction="avg")(x, X), "mean, sum, none"),
        (lambda x: nn.CrossEntropyLoss()(x, np.zeros((6, 3))), "probabilities"),
        (lambda x: nn.CrossEntropyLoss()(x, np.full(6, -100)), "there are 4 classes"),
        (lambda x: nn.CrossEntropyLoss()(x, np.zeros(6)), "astype"),
        (lambda x: nn.CrossEntropyLoss(weight=[1.0])(x, CLASSES), "one for each class"),
        (lambda x: nn.CrossEntropyLoss(weight=["a"] * 4)(x, CLASSES), "must be numbers"),
        (lambda x: nn.BCEWithLogitsLoss(pos_weight=np.ones(3))(x, BITS), "pos_weight of shape"),
        (lambda x: nn.BCEWithLogitsLoss(pos_weight=x)(x, BITS), "must be public"),
        (lambda x: nn.MSELoss()(x, np.full((6, 4), "a")), "must be numbers"),
    ],
)
def test_errors(call, message):
    with pytest.raises(mpc.Error, match=message):
        mpc.simulate(lambda party: call(party.input(X, owner=0)), protocol="plaintext")
