"""Bit planes, thermometers and look-ups against NumPy: every width, compiled and not."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mpc.ring import digits
from mpc.ring.digits import look_up, planes, row_bytes, thermometers
from mpc.testing import RING_EDGES

SIZES = st.one_of(st.integers(0, 80), st.sampled_from([504, 505, 511, 512, 513, 1023, 1024, 1025, 1600]))


@pytest.fixture(params=["numpy", "compiled"], scope="module")
def path(request):
    """Each test by each path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digits, "SMALL", 1 << 62)
        patch.setattr(digits, "loaded", lambda: request.param == "compiled")
        yield request.param


def words(size, seed=0):
    random = np.random.default_rng(seed)
    drawn = random.integers(0, 2**64, size, np.uint64) >> random.integers(0, 64, size).astype(np.uint64)
    return np.where(random.random(size) < 0.2, random.choice(np.array(RING_EDGES, np.uint64), size), drawn)


def bits_of(rows, size):
    """The rows of bits as booleans; what is beyond the size must be 0."""
    unpacked = np.unpackbits(rows, axis=-1, bitorder="little").astype(bool)
    assert not unpacked[..., size:].any()
    return unpacked[..., :size]


def digits_of(array, count, width):
    shifts = (np.arange(count) * width).astype(np.uint64)[:, None]
    return (array.ravel() >> shifts) & np.uint64((1 << width) - 1)


def shared(rows, seed):
    mask = np.random.default_rng(seed).integers(0, 256, rows.shape, np.uint8)
    return mask, rows ^ mask


@given(st.integers(0, 10**6))
@example(504)
@example(505)
def test_rows_hold_their_bits_in_whole_bytes_and_then_in_whole_words(size):
    nbytes = row_bytes(size)
    assert 0 <= 8 * nbytes - size < (8 if size <= 504 else 64)
    assert size <= 504 or nbytes % 8 == 0
    assert row_bytes(size + 1) >= nbytes


def test_planes_are_bits(path):
    @settings(max_examples=60)
    @given(SIZES, st.integers(1, 64), st.integers(0, 99))
    def check(size, count, seed):
        array = words(size, seed)
        rows = planes(array, count)
        assert rows.dtype == np.uint8
        assert rows.shape == (count, row_bytes(size))
        expected = (array >> np.arange(count, dtype=np.uint64)[:, None]) & np.uint64(1)
        assert np.array_equal(bits_of(rows, size), expected.astype(bool))

    check()


def test_thermometers_are_comparisons_with_every_digit(path):
    @settings(max_examples=60)
    @given(SIZES, st.integers(1, 8), st.data(), st.integers(0, 99))
    def check(size, width, data, seed):
        count = data.draw(st.integers(1, 64 // width))
        array = words(size, seed)
        rows = thermometers(array, count, width)
        steps = np.arange((1 << width) - 1, dtype=np.uint64)[None, :, None]
        assert rows.shape == (count, (1 << width) - 1, row_bytes(size))
        assert np.array_equal(bits_of(rows, size), digits_of(array, count, width)[:, None] > steps)

    check()


def test_look_up_compares_digits_of_public_words_with_shared_ones(path):
    @settings(max_examples=60)
    @given(SIZES, st.integers(1, 8), st.data(), st.integers(0, 99))
    def check(size, width, data, seed):
        count = data.draw(st.integers(1, 64 // width))
        secret, public = words(size, seed), words(size, seed + 1)
        public[::3] = secret[::3]
        parts = shared(thermometers(secret, count, width), seed)
        subtracted = words(data.draw(st.integers(1, 3)), seed + 2)
        bits = data.draw(st.integers(1, min(63, count * width)))
        mine, theirs = (look_up(part, public, width, k == 0, subtracted, bits) for k, part in enumerate(parts))
        for k, t in enumerate(subtracted):
            m, d = digits_of((public - t) & np.uint64((1 << bits) - 1), count, width), digits_of(secret, count, width)
            lt, eq = (np.unpackbits(mine[i][:, k] ^ theirs[i][:, k], axis=-1, bitorder="little", count=size) for i in (0, 1))
            assert np.array_equal(lt, m < d)
            assert np.array_equal(eq, m == d)
            above = np.unpackbits(mine[2][k], bitorder="little", count=size)
            assert np.array_equal(above, (public - t) >> np.uint64(bits) & np.uint64(1))

    check()


@pytest.mark.parametrize("size", [1, 70, 512, 1025])
def test_both_paths_give_the_same_rows(monkeypatch, size):
    """Not only the same bits: a share holds what is beyond the size too, and parties must agree on it."""
    array, public = words(size), words(size, 1)
    results = []
    monkeypatch.setattr(digits, "SMALL", 1 << 62)
    for loaded in (False, True):
        monkeypatch.setattr(digits, "loaded", lambda: loaded)  # noqa: B023 - used in this turn
        dealt = thermometers(array, 16, 4)
        mask = np.random.default_rng(5).integers(0, 256, dealt.shape, np.uint8)
        results.append([planes(array, 37), dealt, *look_up(mask, public, 4, True), *look_up(mask, public, 4, False)])
    for by_numpy, compiled in zip(*results, strict=True):
        assert np.array_equal(by_numpy, compiled)


@pytest.mark.parametrize("size", [30, 600])
def test_any_shape_and_any_strides_are_read_in_c_order(path, size):
    array = words(6 * size).reshape(6, size)
    for view in (array.T, array[::-2, ::3], array.reshape(2, 3, size).transpose(2, 0, 1), np.broadcast_to(array[0], (4, size))):
        assert np.array_equal(planes(view, 9), planes(view.copy().ravel(), 9))
        assert np.array_equal(thermometers(view, 3, 4), thermometers(view.copy().ravel(), 3, 4))
        dealt = thermometers(view, 3, 4)
        read_only = view.copy().ravel()
        read_only.flags.writeable = False
        for one, other in zip(look_up(dealt, view, 4, True), look_up(dealt, read_only, 4, True), strict=True):
            assert np.array_equal(one, other)


def test_other_dtypes_are_refused():
    for array in (np.zeros(3, np.int64), np.zeros(3, np.uint32), np.zeros(3)):
        for function in (lambda a: planes(a, 1), lambda a: thermometers(a, 1, 4), lambda a: look_up(None, a, 4, True)):
            with pytest.raises(TypeError, match=f"expected uint64, got {array.dtype}"):
                function(array)
