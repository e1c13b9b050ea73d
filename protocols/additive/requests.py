"""What parties ask of the dealer, as it travels: a text, which comes again and again, and the numbers of masks, which do not.

A message holds batches: the text of each (a line), the number of the first correlation and those of all masks, and arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from mpc.contract import codec
from mpc.contract.codec import Encoded
from mpc.errors import FrameError
from mpc.transport import ArraySpec
from protocols.additive import checks
from protocols.additive.correlations import Correlation
from protocols.additive.shares import MaskRef

Array = np.ndarray[Any, np.dtype[Any]]

_USUAL = 1 << 12  # bytes of a text that is worth remembering
_LINE, _ARRAY = b"\n", b'"array"'


class Asked(NamedTuple):
    """A correlation that was asked for, by its number; `masks` are the numbers of the masks whose places it names."""

    number: int
    correlation: Correlation
    specs: list[ArraySpec]
    masks: Sequence[int]

    def named(self, ref: MaskRef) -> MaskRef:
        """A mask of the correlation, with its number in the place of its place."""
        return MaskRef(self.masks[ref.number - 1], ref.shape, ref.part, ref.bits, ref.views)


def describe(correlations: Sequence[Correlation]) -> Encoded:
    """What is asked for between two rounds."""
    return codec.encode(correlations)


def encode(first: int, batches: Sequence[Encoded]) -> list[Array]:
    """A message of batches. Their correlations are numbered from `first`."""
    text = _LINE.join(batch.text for batch in batches)
    numbers = [first, *(number for batch in batches for number in batch.numbers)]
    arrays = [array for batch in batches for array in batch.arrays]
    return [np.frombuffer(text, np.uint8), np.array(numbers, np.uint64), *arrays]


def decode(parts: Sequence[Array]) -> Iterator[Asked]:
    """The correlations of a message, in their order. FrameError for what cannot be dealt, once it is reached."""
    if len(parts) < 2 or parts[0].dtype != np.uint8 or parts[1].dtype != np.uint64 or not parts[1].size:
        raise FrameError("the dealer got a message that is no list of requests")
    number, *numbers = parts[1].ravel().tolist()
    for mask in numbers:
        checks.number("the number of a mask", mask)
    masks, arrays = iter(numbers), iter(parts[2:])
    for text in parts[0].tobytes().split(_LINE):
        template = _parsed(text, arrays) if _ARRAY in text or len(text) > _USUAL else _known(text)
        mine = list(islice(masks, template.masks))
        if len(mine) < template.masks:
            raise FrameError("a request of more masks than it has numbers")
        for correlation, specs in template.wanted:
            checks.whole(f"the number of {correlation.label}", number, 1, (1 << 64) - 1)
            yield Asked(number, correlation, specs, mine)
            number += 1
    if next(masks, None) is not None or next(arrays, None) is not None:
        raise FrameError("a request with more numbers or arrays than it refers to")


def digest(parts: Sequence[Array]) -> Array:
    """What the parties compare: two requests with equal digests are equal."""
    state = blake2b(digest_size=32, person=b"mpc request")
    for part in parts:
        # dtype and shape end in ")" and fix how many bytes follow, so no two lists of arrays hash the same bytes
        state.update(f"{part.dtype.str}{part.shape}".encode() + part.tobytes())
    return np.frombuffer(state.digest(), np.uint8)


class _Template(NamedTuple):
    wanted: list[tuple[Correlation, list[ArraySpec]]]
    masks: int


@lru_cache(maxsize=512)  # the same are asked for again and again
def _known(text: bytes) -> _Template:
    return _parsed(text, iter(()))


def _parsed(text: bytes, arrays: Iterator[Array]) -> _Template:
    correlations, masks = codec.decode(text, arrays)
    if not isinstance(correlations, tuple) or not correlations:
        raise FrameError("the dealer got a message that is no list of requests")
    for correlation in correlations:
        if not isinstance(correlation, Correlation):
            raise FrameError("the dealer got a request for something that is no correlation")
    return _Template([(correlation, checked(correlation)) for correlation in correlations], masks)


def checked(correlation: Correlation) -> list[ArraySpec]:
    """What comes out of a correlation. FrameError for one that cannot be dealt."""
    try:
        correlation.check()
        specs = correlation.specs()
        checks.together(specs)
    except (TypeError, AttributeError, ValueError, IndexError, ArithmeticError, MemoryError) as error:
        raise FrameError(f"a request for {correlation.label} that cannot be dealt: {error}") from None
    return specs
