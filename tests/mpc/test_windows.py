"""Convolutions, pools and padding of secrets against PyTorch's, their costs, and what they refuse."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mpc
from mpc import functions
from mpc.errors import OptionError, ShapeError, UsageError
from mpc.tensor import extrema
from mpc.tensor.windows.padding import pad

torch = pytest.importorskip("torch")
ULP = 2.0**-16
PROTOCOLS = [("plaintext", 1), ("additive", 2), ("additive", 3)]

random = np.random.default_rng(5)
ARRAYS = {
    "x": random.normal(size=(2, 4, 9, 11)),
    "w": random.normal(size=(6, 2, 3, 3)),
    "b": random.normal(size=6),
    "v": random.normal(size=(4, 3, 3, 2)),
    "s": random.normal(size=(2, 4, 12)),
    "k": random.normal(size=(6, 2, 3)),
}
X, W = ARRAYS["x"], ARRAYS["w"]

EXPRESSIONS = """
F.conv2d(x, w, b, (2, 1), (1, 2), (1, 2), 2)
F.conv2d(x, w, padding="same", dilation=2, groups=2)
F.conv2d(x[:, :2], w, padding="valid")
F.conv2d(x[0], w, b, groups=2)
F.conv2d(X, w, b, groups=2)
F.conv2d(x, W, stride=2, groups=2)
F.conv1d(s, k, b, 2, 1, groups=2)
F.conv1d(s[0], k, padding="same", groups=2)
F.conv_transpose2d(x, v, None, (2, 3), 1, 1, 1, 2)
F.conv_transpose2d(x, w[:4], b[:4], 2, (1, 0), (1, 0), groups=2)
F.conv_transpose2d(X, v)
F.conv_transpose1d(s, k[:4], None, 2, 1, 1, 2)
F.max_pool2d(x, 2)
F.max_pool2d(x, 3, 2, 1)
F.max_pool2d(x, (3, 2), 2, 1, 2, True)
F.max_pool2d(x[0], 1, 2)
F.max_pool1d(s, 3, 2, 1)
F.adaptive_max_pool2d(x, (4, None))
F.avg_pool2d(x, 3, 2, 1, True, False)
F.avg_pool2d(x, 3, 2, 1, True, True)
F.avg_pool2d(x, (2, 3), divisor_override=5)
F.avg_pool1d(s, 4, 1, 2)
F.adaptive_avg_pool2d(x, (4, 11))
F.adaptive_avg_pool2d(x[0], 1)
F.adaptive_avg_pool1d(s, 5)
F.pad(x, (1, 2, -1, 3), value=1.5)
F.pad(x, (0, 1))
F.pad(x, (1, 2, 2, 3), "reflect")
F.pad(x, (1, 0, 2, 3), "replicate")
F.pad(x, (1, 2, 0, 3), mode="circular")
F.unfold(x, (2, 3), 2, (1, 2), (2, 1))
""".strip().splitlines()


OURS = SimpleNamespace(**{name: getattr(functions, name) for name in functions.__all__}, pad=pad)


def evaluate(expression, module, arrays, public):
    return eval(expression, {"F": module, **arrays, **{name.upper(): array for name, array in public.items()}})


@pytest.mark.parametrize(("protocol", "parties"), PROTOCOLS)
def test_every_expression_is_what_pytorch_makes_of_it(protocol, parties):
    def program(party):
        secrets = {k: party.input(v if party.index == 0 else None, 0) for k, v in ARRAYS.items()}
        return party.reveal(*(evaluate(e, OURS, secrets, ARRAYS) for e in EXPRESSIONS))

    tensors = {k: torch.tensor(v) for k, v in ARRAYS.items()}
    for results in mpc.simulate(program, parties=parties, protocol=protocol):
        for expression, result in zip(EXPRESSIONS, results, strict=True):
            expected = evaluate(expression, torch.nn.functional, tensors, tensors).numpy()
            assert result.shape == expected.shape, expression
            assert np.max(np.abs(result - expected)) < 16 * ULP, expression


# ---------------------------------------------------------------------------------------- every parameter

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(3, 8), st.integers(3, 8)), pairs, pairs, st.tuples(st.integers(0, 1), st.integers(0, 1)),
    pairs, st.booleans(), st.integers(0, 2**32),
)  # fmt: skip
def test_pools_with_any_parameters(size, kernel, stride, padding, dilation, ceil_mode, seed):
    """Many ties, and padding that must not win among negative numbers."""
    padding = tuple(min(p, k // 2) for p, k in zip(padding, kernel, strict=True))
    x = np.random.default_rng(seed).integers(-4, 0, (1, 2, *size)).astype(float)
    calls = [
        lambda f, t: f.max_pool2d(t, kernel, stride, padding, dilation, ceil_mode),
        lambda f, t: f.avg_pool2d(t, kernel, stride, padding, ceil_mode),
        lambda f, t: f.avg_pool2d(t, kernel, stride, padding, ceil_mode, False),
        lambda f, t: f.adaptive_avg_pool2d(t, kernel),
        lambda f, t: f.adaptive_max_pool2d(t, kernel),
    ]

    def tried(f, t):
        for call in calls:
            try:
                yield call(f, t)
            except (RuntimeError, ShapeError):
                yield None

    def program(party):
        return [None if r is None else r.reveal() for r in tried(functions, party.input(x, 0))]

    (results,) = mpc.simulate(program, parties=1, protocol="plaintext")
    for k, (result, expected) in enumerate(zip(results, tried(torch.nn.functional, torch.tensor(x)), strict=True)):
        if result is None or expected is None or not np.all(np.isfinite(expected.numpy())):
            assert result is None, k  # PyTorch gives -inf for a window of padding alone
        else:
            assert result.shape == expected.shape, k
            assert np.max(np.abs(result - expected.numpy())) < 8 * ULP, k


def test_asymmetric_padding():
    def program(party):
        x, w = (party.input(ARRAYS[name], 0) for name in "xw")
        z = functions.conv2d(x, w, padding=((0, 2), (1, 3)), groups=2)
        same = functions.conv2d(pad(x, (1, 3, 0, 2)), w, groups=2)
        return party.reveal(z, same, functions.max_pool2d(x, 3, 2, ((0, 1), (1, 0))))

    ((first, second, pooled),) = mpc.simulate(program, parties=1, protocol="plaintext")
    np.testing.assert_array_equal(first, second)
    padded = torch.nn.functional.pad(torch.tensor(X), (1, 0, 0, 1), value=-99)
    assert np.max(np.abs(pooled - torch.nn.functional.max_pool2d(padded, 3, 2).numpy())) < ULP


@pytest.mark.parametrize("call", [functions.conv2d, functions.conv_transpose2d])
def test_small_public_filters_of_large_images(call):
    """The scale of public factors follows from how many of them make up an element, so that the sums stay in range."""
    x, w = np.full((1, 4, 5, 5), 2.0**28), np.full((4, 4, 3, 3), 0.01)

    def program(party):
        return call(party.input(x, 0), w).reveal()

    (result,) = mpc.simulate(program, parties=1, protocol="plaintext")
    assert abs(result[0, 0, 2, 2] / (36 * 0.01 * 2.0**28) - 1) < 2.0**-11


@pytest.mark.parametrize("group", [3, 4])
def test_groups_of_windows_that_are_many(monkeypatch, group):
    monkeypatch.setattr(extrema, "_GROUP", group)
    monkeypatch.setattr(extrema, "_ALL", 0)
    x = np.random.default_rng(1).integers(-3, 3, (2, 2, 7, 7)).astype(float)

    def program(party):
        return functions.max_pool2d(party.input(x if party.index == 0 else None, 0), 3, 1, 1).reveal()

    expected = torch.nn.functional.max_pool2d(torch.tensor(x), 3, 1, 1).numpy()
    np.testing.assert_array_equal(mpc.simulate(program, parties=2)[0], expected)


# ---------------------------------------------------------------------------------------- costs


def cost(call, *shapes):
    """(rounds, bytes sent) of call(F, *tensors); the same at both parties."""

    def program(party):
        tensors = [party.input(np.ones(shape) if party.index == 0 else None, 0) for shape in shapes]
        with party.measure() as measured:
            call(functions, *tensors)
        return measured.rounds, measured.bytes_sent

    first, second = mpc.simulate(program, parties=2)
    assert first == second
    return first


def twice(f, x, w):
    f.conv1d(x, w)
    f.conv1d(x, w, stride=2)


@pytest.mark.parametrize(
    ("call", "shapes", "rounds", "size"),
    [
        # images and filters are opened once, not their windows
        (lambda f, x, w: f.conv2d(x, w), [(2, 3, 8, 8), (4, 3, 3, 3)], 1, 8 * (2 * 3 * 64 + 4 * 27)),
        (lambda f, x, w: f.conv_transpose2d(x, w, stride=2), [(2, 3, 8, 8), (3, 4, 3, 3)], 1, 8 * (2 * 3 * 64 + 4 * 27)),
        (lambda f, x: f.conv2d(x, np.ones((4, 3, 3, 3))), [(2, 3, 8, 8)], 0, 0),
        # sequences stay open, though a convolution sees a view of them
        (twice, [(2, 3, 8), (4, 3, 3)], 1, 8 * (2 * 3 * 8 + 4 * 9)),
        # 4 candidates: 4 elements opened, 6 comparisons, 4 conjunctions of 3, 4 selections
        (lambda f, x: f.max_pool2d(x, 2), [(2, 4, 16, 16)], 5, 512 * (4 * 8 + 6 * 4.25 + 4 * 3 / 8 + 4 / 8)),
        # 9 candidates of overlapping windows: 36 comparisons, conjunctions of 8 as 2 of 4, and then of 2
        (lambda f, x: f.max_pool2d(x, 3, 1), [(1, 4, 10, 10)], 5, 8 * 400 + 256 * (36 * 4.25 + 9 * (8 + 1) / 8)),
        (lambda f, x: f.avg_pool2d(x, 3, 1), [(1, 4, 10, 10)], 0, 0),
        (lambda f, x: f.adaptive_avg_pool2d(x, 4), [(1, 4, 10, 10)], 0, 0),
    ],
)  # fmt: skip
def test_costs(call, shapes, rounds, size):
    assert cost(call, *shapes) == (rounds, size)


# ---------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("expression", "error", "message"),
    [
        ("F.conv2d(x, w)", ShapeError, "conv2d: .*channels do not fit"),
        ("F.conv2d(s[:1], w)", ShapeError, "conv2d: .*channels do not fit"),
        ("F.conv2d(x[0, 0], w)", ShapeError, "conv2d: the input"),
        ("F.conv2d(x, k)", ShapeError, "conv2d: the weight"),
        ("F.conv2d(x, w, b[:3], groups=2)", ShapeError, "conv2d: the bias"),
        ("F.conv2d(x, w, stride=0)", OptionError, "conv2d: stride=0"),
        ("F.conv2d(x, w, stride=(1, 2, 3))", OptionError, "conv2d: stride"),
        ("F.conv2d(x, w, padding='full')", OptionError, "conv2d: padding='full'"),
        ("F.conv2d(x, w, padding='same', stride=2)", OptionError, "conv2d: padding='same' needs"),
        ("F.conv2d(x, w, groups=1.5)", OptionError, "conv2d: groups"),
        ("F.conv2d(X, W)", UsageError, "conv2d: needs a secret"),
        ("F.conv_transpose2d(x, w)", ShapeError, "conv_transpose2d: 4 channels"),
        ("F.conv_transpose2d(x, v, output_padding=1)", OptionError, "conv_transpose2d: output_padding"),
        ("F.conv_transpose2d(x[..., :1, :1], v, padding=3)", ShapeError, "conv_transpose2d: .*leave nothing"),
        ("F.max_pool2d(x, 12)", ShapeError, "max_pool2d: a window of 12"),
        ("F.max_pool2d(x, 2, padding=2)", ShapeError, "max_pool2d: .*nothing but padding"),
        ("F.max_pool2d(s[0], 2)", ShapeError, "max_pool2d: the input"),
        ("F.avg_pool1d(s, 0)", OptionError, "avg_pool1d: kernel_size=0"),
        ("F.adaptive_avg_pool2d(x, (1, 2, 3))", OptionError, "adaptive_avg_pool2d: output_size"),
        ("F.pad(x, (1, 2, 3))", ShapeError, "pad: "),
        ("F.pad(x, (1, 2), 'mirror')", OptionError, "pad: mode='mirror'"),
    ],
)
def test_errors_name_the_operation(expression, error, message):
    def program(party):
        return evaluate(expression, OURS, {k: party.input(v, 0) for k, v in ARRAYS.items()}, ARRAYS)

    with pytest.raises(error, match=message) as raised:
        mpc.simulate(program, parties=1, protocol="plaintext")
    assert isinstance(raised.value, mpc.Error)
