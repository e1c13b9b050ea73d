"""Bits as words, selection and one-hot words of the additive protocol: exact in the ring, under every mask."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpc.contract import MULTIPLY, BroadcastTo, Index, Transpose
from mpc.testing import RING_EDGES, bits, broadcastable_shapes, masks_that_open, ring_arrays, shapes, share_input, signed_arrays

TOP = 1 << 62
OPENED = np.array(sorted({(m + by) % 2**64 for m in RING_EDGES for by in (0, -TOP)}), np.uint64)
VALUES = np.array([0, 1, -1, 1 << 16, (1 << 16) - 1, -(1 << 16), 1 << 61, TOP - 1, 1 - TOP]).view(np.uint64)
SHAPES = [(), (0,), (1,), (7,), (8,), (3, 5), (2, 0, 3), (505,), (1024,), (33, 40)]


def words(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 2**64, shape, np.uint64)


def booleans(shape, seed=0):
    return np.random.default_rng(seed).random(shape) < 0.5


def at_edges():
    """Every value with every mask that opens it at an edge, and with 0, 2^63 and 2^64 - 1: each beside a 0 and a 1."""
    z, m = (a.ravel() for a in np.meshgrid(VALUES, OPENED))
    w, r = (a.ravel() for a in np.meshgrid(VALUES, np.array([0, 1 << 63, 2**64 - 1], np.uint64)))
    z, masks = np.concatenate([z, w]), np.concatenate([masks_that_open(z, m), r])
    return np.tile(z, 2), np.tile(masks, 2), np.repeat([False, True], z.size)


def chosen(b, x):
    return np.where(b, x, np.uint64(0))


# ------------------------------------------------------------------ selection


@pytest.mark.parametrize("by", [1, 13, 16, 17, 28, 40, 61])
@pytest.mark.parametrize("n", [2, 3, 5])
def test_every_kind_of_operand_at_every_edge(contract, n, by):
    """Fresh, opened, truncated, truncated after an opening, shifted by a public array, and through views."""
    z, masks, b = at_edges()

    def program(p):
        x, fresh, b_ = share_input(p, z), share_input(p, z, n - 1), share_input(p, b)
        (t,) = p.truncate([(x, by)])  # opens x
        (late,) = p.truncate([(x, by)])
        first = p.select([(b_, fresh), (b_, x), (b_, t), (b_, late), (b_, p.add(t, z))])
        turned = [p.view(b_, Index((slice(None, None, -1),))), p.view(t, Index((slice(None, None, -1),)))]
        return p.reveal([t, late, *first, *p.select([turned, (turned[0], p.view(x, Index((slice(None, None, -1),))))])], [0])

    t, late, *results = contract(program, n, insecure_masks=masks)[0]
    expected = [chosen(b, v) for v in (z, z, t, late, t + z)] + [chosen(b, t)[::-1], chosen(b[::-1], z[::-1])]
    for k, (result, right) in enumerate(zip(results, expected, strict=True)):
        assert np.array_equal(result, right), f"result {k}"


@settings(max_examples=60, deadline=None)
@given(data=st.data(), pair=broadcastable_shapes(2), masks=ring_arrays((5,)), n=st.sampled_from([2, 3, 5]))
def test_bits_and_words_of_any_shapes_that_broadcast(contract_of, data, pair, masks, n):
    b, x, z = data.draw(bits(pair[0])), data.draw(ring_arrays(pair[1])), data.draw(signed_arrays(pair[1]))

    def program(p):
        b_, x_ = share_input(p, b), share_input(p, x, 1)
        (t,) = p.truncate([(share_input(p, z), 16)])
        results = [*p.select([(b_, x_), (b_, t), (p.not_(b_), x_), (b_, x)]), *p.select([(b_, x_)])]
        return p.reveal([t, *results], [0])

    t, *results = contract_of(program, n, insecure_masks=masks)[0]
    for result, right in zip(results, (chosen(b, x), chosen(b, t), chosen(~b, x), chosen(b, x), chosen(b, x)), strict=True):
        assert result.shape == right.shape
        assert np.array_equal(result, right)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("n", [2, 3])
def test_selection_and_words_of_every_shape(contract, shape, n):
    b, x = booleans(shape), words(shape)

    def program(p):
        b_, x_ = share_input(p, b), share_input(p, x)
        return p.reveal([p.to_words(b_), *p.select([(b_, x_), (b_, x_)]), p.bilinear(MULTIPLY, p.to_words(b_), x_)], [0])

    as_words, *results = contract(program, n)[0]
    assert np.array_equal(as_words, b.astype(np.uint64)) and as_words.shape == shape
    for result in results:
        assert np.array_equal(result, chosen(b, x)) and result.shape == shape


def test_what_is_broadcast_is_opened_once_and_not_for_each_copy(contract):
    b, x = booleans((600,)), words(())

    def program(p):
        b_, x_ = share_input(p, b), share_input(p, x)
        with p.endpoint.meter.measure() as cost:
            (result,) = p.select([(b_, x_)])
        return cost.rounds, cost.bytes_sent, p.reveal([result], [0, 1])[0]

    for rounds, sent, result in contract(program):
        assert (rounds, sent) == (1, 8 + 75)
        assert np.array_equal(result, chosen(b, x))


def test_many_selections_are_one_round(contract):
    def program(p):
        pairs = [(share_input(p, booleans((k,))), share_input(p, words((k,)))) for k in (3, 9, 0, 64)]
        with p.endpoint.meter.measure() as cost:
            results = p.select([*pairs, (p.view(pairs[1][0], BroadcastTo((2, 9))), pairs[1][1])])
        return cost.rounds, p.reveal(results, [0])

    rounds, results = contract(program)[0]
    assert rounds == 1
    for k, result in zip((3, 9, 0, 64), results, strict=False):
        assert np.array_equal(result, chosen(booleans((k,)), words((k,))))


@pytest.mark.parametrize("by", [8, 16, 20])
@pytest.mark.parametrize("n", [2, 3])
def test_a_relu_from_one_opening(contract, n, by):
    """Truncation, sign and selection of the same mask: exact beside the truncation that it selects."""
    z, masks, _ = at_edges()

    def program(p):
        x = share_input(p, z)
        with p.endpoint.meter.measure() as cost:
            positive = p.view(p.at_least(x, np.zeros((1, *z.shape), np.uint64)), Index((0,)))
            (t,) = p.truncate([(x, by)])
            (relu,) = p.select([(positive, t)])
        return cost.rounds, p.reveal([t, relu], [0])

    rounds, (t, relu) = contract(program, n, insecure_masks=masks)[0]
    assert rounds == 4
    signed = z.view(np.int64)
    assert np.all(np.isin(t.view(np.int64) - (signed >> by), [0, 1]))
    assert np.array_equal(relu, chosen(signed >= 0, t))


# ------------------------------------------------------------------ one-hot words


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8, 16, 17, 100])
@pytest.mark.parametrize("n", [2, 3])
def test_one_hot_words_at_every_edge(contract, size, n):
    z, masks, _ = at_edges()
    z = z + np.arange(z.size, dtype=np.uint64) % np.uint64(128)

    def program(p):
        x = share_input(p, z)
        first = p.one_hot(x, size)
        return p.reveal([first, p.one_hot(p.view(x, Index((slice(None, None, -3),))), size)], [0])

    hot, part = contract(program, n, insecure_masks=masks)[0]
    place = z & np.uint64((1 << (size - 1).bit_length()) - 1)
    expected = (place[:, None] == np.arange(size, dtype=np.uint64)).astype(np.uint64)
    assert np.array_equal(hot, expected)
    assert np.array_equal(part, expected[::-3])


@settings(max_examples=40, deadline=None)
@given(data=st.data(), shape=shapes(), size=st.integers(1, 9), masks=ring_arrays((5,)))
def test_one_hot_words_of_any_shape(contract_of, data, shape, size, masks):
    x = data.draw(st.one_of(ring_arrays(shape), ring_arrays(shape).map(lambda a: a % np.uint64(size))))

    def program(p):
        x_ = share_input(p, x)
        hot = p.one_hot(x_, size)
        return p.reveal([hot, p.view(hot, Transpose((len(shape), *range(len(shape)))))], [0])

    hot, turned = contract_of(program, insecure_masks=masks)[0]
    place = x & np.uint64((1 << (size - 1).bit_length()) - 1)
    assert np.array_equal(hot, (place[..., None] == np.arange(size, dtype=np.uint64)).astype(np.uint64))
    assert hot.shape == (*shape, size)
    assert np.array_equal(turned, np.moveaxis(hot, -1, 0))
