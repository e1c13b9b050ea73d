"""Rounds and bytes of tensor operations between two parties of the additive protocol."""

import numpy as np
import pytest

import mpc

K = 10
X = np.linspace(-3, 3, K)
Y = np.linspace(5, -2, K)
M = np.linspace(-1, 1, 12).reshape(3, 4)
FREE = (0, 0)


def cost(expression, *steps):
    """(rounds, bytes sent) of `expression`, after `steps` have been evaluated; all of them see fresh x, y, m, i."""

    def program(party):
        names = {"np": np, "party": party, "X": X, "Y": Y, "M": M, "K": K}
        for name, value in {"x": X, "y": Y, "m": M, "i": np.arange(K)}.items():
            names[name] = party.input(value if party.index == 0 else None, 0)
        for step in steps:
            exec(step, names)
        with party.measure() as measured:
            eval(expression, names)
        return measured.rounds, measured.bytes_sent

    results = mpc.simulate(program, parties=2, protocol="additive")
    assert results[0] == results[1]
    return results[0]


LOCAL = """
x + y
x - y
-x
x + 1.5
1.5 - x
x * 3
x * X
x * np.arange(K)
x / 2
x / 3
x * 0.1
X * x
m @ M.T
M.T @ m
i + i
i * 5
i / 7
x.sum()
x.mean()
m.mean(axis=0)
x.cumsum()
np.diff(x)
m.reshape(4, 3)
m.T
m[1:, ::2]
x[[1, 2, 2]]
np.concatenate([x, y])
np.stack([x, Y])
np.where(X > 0, x, y)
np.where(X > 0, x, 0)
np.broadcast_to(x, (3, K))
np.roll(x, 3)
np.tile(x, 2)
np.pad(x, 2)
np.trace(m)
np.tril(m)
np.einsum("ij->j", m)
np.einsum("ij,jk", m, M.T)
np.outer(x, X)
np.average(x, weights=X + 9)
x / X.max()
x / 3 + y / 3
x / 3 - 1.5
x / 1000 + 2**8
np.concatenate([x / 3, X])
x.truncate()
(x * 3).truncate()
(x / 3) * 4
np.tril(m / 3)
np.eye(3) @ (m / 3)
(x * 2.0).truncate()
i.truncate()
x[:0] * y[:0]
x.astype(float)
i.astype(float)
""".strip().splitlines()


@pytest.mark.parametrize("expression", LOCAL)
def test_what_is_linear_costs_nothing(expression):
    assert cost(expression) == FREE


# (the expression, what came before it) -> (rounds, bytes sent by each party); 8 bytes an element opened.
COSTS = {
    ("x * y",): (1, 16 * K),
    ("x * x",): (1, 8 * K),
    ("x ** 2",): (1, 8 * K),
    ("np.square(x)",): (1, 8 * K),
    ("(x * y).truncate()",): (2, 24 * K),
    ("x.reveal()",): (1, 8 * K),
    ("(x * y).reveal()",): (3, 32 * K),
    ("(x / 3).reveal()",): (2, 16 * K),
    ("(x / 4).reveal()",): (2, 16 * K),
    ("(x * 4.0).reveal()",): (1, 8 * K),
    ("(i * 4).reveal()",): (1, 8 * K),
    ("(i * 0.5).reveal()",): (1, 8 * K),
    ("m @ m.T",): (1, 8 * 12),
    ("x @ y",): (1, 16 * K),
    ("np.outer(x, y)",): (1, 16 * K),
    ("np.einsum('i,j->ij', x, y)",): (1, 16 * K),
    ("np.convolve(x, y)",): (1, 16 * K),
    ("np.cross(x[:3], y[:3])",): (1, 16 * 3),
    ("x * y", "x * x"): (1, 8 * K),
    ("x * y", "x * y"): FREE,
    ("x @ y", "x * y"): FREE,
    ("m.T @ m", "m * m"): FREE,
    ("x[2:5] * y[2:5]", "x * y"): FREE,
    ("x[::-1] * y", "x * x"): (1, 8 * K),
    ("np.roll(x, 1) * x", "x * x"): FREE,
    # Sums of products, and polynomials, are truncated once.
    ("(x * y + y * x + x * 1.1).truncate()",): (2, 24 * K),
    ("(3 * (x * y) - x * x + 1).truncate()",): (2, 24 * K),
    ("x * y + x * 0.1",): (2, 24 * K),  # 0.1 has three more bits
    ("x / 1000 + 2**20",): (1, 8 * K),
    ("(x * y).sum().truncate()",): (2, 16 * K + 8),
    # What was truncated once is not truncated again, nor are its views.
    ("z.truncate()", "z = x * y; z.truncate()"): FREE,
    ("z[1:3].truncate()", "z = x * y; z.truncate()"): FREE,
    ("z.reveal()", "z = x * y; z.truncate()"): (1, 8 * K),
    # A chain of dependent products costs one round and 8 bytes each: the truncated value needs no opening of its own.
    ("z * y", "z = x * y"): (1, 8 * K),
    ("x ** 4",): (2, 16 * K),
    # Both operands above scale f are truncated in one round; so is what the other operand opens.
    ("z * w", "z = x * y; w = x * x"): (1, 16 * K),
    ("z * u", "z = x * y; u = x + y"): (1, 16 * K),
    ("party.reveal(x, y)",): (1, 16 * K),
    ("party.reveal(x, x * y)", "x * y"): (2, 24 * K),
    ("party.reveal(x, y, to=1)", "x + y"): None,
    ("x / np.array([0.5, 20000.0] * 5)",): (1, 8 * K),
}


@pytest.mark.parametrize(("case", "expected"), [(c, e) for c, e in COSTS.items() if e is not None])
def test_rounds_and_bytes(case, expected):
    assert cost(*case) == expected


def test_a_reveal_to_one_party_is_sent_by_the_other_alone():
    def program(party):
        x = party.input(X if party.index == 0 else None, 0)
        with party.measure() as measured:
            x.reveal(to=1)
        return measured.bytes_sent, measured.bytes_received

    assert mpc.simulate(program, parties=2) == [(8 * K, 0), (0, 8 * K)]


def test_an_input_is_one_round_without_payload():
    def program(party):
        with party.measure() as measured:
            party.input(X if party.index == 1 else None, 1)
        return measured.rounds, measured.bytes_sent, measured.bytes_received, party.stats.total.rounds

    assert mpc.simulate(program, parties=2) == [(1, 0, 0, 1)] * 2


def test_a_view_of_what_was_truncated_is_not_truncated_again():
    """Nor is anything dealt for it: rounds and bytes sent would be 0 for an opened tensor anyway."""

    def program(party):
        x, y = (party.input(value if party.index == 0 else None, 0) for value in (X, Y))
        z = x * y
        with party.measure() as first:
            t = z.truncate()
        with party.measure() as again:
            part = z[1:3].truncate()
        with party.measure() as difference:
            nothing = z[1:3] - t[1:3]
        costs = [(cost.rounds, cost.bytes_sent, cost.offline_bytes) for cost in (again, difference)]
        return first.offline_bytes, costs, nothing.reveal().tolist(), (part - t[1:3]).reveal().tolist()

    free = ([(0, 0, 0)] * 2, [0, 0], [0, 0])
    assert mpc.simulate(program, parties=2) == [(0, *free), (10 * K, *free)]
