"""The party of a dry run: it owns nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from mpc.contract import Protocol
from mpc.dry.unknown import Unknown
from mpc.dry.where import here
from mpc.errors import DryRunError
from mpc.session import Party
from mpc.tensor import Tensor
from mpc.tensor.base import DTYPES
from mpc.tensor.encoding import input_kind
from mpc.tensor.revealing import party_number
from mpc.tensor.shapes import as_public, as_sizes
from mpc.transport import ArraySpec


class DryParty(Party):
    """A party with the index -1. Shapes come from `shape=`, or from a value that the program hands over at this index too."""

    def __init__(self, protocol: Protocol, fraction_bits: int = 16):
        super().__init__(protocol, fraction_bits)
        self._role, self.index = self.index, -1
        self._board.index = self.index  # shows no bars

    def _inputs(self, values: Iterable[Any] | None, owner: int, shapes: Sequence[Any] | None, dtype: Any) -> list[Tensor]:
        owner = party_number(self._what, "owner", owner, self.size)
        known = [None] * len(shapes or ()) if values is None else list(values)
        sizes = [None] * len(known) if shapes is None else list(shapes)
        if not known:
            raise DryRunError(f"{here()}a dry run does not know what party {owner} brings in; give shapes= to party.inputs")
        described = [self._spec(value, shape, dtype, owner) for value, shape in zip(known, sizes, strict=True)]
        specs = self._endpoint.announce("input", owner, *described)
        return [self._shared(self._nothing(spec) if self._role == owner else None, owner, spec) for spec in specs]

    def _spec(self, value: Any, shape: Any, dtype: Any, owner: int) -> ArraySpec:
        if shape is not None:
            kind = "float" if dtype is None else input_kind(dtype, self._what)
            spec = ArraySpec(DTYPES[kind].name, as_sizes(self._what, shape))
            if self._role == owner:
                self._encode(np.zeros(spec.shape, spec.dtype))  # for the time that this takes its owner
            return spec
        if value is None:
            raise DryRunError(
                f"{here()}a dry run does not know what party {owner} brings in; give its shape: party.input(value, owner, "
                "shape=(1000, 30)), and dtype=int or bool where it does not hold floats"
            )
        return self._encode(value)[1]

    def _nothing(self, spec: ArraySpec) -> Any:
        return np.zeros(spec.shape, bool if spec.dtype == "bool" else np.uint64)

    def announce(self, value: Any, owner: int, shape: Any = None) -> Any:
        what = f"{self._context.who}, operation 'announce'"
        owner = party_number(what, "owner", owner, self.size)
        if value is not None:
            array = as_public(value, what)
            if array.dtype.kind != "b" and array.dtype != np.uint8:
                array = array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
            return self._endpoint.broadcast("announce", owner, array)
        if shape is None:
            raise DryRunError(
                f"{here()}a dry run does not know what party {owner} announces; give its shape, or hand the value over where "
                "party.index is -1 too: that is a dry run"
            )
        unknown = Unknown(np.float64, as_sizes(what, shape))
        self._endpoint.broadcast("announce", owner, unknown.placeholder())
        return unknown

    def constant(self, value: Any) -> Tensor:
        return super().constant(value.placeholder() if isinstance(value, Unknown) else value)
