"""Optimisers, schedules and clipping against PyTorch's: the same steps from the same start."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import mpc
from mpc import nn
from mpc.tensor.curves.over_root import over_root

RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 6))
Y = X @ RNG.normal(size=(6, 3)) + 0.3
START = {"weight": RNG.normal(size=(3, 6)) * 0.4, "bias": RNG.normal(size=3) * 0.1}
STEPS = 20

OPTIMISERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.03, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("Adam", {"lr": 0.05}),
    ("Adam", {"lr": 0.01, "betas": (0.8, 0.95), "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.02, "weight_decay": 0.5}),
]


def trained(party, make, schedule=None, before_step=None, steps=STEPS):
    """The parameters after each step, and what a step cost."""
    x, y = party.input(X, owner=0), party.input(Y, owner=0)
    net = nn.Linear(6, 3).to(party)
    net.load_state_dict(START)
    optimizer = make(net.parameters())
    scheduler = schedule(optimizer) if schedule else None
    path = []
    for _ in range(steps):
        optimizer.zero_grad()
        nn.MSELoss()(net(x), y).backward()
        if before_step:
            before_step(net)
        with party.measure() as cost:
            optimizer.step()
        if scheduler:
            scheduler.step()
        path.append(np.concatenate([a.ravel() for a in party.reveal(*(p.tensor for p in net.parameters()))]))
    return np.array(path), cost.rounds


def torch_path(make, schedule=None, before_step=None, steps=STEPS):
    net = torch.nn.Linear(6, 3).double()
    net.load_state_dict({name: torch.tensor(value) for name, value in START.items()})
    optimizer = make(net.parameters())
    scheduler = schedule(optimizer) if schedule else None
    path = []
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(net(torch.tensor(X)), torch.tensor(Y)).backward()
        if before_step:
            before_step(net)
        optimizer.step()
        if scheduler:
            scheduler.step()
        path.append(np.concatenate([p.detach().numpy().ravel() for p in net.parameters()]))
    return np.array(path)


@pytest.mark.parametrize("protocol, chosen", [("plaintext", OPTIMISERS), ("additive", OPTIMISERS[3:5])])
def test_trajectories(protocol, chosen):
    """Within 0.001, and 0.003 for Adam's twenty steps of up to 0.05."""

    def program(party):
        return [trained(party, lambda p, n=name, o=options: getattr(nn, n)(p, **o)) for name, options in chosen]

    for (path, rounds), (name, options) in zip(mpc.simulate(program, protocol=protocol)[0], chosen, strict=True):
        expected = torch_path(lambda p, n=name, o=options: getattr(torch.optim, n)(p, **o))
        np.testing.assert_allclose(path, expected, atol=1e-3 if name == "SGD" else 3e-3, err_msg=f"{name} {options}")
        most = 9 if name != "SGD" else 2 if options.get("nesterov") else 1
        assert protocol == "plaintext" or rounds == most


def one_parameter(party, value, gradient):
    """A module with one parameter, and a gradient of it."""
    net = nn.Module()
    net.weight = nn.Parameter(np.shape(value), nn.init.zeros)
    net = net.to(party)
    net.load_state_dict({"weight": value})
    net.weight.grad = party.input(gradient, owner=0)
    return net


def test_adam_of_gradients_of_any_size():
    """Its first step is lr in the direction of the gradient, however small that is; and 0 where all gradients were 0."""
    gradients = np.array([0.0, 2.0**-16, 1e-4, -1e-3, 0.1, -10.0, 31.0])

    def program(party):
        net = one_parameter(party, np.zeros(7), gradients)
        optimizer = nn.Adam(net.parameters(), lr=0.5)
        optimizer.step()
        first = net.weight.reveal()
        net.weight.grad = party.constant(np.zeros(7))
        optimizer.step()
        return first, net.weight.reveal()

    first, second = mpc.simulate(program)[0]
    np.testing.assert_allclose(first, -0.5 * np.sign(gradients), atol=0.01)
    assert first[0] == second[0] == 0
    assert np.all(np.abs(second - first) < 0.5)


@pytest.mark.parametrize("beta", [0.9, 0.99, 0.997, 0.9985, 0.999])
def test_adam_has_room_for_the_squares_of_large_gradients(beta):
    """Gradients near the largest, from where their squares have been added up: these stay what they are."""

    def program(party):
        net = one_parameter(party, np.zeros(1), np.array([31.9]))
        optimizer = nn.Adam(net.parameters(), lr=0.5, betas=(0.9, beta))
        optimizer.step()
        (state,) = optimizer._state.values()
        words = party.constant(np.array([31.9**2 * 2**40 / optimizer._rates[1]]).astype(np.int64))
        state.squares, state.steps = state.squares.like(words.share), 10**6
        optimizer.step()
        (after,) = optimizer._state.values()
        return optimizer._rates[1], party.reveal(words, after.squares.like(after.squares.share, "int", 0))

    rate, (before, after) = mpc.simulate(program, protocol="plaintext", parties=1)[0]
    np.testing.assert_allclose(after, before, rtol=1e-5)
    assert abs(rate / (1 - beta) - 1) < 0.032


def test_a_step_has_room_for_large_parameters_and_small_steps():
    def program(party):
        net = one_parameter(party, np.array([20000.0, -20000.0]), np.array([1.0, -1.0]))
        results = []
        for optimizer in (nn.SGD(net.parameters(), lr=1e-5), nn.AdamW(net.parameters(), lr=1e-5, weight_decay=0.01)):
            optimizer.step()
            results.append(net.weight.reveal())
        return results

    for values in mpc.simulate(program)[0] + mpc.simulate(program, protocol="plaintext")[0]:
        np.testing.assert_allclose(values, [20000, -20000], atol=0.01)


def test_clipping():
    def limited(norm, value):
        return lambda net: nn.clip_grad_norm_(net.parameters(), norm) if norm else nn.clip_grad_value_(net.parameters(), value)

    def torch_limited(norm, value):
        return lambda net: (
            torch.nn.utils.clip_grad_norm_(net.parameters(), norm)
            if norm
            else torch.nn.utils.clip_grad_value_(net.parameters(), value)
        )

    limits = [(0.5, None), (50.0, None), (None, 0.1)]

    def program(party):
        return [trained(party, lambda p: nn.SGD(p, lr=0.1), None, limited(*limit), 6)[0] for limit in limits]

    for path, limit in zip(mpc.simulate(program)[0], limits, strict=True):
        expected = torch_path(lambda p: torch.optim.SGD(p, lr=0.1), None, torch_limited(*limit), 6)
        np.testing.assert_allclose(path, expected, atol=5e-4, err_msg=str(limit))


def clipped(party, gradient, max_norm):
    """(the norm, the clipped gradient, and what clipping cost)."""
    net = one_parameter(party, np.zeros(np.shape(gradient)), gradient)
    with party.measure() as cost:
        norm = nn.clip_grad_norm_(net.parameters(), max_norm)
    return norm.reveal(), net.weight.grad.reveal(), cost


def test_the_norm_of_gradients():
    gradients = [np.array([3.0, -4.0]), np.array([1e-3, 2e-3]), np.zeros(2)]

    def program(party):
        return [clipped(party, gradient, 1.0) for gradient in gradients]

    for (norm, result, cost), gradient in zip(mpc.simulate(program)[0], gradients, strict=True):
        length = np.linalg.norm(gradient)
        np.testing.assert_allclose(norm, length, atol=5e-5)
        np.testing.assert_allclose(result, gradient / max(length, 1), atol=1e-4)
        assert cost.rounds == 20


EXPLODING = [  # (gradient, max_norm): around 2^9, where clipping changes its units, and up to the ends of its domain
    (np.array([511.9, 1.0]), 1.0),
    (np.array([512.0, -3.0]), 1.0),
    (np.array([3e3, 10.0]), 1.0),
    (np.array([-5e3, 2e4, 7.0]), 1.0),
    (np.array([2.0**20, 2.0**20 - 1, -(2.0**19)]), 0.5),
    (np.array([3e4, 500.0]), 100.0),
    (np.array([600.0, -10.0]), 1000.0),
    (np.array([1e5, 2.0]), np.inf),
]


@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
def test_gradients_that_explode_are_clipped(protocol):
    def program(party):
        return [clipped(party, gradient, max_norm)[:2] for gradient, max_norm in EXPLODING]

    for (norm, result), (gradient, max_norm) in zip(mpc.simulate(program, protocol=protocol)[0], EXPLODING, strict=True):
        length = np.linalg.norm(gradient)
        np.testing.assert_allclose(norm, length, rtol=2.0**-9)
        np.testing.assert_allclose(result, gradient * min(1, max_norm / length), atol=min(max_norm, length) * 2.0**-10)


def test_what_clipping_costs():
    """The same rounds for several parameters as for one, and 16 bytes for each of their elements."""
    gradients = np.ones((30, 20)), np.ones((1, 20))

    def program(party):
        costs = []
        for gradient in gradients:
            net = nn.Linear(20, len(gradient)).to(party)
            net.weight.grad = party.input(gradient, owner=0) * 1.1  # with more than 20 fraction bits, as gradients have
            net.bias.grad = party.input(gradient[:, 0], owner=0) * 1.1
            with party.measure() as cost:
                nn.clip_grad_norm_(net.parameters(), 1.0)
            costs.append((cost.rounds, cost.bytes_sent))
        return costs

    (rounds, large), (same, small) = mpc.simulate(program)[0]
    assert rounds == same == 20
    assert large - small == 16 * (630 - 21)


def test_a_norm_out_of_range_is_named():
    with pytest.raises(mpc.Error, match=r"clip_grad_norm_.*2\^25"):
        mpc.simulate(lambda party: clipped(party, np.full(1000, 2.0**22), 1.0), parties=1, protocol="plaintext")


SCHEDULES = [
    ("StepLR", (3, 0.5)),
    ("MultiStepLR", ([2, 5, 5], 0.1)),
    ("ExponentialLR", (0.9,)),
    ("CosineAnnealingLR", (6, 0.01)),
    ("LinearLR", (0.25, 1.0, 4)),
    ("LinearLR", ()),
    ("LambdaLR", (lambda epoch: 1 / (1 + epoch),)),
]


def test_schedules():
    def rates(optim, schedules, parameter):
        result = []
        for name, arguments in SCHEDULES:
            optimizer = optim.SGD([parameter], lr=0.2)
            scheduler = getattr(schedules, name)(optimizer, *arguments)
            row = []
            for _ in range(7):
                row += scheduler.get_last_lr()
                optimizer.step()
                scheduler.step()
            result.append(row)
        return result

    def program(party):
        net = one_parameter(party, np.zeros(2), np.ones(2))
        return rates(nn, nn, net.weight)

    parameter = torch.nn.Parameter(torch.zeros(2))
    np.testing.assert_allclose(
        mpc.simulate(program, protocol="plaintext")[0], rates(torch.optim, torch.optim.lr_scheduler, parameter), rtol=1e-12
    )


def test_a_schedule_changes_the_steps():
    def program(party):
        return trained(party, lambda p: nn.SGD(p, lr=0.1), lambda o: nn.StepLR(o, 2, 0.5), steps=6)[0]

    expected = torch_path(lambda p: torch.optim.SGD(p, lr=0.1), lambda o: torch.optim.lr_scheduler.StepLR(o, 2, 0.5), steps=6)
    np.testing.assert_allclose(mpc.simulate(program, protocol="plaintext")[0], expected, atol=5e-4)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda p: nn.SGD([], lr=0.1), "without parameters"),
        (lambda p: nn.SGD(p, lr=-1), "0 or more"),
        (lambda p: nn.SGD(p, lr=0.1, nesterov=True), "momentum"),
        (lambda p: nn.Adam(p, betas=(0.9, 1.0)), "up to 1"),
        (lambda p: nn.Adam(p, betas=(0.99, 0.9)), "no bound"),
        (lambda p: nn.SGD(p, lr=0.1).step(), r"backward\(\) first"),
        (lambda p: nn.clip_grad_norm_(p, 1.0), r"backward\(\) first"),
        (lambda p: nn.clip_grad_norm_(p, 0.0), "max_norm"),
        (lambda p: nn.clip_grad_norm_(p, 1.0, norm_type=1), "norm_type"),
    ],
)
def test_errors(call, message):
    with pytest.raises(mpc.Error, match=message):
        mpc.simulate(lambda party: call(nn.Linear(2, 1).to(party).parameters()), protocol="plaintext")


def test_over_root():
    """a / sqrt(x) to a unit and 2^-16 of it, for x of 12 orders of magnitude; 0 where x is 0."""
    x = np.concatenate([[0.0], 2.0**-40 * np.arange(1, 5), 10.0 ** RNG.uniform(-11, 3, 400)])
    words = np.rint(x * 2.0**40).astype(np.int64)
    numerators = np.rint(RNG.uniform(-3, 3, x.size) * np.sqrt(words)).astype(np.int64)

    def program(party):
        squares, numbers = (party.input(a, owner=0) for a in (words, numerators))
        with party.measure() as cost:
            ratio = over_root(numbers.like(numbers.share, "float", 20), squares.like(squares.share, "float", 40))
        return ratio.reveal(), cost.rounds

    ratio, rounds = mpc.simulate(program)[0]
    expected = np.divide(numerators, np.sqrt(words), out=np.zeros(x.size), where=words > 0)
    assert rounds == 7 and ratio[0] == 0
    np.testing.assert_allclose(ratio, expected, rtol=2.0**-16, atol=1.5 * 2.0**-16)


def test_a_network_learns_digits_as_with_pytorch():
    images, classes = load_digits(return_X_y=True)
    images, rounds = images / 16, 25
    batches = np.random.default_rng(1).permutation(len(images))[: 64 * rounds].reshape(rounds, 64)
    torch.manual_seed(0)
    reference = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10)).double()
    state = {name: value.numpy().copy() for name, value in reference.state_dict().items()}

    def program(party):
        net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)).to(party)
        net.load_state_dict(state)
        x, y = party.input(images, owner=0), party.input(classes, owner=0)
        optimizer, loss = nn.Adam(net.parameters(), lr=0.02), nn.CrossEntropyLoss()
        for rows in batches:
            optimizer.zero_grad()
            loss(net(x[rows]), y[rows]).backward()
            optimizer.step()
        with nn.no_grad():
            return np.argmax(net(x), axis=1).reveal()

    optimizer = torch.optim.Adam(reference.parameters(), lr=0.02)
    for rows in batches:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(reference(torch.tensor(images[rows])), torch.tensor(classes[rows])).backward()
        optimizer.step()
    expected = reference(torch.tensor(images)).argmax(1).numpy()
    got = mpc.simulate(program, protocol="plaintext")[0]
    assert (got == expected).mean() > 0.99 and abs((got == classes).mean() - (expected == classes).mean()) < 0.005


@pytest.mark.parametrize(
    ("f", "n", "gradient", "options"),
    [
        (16, 128, 40.0, {"lr": 0.01, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-4}),
        (16, 65536, 200.0, {"lr": 3e-4}),
        (24, 128, 1.0, {"lr": 0.01}),
        (20, 1000, 30.0, {"lr": 0.003, "momentum": 0.9, "dampening": 0.1}),
    ],
)
def test_large_gradients_of_large_batches_fit_whatever_the_precision(f, n, gradient, options):
    """The sum of digits of gradients, batch size and factors never leaves the ring."""

    def steps(w, optimizer):
        for _ in range(2):
            optimizer.zero_grad()
            (w * gradient * np.ones(n)).mean().backward()
            optimizer.step()

    def program(party):
        w = nn.Parameter((1,), nn.init.ones)
        w.make(party)
        steps(w, nn.SGD([w], **options))
        return w.reveal()

    w = torch.ones(1, dtype=torch.double, requires_grad=True)
    optimizer = torch.optim.SGD([w], **options)
    for _ in range(2):
        optimizer.zero_grad()
        (w * gradient * torch.ones(n)).mean().backward()
        optimizer.step()
    for protocol in ("plaintext", "additive"):
        found = mpc.simulate(program, protocol=protocol, fraction_bits=f)[0]
        np.testing.assert_allclose(found, w.detach().numpy(), atol=2e-2 * abs(1 - w.item()) + 2.0 ** (3 - f))
