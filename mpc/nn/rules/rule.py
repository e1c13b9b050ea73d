"""What a gradient rule is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Gradient = Any  # a tensor, a public array, None, or a function without arguments that computes one if it is wanted
Pullback = Callable[[Any], Sequence[Gradient]]
Ruled = tuple[Any, Pullback]  # the result: a tensor, a public array, or Lazy
Rule = Callable[..., Ruled]


@dataclass(frozen=True)
class Lazy:
    """A result that is computed when it is first looked at: the value of a loss, which training alone does not need."""

    shape: tuple[int, ...]
    compute: Callable[[], Any]


def multiplying(pullback: Pullback, *factors: Any) -> Pullback:
    """Notes that the pullback multiplies gradients by secrets: all gradients of which that is due at a time are opened in one
    round, and in that also these factors, which are not open yet."""
    pullback.factors = factors  # type: ignore[attr-defined]
    return pullback


def shrinking(pullback: Pullback, bits: float) -> Pullback:
    """Notes that the pullback makes gradients smaller by that many bits: `backward` of a mean makes up for it."""
    pullback.shrink = bits  # type: ignore[attr-defined]
    return pullback
