"""sort, argsort, partition and top_k: oblivious, so that nobody learns the order. The two methods: ranking.py.

Exact. A product is truncated first (1 round more). Differences must stay below 2^62 units in the last place; where a network
gives indices, below 2^(62 - s) for 2^s elements or fewer on the axis. The plaintext protocol checks it.

Rounds for n elements on the axis: 6 by all pairs (argsort: 5), which the planner chooses up to 2^18 of them unless links are very
slow: for one row of 3 to 724 elements, for 100 up to 72 and for 1000 up to 23. Otherwise 4 for each of
s (s + 1) / 2 stages (argsort and top_k: 3 more), s = ceil(log2 n): 112 for 128 elements, 220 for 1024. Two elements: 4.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from mpc.errors import OptionError
from mpc.tensor.base import Secret, numeric, truncate, unsupported
from mpc.tensor.ranking import arranged, elements_at, indices_at
from mpc.tensor.shapes import as_numpy, axis_index, stand_in
from mpc.tensor.shaping import getitem, moveaxis, reshape

S = TypeVar("S", bound=Secret)

_KINDS = (None, "quicksort", "mergesort", "heapsort", "stable")


def sort(x: S, axis: int | None = -1, operation: str = "sort") -> S:
    """The elements along an axis in ascending order; of the flattened tensor for axis=None."""
    x, axis = _along(x, axis, operation)
    return select_order(x, range(x.shape[axis]), axis, operation)


def select_order(x: S, places: Sequence[int], axis: int, operation: str) -> S:
    """Along an axis, the elements at these public places of its ascending order. x is at scale f at most."""
    if x.shape[axis] < 2 or not x.size or not places:
        return getitem(x, (slice(None),) * axis + (np.asarray(places, np.int64),))
    return _put_back(elements_at(_rows(x, axis), places, operation), x, axis)


def argsort(x: S, axis: int | None = -1, operation: str = "argsort") -> S:
    """The indices (integers) that sort along an axis: stable, whatever `kind` asks for."""
    x, axis = _along(x, axis, operation)
    if x.shape[axis] < 2 or not x.size:
        return _zeros(x)
    return _put_back(indices_at(_rows(x, axis), range(x.shape[axis]), operation), x, axis)


def top_k(x: S, k: int, axis: int | None = -1) -> tuple[S, S]:
    """(values, indices) of the k largest elements along an axis, the largest first; of equal ones the first comes first.

    k is public, 0 <= k <= n. As a sort with its indices, but with the bytes of k columns only.
    """
    x, axis = _along(x, axis, "top_k")
    n = x.shape[axis]
    k = as_numpy("top_k", operator.index, k)
    if not 0 <= k <= n:
        raise OptionError(f"top_k: k={k} of {n} elements along axis {axis} of a tensor of shape {x.shape}")
    if n < 2 or not x.size or not k:
        first = getitem(x, (slice(None),) * axis + (slice(0, k),))
        return first, _zeros(first)
    values, indices = arranged(_rows(x, axis), range(k), True, "top_k")
    return _put_back(values, x, axis), _put_back(indices, x, axis)


def partition(x: S, kth: Any, axis: int | None = -1) -> S:
    """The elements along an axis, with the kth in its place, smaller ones before it and larger ones after it.

    They come in order: as a sort, since nothing that is public may depend on which elements are smaller.
    """
    _check_kth("partition", x, kth, axis)
    return sort(x, axis, "partition")


def argpartition(x: S, kth: Any, axis: int | None = -1) -> S:
    """The indices that partition along an axis: as argsort."""
    _check_kth("argpartition", x, kth, axis)
    return argsort(x, axis, "argpartition")


def _check_kth(operation: str, x: Secret, kth: Any, axis: int | None) -> None:
    if isinstance(kth, Secret):
        unsupported(operation, "kth must be public; look a secret place up in np.sort(x), with np.take")
    as_numpy(operation, np.partition, stand_in(x.shape), kth, axis)


def check_kind(operation: str, kind: Any, order: Any) -> None:
    """NumPy's choice of an algorithm changes nothing here: every order is stable."""
    if kind not in _KINDS:
        raise OptionError(f"{operation}: kind={kind!r} is none of {', '.join(map(repr, _KINDS))}")
    if order is not None:
        unsupported(operation, "order= is for structured arrays, which cannot be secret")


# ---------------------------------------------------------------------------------------- rows


def _along(x: S, axis: int | None, operation: str) -> tuple[S, int]:
    """x at scale f at most, and the axis counted from the front; flattened for None."""
    numeric(x, operation)
    (x,) = truncate([x])
    if axis is None:
        return reshape(x, -1), 0
    return x, axis_index(operation, axis, x.ndim)


def _rows(x: S, axis: int) -> S:
    """(rows, n): one row for each place on the other axes."""
    n = x.shape[axis]
    return reshape(moveaxis(x, axis, -1), (x.size // n, n))


def _put_back(rows: S, x: Secret, axis: int) -> S:
    """Rows of results as an axis in its place."""
    rest = [n for k, n in enumerate(x.shape) if k != axis]
    return moveaxis(reshape(rows, (*rest, rows.shape[1])), -1, axis)


def _zeros(x: S) -> S:
    return x.constant(np.zeros(x.shape, np.uint64), "int", 0)
