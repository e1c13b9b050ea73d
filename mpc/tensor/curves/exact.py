"""Least squares in decimal arithmetic, which is the same on every machine.

Parties multiply their shares with public factors that come from a fit. If those differed in their last place, as floating
point of different processors and libraries may, the products would have nothing to do with each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal, localcontext

Function = Callable[[Decimal], Decimal]

CONTEXT = Context(prec=50)
_FINE = 1 << 20  # nodes are multiples of its inverse
_RIDGE = Decimal("1e-20")  # of the number of nodes: keeps the coefficients small
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")


def least_squares(
    function: Function, low: float, high: float, period: float, count: int, weight: Function
) -> tuple[list[float], list[float]]:
    """Coefficients of cosines (from the constant on) and of sines (from the first on) at Chebyshev nodes."""
    with localcontext(CONTEXT):
        n = 5 * count + 15
        middle, half = (Decimal(low) + Decimal(high)) / 2, (Decimal(high) - Decimal(low)) / 2
        nodes = [middle + half * Decimal(round(math.cos((i + 0.5) * math.pi / n) * _FINE) / _FINE) for i in range(n)]
        weights = [weight(x) ** 2 for x in nodes]
        values = [w * function(x) for w, x in zip(weights, nodes, strict=True)]
        waves = _waves([2 * PI * x / Decimal(period) for x in nodes], 2 * count)
        found = _solution(*_normal(waves, weights, values, count, n * _RIDGE))
        return [float(v) for v in found[: count + 1]], [float(v) for v in found[count + 1 :]]


def turned(angle: Decimal) -> tuple[Decimal, Decimal]:
    """Cosine and sine, from their series at a small part of the angle, which is doubled again."""
    doublings = 7
    x = angle / 2**doublings
    square, term, cosine, sine = x * x, Decimal(1), Decimal(0), Decimal(0)
    for k in range(0, 34, 2):
        cosine += term
        sine += term / (k + 1)
        term = -term * square / ((k + 1) * (k + 2))
    sine *= x
    for _ in range(doublings):
        cosine, sine = cosine * cosine - sine * sine, 2 * cosine * sine
    return cosine, sine


def erf(x: Decimal) -> Decimal:
    """The error function, from its series; for |x| up to 6 or so."""
    square, term, total, k = x * x, x, Decimal(0), 0
    while abs(term) > Decimal("1e-40"):
        total += term / (2 * k + 1)
        k += 1
        term = -term * square / k
    return 2 * total / PI.sqrt()


def _waves(angles: list[Decimal], most: int) -> list[tuple[list[Decimal], list[Decimal]]]:
    """Cosines and sines of k times each angle, for k up to `most`."""
    pairs = [turned(angle) for angle in angles]
    first = [c for c, _ in pairs], [s for _, s in pairs]
    result = [([Decimal(1)] * len(angles), [Decimal(0)] * len(angles)), first]
    while len(result) <= most:
        c, s = result[-1]
        turns = [(a * u - b * v, b * u + a * v) for a, b, u, v in zip(c, s, *first, strict=True)]
        result.append(([c for c, _ in turns], [s for _, s in turns]))
    return result


def _dot(a: list[Decimal], b: list[Decimal]) -> Decimal:
    return sum((x * y for x, y in zip(a, b, strict=True)), Decimal(0))


def _normal(
    waves: list[tuple[list[Decimal], list[Decimal]]], weights: list[Decimal], values: list[Decimal], count: int, ridge: Decimal
) -> tuple[list[list[Decimal]], list[Decimal]]:
    """The normal equations. Products of waves are sums of waves, so that few scalar products make the matrix."""
    c = [_dot(cosine, weights) / 2 for cosine, _ in waves]
    s = [_dot(sine, weights) / 2 for _, sine in waves]

    def odd(k: int) -> Decimal:
        return s[k] if k >= 0 else -s[-k]

    cosines, sines = range(count + 1), range(1, count + 1)
    upper = [[c[abs(k - m)] + c[k + m] for m in cosines] + [odd(k + m) + odd(m - k) for m in sines] for k in cosines]
    lower = [[odd(m + k) + odd(k - m) for m in cosines] + [c[abs(k - m)] - c[k + m] for m in sines] for k in sines]
    matrix = upper + lower
    for k in range(len(matrix)):
        matrix[k][k] += ridge
    right = [_dot(waves[k][0], values) for k in cosines] + [_dot(waves[k][1], values) for k in sines]
    return matrix, right


def _solution(matrix: list[list[Decimal]], right: list[Decimal]) -> list[Decimal]:
    """Elimination in a symmetric matrix, of which the part right of the diagonal is used."""
    size = len(matrix)
    for k in range(size):
        row, pivot = matrix[k], matrix[k][k]
        for i in range(k + 1, size):
            factor = row[i] / pivot
            target = matrix[i]
            for j in range(i, size):
                target[j] -= factor * row[j]
            right[i] -= factor * right[k]
    result = [Decimal(0)] * size
    for k in reversed(range(size)):
        rest = sum((matrix[k][j] * result[j] for j in range(k + 1, size)), Decimal(0))
        result[k] = (right[k] - rest) / matrix[k][k]
    return result
