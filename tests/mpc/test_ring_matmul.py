"""mpc.ring.matmul against NumPy's own uint64 product."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpc import ring
from mpc.ring import cache, product

TOP = np.uint64(2**64 - 1)


def uniform(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 2**64, shape, dtype=np.uint64)


@pytest.fixture(scope="module", autouse=True)
def compiled():
    ring.prepare()


def layouts(shape, seed):
    """The same values as arrays that lie differently in memory."""
    x = uniform(shape, seed)
    wide = np.zeros((*shape[:-1], 3 * shape[-1] + 1), np.uint64)
    wide[..., 1::3] = x
    return {
        "C": x,
        "Fortran": np.asfortranarray(x),
        "transposed": np.ascontiguousarray(np.swapaxes(x, -1, -2)).swapaxes(-1, -2),
        "reversed": np.ascontiguousarray(x[..., ::-1, ::-1])[..., ::-1, ::-1],
        "strided": wide[..., 1::3],
        "read-only": np.frombuffer(x.tobytes(), np.uint64).reshape(shape),
    }


def check(a, b):
    """The product is right, owns its memory, and leaves the operands alone."""
    before = a.copy(), b.copy()
    result = ring.matmul(a, b)
    expected = a @ b
    assert result.dtype == np.uint64
    assert result.shape == expected.shape
    np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(a, before[0])
    np.testing.assert_array_equal(b, before[1])
    if result.ndim:
        assert result.flags.writeable
        assert not np.shares_memory(result, a)
        assert not np.shares_memory(result, b)


sizes = st.one_of(st.integers(1, 20), st.sampled_from([0, 1, 31, 64, 65, 100, 130, 300]))


@settings(max_examples=150, deadline=None)
@given(sizes, sizes, sizes, st.data())
def test_random_shapes_and_layouts(m, depth, n, data):
    a, b = layouts((m, depth), 1), layouts((depth, n), 2)
    check(a[data.draw(st.sampled_from(sorted(a)))], b[data.draw(st.sampled_from(sorted(b)))])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 200), st.integers(1, 60), st.data())
def test_every_kernel(m, depth, n, data):
    """Each compiled kernel on shapes that matmul would hand to another one."""
    kernels = cache.kernels()
    a, b = layouts((2, m, depth), 3), layouts((2, depth, n), 4)
    x, y = a[data.draw(st.sampled_from(sorted(a)))], b[data.draw(st.sampled_from(sorted(b)))]
    for kernel in filter(None, (kernels.vector, kernels.tiles)):
        c = np.zeros((2, m, n), np.uint64)
        kernel(x, y, c, product._scratch(kernels.scratch_words))
        np.testing.assert_array_equal(c, x @ y)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((300,), (300,)),
        ((5000,), (5000,)),
        ((500,), (500, 60)),
        ((70, 500), (500,)),
        ((6, 70, 500), (500,)),
        ((500,), (6, 500, 20)),
        ((3, 40, 50), (50, 60)),
        ((40, 50), (3, 50, 60)),
        ((3, 40, 50), (3, 50, 60)),
        ((2, 1, 40, 50), (5, 50, 60)),
        ((2, 3, 4, 20, 30), (3, 1, 30, 20)),
        ((2000, 3, 4), (2000, 4, 5)),
        ((300, 1), (1, 200)),
        ((4, 300, 1), (1, 200)),
        ((1, 700), (700, 1)),
        ((569, 30), (30, 1)),
        ((0, 4, 5), (5, 6)),
        ((3, 0), (0, 4)),
        ((0,), (0,)),
        ((0,), (0, 3)),
        ((600, 257), (257, 1100)),
    ],
)
def test_shapes(a, b):
    check(uniform(a, 5), uniform(b, 6))


def test_broadcast_operands():
    row = np.broadcast_to(uniform(300), (40, 300))
    column = np.broadcast_to(uniform((300, 1)), (300, 50))
    check(row, column)
    check(np.broadcast_to(uniform((40, 300)), (3, 40, 300)), np.broadcast_to(uniform((300, 20)), (3, 300, 20)))
    check(np.broadcast_to(np.uint64(7), (30, 40)), np.broadcast_to(TOP, (40, 50)))


@pytest.mark.parametrize("depth", [1, 64, 1000, 1024, 1025, 5000, 17000])
def test_largest_values(depth):
    """(-1)(-1) = 1: every sum of bytes in the kernels is as large as it can be."""
    result = ring.matmul(np.full((33, depth), TOP), np.full((depth, 40), TOP))
    assert (result == depth).all()


def test_unaligned_and_subclassed_operands():
    buffer = np.zeros(8 * 64 * 64 + 1, np.uint8)
    a = buffer[1:].view(np.uint64).reshape(64, 64)
    a[:] = uniform((64, 64))
    check(a, uniform((64, 64), 1))


def test_float_dtype_is_refused():
    with pytest.raises(TypeError, match="float64"):
        ring.matmul(np.ones((2, 2)), np.ones((2, 2), np.uint64))
    with pytest.raises(TypeError, match="int64"):
        ring.matmul(np.ones((2, 2), np.uint64), [[1, 2], [3, 4]])


@pytest.mark.parametrize(("a", "b"), [((2, 3), (4, 5)), ((3,), (4,)), ((2, 2, 3), (3, 3, 4)), ((), (2, 2)), ((2, 3), (3, 2, 4))])
def test_shapes_that_do_not_fit(a, b):
    with pytest.raises(ValueError) as error:
        ring.matmul(np.zeros(a, np.uint64), np.zeros(b, np.uint64))
    assert str(a) in str(error.value)
    assert str(b) in str(error.value)


def test_threads_do_not_disturb_each_other():
    from concurrent.futures import ThreadPoolExecutor

    pairs = [(uniform((90, 200), s), uniform((200, 70), s + 1)) for s in range(20)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda pair: ring.matmul(*pair), pairs))
    for (a, b), result in zip(pairs, results, strict=True):
        np.testing.assert_array_equal(result, a @ b)
