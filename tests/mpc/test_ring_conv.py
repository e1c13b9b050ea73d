"""mpc.ring.conv2d against a sum over windows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from mpc import ring
from mpc.ring import conv


def uniform(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 2**64, shape, dtype=np.uint64)


def reference(x, w, stride, padding, dilation, groups):
    (sy, sx), (py, px), (dy, dx) = stride, padding, dilation
    x = np.pad(x, ((0, 0), (0, 0), (py, py), (px, px)))
    reach = (w.shape[2] - 1) * dy + 1, (w.shape[3] - 1) * dx + 1
    windows = sliding_window_view(x, reach, axis=(2, 3))[:, :, ::sy, ::sx, ::dy, ::dx]
    windows = windows.reshape(x.shape[0], groups, w.shape[1], *windows.shape[2:])
    filters = w.reshape(groups, w.shape[0] // groups, *w.shape[1:])
    result = np.einsum("ngchwij,gocij->ngohw", windows, filters)
    return result.reshape(x.shape[0], w.shape[0], *result.shape[3:])


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), pairs,
    pairs, st.tuples(st.integers(0, 2), st.integers(0, 2)), pairs,
    st.tuples(st.integers(7, 12), st.integers(7, 12)),
)  # fmt: skip
def test_every_parameter(n, channels, filters, groups, kernel, stride, padding, dilation, image):
    x = uniform((n, channels * groups, *image), 1)
    w = uniform((filters * groups, channels, *kernel), 2)
    result = ring.conv2d(x, w, stride, padding, dilation, groups)
    assert result.shape == ring.conv2d_shape(x.shape, w.shape, stride, padding, dilation, groups)
    assert result.flags.owndata or result.base.flags.owndata
    assert result.flags.writeable
    np.testing.assert_array_equal(result, reference(x, w, stride, padding, dilation, groups))


@pytest.mark.parametrize("budget", [1, 3000, 1 << 20])
def test_blocks_of_windows(monkeypatch, budget):
    """Whole batches, parts of a batch, and single rows of the result are unfolded at a time."""
    monkeypatch.setattr(conv, "UNFOLDED", budget)
    x, w = uniform((5, 4, 13, 11), 1), uniform((6, 2, 3, 3), 2)
    expected = reference(x, w, (1, 1), (1, 1), (1, 1), 2)
    np.testing.assert_array_equal(ring.conv2d(x, w, padding=1, groups=2), expected)


def test_strided_and_read_only_operands():
    x, w = uniform((3, 12, 10, 5), 1), uniform((3, 3, 5, 7), 2)
    x, w = x.transpose(0, 3, 1, 2)[:, :, ::-1], w.transpose(3, 2, 0, 1)
    x.flags.writeable = w.flags.writeable = False
    before = x.copy()
    np.testing.assert_array_equal(ring.conv2d(x, w), reference(x, w, (1, 1), (0, 0), (1, 1), 1))
    np.testing.assert_array_equal(x, before)


def test_one_by_one_filter():
    x, w = uniform((4, 20, 9, 9), 1), uniform((30, 20, 1, 1), 2)
    expected = np.einsum("nchw,oc->nohw", x, w[:, :, 0, 0])
    np.testing.assert_array_equal(ring.conv2d(x, w), expected)


@pytest.mark.parametrize(
    ("x", "w", "options"),
    [
        ((1, 3, 8, 8), (4, 2, 3, 3), {}),
        ((1, 3, 8, 8), (4, 1, 3, 3), {"groups": 3}),
        ((1, 3, 2, 8), (4, 3, 3, 3), {}),
        ((3, 8, 8), (4, 3, 3, 3), {}),
        ((1, 3, 8, 8), (4, 3, 0, 3), {}),
    ],
)
def test_shapes_that_do_not_fit(x, w, options):
    for call in (
        lambda: ring.conv2d_shape(x, w, **options),
        lambda: ring.conv2d(np.zeros(x, np.uint64), np.zeros(w, np.uint64), **options),
    ):
        with pytest.raises(ValueError) as error:
            call()
        assert str(x) in str(error.value)
        assert str(w) in str(error.value)


@pytest.mark.parametrize("options", [{"stride": 0}, {"padding": -1}, {"dilation": (1, 0)}, {"groups": 0}])
def test_parameters_out_of_range(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        ring.conv2d_shape((1, 1, 8, 8), (1, 1, 3, 3), **options)


def test_other_dtypes_are_refused():
    with pytest.raises(TypeError, match="int64"):
        ring.conv2d(np.zeros((1, 1, 4, 4), np.int64), np.zeros((1, 1, 3, 3), np.uint64))
