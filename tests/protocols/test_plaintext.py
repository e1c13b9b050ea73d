"""The reference protocol: its range check and its rounding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpc.contract import MATMUL, MULTIPLY, Conv2d, Index
from mpc.errors import RangeError
from mpc.testing import share_input, signed_arrays, simulate
from mpc.testing.product_cases import exact_product
from protocols.plaintext import Plaintext

TOP = 1 << 62


def words(*values):
    return np.array(values, np.int64).view(np.uint64)


def run(contract, program):
    return contract(program, protocol=Plaintext)


BIG = words(1 << 61, -(1 << 61), 1 << 61)
IMAGE = np.full((1, 1, 2, 2), 1 << 61, np.uint64)
OVERFLOWS = {
    "add": (lambda p, x: p.add(x, x), "4.61169e+18"),
    "subtract": (lambda p, x: p.subtract(x, p.negate(x)), "4.61169e+18"),
    "sum": (lambda p, x: p.linear(p.view(x, Index((np.array([0, 2, 2]),))), "sum", np.sum), "6.91753e+18"),
    "multiply": (lambda p, x: p.bilinear(MULTIPLY, x, words(3, 3, 9)), "2.07526e+19"),
    "matmul": (lambda p, x: p.bilinear(MATMUL, x, words(3, 3, 9)), "2.07526e+19"),
    "conv2d": (lambda p, x: p.bilinear(Conv2d(), share_input(p, IMAGE), np.full((1, 1, 1, 1), 3, np.uint64)), "6.91753e+18"),
}


@pytest.mark.parametrize("name", OVERFLOWS)
def test_an_overflow_names_the_operation_and_the_largest_value(contract, name):
    compute, largest = OVERFLOWS[name]
    with pytest.raises(RangeError, match="party") as caught:
        run(contract, lambda p: compute(p, share_input(p, BIG)))
    assert f"operation '{name}': a value of {largest} units" in str(caught.value)
    assert "2^62" in str(caught.value)


def test_a_sum_that_cancels_is_no_overflow(contract):
    assert run(contract, lambda p: p.reveal([p.linear(share_input(p, BIG), "sum", np.sum)], [0]))[0][0] == 1 << 61


def test_the_bound_is_exact(contract):
    def program(p, last):
        return p.reveal([p.add(share_input(p, words(TOP - 2, 2 - TOP)), words(last, -last))], [0])

    assert run(contract, lambda p: program(p, 1))[0][0].view(np.int64).tolist() == [TOP - 1, 1 - TOP]
    with pytest.raises(RangeError):
        run(contract, lambda p: program(p, 2))


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_a_product_raises_exactly_where_its_true_value_does_not_fit(contract_of, data):
    x, y = data.draw(signed_arrays((2, 3), 34)), data.draw(signed_arrays((3, 2), 34))
    true = x.view(np.int64).astype(object) @ y.view(np.int64).astype(object)
    fits = max(abs(int(v)) for v in true.ravel()) < TOP

    def program(p):
        return p.reveal([p.bilinear(MATMUL, share_input(p, x), share_input(p, y, 1))], [0])

    if fits:
        assert np.array_equal(run(contract_of, program)[0][0], exact_product(MATMUL, x, y))
    else:
        with pytest.raises(RangeError, match="matmul"):
            run(contract_of, program)


def test_a_convolution_that_cancels_is_no_overflow(contract):
    """Norms of the operands bound it by 2^62 and more; its values are small."""
    image = words(*[(1 << 40) + k for k in range(36)]).reshape(1, 1, 6, 6)
    edges = words(1 << 22, -(1 << 22), -(1 << 22), 1 << 22).reshape(1, 1, 2, 2)
    op = Conv2d((1, 2), (0, 0), (2, 1))

    def program(p):
        return p.reveal([p.bilinear(op, share_input(p, image), share_input(p, edges, 1))], [0])

    assert np.array_equal(run(contract, program)[0][0], exact_product(op, image, edges))


@settings(max_examples=50, deadline=None)
@given(z=signed_arrays((5,), 61), bits=st.integers(1, 60))
def test_truncation_rounds_to_nearest(contract_of, z, bits):
    t = run(contract_of, lambda p: p.reveal(p.truncate([(share_input(p, z), bits)]), [0]))[0][0]
    for got, exact in zip(t.view(np.int64).tolist(), z.view(np.int64).tolist(), strict=True):
        assert -(1 << bits) <= 2 * (exact - (got << bits)) < 1 << bits


def test_arrays_of_the_caller_do_not_leak_in(contract):
    def program(p):
        value = words(1, 2)
        x = p.constant(value)
        value[:] = 9
        result = p.reveal([x], [0, 1])[0]
        result[:] = 7
        return p.reveal([x], [0, 1])[0].tolist()

    assert run(contract, program) == [[1, 2]] * 2


def test_it_runs_alone_and_among_many():
    def program(party):
        x = party.input(np.arange(3.0) if party.index == 0 else None, owner=0)
        return (x * x).sum().reveal()

    for n in (1, 2, 12):
        assert simulate(program, parties=n, protocol="plaintext").results == [5.0] * n
