"""Where a party's masks and correlations come from. Protocol code asks here, and never knows who makes them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from mpc.contract.codec import Encoded
from mpc.errors import MaskReuseError
from mpc.party import Cost, Endpoint, Numbers
from mpc.transport import ArraySpec
from protocols.additive.ahead import Ahead, Batch
from protocols.additive.correlations import Correlation
from protocols.additive.dealing import share_of
from protocols.additive.requests import describe, digest, encode
from protocols.additive.shares import Bits, MaskRef, Share
from protocols.additive.spot_check import Versions

Array = np.ndarray[Any, np.dtype[Any]]
T = TypeVar("T")

LARGE = 1 << 18  # bytes of an answer that are worth a message


class Mask:
    """This party's share of a one-time mask. It hides one secret, once."""

    def __init__(self, ref: MaskRef, share: Array):
        self.ref = ref
        self._share: Array | None = share

    def hide(self, x: Share) -> Array:
        """This party's share of the opening x + r."""
        if self._share is None:
            raise MaskReuseError(f"mask {self.ref.number} has already hidden a tensor: a mask is used once")
        if self._share.shape != x.shape:  # broadcasting would hide many elements under one
            raise MaskReuseError(f"mask {self.ref.number} of shape {self._share.shape} cannot hide a tensor of shape {x.shape}")
        hidden = np.add(x.value, self._share, out=self._share)  # the mask is never needed again: its memory is
        self._share = None
        return hidden


class Wanted(NamedTuple):
    """A correlation, and what comes out of it: so many bytes at each party."""

    correlation: Correlation
    specs: list[ArraySpec]
    nbytes: int

    @classmethod
    def of(cls, correlation: Correlation) -> Wanted:
        specs = correlation.specs()
        return cls(correlation, specs, sum(spec.nbytes for spec in specs))


class Pending:
    """A correlation on its way. `shares()` waits for it."""

    number: int  # once it is asked for
    early: Pending | None = None  # the same, asked for ahead
    arrived: list[Array] | None = None

    def __init__(self, source: Source, wanted: Wanted):
        self.source, self.wanted = source, wanted

    def shares(self) -> list[Array]:
        if self.arrived is None:
            self.source.fetch_until(self)
        assert self.arrived is not None
        return self.arrived


def portions(answers: Iterable[T], nbytes: Callable[[T], int]) -> Iterator[list[T]]:
    """The answers to one request, cut into messages: each ends with what brings it to LARGE bytes. So the parties work with
    the first while the dealer still makes the next."""
    portion: list[T] = []
    size = 0
    for answer in answers:
        portion.append(answer)
        size += nbytes(answer)
        if size >= LARGE:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


class Source:
    """Masks and correlations from the dealer: masks from the common seed, correlations by request.

    The dealer takes any numbers that rise. Correlations have numbers of their own, so that those asked for ahead, in vain or
    not, change none of a mask.
    """

    def __init__(self, endpoint: Endpoint):
        self._endpoint = endpoint
        self._versions = Versions(endpoint)
        self._stream = self._versions.stream
        self._corrected = endpoint.index == endpoint.size - 1
        self._masks = Numbers("masks", endpoint.claim)
        self._answers = Numbers("correlations", endpoint.claim)
        self._ahead: Ahead[Wanted] | None = Ahead() if endpoint.asks_ahead else None
        self._expected: deque[Pending] = deque()  # asked for ahead, and not yet by the program
        self._unsent: list[Pending] = []
        self._sent: deque[tuple[str, list[Pending]]] = deque()  # label and content of each message that will come

    @property
    def position(self) -> int:
        """No number above this one has been used."""
        return max(self._masks.last, self._answers.last)

    def skip_to(self, number: int) -> None:
        """Go on above this number."""
        self._masks.skip_to(number)
        self._answers.skip_to(number)

    def mask(self, shape: tuple[int, ...]) -> Mask:
        ref = MaskRef(self._masks.next(), shape)
        return Mask(ref, self._stream.draw("mask", ref.number, shape))

    def bit_mask(self, shape: tuple[int, ...]) -> tuple[int, Bits]:
        """A mask of packed bits, with its number. Its user opens under it once, at once."""
        number = self._masks.next()
        nbytes = (math.prod(shape) + 7) // 8
        return number, Bits(self._stream.draw("bits", number, (nbytes,), np.uint8), shape)

    def bit_planes(self, shape: tuple[int, ...]) -> tuple[int, Array]:
        """A mask of whole bytes of bits, with its number. Its user opens under it once."""
        number = self._masks.next()
        return number, self._stream.draw("bits", number, shape, np.uint8)

    def request(self, correlation: Correlation) -> Pending:
        """Ask for a correlation, without waiting: it travels with the next `flush`, together with others.

        Its bytes count now, as those of the operation that asks: the one that waits may be another.
        """
        wanted = Wanted.of(correlation)
        pending = Pending(self, wanted)
        self._unsent.append(pending)
        if self._corrected:
            cost = Cost(offline_bytes=wanted.nbytes, check_offline_bytes=wanted.nbytes * (self._versions.count - 1))
            self._endpoint.meter.count(f"deal.{correlation.label}", cost)
        return pending

    def flush(self) -> None:
        """Send what was asked for, and what probably will be: before each round, so that the dealer works meanwhile."""
        if not self._unsent:
            return
        wanted, self._unsent = self._unsent, []
        contents = [pending.wanted for pending in wanted]
        correlations = [each.correlation for each in contents]
        batch = Batch(describe(correlations), contents, sum(each.nbytes for each in contents))
        if self._ahead is not None and self._ahead.comes(batch):
            early = [self._expected.popleft() for _ in wanted]
            for pending, same in zip(wanted, early, strict=True):
                pending.early = same
            self._endpoint.vouch(digest(encode(early[0].number, [batch.asked])))  # the dealer has nothing to compare
        else:
            self._waste()
            self._ask("deal." + "+".join(dict.fromkeys(each.label for each in correlations)), [batch.asked], wanted)
        if self._ahead is not None and (more := self._ahead.more()):
            expected = [Pending(self, each) for batch in more for each in batch.wanted]
            self._expected.extend(expected)
            self._ask("deal.ahead", [batch.asked for batch in more], expected)

    def _ask(self, label: str, batches: Sequence[Encoded], wanted: Sequence[Pending]) -> None:
        """Party 0 sends a request in full, the others its digest."""
        for pending in wanted:
            pending.number = self._answers.next()
        assert wanted[-1].number - wanted[0].number == len(wanted) - 1  # only the first one travels
        parts = encode(wanted[0].number, batches)
        self._endpoint.send_request(label, parts if self._endpoint.index == 0 else [digest(parts)])
        count = self._versions.count
        self._sent.extend((label, portion) for portion in portions(wanted, lambda pending: pending.wanted.nbytes * count))

    def _waste(self) -> None:
        """What was expected does not come: nothing of it is used."""
        self._expected.clear()
        if self._ahead is not None and (nbytes := self._ahead.give_up()) and self._corrected:
            self._endpoint.meter.count("deal.ahead", Cost(unused_offline_bytes=nbytes))

    def fetch_until(self, last: Pending) -> None:
        """Corrections come in the order of the requests."""
        self.flush()
        wanted = last.early or last
        while wanted.arrived is None:
            self._fetch(*self._sent.popleft())
        last.arrived = wanted.arrived

    def _fetch(self, label: str, portion: list[Pending]) -> None:
        if self._corrected:
            specs = [spec for pending in portion for spec in pending.wanted.specs * self._versions.count]
            received = iter(self._endpoint.receive_correction(label, specs))
            for pending in portion:
                versions = [[next(received) for _ in pending.wanted.specs] for _ in range(self._versions.count)]
                pending.arrived = self._versions.checked(pending.number, pending.wanted.correlation, versions)
        else:
            for pending in portion:
                pending.arrived = share_of(self._stream, pending.number, pending.wanted.specs)

    def finish(self) -> None:
        """Tell the dealer that this party asks no more."""
        self._waste()
        self._ahead = None
        self.flush()
        self._endpoint.send_request("deal.end", [])
