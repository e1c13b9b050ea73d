"""Selection. The bits that chose the result choose the gradient's way too: 1 round, and no comparison."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mpc.errors import UsageError
from mpc.nn.rules.arithmetic import fitted
from mpc.nn.rules.reductions import spread
from mpc.nn.rules.rule import Rule, Ruled
from mpc.tensor import Tensor
from mpc.tensor.extrema import maximum_and_winner
from mpc.tensor.selection import selected
from mpc.tensor.shapes import axis_tuple
from mpc.tensor.thresholds import at_least


def relu(x: Tensor) -> Ruled:
    """max(x, 0), and a gradient of 0 at 0. Forward: 4 rounds, 12.375 bytes an element; backward: 1 round, 8.125 bytes."""
    bits = x > 0
    return selected([(bits, x)])[0], lambda g: (np.where(bits, g, 0),)


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Ruled:
    """x where it is positive, else a public slope times x; costs of relu."""

    def sloped(t: Any, chosen: Any) -> Any:
        return (1 - negative_slope) * chosen + negative_slope * t

    bits = x > 0
    return sloped(x, selected([(bits, x)])[0]), lambda g: (sloped(g, np.where(bits, g, 0)),)


def maximum(x: Any, y: Any) -> Ruled:
    """The larger one; the gradient goes to x where the two are equal, and of a public zero to the public one."""
    return _larger(x, y, +1)


def minimum(x: Any, y: Any) -> Ruled:
    return _larger(x, y, -1)


def _larger(x: Any, y: Any, sign: int) -> Ruled:
    for secret, public, place in ((x, y, 0), (y, x, 1)):
        if not isinstance(public, Tensor) and np.ndim(public) == 0 and public == 0 and sign > 0:
            value, pullback = relu(secret)
            return value, lambda g, place=place, pullback=pullback: (*(None,) * place, *pullback(g), None)
    difference = x - y
    bits = difference >= 0 if sign > 0 else difference <= 0

    def both(g: Any) -> Any:
        chosen = np.where(bits, g, 0)
        return fitted(chosen, x), lambda: fitted(g - chosen, y)

    return y + selected([(bits, difference)])[0], both


def absolute(x: Tensor) -> Ruled:
    """Its slope at 0 is 1."""
    bits = x >= 0

    def signed(t: Any) -> Any:
        return 2 * np.where(bits, t, 0) - t

    return signed(x), lambda g: (signed(g),)


def clip(a: Tensor, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Ruled:
    """Between public bounds, which count as inside. Forward: 4 rounds; backward: 1 round."""
    low, high = min if a_min is None else a_min, max if a_max is None else a_max
    if isinstance(low, Tensor) or isinstance(high, Tensor):
        raise UsageError("clip: secret bounds have no gradient here; use np.maximum and np.minimum")
    if low is None and high is None:
        return a, lambda g: (g, None, None)
    if low is None or high is None:
        value, pullback = _larger(a, high, -1) if low is None else _larger(a, low, +1)
        return value, lambda g: (pullback(g)[0], None, None)
    low = np.minimum(low, high)
    bits = at_least(a, [np.asarray(low), np.asarray(high)], [False, True], "clip")
    above, beyond = bits[0], bits[1]
    more, less = selected([(above, a - low), (beyond, a - high)])
    return low + more - less, lambda g: (fitted(np.where(above ^ beyond, g, 0), a), None, None)


def where(condition: Any, x: Any, y: Any) -> Ruled:
    def both(g: Any) -> Any:
        chosen = np.where(condition, g, 0)
        return None, fitted(chosen, x), lambda: fitted(g - chosen, y)

    return np.where(condition, x, y), both


# ---------------------------------------------------------------------------------------- along axes


def largest(x: Tensor, axis: Any = None, keepdims: bool = False) -> Ruled:
    """np.max; the gradient goes to the first of the largest. Rounds as np.max, or one more; backward: 1 round."""
    axes = axis_tuple("max", axis, x.ndim)
    rest = [k for k in range(x.ndim) if k not in axes]

    def candidates(t: Any) -> Any:
        return np.reshape(np.moveaxis(t, axes, range(len(axes))), (-1, *(t.shape[k] for k in rest)))

    value: Any
    value, winners = maximum_and_winner(x, candidates)
    won: Any = np.reshape(winners, [x.shape[k] for k in (*axes, *rest)])
    value = np.expand_dims(value, axes) if keepdims else value
    return value, lambda g: (np.where(np.moveaxis(won, range(len(axes)), axes), spread(g, x, axis, keepdims), 0),)


def smallest(x: Tensor, axis: Any = None, keepdims: bool = False) -> Ruled:
    value, pullback = largest(-x, axis, keepdims)
    return -value, pullback


RULES: dict[str, Rule] = {
    "relu": relu,
    "maximum": maximum,
    "minimum": minimum,
    "fmax": maximum,
    "fmin": minimum,
    "absolute": absolute,
    "fabs": absolute,
    "clip": clip,
    "where": where,
    "max": largest,
    "amax": largest,
    "min": smallest,
    "amin": smallest,
}


def peak_to_peak(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.max(a, axis, keepdims=keepdims) - np.min(a, axis, keepdims=keepdims)


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = np.where(condition, choice, result)
    return result


COMPOSED: dict[str, Callable[..., Any]] = {"ptp": peak_to_peak, "select": select}
