"""The cases of the conformance suite: what each operation of the contract must give, stated in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc.contract import BroadcastTo, Index, Protocol, Reshape, Share, Transpose, View

Array = np.ndarray[Any, np.dtype[Any]]
Random = np.random.Generator


@dataclass(frozen=True)
class Truncated:
    """Expected: the signed value of `words` divided by 2^bits, with an error under one unit in the last place."""

    words: Array
    bits: int


@dataclass(frozen=True)
class Near:
    """Expected: words whose signed value is within `error` of these real numbers, both in units of the last place."""

    values: Array
    error: Array


Expected = Array | Truncated | Near


@dataclass(frozen=True)
class Case:
    """Share `secrets`, `compute` on the shares, reveal: every party must get `expected`. A local one sends nothing.

    `needs` names operations of the contract that a protocol may refuse: one that has none of these is not asked.
    """

    name: str
    secrets: tuple[Array, ...]
    compute: Callable[..., Sequence[Share]]  # (protocol, *shares)
    expected: Sequence[Expected]
    local: bool = True
    needs: tuple[str, ...] = ()

    def applies_to(self, protocol: type[Protocol]) -> bool:
        """False where the protocol leaves all of `needs` to the base class, which refuses."""
        return not self.needs or any(provides(protocol, name) for name in self.needs)


def provides(protocol: type[Protocol], operation: str) -> bool:
    """True unless the protocol leaves this operation to the base class."""
    return getattr(protocol, operation) is not getattr(Protocol, operation)


def words(random: Random, shape: tuple[int, ...] = (), bits: int = 64) -> Array:
    """Random words whose signed value is below 2^(bits - 1) in magnitude."""
    drawn = random.integers(-(1 << (bits - 1)) + 1, (1 << (bits - 1)) - 1, shape, np.int64, endpoint=True)
    return np.asarray(drawn).view(np.uint64)


def booleans(random: Random, shape: tuple[int, ...]) -> Array:
    return np.asarray(random.integers(0, 2, shape)).astype(bool)


SHAPES: tuple[tuple[int, ...], ...] = ((), (1,), (7,), (0,), (2, 3), (3, 0, 2), (2, 1, 4))
BROADCASTS: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((), ()),
    ((3,), ()),
    ((), (2, 2)),
    ((2, 1), (3,)),
    ((2, 3), (1, 3)),
    ((0,), (1,)),
    ((4, 1, 2), (3, 1)),
)
VIEWS: tuple[tuple[View, tuple[int, ...]], ...] = (
    (Reshape((6,)), (2, 3)),
    (Reshape((1,)), ()),
    (Reshape((0, 5)), (5, 0)),
    (Transpose((1, 0)), (2, 3)),
    (Transpose((2, 0, 1)), (2, 3, 4)),
    (BroadcastTo((4, 3)), (3,)),
    (BroadcastTo((2, 2)), ()),
    (BroadcastTo((0, 3)), (1, 3)),
    (Index((1,)), (3, 2)),
    (Index((slice(None, None, -2), -1)), (5, 2)),
    (Index((None, Ellipsis, slice(1, 2))), (3, 4)),
    (Index((np.array([2, 0, 0, -1]),)), (3, 2)),
    (Index((np.array([True, False, True]),)), (3,)),
    (Index((np.array([], np.int64),)), (3,)),
    (Index((1, 1)), (2, 2)),
)


def local_cases(random: Random, bits: int) -> Iterator[Case]:
    """Input, reveal, and everything linear. `bits` bounds the values: 64 lets sums and products wrap."""
    for shape in SHAPES:
        x, b = words(random, shape, bits), booleans(random, shape)
        yield Case(f"input {shape}", (x, b), lambda p, x, b: [x, b], [x, b])
        yield Case(f"constant {shape}", (), lambda p, x=x, b=b: [p.constant(x), p.constant(b)], [x, b])
        yield Case(f"negate {shape}", (x,), lambda p, x: [p.negate(x)], [np.negative(x)])
        total, running = np.sum(x, dtype=np.uint64), np.cumsum(x, dtype=np.uint64)
        yield Case(f"linear {shape}", (x,), _sums, [np.asarray(total), running])
    for left, right in BROADCASTS:
        x, y = words(random, left, bits), words(random, right, bits)
        sums = [np.add(x, y), np.subtract(x, y)]
        yield Case(f"add {left} {right}", (x, y), lambda p, x, y: [p.add(x, y), p.subtract(x, y)], sums)
        yield Case(f"add public {left} {right}", (x,), lambda p, x, y=y: [p.add(x, y), p.subtract(x, y)], sums)
    for view, shape in VIEWS:
        x, b = words(random, shape, bits), booleans(random, shape)
        compute = _viewing(view)
        yield Case(f"{view} of {shape}", (x, b), compute, [view(x), view(b)])
    for shapes, axis in ((((2, 3), (1, 3)), 0), (((2, 3), (2, 0), (2, 9)), 1), (((3,),), 0)):
        xs = [words(random, shape, bits) for shape in shapes]
        bs = [booleans(random, shape) for shape in shapes]
        joined: list[Expected] = [np.concatenate(xs, axis), np.concatenate(bs, axis)]
        yield Case(f"concatenate {shapes}", (*xs, *bs), _joining(len(xs), axis), joined)


def _sums(protocol: Protocol, x: Share) -> list[Share]:
    return [protocol.linear(x, "sum", np.sum), protocol.linear(x, "cumsum", lambda a: np.cumsum(a))]


def _viewing(view: View) -> Callable[..., list[Share]]:
    return lambda protocol, x, b: [protocol.view(x, view), protocol.view(b, view)]


def _joining(count: int, axis: int) -> Callable[..., list[Share]]:
    return lambda p, *shares: [p.concatenate(shares[:count], axis), p.concatenate(shares[count:], axis)]


def boolean_cases(random: Random) -> Iterator[Case]:
    """Secret booleans: sizes around bytes and words, broadcasting, public operands."""
    pairs: list[tuple[tuple[int, ...], tuple[int, ...]]] = [((n,), (n,)) for n in (0, 1, 7, 8, 9, 64, 65)]
    for left, right in (*pairs, *BROADCASTS):
        x, y = booleans(random, left), booleans(random, right)
        public = lambda p, x, y=y: [p.xor(x, y), p.and_(x, y), p.or_(x, y)]  # noqa: E731
        results: list[Expected] = [np.asarray(f(x, y)) for f in (np.logical_xor, np.logical_and, np.logical_or)]
        yield Case(f"boolean {left} {right}", (x, y), lambda p, x, y: [p.xor(x, y), p.and_(x, y), p.or_(x, y)], results, False)
        yield Case(f"boolean public {left} {right}", (x,), public, results)
        yield Case(f"not {left}", (x,), lambda p, x: [p.not_(x)], [np.logical_not(x)])
        yield Case(f"and itself {left}", (x,), lambda p, x: [p.and_(x, x)], [x], False)


def keeping_cases(random: Random) -> Iterator[Case]:
    """Rows in another order, which only what does not depend on it can show; and what goes from one run to another."""
    for shape in SHAPES:
        x, b = words(random, shape, 40), booleans(random, shape)
        yield Case(f"export and restore {shape}", (x, b), _exported, [x, b], needs=("export",))
        if shape:
            expected: list[Expected] = [np.ones_like(x), np.asarray(x.sum(axis=0, dtype=np.uint64))]
            yield Case(f"shuffle {shape}", (x, x + np.uint64(1)), _shuffled, expected, local=False, needs=("shuffle",))


def _exported(protocol: Protocol, x: Share, b: Share) -> list[Share]:
    return [protocol.restore(protocol.export(share), share.shape, share is b) for share in (x, b)]


def _shuffled(protocol: Protocol, x: Share, more: Share) -> list[Share]:
    x, more = protocol.shuffle([x, more])
    return [protocol.subtract(more, x), protocol.linear(x, "sum", lambda a: a.sum(axis=0))]
