"""The data of a secret tensor, and what a program's fixed point means for it. Operations live in the modules beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import numpy as np

from mpc.contract import Protocol, Share, View
from mpc.errors import UsageError

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int, ...]
S = TypeVar("S", bound="Secret")

DTYPES = {"float": np.dtype(np.float64), "int": np.dtype(np.int64), "bool": np.dtype(np.bool_)}


@dataclass(frozen=True)
class Context:
    """What all tensors of a program have in common: the protocol's party side, and f, the fraction bits."""

    protocol: Protocol
    fraction_bits: int

    @property
    def who(self) -> str:
        return f"party {self.protocol.endpoint.index}"


class Secret:
    """A share with its kind ("float", "int" or "bool") and scale: the fraction bits of a float, 0 for the others.

    The value is the share's signed word divided by 2^scale. A float has f fraction bits or more; what is above f waits
    for a truncation: f + s after a product with a public factor of scale s, 2f after one with a secret.
    """

    __slots__ = ("_truncated", "context", "kind", "scale", "share")

    def __init__(self, context: Context, share: Share, kind: str, scale: int):
        self.context, self.share, self.kind, self.scale = context, share, kind, scale
        self._truncated: Any = None  # this value at scale f, once somebody has asked

    def like(self: S, share: Share, kind: str | None = None, scale: int | None = None) -> S:
        """A tensor of the same program around another share."""
        return type(self)(self.context, share, self.kind if kind is None else kind, self.scale if scale is None else scale)

    @property
    def shape(self) -> Shape:
        return tuple(self.share.shape)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def dtype(self) -> np.dtype[Any]:
        """float64 (fixed point), int64 or bool: what `reveal` returns."""
        return DTYPES[self.kind]

    def viewed(self: S, view: View) -> S:
        """A rearrangement: of the truncated value, where there is one, so that it is not truncated again."""
        base = self if self._truncated is None else self._truncated
        return self.like(self.context.protocol.view(base.share, view), scale=base.scale)

    def constant(self: S, words: Array, kind: str, scale: int) -> S:
        """A public array as a tensor of the same program."""
        return self.like(self.context.protocol.constant(words), kind, scale)


def truncate(tensors: Sequence[S], opening: Sequence[Secret] = ()) -> list[S]:
    """The same values at scale f at most, all in one round; none if they are so already.

    `opening` names tensors that the caller multiplies next: what they open may use the same round.
    """
    todo: list[S] = []
    for t in tensors:
        if t.scale > t.context.fraction_bits and t._truncated is None and all(t is not other for other in todo):
            todo.append(t)
    if todo:
        context = todo[0].context
        items = [(t.share, t.scale - context.fraction_bits) for t in todo]
        also = [t.share for t in opening if t.scale <= context.fraction_bits]
        for t, share in zip(todo, context.protocol.truncate(items, also), strict=True):
            t._truncated = t.like(share, scale=context.fraction_bits)
    return [t if t._truncated is None else t._truncated for t in tensors]


def unsupported(operation: str, why: str) -> NoReturn:
    raise UsageError(f"{operation}: {why}")


def numeric(x: Secret, operation: str) -> None:
    """Refuse secret booleans."""
    if x.kind == "bool":
        unsupported(operation, "needs numbers, not booleans; convert them with astype(int), or combine them with & | ^ ~")


def same_program(tensors: Sequence[Secret], operation: str) -> None:
    """Refuse to mix tensors of different runs."""
    if any(t.context is not tensors[0].context for t in tensors):
        unsupported(operation, "the tensors belong to different parties or runs; use tensors of one party.input only")
