"""Rounds and bytes of the functions' docstrings, by the meter: two parties, additive, 16 fraction bits."""

import numpy as np
import pytest

from mpc import functions

FEW, MANY = 64, 16384

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
    (np.cbrt, FEW, 8, 188),
    (np.sinc, FEW, 13, 224.75),
    (np.log1p, FEW, 7, 88.875),
    (lambda x: x**x, FEW, 11, 113.625),
    (lambda x: x ** (x + 1), FEW, 12, 121.625),
    (lambda x: x ** (x + 1), MANY, 17, 111.375),
    (lambda x: np.logaddexp(x, 1.0), FEW, 4, 24.75),
]


@pytest.mark.parametrize("number", range(len(COSTS)))
def test_costs(number, cost):
    function, size, rounds, sent = COSTS[number]
    assert cost(function, np.linspace(0.5, 9, size)) == (rounds, sent * size)


@pytest.mark.parametrize(("n", "rounds"), [(4, 7), (8, 7), (10, 7), (16, 7), (17, 13), (1000, 13)])
def test_rounds_of_softmax_beside_the_maximum(n, rounds, cost):
    """The maximum opens the scores; what is found is not open."""
    x = np.linspace(-3, 3, 2 * n).reshape(2, n)
    together, maximum = (cost(f, x)[0] for f in (lambda t: functions.softmax(t, axis=1), lambda t: np.max(t, axis=1)))
    assert together == maximum + rounds


def test_a_fresh_product_costs_no_truncation_more(cost):
    """What a bounded function takes as it is: a product of two numbers."""
    x = np.linspace(-2, 2, FEW)
    for function in (np.tanh, np.exp, functions.gelu):
        rounds, sent = cost(lambda t, g=function: g(t * t), x)
        assert (rounds, sent) == (5, 32.75 * FEW), function


def test_what_is_open_is_not_opened_again(cost):
    x = np.linspace(0.5, 2, FEW)
    rounds, sent = cost(lambda t: (np.tanh(t), np.exp(t), np.sin(t), np.log(t)), x)
    assert (rounds, sent) == (4 + 3 + 1 + 6, (24.75 + 16.75 + 8 + 80.875) * FEW)


@pytest.mark.parametrize(("n", "sent", "inverse"), [(3, 4588, 5020), (8, 14316, 20588)])
def test_linear_systems(n, sent, inverse, cost):
    assert cost(lambda x: np.linalg.solve(x, np.ones(n)), np.eye(n) * 2) == (10 * n + 9, sent)
    assert cost(np.linalg.inv, np.eye(n) * 2) == (10 * n + 9, inverse)


@pytest.mark.parametrize(("n", "more"), [(10, 0), (511, 0), (1000, 1)])
def test_statistics(n, more, cost):
    """The mean takes a truncation, or two; what is opened besides are the distances, and what the root takes."""
    rows = 32
    x, mean = np.arange(rows * n).reshape(rows, n) % 7 / 2.0, 8 * (1 + more)
    assert cost(lambda t: np.var(t, axis=1), x) == (3 + more, rows * (8 * n + mean + 8))
    assert cost(lambda t: np.std(t, axis=1), x) == (10 + more, rows * (8 * n + mean + 118))
    assert cost(lambda t: np.linalg.norm(t, axis=1), x) == (9, rows * (8 * n + 118))
    assert cost(np.cov, x) == (3 + more, rows * (8 * n + mean + 8 * rows))
    assert cost(lambda t: np.linalg.norm(t, 1, axis=1), x)[0] == 4


def test_correlations(cost):
    for k, n, more in ((4, 10, 0), (8, 1000, 1)):
        x = np.arange(k * n).reshape(k, n) % 7 / 2.0
        rounds, sent = cost(np.corrcoef, x)
        assert rounds == 19 + more
        assert sent <= 32 * x.size + 450 * k + 8 * k * k
