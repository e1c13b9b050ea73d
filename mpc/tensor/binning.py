"""Which bin a secret falls into, and how many do: comparisons with public edges, all from one opening.

Exact for every float64 edge. Cost for k edges: 4 rounds, and 8 + 4.375 k bytes an element to each peer.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from mpc.errors import OptionError, RangeError, ShapeError
from mpc.tensor.arithmetic import as_float, negative, subtract
from mpc.tensor.base import Array, Secret, numeric, same_program, truncate, unsupported
from mpc.tensor.boolean import as_number
from mpc.tensor.curves.inverting import divide
from mpc.tensor.lookup import one_hot, public_product
from mpc.tensor.multiplication import matmul, multiply
from mpc.tensor.reduction import difference, total
from mpc.tensor.shapes import as_numpy, as_public
from mpc.tensor.shaping import reshape, transpose
from mpc.tensor.thresholds import at_least, comparable

S = TypeVar("S", bound=Secret)


def searchsorted(edges: Any, x: S, side: str = "left", sorter: Any = None, operation: str = "searchsorted") -> S:
    """How many of the public sorted edges are below x (side="left"), or at most x ("right"): integers."""
    if not isinstance(x, Secret) or isinstance(edges, Secret) or isinstance(sorter, Secret):
        unsupported(operation, "a place is found in public sorted edges, for secret values")
    if side not in ("left", "right"):
        raise OptionError(f"{operation}: side={side!r} must be 'left' or 'right'")
    numeric(x, operation)
    values = as_public(edges, operation)
    values = values if sorter is None else as_numpy(operation, np.take, values, as_public(sorter, operation))
    if values.ndim != 1:
        raise ShapeError(f"{operation}: the edges must have one axis, not shape {values.shape}")
    if not np.all(values[1:] >= values[:-1]):
        raise RangeError(f"{x.context.who}, operation '{operation}': the edges must be in ascending order")
    bits = at_least(x, list(values), [side == "left"] * len(values))
    return total(as_number(bits), 0)


def digitize(x: S, bins: Any, right: bool = False) -> S:
    """np.digitize: the numbers of the bins that x falls into, for public edges in ascending or descending order."""
    edges = as_public(bins, "digitize")
    side = "left" if right else "right"
    if edges.ndim == 1 and len(edges) > 1 and edges[0] > edges[-1]:
        return subtract(searchsorted(edges[::-1], x, side, None, "digitize"), len(edges), swapped=True)
    return searchsorted(edges, x, side, None, "digitize")


def histogram(x: S, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> tuple[S, Array]:
    """(counts, edges): how many elements fall into each bin, or the sum of their weights; the edges are public.

    With `density`, these divided by their sum and by the bins' widths: as a quotient by a secret, 8 rounds and 184 bytes a bin
    more; 0 where the sum is.

    `bins` is a public array of edges, or a number of equal bins with `range` given. Of `weights`, public or secret, there is
    one for each element; secret ones cost 8 bytes each more, which open them.
    """
    numeric(x, "histogram")
    if isinstance(bins, str) or (np.ndim(bins) == 0 and range is None):
        unsupported("histogram", "the range of a secret is not known; give edges, or a number of bins and range=(low, high)")
    edges = as_numpy("histogram", np.histogram_bin_edges, np.zeros(0), bins, range)
    strict = np.arange(len(edges)) == len(edges) - 1  # the last bin has both of its edges
    x = comparable(reshape(x, -1))
    amounts = _amounts(x, weights)
    bits = at_least(x, list(edges), list(strict))
    if amounts is None:
        beyond = total(as_number(bits), 1)
    elif isinstance(amounts, Secret):
        (selected,) = x.context.protocol.select([(bits.share, amounts.share)])
        beyond = total(bits.like(selected, amounts.kind, amounts.scale), 1)
    else:
        beyond = bits.like(*public_product(as_number(bits), amounts, "histogram"))
    counts = negative(difference(beyond))
    if density:
        counts = divide(multiply(counts, 1 / np.diff(edges)), total(counts))
    return counts, edges


def _amounts(x: S, weights: Any) -> Any:
    """The weights as a vector; secret ones at scale f at most."""
    if weights is None:
        return None
    weights = weights if isinstance(weights, Secret) else as_public(weights, "histogram")
    if weights.size != x.size:
        raise ShapeError(f"histogram: {weights.size} weights for {x.size} elements")
    if not isinstance(weights, Secret):
        return weights.ravel()
    same_program([x, weights], "histogram")
    return truncate([as_number(reshape(weights, -1))])[0]


def bincount(x: S, weights: Any = None, minlength: Any = 0) -> S:
    """How often each of 0, 1, ..., minlength - 1 occurs, or the sum of its weights. `minlength`, the public length, is needed.

    x holds integers from 0 to minlength - 1; others count as lookup.py says. 1 round and 8 bytes an element; with secret
    weights 2 rounds, and 8 bytes more for each weight and for each element and place.
    """
    numeric(x, "bincount")
    if x.ndim != 1:
        raise ShapeError(f"bincount: a tensor of one axis is needed, not of shape {x.shape}")
    if not minlength:
        unsupported("bincount", "the largest value is secret; give the length of the result as minlength=")
    hot = one_hot(x, minlength)
    if weights is None:
        return total(hot, 0)
    if isinstance(weights, Secret):
        return as_float(matmul(hot, weights, swapped=True))
    return as_float(hot.like(*public_product(transpose(hot), as_public(weights, "bincount"), "bincount")))
