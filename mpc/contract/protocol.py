"""The contract: what a protocol must provide, so that tensors, functions and networks run on it unchanged."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NoReturn

import numpy as np

from mpc.contract.bilinear import MULTIPLY, Bilinear
from mpc.contract.series import Exponential, Waves
from mpc.contract.views import Index, View
from mpc.errors import UsageError
from mpc.party import Endpoint
from mpc.plan import Planner, Way

Words = np.ndarray[Any, np.dtype[np.uint64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
Array = np.ndarray[Any, np.dtype[Any]]
Share = Any  # what this party holds of a secret: a class of the protocol's own, with `.shape`; immutable


class Protocol(ABC):
    """One party's side of a protocol over Z/2^64 (words) and Z/2 (bits).

    Secrets are shares of words, or of bits; public values are NumPy arrays, the same at every party: uint64 modulo 2^64,
    or bool. Operations broadcast like NumPy. A protocol knows no fixed point: the caller tracks the scale. Signed values
    stay below 2^62 in magnitude wherever `truncate` is to work.

    The abstract methods are what every protocol must have. Of the others, those that cannot be made of them refuse: a protocol
    without them runs programs without comparisons and functions.
    """

    name: ClassVar[str]
    min_parties: ClassVar[int] = 2
    max_parties: ClassVar[int] = 5
    secure: ClassVar[bool] = True
    checks_dealer: ClassVar[bool] = False  # whether it looks at `endpoint.check_dealer` versions of what is dealt

    def __init__(self, endpoint: Endpoint):
        self.endpoint = endpoint

    @classmethod
    def dealer(cls) -> Callable[[Endpoint], None] | None:
        """The program of a dealer process, if the protocol wants one: it serves requests until every party has finished."""
        return None

    def finish(self) -> None:  # noqa: B027 - most protocols have nothing to do here
        """The program has ended at this party."""

    # ------------------------------------------------------------------ what to plan with

    @property
    def planner(self) -> Planner:
        """Who chooses where there are several ways to do something."""
        return self.endpoint.planner

    def comparing(self, elements: int, thresholds: int = 1) -> Way:
        """What it costs to compare so many elements, which are open, with so many thresholds each."""
        return Way("comparison", 2, 4.25 * elements * thresholds, (30 + 13 * thresholds) * elements)

    def conjoining(self, elements: int, bits: int) -> Way:
        """What `all` costs for so many bits of each of so many elements."""
        rounds = max(0, bits - 1).bit_length()
        return Way("conjunction", rounds, elements * bits / 4, elements * bits / 8)

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

    def shuffle(self, shares: Sequence[Share]) -> list[Share]:
        """Words of equally many rows (the first axis): the rows of all shares in one order, uniform, that no party knows."""
        self._lacks("shuffle")

    # ------------------------------------------------------------------ from one run to another; no communication

    def export(self, x: Share) -> list[Array]:
        """What this party holds of a secret, for `restore` in a later run of the same parties. To be kept as a share is."""
        self._lacks("export")

    def restore(self, arrays: Sequence[Array], shape: tuple[int, ...], boolean: bool) -> Share:
        """The inverse of `export`, of a secret of that shape; all parties call it with what they kept of the same secret."""
        self._lacks("restore")

    def position(self) -> int:
        """The highest number of one-time randomness that this run has used at this party: the same at every party.

        A protocol that counts otherwise than by `endpoint.next_number` adds its own counters, here and in `skip_to`, and
        passes each of their numbers through `endpoint.claim` before it is used.
        """
        return self.endpoint.numbers.last

    def skip_to(self, number: int) -> None:
        """Use no number up to this one from now on: those were issued before a crash. `number` is at least `position()`."""
        self.endpoint.numbers.skip_to(number)

    def at_checkpoint(self, number: int) -> None:  # noqa: B027 - a note for those whose randomness was made ahead
        """All parties have checkpoint `number` on disk, and the program goes on from it. What was used so far: `position()`."""

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

    def all(self, x: Share) -> Share:
        """The conjunction of bits along the first axis. By default a round for each halving."""
        while x.shape[0] > 1:
            half, odd = divmod(x.shape[0], 2)
            front, back = (self.view(x, Index((slice(k * half, (k + 1) * half),))) for k in (0, 1))
            rest = [self.view(x, Index((slice(2 * half, None),)))] if odd else []
            x = self.concatenate([self.and_(front, back), *rest], 0)
        return self.view(x, Index((0,))) if x.shape[0] else self.constant(np.ones(x.shape[1:], bool))

    # ------------------------------------------------------------------ order

    def open(self, shares: Sequence[Share]) -> None:  # noqa: B027 - advice, which a protocol need not take
        """The caller will compare or multiply these shares several times: what that opens may be opened now, in one round."""

    def is_part(self, x: Share) -> bool:
        """Whether x is a view of something larger, neither of which is open: x may be opened alone then, and only views of x
        that are made afterwards are open."""
        return False

    def at_least(self, x: Share, thresholds: Words, bits: int = 62, opening: Sequence[Share] = ()) -> Share:
        """Bits [x >= t] of signed values for each public t: shape (k, *x.shape), as that of `thresholds`.

        Exact for |x - t| < 2^bits; a smaller number of bits may cost less. `opening`: as for `truncate`.
        """
        self._lacks("at_least")

    def less(self, x: Share, y: Share) -> Share:
        """Bits [x < y] of signed values. Exact for |x - y| < 2^62."""
        z = self.subtract(x, y)
        return self.not_(self.view(self.at_least(z, np.zeros((1, *z.shape), np.uint64)), Index((0,))))

    def less_within(self, x: Share, first: View, second: View) -> Share:
        """Bits [first(x) < second(x)] of two views of x, of one shape: `less`, where x is opened at most once, as a whole."""
        self.open([x])
        return self.less(self.view(x, first), self.view(x, second))

    def equal(self, x: Share, y: Share | Words) -> Share:
        """Bits [x = y] of words modulo 2^64."""
        self._lacks("equal")

    def floor(self, items: Sequence[tuple[Share, int]]) -> list[Share]:
        """Divide each share's signed value by 2^bits, rounding down exactly; all in as many rounds as one."""
        self._lacks("floor")

    def domain(self, x: Share, low: int, high: int, operation: str) -> None:  # noqa: B027 - who sees no value cannot check it
        """`operation` is defined for low <= x <= high (signed words): RangeError elsewhere, from a protocol that sees values."""

    # ------------------------------------------------------------------ bits and words

    def to_words(self, x: Share) -> Share:
        """Bits as words 0 and 1."""
        self._lacks("to_words")

    def select(self, items: Sequence[tuple[Share, Share | Words]]) -> list[Share]:
        """For each (bits, words) of broadcastable shapes: the word where the bit is set, else 0. All in one round.

        Words may be public.
        """
        self._lacks("select")

    def one_hot(self, x: Share, size: int) -> Share:
        """Words 0 and 1 of shape (*x.shape, size): [x = k] for k below `size`, of x modulo the power of two from `size` on."""
        self._lacks("one_hot")

    # ------------------------------------------------------------------ functions

    def waves(
        self, x: Share, series: Sequence[Waves], opening: Sequence[Share] = (), compared: tuple[int, int] | None = None
    ) -> list[Share]:
        """Each of these sums of waves of x; all of them have the same period, factor, scale and length. One round; none if x
        is open.

        `opening`: as for `truncate`. `compared`: how many thresholds, and bits, an `at_least` of x has that comes next: what
        that needs of others may be asked for now.
        """
        self._lacks("waves")

    def exponential(self, x: Share, curve: Exponential) -> Share:
        """This exponential of x. One round; none if x is open."""
        self._lacks("exponential")

    def _lacks(self, operation: str) -> NoReturn:
        raise UsageError(f"the protocol '{self.name}' does not provide '{operation}'; run the program on one that does")
