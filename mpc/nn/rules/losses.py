"""Losses, each as one rule: the gradient in closed form, stable, and the value only when somebody looks at it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mpc import functions
from mpc.errors import OptionError, RangeError, ShapeError, UsageError
from mpc.nn.rules.rule import Lazy, Ruled, shrinking
from mpc.tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")


def _reduced(shape: tuple[int, ...], reduction: str, values: Callable[[], Any], slope: Callable[[Any], Any]) -> Ruled:
    """The rule of a loss with one value for each of `shape`; slope(g) are the gradients for values that count g times."""
    if reduction not in REDUCTIONS:
        raise OptionError(f"reduction={reduction!r}; it must be one of {', '.join(REDUCTIONS)}")
    if reduction == "none":
        return Lazy(shape, values), slope
    n = math.prod(shape)
    if reduction == "sum":
        return Lazy((), lambda: np.sum(values())), slope
    return Lazy((), lambda: np.mean(values())), shrinking(lambda g: slope(g / n), math.log2(n))


def _both(gradient: Any) -> tuple[Any, Callable[[], Any]]:
    """Of a loss of a difference."""
    return gradient, lambda: -gradient


def _target(operation: str, x: Any, target: Any) -> Any:
    """The target, of the input's shape: secret, or a public array."""
    if np.shape(x) != np.shape(target):
        raise ShapeError(f"{operation}: the input has shape {np.shape(x)}, the target {np.shape(target)}; they must be equal")
    return target if isinstance(target, Tensor) else _public(f"{operation}: the target", target)


def _public(name: str, value: Any) -> Any:
    """A public option, as an array."""
    if isinstance(value, Tensor):
        raise UsageError(f"{name} must be public: numbers that all parties know, not a secret tensor")
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise UsageError(f"{name} must be numbers, not {array.dtype}")
    return array.astype(float)


def _fits(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether an array of the shape can be broadcast to the whole."""
    return len(shape) <= len(whole) and all(n in (1, m) for n, m in zip(reversed(shape), reversed(whole), strict=False))


def _of_classes(weight: Any, shape: tuple[int, ...], axis: int) -> Any:
    """One number for each class, along its axis."""
    array = _public("weight", weight)
    if array.shape != (shape[axis],):
        raise ShapeError(f"cross_entropy: weight has shape {array.shape}; it must be ({shape[axis]},), one for each class")
    return np.reshape(array, [-1 if k == axis else 1 for k in range(len(shape))])


def mse_loss(x: Tensor, target: Any, reduction: str = "mean") -> Ruled:
    """(x - y)^2."""
    distance = x - _target("mse_loss", x, target)
    return _reduced(x.shape, reduction, lambda: np.square(distance), lambda g: _both(distance * (2 * g)))


def l1_loss(x: Tensor, target: Any, reduction: str = "mean") -> Ruled:
    """|x - y|, and its sign."""
    distance = x - _target("l1_loss", x, target)
    return _reduced(x.shape, reduction, lambda: np.abs(distance), lambda g: _both(np.sign(distance).astype(float) * g))


def binary_cross_entropy_with_logits(x: Tensor, target: Any, reduction: str = "mean", pos_weight: Any = None) -> Ruled:
    """l softplus(-x) + (1 - y) x, with l = 1 + (w - 1) y for a public weight w of the positive ones; l s - w y, s = expit(x)."""
    y = _target("binary_cross_entropy_with_logits", x, target) * 1.0
    plain = pos_weight is None
    weight = _public("pos_weight", 1.0 if plain else pos_weight)
    if not _fits(weight.shape, x.shape):
        raise ShapeError(f"binary_cross_entropy_with_logits: pos_weight of shape {weight.shape} for logits of {x.shape}")

    def values() -> Any:
        above = functions.softplus(-x)
        return (above if plain else above * (1 + (weight - 1) * y)) + x - x * y

    def slope(g: Any) -> Any:
        s = functions.expit(x)
        return (s - y if plain else s * (1 + (weight - 1) * y) - weight * y) * g, None

    return _reduced(x.shape, reduction, values, slope)


def cross_entropy(x: Tensor, target: Any, weight: Any = None, reduction: str = "mean", label_smoothing: float = 0.0) -> Ruled:
    """log(sum of e^x) - x at the target's class, along axis 1 (axis 0 of a vector); softmax(x) - t, with t the one-hot target.

    Targets: secret or public class numbers, or t itself (shape of x). `weight`: public, one for each class.
    """
    axis = 1 if x.ndim > 1 else 0
    t = _one_hot(x, target, axis)
    rest = tuple(n for k, n in enumerate(x.shape) if k != axis)
    weights = None if weight is None else _of_classes(weight, x.shape, axis)
    mean = 1.0  # PyTorch divides by the weights of the classes, where they are given as numbers, else by how many there are
    if weights is not None and reduction == "mean" and np.shape(target) == rest:
        mean = math.prod(rest) / np.sum(t * weights)
    if label_smoothing:
        t = t * (1 - label_smoothing) + label_smoothing / x.shape[axis]
    if weights is None:
        return _reduced(
            rest,
            reduction,
            lambda: functions.logsumexp(x, axis=axis) - np.sum(t * x, axis=axis),
            lambda g: ((functions.softmax(x, axis=axis) - t) * _along(g, axis), None),
        )
    t = t * weights * mean
    share = np.sum(t, axis=axis, keepdims=True)  # what each sample counts
    return _reduced(
        rest,
        reduction,
        lambda: functions.logsumexp(x, axis=axis) * np.squeeze(share, axis) - np.sum(t * x, axis=axis),
        lambda g: ((functions.softmax(x, axis=axis) * share - t) * _along(g, axis), None),
    )


def _one_hot(x: Tensor, target: Any, axis: int) -> Any:
    """The target as numbers 0 and 1, or as it is where it has x's shape."""
    if np.shape(target) == x.shape:
        return _target("cross_entropy", x, target) * 1.0
    expected = tuple(n for k, n in enumerate(x.shape) if k != axis)
    if np.shape(target) != expected:
        raise ShapeError(
            f"cross_entropy: the input has shape {x.shape} and the target {np.shape(target)}; the target needs {expected} (class "
            f"numbers) or {x.shape} (probabilities)"
        )
    classes = x.shape[axis]
    if isinstance(target, Tensor):
        one_hot: Any = functions.one_hot(target, classes).astype(float)
    else:
        numbers = np.asarray(target)
        if numbers.dtype.kind not in "iu":
            raise UsageError(f"cross_entropy: class numbers must be integers, not {numbers.dtype}; convert them with astype(int)")
        if numbers.size and not (numbers.min() >= 0 and numbers.max() < classes):
            raise RangeError(f"cross_entropy: classes from {numbers.min()} to {numbers.max()}, and there are {classes} classes")
        one_hot = np.eye(classes)[numbers]
    return np.moveaxis(one_hot, -1, axis)


def _along(g: Any, axis: int) -> Any:
    """Gradients of samples, for each of their classes."""
    return g if np.ndim(g) == 0 else np.expand_dims(g, axis)
