"""Rounds and bytes of the functions' docstrings, by the meter: two parties, additive, 16 fraction bits."""

import numpy as np
import pytest

import mpc
from mpc import functions

FEW, MANY = 64, 4096

# expression, elements, rounds, bytes sent an element
COSTS = [
    *((getattr(functions, name), n, 4, 24.75) for name in ("expit", "erf", "gelu", "silu", "softplus") for n in (FEW, MANY)),
    (np.tanh, FEW, 4, 24.75),
    (np.exp, FEW, 4, 24.75),
    (np.exp2, MANY, 4, 24.75),
    (np.expm1, FEW, 4, 24.75),
    (np.sin, FEW, 2, 16),
    (np.cos, FEW, 2, 16),
    (np.reciprocal, FEW, 8, 153.75),
    (np.reciprocal, MANY, 13, 115.25),
    (np.sqrt, FEW, 8, 104.875),
    (np.sqrt, MANY, 13, 110.625),
    (functions.rsqrt, FEW, 8, 104.875),
    (functions.rsqrt, MANY, 13, 110.625),
    (np.log, FEW, 7, 88.875),
    (np.log, MANY, 12, 78.625),
    (lambda x: x**0.7, FEW, 10, 105.625),
    (lambda x: x / (x + 1), FEW, 8, 184),
    (lambda x: x / (x + 1), MANY, 13, 153.375),
    (lambda x: 3 / x, FEW, 8, 176),
    (np.tan, FEW, 10, 208),
    (lambda x: np.logaddexp(x, 1.0), FEW, 4, 24.75),
]


def cost(function, x):
    def program(party):
        tensor = party.input(x if party.index == 0 else None, 0)
        with party.measure() as measured:
            function(tensor)
        return measured.rounds, measured.bytes_sent / tensor.size

    results = mpc.simulate(program)
    assert results[0] == results[1]
    return results[0]


@pytest.mark.parametrize("number", range(len(COSTS)))
def test_costs(number):
    function, size, rounds, sent = COSTS[number]
    assert cost(function, np.linspace(0.5, 9, size)) == (rounds, sent)


@pytest.mark.parametrize(("n", "rounds"), [(4, 7), (8, 7), (10, 7), (16, 7), (17, 13), (1000, 13)])
def test_rounds_of_softmax_beside_the_maximum(n, rounds):
    """The maximum opens the scores; what is found is not open."""
    x = np.linspace(-3, 3, 2 * n).reshape(2, n)
    together, maximum = (cost(f, x)[0] for f in (lambda t: functions.softmax(t, axis=1), lambda t: np.max(t, axis=1)))
    assert together == maximum + rounds


def test_a_fresh_product_costs_no_truncation_more():
    """What a bounded function takes as it is: a product of two numbers."""
    x = np.linspace(-2, 2, FEW)
    for function in (np.tanh, np.exp, functions.gelu):
        rounds, sent = cost(lambda t, g=function: g(t * t), x)
        assert (rounds, sent) == (5, 32.75), function


def test_what_is_open_is_not_opened_again():
    x = np.linspace(0.5, 2, FEW)
    rounds, sent = cost(lambda t: (np.tanh(t), np.exp(t), np.sin(t), np.log(t)), x)
    assert (rounds, sent) == (4 + 3 + 1 + 6, 24.75 + 16.75 + 8 + 80.875)


def test_linear_systems():
    assert cost(lambda x: np.linalg.solve(x, np.ones(3)), np.eye(3) * 2)[0] == 39


@pytest.mark.parametrize(("n", "more"), [(10, 0), (511, 0), (1000, 1)])
def test_statistics(n, more):
    x = np.linspace(-3, 3, n)
    assert [cost(function, x)[0] for function in (np.var, np.cov, np.std)] == [3 + more, 3 + more, 10 + more]
