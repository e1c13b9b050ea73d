"""The largest and the smallest element along axes, and where it is: a tournament in which a group plays all of its pairs.

A level opens its candidates (1 round), compares the pairs of each group (2), combines the comparisons of each candidate (1 for
groups of up to 5, else 2), and takes the winner's value (1). The position of the winner is kept as one boolean a candidate and
level, and they are combined once, at the end: so it costs neither an opening nor a round beyond those for the values.

The planner says how large groups are: of 4 candidates they take the fewest bytes; up to 16 may play all at once, which saves
rounds; of 3 they take the least dealing, computing and memory (n = 4: 8 rounds, 3/4 of the dealing, 2/3 of the time). For n
elements along the axis: n = 4: 5 rounds, n = 10: 6 (10 by fours), n = 64: 11 (15 by fours). By fours a level sends
8 + 6.4 + 0.5 bytes an element, the next one a quarter of that; 10 at once 8 + 19.1 + 1.6. What is open already saves 1 round and
8 bytes. Products are compared with all of the digits that they have, and truncated without a round.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from mpc.contract import Index, Protocol, Share
from mpc.plan import Way
from mpc.tensor import boolean
from mpc.tensor.arithmetic import add, negative
from mpc.tensor.base import Array, Secret, numeric, truncate
from mpc.tensor.joining import stack
from mpc.tensor.shapes import as_numpy, axis_index, axis_tuple, stand_in
from mpc.tensor.shaping import expand_dims, getitem, moveaxis, reshape
from mpc.tensor.thresholds import comparable

S = TypeVar("S", bound=Secret)

_GROUP, _MANY = 4, 1 << 18  # from so many candidates on, groups may be of up to one less
_ALL, _PAIRS = 16, 1 << 21  # up to so many may play all at once, where these are no more pairs


def maximum_along(x: S, axis: Any = None, keepdims: bool = False) -> S:
    """np.max. 5 or 6 rounds for a factor of 4 to 16 in the number of elements; of booleans, as `any`."""
    _checked("max", x, axis)
    return boolean.any_(x, axis, keepdims) if x.kind == "bool" else _extreme("max", x, axis, keepdims)


def minimum_along(x: S, axis: Any = None, keepdims: bool = False) -> S:
    """np.min. As `max`."""
    _checked("min", x, axis)
    return boolean.all_(x, axis, keepdims) if x.kind == "bool" else _extreme("min", x, axis, keepdims)


def argmax(x: S, axis: int | None = None, keepdims: bool = False) -> S:
    """np.argmax: the position of the largest, of the first if there are several. As `max`, or a round more."""
    return _position("argmax", x, axis, keepdims)


def argmin(x: S, axis: int | None = None, keepdims: bool = False) -> S:
    """np.argmin. As `argmax`."""
    return _position("argmin", x, axis, keepdims)


def peak_to_peak(x: S, axis: Any = None, keepdims: bool = False) -> S:
    """np.ptp: the range from the smallest to the largest, both found at the same time."""
    numeric(x, "ptp")
    axes = axis_tuple("ptp", axis, x.ndim)
    both: S = stack([x, negative(x)], axis=x.ndim)
    extremes = maximum_along(both, axes, keepdims)
    return add(getitem(extremes, (..., 0)), getitem(extremes, (..., 1)))


def _checked(operation: str, x: Secret, axis: Any) -> None:
    """NumPy's errors, where there is no result along these axes."""
    as_numpy(operation, getattr(np, operation), stand_in(x.shape), axis_tuple(operation, axis, x.ndim))


# ---------------------------------------------------------------------------------------- a level of the tournament


@dataclass(frozen=True, eq=False)
class _Level:
    """Groups of n candidates along the first axis, and the pairs that they play."""

    first: Array  # of each pair, the candidate that comes first
    second: Array
    games: Array  # (k, candidate): the pair in which it plays its k-th opponent; some play one of theirs twice
    leads: Array  # (k, candidate): whether it comes first in that pair
    starts: Array  # of each group, its first candidate
    group: Array  # of each candidate, its group

    @property
    def final(self) -> bool:
        return self.starts.size == 1


def _level(x: Secret) -> _Level:
    """The next level for the candidates along the first axis of x, in the groups that take the least time in all."""
    n, rows = x.shape[0], math.prod(x.shape[1:])
    protocol = x.context.protocol
    groups = [size for size in (_GROUP, _GROUP - 1) if size < n and (size == _GROUP or x.size >= _MANY)]
    if not groups or (n <= _ALL and n * x.size <= 2 * _PAIRS):
        groups = [n, *groups]

    def ways() -> list[Way]:
        return [_tournament(protocol, n, rows, size) for size in groups]

    return _games(n, groups[protocol.planner.choose("extremum", ways, candidates=n, rows=rows)])


def _tournament(protocol: Protocol, n: int, rows: int, group: int) -> Way:
    """What it costs to find the best of n in each row by groups of up to that size."""
    way = Way(f"groups of {group}" if group < n else "all pairs at once", 0, 0)
    while n > 1:
        level, size = _games(n, group), n * rows
        way = way.then(Way("open", 1, 8 * size)).then(protocol.comparing(level.first.size * rows))
        way = way.then(protocol.conjoining(size, len(level.games))).then(Way("select", 1, size / 8, 18 * size))
        n = level.starts.size
    return way


@lru_cache(maxsize=64)
def _games(n: int, most_in_a_group: int) -> _Level:
    groups = np.array_split(np.arange(n), -(-n // most_in_a_group))  # of equal size, or one less
    pairs = [(int(i), int(j)) for members in groups for a, i in enumerate(members) for j in members[a + 1 :]]
    number = {pair: k for k, pair in enumerate(pairs)}
    most = groups[0].size - 1
    games, leads = np.zeros((most, n), np.int64), np.zeros((most, n), bool)
    for members in groups:
        for i in members:
            others = [int(j) for j in members if j != i]
            for k in range(most):
                j = others[k % len(others)]
                games[k, i], leads[k, i] = number[min(i, j), max(i, j)], i < j
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    starts = np.array([members[0] for members in groups])
    return _Level(first, second, games, leads, starts, np.repeat(np.arange(len(groups)), [members.size for members in groups]))


def _victories(x: Secret, level: _Level, largest: bool) -> Share:
    """Bits (k, candidate, ...): whether the candidate beats its k-th opponent. Of equals the first wins."""
    protocol = x.context.protocol
    first, second = Index((level.first,)), Index((level.second,))
    second_wins = protocol.less_within(x.share, *((first, second) if largest else (second, first)))
    shape = (*level.leads.shape, *(1,) * (x.ndim - 1))
    return protocol.xor(protocol.view(second_wins, Index((level.games,))), level.leads.reshape(shape))


def _winners(values: S, wins: Share, level: _Level) -> S:
    """The values of the winners: each candidate's where it won, else 0, and their sum in each group."""
    protocol = values.context.protocol
    (kept,) = protocol.select([(wins, values.share)])
    return values.like(protocol.linear(kept, "max", lambda a: _sums(a, level.starts.size)))


def _sums(a: Array, groups: int) -> Array:
    """np.add.reduceat along the first axis, cut as by np.array_split: reduceat is slow along that axis."""
    size, longer = divmod(len(a), groups)  # so many groups have one more
    cut, sums = longer * (size + 1), np.empty((groups, *a.shape[1:]), a.dtype)
    for part, out, step in ((a[:cut], sums[:longer], size + 1), (a[cut:], sums[longer:], size)):
        np.copyto(out, part[::step])
        for k in range(1, step):
            np.add(out, part[k::step], out=out)
    return sums


def _candidates(x: S, along_first: Callable[[S], S]) -> tuple[S, S]:
    """Along the first axis: what is compared, and the truncated values. x is opened as a whole, so that every view of it is open:
    when it is compared, unless it is to be truncated before, or would not be opened with its candidates."""
    x = comparable(boolean.as_number(x))
    protocol, compared = x.context.protocol, x.like(x.share)
    if x.scale > x.context.fraction_bits or protocol.is_part(x.share):
        protocol.open([x.share])
    candidates = along_first(compared)
    if candidates.size != x.size:  # some are candidates at several places, or at none
        protocol.open([x.share])
    (values,) = truncate([x])
    return candidates, along_first(values)


def _along_first(axes: tuple[int, ...]) -> Callable[[S], S]:
    def arrange(t: S) -> S:
        rest = tuple(n for k, n in enumerate(t.shape) if k not in axes)
        return reshape(moveaxis(t, axes, range(len(axes))), (math.prod(t.shape[k] for k in axes), *rest))

    return arrange


# ---------------------------------------------------------------------------------------- values and positions


def _extreme(operation: str, x: S, axis: Any, keepdims: bool) -> S:
    axes = axis_tuple(operation, axis, x.ndim)
    if math.prod(x.shape[k] for k in axes) == 1:  # nothing to compare
        return x if keepdims else reshape(x, [n for k, n in enumerate(x.shape) if k not in axes])
    result = _champion(*_candidates(x, _along_first(axes)), operation == "max")
    return expand_dims(result, axes) if keepdims else result


def maximum_of(x: S, candidates: Callable[[S], S]) -> S:
    """The largest along the first axis of candidates(x), a rearrangement: x is opened once, however often it is a candidate."""
    return _champion(*_candidates(x, candidates), True)


def maximum_and_winner(x: S, candidates: Callable[[S], S]) -> tuple[S, S]:
    """`maximum_of`, and booleans of the shape of candidates(x): True where it was found first. A round more, where there are
    several levels."""
    won: list[Share] = []
    x, values = _candidates(x, candidates)
    largest = _champion(x, values, True, won)
    protocol = x.context.protocol
    winner = protocol.all(protocol.concatenate(won, 0)) if won else protocol.constant(np.ones(x.shape, bool))
    return largest, x.like(winner, "bool", 0)


def _champion(x: S, values: S, largest: bool, won: list[Share] | None = None) -> S:
    """The largest along the first axis. `won` gets from each level, as a row, whether who stands for a candidate wins."""
    protocol = x.context.protocol
    place = np.arange(x.shape[0])  # of each candidate, the one that stands for it
    while x.shape[0] > 1:
        level = _level(x)
        wins = protocol.all(_victories(x, level, largest))
        if won is not None:
            won.append(protocol.view(wins, Index((None, place))))
        x = values = _winners(values, wins, level)
        place = level.group[place]
    return getitem(values, 0)


def _position(operation: str, x: S, axis: int | None, keepdims: bool) -> S:
    as_numpy(operation, getattr(np, operation), stand_in(x.shape), axis)
    axes = tuple(range(x.ndim)) if axis is None else (axis_index(operation, axis, x.ndim),)
    if math.prod(x.shape[k] for k in axes) == 1:
        rest = [n for k, n in enumerate(x.shape) if k not in axes]
        result = x.constant(np.zeros(rest, np.uint64), "int", 0)
    else:
        result = _first_of_all(*_candidates(x, _along_first(axes)), operation == "argmax")
    return expand_dims(result, axes) if keepdims else result


def _first_of_all(x: S, values: S, largest: bool) -> S:
    """The number of the winner along the first axis, as the sum of k over those k that won at every level."""
    protocol = x.context.protocol
    place = np.arange(x.shape[0])  # of each element, the candidate that stands for it
    won: list[Share] = []  # (any number, element, ...), whose conjunction tells the winner
    while not (level := _level(x)).final:
        wins = protocol.all(_victories(x, level, largest))
        won.append(protocol.view(wins, Index((None, place))))
        x = values = _winners(values, wins, level)
        place = level.group[place]
    won.append(protocol.view(_victories(x, level, largest), Index((slice(None), place))))
    words = protocol.to_words(protocol.all(protocol.concatenate(won, 0)))
    return x.like(protocol.linear(words, "argmax", _numbered), "int", 0)


def _numbered(bits: Array) -> Array:
    """The sum of k times row k."""
    return np.asarray(np.tensordot(np.arange(bits.shape[0]).astype(bits.dtype), bits, 1))
