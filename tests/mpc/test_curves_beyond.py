"""Values beyond a function's domain, and results next to 0: what the docstrings promise of them."""

from types import SimpleNamespace

import numpy as np
import pytest

import mpc
from mpc import functions
from mpc.tensor.curves.roots import positive

FAR = np.array([2.0**30, 2.0**31, 12.8e9, 2.0**40, 2.0**45.9, -(2.0**30), -(2.0**31), -(2.0**45), 2.0**20, 2.0**27])
FAR = np.concatenate([FAR, [2.0**32 + 1024, -(2.0**32) - 1024], 2.0 ** np.linspace(28, 45.9, 40) * np.resize([1, -1], 40)])


def evaluate(function, x, f=16, protocol="additive", doublings=0):
    """function of x, which is reached by sums where it is beyond what inputs may be."""

    def program(party):
        t = party.input(x / 2.0**doublings if party.index == 0 else None, 0)
        for _ in range(doublings):
            t = t + t
        return function(t).reveal()

    return mpc.simulate(program, protocol=protocol, fraction_bits=f, seed=1)[0]


SATURATING = {
    "sqrt": (np.sqrt, np.sqrt, 0.0),
    "rsqrt": (functions.rsqrt, lambda x: x**-0.5, 0.0),
    "log": (np.log, np.log, np.log),
    "log1p": (np.log1p, np.log, np.log),
    "log2": (np.log2, np.log2, np.log2),
    "log10": (np.log10, np.log10, np.log10),
    "reciprocal": (np.reciprocal, None, None),
}


@pytest.mark.parametrize("f", [8, 12, 16, 24])
@pytest.mark.parametrize("count", [50, 5000])
@pytest.mark.parametrize("name", SATURATING)
def test_beyond_the_domain(name, count, f):
    function, reference, negative = SATURATING[name]
    doublings = max(17, f + 8)
    x = np.resize(np.ldexp(np.rint(np.ldexp(FAR, f - doublings)), doublings - f), count)
    x = x[np.abs(x) < 2.0 ** (62 - f)]
    end = 2.0 ** (62 - 2 * f)
    if reference is None:
        expected = np.where(np.abs(x) < end, 1 / x, 0.0)
    else:
        below = negative(2.0**-f) if callable(negative) else negative
        expected = np.where(x > 0, reference(np.clip(x, 2.0**-f, end)), below)
    result = evaluate(function, x, f, doublings=doublings)
    relative = 2.0**-15 if f <= 20 or "log" not in name else 2.0**-12
    assert np.all(np.abs(result - expected) <= 3 * 2.0**-f + np.abs(expected) * relative)


@pytest.mark.parametrize("f", range(1, 29))
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_the_end_of_the_domain_is_in_the_last_bin(f, size):
    for scale in (f, 2 * f):

        def program(party, scale=scale):
            x = party.input(np.ones(1) if party.index == 0 else None, 0)
            return positive(SimpleNamespace(context=x.context, share=x.share, scale=scale, size=size), 0, "sqrt", 4)

        first = mpc.simulate(program, fraction_bits=f)[0][0]
        (end,) = first.beyond
        assert 1 << (first.top - first.step) <= end <= 1 << first.top


REFUSED = {
    "exp": lambda x: np.exp(x + 12),
    "exp2": lambda x: np.exp2(x + 17),
    "expm1": lambda x: np.expm1(x + 12),
    "power": lambda x: (x + 2000) ** 1.7,
    "power of a negative": lambda x: (x - 2) ** 1.7,
    "power to a negative": lambda x: (x - 1) ** -1.7,
    "power of a public base": lambda x: 3.0 ** (x + 11),
    "power of a fraction": lambda x: 0.5 ** (-x - 17),
    "power to -2": lambda x: (x / 65536) ** -2,
    "power to 3": lambda x: (x * 2000) ** 3,
    "power of a zero": lambda x: (x - 1) ** x,
    "power of secrets": lambda x: (x + 1000) ** (x + 1),
    "divide": lambda x: (x * 2.0**25) / (x * 2.0**-10),
    "cbrt": lambda x: np.cbrt(np.sum(x * np.full(8, 2.0**28))),
    "norm": lambda x: np.linalg.norm(x * 40000),
    "norm of many": lambda x: np.linalg.norm(np.broadcast_to(x * 12000, (30,))),
    "std": lambda x: np.std(np.concatenate([x, -x]) * 40000),
    "hypot": lambda x: np.hypot(x * 20000, 30000.0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_reference_names_the_function(name):
    with pytest.raises(mpc.errors.RangeError, match=f"'{name.split()[0]}'"):
        evaluate(REFUSED[name], np.ones(1), protocol="plaintext")


def test_the_reference_says_what_is_allowed():
    with pytest.raises(mpc.errors.RangeError, match="an input is 0, where it is not defined; all other inputs are allowed"):
        evaluate(np.reciprocal, np.zeros(1), protocol="plaintext")


@pytest.mark.parametrize("f", [8, 12, 16, 20])
def test_exponentials_saturate(f):
    x = np.array([8.0, 20.0, 30.0, 2.0 ** (61 - 2 * f)])
    for function, reference in ((np.exp, np.exp), (np.exp2, np.exp2), (np.expm1, np.exp)):
        result = evaluate(function, x, f)
        assert result[0] == pytest.approx(reference(8.0), rel=0.01)
        assert np.all(result[1:] > 2.0 ** min(16.9, 61.8 - 2 * f))
        assert np.ptp(result[2:]) == 0


@pytest.mark.parametrize("exponent", [0.001, 0.3, 0.75, 1.5, 7.3])
@pytest.mark.parametrize("f", [8, 16, 24])
@pytest.mark.parametrize("count", [3, 5000])
def test_powers_of_what_is_not_positive(exponent, f, count):
    x = np.resize([0.0, -(2.0**-f), -3.0, -(2.0**13), 1.0], count)
    result = evaluate(lambda t: t**exponent, x, f)
    assert np.all(result[x <= 0] == 0)
    assert np.all(np.abs(result[x > 0] - 1) < 2.0 ** (-6 if f < 16 else -11))
    assert np.all(evaluate(lambda t: t**exponent, np.zeros(3), f, "plaintext") == 0)


def test_negative_powers_of_what_is_not_positive():
    x = np.array([0.0, -(2.0**-16), -5.0, 4.0])
    assert np.allclose(evaluate(lambda t: t**-0.75, x), [2.0**12] * 3 + [4**-0.75], rtol=2.0**-14)


NOT_0 = {
    "expm1": (np.expm1, 1),
    "sin": (np.sin, 1),
    "tan": (np.tan, 1),
    "log1p": (np.log1p, 1),
    "tanh": (np.tanh, 1),
    "erf": (functions.erf, 1),
    "silu": (functions.silu, 2),
    "gelu": (functions.gelu, 2),
}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", NOT_0)
def test_one_unit_is_not_0(name, sign):
    function, units = NOT_0[name]
    f = 14 if name == "log1p" else 16  # where it would be
    result = evaluate(function, np.full(20000, sign * units * 2.0**-f), f)
    assert np.all(result * sign > 0)
    assert np.all(np.abs(result) <= (2 if name != "tan" else 3) * 2.0**-f)


@pytest.mark.parametrize("f", [8, 15, 16])
@pytest.mark.parametrize("n", [4000, 60000])
def test_a_quotient_of_one_unit_is_not_0(f, n):
    """For all sizes of the divisor, which has 3 bits of them; and 0 divided by anything is."""
    random, unit = np.random.default_rng(f), 2.0**-f
    b = np.rint(np.exp2(random.uniform(0, min(62 - 2 * f, 30), n)) / unit) * unit
    a = np.ceil(b * random.uniform(1, 1.05, n)) * unit
    a, b = a * random.choice([-1, 1], n), b * random.choice([-1, 1], n)

    def program(party):
        x, y = (party.input(v if party.index == 0 else None, 0) for v in (a, b))
        return party.reveal(x / y, (x - x) / y)

    quotient, zero = mpc.simulate(program, fraction_bits=f)[0]
    assert np.all(quotient * a * b > 0)
    assert np.all(np.abs(quotient - a / b) <= (1.3 if f % 2 == 0 else 1.55) * unit)
    assert np.all(zero == 0)
