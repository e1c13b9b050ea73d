"""Functions on dense scans of their whole domains and of the edges, against float64 of the same encoded input."""

import numpy as np
import pytest
from scipy import special

import mpc
from mpc import functions
from mpc.tensor.curves import normalising
from mpc.tensor.curves.bounded import CURVES, piece
from mpc.tensor.curves.exponential import span_of

PROTOCOLS = ["plaintext", "additive"]


def evaluate(function, *inputs, protocol="additive", f=16, parties=2):
    """function of inputs, the last of which belongs to the last party; the same at all parties."""

    def program(party):
        owners = [0] * (len(inputs) - 1) + [party.size - 1]
        tensors = [party.input(x if party.index == o else None, o) for x, o in zip(inputs, owners, strict=True)]
        return function(*tensors).reveal()

    results = mpc.simulate(program, parties=parties, protocol=protocol, fraction_bits=f, seed=1)
    assert all(np.array_equal(results[0], r) for r in results)
    return results[0]


def grid(values, f=16, low=-np.inf, high=np.inf):
    """The different fixed-point numbers next to values, within the bounds and the range of inputs."""
    x = np.unique(np.rint(np.ldexp(np.concatenate([np.ravel(v) for v in values]), f)))
    end = 2.0 ** (62 - f)
    return np.ldexp(x[(x >= np.ldexp(low, f)) & (x <= np.ldexp(high, f)) & (np.abs(x) < end)], -f)


def around(points, f=16):
    """Each point and its neighbours."""
    return np.asarray(points, float)[:, None] + np.arange(-2, 3) * 2.0**-f


def reals(f=16, *edges):
    """Numbers of any size and sign: evenly around 0, and logarithmically; powers of two, and the edges."""
    sizes = np.concatenate([np.geomspace(2.0**-f, 2.0 ** (62 - 2 * f), 500), np.arange(200) * 2.0**-f, np.linspace(0, 30, 4000)])
    sizes = np.concatenate([sizes, around(2.0 ** np.arange(-f, 62 - 2 * f), f).ravel(), around([0, *edges], f).ravel()])
    return grid([sizes, -sizes], f)


def positives(f=16, count=3000):
    sizes = [np.geomspace(2.0**-f, 2.0 ** (62 - 2 * f), count), np.arange(1, 300) * 2.0**-f]
    return grid([*sizes, around(2.0 ** np.arange(-f, 62 - 2 * f), f)], f, low=2.0**-f)


def check(result, expected, ulps, relative=0.0, f=16):
    """Within `ulps` units in the last place plus a part of the value; and 0 only where the true value nearly is."""
    error, unit = np.abs(result - expected), 2.0**-f
    bound = ulps * unit + relative * np.abs(expected)
    worst = np.argmax(error / bound)
    assert error[worst] <= bound[worst], f"{error[worst] / unit} units at {worst}: {result[worst]} for {expected[worst]}"
    assert np.all((result != 0) | (np.abs(expected) < 1.5 * unit))


BOUNDED = {
    "expit": (functions.expit, special.expit),
    "tanh": (np.tanh, np.tanh),
    "erf": (functions.erf, special.erf),
    "gelu": (functions.gelu, lambda x: x * special.ndtr(x)),
    "silu": (functions.silu, lambda x: x * special.expit(x)),
    "softplus": (functions.softplus, lambda x: np.logaddexp(0, x)),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", BOUNDED)
def test_bounded_functions(name, protocol):
    function, reference = BOUNDED[name]
    x = reals(16, piece(name, 16).end)
    result = evaluate(function, x, protocol=protocol)
    check(result, reference(x), 1.75)
    if CURVES[name].high == 1:
        assert CURVES[name].low <= result.min() and result.max() <= 1
    if name in ("expit", "softplus"):  # whatever is half a unit does not vanish
        assert np.all(result[reference(x) >= 2.0**-17] > 0)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("base", [np.e, 2.0])
def test_exponentials(base, protocol):
    span = span_of(base, 16, 16)
    half = np.log(2.0**-17) / np.log(base)
    x = grid([np.linspace(-20, span.high, 6000), reals(), around([span.low, span.high, half])])
    if protocol == "plaintext":  # it refuses what is beyond the range
        x = x[x < span.high]
    result = evaluate(np.exp if base == np.e else np.exp2, x, protocol=protocol)
    inside = x <= span.high - 2.0**-15
    check(result[inside], base ** x[inside], 1.75, 2.0**-19)
    assert np.all(result[(x >= half) & inside] > 0)
    assert np.all(result[x < span.low - 2.0**-15] == 0)
    assert np.allclose(result[x > span.high + 2.0**-15], base**span.high, rtol=2.0**-16)
    assert base**span.high > 2.0**16.9


POSITIVE = {
    "sqrt": (np.sqrt, np.sqrt, 2.0**-17),
    "rsqrt": (functions.rsqrt, lambda x: x**-0.5, 2.0**-17),
    "log": (np.log, np.log, 0.0),
    "log2": (np.log2, np.log2, 0.0),
    "log10": (np.log10, np.log10, 0.0),
}


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", POSITIVE)
def test_functions_of_positive_numbers(name, protocol, large, monkeypatch):
    monkeypatch.setattr(normalising, "fewest_rounds", lambda *args: not large)
    function, reference, relative = POSITIVE[name]
    x = positives(count=1000 if large else 2500)
    result = evaluate(function, x, protocol=protocol)
    if name in ("sqrt", "rsqrt"):
        check(result, reference(x), 1.25, relative)
        assert np.all(result > 0)
    else:
        assert np.all(np.abs(result - reference(x)) <= 1.4 * 2.0**-16)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_reciprocals(protocol, large, monkeypatch):
    monkeypatch.setattr(normalising, "fewest_rounds", lambda *args: not large)
    x = positives(count=1000)
    x = np.concatenate([x, -x])
    result = evaluate(np.reciprocal, x, protocol=protocol)
    check(result, 1 / x, 1.25, 2.0**-17)
    assert np.all(result[np.abs(x) <= 2.0**17] != 0)
    assert np.all(np.abs(result[np.abs(x) > 2.0**17]) == 0)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_quotients_are_as_good_for_any_divisor(protocol, large, monkeypatch):
    monkeypatch.setattr(normalising, "fewest_rounds", lambda *args: not large)
    random = np.random.default_rng(0)
    a, b = (np.rint(np.exp2(random.uniform(-16, 29, 4000)) * 2**16) / 2**16 * random.choice([-1, 1], 4000) for _ in "ab")
    a[:3], b[:3] = [0, 0, 2.0**-16], [2.0**-16, 5, 2.0**29]
    fits = np.abs(a / b) < 2.0**20
    result = evaluate(np.divide, a[fits], b[fits], protocol=protocol)
    assert np.all(np.abs(result - a[fits] / b[fits]) <= 1.3 * 2.0**-16 + np.abs(a[fits] / b[fits]) * 2.0**-17)
    result = evaluate(lambda y: 1000 / y, b[np.abs(b) > 0.01], protocol=protocol)
    check(result, 1000 / b[np.abs(b) > 0.01], 1.3, 2.0**-17)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_waves_without_end(protocol):
    x = reals()
    small = np.abs(x) < 2.0**20
    for function in (np.sin, np.cos):
        result = evaluate(function, x, protocol=protocol)
        check(result[small], function(x[small]), 1.1)
        check(result, function(x), 2.0)
    x = np.linspace(-1.4, 1.4, 500)
    x = grid([x])
    assert np.all(np.abs(evaluate(np.tan, x, protocol=protocol) - np.tan(x)) <= 2.0**-15 * (1 + np.tan(x) ** 2))


@pytest.mark.parametrize("f", [8, 12, 20, 24])
def test_other_numbers_of_fraction_bits(f):
    x = reals(f)[::5]
    for name in ("expit", "gelu", "softplus"):
        function, reference = BOUNDED[name]
        check(evaluate(function, x, f=f), reference(x), 2.6, f=f)
    small = grid([np.linspace(-10, 6, 1000)], f)
    check(evaluate(np.exp, small, f=f), np.exp(small), 2, 2.0**-15, f=f)
    check(evaluate(np.sin, small, f=f), np.sin(small), 1.2 if f <= 20 else 1.4, f=f)
    y = positives(f, 600)
    y = y[y < 2.0 ** (62 - 2 * f - 1)]
    for function, reference in [(np.sqrt, np.sqrt), (functions.rsqrt, lambda y: y**-0.5), (np.reciprocal, np.reciprocal)]:
        check(evaluate(function, y, f=f), reference(y), 4, 2.0**-15, f=f)
    assert np.max(np.abs(evaluate(np.log, y, f=f) - np.log(y))) <= (2 if f <= 20 else 2.0 ** (f - 18)) * 2.0**-f
    a, b = y[::-1], y + 1
    fits = a / b < 2.0 ** min(17, 62 - 2 * f - 1)
    check(evaluate(np.divide, a[fits], b[fits], f=f), (a / b)[fits], 4, 2.0**-15, f=f)


@pytest.mark.parametrize("parties", [3, 5])
def test_more_parties(parties):
    x = positives(count=200)
    for function, reference in [(np.reciprocal, np.reciprocal), (np.log, np.log), (np.tanh, np.tanh), (np.sin, np.sin)]:
        check(evaluate(function, x[x < 2.0**20], parties=parties), reference(x[x < 2.0**20]), 2, 2.0**-15)
    x = grid([np.linspace(-13, 11, 300)])
    check(evaluate(np.exp, x, parties=parties), np.exp(x), 2, 2.0**-18)
    check(evaluate(np.divide, x, x + 14, parties=parties), x / (x + 14), 1.3, 2.0**-17)


SHAPES = [(), (0,), (1,), (3, 0), (2, 1, 3)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_shapes(shape, protocol):
    x = np.full(shape, 1.5)
    for name, function in [("tanh", np.tanh), ("exp", np.exp), ("sqrt", np.sqrt), ("log", np.log), ("cos", np.cos)]:
        result = evaluate(function, x, protocol=protocol)
        assert np.shape(result) == shape, name
        assert np.allclose(result, function(x), atol=1e-4)
    assert np.allclose(evaluate(np.reciprocal, x, protocol=protocol), 1 / x, atol=1e-4)
    assert np.allclose(evaluate(lambda y: 3 / y, x, protocol=protocol), 3 / x, atol=1e-4)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_products_and_integers_are_operands_too(protocol):
    x = grid([np.linspace(-3, 3, 50)])
    for function, reference in [(np.tanh, np.tanh), (np.exp, np.exp), (np.sin, np.sin), (functions.gelu, BOUNDED["gelu"][1])]:
        check(evaluate(lambda t, g=function: g(t * t), x, protocol=protocol), reference(x * x), 2, 2.0**-15)
    n = np.arange(1, 40)
    for function in (np.sqrt, np.log, np.exp2, np.tanh, np.reciprocal, np.cos):
        expected = function(n.astype(float))
        fits = expected < 2.0**16
        check(evaluate(function, n[fits], protocol=protocol), expected[fits], 2, 2.0**-16)
    check(evaluate(np.divide, n, n[::-1].copy(), protocol=protocol), n / n[::-1], 2, 2.0**-16)


OUTSIDE = {
    "sqrt": (np.sqrt, [-1.0, -(2.0**29)], 0.0),
    "rsqrt": (functions.rsqrt, [0.0, -1.0, -(2.0**29)], 0.0),
    "log": (np.log, [0.0, -1.0, -(2.0**29)], np.log(2.0**-16)),
    "log2": (np.log2, [0.0, -1.0], -16.0),
    "reciprocal": (np.reciprocal, [0.0], 0.0),
    "divide": (lambda x: 5 / x, [0.0], 0.0),
    "power": (lambda x: x**0.75, [-1.0, -3.0], 0.0),
}


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("name", OUTSIDE)
def test_outside_of_the_domain(name, large, monkeypatch):
    monkeypatch.setattr(normalising, "fewest_rounds", lambda *args: not large)
    function, values, expected = OUTSIDE[name]
    assert np.allclose(evaluate(function, np.array(values)), expected, atol=2.0**-15)
    for value in values:
        with pytest.raises(mpc.errors.RangeError, match=f"'{name}'"):
            evaluate(function, np.array([1.0, value]), protocol="plaintext")
