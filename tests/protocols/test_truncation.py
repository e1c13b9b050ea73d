"""Truncation of the additive protocol: never a wrap, never an error of a unit in the last place, whatever the masks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpc.contract import MATMUL, MULTIPLY, BroadcastTo, Index, Reshape, Transpose
from mpc.testing import RING_EDGES, broadcastable_shapes, masks_that_open, ring_arrays, share_input, signed_arrays, simulate
from mpc.testing.product_cases import exact_product

TOP = 1 << 62
ALL_BITS = (1, 13, 16, 20, 28)
OFFSETS = (0, 1, 2, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 1 << 31, (1 << 61) - 1, 1 << 61, TOP - 2, TOP - 1)
VALUES = np.array(sorted({sign * z for z in OFFSETS for sign in (-1, 1)})).view(np.uint64)
# m falls on every edge, and so does m' = m + 2^62
OPENED = np.array(sorted({(m + by) % 2**64 for m in RING_EDGES for by in (0, -TOP)}), np.uint64)


def assert_truncated(t, z, bits):
    """t is floor(z / 2^bits) or one more, and exact where z is divisible: together, an error under one unit."""
    signed = z.view(np.int64)
    difference = np.asarray(t).view(np.int64) - (signed >> bits)
    divisible = (signed & ((1 << bits) - 1)) == 0
    assert np.all((difference == 0) | ((difference == 1) & ~divisible))


def at_edges():
    """Every value with every mask that opens it at an edge, and with the masks 0, 2^63 and 2^64 - 1."""
    z, m = (a.ravel() for a in np.meshgrid(VALUES, OPENED))
    pairs = [(z, masks_that_open(z, m))] + [(VALUES, np.full(VALUES.shape, r, np.uint64)) for r in (0, 1 << 63, 2**64 - 1)]
    return np.concatenate([z for z, _ in pairs]), np.concatenate([r for _, r in pairs])


def masks_by_shape(masks):
    """The chosen masks for tensors of their own shape; for others, the edges over and over."""
    return lambda number, shape: masks if shape == masks.shape else np.array(RING_EDGES, np.uint64)


# ------------------------------------------------------------------ truncation alone


def test_ten_million_random_products(contract):
    count, bits = 1 << 20, 16

    def program(p):
        random = np.random.default_rng(17)
        for _ in range(10):
            x, y = random_factors(random, count)
            product = p.bilinear(MULTIPLY, share_input(p, x), share_input(p, y, 1))
            (value,) = p.reveal(p.truncate([(product, bits)]), [0])
            if value is not None:
                assert_truncated(value, x * y, bits)

    contract(program)


def random_factors(random, count):
    """Factors of all sizes, with a product below 2^62."""
    size = random.integers(1, 61, count)
    x, y = (random.integers(-(1 << 61) + 1, 1 << 61, count) >> by for by in (61 - size, size))
    return x.view(np.uint64), y.view(np.uint64)


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("bits", [*ALL_BITS, 46, 61])
def test_every_edge_under_chosen_masks(contract, bits, n):
    z, masks = at_edges()

    def program(p):
        return p.reveal(p.truncate([(share_input(p, z), bits)]), [0])[0]

    assert_truncated(contract(program, n, insecure_masks=masks_by_shape(masks))[0], z, bits)


@pytest.mark.parametrize("bits", ALL_BITS)
def test_products_at_the_edges_of_the_range(contract, bits):
    x = np.concatenate([VALUES, np.array([1, -1, TOP - 1, 1 - TOP, 1 << 31, -(1 << 31)]).view(np.uint64)])
    y = np.concatenate([np.ones(len(VALUES)), [TOP - 1, 1 - TOP, 1, -1, (1 << 31) - 1, (1 << 31) - 1]]).astype(np.int64)
    y[-6:-4] = TOP - 1, 1 - TOP  # float64 has rounded these
    y = y.view(np.uint64)
    for opened in OPENED:

        def program(p, z=x * y):
            product = p.bilinear(MULTIPLY, share_input(p, x), share_input(p, y, 1))
            return p.reveal(p.truncate([(product, bits)]), [0])[0]

        masks = masks_that_open(x * y, opened)  # for the operands too: what they are opened as does not matter
        assert_truncated(contract(program, insecure_masks=masks)[0], x * y, bits)


@settings(max_examples=60, deadline=None)
@given(z=signed_arrays((7,)), masks=ring_arrays((7,)), bits=st.integers(1, 61), n=st.sampled_from([2, 3, 5]))
def test_any_value_under_any_mask(contract_of, z, masks, bits, n):
    def program(p):
        return p.reveal(p.truncate([(share_input(p, z), bits)]), [0])[0]

    assert_truncated(contract_of(program, n, insecure_masks=masks)[0], z, bits)


def test_rounding_is_unbiased(contract):
    count, bits = 1 << 16, 16
    fractions = np.array([0, 1, 1 << 8, 1 << 14, 1 << 15, 3 << 14, (1 << 16) - 1])
    z = np.repeat((np.array([5, -7, 0, 1000, -1000, 1 << 45, -(1 << 45)]) << bits) + fractions, count).view(np.uint64)

    def program(p):
        return p.reveal(p.truncate([(share_input(p, z), bits)]), [0])[0]

    t = contract(program, seed=3)[0]
    up = (t.view(np.int64) - (z.view(np.int64) >> bits)).reshape(len(fractions), count).mean(axis=1)
    probability = fractions / 2**bits
    five_sigma = 5 * np.sqrt(probability * (1 - probability) / count)
    assert np.all(np.abs(up - probability) <= five_sigma)
    assert abs(up[3] - up[5]) > 0.4  # it does depend on the fraction


# ------------------------------------------------------------------ truncated values multiplied on


def further_products(bits_a, bits_b):
    """What a program does with truncated, unopened values a and b and an opened c: each product beside its operands."""

    def program(p, z, w, c):
        z, w, c = share_input(p, z), share_input(p, w, 1), share_input(p, c)
        p.square(c)
        a, b = p.truncate([(z, bits_a), (w, bits_b)])
        products = [p.bilinear(MULTIPLY, a, c), p.bilinear(MULTIPLY, c, b), p.bilinear(MULTIPLY, a, b)]
        products += [p.square(a), p.bilinear(MULTIPLY, b, b), p.bilinear(MULTIPLY, p.view(a, Reshape(a.shape)), a)]
        assert not a.opened and not b.opened
        return p.reveal([a, b, *products], [0])

    return program


@pytest.mark.parametrize(
    ("bits_a", "bits_b"),
    [(1, 1), (13, 13), (16, 16), (20, 16), (28, 28), (17, 32), (33, 31), (32, 33), (46, 46), (50, 20), (61, 61)],
)
def test_products_of_truncated_values_are_exact_in_the_ring(contract, bits_a, bits_b):
    z, masks = at_edges()
    w, c = np.roll(z, 1000), np.random.default_rng(4).integers(0, 2**64, z.shape, np.uint64)

    def chosen(number, shape):
        """Masks that put z on its edge, in turn with the same for w, so that every pair of top bits occurs."""
        return masks if number % 2 else np.roll(masks, 1000)

    a, b, *products = contract(lambda p: further_products(bits_a, bits_b)(p, z, w, c), insecure_masks=chosen)[0]
    assert_truncated(a, z, bits_a)
    assert_truncated(b, w, bits_b)
    for k, (product, expected) in enumerate(zip(products, (a * c, c * b, a * b, a * a, b * b, a * a), strict=True)):
        assert np.array_equal(product, expected), f"product {k}"


@settings(max_examples=40, deadline=None)
@given(
    data=st.data(),
    shapes=broadcastable_shapes(2),
    bits=st.sampled_from([(16, 16), (1, 28), (46, 40)]),
    n=st.sampled_from([2, 3]),
)
def test_broadcast_products_of_truncated_values(contract_of, data, shapes, bits, n):
    z, w = (data.draw(signed_arrays(shape)) for shape in shapes)
    masks = data.draw(ring_arrays((5,)))

    def program(p):
        (a,) = p.truncate([(share_input(p, z), bits[0])])
        (b,) = p.truncate([(share_input(p, w, n - 1), bits[1])])
        return p.reveal([a, b, p.bilinear(MULTIPLY, a, b)], [0])

    a, b, product = contract_of(program, n, insecure_masks=masks)[0]
    assert_truncated(a, z, bits[0])
    assert_truncated(b, w, bits[1])
    assert np.array_equal(product, a * b) and product.shape == np.broadcast_shapes(*shapes)


@pytest.mark.parametrize("n", [2, 3])
def test_truncated_values_through_views_sums_and_matrix_products(contract, n):
    random = np.random.default_rng(9)
    z, c = (random.integers(1 - TOP, TOP, shape).view(np.uint64) for shape in ((4, 6), (6, 3)))
    views = [Transpose((1, 0)), Index((slice(None, None, -1), np.array([5, 0, 0]))), BroadcastTo((2, 4, 6)), Reshape((24,))]

    def program(p):
        z_, c_ = share_input(p, z), share_input(p, c, 1)
        (early,) = p.truncate([(p.view(z_, views[0]), 13)])  # of a view that was not opened
        (t,) = p.truncate([(z_, 16)], opening=[c_])
        (late,) = p.truncate([(p.view(z_, views[1]), 20)])  # of a view of an opened tensor: another number of bits
        seen = [p.view(t, view) for view in views]
        products = [p.bilinear(MULTIPLY, s, s) for s in seen] + [p.bilinear(MATMUL, t, c_), p.bilinear(MATMUL, seen[0], t)]
        opened_since = p.bilinear(MULTIPLY, t, p.view(c_, Index((0, slice(0, 1)))))
        of_late = p.bilinear(MULTIPLY, late, p.view(late, Index((slice(None, None, -1),))))
        return p.reveal([early, t, late, *products, opened_since, of_late], [0])

    early, t, late, *products, opened_since, of_late = contract(program, n, seed=2)[0]
    assert_truncated(early, z.T, 13)
    assert_truncated(t, z, 16)
    assert_truncated(late, views[1](z), 20)
    expected = [view(t) * view(t) for view in views] + [exact_product(MATMUL, t, c), exact_product(MATMUL, t.T, t)]
    assert all(np.array_equal(got, want) for got, want in zip(products, expected, strict=True))
    assert np.array_equal(opened_since, t * c[0, :1])
    assert np.array_equal(of_late, late * late[::-1])


def test_a_chain_costs_one_round_and_eight_bytes_each(contract):
    def program(p):
        x, t = share_input(p, np.full(100, 3 << 14, np.uint64)), share_input(p, np.full(100, 1 << 16, np.uint64))
        p.square(x)
        (t,) = p.truncate([(p.bilinear(MULTIPLY, t, x), 16)])
        with p.endpoint.meter.measure() as cost:
            for _ in range(5):
                (t,) = p.truncate([(p.bilinear(MULTIPLY, t, x), 16)])
        return cost.rounds, cost.bytes_sent

    assert contract(program) == [(5, 5 * 800)] * 2


def test_a_truncated_value_is_not_opened_because_it_is_multiplied_next(contract):
    def program(p):
        z, w, y = (share_input(p, np.full(100, k << 16, np.uint64)) for k in (1, 2, 3))
        (t,) = p.truncate([(z, 16)])
        with p.endpoint.meter.measure() as cost:
            (s,) = p.truncate([(w, 16)], opening=[t, y])
            results = [p.bilinear(MULTIPLY, s, t), p.bilinear(MULTIPLY, s, y)]
        (product, other) = (int(v[0]) for v in p.reveal(results, [0, 1]))
        return cost.rounds, cost.bytes_sent, product, other

    assert contract(program) == [(1, 2 * 800, 2, 6 << 16)] * 2  # w, and y with it


def test_programs_that_divide_by_large_numbers():
    """Scales far above f: both factors lose so many bits that their top bits' product matters."""
    values = np.array([3.7e6, -5.1e5, 12345.678] * 200)

    def program(party):
        x = party.input(values if party.index == 0 else None, owner=0)
        return (x / 4e5 * (x / 3e5)).reveal()

    result = simulate(program).results[0]
    assert np.max(np.abs(result - values / 4e5 * (values / 3e5))) < 0.01
