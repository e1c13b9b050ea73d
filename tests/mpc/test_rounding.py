"""Rounding, and quotients and remainders by public divisors, against NumPy: exact on the whole range, at the stated cost."""

import operator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mpc.errors import RangeError, UsageError
from mpc.testing import RING_EDGES, simulate

PROTOCOLS = [("plaintext", 1), ("additive", 2), ("additive", 3), ("additive", 5)]
MANY = settings(max_examples=30, deadline=None)
TOP = 1 << 46  # inputs, in units in the last place
NEAR = [d for v in (0, 1 << 15, 1 << 16, 3 << 15, TOP - 2) for d in (v - 1, v, v + 1)]
WORDS = st.one_of(st.sampled_from(NEAR), st.integers(0, TOP - 1)).flatmap(lambda k: st.sampled_from([k, -k]))
FLOATS = WORDS.map(lambda k: k * 2.0**-16)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


def run(functions, *inputs, protocol="additive", parties=2, **options):
    """Each function of the secrets, revealed; some give several results."""

    def program(party):
        secrets = [party.input(x if party.index == 0 else None, 0) for x in inputs]
        results = []
        for function in functions:
            result = function(*secrets)
            results += result if isinstance(result, tuple) else [result]
        return party.reveal(*results)

    return simulate(program, parties=parties, protocol=protocol, **options).results[0]


def check(functions, *inputs, **options):
    """Every result is that of the same function of the arrays."""
    expected = []
    for function in functions:
        result = function(*inputs)
        expected += result if isinstance(result, tuple) else [result]
    for number, (result, wanted) in enumerate(zip(run(functions, *inputs, **options), expected, strict=True)):
        wanted = np.asarray(wanted)
        assert (np.shape(result), np.asarray(result).dtype) == (wanted.shape, wanted.dtype), (number, inputs)
        assert np.array_equal(result, wanted), (number, inputs)


WHOLE = [np.floor, np.ceil, np.trunc, np.fix, np.modf]


@MANY
@given(hnp.arrays(np.float64, SHAPES, elements=FLOATS))
def test_whole_numbers(x):
    for protocol, parties in PROTOCOLS[:2]:
        check(WHOLE, x, protocol=protocol, parties=parties)
        rounded, around, integers = run(
            [np.rint, lambda t: t.round(), lambda t: t.astype(int)], x, protocol=protocol, parties=parties
        )
        assert np.array_equal(rounded, np.floor(x + 0.5))
        assert np.array_equal(around, np.floor(x + 0.5))
        assert np.array_equal(integers, x.astype(np.int64))
        assert np.asarray(integers).dtype == np.int64


EDGES = np.array(sorted({s * v for v in NEAR for s in (1, -1)})) * 2.0**-16
DIVISORS = [1, 2, 3, 10, 0.5, 2.0**-16, -1.5, -4, 1000, 12345.75]


@pytest.mark.parametrize(("protocol", "parties"), PROTOCOLS)
def test_edges(protocol, parties):
    small = EDGES[np.abs(EDGES) < 2**29]
    check(WHOLE, EDGES, protocol=protocol, parties=parties)
    for d in (2, 0.5, -8.0, 2.0**20):
        check([lambda t: t // d, lambda t: t % d, lambda t: np.fmod(t, d)], EDGES, protocol=protocol, parties=parties)
    for d in (3, -2.5, 2.0**12 - 2.0**-16):
        check([lambda t: divmod(t, d), lambda t: np.fmod(t, d)], small, protocol=protocol, parties=parties)


@pytest.mark.parametrize("mask", RING_EDGES)
def test_whatever_the_mask(mask):
    check([*WHOLE, lambda t: t // 4, lambda t: t % 3], EDGES, insecure_masks=mask)
    check([lambda t: t // 7, lambda t: t % 8], np.arange(-9, 9), insecure_masks=mask)


@pytest.mark.parametrize("f", [1, 8, 28])
@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
def test_other_fraction_bits(protocol, f):
    top = 1 << min(62 - f, 45)
    x = np.array([0, 1, -1, (1 << f) - 1, 1 << f, 1 - (1 << f), 3 << (f - 1), top - 1, 1 - top]) * 2.0**-f
    check([*WHOLE, lambda t: t // 2, lambda t: t % 4, lambda t: divmod(t, 3)], x, protocol=protocol, fraction_bits=f)


@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
def test_a_product_is_rounded_with_all_of_its_digits(protocol):
    unit = 2.0**-16
    x = np.array([1.0 - unit, -unit, unit, 3.0, 2.0**14, -(2.0**14) + unit])
    y = np.array([1.0 + unit, unit, unit, 1.0, 2.0**15, 2.0**15 - unit])
    functions = [lambda a, b, f=f: f(a * b) for f in (np.floor, np.ceil, np.trunc)] + [lambda a, b: a * b // 2]
    exact = [Fraction(a) * Fraction(b) for a, b in zip(x, y)]
    expected = [
        [p.__floor__() for p in exact],
        [p.__ceil__() for p in exact],
        [p.__trunc__() for p in exact],
        [p // 2 for p in exact],
    ]
    for result, wanted in zip(run(functions, x, y, protocol=protocol), expected, strict=True):
        assert np.array_equal(result, np.array(wanted, float))


# ---------------------------------------------------------------------------------------- quotients

SMALL = st.integers(1 - (1 << 45), (1 << 45) - 1)
FACTORS = st.one_of(st.integers(1, (1 << 29) - 1), st.sampled_from([3, 5, 7, 10, (1 << 29) - 1, (1 << 28) + 1, 1 << 40, 3 << 20]))


@MANY
@given(x=hnp.arrays(np.int64, 8, elements=SMALL), d=FACTORS, k=st.integers(-(1 << 14), 1 << 14), negative=st.booleans())
def test_quotients_of_integers(x, d, k, negative):
    """Also next to the multiples of the divisor, where a quotient changes."""
    x[:3] = np.clip(k * d, 4 - (1 << 45), (1 << 45) - 4) + np.array([-1, 0, 1])
    x[3:6] = ((1 << 45) // d - abs(k)) * d * (-1 if k % 2 else 1) + np.array([-1, 0, 1])
    x = np.clip(x, 1 - (1 << 45), (1 << 45) - 1)
    d = -d if negative else d
    functions = [lambda t: t // d, lambda t: t % d, lambda t: np.fmod(t, d), lambda t: divmod(t, d), lambda t: np.divmod(t, d)]
    for protocol, parties in PROTOCOLS[:2]:
        check(functions, x, protocol=protocol, parties=parties)


@MANY
@given(
    x=hnp.arrays(np.float64, 8, elements=SMALL.map(lambda k: k * 2.0**-16)),
    d=st.one_of(st.sampled_from(DIVISORS), st.integers(1, (1 << 29) - 1).map(lambda k: k * 2.0**-16)),
)
def test_quotients_of_floats(x, d):
    functions = [lambda t: t // d, lambda t: t % d, lambda t: np.fmod(t, d), lambda t: np.mod(t, -d)]
    for protocol, parties in PROTOCOLS[:2]:
        check(functions, x, protocol=protocol, parties=parties)


def test_several_divisors_and_kinds():
    x, i = np.array([[7.5, -7.5, 100.25], [0.0, -1.0, 2.0**28]]), np.array([[7, -7, 100], [0, -1, 12345]])
    d, e = np.array([2.0, -3.0, 0.75]), np.array([[4], [10]])
    functions = [
        lambda t: t // d,
        lambda t: t % d,
        lambda t: np.fmod(t, d),
        lambda t: t // e,
        lambda t: t % e,
        lambda t: t[0] // e,
        lambda t: t[:0] // 3,
        lambda t: t[0, 0] % np.array([2, 3, 5]),
        lambda t: t // 2.0,
        lambda t: t // np.uint8(3),
    ]
    for protocol in ("plaintext", "additive"):
        check(functions, x, protocol=protocol)
        check([*functions, np.floor, np.ceil, np.trunc, np.round, np.rint], i, protocol=protocol)


def test_pythons_round():
    values = np.array([0.4, -1.6, 17.2])
    for result, expected in zip(
        run([round, lambda t: round(t, -1), lambda t: pow(t, 2)], values), [[0, -2, 17], [0, 0, 20], values**2], strict=True
    ):
        assert np.allclose(result, expected, rtol=0, atol=2**-10)


def test_rounding_to_tens():
    x, i = np.array([14.9, 15.0, -15.0, 1249.0, 0.0]), np.array([14, 16, -15, 1249, 5])
    functions = [lambda t: np.round(t, -1), lambda t: np.around(t, decimals=-2), lambda t: np.round(t, 0)]
    for inputs, kind in ((x, np.float64), (i, np.int64)):
        tens, hundreds, ones = run(functions, inputs)
        for result, step in ((tens, 10), (hundreds, 100), (ones, 1)):
            assert result.dtype == kind
            assert np.array_equal(result, np.floor(inputs / step + 0.5) * step)


# ---------------------------------------------------------------------------------------- cost and refusals

K = 64


@pytest.mark.parametrize(
    ("function", "rounds", "nbytes"),
    [
        (np.floor, 3, 8.875),
        (np.ceil, 3, 8.875),
        (np.rint, 3, 8.875),
        (np.trunc, 6, 30.125),
        (lambda t: t // 1, 3, 8.875),
        (lambda t: t // 2, 4, 10.125),
        (lambda t: t % 0.5, 3, 8.875),
        (lambda t: t // 3, 8, 27.0),
        (lambda t: t % 10, 9, 29.375),
        (lambda t: np.floor(t * t), 5, 18.125),
    ],
)
def test_rounds_and_bytes_of_floats(function, rounds, nbytes, cost):
    assert cost(function, np.linspace(-9, 9, K)) == (rounds, nbytes * K)


@pytest.mark.parametrize(
    ("function", "rounds", "nbytes"),
    [
        (np.floor, 0, 0),
        (np.round, 0, 0),
        (lambda t: t // 1, 0, 0),
        (lambda t: t // 8, 3, 8.375),  # a floor by 3 bits: 2 digits
        (lambda t: t % 3, 5, 18.125),
        (lambda t: t % 10, 5, 19.25),
        (lambda t: t % (2**29 - 1), 5, 20.375),
        (lambda t: t % np.repeat([5, 6, 7, 5], K // 4), 5, 19.25),
    ],
)
def test_rounds_and_bytes_of_integers(function, rounds, nbytes, cost):
    assert cost(function, np.arange(K)) == (rounds, nbytes * K)


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        (lambda x: x // 0, RangeError, "floor_divide.*division by zero"),
        (lambda x: x % 0.1, RangeError, "remainder.*multiples of 2\\^-16"),
        (lambda x: x % np.nan, RangeError, "multiples"),
        (lambda x: x % np.inf, RangeError, "multiples"),
        (lambda x: x // 2.0**46, RangeError, "below 2\\^46"),
        (lambda x: x // (2**13 + 2.0**-16), RangeError, "odd part"),
        (lambda x: x // x, UsageError, "divisor must be public"),
        (lambda x: 7 // x, UsageError, "divisor must be public"),
        (lambda x: np.fmod(7, x), UsageError, "divisor must be public"),
        (lambda x: np.floor(x > 0), UsageError, "floor"),
        (lambda x: np.round(x, 2), UsageError, "decimals=2"),
        (lambda x: round(x, 2), UsageError, "decimals=2"),
        (lambda x: pow(x, 2, 5), UsageError, "pow: a modulus"),
        (lambda x: x // "2", UsageError, "floor_divide"),
    ],
)
def test_refused(function, error, words):
    with pytest.raises(error, match=words):
        run([function], np.ones(2), protocol="plaintext", parties=1)


def test_the_plaintext_protocol_finds_what_is_out_of_range():
    for function in (operator.floordiv, operator.mod, np.fmod):
        name = {"floordiv": "floor_divide", "mod": "remainder", "fmod": "fmod"}[function.__name__]
        with pytest.raises(RangeError, match=f"'{name}'"):
            run([lambda t, f=function: f(t, 3)], np.array([1 << 45]), protocol="plaintext", parties=1)
