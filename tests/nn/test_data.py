"""Data sets and mini-batches: what they hold, and what they send."""

import threading
from collections import Counter

import numpy as np
import pytest

import mpc
from mpc import nn
from mpc.testing import check_jointly_uniform, simulate
from protocols.additive import shuffle

ROWS, COLUMNS = 20, 3
X = np.arange(ROWS * COLUMNS, dtype=float).reshape(ROWS, COLUMNS)
Y = np.arange(ROWS)


def inputs(party):
    x = party.input(X if party.index == 0 else None, owner=0)
    return x, party.input(Y if party.index == party.size - 1 else None, owner=party.size - 1)


def batches_of(party, **options):
    loader = nn.DataLoader(nn.TensorDataset(*inputs(party)), **options)
    return [[(x.reveal(), y.reveal()) for x, y in loader] for _ in range(2)]


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True, "secret"])
@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
def test_an_epoch_has_every_row_once_and_rows_stay_together(protocol, shuffle, drop_last):
    def program(party):
        return batches_of(party, batch_size=8, shuffle=shuffle, drop_last=drop_last)

    results = mpc.simulate(program, parties=2, protocol=protocol)
    for epochs in results:
        orders = []
        for epoch in epochs:
            assert [len(y) for _, y in epoch] == ([8, 8] if drop_last else [8, 8, 4])
            x, y = (np.concatenate(parts) for parts in zip(*epoch, strict=True))
            assert len(set(y)) == len(y) and set(y) <= set(Y)
            assert np.array_equal(x, X[y])
            orders.append(y.tolist())
        in_order = Y[: len(orders[0])].tolist()
        assert (orders[0] == in_order) == (orders[1] == in_order) == (not shuffle)
        assert not shuffle or orders[0] != orders[1]
    assert str(results[0]) == str(results[1])


@pytest.mark.parametrize(("shuffle", "parties", "rounds"), [(False, 2, 1), (True, 2, 1), ("secret", 2, 3), ("secret", 3, 5)])
def test_the_first_epoch_opens_the_data_and_later_ones_send_nothing(shuffle, parties, rounds):
    """Per peer: 8 bytes an element to open it; for a secret order as much again, and 8 a row. (3 parties draw a seed, too.)"""

    def program(party):
        dataset = nn.TensorDataset(*inputs(party))
        loader = nn.DataLoader(dataset, batch_size=8, shuffle=shuffle)
        costs = []
        for _ in range(2):
            with party.measure() as cost:
                for x, _ in loader:
                    _ = x.T @ x  # opened already
            costs.append((cost.rounds, cost.bytes_sent))
        return costs

    opened = 8 * (X.size + Y.size)
    sent = (opened if shuffle != "secret" else 2 * opened + 8 * ROWS) + 32 * (parties > 2)
    for first, second in mpc.simulate(program, parties=parties):
        assert first == (rounds, sent * (parties - 1))
        assert second == (0, 0)


def test_in_training_too_only_the_first_epoch_sends_the_data():

    def program(party):
        x, y = inputs(party)
        net = nn.Linear(COLUMNS, 1).to(party)
        loader, loss = nn.DataLoader(nn.TensorDataset(x / 64, y / 32), batch_size=10), nn.MSELoss()
        costs = []
        for _ in range(2):
            with party.measure() as cost:
                for rows, target in loader:
                    optimizer = nn.SGD(net.parameters(), lr=0.1)
                    optimizer.zero_grad()
                    loss(net(rows)[:, 0], target).backward()
                    optimizer.step()
            costs.append(cost.bytes_sent)
        return costs

    (first, second), _ = mpc.simulate(program, parties=2)
    assert first - second == 8 * X.size + 8 * (X.size + Y.size)  # x is truncated, and both are opened


def test_public_arrays_may_be_among_the_tensors_but_not_in_a_secret_order():
    def program(party):
        x, _ = inputs(party)
        dataset = nn.TensorDataset(x, Y)
        (rows, numbers), *_ = nn.DataLoader(dataset, batch_size=5, shuffle=True)
        assert np.array_equal(rows.reveal(), X[numbers])
        with pytest.raises(mpc.errors.UsageError, match="public arrays"):
            next(iter(nn.DataLoader(dataset, shuffle="secret")))

    mpc.simulate(program, parties=2)


def test_booleans_in_a_secret_order_become_numbers():
    def program(party):
        flags = party.input(Y % 3 == 0 if party.index == 0 else None, owner=0)
        x, _ = inputs(party)
        rows, numbers = nn.data.shuffled([x, flags])
        return rows.reveal(), numbers.reveal()

    for rows, numbers in mpc.simulate(program, parties=2):
        assert np.array_equal(numbers, (rows[:, 0] / COLUMNS) % 3 == 0)


def test_what_several_owners_have_is_put_together():
    def program(party):
        k = party.index
        rows = nn.data.by_rows(party, X[4 * k : 4 * k + 4 - k])
        columns = nn.data.by_columns(party, X[:, k : k + 1] if k else None, owners=[2, 1])
        return rows.reveal(), columns.reveal()

    for rows, columns in mpc.simulate(program, parties=3, protocol="plaintext"):
        assert np.array_equal(rows, np.concatenate([X[0:4], X[4:7], X[8:10]]))
        assert np.array_equal(columns, X[:, [2, 1]])


@pytest.mark.parametrize("join", [nn.data.by_rows, nn.data.by_columns])
def test_arrays_that_do_not_fit_together_are_named(join):
    def program(party):
        join(party, X[: 5 - party.index, : 3 - party.index])

    with pytest.raises(mpc.errors.ShapeError, match=r"party 0 \(5, 3\), party 1 \(4, 2\)"):
        mpc.simulate(program, parties=2, protocol="plaintext")


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda x: nn.DataLoader(x), mpc.errors.UsageError, "TensorDataset"),
        (lambda x: nn.TensorDataset(x, x[:-1]), mpc.errors.ShapeError, "equally many rows"),
        (lambda x: nn.TensorDataset(X), mpc.errors.UsageError, "no secret tensor"),
        (lambda x: nn.TensorDataset(x[0, 0]), mpc.errors.ShapeError, "rows"),
        (lambda x: nn.DataLoader(nn.TensorDataset(x), batch_size=0), mpc.errors.OptionError, "1 or more"),
        (lambda x: nn.DataLoader(nn.TensorDataset(x), batch_size=2.5), mpc.errors.UsageError, "whole number"),
        (lambda x: nn.DataLoader(nn.TensorDataset(x), shuffle="private"), mpc.errors.OptionError, "secret"),
        (lambda x: nn.data.shuffled([x, x[:-1]]), mpc.errors.ShapeError, "equally many rows"),
    ],
)
def test_misuse_is_explained(make, error, text):
    def program(party):
        with pytest.raises(error, match=text):
            make(inputs(party)[0])

    mpc.simulate(program, parties=2, protocol="plaintext")


@pytest.mark.parametrize(("protocol", "parties"), [("additive", 3), ("plaintext", 3), ("plaintext", 1)])
def test_parties_of_a_simulation_draw_one_public_order_together(protocol, parties):
    def program(party):
        assert party.random is party.random
        x = party.input(X if party.index == 0 else None, owner=0)
        return party.random.permutation(50).tolist(), nn.data.shuffled([x])[0].reveal()[:, 0].tolist()

    results = mpc.simulate(program, parties=parties, protocol=protocol, timeout=20)
    assert all(result == results[0] for result in results)
    assert sorted(results[0][0]) == list(range(50)) != results[0][0]
    assert sorted(results[0][1]) == X[:, 0].tolist() != results[0][1]


# ------------------------------------------------------------------ secrecy of a secret order


def test_nothing_that_a_party_sees_tells_data_or_order():
    """What each party is sent, of constant data, beside the shares that it had: uniform, and unrelated to each other."""

    def program(party):
        constant = np.full((1500, 2), 7.0)
        x = party.input(constant if party.index == 0 else None, owner=0)
        nn.data.shuffled([x])
        return -x.share.value

    simulation = simulate(program, parties=2, record=True, seed=11)
    for receiver, transcript in enumerate(simulation.transcripts[:2]):
        messages = transcript.received("shuffle.open") + transcript.received("deal", sender=2)
        arrays = [(f"{m.label} {k}", a) for m in messages for k, a in enumerate(m.arrays)]
        assert len(arrays) == (2 if receiver == 0 else 4)
        check_jointly_uniform([("the share", simulation.results[receiver]), *arrays])


def test_orders_are_uniform_whatever_the_order_that_a_party_draws(monkeypatch):
    """All pairs of (party 0's own order, the order of the result) are equally frequent: its own tells it nothing."""
    times, drawn, order_of = 720, {}, shuffle._order

    def remember(keys):
        order = order_of(keys)
        drawn.setdefault(threading.get_ident(), []).append(tuple(order))
        return order

    def program(party):
        x = party.input(np.arange(3) if party.index == 0 else None, owner=0)
        results = [nn.data.shuffled([x])[0] for _ in range(times)]
        return threading.get_ident(), [tuple(order) for order in party.reveal(*results)]

    monkeypatch.setattr(shuffle, "_order", remember)
    (thread, final), _ = mpc.simulate(program, parties=2, seed=5)
    assert len(drawn[thread]) == times
    counts = Counter(zip(drawn[thread], final, strict=True))
    expected = times / 36
    assert len(counts) == 36
    assert sum((n - expected) ** 2 / expected for n in counts.values()) < 83  # chi-square of 35 degrees: 1e-5
