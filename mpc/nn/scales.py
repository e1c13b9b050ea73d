"""Sums and public multiples that keep all their digits, and truncations of many tensors to a scale, in one round."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mpc.contract import MULTIPLY
from mpc.tensor import Tensor

_FACTOR_BITS = 10  # of a public factor: its relative error is below 2^-10


def short(factor: float, bits: int = _FACTOR_BITS) -> tuple[int, int]:
    """(word, exponent): the factor as word / 2^exponent in a few bits, with a relative error below 2^-bits."""
    if factor == 0:
        return 0, 0
    exponent = bits - math.frexp(factor)[1]
    word = round(math.ldexp(factor, exponent))
    while word % 2 == 0:
        word, exponent = word // 2, exponent - 1
    return (word, exponent) if exponent > 0 else (word << -exponent, 0)


def times(x: Tensor, factor: float, bits: int = _FACTOR_BITS) -> Tensor:
    """x * factor, not truncated, for a public factor in few bits (a relative error below 2^-bits). Local.

    So a step needs no truncation between a gradient and its product with the learning rate.
    """
    word, exponent = short(factor, bits)
    return x.like(_multiple(x, word), scale=x.scale + exponent)


def total(terms: Sequence[Tensor]) -> Tensor:
    """The sum, at the scale of the finest term, not truncated. Local."""
    scale = max(t.scale for t in terms)
    protocol = terms[0].context.protocol
    share = None
    for t in terms:
        part = _multiple(t, 1 << (scale - t.scale))
        share = part if share is None else protocol.add(share, part)
    return terms[0].like(share, scale=scale)


def _multiple(x: Tensor, word: int) -> Any:
    return x.share if word == 1 else x.context.protocol.bilinear(MULTIPLY, x.share, np.asarray(np.int64(word).view(np.uint64)))


def settled(tensors: Sequence[Tensor], scales: int | Sequence[int], squared: int = 0) -> list[Tensor]:
    """The same values with so many fraction bits: those that have more are truncated, all in one round.

    The first `squared` of them are multiplied next: what needs no truncation is opened for that in the same round.
    """
    wanted = [scales] * len(tensors) if isinstance(scales, int) else scales
    long = [t.scale > scale for t, scale in zip(tensors, wanted, strict=True)]
    result = [
        t if more else t.like(_multiple(t, 1 << (scale - t.scale)), scale=scale)
        for t, scale, more in zip(tensors, wanted, long, strict=True)
    ]
    items = [(t.share, t.scale - scale) for t, scale, more in zip(tensors, wanted, long, strict=True) if more]
    opening = [t.share for t, more in zip(result[:squared], long, strict=False) if not more]
    shares = iter(tensors[0].context.protocol.truncate(items, opening) if items else ())
    return [t.like(next(shares), scale=scale) if more else t for t, scale, more in zip(result, wanted, long, strict=True)]
