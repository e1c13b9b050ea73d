"""The gradients of convolutions and pools: adjoints of the maps, and against PyTorch's; what they reuse of the forward pass."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mpc
from mpc import ring
from mpc.contract import Conv2dInput, Conv2dWeight
from mpc.tensor import extrema
from mpc.tensor.windows import pooling
from mpc.tensor.windows.convolution import Convolution

torch = pytest.importorskip("torch")
ULP = 2.0**-16
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
sides = st.tuples(st.integers(0, 2), st.integers(0, 2))


def uniform(shape, seed):
    return np.random.default_rng(seed).integers(0, 2**64, shape, dtype=np.uint64)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 3), st.integers(1, 2), st.integers(1, 2), st.integers(1, 3), pairs, pairs,
    st.tuples(sides, sides), pairs, st.tuples(st.integers(7, 10), st.integers(7, 10)), st.sampled_from([1, 200, 1 << 17]),
)  # fmt: skip
def test_the_kernels_are_adjoints_of_the_convolution(
    n, channels, filters, groups, kernel, stride, padding, dilation, image, block
):
    x = uniform((n, channels * groups, *image), 1)
    w = uniform((filters * groups, channels, *kernel), 2)
    options = stride, padding, dilation, groups
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ring.conv, "UNFOLDED", block)
        z = ring.conv2d(x, w, *options)
        g = uniform(z.shape, 3)
        for_x, for_w = ring.conv2d_input(g, w, image, *options), ring.conv2d_weight(x, g, kernel, *options)
    assert for_x.shape == x.shape == Conv2dInput(*options, size=image).shape(g.shape, w.shape)
    assert for_w.shape == w.shape == Conv2dWeight(*options, kernel=kernel).shape(x.shape, g.shape)
    assert np.sum(g * z) == np.sum(x * for_x) == np.sum(w * for_w)


def test_the_kernels_refuse_gradients_of_other_shapes():
    x, w, g = (np.zeros(s, np.uint64) for s in ((1, 2, 5, 5), (3, 2, 3, 3), (1, 3, 3, 4)))
    for call in (lambda: ring.conv2d_input(g, w, (5, 5)), lambda: ring.conv2d_weight(x, g, (3, 3))):
        with pytest.raises(ValueError, match=r"\(1, 3, 3, 3\), not \(1, 3, 3, 4\)"):
            call()
    for op, a, b in ((Conv2dInput(size=(5, 5)), g, w), (Conv2dWeight(kernel=(3, 3)), x, g)):
        with pytest.raises(ValueError, match=r"\(1, 3, 3, 4\)"):
            op.shape(a.shape, b.shape)


OPTIONS = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2}


@pytest.mark.parametrize("public", ["", "x", "w"])
@pytest.mark.parametrize(("protocol", "parties"), [("plaintext", 1), ("additive", 2)])
def test_gradients_of_a_convolution(protocol, parties, public):
    rng = np.random.default_rng(3)
    x, w = rng.normal(size=(2, 4, 9, 8)), rng.normal(size=(6, 2, 3, 3))
    g = rng.normal(size=ring.conv2d_shape(x.shape, w.shape, **OPTIONS))

    def program(party):
        secret = {k: party.input(v if party.index == 0 else None, 0) for k, v in {"x": x, "w": w, "g": g}.items()}
        left, right = (x if public == "x" else secret["x"]), (w if public == "w" else secret["w"])
        op = Convolution("conv2d", 2, left, right, **OPTIONS)
        op.result()
        with party.measure() as cost:
            for_x, for_w = op.input_gradient(secret["g"]), op.weight_gradient(secret["g"])
        return (cost.rounds, cost.bytes_sent), for_x.reveal(), for_w.reveal()

    expected = torch.nn.grad.conv2d_input(x.shape, *map(torch.tensor, (w, g)), **OPTIONS).numpy()
    expected_w = torch.nn.grad.conv2d_weight(torch.tensor(x), w.shape, torch.tensor(g), **OPTIONS).numpy()
    for cost, for_x, for_w in mpc.simulate(program, parties=parties, protocol=protocol):
        if protocol == "additive" and not public:
            assert cost == (1, 8 * g.size)  # one opening of g serves both
        assert np.max(np.abs(for_x - expected)) < 32 * ULP
        assert np.max(np.abs(for_w - expected_w)) < 64 * ULP


# ---------------------------------------------------------------------------------------- pools


def pooled_by_torch(call, x, g):
    t = torch.tensor(x, requires_grad=True)
    z = call(t)
    z.backward(torch.tensor(g[: z.numel()]).reshape(z.shape))
    return z.detach().numpy(), t.grad.numpy()


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize(
    ("axes", "options"),
    [
        (2, (2, None, 0, 1, False)),
        (2, (3, 2, 1, 1, False)),
        (2, ((3, 2), (1, 3), (1, 0), 2, True)),
        (2, ((2, 7), (2, 7), (0, 3), 1, False)),  # as many places as there are columns, but not the same ones
        (1, (3, 2, 1, 1, True)),
        (1, (1, 2, 0, 1, False)),
    ],
)
def test_the_gradient_of_a_largest(axes, options, many, monkeypatch):
    """Ties as in PyTorch, where all of a window's gradient goes to the first."""
    if many:
        monkeypatch.setattr(extrema, "_GROUP", 3)
        monkeypatch.setattr(extrema, "_ALL", 0)
    rng = np.random.default_rng(7)
    x, g = rng.integers(-2, 2, (2, 3, 8, 7)[: axes + 2]).astype(float), rng.integers(-9, 9, 999).astype(float)
    z, expected = pooled_by_torch(lambda t: getattr(torch.nn.functional, f"max_pool{axes}d")(t, *options), x, g)

    def program(party):
        secret = party.input(x if party.index == 0 else None, 0)
        gradient = party.input(g[: z.size].reshape(z.shape) if party.index == 0 else None, 0, shape=z.shape)
        windows = pooling.max_windows("max_pool", secret, axes, *options)
        values, winner = pooling.largest_and_winner(secret, windows)
        with party.measure() as cost:
            result = pooling.largest_gradient(gradient, winner, windows)
        assert cost.rounds == 1
        assert cost.bytes_sent == 8 * z.size + -(-winner.size // 8)  # no comparison
        return values.reveal(), result.reveal(), winner.reveal()

    for values, result, winner in mpc.simulate(program, parties=2):
        np.testing.assert_array_equal(values, z)
        np.testing.assert_array_equal(winner.sum(0), 1)
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(
    ("call", "windows"),
    [
        (
            lambda t: torch.nn.functional.avg_pool2d(t, (3, 2), 2, 1, True, False),
            lambda x: pooling.mean_windows("", x, 2, (3, 2), 2, 1, True, False, None),
        ),
        (
            lambda t: torch.nn.functional.avg_pool2d(t, 3, 1, 0),
            lambda x: pooling.mean_windows("", x, 2, 3, 1, 0, False, True, None),
        ),
        (lambda t: torch.nn.functional.avg_pool2d(t, 2, 4), lambda x: pooling.mean_windows("", x, 2, 2, 4, 0, False, True, None)),
        (lambda t: torch.nn.functional.adaptive_avg_pool2d(t, (3, 4)), lambda x: pooling.adaptive_means("", x, 2, (3, 4))),
    ],
)
def test_the_gradient_of_means(call, windows):
    rng = np.random.default_rng(7)
    x, g = rng.normal(size=(2, 3, 8, 7)), rng.normal(size=999)
    z, expected = pooled_by_torch(call, x, g)

    def program(party):
        means = windows(party.input(x, 0))
        gradient = means.gradient(party.input(g[: z.size].reshape(z.shape), 0))
        return means(party.input(x, 0)).reveal(), gradient.reveal()

    ((values, result),) = mpc.simulate(program, parties=1, protocol="plaintext")
    assert np.max(np.abs(values - z)) < 3 * ULP
    assert np.max(np.abs(result - expected)) < 8 * ULP
