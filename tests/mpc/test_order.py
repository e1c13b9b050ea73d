"""< <= > >= == != of secrets and public numbers against NumPy: exact, whatever is compared, and at what cost."""

import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import mpc
from mpc.errors import RangeError, ShapeError, UsageError
from mpc.testing import RING_EDGES, simulate

COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
UFUNCS = [np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal]
PROTOCOLS = [("plaintext", 1), ("additive", 2), ("additive", 3), ("additive", 5)]
MANY = settings(max_examples=20, deadline=None)
FEW = settings(max_examples=5, deadline=None)
TOP = 1 << 61  # differences stay below 2^62


def check(functions, inputs, protocol="additive", parties=2, **options):
    """Each function of the secret inputs, revealed, is the same function of the arrays."""

    def program(party):
        secrets = [party.input(x if party.index == parties - 1 else None, parties - 1) for x in inputs]
        return party.reveal(*(function(*secrets) for function in functions))

    for results in simulate(program, parties=parties, protocol=protocol, **options).results:
        for result, function in zip(results, functions, strict=True):
            expected = np.asarray(function(*inputs))
            assert np.asarray(result).dtype == np.bool_
            assert np.array_equal(result, expected), (function, inputs)


# ---------------------------------------------------------------------------------------- secrets with secrets

NEAR = st.sampled_from([-2, -1, 0, 0, 0, 1, 2])
WORDS = st.one_of(st.sampled_from([0, 1, -1, TOP - 3, 3 - TOP, 1 << 46, 1 << 30]), st.integers(3 - TOP, TOP - 3))


@st.composite
def pairs(draw, elements=WORDS):
    """Integers of shapes that broadcast; half of the time one is the other, or next to it."""
    left, right = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3, min_side=0)).input_shapes
    x = draw(hnp.arrays(np.int64, left, elements=elements))
    if draw(st.booleans()):
        return x, draw(hnp.arrays(np.int64, right, elements=elements))
    return x, x + draw(hnp.arrays(np.int64, x.shape, elements=NEAR))


@MANY
@given(pairs())
def test_two_secrets(inputs):
    for protocol, parties in PROTOCOLS[:2]:
        check(COMPARISONS, inputs, protocol, parties)


@pytest.mark.parametrize("parties", [3, 5])
@FEW
@given(pairs())
def test_two_secrets_of_more_parties(parties, inputs):
    check(COMPARISONS, inputs, parties=parties)


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_every_pair_of_edges(parties):
    edges = sorted({s * v + d for v in (0, 1 << 16, 1 << 30, 1 << 45, TOP - 2) for d in (-1, 0, 1) for s in (1, -1)})
    x, y = np.meshgrid(np.array(edges), np.array(edges))
    check(COMPARISONS, (x, y), parties=parties)


@pytest.mark.parametrize("mask", RING_EDGES)
def test_whatever_the_mask(mask):
    x = np.array([0, 1, -1, TOP - 1, 1 - TOP, 5, 5])
    y = np.array([0, 0, 0, 1 - TOP, TOP - 1, 6, 4])
    check(COMPARISONS, (x, y), insecure_masks=mask)
    check([lambda x, y: x < 5, lambda x, y: y >= 0, lambda x, y: x == 5], (x, y), insecure_masks=mask)


@pytest.mark.parametrize(("protocol", "parties"), PROTOCOLS[:3])
def test_fixed_point_one_unit_apart(protocol, parties):
    unit = 2.0**-16
    x = np.array([0.0, 0.0, 0.0, 2**30 - unit, 2**30 - unit, -(2**30) + unit, 1.5, 3.25])
    y = np.array([0.0, unit, -unit, 2**30 - 2 * unit, -(2**30) + unit, 2**30 - unit, 1.5, 3.25 + unit])
    check(COMPARISONS, (x, y), protocol, parties)
    check([lambda x, y: x + x < y + y, lambda x, y: x - y > 0], (x, y), protocol, parties)


@pytest.mark.parametrize(("protocol", "parties"), PROTOCOLS[:3])
def test_products_are_compared_with_all_of_their_digits(protocol, parties):
    x = np.array([2.0**-16, 2.0**-16, 181.25, -181.25, 0.0, 2.0**14])
    y = np.array([2.0**-16, -(2.0**-16), 2.0**-16, 2.0**-16, 1.0, 2.0**15])
    functions = [lambda x, y, f=f: f(x * y, 0) for f in COMPARISONS]
    functions += [lambda x, y, f=f: f(x * y, x) for f in COMPARISONS]
    functions += [lambda x, y, f=f: f(x * y, y * 2.0**-16) for f in COMPARISONS]
    functions += [lambda x, y: x * y < 2.0**-32, lambda x, y: x * y == 2.0**-32, lambda x, y: x / 4 < y / 8]
    check(functions, (x, y), protocol, parties)


def test_a_truncation_before_changes_no_comparison():
    def program(party):
        x = party.input(np.array([2.0**-16, -(2.0**-16), 0.5]) if party.index == 0 else None, 0)
        z = x * x
        before = z > 0
        z.truncate()
        return party.reveal(before, z > 0)

    for before, after in mpc.simulate(program, parties=2):
        assert before.all()
        assert after.all()


# ---------------------------------------------------------------------------------------- secrets with public numbers

FIXED = st.integers(1 - (1 << 46), (1 << 46) - 1).map(lambda k: k * 2.0**-16)  # below 2^30
PUBLIC = st.one_of(
    FIXED, st.floats(), st.floats(-4, 4), st.sampled_from([0.3, -0.3, 2.0**-17, -(2.0**-17), 2.0**46, -(2.0**46), 2.0**30, 1e308])
)


@st.composite
def with_public(draw):
    left, right = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3, min_side=0)).input_shapes
    x = draw(hnp.arrays(np.float64, left, elements=FIXED))
    if draw(st.booleans()):
        return x, draw(hnp.arrays(np.float64, right, elements=PUBLIC))
    return x, np.nextafter(x, draw(st.sampled_from([-np.inf, np.inf]))) if draw(st.booleans()) else x.copy()


@settings(max_examples=60, deadline=None)
@given(with_public())
def test_any_public_float(inputs):
    x, public = inputs
    functions = [lambda x, f=f: f(x, public) for f in COMPARISONS] + [lambda x, f=f: f(public, x) for f in COMPARISONS]
    for protocol, parties in PROTOCOLS[:2]:
        check(functions, [x], protocol, parties)


INTEGERS = [
    0,
    -1,
    7,
    2**31,
    2**61,
    -(2**61),
    2**62,
    -(2**62),
    2**63 - 1,
    -(2**63),
    2**63,
    -(2**63) - 1,
    2**70,
    -(2**70),
    True,
    2.5,
]


@pytest.mark.parametrize(
    "public", [*INTEGERS, np.uint64(2**64 - 1), np.int8(-3), np.uint8(7), np.float16(1000.5), np.float32(-1)]
)
@pytest.mark.parametrize("x", [np.array([0, 7, -1, 2**31 - 1]), np.array([0.5, -1.0, 1000.5, 7.0])], ids=["int", "float"])
def test_public_scalars_of_every_type(public, x):
    functions = [lambda x, f=f: f(x, public) for f in COMPARISONS] + [lambda x, f=f: f(public, x) for f in COMPARISONS]
    check(functions, [x], "plaintext", 1)
    check(functions, [x])


def test_public_numbers_beyond_the_scale_of_a_product():
    x = np.array([2.0**14, -(2.0**14), 1.0])  # x * x is at scale 32, where 2^30 and more is beyond
    public = np.array([2.0**40, -(2.0**40), np.nan])
    functions = [lambda x, f=f: f(x * x, public) for f in COMPARISONS] + [lambda x, f=f: f(2.0**30, x * x) for f in COMPARISONS]
    check(functions, [x], "plaintext", 1)
    check(functions, [x])


# ---------------------------------------------------------------------------------------- kinds, names and errors

A = np.array([[1.5, -2.0, 0.0, 0.25]])
B = np.array([[1.5], [0.25], [-7.0]])
K = np.array([3, -1, 0, 5])
P = np.array([True, False, True, False])
Q = np.array([True, True, False, False])

EXPRESSIONS = """
i < a
a >= i
p < q
p <= q
p > q
p >= q
p == q
p != q
p < Q
Q < p
p <= Q
Q >= p
p == True
False != p
p < i
i == p
p == 1
p < 0.5
a < b
a[0] < i[::-1]
A < b
b.T >= A.T[:3, :1]
K.tolist() > i
i != K.tolist()
np.less(a, b)
np.less_equal(1, i)
np.greater(i, 2)
np.greater_equal(a, i)
np.equal(i, K)
np.not_equal(p, q)
(a < b) & (a > -1) | ~(a == 0)
(i > 0).sum()
(i > 0) * i
a[:, :0] < b
a[:0] == 3
i[0] < i[1]
i[2] == 0
np.array_equal(i, K)
np.array_equal(i, i + p)
np.array_equal(a, b)
np.array_equiv(a, A[0])
np.array_equiv(a, K[:3])
np.array_equal([1, 2], i[:2])
np.isclose(a, A + 1e-6)
np.isclose(a, [1.5, -2.001, np.inf, -np.inf])
np.isclose(i, 3)
np.isclose(a, np.nan)
np.isclose(a, a + 0.01)
np.isclose(b, a, rtol=0.5)
np.isclose(b, a, atol=1)
np.isclose(A, b, 0, 3)
np.isclose(p, q)
np.allclose(a, A)
np.allclose(a, b)
""".strip().splitlines()


@pytest.mark.parametrize(("protocol", "parties"), PROTOCOLS[:3])
def test_every_kind_by_every_name(protocol, parties):
    arrays = {"a": A, "b": B, "i": K, "p": P, "q": Q}
    public = {"np": np, "A": A, "K": K, "Q": Q}

    def program(party):
        secrets = {k: party.input(v if party.index == 0 else None, 0) for k, v in arrays.items()}
        results = [eval(e, public | secrets) for e in EXPRESSIONS]
        return [r.reveal() if isinstance(r, mpc.Tensor) else r for r in results]

    for results in mpc.simulate(program, parties=parties, protocol=protocol):
        for expression, result in zip(EXPRESSIONS, results, strict=True):
            expected = eval(expression, public | arrays)
            assert np.shape(result) == np.shape(expected), expression
            assert np.asarray(result).dtype == np.asarray(expected).dtype, expression
            assert np.array_equal(result, expected), expression


def test_the_range_is_checked_without_encryption():
    for function in COMPARISONS[:4]:
        with pytest.raises(RangeError):
            check([function], (np.array([TOP]), np.array([-TOP])), "plaintext", 1)


@pytest.mark.parametrize(
    ("expression", "error", "message"),
    [
        ("i < i[:3]", ShapeError, "less: "),
        ("i == K[:3]", ShapeError, "equal: "),
        ("i < None", UsageError, "control flow"),
        ("i == 'a'", UsageError, "control flow"),
        ("i < 1j", UsageError, "less: |control flow"),
        ("np.less(i, 1, out=P)", UsageError, "np.less: out="),
        ("np.less(i, np.array(['a']))", UsageError, "less: "),
    ],
)
def test_errors_name_the_operation(expression, error, message):
    def program(party):
        return eval(expression, {"np": np, "i": party.input(K, 0), "K": K, "P": P})

    with pytest.raises(error, match=message):
        mpc.simulate(program, parties=1, protocol="plaintext")


# ---------------------------------------------------------------------------------------- costs

N = 24
COSTS = {
    "x < y": (3, 12.25),
    "x >= y": (3, 12.25),
    "x < 0": (3, 12.25),
    "1.5 > x": (3, 12.25),
    "x * x < 0": (4, 20.25),
    "x == y": (3, 10.5),
    "x != 0.5": (3, 10.5),
    "o < 0": (2, 4.25),
    "o < np.inf": (2, 4.25),
    "o[::-1] < o": (2, 4.25),
    "o == 0": (2, 2.5),
    "x < row": (3, 12.25),
    "p == q": (0, 0),
    "p < q": (1, 0.25),
    "p < x": (4, 12.375),
    "np.isclose(x, row)": (3, 16.5),
    "s < row": (3, 4.25 + 8 / N),  # one element is opened, and not its copies
    "x.reshape(-1, 1) < x": (3, 4.25 * N + 8),  # x is opened, once, and not the differences
}


@pytest.mark.parametrize("expression", COSTS)
def test_costs(expression):
    row = np.linspace(-1, 1, N)

    def program(party):
        arrays = {"x": row, "y": row[::-1].copy(), "o": row, "s": row[:1], "p": row > 0, "q": row < 0.5}
        names = {k: party.input(v if party.index == 0 else None, 0) for k, v in arrays.items()}
        names["o"] * names["o"]  # opens it
        with party.measure() as cost:
            eval(expression, {"np": np, "row": row, **names})
        return cost.rounds, cost.bytes_sent / N

    rounds, size = COSTS[expression]
    for result in mpc.simulate(program, parties=2):
        assert result == (rounds, pytest.approx(size))
