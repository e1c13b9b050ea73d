"""where, maximum, minimum, abs, sign, clip, relu, and booleans as numbers, against NumPy; and their costs."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import mpc
from mpc.errors import RangeError, ShapeError, UsageError
from mpc.tensor.numpy_order import FUNCTIONS, UFUNCS
from mpc.tensor.selection import relu as secret_relu
from mpc.testing import RING_EDGES, simulate

PROTOCOLS = [("plaintext", 1), ("additive", 2), ("additive", 3)]
ULP = 2.0**-16


def relu(x):
    return secret_relu(x) if isinstance(x, mpc.Tensor) else np.maximum(x, 0)


A = np.array([[1.5, -2.0, 0.0, 0.25]])
B = np.array([[1.5], [0.25], [-7.0]])
K = np.array([3, -1, 0, 5])
P = np.array([True, False, True, False])
Q = np.array([True, True, False, False])
G = (np.arange(24).reshape(2, 3, 4) * 5) % 7 < 3
S = np.array(-3)
ARRAYS = {"a": A, "b": B, "i": K, "p": P, "q": Q, "g": G, "s": S}
PUBLIC = {"np": np, "A": A, "B": B, "K": K, "P": P, "Q": Q, "relu": relu}

# Lower case: secret. All values are multiples of 1/4, so that results are exact.
EXPRESSIONS = """
np.where(p, a, b)
np.where(p, a, 0)
np.where(p, 0, a)
np.where(p, a, 1.25)
np.where(p, 2, a)
np.where(p, i, 2.5)
np.where(p, i, a)
np.where(p, i, 7)
np.where(p, K, i)
np.where(p, 1, 0)
np.where(p, 1.5, -2)
np.where(p, K, A)
np.where(p, i, q)
np.where(p, q, ~q)
np.where(p, q, True)
np.where(p, True, q)
np.where(p, True, False)
np.where(p, Q, 3)
np.where(P, a, b)
np.where(P, q, i)
np.where(s < 0, a, b)
np.where(g, i, a)
np.where(g, s, 2)
np.where(p[:3, None], i, b)
np.where(a * a > 1, a * a, b)
np.where(g[:0], 1, s)
np.where(a > 0, a, -a)
np.select([i > 2, i < 0], [i, -i], 7)
np.select([i > 2, P], [1, 2.5], a)
np.select([P, Q], [i, a])
np.select([p, q, i > 2], [a, 1, i], 7)
np.select([p, q, i > 2], [a * a, b, i], a)
np.select([p, q, i > 2, Q], [K, B, A, 0.25])
np.select([p, q, i > 2], [1, 2, 3])
np.select([p, q, i > 2], [q, p, True], False)
np.select([p, q, i > 2], [Q, P, True])
np.select([p, q, i > 2], [P, True, False], q)
np.select([s < 0, p, b > 0], [i, b, 1.5], a)
np.select([i < 0, i < 1, i < 2, i < 4, i < 9], [a, b, i, 2, 3], s)
np.select([i[:0] > 0, s > 0, s < 0], [i[:0], a[0, :0], 2])
np.maximum(a, b)
np.maximum(a, 0)
np.maximum(0, a)
np.maximum(a, B)
np.maximum(i, a)
np.maximum(i, 0.5)
np.maximum(i, 2)
np.maximum(a * a, a)
np.maximum(p, q)
np.maximum(p, Q)
np.maximum(Q, p)
np.maximum(p, i)
np.maximum(p, 0.25)
np.maximum(a, -np.inf)
np.maximum(i[:0], 3)
np.maximum(s, [1, -4])
np.minimum(a, b)
np.minimum(a, 0)
np.minimum(B, a)
np.minimum(i, 2)
np.minimum(i, np.inf)
np.minimum(p, q)
np.minimum(p, Q)
np.minimum(a * b, b)
np.fmax(a, b)
np.fmin(i, 1)
np.abs(a)
np.absolute(i)
abs(a * b)
abs(p)
abs(s)
np.fabs(i)
np.fabs(a)
np.fabs(p)
np.sign(a)
np.sign(i)
np.sign(a * b)
np.copysign(a, b)
np.copysign(i, a)
np.copysign(a, -0.0)
np.copysign(a, K)
np.copysign(2, i)
np.copysign(a * b, p)
np.heaviside(a, 0.5)
np.heaviside(i, 2)
np.heaviside(i, a)
np.heaviside(A, i)
np.heaviside(i, p)
np.clip(a, -1, 1)
np.clip(i, 0, 3)
np.clip(i, 0.5, 3)
np.clip(i, -0.25, 2.75)
np.clip(p, 0.25, 0.75)
np.clip(a, 1, -1)
np.clip(a, b, b + 1)
np.clip(a, b, 0.25)
np.clip(a, b, -b)
np.clip(a, -b, i)
np.clip(i, s, 4)
np.clip(i, -1, i - 2)
np.clip(p, s, a)
np.clip(p, q, True)
np.clip(a * b, -1, b)
np.clip(s, a, b)
np.clip(i[:0], s, 3)
np.clip(A, b, i)
np.clip(a, B, 2)
np.clip(a, b, 2)
np.clip(a, None, b)
np.clip(a, -1, b)
np.clip(a, a_min=-1, a_max=None)
np.clip(a, min=-1, max=0.5)
np.clip(A, b, 1)
np.clip(a, -np.inf, 1)
np.clip(a, -1, np.inf)
np.clip(a * b, -1, 0.25)
np.clip(i[:0], 0, 1)
a.clip(-1, 1)
a.clip(0)
i.clip(max=2)
relu(a)
relu(i)
relu(a * b)
relu(s)
g.any()
g.any(axis=1)
g.all(axis=(0, 2))
g.all(axis=-1, keepdims=True)
np.any(g, 0)
np.any(g, axis=(1, 2), keepdims=True)
np.all(g, 1)
np.all(g)
np.any(i)
np.all(a, axis=1)
i.all()
i.any(keepdims=True)
np.any(g[:0], 0)
np.all(g[:0], 0)
g[:0].all()
g.sum()
g.sum(axis=1)
g.sum((0, 2), keepdims=True)
g.sum(initial=2)
g.mean(axis=0)
g.var(axis=0)
np.count_nonzero(g)
np.count_nonzero(g, axis=(0, 1))
np.count_nonzero(i)
np.count_nonzero(a, axis=1, keepdims=True)
np.cumsum(g, axis=2)
np.trace(g)
np.prod(g, axis=0)
np.average(g, axis=2, weights=[1, 0, 2, 1])
p.astype(int)
p.astype(float)
p.astype(bool)
i.astype(bool)
a.astype(bool)
p + i
p + a
i + p
p - i
i - p
p + 1
1 - p
1.5 - p
p - True * 2
p + q
p + Q
True + p
p * i
a * p
g * a
p * 3
2.5 * p
p * q
p * Q
g * s
p / 2
P * i
p @ i
i @ p
p @ K
np.outer(p, a)
np.einsum("i,i->", p, i)
np.concatenate([p, i])
np.stack([p, A[0]])
np.concatenate([p, q, i])
np.stack([q, p, i, ~p])
np.add(p, i)
np.subtract(3, p)
np.multiply(q, a)
""".strip().splitlines()


@pytest.mark.parametrize(("protocol", "parties"), PROTOCOLS)
def test_every_expression_is_what_numpy_makes_of_it(protocol, parties):
    def program(party):
        secrets = {k: party.input(v if party.index == 0 else None, 0) for k, v in ARRAYS.items()}
        return party.reveal(*(eval(e, PUBLIC | secrets) for e in EXPRESSIONS))

    exact = ("* b", "* a", "average", "mean", "var")
    for results in mpc.simulate(program, parties=parties, protocol=protocol):
        for expression, result in zip(EXPRESSIONS, results, strict=True):
            expected = eval(expression, PUBLIC | ARRAYS)
            assert np.shape(result) == np.shape(expected), expression
            assert np.asarray(result).dtype.kind == np.asarray(expected).dtype.kind, expression
            tolerance = ULP if any(part in expression for part in exact) else 0
            assert np.allclose(result, expected, rtol=0, atol=tolerance), (expression, result, expected)


def test_the_expressions_call_every_function_of_the_tables():
    here = Path(__file__)
    text = "".join(here.with_name(f"test_{name}.py").read_text() for name in ("order", "selection", "extrema"))
    assert [name for name in {**FUNCTIONS, **UFUNCS} if f"np.{name}(" not in text] == []


# ---------------------------------------------------------------------------------------- any values

FLOATS = st.one_of(st.sampled_from([0, 1, -1, (1 << 44) - 1, 1 - (1 << 44)]), st.integers(1 - (1 << 44), (1 << 44) - 1))
FLOATS = FLOATS.map(lambda k: k * ULP)


@st.composite
def operands(draw):
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3, min_side=0)).input_shapes
    x, y = (draw(hnp.arrays(np.float64, shape, elements=FLOATS)) for shape in shapes[:2])
    if draw(st.booleans()):
        y = x + draw(st.sampled_from([-1, 0, 1])) * ULP
    return x, y, draw(hnp.arrays(np.bool_, shapes[2]))


@pytest.mark.parametrize(("protocol", "parties"), [("plaintext", 1), ("additive", 2), ("additive", 5)])
@settings(max_examples=12, deadline=None)
@given(operands())
def test_selection_is_exact(protocol, parties, inputs):
    public = inputs[1]
    functions = [
        lambda x, y, c: np.where(c, x, y),
        lambda x, y, c: np.where(c, x, public),
        lambda x, y, c: np.maximum(x, y),
        lambda x, y, c: np.minimum(x, public),
        lambda x, y, c: np.clip(x, public, public + 1.0),
        lambda x, y, c: np.clip(x, y, None),
        lambda x, y, c: np.abs(x),
        lambda x, y, c: np.sign(x),
        lambda x, y, c: relu(x),
        lambda x, y, c: c * x,
    ]

    def program(party):
        secrets = [party.input(v if party.index == parties - 1 else None, parties - 1) for v in inputs]
        return party.reveal(*(function(*secrets) for function in functions))

    for results in mpc.simulate(program, parties=parties, protocol=protocol):
        for result, function in zip(results, functions, strict=True):
            assert np.array_equal(result, function(*inputs))


FACTORS = np.array([181.0, -181.0, ULP, -ULP, 0.0, 1.0, 2.0**14, 0.3, -0.7, 2.0**-8, 2.0**-9])
X, Y = (a.ravel() for a in np.meshgrid(FACTORS, FACTORS))


@pytest.mark.parametrize("mask", RING_EDGES)
@pytest.mark.parametrize(
    "function", [relu, np.abs, lambda z: np.maximum(z, 0.25), lambda z: np.clip(z, -1, 0.25), lambda z: np.where(z < 0, 0, z)]
)
def test_a_fresh_product_loses_less_than_a_unit(function, mask):
    x, y = (np.rint(v / ULP) * ULP for v in (X, Y))

    def program(party):
        a, b = (party.input(v if party.index == 0 else None, 0) for v in (x, y))
        return function(a * b).reveal()

    for result in simulate(program, insecure_masks=mask).results:
        assert np.max(np.abs(result - function(x * y))) < ULP


@pytest.mark.parametrize("low", [0.3, -0.3, 0.1])
@pytest.mark.parametrize("mask", [0, 2**64 - 1])  # which round down, and up
def test_clip_never_leaves_its_bounds(low, mask):
    x = 8 * np.linspace(low - 4 * ULP, low + 8 * ULP, 97)

    def program(party):
        a = party.input(x if party.index == 0 else None, 0)
        return (a / 8).clip(low, low + 3 * ULP).reveal()

    encoded = [np.rint(v / ULP) * ULP for v in (low, low + 3 * ULP)]
    for result in simulate(program, insecure_masks=mask).results:
        assert encoded[0] == result.min()
        assert result.max() == encoded[1]


# ---------------------------------------------------------------------------------------- costs

N = 32
COSTS = {
    "relu(z)": (4, 12.375),  # z is a fresh product, its truncation included
    "relu(z); z.truncate()": (4, 12.375),
    "relu(x)": (4, 12.125 + 0.25),
    "np.maximum(x, y)": (4, 12.375),
    "np.maximum(x, 0.5)": (4, 12.375),
    "np.minimum(z, 0)": (4, 12.375),
    "np.abs(z)": (4, 12.375),
    "np.sign(x)": (4, 16.75),
    "np.heaviside(x, 0.5)": (4, 16.75),
    "np.clip(x, 0.5, None)": (4, 12.375),
    "np.where(p, x, y)": (1, 8.125),
    "np.where(p, z, 0)": (2, 8.125),
    "np.where(p, o, 0)": (1, 0.125),
    "np.where(p, 1.5, -2)": (1, 0.125),
    "np.where(p, p, q)": (1, 0.25),
    "np.where(row > 0, x, y)": (0, 0),
    "p * o": (1, 0.125),
    "p * 2.5": (1, 0.125),
    "p.sum()": (1, 0.125),
    "p.astype(int)": (1, 0.125),
    "np.concatenate([p, q, i])": (1, 0.25),
    "p.reshape(4, -1).all(axis=0)": (1, 0.125),
    "p.reshape(2, -1).any(axis=0)": (1, 0.125),
    "np.clip(z, 0.5, 1)": (4, 16.75),
    "np.clip(x, y, x)": (5, 37.5),
    "np.clip(x, y, 1)": (5, 37.5),
    "np.clip(z, 0.5, y)": (6, 45.5),
    "np.clip(x, s, s)": (5, 26.5625),  # two bounds in all, and bit planes of 65 elements
    "np.copysign(x, y)": (4, 24.625),
    "np.copysign(x, row)": (4, 12.375),
    "np.copysign(row, x)": (4, 12.375),
    "np.select([p, q], [x, y])": (2, 16.25),
    "np.select([p, q, i > 5], [x, y, 1])": (5, 12.25 + 9 / 8 + 2 * 8.125 + 0.125),
    "np.select([p, q, ~p, ~q], [x, y, 1, z], o)": (3, 16 / 8 + 4 * 8.125),
    "np.select([p] * 5, [1, 2, 3, 4, 5])": (2, 5 * 5 / 8 + 5 / 8),
    "np.select([p] * 16, list(range(16)))": (3, 40 + 16 / 8),
    "np.select([p, q, ~p], [q, p, True], False)": (2, 9 / 8 + 2 * 3 / 8),
    "np.maximum(o, 0.5)": (3, 4.375),  # o - 0.5 is open as o is
    "np.where(p, s, 0)": (1, 8 / N + 0.125),  # s is opened, and not its copies
}


@pytest.mark.parametrize("expression", COSTS)
def test_costs(expression):
    row = np.linspace(-1, 1, N)

    def program(party):
        arrays = {"x": row, "y": row[::-1].copy(), "o": row, "s": row[:1], "p": row > 0, "q": row < 0.5, "i": np.arange(N)}
        names = {k: party.input(v if party.index == 0 else None, 0) for k, v in arrays.items()}
        names["o"] * names["o"]  # opens it
        names["z"] = names["o"] * names["o"]
        with party.measure() as cost:
            exec(expression, {"np": np, "row": row, "relu": relu, **names})
        return cost.rounds, cost.bytes_sent / N

    rounds, size = COSTS[expression]
    for result in mpc.simulate(program, parties=2):
        assert result == (rounds, pytest.approx(size))


# ---------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("expression", "error", "message"),
    [
        ("np.where(i, a, b)", UsageError, "where: the condition must be boolean"),
        ("np.where(p)", UsageError, "np.where: "),
        ("np.where(p, a, K[:3])", ShapeError, "where: "),
        ("np.where(p[:3], a, b)", ShapeError, "where: "),
        ("np.where(p, i, np.inf)", RangeError, "'where'.*infinite"),
        ("np.where(p, a, np.nan)", RangeError, "'where'.*NaN"),
        ("np.where(p, 1e30, a)", RangeError, "'where'.*beyond"),
        ("np.maximum(a, np.nan)", RangeError, "'maximum'.*NaN"),
        ("np.maximum(np.inf, a)", RangeError, "'maximum'.*infinite"),
        ("np.minimum(a * b, -1e30)", RangeError, "'minimum'.*beyond"),
        ("np.maximum(a, K[:3])", ShapeError, "where: |maximum: |subtract: |add: "),
        ("np.clip(a, K[:3], 9)", ShapeError, "clip: "),
        ("np.clip(a, np.nan, 1)", RangeError, "'clip'.*NaN"),
        ("np.clip(a, 0, np.nan)", RangeError, "'clip'.*NaN"),
        ("np.clip(a, None, np.nan)", RangeError, "'clip'.*NaN"),
        ("np.clip(a, b, np.nan)", RangeError, "'clip'.*NaN"),
        ("np.select([p], [1, 2])", ShapeError, "select: "),
        ("np.select([p, q, i], [1, 2, 3])", UsageError, "select: the conditions must be boolean"),
        ("np.select([p, q, p], [i, 2, np.nan])", RangeError, "'select'.*NaN"),
        ("np.select([p, q], [i, np.inf])", RangeError, "'select'.*infinite"),
        ("np.clip(a, b, np.nan)", RangeError, "'clip'.*NaN"),
        ("np.clip(a, b, K[:3])", ShapeError, "clip: "),
        ("np.heaviside(a, np.nan)", RangeError, "'heaviside'.*NaN"),
        ("np.sum(a, where=A > 0)", UsageError, r"np.sum: where=.*np.where\(mask"),
        ("-p", UsageError, "negative: .*booleans"),
        ("p - q", UsageError, "subtract: .*booleans"),
        ("True - p", UsageError, "subtract: .*booleans"),
        ("np.sign(p)", UsageError, "sign: .*booleans"),
        ("np.diff(p)", UsageError, "diff: .*booleans"),
        ("g @ p", UsageError, "matmul: .*booleans"),
        ("i.astype(np.int32)", UsageError, "astype: "),
        ("p.any(axis=1)", np.exceptions.AxisError, "all: |any: "),
        ("i.nonzero()", UsageError, "nonzero: .*count_nonzero"),
        ("~i", UsageError, "~: needs boolean"),
    ],
)
def test_errors_name_the_operation(expression, error, message):
    def program(party):
        return eval(expression, PUBLIC | {k: party.input(v, 0) for k, v in ARRAYS.items()})

    with pytest.raises(error, match=message) as raised:
        mpc.simulate(program, parties=1, protocol="plaintext")
    assert isinstance(raised.value, mpc.Error)
