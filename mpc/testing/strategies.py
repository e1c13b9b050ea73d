"""Hypothesis strategies for ring arrays, their shares, and shapes."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as npst
import numpy as np
from hypothesis import strategies as st

from mpc.testing.masks import RING_EDGES

Array = np.ndarray[Any, np.dtype[Any]]
Words = np.ndarray[Any, np.dtype[np.uint64]]
Shape = tuple[int, ...]


def shapes(max_dims: int = 3, max_side: int = 4) -> st.SearchStrategy[Shape]:
    """Shapes of arrays, () and shapes with a 0 among them."""
    return npst.array_shapes(min_dims=0, max_dims=max_dims, min_side=0, max_side=max_side)


def broadcastable_shapes(count: int = 2, max_dims: int = 3, max_side: int = 4) -> st.SearchStrategy[tuple[Shape, ...]]:
    """`count` shapes that broadcast together."""
    drawn = npst.mutually_broadcastable_shapes(num_shapes=count, max_dims=max_dims, min_side=0, max_side=max_side)
    return drawn.map(lambda result: result.input_shapes)


@st.composite
def matmul_shapes(draw: st.DrawFn, max_side: int = 4) -> tuple[Shape, Shape]:
    """Two shapes that np.matmul takes: vectors, matrices and stacks that broadcast."""
    side = st.integers(0, max_side)
    rows, inner, columns = draw(side), draw(side), draw(side)
    left, right = draw(broadcastable_shapes(2, max_dims=1, max_side=3))
    a = (inner,) if draw(st.booleans()) and not left else (*left, rows, inner)
    b = (inner,) if draw(st.booleans()) and not right else (*right, inner, columns)
    return a, b


def ring_arrays(shape: Shape | st.SearchStrategy[Shape]) -> st.SearchStrategy[Words]:
    """uint64 arrays of any words, with many of mpc.testing.RING_EDGES among them."""
    elements = st.one_of(st.sampled_from(RING_EDGES), st.integers(0, (1 << 64) - 1))
    return npst.arrays(np.uint64, shape, elements=elements)


def signed_arrays(shape: Shape | st.SearchStrategy[Shape], bits: int = 62) -> st.SearchStrategy[Words]:
    """uint64 arrays of words whose signed value is below 2^bits in magnitude, with many near the bounds, 0 and halves."""
    limit = 1 << bits
    edges = [z for z in (0, 1, limit // 2 - 1, limit // 2, limit - 2, limit - 1) if z < limit]
    elements = st.one_of(st.sampled_from([*edges, *(-z for z in edges)]), st.integers(1 - limit, limit - 1))
    return npst.arrays(np.int64, shape, elements=elements).map(lambda array: array.view(np.uint64))


def bits(shape: Shape | st.SearchStrategy[Shape]) -> st.SearchStrategy[Array]:
    """Boolean arrays."""
    return npst.arrays(np.bool_, shape)


@st.composite
def shares(draw: st.DrawFn, parties: int, shape: Shape | st.SearchStrategy[Shape] = ()) -> tuple[Words, list[Words]]:
    """A secret array of words, and additive shares of it: one a party, edges included, with the secret as their sum."""
    size = draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    secret = draw(ring_arrays(size))
    others = [draw(ring_arrays(size)) for _ in range(parties - 1)]
    last = secret
    for other in others:
        last = np.asarray(np.subtract(last, other))
    return secret, [*others, last]
