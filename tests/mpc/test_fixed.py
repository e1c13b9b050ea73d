"""Fixed point: rounding, the range and its errors."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mpc
from mpc import fixed

EVERY_SCALE = pytest.mark.parametrize("scale", [0, 1, 2, 8, 16, 28, 32])


def nearest_even(value: Fraction) -> int:
    return round(value)  # of Python's fractions: halves to even


def signed(words):
    return [int(w) for w in words.view(np.int64)]


@EVERY_SCALE
def test_rounding_near_every_edge(scale):
    # Around each half: exactly on it, and the floats next to it.
    halves = np.ldexp(np.arange(-41, 42) / 2, -scale)
    values = np.concatenate([halves, np.nextafter(halves, np.inf), np.nextafter(halves, -np.inf)])
    words = fixed.encode(values, scale, fixed.RAW_BOUND / 2.0**scale, "test")
    assert signed(words) == [nearest_even(Fraction(float(v)) * 2**scale) for v in values]


@given(st.floats(-(2.0**30), 2.0**30, exclude_min=True, exclude_max=True), st.sampled_from([8, 16]))
def test_rounding_of_any_float(value, scale):
    (word,) = signed(fixed.encode(np.array([value]), scale, 2.0**30, "test"))
    assert word == nearest_even(Fraction(value) * 2**scale)
    assert float(fixed.decode(np.array([word]).view(np.uint64), scale)[0]) == word / 2**scale


@given(st.integers(-(2**62) + 1, 2**62 - 1))
def test_every_integer_is_exact(value):
    words = fixed.encode(np.array([value]), 0, fixed.RAW_BOUND, "test")
    assert fixed.decode(words, 0).tolist() == [value]


@pytest.mark.parametrize("f", [1, 8, 16, 28])
def test_the_bound_is_where_it_is_said_to_be(f):
    bound = fixed.input_bound(f)
    assert bound == 2.0 ** (62 - 2 * f)
    inside = np.array([np.nextafter(bound, 0), -np.nextafter(bound, 0)])
    assert np.array_equal(fixed.decode(fixed.encode(inside, f, bound, "test"), f), np.rint(inside * 2.0**f) / 2.0**f)
    for value in (bound, -bound, np.nextafter(bound, np.inf), 1e300):
        with pytest.raises(mpc.errors.RangeError, match=rf"^test: .*2\^{62 - 2 * f}\b"):
            fixed.encode(np.array([0.0, value]), f, bound, "test")


@pytest.mark.parametrize("value", [2**62, -(2**62), 2**63 - 1, -(2**63), 2**63, 2**64 - 1])
def test_integers_beyond_the_range(value):
    array = np.array([1, value], np.uint64 if value > 0 else np.int64)
    with pytest.raises(mpc.errors.RangeError, match=rf"{value} is beyond.*2\^62"):
        fixed.encode(array, 0, fixed.RAW_BOUND, "test")


@pytest.mark.parametrize(("value", "name"), [(np.nan, "NaN"), (np.inf, "infinite"), (-np.inf, "infinite")])
def test_what_is_no_number_has_no_word(value, name):
    with pytest.raises(mpc.errors.RangeError, match=f"1 of 2 values are {name}"):
        fixed.encode(np.array([1.0, value]), 16, 2.0**30, "test")


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g", ">f8", ">f4", "<f4"])
def test_every_float_type(dtype):
    values = np.array([1.5, -2.25, 0.0, -0.0, 1000.5], dtype)
    assert signed(fixed.encode(values, 4, 2.0**30, "test")) == [24, -36, 0, 0, 16008]


def test_a_long_double_beyond_float64_is_out_of_range():
    with pytest.raises(mpc.errors.RangeError):
        fixed.encode(np.array([np.finfo(np.longdouble).max]), 16, 2.0**30, "test")


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">i4", ">u8", "?"])
def test_every_integer_type(dtype):
    values = np.array([0, 1, 1], dtype)
    assert signed(fixed.encode(values, 3, 2.0**30, "test")) == [0, 8, 8]


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (2, 3)])
def test_shapes(shape):
    for values in (np.ones(shape), np.ones(shape, int), np.ones(shape).copy(order="F"), np.ones(shape)[..., None][..., 0]):
        words = fixed.encode(values, 4, 2.0**30, "test")
        assert words.shape == shape
        assert words.dtype == np.uint64
        assert np.array_equal(fixed.decode(words, 4), np.ones(shape))


# ------------------------------------------------------------------ public factors


@given(st.floats(1e-9, 2.0**29), st.integers(8, 20))
def test_a_factor_keeps_its_leading_bits_and_the_range(value, f):
    if value >= fixed.input_bound(f):
        return
    words, scale = fixed.encode_factor(np.array(value), value, 0, f, "test")
    encoded = Fraction(int(words)) / 2**scale
    error = abs(encoded - Fraction(value)) / Fraction(value)
    # f bits, but for factors so small that an operand of scale f has no room for them.
    room = Fraction(2) ** max(0, -(fixed.RAW_BITS - 2 * f) - math.frexp(value)[1])
    assert error <= room / 2**f
    # A product with an operand below the input bound stays in the range.
    assert int(words) * 2.0**f * fixed.input_bound(f) <= fixed.RAW_BOUND * max(1.0, value) * (1 + 2.0**-f)


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([3.0, -7.0], 0),
        ([0.5], 1),
        ([0.75, 2.0], 2),
        ([0.0], 0),
        ([], 0),
        ([2.0**-20], 20),
        ([0.1], 19),
        ([1.1], 16),
        ([0.1, 1.1], 16),
    ],
)
def test_factors_take_the_fewest_bits_that_are_exact(values, scale):
    array = np.array(values)
    words, taken = fixed.encode_factor(array, float(np.max(np.abs(array), initial=0)), 0, 16, "test")
    assert taken == scale
    assert np.all(np.abs(fixed.decode(words, 60) * 2.0**60 / 2.0**taken - array) <= 2.0 ** -(taken + 1))
