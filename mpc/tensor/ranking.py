"""Putting rows in order: by all pairs at once, which takes few rounds, or by a network, which takes few bytes.

Both work on tensors (rows, n) at scale f at most, and give the elements at public places of the order of each row.

*By all pairs* (6 rounds): open x; compare every two elements, P = n (n - 1) / 2 of them, by views of what is open (2 rounds);
turn the bits into words (1 round) and add them up: the rank of an element is how many others come before it, equal ones in
the order of their places. Open the ranks for their one-hot words (1 round), and multiply x by the columns of the k places
that are wanted (1 round). For r rows 16 rn + 4.375 rP + 8 rnk bytes to each peer. The indices alone need no product
with x: 5 rounds, and 8 rnk bytes less.

*By a network* (4 rounds a stage): Batcher's odd-even merge sort of s (s + 1) / 2 stages, s = ceil(log2 n), without the
comparators on which no place wanted depends. A comparator of a and b opens b - a, compares it with 0, and selects it where
it is negative, to be added to a and taken from b: for c comparators and r rows 12.375 rc bytes. Where indices
are wanted, elements are sorted together with them, as x 2^s + index, which 3 rounds and at most 8.875 bytes a place take apart.

Bits are sent in whole bytes, or in words where they are many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from mpc.contract import MATMUL, MULTIPLY, Index, Reshape, Share
from mpc.fixed import RAW_BITS
from mpc.plan import Planner, Way
from mpc.tensor.base import Array, Secret
from mpc.tensor.networks import Stage, comparators, needed, odd_even_merge

S = TypeVar("S", bound=Secret)

PAIRS = 1 << 18  # no more of them: for each, two words are added up


def by_pairs(planner: Planner, rows: int, n: int, places: int, stages: Sequence[Stage], values: bool, indices: bool) -> bool:
    """Whether all pairs take less time than a network, and there are `PAIRS` at most."""
    if rows * n * (n - 1) // 2 > PAIRS:
        return False

    def ways() -> list[Way]:
        c, pairs = rows * comparators(stages), rows * n * (n - 1) // 2
        hot = rows * n * places
        all_pairs = Way("all pairs", 5 + values, 16 * rows * n + 4.4 * pairs + 8 * hot * values, 51 * pairs + 8 * hot)
        rounds, split = 4 * len(stages) + 3 * indices, 9 * rows * places * indices
        return [all_pairs, Way("a network", rounds, 12.4 * c + split, 69 * c + 10 * split)]

    return planner.choose("order", ways, rows=rows, elements=n, places=places, values=int(values), indices=int(indices)) == 0


def elements_at(x: S, places: Sequence[int], operation: str) -> S:
    """The elements (rows, k) at these k places of the ascending order of each row. |x| < 2^61 in units in the last place."""
    _check(x, RAW_BITS - 1, operation)
    rows, n = x.shape
    stages = needed(odd_even_merge(n), places, n)
    if by_pairs(x.context.protocol.planner, rows, n, len(places), stages, values=True, indices=False):
        return _elements(x, _one_hot_ranks(x, places, False))
    return _exchange(x, stages).viewed(_columns(places))


def indices_at(x: S, places: Sequence[int], operation: str) -> S:
    """The indices of these elements; of equal elements the first comes first. |x| < 2^(61 - s) in units in the last place."""
    rows, n = x.shape
    stages = needed(odd_even_merge(n), places, n)
    if by_pairs(x.context.protocol.planner, rows, n, len(places), stages, values=False, indices=True):
        _check(x, RAW_BITS - 1, operation)
        return _indices(x, _one_hot_ranks(x, places, False))
    return _exchange_with_indices(x, places, stages, False, operation)[1]


def arranged(x: S, places: Sequence[int], descending: bool, operation: str) -> tuple[S, S]:
    """Both: (elements, indices), of the ascending or of the descending order; of equal elements the first comes first."""
    rows, n = x.shape
    stages = needed(odd_even_merge(n), places, n)
    if by_pairs(x.context.protocol.planner, rows, n, len(places), stages, values=True, indices=True):
        _check(x, RAW_BITS - 1, operation)
        hot = _one_hot_ranks(x, places, descending)
        return _elements(x, hot), _indices(x, hot)
    return _exchange_with_indices(x, places, stages, descending, operation)


def _check(x: Secret, bits: int, operation: str) -> None:
    x.context.protocol.domain(x.share, 1 - (1 << bits), (1 << bits) - 1, operation)


# ---------------------------------------------------------------------------------------- by all pairs


def _one_hot_ranks(x: Secret, places: Sequence[int], descending: bool) -> Share:
    """Words (rows, n, k): whether element i of a row comes at the k-th of these places."""
    protocol, n = x.context.protocol, x.shape[1]
    first, second = np.triu_indices(n, 1)
    a, b = (Index((slice(None), of_pair)) for of_pair in (first, second))
    second_leads = protocol.to_words(protocol.less_within(x.share, *((a, b) if descending else (b, a))))

    def moves(words: Array) -> Array:
        """How many later elements come before each, less how many earlier ones come after it."""
        leads = np.zeros((words.shape[0], n, n), words.dtype)
        leads[:, first, second] = words
        return np.asarray(leads.sum(axis=2) - leads.sum(axis=1))

    ranks = protocol.add(protocol.linear(second_leads, "ranks", moves), np.arange(n, dtype=np.uint64))
    return protocol.view(protocol.one_hot(ranks, n), Index((slice(None), slice(None), np.asarray(places, np.int64))))


def _elements(x: S, hot: Share) -> S:
    protocol = x.context.protocol
    rows, n = x.shape
    products = protocol.bilinear(MATMUL, protocol.view(x.share, Reshape((rows, 1, n))), hot)
    return x.like(protocol.view(products, Reshape((rows, hot.shape[2]))))


def _indices(x: S, hot: Share) -> S:
    return x.like(x.context.protocol.bilinear(MATMUL, np.arange(x.shape[1], dtype=np.uint64), hot), "int", 0)


# ---------------------------------------------------------------------------------------- by a network


def _exchange(x: S, stages: Sequence[Stage]) -> S:
    """The rows after all comparators: a batch of 4 rounds for each stage."""
    protocol = x.context.protocol
    for low, high in stages:
        a, b = (protocol.view(x.share, Index((slice(None), side))) for side in (low, high))
        difference = protocol.subtract(b, a)
        ordered = protocol.at_least(difference, np.zeros((1, *difference.shape), np.uint64))
        (step,) = protocol.select([(protocol.not_(protocol.view(ordered, Index((0,)))), difference)])
        x = x.like(protocol.add(x.share, protocol.linear(step, "exchange", _both_ways(x.shape, low, high))))
    return x


def _both_ways(shape: tuple[int, ...], low: Array, high: Array) -> Any:
    def place(step: Array) -> Array:
        moves = np.zeros(shape, step.dtype)
        moves[:, low], moves[:, high] = step, -step
        return moves

    return place


def _exchange_with_indices(x: S, places: Sequence[int], stages: Sequence[Stage], descending: bool, operation: str) -> tuple[S, S]:
    protocol, n = x.context.protocol, x.shape[1]
    bits = (n - 1).bit_length()
    _check(x, RAW_BITS - 1 - bits, operation)
    unit = np.asarray(np.uint64(1 << bits))
    share = protocol.negate(x.share) if descending else x.share
    keys = protocol.add(protocol.bilinear(MULTIPLY, share, unit), np.arange(n, dtype=np.uint64))
    chosen = protocol.view(_exchange(x.like(keys), stages).share, _columns(places))
    (values,) = protocol.floor([(chosen, bits)])
    indices = protocol.subtract(chosen, protocol.bilinear(MULTIPLY, values, unit))
    return x.like(protocol.negate(values) if descending else values), x.like(indices, "int", 0)


def _columns(places: Sequence[int]) -> Index:
    return Index((slice(None), np.asarray(places, np.int64)))
