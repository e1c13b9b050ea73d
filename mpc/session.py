"""The party of a running program: what `def program(party)` gets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import numpy as np

from mpc.contract import Protocol
from mpc.errors import OptionError, ShapeError, UsageError
from mpc.fixed import MAX_FRACTION_BITS
from mpc.party import Cost, Stats
from mpc.tensor import Tensor
from mpc.tensor.base import DTYPES, Context
from mpc.tensor.encoding import encode_public
from mpc.tensor.tensor import reveal
from mpc.transport import ArraySpec

T = TypeVar("T")


class Party:
    """One party of a program. `index` is its number, from 0; `size` is how many there are."""

    def __init__(self, protocol: Protocol, fraction_bits: int = 16):
        if not 1 <= fraction_bits <= MAX_FRACTION_BITS:
            raise OptionError(f"fraction_bits must be from 1 to {MAX_FRACTION_BITS}, not {fraction_bits}")
        self._protocol = protocol
        self._endpoint = protocol.endpoint
        self._context = Context(protocol, fraction_bits)
        self.index = protocol.endpoint.index
        self.size = protocol.endpoint.size

    def __repr__(self) -> str:
        return f"Party(index={self.index}, size={self.size}, protocol={self._protocol.name!r})"

    def input(self, value: Any, owner: int, shape: Any = None) -> Tensor:
        """The owner's array as a secret tensor. Only the owner's `value` is read; pass None elsewhere.

        dtype and shape become public: the owner announces them (or checks that they are `shape`, where given). Floats
        become fixed point, rounded to nearest; integers and booleans stay what they are. RangeError for NaN, inf and
        floats of 2^(62 - 2 * fraction_bits) or more. Cost: 1 round, 0 bytes: the others' shares come from common seeds.
        """
        if not isinstance(owner, int) or not 0 <= owner < self.size:
            raise UsageError(f"party {self.index}, operation 'input': owner={owner!r} is no party; they are 0 to {self.size - 1}")
        words, spec = None, None
        if self.index == owner:
            words, spec = self._encode(value)
        spec = self._endpoint.announce("input", owner, spec)
        if shape is not None and tuple(spec.shape) != tuple(np.atleast_1d(shape) if shape != () else ()):
            raise ShapeError(f"party {self.index}, operation 'input': shape={shape}, and party {owner}'s array has {spec.shape}")
        kind = {dtype.name: kind for kind, dtype in DTYPES.items()}[spec.dtype]
        share = self._protocol.input(words, owner, spec.shape, kind == "bool")
        scale = self._context.fraction_bits if kind == "float" else 0
        return Tensor(self._context, share, kind, scale)

    def _encode(self, value: Any) -> tuple[Any, ArraySpec]:
        if value is None:
            raise UsageError(f"party {self.index}, operation 'input': this party is the owner, and its value is None")
        if isinstance(value, Tensor):
            raise UsageError(f"party {self.index}, operation 'input': the value is a secret tensor already")
        array = np.asarray(value)
        words, kind, _ = encode_public(self._context, array, "operation 'input'")
        return words, ArraySpec(DTYPES[kind].name, array.shape)

    def reveal(self, *tensors: Tensor, to: int | list[int] | None = None) -> Any:
        """Reveal several tensors in ONE round; a tuple of arrays (None at parties that are not in `to`)."""
        return tuple(reveal(list(tensors), to))

    def measure(self) -> AbstractContextManager[Cost]:
        """`with party.measure() as cost:` fills `cost` with what the block cost at this party."""
        return self._endpoint.meter.measure()

    @property
    def stats(self) -> Stats:
        """The costs so far: `total`, and by operation."""
        return self._endpoint.meter.snapshot()

    def track(self, items: Iterable[T], description: str = "working") -> Iterator[T]:
        """Iterate with a live progress line, shown once (by party 0)."""
        if self.index != 0:
            return iter(items)
        from rich.progress import track  # only programs that show progress pay for this import

        return iter(track(items, description))
