"""Sorting, partitioning, top-k, medians and quantiles against NumPy: exact, by both methods, at the cost that they state."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mpc.errors import AxisError, OptionError, RangeError, ShapeError, UsageError
from mpc.network import Network
from mpc.plan import Planner
from mpc.ring.digits import row_bytes
from mpc.tensor import ranking
from mpc.tensor.networks import comparators, needed, odd_even_merge
from mpc.tensor.sorting import top_k
from mpc.testing import RING_EDGES, simulate

PROTOCOLS = [("plaintext", 1), ("additive", 2), ("additive", 3), ("additive", 5)]
MANY = settings(max_examples=30, deadline=None)
UNIT = 2.0**-16

# Few different numbers: equal ones, and neighbours one unit in the last place apart.
CLOSE = st.sampled_from([0.0, 0.0, UNIT, -UNIT, 1.0, 1.0 + UNIT, -1.0, 2.0**30 - UNIT, UNIT - 2.0**30])
FIXED = st.one_of(CLOSE, st.integers(1 - (1 << 46), (1 << 46) - 1).map(lambda k: k * UNIT))
INTEGERS = st.one_of(st.sampled_from([0, 1, -1, 2**50, -(2**50)]), st.integers(-5, 5))
ARRAYS = st.one_of(
    hnp.arrays(np.float64, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5), elements=FIXED),
    hnp.arrays(np.float64, st.integers(5, 12), elements=CLOSE),
    hnp.arrays(np.int64, hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=7), elements=INTEGERS),
)


@pytest.fixture(params=["pairs", "network"])
def method(request, monkeypatch):
    """Either method for every size."""
    monkeypatch.setattr(ranking, "by_pairs", lambda *args, **kwargs: request.param == "pairs")
    return request.param


def run(function, *inputs, protocol="additive", parties=2, **options):
    """function(*secrets), revealed, as every party has it."""

    def program(party):
        secrets = [party.input(x if party.index == parties - 1 else None, parties - 1) for x in inputs]
        result = function(*secrets)
        return party.reveal(*(result if isinstance(result, tuple) else (result,)))

    results = simulate(program, parties=parties, protocol=protocol, **options).results
    for result in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(result, results[0], strict=True))
    return results[0]


def same(result, expected):
    expected = np.asarray(expected)
    assert (np.shape(result), np.asarray(result).dtype) == (expected.shape, expected.dtype)
    assert np.array_equal(result, expected)


def plain_top_k(x, k, axis):
    """Stable, the largest first: of distinct (value, -index)."""
    order = np.flip(x.shape[axis] - 1 - np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
    indices = np.take(order, np.arange(k), axis)
    return np.take_along_axis(x, indices, axis), indices


# ---------------------------------------------------------------------------------------- the network


@pytest.mark.parametrize("n", range(131))
def test_the_network_sorts(n):
    """The 0-1 principle: a network that sorts all zeros and ones sorts everything. All of them to n = 11, then random ones."""
    stages = odd_even_merge(n)
    steps = (n - 1).bit_length() if n > 1 else 0
    assert len(stages) == steps * (steps + 1) // 2
    bits = np.arange(1 << n)[:, None] >> np.arange(n) & 1 if n < 12 else np.random.default_rng(n).integers(0, 2, (3000, n))
    half = np.array([n // 2])[: n > 0]
    for kept, places in ((stages, np.arange(n)), (needed(stages, half.tolist(), n), half)):
        x = bits.copy()
        for low, high in kept:
            assert len({*low.tolist(), *high.tolist()}) == 2 * len(low)
            assert np.all(low < high)
            x[:, low], x[:, high] = np.minimum(x[:, low], x[:, high]), np.maximum(x[:, low], x[:, high])
        assert np.array_equal(x[:, places], np.sort(bits, axis=1)[:, places])


def test_a_network_keeps_no_comparator_in_vain():
    assert comparators(needed(odd_even_merge(64), [0], 64)) == 63  # the least one: a tournament
    assert needed(odd_even_merge(64), [], 64) == []
    assert comparators(needed(odd_even_merge(64), range(64), 64)) == comparators(odd_even_merge(64)) == 543


# ---------------------------------------------------------------------------------------- order


@MANY
@given(x=ARRAYS, data=st.data())
def test_sort_and_argsort(x, data):
    axis = data.draw(st.one_of(st.none(), st.integers(-x.ndim, x.ndim - 1)))
    for protocol, parties in PROTOCOLS[:2]:
        result = run(lambda t: (np.sort(t, axis), np.argsort(t, axis)), x, protocol=protocol, parties=parties)
        same(result[0], np.sort(x, axis))
        same(result[1], np.argsort(x, axis, kind="stable"))


@MANY
@given(x=ARRAYS, data=st.data())
def test_by_the_network(x, data):
    axis = data.draw(st.one_of(st.none(), st.integers(-x.ndim, x.ndim - 1)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "PAIRS", -1)
        for protocol, parties in PROTOCOLS[:2]:
            result = run(lambda t: (np.sort(t, axis), np.argsort(t, axis)), x, protocol=protocol, parties=parties)
            same(result[0], np.sort(x, axis))
            same(result[1], np.argsort(x, axis, kind="stable"))


@MANY
@given(x=ARRAYS, data=st.data())
def test_top_k(x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    k = data.draw(st.integers(0, x.shape[axis]))
    for limit in (ranking.PAIRS, -1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ranking, "PAIRS", limit)
            values, indices = run(lambda t: top_k(t, k, axis), x)
        expected = plain_top_k(x, k, axis)
        same(values, expected[0])
        same(indices, expected[1])


X = np.round(np.random.default_rng(0).normal(size=(3, 9, 2)) * 4) / 4


@pytest.mark.parametrize(("protocol", "parties"), PROTOCOLS)
def test_of_more_parties(method, protocol, parties):
    functions = [
        lambda t: np.sort(t, axis=1),
        lambda t: np.argsort(t, axis=1, kind="stable"),
        lambda t: t.argsort(axis=None, kind="stable"),
        lambda t: np.median(t, axis=1),
        lambda t: np.median(t, axis=(0, 2), keepdims=True),
        lambda t: np.quantile(t, [0.0, 0.25, 1.0], axis=1, method="lower"),
    ]
    for result, function in zip(run(lambda t: tuple(f(t) for f in functions), X, protocol=protocol, parties=parties), functions):
        same(result, function(X))


@pytest.mark.parametrize("mask", RING_EDGES)
def test_whatever_the_mask(method, mask):
    x = np.array([0.0, UNIT, -UNIT, 0.0, 2.0**30 - UNIT, UNIT - 2.0**30])
    values, indices = run(lambda t: (np.sort(t), np.argsort(t)), x, insecure_masks=mask)
    same(values, np.sort(x))
    same(indices, np.argsort(x, kind="stable"))


@pytest.mark.parametrize(("protocol", "parties"), PROTOCOLS[:2])
def test_many_elements_and_products(protocol, parties):
    x = np.random.default_rng(1).integers(-50, 50, 900) / 8
    result = run(lambda t: (np.sort(t), np.argsort(t), np.sort(t * t), np.median(t * 0.5)), x, protocol=protocol, parties=parties)
    same(result[0], np.sort(x))
    same(result[1], np.argsort(x, kind="stable"))
    assert np.all(np.diff(result[2]) >= 0)
    assert np.abs(result[2] - np.sort(x * x)).max() < UNIT
    assert abs(result[3] - np.median(x) / 2) < UNIT


def test_partitions():
    x = np.array([[3.0, 1.0, 2.0, 2.0, -1.0]] * 2)
    values, indices = run(lambda t: (np.partition(t, (1, -1)), np.argpartition(t, 2, axis=-1)), x)
    same(values, np.sort(x))
    same(np.take_along_axis(x, indices, -1), np.sort(x))
    same(np.take_along_axis(x, run(lambda t: t.argpartition(1, axis=0), x)[0], 0), np.sort(x, axis=0))


# ---------------------------------------------------------------------------------------- order statistics

METHODS = ["linear", "lower", "higher", "nearest", "midpoint", "hazen", "weibull", "inverted_cdf", "median_unbiased"]
SMALL = st.integers(-(1 << 20), 1 << 20)


@MANY
@given(
    x=hnp.arrays(np.int64, hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=5), elements=SMALL),
    q=st.one_of(st.floats(0, 1), st.lists(st.floats(0, 1), max_size=3).map(np.array)),
    data=st.data(),
)
def test_quantiles(x, q, data):
    method, keepdims, divisor = (
        data.draw(st.sampled_from(METHODS)),
        data.draw(st.booleans()),
        data.draw(st.sampled_from([1, 64.0])),
    )
    axis = data.draw(st.one_of(st.none(), st.integers(-x.ndim, x.ndim - 1), hnp.valid_tuple_axes(x.ndim, min_size=1)))
    x = x if divisor == 1 else x / divisor
    expected = np.quantile(x, q, axis=axis, method=method, keepdims=keepdims)
    for protocol, parties in PROTOCOLS[:2]:
        (result,) = run(
            lambda t: np.quantile(t, q, axis=axis, method=method, keepdims=keepdims), x, protocol=protocol, parties=parties
        )
        assert (np.shape(result), np.asarray(result).dtype) == (np.shape(expected), np.asarray(expected).dtype)
        if np.asarray(result).dtype == np.int64:
            assert np.array_equal(result, expected)
        elif np.size(result):
            spread = float(x.max() - x.min())
            assert np.abs(result - expected).max() <= 2.0**-17 * spread + UNIT


def test_medians_and_percentiles():
    x = np.array([[5, 1, 4], [2, 2, -9], [0, 1, 1], [7, 7, 8]])
    functions = [
        lambda t: np.median(t),
        lambda t: np.median(t, axis=1),
        lambda t: np.median(t / 2, axis=0, keepdims=True),
        lambda t: np.percentile(t, [0, 50, 100], axis=0),
        lambda t: np.percentile(t, 25, method="higher"),
    ]
    for result, function in zip(run(lambda t: tuple(f(t) for f in functions), x), functions):
        same(result, function(x))


# ---------------------------------------------------------------------------------------- cost


def compared(count):
    """34 bits a comparison, in rows, and one for a selection or a conversion."""
    return 34 * row_bytes(count) + -(-count // 8)


def by_pairs(rows, n, places, values=True):
    return 5 + values, 16 * rows * n + compared(rows * n * (n - 1) // 2) + 8 * rows * n * places * values


def by_network(rows, stages, indices=0, n=1):
    """The indices come off by a floor by the bits of n - 1, in digits of 4: 2 opened bits for each but the first."""
    sizes = [rows * len(low) for low, _ in stages]
    digits = max(2, -(-(n - 1).bit_length() // 4))
    split = 8 * indices + (2 * (digits - 1) + 1) * row_bytes(indices)
    return 4 * len(sizes) + 3 * (indices > 0), sum(8 * c + compared(c) for c in sizes) + split


@pytest.mark.parametrize("n", [3, 8, 21, 32])
def test_rounds_and_bytes_of_all_pairs(n, cost):
    x = np.random.default_rng(n).normal(size=(2, n))
    assert cost(np.sort, x) == by_pairs(2, n, n)
    assert cost(np.argsort, x) == by_pairs(2, n, n, values=False)
    assert cost(lambda t: top_k(t, 2), x) == by_pairs(2, n, 2)
    assert cost(lambda t: np.median(t, axis=1), x) == by_pairs(2, n, 2 - n % 2)
    assert cost(np.sort, x.T, prepare=lambda t: [t.T]) == by_pairs(2, n, n)


@pytest.mark.parametrize("n", [3, 8, 21, 130])
def test_rounds_and_bytes_of_the_network(n, monkeypatch, cost):
    monkeypatch.setattr(ranking, "PAIRS", -1)
    x, stages = np.random.default_rng(n).normal(size=(2, n)), odd_even_merge(n)
    assert cost(np.sort, x) == by_network(2, stages)
    assert cost(np.argsort, x) == by_network(2, stages, 2 * n, n)
    assert cost(lambda t: top_k(t, 2), x) == by_network(2, needed(stages, [0, 1], n), 4, n)
    assert cost(lambda t: np.quantile(t, 0.3, axis=1, method="lower"), x) == by_network(
        2, needed(stages, [int(0.3 * (n - 1))], n)
    )


def test_which_method_is_chosen(cost):
    assert cost(np.sort, np.zeros(2)) == by_network(1, odd_even_merge(2)) == (4, 8 + 35)
    assert cost(np.argsort, np.zeros(2))[0] == 5
    for network, rows, most in ((None, 1, 724), (None, 1000, 23), ("1ms,1mbit", 1, 20), ("1ms,1mbit", 100, 0)):
        planner = Planner(Network.parse(network))
        chosen = [n for n in range(3, 730) if ranking.by_pairs(planner, rows, n, n, odd_even_merge(n), True, False)]
        assert max(chosen, default=0) == most
    assert cost(np.sort, np.zeros((50_000, 4)))[0] == 12
    assert cost(np.sort, np.zeros((100, 4)))[0] == 6


def test_what_needs_no_round(cost):
    for shape in ((0,), (1,), (5, 1), (0, 5), (3, 0)):
        for function in (np.sort, np.argsort, lambda t: top_k(t, min(t.shape[-1], 1))):
            assert cost(function, np.zeros(shape)) == (0, 0)


# ---------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        (lambda t: np.sort(t, axis=2), AxisError, "axis 2"),
        (lambda t: np.sort(t, kind="bogo"), OptionError, "kind='bogo'"),
        (lambda t: np.sort(t, order="x"), UsageError, "order="),
        (lambda t: np.argsort(t > 0), UsageError, "argsort"),
        (lambda t: np.partition(t, 5), ShapeError, "partition"),
        (lambda t: np.partition(t, t[0, 0]), UsageError, "kth"),
        (lambda t: np.quantile(t, 1.5), RangeError, "'quantile'.*from 0 to 1"),
        (lambda t: np.quantile(t, np.nan), RangeError, "'quantile'.*NaN"),
        (lambda t: np.percentile(t, [3, 150]), RangeError, "'percentile'.*from 0 to 100"),
        (lambda t: np.quantile(t, t[0, 0]), UsageError, "q"),
        (lambda t: np.quantile(t, 0.5, method="odd"), OptionError, "odd"),
        (lambda t: np.quantile(t, 0.5, weights=[1, 2], method="inverted_cdf"), UsageError, "weights="),
        (lambda t: np.median(t[:0]), RangeError, "no elements"),
        (lambda t: top_k(t, 3), OptionError, "k=3 of 2"),
        (lambda t: top_k(t, 1.5), UsageError, "top_k"),
        (lambda t: t.sort(), UsageError, "np.sort"),
        (lambda t: t.partition(1), UsageError, "np.partition"),
        (lambda t: np.unique(t), UsageError, "unique"),
        (lambda t: np.lexsort(t), UsageError, "lexsort"),
    ],
)
def test_refused(function, error, words):
    with pytest.raises(error, match=words):
        run(function, np.ones((2, 2)), protocol="plaintext", parties=1)


def test_the_plaintext_protocol_finds_what_is_out_of_range():
    top = np.array([1 << 61, 0, 0])
    with pytest.raises(RangeError, match="'sort'"):
        run(np.sort, top, protocol="plaintext", parties=1)
    with pytest.raises(RangeError, match="'quantile'"):
        run(lambda t: np.quantile(t, 0, method="lower"), top, protocol="plaintext", parties=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "PAIRS", -1)
        with pytest.raises(RangeError, match="'argsort'"):
            run(np.argsort, np.array([1 << 59, 0, 0]), protocol="plaintext", parties=1)
        same(run(np.argsort, np.array([1 << 58, 0, -1]), protocol="plaintext", parties=1)[0], np.array([2, 1, 0]))
