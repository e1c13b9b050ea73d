"""Whole quotients by public divisors, exactly: floor(x / d), for a divisor d in the units of x's last place.

A power of two is a `floor` of the protocol. Another divisor d = N 2^k is one by 2^k, and then by N of L bits in two steps:

1. a coarse quotient q1 = x a / 2^(15 + L), truncated, with the 16-bit number a next to 2^(15 + L) / N. For |x| < 2^45 it
   is within 2^(29 - L) + 1 of x / N, so that |x - q1 N| < 2^30 if N < 2^29;
2. the quotient of that rest r: floor((r b + b / 2) / 2^(30 + L)) with b next to 2^(30 + L) / N. Added half a unit, r / N is at
   least 1 / (2 N) away from any whole number, and the error of b moves it by less.

All products stay below 2^61. This is Granlund and Montgomery's division by invariant integers (PLDI 1994), in fewer bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from mpc.contract import MULTIPLY, BroadcastTo, Index, Protocol, Reshape, Share
from mpc.errors import RangeError
from mpc.tensor.base import Array, Secret
from mpc.tensor.shapes import broadcast

S = TypeVar("S", bound=Secret)

DIVIDEND_BITS, DIVISOR_BITS = 45, 29  # |x| and odd divisors are below these powers of two


def floor_quotient(x: S, divisors: Array, operation: str) -> S:
    """floor(x / d) as an integer tensor, for words x and whole d, none of them 0, whose shapes broadcast."""
    protocol = x.context.protocol
    shape = broadcast(operation, x.shape, divisors.shape)
    share = x.share if shape == x.shape else protocol.view(x.share, BroadcastTo(shape))
    if not np.prod(shape, dtype=np.int64):
        return x.like(share, "int", 0)
    if np.any(divisors < 0):
        share = protocol.bilinear(MULTIPLY, share, np.sign(divisors).astype(np.int64).view(np.uint64))
    powers, factors = _split(np.abs(divisors), whole=x.kind == "int")
    keys, group = np.unique(powers * 64 + np.frexp(factors)[1], return_inverse=True)
    if len(keys) == 1:
        return x.like(_each(protocol, [(share, int(powers.flat[0]), factors)], operation)[0], "int", 0)
    group, powers, factors = (np.broadcast_to(a.reshape(divisors.shape), shape).ravel() for a in (group, powers, factors))
    places = [np.flatnonzero(group == g) for g in range(len(keys))]
    flat = protocol.view(share, Reshape((-1,)))
    items = [(protocol.view(flat, Index((place,))), int(powers[place[0]]), factors[place]) for place in places]
    joined = protocol.concatenate(_each(protocol, items, operation), 0)
    back = np.argsort(np.concatenate(places))
    return x.like(protocol.view(protocol.view(joined, Index((back,))), Reshape(shape)), "int", 0)


def quotient_towards_zero(x: S, divisors: Array, operation: str) -> S:
    """x / d without its fraction, as an integer tensor: floor(x / d), or -floor(-x / d) where that is negative."""
    protocol = x.context.protocol
    x = x.like(protocol.view(x.share, BroadcastTo(broadcast(operation, x.shape, divisors.shape))))
    both = protocol.concatenate([protocol.view(side, Reshape((1, *x.shape))) for side in (x.share, protocol.negate(x.share))], 0)
    quotients = floor_quotient(x.like(both), np.abs(divisors), operation).share
    down, minus_up = (protocol.view(quotients, Index((k,))) for k in (0, 1))
    signs = protocol.at_least(protocol.view(both, Index((0,))), np.zeros((1, *x.shape), np.uint64))
    (change,) = protocol.select([(protocol.view(signs, Index((0,))), protocol.add(down, minus_up))])
    magnitude = protocol.subtract(change, minus_up)
    sign = np.sign(divisors).astype(np.int64).view(np.uint64)
    return x.like(magnitude if np.all(sign == 1) else protocol.bilinear(MULTIPLY, magnitude, sign), "int", 0)


def _split(divisors: Array, whole: bool) -> tuple[Array, Array]:
    """(k, N) with d = N 2^k. Of integers N takes the powers of two along, if there is room: one step less."""
    lowest = divisors & -divisors
    odd = divisors // lowest
    together = whole & (odd > 1) & (divisors < 1 << DIVISOR_BITS)
    return np.where(together, 0, np.frexp(lowest)[1] - 1), np.where(together, divisors, odd)


def _each(protocol: Protocol, items: Sequence[tuple[Share, int, Array]], operation: str) -> list[Share]:
    """floor(x / (N 2^k)) for each (x, k, N), the N of one item all 1 or all of one length: each step in the same rounds."""
    by_power = [(x, k) for x, k, _ in items if k]
    halved = iter(protocol.floor(by_power) if by_power else ())
    shares = [next(halved) if k else x for x, k, _ in items]
    by_factor = [(x, n) for x, (_, _, n) in zip(shares, items, strict=True) if n.flat[0] > 1]
    quotients = iter(_by_factors(protocol, by_factor, operation) if by_factor else ())
    return [x if n.flat[0] == 1 else next(quotients) for x, (_, _, n) in zip(shares, items, strict=True)]


def _by_factors(protocol: Protocol, items: Sequence[tuple[Share, Array]], operation: str) -> list[Share]:
    """floor(x / N) for each x and N, none a power of two: the two steps above."""
    for x, n in items:
        if int(n.max()) >> DIVISOR_BITS:
            raise RangeError(
                f"party {protocol.endpoint.index}, operation '{operation}': a divisor whose odd part is {n.max()} units in the "
                f"last place; it must be below 2^{DIVISOR_BITS}. Divide by less, or by a power of two."
            )
        protocol.domain(x, 1 - (1 << DIVIDEND_BITS), (1 << DIVIDEND_BITS) - 1, operation)

    def times(x: Share, numbers: Array) -> Share:
        return protocol.bilinear(MULTIPLY, x, numbers.view(np.uint64))

    lengths = [int(n.flat[0]).bit_length() for _, n in items]
    scaled = [times(x, _reciprocal(15 + k, n)) for (x, n), k in zip(items, lengths, strict=True)]
    coarse = protocol.truncate([(z, 15 + k) for z, k in zip(scaled, lengths, strict=True)])
    rests = []
    for (x, n), q, k in zip(items, coarse, lengths, strict=True):
        b = _reciprocal(30 + k, n)
        rest = times(protocol.subtract(x, times(q, n)), b)
        rests.append((protocol.add(rest, (b >> 1).view(np.uint64)), 30 + k))
    return [protocol.add(q, rest) for q, rest in zip(coarse, protocol.floor(rests), strict=True)]


def _reciprocal(bits: int, n: Array) -> Array:
    """2^bits / n, to the nearest whole number; bits is below 62."""
    return np.asarray(((1 << bits) + n // 2) // n)
