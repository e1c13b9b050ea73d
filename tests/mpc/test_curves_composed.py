"""softmax and its relatives, powers, norms, statistics and linear systems, against SciPy and NumPy."""

import numpy as np
import pytest
from scipy import special

import mpc
from mpc import functions

ULP = 2.0**-16
PROTOCOLS = ["plaintext", "additive"]
RANDOM = np.random.default_rng(0)


def fixed(values):
    return np.rint(np.asarray(values) / ULP) * ULP


def evaluate(function, *inputs, protocol="additive", parties=2, f=16):
    def program(party):
        result = function(*(party.input(x if party.index == 0 else None, 0) for x in inputs))
        return result.reveal()

    results = mpc.simulate(program, parties=parties, protocol=protocol, fraction_bits=f, seed=1)
    assert all(np.array_equal(results[0], r) for r in results)
    return results[0]


def scores(n):
    """Rows with near, far and equal entries, to +-100 and -2^20."""
    rows = [RANDOM.normal(0, 3, (10, n)), RANDOM.uniform(-100, 100, (10, n)), RANDOM.uniform(-0.01, 0.01, (2, n))]
    x = np.concatenate([*rows, np.zeros((1, n)), np.full((1, n), 100.0)])
    x[0, 0], x[1, -1], x[2] = -(2.0**20), 100, -100
    return fixed(x)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("n", [1, 2, 5, 10, 64, 300])
def test_softmax(n, protocol):
    x = scores(n)
    result = evaluate(lambda t: functions.softmax(t, axis=1), x, protocol=protocol)
    assert np.max(np.abs(result - special.softmax(x, axis=1))) <= 1.6 * ULP
    if n <= 64:
        assert np.max(np.abs(result.sum(axis=1) - 1)) < 2.0**-9
    logs = evaluate(lambda t: functions.log_softmax(t, axis=1), x, protocol=protocol)
    assert np.max(np.abs(logs - special.log_softmax(x, axis=1))) <= 2 * ULP
    total = evaluate(lambda t: functions.logsumexp(t, axis=1, keepdims=True), x, protocol=protocol)
    assert np.max(np.abs(total - special.logsumexp(x, axis=1, keepdims=True))) <= 2 * ULP


@pytest.mark.parametrize("f", [8, 24])
def test_softmax_at_other_precisions(f):
    for n in (2, 4, 10):
        x = np.rint(RANDOM.uniform(-20, 20, (6, n)) * 2**f) / 2**f
        result = evaluate(lambda t: functions.softmax(t, axis=-1), x, f=f)
        assert np.max(np.abs(result - special.softmax(x, axis=-1))) <= 4 * 2.0**-f


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2)])
def test_axes(axis):
    x = fixed(RANDOM.normal(0, 2, (2, 3, 4)))
    for name in ("softmax", "log_softmax", "logsumexp"):
        result = evaluate(lambda t, name=name: getattr(functions, name)(t, axis=axis), x)
        expected = getattr(special, name)(x, axis=axis)
        assert np.shape(result) == np.shape(expected)
        assert np.allclose(result, expected, atol=3 * ULP)


X = fixed(np.geomspace(0.05, 30, 40))
Y = fixed(RANDOM.uniform(-5, 5, (5, 8)))
S = fixed(np.linspace(-6, 6, 41))

COMPOSED = {
    "x ** 0.3": lambda x, y, s: x**0.3,
    "x ** 2.5": lambda x, y, s: x**2.5,
    "x ** -1.7": lambda x, y, s: (x + 1) ** -1.7,
    "x ** 0.001": lambda x, y, s: x**0.001,
    "x ** 0.5": lambda x, y, s: x**0.5,
    "x ** -0.5": lambda x, y, s: np.power(x, -0.5),
    "x ** -1": lambda x, y, s: x**-1.0,
    "x ** -2": lambda x, y, s: (x + 1) ** -2.0,
    "float_power": lambda x, y, s: np.float_power(x, 1.25),
    "2 ** s": lambda x, y, s: 2.0**s,
    "10 ** s": lambda x, y, s: 10.0 ** (s / 2),
    "0.5 ** s": lambda x, y, s: 0.5**s,
    "1 ** s": lambda x, y, s: 1.0**s,
    "expm1": lambda x, y, s: np.expm1(s),
    "log1p": lambda x, y, s: np.log1p(x),
    "x ** s": lambda x, y, s: x[:40] ** (s[:40] / 2),
    "x ** (y[0] / 2)": lambda x, y, s: x[:8] ** (y[0] / 2) + np.power(x[:1], y[0] / 4),
    "float_power of integers": lambda x, y, s: np.float_power(x.astype(int) + 1, s[:40] / 2),
    "cbrt": lambda x, y, s: np.cbrt(y) + np.cbrt(s[:8]),
    "sinc": lambda x, y, s: np.sinc(s),
    "density": lambda x, y, s: np.histogram(s, 7, (-5, 4), density=True)[0],
    "density of weights": lambda x, y, s: np.histogram(s, [-2, 0, 0.5], density=True, weights=s * s)[0],
    "logaddexp": lambda x, y, s: np.logaddexp(s, 1.5) + np.logaddexp(1.0, s) + np.logaddexp(s, s),
    "hypot": lambda x, y, s: np.hypot(s, 2 * s) + np.hypot(3.0, s),
    "norm": lambda x, y, s: np.linalg.norm(y, axis=1),
    "norm of all": lambda x, y, s: np.linalg.norm(y),
    "norm 1": lambda x, y, s: np.linalg.norm(y, 1),
    "norm inf": lambda x, y, s: np.linalg.norm(y, np.inf),
    "norm fro": lambda x, y, s: np.linalg.norm(y, "fro"),
    "norm of vectors": lambda x, y, s: np.linalg.norm(y, np.inf, axis=0) + np.linalg.norm(y, 1, axis=0),
    "small norms": lambda x, y, s: np.linalg.norm(y / 2.0**12, axis=0),
    "vector_norm": lambda x, y, s: np.linalg.vector_norm(y, axis=(0, 1), keepdims=True),
    "std": lambda x, y, s: np.std(y, axis=0, ddof=1),
    "method std": lambda x, y, s: y.std(),
    "corrcoef": lambda x, y, s: np.corrcoef(y),
    "corrcoef of columns": lambda x, y, s: np.corrcoef(y, rowvar=False)[:2, :2],
    "degrees": lambda x, y, s: np.rad2deg(y) / 64,
    "radians": lambda x, y, s: np.deg2rad(y),
    "a share": lambda x, y, s: x / x.sum(),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", COMPOSED)
def test_composed(name, protocol):
    function = COMPOSED[name]
    expected = function(X, Y, S)
    result = evaluate(function, X, Y, S, protocol=protocol)
    assert np.shape(result) == np.shape(expected)
    assert np.all(np.abs(result - expected) <= 5 * ULP + np.abs(expected) * 2.0**-15)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("n", [1, 3, 6])
def test_linear_systems(n, protocol):
    a = RANDOM.normal(0, 1, (n, n))
    a = fixed(a @ a.T / n + np.eye(n))
    b, several = fixed(RANDOM.normal(0, 3, n)), fixed(RANDOM.normal(0, 3, (n, 2)))
    bound = n * np.linalg.cond(a) * 4 * ULP
    for right in (b, several):
        assert np.max(np.abs(evaluate(np.linalg.solve, a, right, protocol=protocol) - np.linalg.solve(a, right))) <= bound
    assert np.max(np.abs(evaluate(np.linalg.inv, a, protocol=protocol) - np.linalg.inv(a))) <= bound
    public = evaluate(lambda t: np.linalg.solve(a, t), b, protocol=protocol)
    assert np.max(np.abs(public - np.linalg.solve(a, b))) <= bound


def scaled_bound(a, x):
    """That of `solve` for solutions x (n,) or (n, k) of a: in units, for each element."""
    root = np.sqrt(np.abs(np.diag(a)))
    columns = x.reshape(len(a), -1)
    c, m = np.linalg.cond(a / root[:, None] / root), np.max(np.abs(columns) * root[:, None])
    return (1 + 2 * len(a) * c * (1 + m) / root[:, None] * np.ones_like(columns)).reshape(x.shape) * ULP


SYSTEMS = {
    "one large pivot": np.array([[5000.0]]),
    "one small pivot": np.array([[2.0**-6]]),
    "a negative pivot": np.array([[-5000.0, 3.0], [2.0, 7.0]]),
    "diagonal": np.diag([1000.0, 3000.0]),
    "from 2^-6 to 2^13": np.array([[2.0**-6, 2.0, 0.01], [2.0, 2.0**13, -30.0], [0.01, -30.0, 5.0]]),
    "normal equations": None,
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", SYSTEMS)
def test_linear_systems_of_any_scale(name, protocol):
    observed = np.random.default_rng(1).normal(0, 1, (2000, 4))
    a = observed.T @ observed if SYSTEMS[name] is None else SYSTEMS[name]
    a = fixed(a)
    b = fixed(a @ np.linspace(1, 2, len(a)))
    for right in (b, np.eye(len(a))[:, 0]):
        expected = np.linalg.solve(a, right)
        result = evaluate(np.linalg.solve, a, right, protocol=protocol)
        assert np.all(np.abs(result - expected) <= scaled_bound(a, expected))
    expected = np.linalg.inv(a)
    assert np.all(np.abs(evaluate(np.linalg.inv, a, protocol=protocol) - expected) <= scaled_bound(a, expected))


def test_one_pivot_of_other_precisions():
    for f in (8, 12, 13, 20, 24):
        for pivot in (2.0**-3, 3.0, 2.0 ** min(12, 61 - 2 * f)):
            result = evaluate(np.linalg.solve, np.array([[pivot]]), np.array([2.0]), f=f)
            assert np.abs(result - 2 / pivot) <= (2 + 8 / pivot) * (1 if f <= 20 else 2) * 2.0**-f


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("offset", [0.0, -3000.0, 1e6, 2.0**29])
def test_deviations_do_not_depend_on_an_offset(offset, protocol):
    x = np.stack([np.arange(10.0), np.sin(np.arange(10.0)), np.arange(10.0)[::-1] % 4])
    x, moved = fixed(x), fixed(x) + offset
    for function in (np.std, np.var):
        for axis in (None, 1, (0, 1)):
            result = evaluate(lambda t, g=function, axis=axis: g(t, axis=axis), moved, protocol=protocol)
            expected = function(x, axis=axis)
            assert np.all(np.abs(result - expected) <= (3 + expected) * ULP)
    for function, bound in ((np.cov, 30), (np.corrcoef, 6)):
        assert np.max(np.abs(evaluate(function, moved, protocol=protocol) - function(x))) <= bound * ULP


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_constant_rows_do_not_deviate(protocol):
    x = np.stack([np.full(7, 3.3), np.arange(7.0), np.full(7, -1e6)])
    result = evaluate(np.corrcoef, x, protocol=protocol)
    assert np.array_equal(result[[0, 2]], np.zeros((2, 3))) and np.array_equal(result[:, [0, 2]], np.zeros((3, 2)))
    assert abs(result[1, 1] - 1) <= 4 * ULP
    assert np.array_equal(evaluate(lambda t: np.std(t, axis=1), x, protocol=protocol)[[0, 2]], [0, 0])
    assert np.array_equal(evaluate(np.cov, x, protocol=protocol)[0], [0, 0, 0])


QUOTIENTS = [(1, 17, 11), (2, 17, 12), (8, 20, 15), *((f, 20, 15) for f in (10, 11, 12, 13, 14))]


@pytest.mark.parametrize(("f", "largest", "relative"), QUOTIENTS)
@pytest.mark.parametrize("size", [40, 5000])
def test_quotients_up_to_the_bound_at_few_fraction_bits(f, largest, relative, size):
    random, unit = np.random.default_rng(f), 2.0**-f
    b = np.rint(np.exp2(random.uniform(-f, min(62 - 2 * f, 60 - f) - 1, 8 * size)) / unit) * unit
    q = np.exp2(np.where(np.arange(8 * size) % 2, largest - 0.001, random.uniform(-f, largest - 0.1, 8 * size)))
    a = np.rint(b * q / unit) * unit * random.choice([-1, 1], 8 * size)
    fits = (np.abs(a) < 2.0 ** (62 - 2 * f)) & (b > 0)
    fits &= np.abs(a) < 2.0**largest * np.maximum(b, unit)
    a, b = a[fits][:size], b[fits][:size]
    assert a.size == size and np.max(np.abs(a / b)) > 2.0 ** (largest - 0.01)
    error = np.abs(evaluate(np.divide, a, b, f=f) - a / b)
    assert np.all(error <= 1.5 * unit + np.abs(a / b) * 2.0**-relative)


REFUSED = {
    "an array of exponents": (lambda x: x ** np.array([0.5, 1.5]), "power: the exponent"),
    "an infinite exponent": (lambda x: x**np.inf, "power: the exponent"),
    "a text": (lambda x: x ** "a", "power: .*str"),
    "a base of -2": (lambda x: (-2) ** x, "power.*must be positive"),
    "a base next to 1": (lambda x: 1.01**x, "power.*close to 1"),
    "norm": (lambda x: np.linalg.norm(x, 3), "norm: ord=3"),
    "nuclear norm": (lambda x: np.linalg.norm(x.reshape(1, 2), "nuc"), "norm: ord='nuc'"),
    "corrcoef": (lambda x: np.corrcoef(x, x), "y= is not available"),
    "solve": (lambda x: np.linalg.solve(x, x), "solve: needs"),
    "std": (lambda x: np.std(x, ddof=2), "std"),
    "softmax of nothing": (lambda x: functions.softmax(x[:0]), "max"),
    "division of shapes": (lambda x: x / x.reshape(2, 1)[[0, 1, 1]].reshape(3), "divide"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    function, message = REFUSED[name]
    with pytest.raises(mpc.Error, match=message):
        evaluate(function, np.array([1.0, 2.0]), protocol="plaintext")


def test_names():
    assert functions.sigmoid is functions.expit
    assert sorted(functions.__all__) == functions.__all__
    assert np.array_equal(evaluate(functions.relu, np.array([-1.0, 2.0])), [0, 2])
