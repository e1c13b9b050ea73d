"""Secret booleans: & | ^ ~ against NumPy, their cost, and what moves them."""

import numpy as np
import pytest

import mpc

X = np.arange(30).reshape(5, 6) % 3 == 0
Y = np.arange(30).reshape(5, 6) % 2 == 0
R = np.array([True, False, False, True, True, False])

EXPRESSIONS = """
x & y
x | y
x ^ y
~x
x & r
r | x
x ^ Y
Y & x
Y | x
x & True
True | x
x ^ [True, False, True, False, True, True]
np.False_ ^ x
np.logical_and(x, y)
np.logical_or(x, Y)
np.logical_xor(X, y)
np.logical_not(x)
np.invert(x)
np.bitwise_and(x, y)
np.bitwise_or(x, y)
np.bitwise_xor(x, y)
~(x[1:, ::2] & y[:-1, 1::2]) | x[0, 0]
x[Y]
x[0, 0] & y[0, 1]
x[:0] & y[:0]
x.T ^ y.reshape(6, 5)
np.concatenate([x, Y, y], axis=1)
np.stack([x, y])
np.where(Y, x, y)
np.where(Y, x, False)
np.roll(x, 5)
np.ones_like(x)
np.zeros_like(x) ^ y
np.broadcast_to(r, (2, 6)) & x[:2]
np.pad(x, 1, constant_values=True)
x.astype(bool)
x.T
x.truncate()
""".strip().splitlines()


@pytest.mark.parametrize(("protocol", "parties"), [("plaintext", 1), ("additive", 2), ("additive", 3)])
def test_booleans(protocol, parties):
    def program(party):
        x, y, r = (party.input(v if party.index == 0 else None, 0) for v in (X, Y, R))
        names = {"np": np, "x": x, "y": y, "r": r, "X": X, "Y": Y}
        return party.reveal(*(eval(e, names) for e in EXPRESSIONS))

    names = {"np": np, "x": X, "y": Y, "r": R, "X": X, "Y": Y}
    plain = [eval(e.replace(".truncate()", ""), names) for e in EXPRESSIONS]
    for results in mpc.simulate(program, parties=parties, protocol=protocol):
        for expression, result, expected in zip(EXPRESSIONS, results, plain, strict=True):
            assert result.dtype == np.bool_, expression
            assert result.shape == expected.shape, expression
            assert np.array_equal(result, expected), expression


@pytest.mark.parametrize(
    ("expression", "rounds", "bytes_sent"),
    [("x ^ y", 0, 0), ("~x", 0, 0), ("x & Y", 0, 0), ("x | Y", 0, 0), ("x & y", 1, 8), ("x | y", 1, 8), ("x.reveal()", 1, 4)],
)
def test_costs(expression, rounds, bytes_sent):
    # 30 bits are 4 bytes; both operands of & are opened.
    def program(party):
        x, y = (party.input(v if party.index == 0 else None, 0) for v in (X, Y))
        with party.measure() as cost:
            eval(expression, {"x": x, "y": y, "Y": Y})
        return cost.rounds, cost.bytes_sent

    assert mpc.simulate(program, parties=2) == [(rounds, bytes_sent)] * 2
