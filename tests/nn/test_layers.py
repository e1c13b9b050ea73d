"""Layers against PyTorch's; embedding and dropout."""

import numpy as np
import pytest
import torch

import mpc
from mpc import nn

RNG = np.random.default_rng(11)
X = RNG.normal(size=(3, 2, 4)) * 2
INDEX = np.array([[2, 0, 4], [1, 2, 2]])

LAYERS = [
    (nn.Linear(4, 3), torch.nn.Linear(4, 3)),
    (nn.Linear(4, 3, bias=False), torch.nn.Linear(4, 3, bias=False)),
    (nn.Flatten(), torch.nn.Flatten()),
    (nn.Flatten(0, 1), torch.nn.Flatten(0, 1)),
    (nn.Identity(), torch.nn.Identity()),
    (nn.ReLU(inplace=True), torch.nn.ReLU()),
    (nn.LeakyReLU(0.2, True), torch.nn.LeakyReLU(0.2)),
    (nn.GELU(), torch.nn.GELU()),
    (nn.SiLU(True), torch.nn.SiLU()),
    (nn.Sigmoid(), torch.nn.Sigmoid()),
    (nn.Tanh(), torch.nn.Tanh()),
    (nn.Softplus(), torch.nn.Softplus()),
    (nn.Softmax(1), torch.nn.Softmax(1)),
    (nn.LogSoftmax(-1), torch.nn.LogSoftmax(-1)),
    (nn.Dropout(0.0, inplace=True), torch.nn.Dropout(0.0)),
]


def coefficients(shape):
    return np.cos(np.arange(np.prod(shape)).reshape(shape) + 1.0)


@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
def test_forward_and_backward(protocol):
    references = [reference.double() for _, reference in LAYERS]

    def program(party):
        results = []
        for (layer, _), reference in zip(LAYERS, references, strict=True):
            net = layer.to(party)
            net.load_state_dict({name: p.detach().numpy() for name, p in reference.state_dict().items()})
            x = nn.Variable(party.input(X, owner=0))
            y = net(x) * 1
            y.backward(coefficients(y.shape))
            results.append(party.reveal(y.tensor, x.grad, *(p.grad for p in net.parameters())))
        return results

    for got, (layer, _), reference in zip(mpc.simulate(program, protocol=protocol)[0], LAYERS, references, strict=True):
        x = torch.tensor(X, requires_grad=True)
        for p in reference.parameters():
            p.grad = None
        y = reference(x)
        (y * torch.tensor(coefficients(y.shape))).sum().backward()
        for mine, theirs in zip(got, [y.detach(), x.grad, *(p.grad for p in reference.parameters())], strict=True):
            np.testing.assert_allclose(mine, theirs.numpy(), atol=5e-4, err_msg=repr(layer))


def test_embedding():
    """Secret and public indices give the same rows and gradients; the row of the padding learns nothing."""
    weight = RNG.normal(size=(5, 3))

    def program(party):
        results = []
        for padding in (None, 2, -1):
            for indices in (INDEX, party.input(INDEX, owner=1)):
                net = nn.Embedding(5, 3, padding).to(party)
                start = net.weight.reveal()
                net.load_state_dict({"weight": weight})
                with party.measure() as cost:
                    y = net(indices)
                    y.backward(coefficients(y.shape))
                results.append((padding, start, *party.reveal(y.tensor, net.weight.grad), cost.rounds))
        return results

    for number, (padding, start, rows, gradient, rounds) in enumerate(mpc.simulate(program)[0]):
        reference = torch.nn.Embedding(5, 3, padding, _weight=torch.tensor(weight))
        y = reference(torch.tensor(INDEX))
        (y * torch.tensor(coefficients(y.shape))).sum().backward()
        np.testing.assert_allclose(rows, y.detach().numpy(), atol=1e-4)
        np.testing.assert_allclose(gradient, reference.weight.grad.numpy(), atol=1e-4)
        assert padding is None or not start[padding].any()
        assert rounds == (2 if number % 2 else 0)


def test_dropout():
    def program(party):
        x = party.constant(np.ones((40, 50)))
        net = nn.Dropout(0.25).to(party)
        with party.measure() as cost:
            dropped, again = net(x), net(x)
        whole = net.eval()(x)
        nothing = nn.Dropout(1.0).to(party)(x)
        return party.reveal(dropped, again, whole, nothing), cost.rounds

    results = mpc.simulate(program)
    (dropped, again, whole, nothing), rounds = results[0]
    assert rounds == 0 and set(np.round(np.unique(dropped), 4)) == {0, 1.3333}
    assert abs((dropped == 0).mean() - 0.25) < 0.05
    assert (dropped != again).any() and (whole == 1).all() and not nothing.any()
    np.testing.assert_array_equal(dropped, results[1][0][0])


def test_how_layers_look():
    net = nn.Sequential(nn.Embedding(5, 3, 0), nn.Dropout(0.1), nn.LeakyReLU(0.2), nn.Softmax(1))
    assert repr(net).split("\n")[1:5] == [
        "  (0): Embedding(5, 3, padding_idx=0)",
        "  (1): Dropout(p=0.1)",
        "  (2): LeakyReLU(negative_slope=0.2)",
        "  (3): Softmax(dim=1)",
    ]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda party: nn.Dropout(1.5), "from 0 to 1"),
        (lambda party: nn.Linear(4.0, 2), "in_features=4.0"),
        (lambda party: nn.Linear(4, -2), "out_features=-2"),
        (lambda party: nn.Dropout(0.5)(party.constant(np.ones(3))), "to\\(party\\)"),
        (lambda party: nn.Embedding(4, 2, 4), "padding_idx"),
        (lambda party: nn.Embedding(4, 2).to(party)(party.input(np.array([4]), owner=0)), "outside of 0 to 3"),
        (lambda party: nn.Embedding(4, 2).to(party)(np.array([4])), "out of bounds"),
        (lambda party: nn.Linear(3, 2).to(party)(party.constant(np.ones((2, 4)))), "matmul"),
    ],
)
def test_errors(call, message):
    with pytest.raises(mpc.Error, match=message):
        mpc.simulate(call, protocol="plaintext")
