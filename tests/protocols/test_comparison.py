"""Comparisons of the additive protocol: exact under every mask, however near the values, at every size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpc.contract import BroadcastTo, Index, Transpose
from mpc.ring import digits
from mpc.ring.digits import row_bytes
from mpc.testing import RING_EDGES, broadcastable_shapes, masks_that_open, ring_arrays, share_input, signed_arrays
from protocols.additive import Additive
from protocols.additive.compare import Digits

TOP = 1 << 62
OFFSETS = (0, 1, 2, 15, 16, 17, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 1 << 31, 1 << 46, (1 << 61) - 1, 1 << 61, TOP - 2, TOP - 1)
VALUES = np.array(sorted({sign * z for z in OFFSETS for sign in (-1, 1)})).view(np.uint64)
# m falls on every edge, and so does m' = m + 2^62
OPENED = np.array(sorted({(m + by) % 2**64 for m in RING_EDGES for by in (0, -TOP)}), np.uint64)
MASKS = np.array(
    [0, 1, TOP - 1, TOP, (1 << 63) - 1, 1 << 63, 3 << 62, 2**64 - 1, 0x8888888888888888, 0x7777777777777777], np.uint64
)
SHAPES = [(), (0,), (1,), (7,), (8,), (3, 5), (2, 0, 3), (1, 1), (505,), (1023,), (1024,), (33, 40), (66003,)]


def signed(array):
    return np.asarray(array).view(np.int64)


def at_edges(values=VALUES):
    """Every value with every mask that opens it at an edge, and with the masks of MASKS."""
    z, m = (a.ravel() for a in np.meshgrid(values, OPENED))
    w, r = (a.ravel() for a in np.meshgrid(values, MASKS))
    return np.concatenate([z, w]), np.concatenate([masks_that_open(z, m), r])


def words(shape, seed=0, bits=62):
    random = np.random.default_rng(seed)
    drawn = random.integers(1 - (1 << bits), 1 << bits, shape) >> random.integers(0, bits, shape)
    return np.asarray(drawn).view(np.uint64)


def with_digits(width, radix):
    class Other(Additive):
        def __init__(self, endpoint):
            super().__init__(endpoint)
            self.digits = Digits(width, radix)

    return Other


ALL_DIGITS = [(4, 4), (8, 8), (8, 4), (4, 8), (2, 8), (1, 8)]


# ------------------------------------------------------------------ every edge


@pytest.mark.parametrize("n", [2, 3, 5])
def test_signs_at_every_edge_under_chosen_masks(contract, n):
    z, masks = at_edges()

    def program(p):
        return p.reveal([p.at_least(share_input(p, z, n - 1), np.zeros((1, *z.shape), np.uint64))], [0])[0]

    assert np.array_equal(contract(program, n, insecure_masks=masks)[0], signed(z)[None] >= 0)


@pytest.mark.parametrize("bits", [1, 4, 15, 16, 17, 30, 32, 46, 48, 49, 61, 62])
def test_a_smaller_bound_is_as_exact_within_it(contract, bits):
    limit = 1 << bits
    z, masks = at_edges(
        np.array([1 - limit, 2 - limit, -(limit // 2), -1, 0, 1, limit // 2, limit - 2, limit - 1]).view(np.uint64)
    )
    t = words(z.shape, bits)

    def program(p):
        x = share_input(p, z + t)
        return p.reveal([p.at_least(x, np.stack([t, t]), bits)], [0])[0]

    assert np.array_equal(contract(program, insecure_masks=masks)[0], np.stack([signed(z) >= 0] * 2))


@pytest.mark.parametrize(("width", "radix"), ALL_DIGITS)
def test_every_choice_of_digits_is_exact(contract, width, radix):
    z, masks = at_edges()

    def program(p):
        x = share_input(p, z)
        y = p.constant(np.zeros(z.shape, np.uint64))
        results = [
            p.at_least(x, np.zeros((1, *z.shape), np.uint64)),
            p.less(x, y),
            p.equal(x, y),
            p.equal(x, z),
            p.all(p.equal(x, x)),
        ]
        return p.reveal([*results, *p.floor([(x, 16)])], [0])

    above, below, zero, same, all_same, floor = contract(program, protocol=with_digits(width, radix), insecure_masks=masks)[0]
    assert np.array_equal(above[0], signed(z) >= 0)
    assert np.array_equal(below, signed(z) < 0)
    assert np.array_equal(zero, z == 0)
    assert same.all() and all_same
    assert np.array_equal(signed(floor), signed(z) >> 16)


@pytest.mark.parametrize("mask", MASKS)
def test_pairs_apart_by_nothing_by_one_and_by_all_that_is_allowed(contract, mask):
    """Neither open; one; both, under two masks; and a tensor with itself."""
    apart = np.array([0, 1, -1, TOP - 1, 1 - TOP, 1 << 16, -(1 << 16)])
    y, d = (a.ravel() for a in np.meshgrid(np.array([0, 1, -1, 1 << 61, -(1 << 61), 12345]), apart))
    x = (y + d).view(np.uint64)
    y = y.view(np.uint64)

    def chosen(number, shape):
        return np.uint64((int(mask) * (number % 4) + number % 3) % 2**64)  # other masks for x than for y

    def program(p):
        x_, y_ = share_input(p, x), share_input(p, y, 1)
        results = [p.less(x_, y_), p.less(y_, x_), p.equal(x_, y_), p.equal(x_, y)]
        results += [p.less(x_, y_), p.less(y_, x_), p.equal(y_, x_)]  # x is open now
        p.open([y_])
        results += [p.less(x_, y_), p.less(y_, x_), p.equal(x_, y_), p.less(x_, x_), p.equal(x_, x_)]
        return p.reveal(results, [0])

    below, above, same = d < 0, d > 0, d == 0
    expected = [below, above, same, same, below, above, same, below, above, same, np.zeros_like(same), np.ones_like(same)]
    for masks in (int(mask), chosen):
        for k, (result, right) in enumerate(zip(contract(program, insecure_masks=masks)[0], expected, strict=True)):
            assert np.array_equal(result, right), f"result {k}"


@pytest.mark.parametrize("bits", [1, 4, 13, 16, 17, 28, 46, 60, 61])
@pytest.mark.parametrize("n", [2, 3])
def test_floor_is_exact_at_every_edge(contract, bits, n):
    multiples = (np.arange(-4, 5) << bits) if bits < 60 else np.zeros(1, np.int64)
    around = np.concatenate([signed(VALUES), multiples, multiples + 1, multiples - 1])
    z, masks = at_edges(around.view(np.uint64))

    def program(p):
        return p.reveal(p.floor([(share_input(p, z), bits)]), [0])[0]

    assert np.array_equal(signed(contract(program, n, insecure_masks=masks)[0]), signed(z) >> bits)


def test_floor_of_several_and_of_an_opened_tensor(contract):
    x, y, z = words((5,)), words((2, 3), 1), words((0, 4), 2)

    def program(p):
        x_, y_, z_ = (share_input(p, value) for value in (x, y, z))
        p.open([x_])
        floors = p.floor([(x_, 16), (y_, 20), (p.view(y_, Transpose((1, 0))), 3), (z_, 16)])
        return p.reveal([*floors, *p.floor([(x_, 5)])], [0])

    expected = [signed(x) >> 16, signed(y) >> 20, signed(y).T >> 3, signed(z) >> 16, signed(x) >> 5]
    for result, right in zip(contract(program)[0], expected, strict=True):
        assert np.array_equal(signed(result), right)


# ------------------------------------------------------------------ any value, any shape


@settings(max_examples=60, deadline=None)
@given(data=st.data(), shape=st.sampled_from(SHAPES[:8]), count=st.integers(0, 4), n=st.sampled_from([2, 3, 5]))
def test_any_thresholds_under_any_mask(contract_of, data, shape, count, n):
    t = data.draw(signed_arrays((count, *shape), 61))
    apart = data.draw(signed_arrays(shape, 61)) if data.draw(st.booleans()) else data.draw(signed_arrays(shape, 1))
    x = (t[0] if count else np.zeros(shape, np.uint64)) + apart
    masks = data.draw(ring_arrays((5,)))

    def program(p):
        return p.reveal([p.at_least(share_input(p, x), t)], [0])[0]

    result = contract_of(program, n, insecure_masks=masks)[0]
    with np.errstate(over="ignore"):
        expected = signed(np.asarray(x[None] - t)) >= 0
    within = np.abs(signed(np.asarray(x[None] - t)).astype(object)) < TOP
    assert result.shape == t.shape
    assert np.array_equal(result[within], expected[within])


@settings(max_examples=60, deadline=None)
@given(data=st.data(), shapes=broadcastable_shapes(2), masks=ring_arrays((5,)), n=st.sampled_from([2, 3]))
def test_any_pair_of_shapes_that_broadcast(contract_of, data, shapes, masks, n):
    x, y = (data.draw(signed_arrays(shape, 61)) for shape in shapes)

    def program(p):
        x_, y_ = share_input(p, x), share_input(p, y, 1)
        results = [p.less(x_, y_), p.equal(x_, y_), p.equal(x_, y)]
        p.open([x_, y_])
        return p.reveal([*results, p.less(x_, y_), p.equal(x_, y_), p.equal(y_, x)], [0])

    expected = [signed(x) < signed(y), x == y, x == y] * 2
    for result, right in zip(contract_of(program, n, insecure_masks=masks)[0], expected, strict=True):
        assert result.shape == np.shape(right)
        assert np.array_equal(result, right)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_shape_by_kernels_and_without(contract, monkeypatch, shape):
    """The same run, compiled and by NumPy: right, and the same messages."""
    x, y = words(shape, 3, 61), words(shape, 4, 61)
    y = np.where(np.arange(y.size).reshape(shape) % 3 == 0, x, y)
    t = np.stack([x, y, x + np.uint64(1)])

    def program(p):
        x_, y_ = share_input(p, x), share_input(p, y, 1)
        results = [p.at_least(x_, t), p.less(x_, y_), p.equal(x_, y_), p.equal(x_, y), *p.floor([(y_, 16)])]
        return p.reveal([*results, p.all(results[0])], [0])

    sent = []
    for small in (505, 1 << 62):
        monkeypatch.setattr(digits, "SMALL", small)
        simulation = contract(program, full=True, record=True, seed=8)
        above, below, same, also, floor, everywhere = simulation.results[0]
        assert np.array_equal(above, signed(x) >= signed(t))
        assert np.array_equal(below, signed(x) < signed(y))
        assert np.array_equal(same, x == y) and np.array_equal(also, same)
        assert np.array_equal(signed(floor), signed(y) >> 16)
        assert np.array_equal(everywhere, above.all(axis=0))
        sent.append([array.tobytes() for transcript in simulation.transcripts for m in transcript.messages for array in m.arrays])
    assert sent[0] == sent[1]


@pytest.mark.parametrize("n", [2, 3])
def test_views_of_opened_tensors_are_compared_under_the_mask_of_their_base(contract, n):
    x, t = words((6, 40), 5, 61), words((3, 6), 6, 61)
    views = [Transpose((1, 0)), Index((slice(None, None, -2), np.array([3, 3, 0]))), BroadcastTo((2, 6, 40)), Index((2,))]

    def program(p):
        x_ = share_input(p, x)
        p.open([x_])
        with p.endpoint.meter.measure() as cost:
            seen = [p.view(x_, view) for view in views]
            results = [p.at_least(v, np.zeros((1, *v.shape), np.uint64)) for v in seen]
            results += [p.equal(v, view(x)) for v, view in zip(seen, views, strict=True)]
            results += [p.less(seen[3], p.view(x_, Index((5,)))), p.at_least(p.view(x_, Index((slice(None), 1))), t)]
        return (cost.rounds, cost.bytes_sent), p.reveal(results, [0])

    sent, results = contract(program, n)[0]
    rows = [row_bytes(view(x).size) for view in views]
    only_bits = sum(34 * row + 20 * row for row in rows) + 34 * row_bytes(40) + 34 * 3 * row_bytes(6)
    assert sent == (2 * 10, (n - 1) * only_bits)
    for k, view in enumerate(views):
        assert np.array_equal(results[k][0], signed(view(x)) >= 0)
        assert results[4 + k].all()
    assert np.array_equal(results[8], signed(x[2]) < signed(x[5]))
    assert np.array_equal(results[9], signed(x[:, 1]) >= signed(t))


def test_other_tensors_open_in_the_same_round(contract):
    x, y = words((40,), 7, 61), words((9,), 8, 61)

    def program(p):
        x_, y_ = share_input(p, x), share_input(p, y)
        with p.endpoint.meter.measure() as cost:
            above = p.at_least(x_, np.zeros((1, 40), np.uint64), opening=[y_, x_])
        with p.endpoint.meter.measure() as later:
            p.open([x_, y_])
            below = p.at_least(y_, np.zeros((1, 9), np.uint64))
        return (cost.rounds, cost.bytes_sent), (later.rounds, later.bytes_sent), p.reveal([above, below], [0, 1])

    for first, later, (above, below) in contract(program):
        assert first == (3, 8 * 49 + 34 * 5)
        assert later == (2, 34 * 2)
        assert np.array_equal(above[0], signed(x) >= 0)
        assert np.array_equal(below[0], signed(y) >= 0)


def test_a_difference_at_the_limit_is_right_and_one_beyond_is_not(contract):
    """The documented range is the true one."""
    z = np.array([TOP - 1, 1 - TOP, TOP, -TOP - 1]).view(np.uint64)

    def program(p):
        return p.reveal([p.at_least(share_input(p, z), np.zeros((1, 4), np.uint64))], [0])[0]

    assert contract(program)[0][0].tolist() == [True, False, False, True]


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 15, 16, 17, 64, 65])
def test_all_of_any_number_of_bits(contract, count, n):
    random = np.random.default_rng(count)
    for shape in ((), (1,), (9,), (5, 0), (600,)):
        b = random.random((count, *shape)) < 0.5 ** (1 / max(1, count))

        def program(p, b=b):
            return p.reveal([p.all(share_input(p, b))], [0])[0]

        assert np.array_equal(contract(program, n)[0], b.all(axis=0))
