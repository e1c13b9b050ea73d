"""What a program will ask of the dealer next, if it goes on as it did: a loop asks for the same again and again.

A batch is what is asked for between two rounds. Once the batches of a period have come three times, with numbers that rise
alike, the next ones are expected, and asked for ahead of time: two at first, twice as many each time that half of them have
come true. So the dealer works meanwhile, its answers are there when they are needed, and one message asks for many.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from mpc.contract.codec import Encoded

W = TypeVar("W")

MOST = 16  # batches that are expected at a time: so much may be dealt in vain
MOST_BYTES = 1 << 23  # of answers that are on their way, from which on no more is asked for ahead
LONGEST = 1 << 9  # batches of a period
_KEPT = 1 << 14  # bytes of arrays beyond which a batch is not kept, and never expected
_TWICE = 2  # batches at least that came as expected


class Batch(NamedTuple, Generic[W]):
    """What is asked for, as it travels and in the caller's own terms; of answers so many bytes."""

    asked: Encoded
    wanted: Sequence[W]
    nbytes: int


class Ahead(Generic[W]):
    """The batches so far, and those that are expected."""

    def __init__(self) -> None:
        self._past: list[Batch[W]] = []
        self._forgotten = 0  # batches before these
        self._expected: deque[Batch[W]] = deque()
        self._latest: dict[bytes, int] = {}  # where a text came last
        self._period = self._regular = 0  # how many have come as they did a period ago
        self._window = 1

    def comes(self, batch: Batch[W]) -> bool:
        """The program asks for this. Whether it was expected next, and so has been asked for."""
        early = bool(self._expected) and _same(self._expected[0].asked, batch.asked)
        if early:
            self._keep(self._expected.popleft())
            self._regular += 1
        else:
            self._remember(batch)
        return early

    def give_up(self) -> int:
        """Expect nothing any more: the bytes that were asked for in vain."""
        wasted = sum(batch.nbytes for batch in self._expected)
        self._expected.clear()
        self._window = 1
        return wasted

    def more(self) -> list[Batch[W]]:
        """What is expected and to be asked for now; `wanted` is what it was a period ago."""
        if self._regular < max(self._period, _TWICE) or 2 * len(self._expected) > self._window:
            return []
        self._window = min(2 * self._window, MOST)
        begin, nbytes = len(self._expected), sum(batch.nbytes for batch in self._expected)
        while len(self._expected) < self._window:
            batch = self._next()
            nbytes += batch.nbytes
            if nbytes > MOST_BYTES or min(batch.asked.numbers, default=1) < 1:  # numbers may fall, too
                break
            self._expected.append(batch)
        return list(self._expected)[begin:]

    def _remember(self, batch: Batch[W]) -> None:
        if sum(array.nbytes for array in batch.asked.arrays) > _KEPT:
            batch = Batch(Encoded(b"", (), ()), (), 0)
        text = batch.asked.text
        latest = self._latest.get(text)
        place = self._keep(batch)
        if self._is_regular(place):
            self._regular += 1
        else:
            self._period = 0 if not text or latest is None or place - latest > LONGEST else place - latest
            self._regular = 0

    def _keep(self, batch: Batch[W]) -> int:
        """Its place."""
        place = self._forgotten + len(self._past)
        self._past.append(batch)
        self._latest[batch.asked.text] = place
        if len(self._past) > 4 * LONGEST:
            self._forgotten += 2 * LONGEST
            del self._past[: 2 * LONGEST]
            self._latest = {text: last for text, last in self._latest.items() if last >= self._forgotten}
        return place

    def _is_regular(self, place: int) -> bool:
        """Whether the batch there has come two times before, each a period apart, with numbers that rise alike."""
        if not self._period or place - 2 * self._period < self._forgotten:
            return False
        now, before, first = (self._at(place - k * self._period).asked for k in range(3))
        same = first.same_but_numbers(before) and before.same_but_numbers(now)
        return bool(now.text) and same and now.numbers == _continued(first, before).numbers

    def _at(self, place: int) -> Batch[W]:
        place -= self._forgotten
        return self._past[place] if place < len(self._past) else self._expected[place - len(self._past)]

    def _next(self) -> Batch[W]:
        place = self._forgotten + len(self._past) + len(self._expected)
        last, first = self._at(place - self._period), self._at(place - 2 * self._period)
        return last._replace(asked=_continued(first.asked, last.asked))


def _continued(first: Encoded, second: Encoded) -> Encoded:
    numbers = [2 * b - a for a, b in zip(first.numbers, second.numbers, strict=True)]
    return Encoded(second.text, tuple(numbers), second.arrays)


def _same(a: Encoded, b: Encoded) -> bool:
    return a.numbers == b.numbers and a.same_but_numbers(b)
