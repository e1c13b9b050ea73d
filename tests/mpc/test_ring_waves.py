"""Harmonics in fixed point against extended precision, compiled and not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpc.ring import waves
from mpc.ring.waves import fixed, harmonics, wave_sums
from mpc.testing import RING_EDGES

PI = np.longdouble("3.14159265358979323846264338327950288")
SIZES = st.one_of(st.integers(0, 20), st.sampled_from([63, 64, 65, 130]))


@pytest.fixture(params=["numpy", "compiled"], scope="module")
def path(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waves, "SMALL", 0 if request.param == "compiled" else 1 << 62)
        yield request.param


def words(size, seed=0):
    random = np.random.default_rng(seed)
    drawn = random.integers(0, 2**64, size, np.uint64) >> random.integers(0, 64, size).astype(np.uint64)
    return np.where(random.random(size) < 0.2, random.choice(np.array(RING_EDGES, np.uint64), size), drawn)


def exact(array, period, count):
    """cos and sin of k w z in extended precision, the angle reduced by integers."""
    k = np.arange(1, count + 1, dtype=np.uint64)[:, None]
    turn = (k * (array.ravel() << np.uint64(64 - period))).view(np.int64).astype(np.longdouble) * 2 * PI / 2**64
    return np.stack([np.cos(turn), np.sin(turn)])


def allowed(count, fraction):
    """Half a unit in the last place, and what three roundings of an angle up to k pi give: below k 2^-49."""
    return (0.5 + np.ldexp(np.arange(1, count + 1), fraction - 49))[:, None]


def test_extended_precision_is_more_than_double():
    assert np.finfo(np.longdouble).nmant > 60


def test_harmonics_are_rounded_to_nearest(path):
    @settings(max_examples=60)
    @given(SIZES, st.integers(1, 64), st.integers(0, 12), st.integers(0, 50), st.integers(0, 99))
    def check(size, period, count, fraction, seed):
        array = words(size, seed)
        result = harmonics(array, period, count, fraction)
        assert result.dtype == np.uint64
        assert result.shape == (2, count, size)
        errors = np.abs(result.view(np.int64) - np.ldexp(exact(array, period, count), fraction))
        assert np.max(errors / allowed(count, fraction), initial=0) <= 1

    check()


def test_sums_are_those_of_the_difference(path):
    """With the harmonics of r dealt, the sums are of z - r, within what is rounded."""

    @settings(max_examples=60)
    @given(SIZES, st.integers(1, 64), st.integers(0, 9), st.integers(1, 3), st.integers(0, 24), st.integers(0, 99))
    def check(size, period, count, rows, fraction, seed):
        random = np.random.default_rng(seed)
        z, r = words(size, seed), words(size, seed + 1)
        c, d = random.uniform(-2, 2, (2, rows, count))
        sums = wave_sums(z, period, harmonics(r, period, count, fraction), c, d, fraction)
        assert sums.shape == (rows, size)
        cos, sin = exact(z - r, period, count)
        expected = np.ldexp(c @ cos.astype(float) + d @ sin.astype(float), 2 * fraction)
        noise = (np.abs(c) + np.abs(d) + 1).sum(axis=1)[:, None] * 2.0**fraction * (1 + 2.0 ** (fraction - 44))
        assert np.all(np.abs(sums.view(np.int64) - expected) <= noise + 1)

    check()


def test_sums_are_linear_in_what_is_dealt(path):
    """Of shares modulo 2^64: their sums add up exactly."""
    z, random = words(130), np.random.default_rng(3)
    c, d = random.uniform(-2, 2, (2, 2, 5))
    first, second = random.integers(0, 2**64, (2, 2, 5, 130), np.uint64)
    results = [wave_sums(z, 24, dealt, c, d, 20) for dealt in (first, second, first + second)]
    assert np.array_equal(results[0] + results[1], results[2])


def test_both_paths_agree_to_the_last_place(monkeypatch):
    z, random = words(700), np.random.default_rng(4)
    c, d = random.uniform(-2, 2, (2, 2, 8))
    results = []
    for small in (1 << 62, 0):
        monkeypatch.setattr(waves, "SMALL", small)
        dealt = harmonics(words(700, 1), 40, 8, 15)
        results.append((dealt.view(np.int64), wave_sums(z, 40, dealt, c, d, 15).view(np.int64)))
    (one, sums), (other, other_sums) = results
    assert np.max(np.abs(one - other)) <= 1
    assert np.max(np.abs(sums - other_sums)) <= 2 * 8 * 2**15


def test_shapes_and_strides(path):
    array = words(60).reshape(3, 20)
    for view in (array, array.T, array[::-1, ::2], array[0, 0]):
        shape = np.shape(view)
        view = np.asarray(view)
        result = harmonics(view, 30, 4, 20)
        assert result.shape == (2, 4, *shape)
        flat = harmonics(view.copy().ravel(), 30, 4, 20)
        assert np.array_equal(result.reshape(2, 4, -1), flat)
        sums = wave_sums(view, 30, result, np.ones((2, 4)), np.ones((2, 4)), 20)
        assert sums.shape == (2, *shape)
        assert np.array_equal(sums.reshape(2, -1), wave_sums(view.copy().ravel(), 30, flat, np.ones((2, 4)), np.ones((2, 4)), 20))


def test_fixed_rounds_to_nearest_and_keeps_the_sign():
    values = np.array([0.0, 0.49, 0.51, -0.49, -0.51, 1.5, 2.5, -3.2, 2.0**62, -(2.0**62)])
    assert fixed(values).view(np.int64).tolist() == [0, 0, 1, 0, -1, 2, 2, -3, 2**62, -(2**62)]
    assert fixed(1.25) == 1
    assert fixed(-1.0) == 2**64 - 1
