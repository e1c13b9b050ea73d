"""What a state may be, how it comes back, and what a checkpoint costs."""

import math

import numpy as np
import pytest

import mpc
from mpc import nn
from mpc.dry import dry_run
from mpc.errors import CheckpointError, OptionError, UsageError
from mpc.launch.job import Job
from mpc.testing import protocol_of, simulate


class CutOff(Exception):
    pass


def cut_off(program, folder, **options):
    """Run a program that raises CutOff, which its next run will not."""
    with pytest.raises(CutOff):
        mpc.simulate(program, True, checkpoints=folder, **options)


def rich(party):
    x = party.input(np.array([[1.5, -2.0], [0.25, 4.0]]) if party.index == 0 else None, owner=0)
    return {
        "product": x * x,
        "flags": x > 0,
        "counts": party.constant(np.arange(5)),
        "nothing": x[:0],
        "view": x.T[1],
        "array": np.arange(6, dtype=np.int16).reshape(2, 3)[:, ::2],
        "scalars": [np.float32(0.1), np.int64(-3), np.True_],
        "plain": (1, -(2**80), 0.1, math.inf, "\u2602 \ud800", None, True, b"\x00\xff"),
        "nested": {"": [], "a": ((),)},
    }


def revealed(state):
    """Secrets as arrays, all else as it is."""
    if isinstance(state, mpc.Tensor):
        return state.reveal()
    if isinstance(state, dict):
        return {k: revealed(v) for k, v in state.items()}
    return type(state)(map(revealed, state)) if isinstance(state, list | tuple) else state


def equal(one, other):
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert list(one) == list(other)
        assert all(equal(one[k], other[k]) for k in one)
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        assert all(map(equal, one, other))
    else:
        assert getattr(one, "dtype", None) == getattr(other, "dtype", None)
        np.testing.assert_array_equal(one, other)
    return True


@pytest.mark.parametrize(("protocol", "parties"), [("additive", 2), ("additive", 3), ("plaintext", 1), ("plaintext", 2)])
def test_a_state_comes_back_as_it_was(tmp_path, protocol, parties):
    def program(party, stop):
        given = rich(party)
        state = party.checkpoint(given)
        if stop:
            raise CutOff
        return revealed(given), revealed(state)

    options = {"protocol": protocol, "parties": parties}
    cut_off(program, tmp_path / "c", **options)
    again = mpc.simulate(program, False, checkpoints=tmp_path / "c", resume=True, **options)
    alone = mpc.simulate(program, False, **options)  # without a folder
    for given, state in [*again, *alone]:
        product, wanted = state.pop("product"), given.pop("product")
        np.testing.assert_allclose(product, wanted, atol=2**-15)  # each is truncated under a mask of its own
        equal(state, given)


def test_random_programs_go_on_from_their_results(tmp_path):
    """Whatever a program has computed may be kept, untruncated or not, opened or not."""
    for k in range(5):
        x = np.linspace(-2, 2, 8)

        def program(party, stop, x=x, k=k):
            a = party.input(x if party.index == 0 else None, 0)
            results = [a * a, (a * a + a).truncate(), a > 0, np.maximum(a, 0.5), a @ a, np.exp(a[k:])]
            state = party.checkpoint({"r": results})
            if stop:
                raise CutOff
            return [(t + 0 if t.kind != "bool" else t).reveal() for t in state["r"]]

        cut_off(program, tmp_path / str(k))
        first = mpc.simulate(program, False, checkpoints=tmp_path / str(k), resume=True)[0]
        for value, wanted in zip(first, [x * x, x * x + x, x > 0, np.maximum(x, 0.5), x @ x, np.exp(x[k:])], strict=True):
            np.testing.assert_allclose(value, wanted, atol=2**-10)


def test_networks_optimisers_and_orders_go_on(tmp_path):
    """Momenta, learning rates, running means and the order of batches: as in a run that nothing cut off."""
    x = np.sin(np.arange(64.0) ** 2).reshape(16, 4)
    y = (x**2).sum(axis=1, keepdims=True)
    epochs = 4

    def program(party, kind, stop):
        net = nn.Sequential(nn.Linear(4, 3, bias=False), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 1)).to(party)
        optimizer = nn.Adam(net.parameters(), lr=0.1) if kind == "adam" else nn.SGD(net.parameters(), lr=0.1, momentum=0.9)
        schedule = nn.StepLR(optimizer, 2) if hasattr(nn, "StepLR") else nn.optim.StepLR(optimizer, 2)
        a, b = (party.input(v if party.index == 0 else None, 0) for v in (x, y))
        loader = nn.DataLoader(nn.TensorDataset(a, b), batch_size=8, shuffle=True)
        state = {"epoch": 0, "net": net, "optimizer": optimizer, "schedule": schedule}
        while state["epoch"] < epochs:
            if stop is not None:
                state = party.checkpoint(state)
            assert state["net"] is net
            if stop and state["epoch"] == 1:
                raise CutOff
            for images, labels in loader:
                optimizer.zero_grad()
                nn.MSELoss()(net(images), labels).backward()
                optimizer.step()
            schedule.step()
            state = {**state, "epoch": state["epoch"] + 1}
        return nn.reveal(net), optimizer.lr

    for kind in ("sgd", "adam"):
        folder = tmp_path / kind
        with pytest.raises(CutOff):
            mpc.simulate(program, kind, True, checkpoints=folder, seed=4)
        (net, lr), _ = mpc.simulate(program, kind, False, checkpoints=folder, seed=4, resume=True)
        (expected, expected_lr), _ = mpc.simulate(program, kind, None, seed=4)  # without checkpoints
        assert lr == expected_lr
        for name, value in expected.items():
            np.testing.assert_allclose(net[name], value, atol=2**-9, err_msg=name)


def test_an_ordinary_run_goes_on_without_openings(tmp_path):
    """What comes back has lost its opening; without a folder too, where that is all."""

    def program(party):
        x = party.input(np.ones(4) if party.index == 0 else None, 0)
        _ = (x * x).reveal()
        assert x.share.opened
        with party.measure() as cost:
            back = party.checkpoint({"x": x})["x"]
        assert not back.share.opened
        return cost.rounds, cost.bytes_sent

    assert mpc.simulate(program) == [(0, 0)] * 2
    assert mpc.simulate(program, checkpoints=tmp_path) == [(1, 8)] * 2
    assert mpc.simulate(program, parties=3, checkpoints=tmp_path / "3") == [(1, 16)] * 3


def test_every_kth_call_writes_and_counting_goes_on(tmp_path):
    def program(party, stop):
        state, written = {"n": 0}, []
        while state["n"] < 8:
            state = party.checkpoint(state, every=3)
            written.append((state["n"], party._checkpoints._number))
            if stop and state["n"] == 5:
                raise CutOff
            state = {"n": state["n"] + 1}
        return written

    whole = mpc.simulate(program, False)[0]
    assert whole == [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2), (5, 2), (6, 3), (7, 3)]
    cut_off(program, tmp_path)
    assert mpc.simulate(program, False, checkpoints=tmp_path, resume=True)[0] == whole[3:]


def test_nothing_and_lists_of_numbers_may_grow(tmp_path):
    def program(party, stop):
        state = {"n": 0, "best": None, "losses": [], "names": ("a",)}
        while state["n"] < 3:
            state = party.checkpoint(state)
            if stop and state["n"] == 2:
                raise CutOff
            n = state["n"] + 1
            state = {"n": n, "best": party.constant(n), "losses": [*state["losses"], n / 2], "names": ("a",) * n}
        return revealed(state)

    cut_off(program, tmp_path)
    resumed = mpc.simulate(program, False, checkpoints=tmp_path, resume=True)
    assert resumed[0] == {"n": 3, "best": 3, "losses": [0.5, 1.0, 1.5], "names": ("a",) * 3}


def test_a_dry_run_asks_for_what_a_run_asks_for(tmp_path):
    """What is opened anew after a checkpoint is dealt for, and revealed values may be in the state."""
    rounds = []

    def program(party):
        x = party.input(np.ones(4) if party.index == 0 else None, 0, shape=(4,))
        state = {"n": 0, "x": x, "means": [], "last": 0.0}
        while state["n"] < 3:
            state = party.checkpoint(state)
            y = state["x"] * state["x"]
            means = [*state["means"], y.mean().reveal()]
            state = {"n": state["n"] + 1, "x": y, "means": means, "last": means[-1] / 2}
        rounds.append(party.stats.total.offline_bytes)
        return state["last"]

    np.testing.assert_allclose(mpc.simulate(program, checkpoints=tmp_path)[0], 0.5, atol=2**-12)
    dealt = sorted(rounds)
    rounds.clear()
    dry_run(Job(program))
    assert sorted(rounds) == dealt


# ------------------------------------------------------------------ refusals

CHANGES = {
    "keys": ({"a": 1}, {"b": 1}, r"state has no key 'a'"),
    "new key": ({"a": 1}, {"a": 1, "b": 1}, r"state has a new key 'b'"),
    "kind": ({"a": 1}, {"a": "x"}, r"state\['a'\] is a text in place of a number"),
    "array": (
        {"a": [np.zeros(2)]},
        {"a": [np.zeros(3)]},
        r"state\['a'\]\[0\] is an array of float64 of shape \(3,\) in place of",
    ),
    "list of arrays": ({"a": [np.zeros(2)]}, {"a": []}, r"state\['a'\] is a list of 0 in place of a list of 1"),
    "list and tuple": ({"a": [1]}, {"a": (1,)}, r"state\['a'\] is a tuple of 1 in place of a list of 1"),
    "none": ({"a": 1}, {"a": None}, r"state\['a'\] is None in place of a number"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_state_of_another_form_is_refused_at_once_and_when_resumed(tmp_path, name):
    first, later, text = CHANGES[name]

    def twice(party):
        party.checkpoint(first)
        party.checkpoint(later)

    with pytest.raises(CheckpointError, match=text):
        mpc.simulate(twice, protocol="plaintext")

    def program(party, stop):
        party.checkpoint(later if stop else first)
        if stop:
            raise CutOff

    cut_off(program, tmp_path, protocol="plaintext")
    with pytest.raises(CheckpointError, match=f"checkpoint 1 {text}"):
        mpc.simulate(program, False, checkpoints=tmp_path, resume=True, protocol="plaintext")


def test_tensors_of_other_shapes_and_other_optimisers_are_refused(tmp_path):
    def program(party, stop):
        net = nn.Linear(2, 1 if stop == 1 else 3).to(party)
        kind = nn.SGD if stop != 2 else nn.Adam
        optimizer = kind(net.parameters())
        w = party.constant(np.zeros(3 if stop != 3 else 4))
        party.checkpoint({"net": net, "optimizer": optimizer, "w": w})
        if not stop:
            raise CutOff

    with pytest.raises(CutOff):
        mpc.simulate(program, 0, checkpoints=tmp_path)
    for stop, text in enumerate(["'weight' has shape", "no state of Adam", r"tensor of shape \(3,\) in place of .* \(4,\)"], 1):
        with pytest.raises(CheckpointError, match=text):
            mpc.simulate(program, stop, checkpoints=tmp_path, resume=True)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({1: 2}, "key 1, which is no str"),
        ({"a": {2}}, r"state\['a'\] is a set"),
        ({"a": [object()]}, r"state\['a'\]\[0\] is a object"),
        (np.array(["x"]), "dtype <U1"),
        (np.array([None]), "dtype object"),
        (np.ma.masked_array([1.0]), "MaskedArray"),
        (1j, "is a complex"),
        (1 << 5000, "integer of 5001 bits"),
        (None, "the state is None"),
        (nn.SGD, "is a type"),
    ],
)
def test_what_cannot_be_kept(value, text):
    with pytest.raises(UsageError, match=text):
        mpc.simulate(lambda party: party.checkpoint(value), protocol="plaintext")


def test_a_state_within_itself():
    loop = {}
    loop["self"] = loop
    with pytest.raises(UsageError, match="contains itself"):
        mpc.simulate(lambda party: party.checkpoint(loop), protocol="plaintext")


@pytest.mark.parametrize("every", [0, -1, 1.5, "2", True, None])
def test_every_must_be_a_number(every):
    with pytest.raises(OptionError, match="every="):
        mpc.simulate(lambda party: party.checkpoint({}, every=every), protocol="plaintext")


def test_options():
    with pytest.raises(OptionError, match="needs checkpoints="):
        mpc.simulate(lambda party: None, resume=True)
    with pytest.raises(OptionError, match="must be the path"):
        mpc.run(lambda party: None, checkpoints=3)
    with pytest.raises(OptionError, match="True or False"):
        Job(lambda party: None, checkpoints="x", resume=1)


def test_a_position_never_goes_back():
    def program(party):
        protocol = protocol_of(party)
        protocol.skip_to(100)
        x = party.input(np.ones(3) if party.index == 0 else None, 0)
        value = (x * x).reveal()
        protocol.endpoint.next_number()
        assert protocol.position() > 100
        with pytest.raises(mpc.Error, match="only go on"):
            protocol.skip_to(100)
        return value

    for protocol in ("additive", "plaintext"):
        np.testing.assert_allclose(simulate(program, protocol=protocol).results[1], 1, atol=2**-15)
