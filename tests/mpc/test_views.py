"""Views: a chain of them stays short, and does what the single views do one after the other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import mpc
from mpc.contract import BroadcastTo, Index, Reshape, Transpose, chain


@st.composite
def a_view(draw, shape):
    """Some view of an array of that shape."""
    kinds = ["reshape", "transpose", "index", "broadcast"] + (["rows", "rows"] if shape and shape[0] else [])
    kind = draw(st.sampled_from(kinds))
    if kind == "reshape":
        return Reshape(tuple(draw(st.permutations(shape))))
    if kind == "transpose":
        return Transpose(tuple(draw(st.permutations(range(len(shape))))))
    if kind == "broadcast":
        return BroadcastTo((draw(st.integers(1, 2)), *shape) if len(shape) < 4 else shape)
    if kind == "rows":
        if draw(st.booleans()):
            return Index((np.array(draw(st.lists(st.booleans(), min_size=shape[0], max_size=shape[0]))),))
        return Index((np.array(draw(st.lists(st.integers(-shape[0], shape[0] - 1), max_size=4)), np.int64),))
    key = draw(hnp.basic_indices(shape, allow_newaxis=False, allow_ellipsis=False))
    return Index(key if isinstance(key, tuple) else (key,))


@given(st.data())
def test_a_chain_is_its_views_in_turn(data):
    array = np.arange(24).reshape(data.draw(st.sampled_from([(24,), (4, 6), (2, 3, 4)])))
    expected, views = array, ()
    for _ in range(data.draw(st.integers(1, 12))):
        if expected.size > 500:
            break
        view = data.draw(a_view(expected.shape))
        expected, views = view(expected), chain(views, view, array.shape)
        got = array
        for step in views:
            got = step(got)
        np.testing.assert_array_equal(got, expected)
        assert len(views) <= 8


def test_rearranging_an_opened_tensor_again_and_again_costs_no_more_each_time():
    def program(party):
        x = party.input(np.arange(60.0).reshape(20, 3) if party.index == 0 else None, owner=0)
        w = party.input(np.ones((3, 1)) if party.index == 1 else None, owner=1)
        _ = x @ w
        rng, order, costs = np.random.default_rng(0), np.arange(20), []
        for _ in range(12):
            permutation = rng.permutation(20)
            x, order = x[permutation], order[permutation]
            with party.measure() as cost:
                y = x @ w
            costs.append((cost.bytes_sent, cost.header_bytes))
        return costs, y.reveal(), order

    for costs, y, order in mpc.simulate(program):
        assert {sent for sent, _ in costs} == {0}
        assert max(headers for _, headers in costs) <= costs[0][1] + 8  # numbers get longer, nothing else
        np.testing.assert_allclose(y[:, 0], np.arange(60.0).reshape(20, 3).sum(axis=1)[order])
