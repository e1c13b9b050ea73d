"""Random shapes, broadcasts and indices against NumPy: integers, so that equality is exact."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import mpc

INTEGERS = st.integers(-(2**20), 2**20)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
MANY = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def arrays(shape):
    return hnp.arrays(np.int64, shape, elements=INTEGERS)


@st.composite
def broadcastable(draw, n=2):
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=n, max_dims=4, max_side=4, min_side=0)).input_shapes
    return [draw(arrays(shape)) for shape in shapes]


@st.composite
def matrices(draw):
    shapes = draw(hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2, max_side=4, min_side=0))
    return [draw(arrays(shape)) for shape in shapes.input_shapes]


@st.composite
def indexed(draw):
    """An array, and a basic or an advanced index of it."""
    x = draw(SHAPES.flatmap(arrays))
    basic = hnp.basic_indices(x.shape, allow_newaxis=True, allow_ellipsis=True)
    choices = [basic, hnp.arrays(np.bool_, x.shape)]
    if x.size and x.ndim:
        choices += [hnp.integer_array_indices(x.shape), st.integers(-x.shape[0], x.shape[0] - 1)]
    return x, draw(st.one_of(choices))


@st.composite
def reductions(draw):
    x = draw(SHAPES.flatmap(arrays))
    axes = st.none() if not x.ndim else st.one_of(st.none(), st.integers(-x.ndim, x.ndim - 1), hnp.valid_tuple_axes(x.ndim))
    return x, draw(axes), draw(st.booleans())


def check(functions, inputs, protocol, parties):
    """Each function of the secret inputs, revealed, is the same function of the arrays."""

    def program(party):
        tensors = [party.input(a if party.index == parties - 1 else None, parties - 1) for a in inputs]
        return party.reveal(*(function(*tensors) for function in functions))

    for results in mpc.simulate(program, parties=parties, protocol=protocol):
        for result, function in zip(results, functions, strict=True):
            expected = np.asarray(function(*inputs))
            assert np.shape(result) == expected.shape
            assert np.asarray(result).dtype == expected.dtype
            assert np.array_equal(result, expected)


def binary(public):
    return [
        lambda x, y: x + y,
        lambda x, y: x - y,
        lambda x, y: y * x,
        lambda x, y: x * public + public - y,
        lambda x, y: np.where(public > 0, x, y),
    ]


@MANY
@given(broadcastable(3))
def test_broadcasting(inputs):
    check(binary(inputs[2]), inputs[:2], "plaintext", 1)


@FEW
@given(broadcastable(3), st.integers(2, 3))
def test_broadcasting_of_shares(inputs, parties):
    check(binary(inputs[2]), inputs[:2], "additive", parties)


@MANY
@given(matrices())
def test_matrix_products(inputs):
    x, y = inputs
    check([lambda a, b: a @ b, lambda a, b: x @ b, lambda a, b: a @ y], inputs, "plaintext", 1)


@FEW
@given(matrices())
def test_matrix_products_of_shares(inputs):
    x, y = inputs
    check([lambda a, b: a @ b, lambda a, b: x @ b, lambda a, b: a @ y], inputs, "additive", 2)


@MANY
@given(indexed())
def test_indexing(case):
    x, key = case
    check([lambda t: t[key], lambda t: t[key].ravel() * 3], [x], "plaintext", 1)


@FEW
@given(indexed())
def test_indexing_of_opened_shares(case):
    x, key = case
    check([lambda t: t * t, lambda t: t[key] * t[key], lambda t: t[key] * 2], [x], "additive", 2)


@MANY
@given(reductions())
def test_reductions(case):
    x, axis, keepdims = case
    check([lambda t: np.sum(t, axis=axis, keepdims=keepdims)], [x], "plaintext", 1)
    check([lambda t: np.prod(t, axis=axis, keepdims=keepdims)], [np.sign(x)], "plaintext", 1)


@FEW
@given(reductions())
def test_reductions_of_shares(case):
    x, axis, keepdims = case
    check([lambda t: np.sum(t, axis=axis, keepdims=keepdims), lambda t: t.sum(axis)], [x], "additive", 2)


@MANY
@given(SHAPES.flatmap(arrays), st.data())
def test_rearrangements(x, data):
    axes = data.draw(st.permutations(range(x.ndim)))
    shape = data.draw(st.permutations([n for n in x.shape if n != 1]))
    k = data.draw(st.integers(-3, 3))
    functions = [
        lambda t: np.transpose(t, axes),
        lambda t: t.reshape(shape),
        lambda t: np.roll(t, k),
        lambda t: np.flip(t),
        lambda t: np.pad(t, abs(k)),
        lambda t: np.squeeze(t),
        lambda t: np.expand_dims(t, (0, -1)),
        lambda t: np.concatenate([t, x], axis=None),
        lambda t: np.stack([t, t, x], axis=-1),
        lambda t: np.cumsum(t),
    ]
    if x.ndim > 1:
        functions += [lambda t: np.diagonal(t, k), lambda t: np.trace(t, k), lambda t: np.tril(t, k), lambda t: np.triu(t, k)]
    if x.ndim:
        axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
        functions += [
            lambda t: np.repeat(t, abs(k), axis=axis),
            lambda t: np.concatenate([x, t], axis=axis),
            lambda t: np.diff(t, abs(k), axis=axis),
            lambda t: np.cumsum(t, axis=axis),
            lambda t: np.array_split(t, 3, axis=axis)[1],
        ]
    check(functions, [x], "plaintext", 1)


@FEW
@given(broadcastable(2), st.data())
def test_einsum(inputs, data):
    def labels(array):
        return "".join(data.draw(st.lists(st.sampled_from("abcd"), min_size=array.ndim, max_size=array.ndim)))

    x, y = inputs
    first, second = labels(x), labels(y)
    known = sorted(set(first + second))
    output = "".join(data.draw(st.lists(st.sampled_from(known), unique=True))) if known else ""
    subscripts = f"{first},{second}->{output}"
    try:
        np.einsum(subscripts, x, y)
    except ValueError:
        for function in (lambda a, b: np.einsum(subscripts, a, b), lambda a, b: np.einsum(subscripts, x, b)):
            try:
                check([function], inputs, "plaintext", 1)
            except ValueError:
                continue
            raise AssertionError(f"{subscripts} of {x.shape} and {y.shape} must not work") from None
        return
    check([lambda a, b: np.einsum(subscripts, a, b), lambda a, b: np.einsum(subscripts, x, b)], inputs, "plaintext", 1)
