"""The contract's operations on random shapes and edge values, and random programs on tensors, against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mpc.contract import MATMUL, MULTIPLY, BroadcastTo, Conv2d, Index, Matmul, Multiply, Reshape, Transpose
from mpc.testing import (
    bits,
    broadcastable_shapes,
    matmul_shapes,
    programs,
    ring_arrays,
    shapes,
    share_input,
    shares,
    simulate,
)
from mpc.testing.product_cases import exact_product
from protocols.additive import Additive
from protocols.additive.shares import Share
from protocols.plaintext import Plaintext

PARTIES = st.sampled_from([2, 3, 5])
few = settings(max_examples=40, deadline=None)


def same(results, expected):
    """Every party got exactly these arrays."""
    for values in results:
        for value, wanted in zip(values, expected, strict=True):
            wanted = np.asarray(wanted)
            assert isinstance(value, np.ndarray)
            assert (value.dtype, value.shape) == (wanted.dtype, wanted.shape)
            assert np.array_equal(value, wanted)


@few
@given(data=st.data(), n=PARTIES, shape=shapes())
def test_shares_come_back(contract_of, data, n, shape):
    x, b, owner = data.draw(ring_arrays(shape)), data.draw(bits(shape)), data.draw(st.integers(0, n - 1))
    secret, parts = data.draw(shares(n, shape))

    def program(p):
        everybody = range(n)
        mine = Share(parts[p.endpoint.index].copy())
        return p.reveal([share_input(p, x, owner), share_input(p, b, owner), p.constant(x), p.constant(b), mine], everybody)

    same(contract_of(program, n), [x, b, x, b, secret])


@few
@given(data=st.data(), n=PARTIES, sizes=broadcastable_shapes(2))
def test_sums_and_products_broadcast(contract_of, data, n, sizes):
    x, y = (data.draw(ring_arrays(shape)) for shape in sizes)

    def program(p):
        a, b = share_input(p, x), share_input(p, y, n - 1)
        sums = [p.add(a, b), p.subtract(a, b), p.add(a, y), p.subtract(a, y), p.negate(a)]
        products = [
            p.bilinear(MULTIPLY, a, b),
            p.bilinear(Multiply(), b, a),
            p.bilinear(MULTIPLY, x, b),
            p.bilinear(MULTIPLY, a, y),
        ]
        return p.reveal([*sums, *products, p.square(a)], range(n))

    product = np.asarray(np.multiply(x, y))
    sums = [np.add(x, y), np.subtract(x, y)] * 2
    same(contract_of(program, n), [*sums, np.negative(x), *[product] * 4, np.multiply(x, x)])


@few
@given(data=st.data(), n=PARTIES, sizes=matmul_shapes())
def test_matrix_products(contract_of, data, n, sizes):
    x, y = (data.draw(ring_arrays(shape)) for shape in sizes)

    def program(p):
        a, b = share_input(p, x), share_input(p, y, n - 1)
        return p.reveal([p.bilinear(op, *pair) for op, *pair in ((MATMUL, a, b), (Matmul(), a, y), (MATMUL, x, b))], range(n))

    same(contract_of(program, n), [exact_product(MATMUL, x, y)] * 3)


@few
@given(data=st.data(), n=PARTIES)
def test_convolutions(contract_of, data, n):
    small = st.integers(1, 2)
    pair = st.tuples(small, small)
    op = Conv2d(data.draw(pair), data.draw(st.tuples(*[st.integers(0, 2)] * 2)), data.draw(pair), data.draw(small))
    channels, per_group, (height, width) = data.draw(small), data.draw(small), data.draw(pair)
    need = [(k - 1) * d + 1 for k, d in zip((height, width), op.dilation, strict=True)]
    image = [data.draw(st.integers(max(1, least - 2 * pad), 5)) for least, pad in zip(need, op.padding, strict=True)]
    x = data.draw(ring_arrays((data.draw(st.integers(0, 2)), channels * op.groups, *image)))
    w = data.draw(ring_arrays((per_group * op.groups, channels, height, width)))

    def program(p):
        a, b = share_input(p, x), share_input(p, w, n - 1)
        return p.reveal([p.bilinear(op, a, b), p.bilinear(op, a, w), p.bilinear(op, x, b)], range(n))

    same(contract_of(program, n), [exact_product(op, x, w)] * 3)


@few
@given(data=st.data(), n=PARTIES, sizes=broadcastable_shapes(2, max_side=9))
def test_booleans(contract_of, data, n, sizes):
    x, y = (data.draw(bits(shape)) for shape in sizes)
    check_booleans(contract_of, x, y, n)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 64, 65])
def test_booleans_around_bytes_and_words(contract, size):
    random = np.random.default_rng(size)
    check_booleans(contract, *random.integers(0, 2, (2, size)).astype(bool), 3)


def check_booleans(contract, x, y, n):
    def program(p):
        a, b = share_input(p, x), share_input(p, y, n - 1)
        secret = [f(a, b) for f in (p.xor, p.and_, p.or_)]
        public = [f(a, y) for f in (p.xor, p.and_, p.or_)]
        return p.reveal([*secret, *public, p.not_(a), p.and_(a, a), p.xor(a, a)], range(n))

    three = [np.logical_xor(x, y), np.logical_and(x, y), np.logical_or(x, y)]
    same(contract(program, n), [*three, *three, ~x, x, np.zeros_like(x)])


@few
@given(data=st.data(), n=PARTIES, shape=npst.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
def test_views_before_and_after_an_opening(contract_of, data, n, shape):
    x, b = data.draw(ring_arrays(shape)), data.draw(bits(shape))
    views = [
        Index(data.draw(npst.basic_indices(shape, allow_newaxis=True).map(lambda k: k if isinstance(k, tuple) else (k,)))),
        Index(data.draw(npst.integer_array_indices(shape))),
        Transpose(tuple(data.draw(st.permutations(range(len(shape)))))),
        Reshape((-1,)),
        BroadcastTo((2, *shape)),
    ]

    def program(p):
        a, c = share_input(p, x), share_input(p, b)
        before = [p.square(p.view(a, view)) for view in views]
        p.square(a)
        after = [p.square(p.view(a, view)) for view in views]
        return p.reveal([*before, *after, *(p.view(c, view) for view in views)], range(n))

    squares = [np.square(view(x)) for view in views]
    same(contract_of(program, n), [*squares, *squares, *(view(b) for view in views)])


@few
@given(data=st.data(), n=PARTIES, rows=st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_joining_and_linear_maps(contract_of, data, n, rows):
    xs = [data.draw(ring_arrays((2, k))) for k in rows]
    bs = [data.draw(bits((k, 3))) for k in rows]

    def program(p):
        a, b = (share_input(p, v) for v in xs), (share_input(p, v, n - 1) for v in bs)
        joined = p.concatenate(list(a), 1)
        total = p.linear(joined, "sum", lambda v: np.sum(v, axis=1))
        return p.reveal([joined, p.concatenate(list(b), 0), total, p.linear(joined, "cumsum", np.cumsum)], range(n))

    joined = np.concatenate(xs, 1)
    same(contract_of(program, n), [joined, np.concatenate(bs, 0), joined.sum(axis=1), joined.cumsum()])


@given(data=st.data(), n=PARTIES)
@settings(max_examples=20, deadline=None)
def test_reveals_reach_whom_they_name(contract_of, data, n):
    targets = data.draw(st.lists(st.lists(st.integers(0, n - 1)), min_size=1, max_size=3))  # empty, and with repetitions
    x, b = np.array([1, 2**64 - 1], np.uint64), np.array(True)

    def program(p):
        both = [share_input(p, x), share_input(p, b)]
        return [p.reveal(both, to) for to in targets]

    for party, results in enumerate(contract_of(program, n)):
        for to, values in zip(targets, results, strict=True):
            assert all((value is not None) == (party in to) for value in values)
            same([values] if party in to else [], [x, b])


@pytest.mark.parametrize("n", [2, 3])
def test_a_party_named_twice_gets_one_message(contract, n):
    def program(p):
        x, y = (share_input(p, np.full(3, k, np.uint64)) for k in (5, 6))
        return [*p.reveal([x], [1, 1]), *p.reveal([y], [1])]

    same(contract(program, n)[1:2], [np.full(3, 5, np.uint64), np.full(3, 6, np.uint64)])


@pytest.mark.parametrize("protocol", [Additive, Plaintext], ids=lambda p: p.name)
@settings(max_examples=50, deadline=None)
@given(program=programs(), n=PARTIES)
def test_random_programs(protocol, program, n):
    for result in simulate(program, parties=n, protocol=protocol).results:
        program.check(result)


@settings(max_examples=30, deadline=None)
@given(program=programs(fraction_bits=8), masks=ring_arrays((3,)))
def test_random_programs_under_any_masks(program, masks):
    for result in simulate(program, fraction_bits=8, insecure_masks=masks).results:
        program.check(result)


@settings(max_examples=30, deadline=None)
@given(program=programs())
def test_protocols_agree(program):
    """The secret protocol and the reference are each within the bound, so within twice the bound of each other."""
    ours, reference = (simulate(program, protocol=protocol).results[0] for protocol in (Additive, Plaintext))
    for a, b, bound in zip(ours, reference, program.bounds(), strict=True):
        assert a.shape == b.shape
        assert float(np.max(np.abs(a - b), initial=0.0)) <= 2 * bound
