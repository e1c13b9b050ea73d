"""Packed booleans."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mpc.ring import bits


@given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9)))
def test_unpack_inverts_pack(values):
    packed = bits.pack(values)
    assert packed.shape == (-(-values.size // 8),)
    restored = bits.unpack(packed, values.shape)
    assert restored.dtype == np.bool_
    assert restored.flags.writeable
    np.testing.assert_array_equal(restored, values)


@given(st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_packing_is_linear(size, seed):
    x, y = np.random.default_rng(seed).integers(0, 2, (2, size)).astype(bool)
    np.testing.assert_array_equal(bits.pack(x) ^ bits.pack(y), bits.pack(x ^ y))


def test_first_bit_is_the_lowest():
    assert bits.pack(np.array([True, False, False, False, False, False, False, False, True])).tolist() == [
        1,
        1,
    ]


def test_transposed_input_is_packed_in_c_order():
    values = np.arange(15).reshape(3, 5) % 2 == 0
    np.testing.assert_array_equal(bits.pack(values.T), bits.pack(values.T.copy()))


def test_wrong_arguments():
    with pytest.raises(TypeError, match="int64"):
        bits.pack(np.zeros(3, np.int64))
    with pytest.raises(TypeError, match="int64"):
        bits.unpack(np.zeros(1, np.int64), (3,))
    with pytest.raises(ValueError, match="2 bytes"):
        bits.unpack(np.zeros(1, np.uint8), (3, 3))
