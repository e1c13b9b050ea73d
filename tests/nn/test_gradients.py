"""What recording and going back cost, and what they refuse."""

import pickle

import cloudpickle
import numpy as np
import pytest
import scipy.special

import mpc
from mpc import functions, nn
from mpc.tensor.curves.bounded import together

RNG = np.random.default_rng(2)
X = RNG.normal(size=(4, 3))


def run(program, protocol="plaintext", **options):
    return mpc.simulate(program, protocol=protocol, **options)[0]


# ---------------------------------------------------------------------------------------- costs


def network():
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


@pytest.mark.parametrize("optimizer, rounds", [(lambda p: nn.SGD(p, lr=0.1), 25), (lambda p: nn.Adam(p), 33)])
def test_a_training_step(optimizer, rounds):
    """64-32-10, batch 16, softmax cross-entropy with secret classes."""
    images, classes = RNG.random((16, 64)), RNG.integers(0, 10, 16)

    def program(party):
        x, y = party.input(images, owner=0), party.input(classes, owner=1)
        net = network().to(party)
        opt = optimizer(net.parameters())
        with party.measure() as cost:
            opt.zero_grad()
            nn.CrossEntropyLoss()(net(x), y).backward()
            opt.step()
        return cost.rounds

    assert run(program, "additive") <= rounds


BACKWARD = {  # rounds of the pullback alone, for a gradient with f fraction bits
    "relu": (lambda x, w: functions.relu(x), 1),
    "max": (lambda x, w: np.max(x, axis=1), 1),
    "matmul": (lambda x, w: x @ w, 1),
    "multiply": (lambda x, w: x * w.T, 1),
    "clip": (lambda x, w: np.clip(x, -1, 1), 1),
    "sum of squares": (lambda x, w: np.sum(x * x, axis=0), 1),
    "shapes": (lambda x, w: np.concatenate([x.T, w])[::-1].reshape(-1), 0),
    "embedding": (lambda x, w: x[[2, 0]], 0),
    "gelu": (lambda x, w: functions.gelu(x), 1),
    "silu": (lambda x, w: functions.silu(x), 1),
    "tanh": (lambda x, w: np.tanh(x), 2),
    "sigmoid": (lambda x, w: functions.expit(x), 2),
    "softmax": (lambda x, w: functions.softmax(x, axis=1), 2),
}


def test_what_the_forward_pass_opened_serves_the_backward_pass():
    def program(party):
        result = []
        for function, _ in BACKWARD.values():
            x, w = (nn.Variable(party.input(a, owner=0)) for a in (X, X.T))
            y = function(x, w)
            g = party.input(np.ones(y.shape), owner=0)
            with party.measure() as cost:
                y.backward(g)
            result.append(cost.rounds)
        return result

    assert dict(zip(BACKWARD, run(program, "additive"), strict=True)) == {name: rounds for name, (_, rounds) in BACKWARD.items()}


def test_slopes_of_curves_are_as_accurate_as_the_curves():
    """To 1.75 units, everywhere; with the curve itself in the rounds of the curve alone."""
    x = np.concatenate([np.linspace(-16, 16, 1601), [-(2.0**29), 2.0**29]])
    x = np.rint(x * 2**16) / 2**16
    s, bell = scipy.special.expit(x), np.exp(-np.square(x) / 2)
    slopes = {
        "gelu": scipy.special.ndtr(x) + x * bell / np.sqrt(2 * np.pi),
        "silu": s * (1 + x * (1 - s)),
        "erf": 2 / np.sqrt(np.pi) * np.square(bell),
    }

    def program(party):
        found = []
        for name in slopes:
            secret = party.input(x, owner=0)
            with party.measure() as cost:
                _, slope = together([name, f"{name}_slope"], secret)
            found.append((slope.reveal(), cost.rounds))
        return found

    for (slope, rounds), expected in zip(run(program, "additive"), slopes.values(), strict=True):
        assert rounds == 4 and np.abs(slope - expected).max() < 1.75 * 2.0**-16


def test_gradients_that_nobody_wants_cost_nothing():
    def program(party):
        x, w = party.input(X, owner=0), nn.Variable(party.input(X.T, owner=0))
        net = nn.Linear(3, 2).to(party).requires_grad_(False)
        costs = []
        for result in (lambda: x @ w, lambda: net(nn.Variable(x)), lambda: nn.Variable(x) * x):
            y = result()
            with party.measure() as cost:
                y.backward(party.input(np.ones(y.shape), owner=0))
            costs.append(cost.bytes_sent)
        return costs, [p.grad is None for p in net.parameters()]

    costs, none = run(program, "additive")
    assert costs == [8 * 16, 8 * 8, 8 * 12] and none == [True, True]


# ---------------------------------------------------------------------------------------- what is recorded


def test_no_grad_and_detach_record_nothing():
    def program(party):
        w = nn.Variable(party.input(X, owner=0))
        with nn.no_grad():
            outside = np.sort(w, axis=0) * 2  # what has no gradient can be computed here
        y = np.sum(w * w.detach() + np.sum(outside))
        y.backward()
        return [type(outside).__name__, type(w.detach()).__name__, type(w > 0).__name__], w.grad.reveal()

    names, gradient = run(program)
    assert names == ["Tensor", "Tensor", "Tensor"]
    np.testing.assert_allclose(gradient, X, atol=1e-4)


def test_gradients_add_up_over_uses_and_backward_passes():
    def program(party):
        w = nn.Variable(party.input(X, owner=0))
        shared = w * 3
        np.sum(shared + shared * shared).backward()
        first = w.grad.reveal()
        np.sum(w).backward()
        return first, w.grad.reveal()

    first, second = run(program)
    np.testing.assert_allclose(first, 3 + 18 * X, atol=1e-3)
    np.testing.assert_allclose(second, first + 1, atol=1e-4)


def test_a_loss_of_several_parts():
    """A mean, and a penalty: gradients of both, with all their digits."""

    def program(party):
        w = nn.Variable(party.input(X, owner=0))
        (np.mean(w * w) + 0.5 * np.sum(w) + np.mean(np.mean(w, axis=0))).backward()
        return w.grad.reveal()

    np.testing.assert_allclose(run(program), X / 6 + 0.5 + 1 / 12, atol=2e-4)


def test_tied_parameters_are_one():
    def program(party):
        class Tied(nn.Module):
            def __init__(self):
                self.first, self.second = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
                self.second.weight = self.first.weight

            def forward(self, x):
                return self.second(self.first(x))

        net = Tied().to(party)
        assert net.second.weight is net.first.weight
        weight = net.first.weight.reveal()
        np.sum(net(party.input(X, owner=0))).backward()
        return [name for name, _ in net.named_parameters()], weight, net.first.weight.grad.reveal()

    names, weight, gradient = run(program)
    ones = np.ones((4, 3))
    assert names == ["first.weight"]
    np.testing.assert_allclose(gradient, ones.T @ (X @ weight.T) + (ones @ weight).T @ X, atol=2e-3)


def test_frozen_parameters_stay():
    def program(party):
        net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)).to(party)
        net[0].requires_grad_(False)
        before = [p.reveal() for p in net.parameters()]
        optimizer = nn.SGD(net.parameters(), lr=0.5)
        np.sum(net(party.input(X, owner=0))).backward()
        optimizer.step()
        return [bool((p.reveal() == b).all()) for p, b in zip(net.parameters(), before, strict=True)]

    assert run(program) == [True, True, False, False]


def test_lists_of_variables_and_arrays():
    def program(party):
        a, b = (nn.Variable(party.input(X, owner=0)) for _ in range(2))
        joined = np.concatenate([a, np.ones((1, 3)), b])
        piled = np.stack((a, b), axis=-1)
        (np.sum(joined * 2) + np.sum(piled[..., 0]) + np.sum(np.hstack([a, b])[:, 4:])).backward()
        return party.reveal(a.grad, b.grad)

    a, b = run(program)
    np.testing.assert_allclose(a, np.full((4, 3), 3), atol=1e-4)
    np.testing.assert_allclose(b, [[2, 3, 3]] * 4, atol=1e-4)


# ---------------------------------------------------------------------------------------- what is refused


def twice(party, w):
    y = np.sum(w * w)
    y.backward()
    y.backward()


def in_place(party, w):
    w += 1
    w[0] = 2


@pytest.mark.parametrize(
    "call, message",
    [
        (twice, "used up"),
        (lambda party, w: (w * 2).backward(), "only a scalar"),
        (lambda party, w: w.backward(np.ones((4, 3))), "nothing was recorded"),
        (lambda party, w: np.sort(w), r"sort has no gradient here.*detach"),
        (lambda party, w: np.median(w), "detach"),
        (lambda party, w: np.linalg.norm(w, 1, axis=0), "np.abs"),
        (lambda party, w: np.clip(w, w, 1), "np.maximum"),
        (lambda party, w: np.einsum("ii", w[:3]), "subscript"),
        (lambda party, w: np.sum(w, dtype=int), "dtype"),
        (lambda party, w: np.add.reduce(w), "np.sum"),
        (lambda party, w: nn.Linear(3, 2)(w), r"to\(party\)"),
        (lambda party, w: nn.Linear(3, 2).weight.reveal(), r"to\(party\)"),
        (lambda party, w: bool(w > 0), "np.where"),
        (lambda party, w: float(np.sum(w)), "reveal"),
        (in_place, "np.where|immutable|in place"),
        (lambda party, w: np.multiply(w, 2, out=w), "immutable"),
        (lambda party, w: pickle.dumps(nn.Linear(3, 2).to(party)), "save|party|value"),
        (lambda party, w: cloudpickle.dumps(w), "save|party|value"),
    ],
)
def test_errors_name_the_cure(call, message):
    with pytest.raises(mpc.Error, match=message):
        run(lambda party: call(party, nn.Variable(party.input(X, owner=0))))


def test_a_description_travels():
    net = pickle.loads(pickle.dumps(network()))

    def program(party):
        return [p.shape for p in net.to(party).parameters()]

    assert run(program) == [(32, 64), (32,), (10, 32), (10,)]
