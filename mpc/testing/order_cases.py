"""The conformance cases of comparisons, selection and functions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from mpc.contract import BroadcastTo, Exponential, Index, Protocol, Share, Waves
from mpc.testing.cases import BROADCASTS, SHAPES, Case, Expected, Near, Random, booleans, words

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int, ...]

LARGE = 1030  # elements: where kernels take over, and neither bytes nor words are full
TOP = 1 << 62


def signed(values: Any) -> Array:
    """Integers as words."""
    return np.asarray(values, np.int64).view(np.uint64)


def near(random: Random, shape: Shape, bits: int) -> Array:
    """Words of all magnitudes below 2^bits: both ends, 0, 1 and -1 among them where there is room."""
    size = math.prod(shape)
    values = random.integers(1 - (1 << bits), 1 << bits, size) >> random.integers(0, bits, size)
    edges = [0, (1 << bits) - 1, 1 - (1 << bits), 1, -1]
    values[: len(edges)] = edges[:size]
    return signed(random.permutation(values)).reshape(shape)


# ------------------------------------------------------------------ order


def order_cases(random: Random) -> Iterator[Case]:
    """at_least, less, equal and floor: values apart by nothing, by one unit, and by all that is allowed."""
    for shape in (*SHAPES, (LARGE,)):
        for bits in (16, 32, 46, 62):
            yield _at_least(random, shape, 1 if bits < 62 else 3, bits)
    yield _at_least(random, (2, 3), 0, 62)
    x = near(random, (9,), 61)
    above = signed(x.view(np.int64)[None] >= np.array([[0], [5]]))
    yield Case("at_least of an opened tensor", (x,), _at_least_opened, [above.astype(bool)], False, ("at_least",))
    for shape, larger in (((9,), (4, 9)), ((), (5,)), ((LARGE,), (2, LARGE))):
        yield _at_least_of_a_sum(random, shape, larger)
    for left, right in (*BROADCASTS, ((9,), (9,)), ((LARGE,), (LARGE,))):
        x, y = near(random, left, 61), near(random, right, 61)
        if left == right:
            y = signed(x.view(np.int64) + random.integers(-1, 2, left))
        yield _less(f"less {left} {right}", x, y, opened=False)
        yield _less(f"less {left} {right}, opened", x, y, opened=True)
        x, y = (np.asarray(np.where(booleans(random, shape), words(random, shape), np.uint64(3))) for shape in (left, right))
        yield from _equal(x, y)
    yield from _less_within(near(random, (9, 2), 61))
    for bits in (1, 13, 16, 28, 46):
        z = np.concatenate([near(random, (20,), 62), signed([0, 1, -1, TOP - 1, 1 - TOP, 1 << bits, -(1 << bits)])])
        down = signed(z.view(np.int64) >> bits)
        yield Case(f"floor by {bits}", (z,), lambda p, z, b=bits: p.floor([(z, b)]), [down], False, ("floor",))
    several = [near(random, shape, 62) for shape in ((), (0, 3), (LARGE,))]
    floors: list[Expected] = [signed(z.view(np.int64) >> b) for z, b in zip(several, (3, 16, 20), strict=True)]
    yield Case("floor several", tuple(several), _floor_several, floors, False, ("floor",))


def _at_least(random: Random, shape: Shape, count: int, bits: int) -> Case:
    room = min(bits, 61)  # so that thresholds and values stay in the range too
    difference = near(random, (count, *shape), room).view(np.int64)
    x = random.integers(-(1 << 60), 1 << 60, shape) if count == 1 else near(random, shape, 60).view(np.int64)
    thresholds = signed(x - difference)
    if count > 1:
        thresholds[0] = signed(x)
    expected = np.asarray(x) >= thresholds.view(np.int64)
    name = f"at_least {count} of {shape}, {bits} bits"
    return Case(name, (signed(x),), lambda p, x: [p.at_least(x, thresholds, bits)], [expected], False, ("at_least",))


def _at_least_of_a_sum(random: Random, shape: Shape, larger: Shape) -> Case:
    """An opened tensor and a larger public array, compared with thresholds that are the same for all elements."""
    x, y, thresholds = near(random, shape, 60), near(random, larger, 60), near(random, (3,), 60)

    def compute(p: Protocol, x: Share) -> list[Share]:
        p.open([x])
        return [p.at_least(p.add(x, y), np.broadcast_to(thresholds.reshape(3, *(1 for _ in larger)), (3, *larger)))]

    total = (x.view(np.int64) + y.view(np.int64))[None]
    expected = total >= thresholds.view(np.int64).reshape(3, *(1 for _ in larger))
    return Case(f"at_least of a sum {shape} {larger}", (x,), compute, [expected], False, ("at_least",))


def _at_least_opened(p: Protocol, x: Share) -> list[Share]:
    p.open([x])
    return [p.at_least(x, np.broadcast_to(signed([[0], [5]]), (2, *x.shape)).copy(), opening=[x])]


def _less(name: str, x: Array, y: Array, opened: bool) -> Case:
    def compute(p: Protocol, x: Share, y: Share) -> list[Share]:
        if opened:
            p.open([x, y])
        return [p.less(x, y), p.less(y, x), p.less(x, x)]

    a, b = x.view(np.int64), y.view(np.int64)
    return Case(
        name, (x, y), compute, [np.asarray(a < b), np.asarray(b < a), np.zeros(x.shape, bool)], False, ("less", "at_least")
    )


def _less_within(x: Array) -> Iterator[Case]:
    """Views of something closed, of a part of it, and of something open."""
    first, second, part = Index((np.array([0, 3, 3]),)), Index((np.array([1, 0, 3]),)), Index((slice(4),))

    def compute(p: Protocol, x: Share) -> list[Share]:
        before = [p.less_within(p.view(x, part), first, second), p.less_within(x, second, first)]
        p.open([x])
        return [*before, p.less_within(x, first, second)]

    a, b = first(x).view(np.int64), second(x).view(np.int64)
    yield Case("less of views", (x,), compute, [a < b, b < a, a < b], False, ("less", "at_least"))


def _equal(x: Array, y: Array) -> Iterator[Case]:
    def compute(p: Protocol, x: Share, y: Share) -> list[Share]:
        before = [p.equal(x, y), p.equal(x, x)]
        p.open([x, y])
        return [*before, p.equal(x, y)]

    same, name = np.asarray(np.equal(x, y)), f"equal {x.shape} {y.shape}"
    yield Case(name, (x, y), compute, [same, np.ones(x.shape, bool), same], False, ("equal",))
    yield Case(f"{name}, public", (x,), lambda p, x, y=y: [p.equal(x, y)], [same], False, ("equal",))


def _floor_several(p: Protocol, x: Share, y: Share, z: Share) -> list[Share]:
    return p.floor([(x, 3), (y, 16), (z, 20)])


# ------------------------------------------------------------------ bits and words


def bit_cases(random: Random) -> Iterator[Case]:
    """all, to_words, select and one_hot."""
    stacks: tuple[Shape, ...] = ((0,), (1,), (2, 9), (4,), (5, 0), (16, 3), (17, 65), (3, 2, 2), (64, LARGE))
    for shape in stacks:
        b = booleans(random, shape) | booleans(random, shape[1:])  # some are True in every row
        yield Case(f"all of {shape}", (b,), lambda p, b: [p.all(b)], [np.asarray(np.all(b, axis=0))], False)
    for shape in (*SHAPES, (LARGE,)):
        b = booleans(random, shape)
        yield Case(f"to_words {shape}", (b,), lambda p, b: [p.to_words(b)], [b.astype(np.uint64)], False, ("to_words",))
        x = words(random, shape)
        for size in (1, 2, 5, 16):
            hot = _one_hot(x, size)
            yield Case(f"one_hot {size} of {shape}", (x,), lambda p, x, s=size: [p.one_hot(x, s)], [hot], False, ("one_hot",))
    for left, right in (*BROADCASTS, ((LARGE,), (LARGE,))):
        b, x = booleans(random, left), near(random, right, 40)
        chosen, negative = (np.asarray(np.where(b, z, np.uint64(0))) for z in (x, np.negative(x)))
        shifted = np.asarray(np.left_shift(x, np.uint64(16)))
        yield Case(f"select {left} {right}", (b, shifted), _select, [*[chosen] * 5, negative], False, ("select",))
        name = f"select {left} public {right}"
        yield Case(name, (b,), lambda p, b, x=x: p.select([(b, x), (b, x)]), [chosen] * 2, False, ("select",))


def _one_hot(x: Array, size: int) -> Array:
    place = x & np.uint64((1 << (size - 1).bit_length()) - 1)
    return np.asarray(place[..., None] == np.arange(size, dtype=np.uint64)).astype(np.uint64)


def _select(p: Protocol, b: Share, shifted: Share) -> list[Share]:
    """From operands that were truncated, never opened, opened, and seen through views; alone, and several at once."""
    (t,) = p.truncate([(shifted, 16)])  # exact, for a multiple of 2^16
    fresh, opened = p.negate(p.negate(t)), p.add(t, p.constant(np.zeros(t.shape, np.uint64)))
    p.open([opened])
    seen = p.view(p.view(t, BroadcastTo((2, *t.shape))), Index((1,)))
    first = p.select([(b, t), (b, fresh), (b, opened), (b, seen)])
    return [*first, *p.select([(b, fresh), (b, p.negate(t))])]


# ------------------------------------------------------------------ functions


def curve_cases(random: Random) -> Iterator[Case]:
    """Waves and exponentials, against float64 and within the errors that the contract allows."""
    for shape in (*SHAPES, (LARGE,)):
        for period, factor, scale in ((24, 1, 16), (64, 1, 30), (1, 1, 20), (33, 5, 24)):
            x, series = words(random, shape), [_series(random, period, factor, scale) for _ in range(2)]
            names = f"{shape}, period {period}, factor {factor}, scale {scale}"
            expected = [near_waves(x, each) for each in series]
            yield Case(f"waves {names}", (x,), lambda p, x, s=series: p.waves(x, s), expected, False, ("waves",))
        for curve in CURVES:
            inside = random.integers(curve.low, curve.low + (((1 << curve.width) - 1) << curve.step), shape)
            result, name = near_exponential(signed(inside), curve), f"exponential {shape} {curve}"
            yield Case(name, (signed(inside),), lambda p, x, c=curve: [p.exponential(x, c)], [result], False, ("exponential",))


CURVES = (
    Exponential(fraction=16, low=-(12 << 16), step=18, width=2, scale=30),
    Exponential(fraction=16, low=0, step=17, width=3, scale=34, base=2.0, precision=14),
    Exponential(fraction=30, low=-(5 << 30), step=30, width=3, scale=40, base=10.0, precision=18),
    Exponential(fraction=16, low=-(3 << 20), step=20, width=2, scale=40, base=0.9, precision=12),
    Exponential(fraction=16, low=5, step=16, width=1, scale=32),
)


def _series(random: Random, period: int, factor: int, scale: int) -> Waves:
    cosines, sines = random.uniform(-2, 2, (2, 6))
    return Waves(period, tuple(map(float, cosines)), tuple(map(float, sines)), scale, factor)


def near_waves(x: Array, series: Waves) -> Near:
    """The sum in float64. Half of the fraction bits may be noise: for each wave, that of 1 and of its amplitude."""
    angle = np.asarray(x * np.uint64(series.factor) << np.uint64(64 - series.period))
    turns = np.ldexp(angle.view(np.int64).astype(np.float64), -64)
    terms = list(enumerate(zip(series.cosines, series.sines, strict=True)))
    total = sum((c * np.cos(2 * np.pi * k * turns) + s * np.sin(2 * np.pi * k * turns) for k, (c, s) in terms), np.zeros(x.shape))
    amplitudes = sum(1 + abs(c) + abs(s) for _, (c, s) in terms[1:]) + 1
    return Near(
        np.asarray(np.ldexp(total, series.scale)), np.full(x.shape, np.ldexp(amplitudes, series.scale - series.scale // 2))
    )


def near_exponential(x: Array, curve: Exponential) -> Near:
    """base^x in float64, and the error that `Exponential` documents."""
    exact = np.exp(np.ldexp(x.view(np.int64).astype(np.float64), -curve.fraction) * curve.rate)
    span = math.exp(abs(math.ldexp(curve.rate, curve.step - curve.fraction)))
    error = np.ldexp(exact, curve.scale - curve.precision) + math.ldexp(span, curve.precision)
    return Near(np.asarray(np.ldexp(exact, curve.scale)), np.asarray(error))
