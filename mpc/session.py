"""The party of a running program: what `def program(party)` gets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import numpy as np

from mpc import ring
from mpc.contract import Protocol
from mpc.errors import FrameError, OptionError, ShapeError, UsageError
from mpc.fixed import MAX_FRACTION_BITS
from mpc.party import Cost, Stats
from mpc.tensor import Tensor
from mpc.tensor.base import DTYPES, Array, Context
from mpc.tensor.encoding import encode_input
from mpc.tensor.revealing import Parties, party_number, reveal
from mpc.tensor.shapes import as_numpy, as_sizes
from mpc.transport import ArraySpec

T = TypeVar("T")

_KINDS = {dtype.name: kind for kind, dtype in DTYPES.items()}


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
        floats of 2^(62 - 2 * fraction_bits) or more; UsageError for what is no number. Cost: 1 round, 0 bytes: the others'
        shares come from common seeds.
        """
        owner = party_number(self._what, "owner", owner, self.size)
        words, spec = self._encode(value) if self.index == owner else (None, None)
        spec = self._endpoint.announce("input", owner, spec)
        if spec.dtype not in _KINDS:
            raise FrameError(f"{self._what}: party {owner} announces an array of dtype {spec.dtype}")
        if shape is not None and tuple(spec.shape) != as_sizes(self._what, shape):
            raise ShapeError(f"{self._what}: shape={shape}, and party {owner}'s array has {spec.shape}")
        kind = _KINDS[spec.dtype]
        share = self._protocol.input(words, owner, spec.shape, kind == "bool")
        return Tensor(self._context, share, kind, self._context.fraction_bits if kind == "float" else 0)

    @property
    def _what(self) -> str:
        return f"{self._context.who}, operation 'input'"

    def _encode(self, value: Any) -> tuple[Array, ArraySpec]:
        if value is None:
            raise UsageError(f"{self._what}: this party is the owner, and its value is None")
        if isinstance(value, Tensor):
            raise UsageError(f"{self._what}: the value is a secret tensor already")
        if np.ma.is_masked(value):
            raise UsageError(f"{self._what}: masked values cannot be secret; fill them first (.filled(value))")
        array = as_numpy(self._what, np.asarray, value)
        words, kind, _ = encode_input(self._context, array, self._what)
        return words, ArraySpec(DTYPES[kind].name, array.shape)

    def reveal(self, *tensors: Tensor, to: Parties = None) -> tuple[Any, ...]:
        """Reveal several tensors in ONE round (two if any needs its truncation); a tuple of arrays, one for each tensor.

        To every party, or only to those in `to` (a number or several), with None elsewhere. UsageError for what is no
        tensor of this party.
        """
        if any(isinstance(t, Tensor) and t.context is not self._context for t in tensors):
            raise UsageError(f"{self._context.who}, operation 'reveal': a tensor belongs to another party or run")
        return tuple(reveal(tensors, to))

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

        ring.prepare()  # a first compilation says so on a line of its own, before the progress line is there

        return iter(track(items, description))
