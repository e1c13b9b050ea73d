"""Lookup by secret index, one-hot words, search among public edges, histograms and interpolation against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import mpc
from mpc import functions
from mpc.errors import AxisError, OptionError, RangeError, ShapeError, UsageError
from mpc.functions import take
from mpc.tensor import lookup
from mpc.testing import RING_EDGES, simulate

PROTOCOLS = [("plaintext", 1), ("additive", 2), ("additive", 3), ("additive", 5)]
MANY = settings(max_examples=25, deadline=None)
UNIT = 2.0**-16
FIXED = st.one_of(
    st.sampled_from([0.0, UNIT, -UNIT, 1.0, 1.0 - UNIT, 1.0 + UNIT, 2.0**30 - UNIT, UNIT - 2.0**30]),
    st.integers(-(1 << 46) + 1, (1 << 46) - 1).map(lambda k: k * UNIT),
)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=4)


def run(functions, *inputs, protocol="additive", parties=2, **options):
    """Each function of the secrets, revealed."""

    def program(party):
        secrets = [party.input(x if party.index == 0 else None, 0) for x in inputs]
        return party.reveal(*(function(*secrets) for function in functions))

    return simulate(program, parties=parties, protocol=protocol, **options).results[0]


def check(functions, *inputs, expected=None, error=0.0, **options):
    """Every result is that of the same function of the arrays, or of those in `expected`."""
    for number, (function, result) in enumerate(zip(expected or functions, run(functions, *inputs, **options), strict=True)):
        wanted = np.asarray(function(*inputs))
        assert (np.shape(result), np.asarray(result).dtype) == (wanted.shape, wanted.dtype), (number, inputs)
        assert np.all(np.abs(result - wanted) <= error), (number, inputs)


# ---------------------------------------------------------------------------------------- by index


@pytest.mark.parametrize(("protocol", "parties"), PROTOCOLS[:2])
def test_choose(protocol, parties, cost):
    i, row, column = np.array([[0, 2, 1], [1, 1, 0]]), np.array([1.5, 2, -3]), np.array([[7], [8]])
    functions = [
        lambda i, row, column: np.choose(i, [10, 20, 30]),
        lambda i, row, column: np.choose(i, [row, column, 4.5]),
        lambda i, row, column: np.choose(i, (ROW, COLUMN, 4.5)),
        lambda i, row, column: np.choose(PLACES, [row, column, 4]),
        lambda i, row, column: np.choose(i[0], [column, column, row]),
        lambda i, row, column: np.choose(i[:0], [1, 2, 3]),
        lambda i, row, column: np.choose(i[0, 1], [1, 2, row]),
    ]
    check(functions, i, row, column, protocol=protocol, parties=parties)
    assert cost(lambda t: np.choose(t, [1.5, 2, 3]), i) == (1, 8 * i.size)


PLACES, ROW, COLUMN = np.array([2, 0, 1]), np.array([1.5, 2, -3]), np.array([[7], [8]])


@st.composite
def tables(draw):
    """A table, an axis of it, and indices into that."""
    table = draw(
        hnp.arrays(np.int64, hnp.array_shapes(min_dims=1, max_dims=3, max_side=5), elements=st.integers(-(2**40), 2**40))
    )
    if draw(st.booleans()):
        table = table * UNIT
    axis = draw(st.one_of(st.none(), st.integers(-table.ndim, table.ndim - 1)))
    n = table.size if axis is None else table.shape[axis]
    return table, axis, draw(hnp.arrays(np.int64, SHAPES, elements=st.integers(0, n - 1)))


@MANY
@given(tables())
def test_take(case):
    table, axis, indices = case
    functions = [lambda t, i: np.take(t, i, axis), lambda t, i: lookup.take(table, i, axis), lambda t, i: t.take(i, axis)]
    expected = [lambda t, i: np.take(table, i, axis)] * 3
    if axis in (0, -table.ndim):
        functions.append(lambda t, i: t[i])
        expected.append(lambda t, i: table[i])
    for protocol, parties in PROTOCOLS[:2]:
        check(functions, table, indices, expected=expected, protocol=protocol, parties=parties)


@MANY
@given(st.data())
def test_take_along_an_axis(data):
    table = data.draw(hnp.arrays(np.int64, hnp.array_shapes(min_dims=1, max_dims=3, max_side=4), elements=st.integers(-99, 99)))
    axis = data.draw(st.integers(-table.ndim, table.ndim - 1))
    shape = list(table.shape)
    shape[axis] = data.draw(st.integers(0, 3))
    indices = data.draw(hnp.arrays(np.int64, shape, elements=st.integers(0, table.shape[axis] - 1)))
    functions = [
        lambda t, i: np.take_along_axis(t, i, axis),
        lambda t, i: np.take_along_axis(table, i, axis),
        lambda t, i: np.take_along_axis(t, indices, axis),
        lambda t, i: np.take_along_axis(t, i.ravel(), None),
    ]
    check(functions, table, indices)


@pytest.mark.parametrize(("protocol", "parties"), PROTOCOLS)
def test_one_hot(protocol, parties):
    x = np.array([[0, 4, 2], [1, 1, 3]])
    functions = [lambda t: lookup.one_hot(t, 5), lambda t: lookup.one_hot(t, 8), lambda t: lookup.one_hot(t[:, 0], 2)]
    expected = [lambda t: np.eye(5, dtype=int)[t], lambda t: np.eye(8, dtype=int)[t], lambda t: np.eye(2, dtype=int)[t[:, 0]]]
    check(functions, x, expected=expected, protocol=protocol, parties=parties)
    check([lambda t: lookup.one_hot(t * 0, 1)], x, expected=[lambda t: np.ones((2, 3, 1), int)], protocol=protocol)


@pytest.mark.parametrize("mask", RING_EDGES)
def test_whatever_the_mask(mask):
    table, indices = np.arange(12).reshape(6, 2) - 2.5, np.array([0, 5, 3, 3])
    check([lambda t, i: np.take(t, i, 0), lambda t, i: np.bincount(i, minlength=6)], table, indices, insecure_masks=mask)


def test_an_index_out_of_range_gives_zeros_or_an_entry():
    """Modulo 8, the power of two from 5 on."""
    x = np.array([5, 7, -1, 8, 12, -8])
    (hot,) = run([lambda t: lookup.one_hot(t, 5)], x)
    assert np.array_equal(hot, np.eye(8, dtype=int)[x % 8][:, :5])
    for function in (lambda t: lookup.one_hot(t, 5), lambda t: lookup.take(np.arange(5), t)):
        with pytest.raises(RangeError, match=r"operation '(one_hot|take)'"):
            run([function], x, protocol="plaintext", parties=1)


# ---------------------------------------------------------------------------------------- edges

EDGES = st.lists(st.one_of(FIXED, st.floats(allow_nan=False), st.sampled_from([0.3, -0.1])), max_size=6).map(np.array)


@MANY
@given(x=hnp.arrays(np.float64, SHAPES, elements=FIXED), edges=EDGES, side=st.sampled_from(["left", "right"]))
def test_searchsorted(x, edges, side):
    """Edges may be any numbers, infinite ones and elements of x among them."""
    ordered = np.sort(np.concatenate([edges, x.ravel()[:2]]))
    turn = np.argsort(-ordered, kind="stable")
    functions = [
        lambda t: np.searchsorted(ordered, t, side),
        lambda t: np.searchsorted(ordered[turn], t, side=side, sorter=np.argsort(ordered[turn], kind="stable")),
        lambda t: np.digitize(t, ordered, right=side == "left"),
        lambda t: np.digitize(t, ordered[::-1], right=side == "left"),
    ]
    for protocol, parties in PROTOCOLS[:2]:
        check(functions, x, protocol=protocol, parties=parties)


@MANY
@given(
    x=hnp.arrays(np.int64, SHAPES, elements=st.integers(-4, 4)),
    edges=st.lists(st.sampled_from([-4.5, -3.0, -0.5, 0.0, 1.0, 3.9, 4.0]), min_size=2, max_size=6).map(sorted),
    kind=st.sampled_from([np.int64, np.float64]),
)
def test_histograms(x, edges, kind):
    x = x.astype(kind)
    weights = np.arange(x.size).reshape(x.shape) * (1 if kind is np.int64 else 0.25)
    functions = [
        lambda t, w: np.histogram(t, edges)[0],
        lambda t, w: np.histogram(t, bins=3, range=(-2.5, 4))[0],
        lambda t, w: np.histogram(t, bins=edges, weights=w)[0],
        lambda t, w: np.histogram(t, bins=edges, weights=weights)[0],
    ]
    for protocol, parties in PROTOCOLS[:2]:
        check(functions, x, weights, protocol=protocol, parties=parties)


def test_a_histogram_comes_with_its_public_edges():
    def program(party):
        x = party.input(np.zeros(3) if party.index == 0 else None, 0)
        counts, edges = np.histogram(x, bins=4, range=(-1, 1))
        return counts.reveal().tolist(), edges

    for counts, edges in mpc.simulate(program, parties=2):
        assert counts == [0, 0, 3, 0]
        assert np.array_equal(edges, np.linspace(-1, 1, 5))


@pytest.mark.parametrize(("protocol", "parties"), PROTOCOLS)
def test_counts(protocol, parties):
    x, w = np.array([0, 3, 3, 1, 0, 3]), np.array([1.5, -2.0, 0.25, 8.0, 0.0, 1.0])
    functions = [
        lambda t, v: np.bincount(t, minlength=4),
        lambda t, v: np.bincount(t, minlength=9),
        lambda t, v: np.bincount(t, v, 5),
        lambda t, v: np.bincount(t, weights=w, minlength=5),
        lambda t, v: np.bincount(t, weights=t, minlength=5),
        lambda t, v: np.bincount(t[:0], minlength=2),
        lambda t, v: np.digitize(t, [1, 2, 3]),
        lambda t, v: np.digitize(v, [-np.inf, -(2.0**50), 0, 2.0**50, np.inf]),
        lambda t, v: np.searchsorted([-(2**62), 0, 2**62], t, "left"),
        lambda t, v: np.histogram(v, [-2, 0, 8], weights=t)[0],
    ]
    check(functions, x, w, protocol=protocol, parties=parties)


# ---------------------------------------------------------------------------------------- interpolation


@MANY
@given(
    x=hnp.arrays(np.float64, SHAPES, elements=st.one_of(FIXED, st.integers(-(1 << 19), 1 << 19).map(lambda k: k * UNIT))),
    xp=st.lists(st.integers(-(1 << 19), 1 << 19), min_size=1, max_size=6, unique=True).map(lambda k: np.sort(k) * UNIT),
    data=st.data(),
)
def test_interp(x, xp, data):
    fp = data.draw(hnp.arrays(np.float64, len(xp), elements=st.integers(-(1 << 22), 1 << 22).map(lambda k: k * UNIT)))
    left, right = (data.draw(st.one_of(st.none(), st.integers(-9, 9))) for _ in range(2))
    x.ravel()[: len(xp)] = xp[: x.size]
    functions = [lambda t: np.interp(t, xp, fp), lambda t: np.interp(t, xp, fp, left, right)]
    for protocol, parties in PROTOCOLS[:2]:
        check(functions, x, protocol=protocol, parties=parties, error=2 * UNIT)


def test_interp_at_the_ends_of_its_range():
    x, top = np.array([-(2.0**29), -1.5, 0.25, 2.0**29]), 2.0**42
    steep = lambda t: np.interp(t, [0, 1], [-top, top])  # noqa: E731
    flat = lambda t: np.interp(t, [-top, 0, 1, top], [2, 2, 3, 3], left=-top, right=top)  # noqa: E731
    check([steep, flat], x, error=4 * UNIT)


def test_take_by_public_indices():
    check([lambda t: take(t, [2, 0]), lambda t: take(t, [1], axis=0)], TABLE, expected=[lambda t: t[[2, 0]], lambda t: t[[1]]])
    with pytest.raises(UsageError, match="take: needs a secret tensor"):
        take(TABLE, [1])


@pytest.mark.parametrize("name", functions.__all__)
def test_functions_need_a_secret(name):
    others = {"top_k": [2], "one_hot": [2], "take": [[0]]}.get(name, [])
    wanted = "expit" if name == "sigmoid" else name
    for public in (1.0, [1.0, 2.0], np.ones(3)):
        with pytest.raises(UsageError, match=f"^{wanted}: needs a secret tensor, not {type(public).__name__}"):
            getattr(functions, name)(public, *others)


def test_interp_of_others():
    xp, fp = [-1000.3, 0.7, 0.71, 2.0**20], [1.1, -(2.0**13), 2.0**13, 0.0]
    x = np.concatenate([np.linspace(-1200, 900, 500), np.linspace(0.69, 0.72, 500)])
    rounded = [np.round(np.array(v) * 2**16) / 2**16 for v in (xp, fp)]
    encoded = np.round(x * 2**16) / 2**16
    (result,) = run([lambda t: np.interp(t, xp, fp)], x)
    assert np.abs(result - np.interp(encoded, *rounded)).max() < 2 * UNIT
    check([lambda i: np.interp(i, [0, 3], [4, 8.5]), lambda i: np.interp(i * 0.5, [1], [4], left=2)], np.arange(5))
    x = np.array([0.5, -0.5, 3.0])
    check([lambda t: np.interp(t * t, [0, 4], [0, 1], right=3)], x, error=UNIT)


# ---------------------------------------------------------------------------------------- cost

K = 64
TABLE = np.arange(10.0)


@pytest.mark.parametrize(
    ("function", "rounds", "nbytes"),
    [
        (lambda x, i, t: lookup.one_hot(i, 10), 1, 8 * K),
        (lambda x, i, t: lookup.take(TABLE, i), 1, 8 * K),
        (lambda x, i, t: np.take(t, i), 2, 8 * K + 80 * K + 80),
        (lambda x, i, t: np.take_along_axis(t, i, 0), 2, 8 * K + 80 * K + 80),
        (lambda x, i, t: np.searchsorted(TABLE, x), 4, (8 + 43.75) * K),
        (lambda x, i, t: np.digitize(x, [0, 1]), 4, (8 + 8.75) * K),
        (lambda x, i, t: np.histogram(x, TABLE)[0], 4, (8 + 43.75) * K),
        (lambda x, i, t: np.histogram(x, TABLE, weights=TABLE[0] + np.arange(K))[0], 4, (8 + 43.75) * K),
        (lambda x, i, t: np.histogram(x, TABLE, weights=i)[0], 4, (16 + 43.75) * K),
        (lambda x, i, t: np.bincount(i, minlength=10), 1, 8 * K),
        (lambda x, i, t: np.bincount(i, minlength=10, weights=x), 2, 16 * K + 80 * K),
        (lambda x, i, t: np.interp(x, TABLE, TABLE), 5, (24 + 43.75) * K),
        (lambda x, i, t: np.interp(x, TABLE, TABLE, right=0), 5, (24 + 48.125) * K),
        (lambda x, i, t: np.interp(x * x, TABLE, TABLE), 6, (32 + 43.75) * K),
    ],
)
def test_rounds_and_bytes(function, rounds, nbytes):
    def program(party):
        inputs = [party.input(v if party.index == 0 else None, 0) for v in (np.linspace(-1, 9, K), np.arange(K) % 10, TABLE)]
        with party.measure() as measured:
            function(*inputs)
        return measured.rounds, measured.bytes_sent

    assert mpc.simulate(program, parties=2) == [(rounds, nbytes)] * 2


# ---------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        (lambda x, i: np.take(x, i, axis=3), AxisError, "axis 3"),
        (lambda x, i: np.take(x, i, mode="clip"), UsageError, "mode='clip'"),
        (lambda x, i: np.take(x, x), UsageError, "astype"),
        (lambda x, i: np.take(x > 0, i), UsageError, "booleans"),
        (lambda x, i: x[x > 0], UsageError, "public"),
        (lambda x, i: x[x], UsageError, "indexing: indices must be integers"),
        (lambda x, i: x[None][0, i], UsageError, "cannot be combined"),
        (lambda x, i: x[0][i], IndexError, "too many indices"),
        (lambda x, i: np.take(x[:0], i), RangeError, "no entries"),
        (lambda x, i: np.take_along_axis(x[None], i, 0), UsageError, "indices of 1 axes"),
        (lambda x, i: lookup.one_hot(i, 0), OptionError, "size=0"),
        (lambda x, i: np.searchsorted(x, i), UsageError, "public sorted edges"),
        (lambda x, i: np.searchsorted(x, [1.0]), UsageError, "public sorted edges"),
        (lambda x, i: np.searchsorted([1, 0], x), RangeError, "ascending"),
        (lambda x, i: np.searchsorted([0, np.nan], x), RangeError, "ascending"),
        (lambda x, i: np.searchsorted([[0]], x), ShapeError, "one axis"),
        (lambda x, i: np.searchsorted([0], x, "top"), OptionError, "side='top'"),
        (lambda x, i: np.digitize(x, [0, 2, 1]), RangeError, "digitize"),
        (lambda x, i: np.histogram(x), UsageError, "range"),
        (lambda x, i: np.histogram(x, bins="auto"), UsageError, "range"),
        (lambda x, i: np.choose(i, [1.0]), RangeError, "'choose': an index is outside of 0 to 0"),
        (lambda x, i: np.choose(i, [1, 2], mode="wrap"), UsageError, "np.choose: mode='wrap'"),
        (lambda x, i: np.choose(i, [True, False]), UsageError, "np.choose: .*booleans"),
        (lambda x, i: np.choose(i, [[1, 2, 3], 5]), ShapeError, "broadcast"),
        (lambda x, i: np.choose(x, [1, 2]), UsageError, "integers"),
        (lambda x, i: np.histogram(x, [1, 0]), ShapeError, "histogram"),
        (lambda x, i: np.histogram(x, [0, 1], weights=[1.0]), ShapeError, "weights"),
        (lambda x, i: np.bincount(i), UsageError, "minlength"),
        (lambda x, i: np.bincount(i, weights=[1.0], minlength=2), ShapeError, "bincount"),
        (lambda x, i: np.bincount(i[None], minlength=2), ShapeError, "one axis"),
        (lambda x, i: np.bincount(x, minlength=2), UsageError, "integers"),
        (lambda x, i: np.interp(x, [0, 0], [1, 2]), RangeError, "increase"),
        (lambda x, i: np.interp(x, [0, np.inf], [1, 2]), RangeError, "'interp', xp.*finite"),
        (lambda x, i: np.interp(x, [0, 1e30], [1, 2]), RangeError, r"'interp', xp.*2\^43"),
        (lambda x, i: np.interp(x, [0, 1], [1, np.nan]), RangeError, "'interp', fp.*NaN"),
        (lambda x, i: np.interp(x, [0, 1], [1, 1e30]), RangeError, r"'interp', fp.*2\^43"),
        (lambda x, i: np.interp(x, [0, 1], [1, 2], left=np.nan), RangeError, "'interp', left or right.*NaN"),
        (lambda x, i: np.interp(x, [0, 1], [1, 2], right=-1e30), RangeError, r"'interp', left or right.*2\^43"),
        (lambda x, i: np.interp(x, [0, 1], [1, 2], right=[1, 2]), ShapeError, "interp: left and right"),
        (lambda x, i: np.interp(x, [0, 2.0**40], [0, 1]), RangeError, r"'interp'.*slope.*2\^32"),
        (lambda x, i: take(np.ones(1), i), RangeError, "'take': an index is outside of 0 to 0, the places of 1"),
        (lambda x, i: np.ones(2)[i], UsageError, "no array.*mpc.functions.take"),
        (lambda x, i: [1, 2][i[0]], UsageError, "control flow.*mpc.functions.take"),
        (lambda x, i: np.take(np.ones(2), i), UsageError, "no array.*mpc.functions.take"),
        (lambda x, i: np.interp(x, [0, 1], [1]), ShapeError, "one length"),
        (lambda x, i: np.interp(x, [0, 1], x), UsageError, "public"),
        (lambda x, i: np.interp(x, [0, 1], [0, 1], period=3), UsageError, "period"),
    ],
)
def test_refused(function, error, words):
    with pytest.raises(error, match=words):
        run([function], np.array([0.5, 1.5]), np.array([0, 1]), protocol="plaintext", parties=1)
