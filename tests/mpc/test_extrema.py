"""max, min, argmax, argmin and ptp over every axis against NumPy, and their costs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import mpc
from mpc.errors import RangeError, ShapeError, UsageError
from mpc.tensor import extrema
from mpc.testing import RING_EDGES, simulate

PROTOCOLS = [("plaintext", 1), ("additive", 2), ("additive", 3)]
ULP = 2.0**-16

A = (np.arange(60).reshape(3, 10, 2) * 17) % 7 / 2 - 1
K = (np.arange(52).reshape(4, 13) * 11) % 5 - 2
G = (np.arange(24).reshape(4, 6) * 5) % 7 < 3
S = np.array(-3)
ARRAYS = {"a": A, "k": K, "g": G, "s": S}

EXPRESSIONS = """
np.max(a)
np.max(a, axis=1)
np.max(a, (0, 2), keepdims=True)
np.max(a, axis=())
np.max(k, -1)
np.max(g, 0)
np.max(s)
np.amax(k, 0)
np.min(a)
np.min(a, axis=(1, 2))
np.min(g, axis=1, keepdims=True)
np.amin(k)
np.argmax(a)
np.argmax(a, axis=1)
np.argmax(k, 1, keepdims=True)
np.argmax(g, 0)
np.argmax(s)
np.argmin(a, keepdims=True)
np.argmin(a, 0)
np.argmin(k, axis=-1)
np.argmin(g, 1)
np.max(a, initial=3)
np.max(a, axis=1, initial=0.5, keepdims=True)
np.max(k, 0, initial=-5)
np.max(a[:, :0], initial=2)
np.max(a[:, :0], 1, initial=-2.5)
np.min(k, axis=1, initial=-1)
np.min(k, initial=0.5)
a.max(2, initial=1)
k[:0].min(0, initial=7)
np.ptp(a)
np.ptp(a, axis=(0, 1))
np.ptp(k, 0, keepdims=True)
a.max()
a.max(1)
a.min(axis=0)
a.argmax(2)
a.argmin()
k.max(axis=1, keepdims=True)
(a * a).max(1)
(a * a).argmin(1)
a[:, :1].max(1)
a[:, :1].argmax(1)
a[:0].max(1)
a[:0].argmax(1)
k[:, :2].max(1)
k[:, :3].argmax(1)
k[:, :5].argmin(1)
(k - k).argmax(1)
(k == 1).argmax(1)
np.max(a.T[0])
np.maximum(a.max(0), 0).argmax()
""".strip().splitlines()


def same(result, expected, tolerance=0.0):
    return (
        np.shape(result) == np.shape(expected)
        and np.asarray(result).dtype == np.asarray(expected).dtype
        and np.allclose(result, expected, rtol=0, atol=tolerance)
    )


@pytest.mark.parametrize(("protocol", "parties"), PROTOCOLS)
def test_every_expression_is_what_numpy_makes_of_it(protocol, parties):
    def program(party):
        secrets = {k: party.input(v if party.index == 0 else None, 0) for k, v in ARRAYS.items()}
        return party.reveal(*(eval(e, {"np": np, **secrets}) for e in EXPRESSIONS))

    for results in mpc.simulate(program, parties=parties, protocol=protocol):
        for expression, result in zip(EXPRESSIONS, results, strict=True):
            assert same(result, eval(expression, {"np": np, **ARRAYS}), ULP if "* a" in expression else 0), expression


VALUES = st.one_of(st.integers(-2, 2), st.sampled_from([(1 << 44) - 1, 1 - (1 << 44)]), st.integers(1 - (1 << 44), (1 << 44) - 1))


@st.composite
def reductions(draw):
    """Floats with many ties and neighbours, an axis (or None), and whether it stays."""
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6))
    x = draw(hnp.arrays(np.int64, shape, elements=VALUES)) * ULP
    return x, draw(st.none() | st.integers(-x.ndim, x.ndim - 1) if x.ndim else st.none()), draw(st.booleans())


def reduced(x, axis, keepdims):
    """The reductions that NumPy allows, or the name of what it raises."""
    results = []
    for function in (np.max, np.min, np.argmax, np.argmin, np.ptp):
        try:
            results.append(function(x, axis=axis, keepdims=keepdims))
        except ValueError as error:
            assert isinstance(x, np.ndarray) or isinstance(error, ShapeError)
            results.append("ValueError")
    return results


@pytest.mark.parametrize(("protocol", "parties"), [("plaintext", 1), ("additive", 2), ("additive", 5)])
@settings(max_examples=12, deadline=None)
@given(reductions())
def test_any_shape_and_axis(protocol, parties, case):
    x, axis, keepdims = case

    def program(party):
        results = reduced(party.input(x if party.index == parties - 1 else None, parties - 1), axis, keepdims)
        return [r.reveal() if isinstance(r, mpc.Tensor) else r for r in results]

    expected = reduced(x, axis, keepdims)
    for results in mpc.simulate(program, parties=parties, protocol=protocol):
        for result, e in zip(results, expected, strict=True):
            assert result == e == "ValueError" if isinstance(e, str) else same(result, e)


@pytest.fixture(params=[0, 16], ids=["by fours", "all at once"])
def way(request, monkeypatch):
    """Both ways to play: by fours, and all at once."""
    monkeypatch.setattr(extrema, "_ALL", request.param)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 17, 20, 21, 33, 64, 65])
def test_every_place_and_every_tie(n):
    """The maximum at every place alone, at every pair of places, and everywhere."""
    rows = [np.arange(n) == k for k in range(n)] + [np.isin(np.arange(n), [k, (3 * k + 1) % n]) for k in range(n)]
    x = np.array([*rows, np.zeros(n), np.ones(n)], dtype=np.int64)

    def program(party):
        t = party.input(x if party.index == 0 else None, 0)
        return party.reveal(t.max(1), t.argmax(1), t.min(1), (-t).argmin(1))

    expected = [x.max(1), x.argmax(1), x.min(1), x.argmax(1)]
    for protocol, parties in PROTOCOLS[:2]:
        for results in mpc.simulate(program, parties=parties, protocol=protocol):
            for result, e in zip(results, expected, strict=True):
                assert np.array_equal(result, e)


@pytest.mark.parametrize("mask", RING_EDGES)
def test_whatever_the_mask(mask):
    x = np.array([[0, ULP, -ULP, 2.0**29, -(2.0**29)], [1, 1, 1, 1, 1 - ULP]])

    def program(party):
        t = party.input(x if party.index == 0 else None, 0)
        return party.reveal(t.max(1), t.argmin(1), (t / 2).max(1))

    for largest, place, product in simulate(program, insecure_masks=mask).results:
        assert np.array_equal(largest, x.max(1))
        assert np.array_equal(place, x.argmin(1))
        assert np.max(np.abs(product - x.max(1) / 2)) < ULP


# ---------------------------------------------------------------------------------------- costs

# rounds by the number of elements, for max and argmax
ROUNDS = {1: (0, 0), 2: (4, 4), 3: (5, 5), 4: (5, 5), 5: (5, 5), 10: (6, 6), 16: (6, 6), 17: (10, 10), 64: (11, 11)}


@pytest.mark.parametrize("n", ROUNDS)
def test_rounds(n, cost_of):
    assert tuple(cost_of(f"t.{name}(1)", n)[0] for name in ("max", "argmax")) == ROUNDS[n]


def test_many_candidates_play_by_fours(monkeypatch, cost_of):
    """Groups of 4, 3 and 3, and then one of 3: more rounds than all at once, and fewer bytes."""
    monkeypatch.setattr(extrema, "_ALL", 0)
    size = 10 * 8 + 12 * 4.25 + 10 * 3 / 8 + 10 / 8 + 3 * 8 + 3 * 4.25 + 3 * 2 / 8 + 3 / 8
    assert cost_of("t.max(1)", 10) == (10, pytest.approx(size))
    assert tuple(cost_of(f"t.{name}(1)", 64)[0] for name in ("max", "argmax")) == (15, 15)


@pytest.mark.parametrize(
    ("expression", "n", "rounds", "size"),
    [
        # A group of 4: 4 elements opened, 6 comparisons, 4 conjunctions of 3, 4 selections.
        ("t.max(1)", 4, 5, 4 * 8 + 6 * 4.25 + 4 * 3 / 8 + 4 / 8),
        ("t.argmax(1)", 4, 5, 4 * 8 + 6 * 4.25 + 4 * 3 / 8 + 4 / 8),
        ("o.max(1)", 4, 4, 6 * 4.25 + 4 * 3 / 8 + 4 / 8),
        ("(o * o).max(1)", 4, 5, 4 * 8 + 6 * 4.25 + 4 * 3 / 8 + 4 / 8),  # its truncation is included
        # 10 at once: 45 comparisons of 16 rows in 96 bytes a bit plane, conjunctions of 9 as 3 x 3 and 3.
        ("t.max(1)", 10, 6, 10 * 8 + 34 * 96 / 16 + 9 * 10 / 8 + 3 * 10 / 8 + 10 / 8),
        ("np.ptp(t, 1)", 4, 5, 2 * (4 * 8 + 6 * 4.25 + 4 * 3 / 8 + 4 / 8)),
        ("(t > 0).max(1)", 4, 4, 4 * 12.25 + 4 / 8),
    ],
)
def test_costs(expression, n, rounds, size, cost_of):
    assert cost_of(expression, n) == (rounds, pytest.approx(size))


@pytest.fixture
def cost_of(cost):
    """(rounds, bytes sent a row) of an expression with t, and o, which is open."""

    def of(expression, n, rows=16):
        x = np.arange(rows * n).reshape(rows, n) % 7 / 2.0
        rounds, sent = cost(
            lambda t, o: eval(expression, {"np": np, "t": t, "o": o}), x, x, prepare=lambda t, o: (o * o, (t, o))[1]
        )
        return rounds, sent / rows

    return of


# ---------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("expression", "error", "message"),
    [
        ("a[:, :0].max()", ShapeError, "max: zero-size"),
        ("a[:, :0].min(1)", ShapeError, "min: zero-size"),
        ("a[:, :0].argmax(1)", ShapeError, "argmax: .*empty"),
        ("a.max(3)", np.exceptions.AxisError, "max: "),
        ("a.argmin(-4)", np.exceptions.AxisError, "argmin: "),
        ("a.max((0, 0))", ShapeError, "max: "),
        ("np.max(a, initial=[3])", ShapeError, "max: initial= must be one number"),
        ("np.argmax(a, out=A)", UsageError, "np.argmax: out="),
        ("np.ptp(g)", UsageError, "ptp: .*booleans"),
        ("np.max(s * [2**61, -2**61])", RangeError, "range"),
    ],
)
def test_errors_name_the_operation(expression, error, message):
    def program(party):
        return eval(expression, {"np": np, "A": A, **{k: party.input(v, 0) for k, v in ARRAYS.items()}})

    with pytest.raises(error, match=message) as raised:
        mpc.simulate(program, parties=1, protocol="plaintext")
    assert isinstance(raised.value, mpc.Error)
