"""The contract: what a protocol must provide, so that tensors, functions and networks run on it unchanged."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from mpc.contract.bilinear import MULTIPLY, Bilinear
from mpc.contract.views import View
from mpc.party import Endpoint

Words = np.ndarray[Any, np.dtype[np.uint64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
Array = np.ndarray[Any, np.dtype[Any]]
Share = Any  # what this party holds of a secret: a class of the protocol's own, with `.shape`; immutable


class Protocol(ABC):
    """One party's side of a protocol over Z/2^64 (words) and Z/2 (bits).

    Secrets are shares of words, or of bits; public values are NumPy arrays, the same at every party: uint64 modulo 2^64,
    or bool. Operations broadcast like NumPy. A protocol knows no fixed point: the caller tracks the scale. Signed values
    stay below 2^62 in magnitude wherever `truncate` is to work.
    """

    name: ClassVar[str]
    min_parties: ClassVar[int] = 2
    max_parties: ClassVar[int] = 5
    secure: ClassVar[bool] = True

    def __init__(self, endpoint: Endpoint):
        self.endpoint = endpoint

    @classmethod
    def dealer(cls) -> Callable[[Endpoint], None] | None:
        """The program of a dealer process, if the protocol wants one: it serves requests until every party has finished."""
        return None

    def finish(self) -> None:  # noqa: B027 - most protocols have nothing to do here
        """The program has ended at this party."""

    # ------------------------------------------------------------------ in and out

    @abstractmethod
    def input(self, value: Array | None, owner: int, shape: tuple[int, ...], boolean: bool) -> Share:
        """Share the owner's array (uint64; bool if `boolean`). The others pass None, and know the shape."""

    @abstractmethod
    def constant(self, value: Array) -> Share:
        """A public array as a (trivial) share. No communication."""

    @abstractmethod
    def reveal(self, shares: Sequence[Share], to: Sequence[int]) -> list[Array | None]:
        """Open all shares (words and bits mixed) to the parties in `to`, in one round; None at the other parties."""

    # ------------------------------------------------------------------ moving values; no communication

    @abstractmethod
    def view(self, x: Share, view: View) -> Share:
        """Rearrange words or bits."""

    @abstractmethod
    def concatenate(self, shares: Sequence[Share], axis: int) -> Share:
        """Join words, or bits, along an existing axis."""

    # ------------------------------------------------------------------ linear; no communication

    @abstractmethod
    def add(self, x: Share, y: Share | Words) -> Share: ...

    @abstractmethod
    def negate(self, x: Share) -> Share: ...

    def subtract(self, x: Share, y: Share | Words) -> Share:
        return self.add(x, np.asarray(np.negative(y)) if isinstance(y, np.ndarray) else self.negate(y))

    @abstractmethod
    def linear(self, x: Share, name: str, function: Callable[[Array], Array]) -> Share:
        """A map that is linear over the integers (sum, cumsum, ...), given as a function of arrays of any number type."""

    # ------------------------------------------------------------------ products

    @abstractmethod
    def bilinear(self, op: Bilinear, x: Share | Words, y: Share | Words) -> Share:
        """op(x, y) modulo 2^64. At most one operand is public, and then there is no communication."""

    def square(self, x: Share) -> Share:
        return self.bilinear(MULTIPLY, x, x)

    @abstractmethod
    def truncate(self, items: Sequence[tuple[Share, int]], opening: Sequence[Share] = ()) -> list[Share]:
        """Divide each share's signed value by 2^bits, with an error under one unit in the last place, in one round.

        `opening` names shares that the caller will multiply next: what they open may travel in the same round.
        """

    # ------------------------------------------------------------------ secret booleans

    @abstractmethod
    def xor(self, x: Share, y: Share | Bools) -> Share: ...

    @abstractmethod
    def and_(self, x: Share, y: Share | Bools) -> Share:
        """No communication when y is public."""

    def not_(self, x: Share) -> Share:
        return self.xor(x, np.asarray(True))

    def or_(self, x: Share, y: Share | Bools) -> Share:
        return self.xor(self.xor(x, y), self.and_(x, y))
