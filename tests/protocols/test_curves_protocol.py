"""Waves and exponentials of the additive protocol: within the errors that they document, under every mask."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpc.contract import Exponential, Index, Transpose, Waves
from mpc.ring import waves as kernel
from mpc.testing import RING_EDGES, masks_that_open, ring_arrays, shapes, share_input
from mpc.testing.order_cases import CURVES, near_exponential, near_waves

TOP = 1 << 62
MASKS = np.array([0, 1, TOP, 1 << 63, 3 << 62, 2**64 - 1], np.uint64)
SHAPES = [(), (0,), (1,), (7,), (3, 5), (2, 0, 3), (1030,)]


def words(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 2**64, shape, np.uint64)


def assert_near(result, expected, of=1.0):
    errors = np.abs(result.view(np.int64) - expected.values) / expected.error
    assert result.shape == expected.values.shape
    assert np.max(errors, initial=0.0) <= of


def a_series(period, scale, count=5, factor=1, seed=0):
    cosines, sines = np.random.default_rng(seed).uniform(-2, 2, (2, count + 1))
    return Waves(period, tuple(map(float, cosines)), tuple(map(float, sines)), scale, factor)


def edges_of(period):
    """Words around the quarters of a period, and around the wraps of the ring."""
    quarters = [k << (period - 2) for k in range(-4, 5)] if period > 1 else [0]
    centres = [*quarters, 0, 1 << 62, 1 << 63, -(1 << 62)]
    return np.array([(c + d) % 2**64 for c in centres for d in (-1, 0, 1)], np.uint64)


def crossed(values):
    """Every value with every mask that opens it at an edge, and with the masks of MASKS."""
    z, m = (a.ravel() for a in np.meshgrid(values, np.array(RING_EDGES, np.uint64)))
    w, r = (a.ravel() for a in np.meshgrid(values, MASKS))
    return np.concatenate([z, w]), np.concatenate([masks_that_open(z, m), r])


# ------------------------------------------------------------------ waves


@pytest.mark.parametrize("period", [1, 2, 3, 20, 24, 33, 62, 63, 64])
@pytest.mark.parametrize("n", [2, 3, 5])
def test_waves_at_every_edge_under_chosen_masks(contract, n, period):
    z, masks = crossed(edges_of(period))
    series = [a_series(period, 24, seed=k) for k in range(2)]

    def program(p):
        return p.reveal(p.waves(share_input(p, z), series), [0])

    for result, one in zip(contract(program, n, insecure_masks=masks)[0], series, strict=True):
        assert_near(result, near_waves(z, one))


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    shape=shapes(),
    period=st.integers(1, 64),
    scale=st.integers(0, 50),
    count=st.integers(0, 6),
    factor=st.sampled_from([1, 2, 3, 5, 1000003]),
    masks=ring_arrays((5,)),
)
def test_any_waves_of_any_word(contract_of, data, shape, period, scale, count, factor, masks):
    z = data.draw(ring_arrays(shape))
    series = [a_series(period, scale, count, factor, seed) for seed in (1, 2)]

    def program(p):
        return p.reveal(p.waves(share_input(p, z), series), [0])

    for result, one in zip(contract_of(program, insecure_masks=masks)[0], series, strict=True):
        assert_near(result, near_waves(z, one))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_waves_of_every_shape_by_kernels_and_without(contract, monkeypatch, shape):
    z, series = words(shape), [a_series(30, 20, 5, 3)]

    def program(p):
        return p.reveal(p.waves(share_input(p, z), series), [0])

    for small in (0, 1 << 62):
        monkeypatch.setattr(kernel, "SMALL", small)
        assert_near(contract(program)[0][0], near_waves(z, series[0]))


def test_a_pure_wave_is_far_better_than_its_bound_on_average(contract):
    """Rounding is to nearest: errors do not add up one way."""
    z, one = words((20000,)), Waves(40, (0.0, 0.0), (0.0, 1.0), 30)

    def program(p):
        return p.reveal(p.waves(share_input(p, z), [one]), [0])[0]

    expected = near_waves(z, one)
    errors = contract(program, seed=5)[0].view(np.int64) - expected.values
    assert abs(errors.mean()) < 6 * errors.std() / math.sqrt(z.size)
    assert errors.std() < 1.05 * 2.0 ** (30 - 15) * math.sqrt((1 + 1) / 12)  # a rounded factor for each of two rounded waves


def test_functions_of_views_and_of_opened_tensors_send_nothing(contract):
    z = words((6, 4)) >> np.uint64(45)
    series, curve = [a_series(24, 20)], CURVES[1]

    def program(p):
        x = share_input(p, z)
        p.waves(x, series)
        with p.endpoint.meter.measure() as cost:
            seen = [p.view(x, Transpose((1, 0))), p.view(x, Index((slice(None, None, -2),)))]
            results = [p.waves(v, series)[0] for v in seen] + [p.exponential(v, curve) for v in seen]
        return (cost.rounds, cost.bytes_sent), p.reveal(results, [0])

    sent, results = contract(program)[0]
    assert sent == (0, 0)
    for k, view in enumerate((z.T, z[::-2])):
        assert_near(results[k], near_waves(view, series[0]))
        assert_near(results[2 + k], near_exponential(np.ascontiguousarray(view), curve))


# ------------------------------------------------------------------ exponentials


def ends(curve):
    """Values all over the range, and around its ends and its digits."""
    top = curve.low + (((1 << curve.width) - 1) << curve.step)
    digits = [curve.low + (k << curve.step) for k in range(1 << curve.width)]
    around = [z + d for z in (*digits, 0) for d in (-1, 0, 1)]
    return np.array([z for z in [*around, *np.linspace(curve.low, top - 1, 57).astype(int)] if curve.low <= z < top]).view(
        np.uint64
    )


@pytest.mark.parametrize("curve", CURVES, ids=[f"{c.base:.3g}^x" for c in CURVES])
@pytest.mark.parametrize("n", [2, 3, 5])
def test_exponentials_on_their_range_under_chosen_masks(contract, n, curve):
    z, masks = crossed(ends(curve))

    def program(p):
        return p.reveal([p.exponential(share_input(p, z), curve)], [0])[0]

    assert_near(contract(program, n, insecure_masks=masks)[0], near_exponential(z, curve))


@pytest.mark.parametrize("curve", CURVES, ids=[f"{c.base:.3g}^x" for c in CURVES])
def test_exponentials_where_the_digits_borrow(contract, curve):
    """Masks whose low part is above and below that of what they open, for every pair of digits."""
    step, values = 1 << curve.step, ends(curve)
    lows = [0, 1, step // 2, step - 1]
    r = np.array([(digit << curve.step) + low for digit in range(1 << curve.width) for low in lows], np.uint64)
    z, masks = (a.ravel() for a in np.meshgrid(values, r + np.uint64(curve.low % 2**64)))

    def program(p):
        return p.reveal([p.exponential(share_input(p, z), curve)], [0])[0]

    assert_near(contract(program, insecure_masks=masks)[0], near_exponential(z, curve))


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    fraction=st.integers(8, 32),
    low=st.integers(-12, 3),
    span=st.floats(0.1, 4.0),
    width=st.integers(1, 4),
    base=st.sampled_from([2.0, math.e, 10.0]),
    precision=st.integers(8, 20),
    masks=ring_arrays((5,)),
)
def test_any_exponential_within_its_bound(contract_of, data, fraction, low, span, width, base, precision, masks):
    step = max(0, fraction + math.floor(math.log2(span)))
    top = low + math.ldexp(((1 << width) - 1), step - fraction)
    scale = min(45, math.floor(61 - max(0.0, top) * math.log2(base)))
    if scale < precision:
        return
    curve = Exponential(fraction, low << fraction, step, width, scale, base, precision)
    last = curve.low + (((1 << width) - 1) << step) - 1
    z = np.array(data.draw(st.lists(st.integers(curve.low, last), max_size=9)), np.int64).view(np.uint64)

    def program(p):
        return p.reveal([p.exponential(share_input(p, z), curve)], [0])[0]

    assert_near(contract_of(program, insecure_masks=masks)[0], near_exponential(z, curve))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_exponentials_of_every_shape(contract, shape):
    curve = CURVES[0]
    random = np.random.default_rng(1)
    z = random.integers(curve.low, curve.low + (3 << curve.step), shape).astype(np.int64).view(np.uint64)

    def program(p):
        return p.reveal([p.exponential(share_input(p, z), curve)], [0])[0]

    for n in (2, 3):
        assert_near(contract(program, n)[0], near_exponential(z, curve))
