"""The party of a running program: what `def program(party)` gets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import numpy as np

from mpc.checkpoints import Checkpoints
from mpc.contract import Protocol
from mpc.errors import DesyncError, FrameError, OptionError, ShapeError, UsageError
from mpc.fixed import MAX_FRACTION_BITS
from mpc.party import Cost, JointRandom, Stats
from mpc.progress import Bar, Board, Track
from mpc.tensor import Tensor
from mpc.tensor.base import DTYPES, Array, Context
from mpc.tensor.encoding import encode_input, input_kind
from mpc.tensor.revealing import Parties, party_number, reveal
from mpc.tensor.shapes import as_numpy, as_public, as_sizes
from mpc.transport import ArraySpec

T = TypeVar("T")

_KINDS = {dtype.name: kind for kind, dtype in DTYPES.items()}
_LARGEST = 1 << 33  # bytes that one call brings in: nobody makes room for whatever an owner announces
_PUBLIC = (*DTYPES.values(), np.dtype(np.uint8))  # what `announce` gives


class Party:
    """One party of a program. `index` is its number, from 0; `size` is how many there are."""

    def __init__(self, protocol: Protocol, fraction_bits: int = 16, checkpoints: Checkpoints | None = None):
        if not 1 <= fraction_bits <= MAX_FRACTION_BITS:
            raise OptionError(f"fraction_bits must be from 1 to {MAX_FRACTION_BITS}, not {fraction_bits}")
        self._protocol = protocol
        self._endpoint = protocol.endpoint
        self._context = Context(protocol, fraction_bits)
        self.index = protocol.endpoint.index
        self.size = protocol.endpoint.size
        self._board = Board(protocol.endpoint)
        self._checkpoints = Checkpoints(protocol) if checkpoints is None else checkpoints

    @property
    def fraction_bits(self) -> int:
        """Binary digits after the point of this program's numbers."""
        return self._context.fraction_bits

    def __repr__(self) -> str:
        return f"Party(index={self.index}, size={self.size}, protocol={self._protocol.name!r})"

    def input(self, value: Any, owner: int, shape: Any = None, dtype: Any = None) -> Tensor:
        """The owner's array as a secret tensor. Only the owner's `value` is read; pass None elsewhere.

        dtype and shape become public: the owner announces them, and all check that they are `shape`, and of the kind of `dtype`
        (float, int or bool), where given. `mpc cost` and `mpc deal`, which have no data, take them from there. Floats
        become fixed point, rounded to nearest; integers and booleans stay what they are. RangeError for NaN, inf and
        floats of 2^(62 - 2 * fraction_bits) or more; UsageError for what is no number. Cost: 1 round, 0 bytes: the others'
        shares come from common seeds. At most 8 GiB in one call (FrameError).
        """
        return self._inputs([value], owner, [shape], dtype)[0]

    def inputs(
        self, values: Iterable[Any] | None, owner: int, shapes: Sequence[Any] | None = None, dtype: Any = None
    ) -> list[Tensor]:
        """Several arrays of one owner as secret tensors, as by `input`; only the owner's `values` are read.

        How many there are becomes public too. `shapes`, of each, and `dtype`, of all, are as for `input`. Cost: 1 round, 0 bytes
        for all of them.
        """
        return self._inputs(values, owner, shapes, dtype)

    def _inputs(self, values: Iterable[Any] | None, owner: int, shapes: Sequence[Any] | None, dtype: Any) -> list[Tensor]:
        owner = party_number(self._what, "owner", owner, self.size)
        encoded = [self._encode(value) for value in self._owned(values)] if self.index == owner else []
        specs = self._endpoint.announce("input", owner, *(spec for _, spec in encoded))
        for spec in specs:
            if spec.dtype not in _KINDS:
                raise FrameError(f"{self._what}: party {owner} announces an array of dtype {spec.dtype}")
        if sum(spec.nbytes for spec in specs) > _LARGEST:
            shown = ", ".join(map(str, specs[:3])) + (", .." if len(specs) > 3 else "")
            raise FrameError(
                f"{self._what}: party {owner} announces {shown}, together more than {_LARGEST} bytes; bring it in by more calls"
            )
        if shapes is not None:
            self._check_shapes(specs, owner, shapes)
        if dtype is not None:
            self._check_kind(specs, owner, input_kind(dtype, self._what))
        words = [array for array, _ in encoded] if self.index == owner else [None] * len(specs)
        return [self._shared(array, owner, spec) for array, spec in zip(words, specs, strict=True)]

    def _owned(self, values: Iterable[Any] | None) -> Iterable[Any]:
        if values is None:
            raise UsageError(f"{self._what}: this party is the owner, and its values are None")
        return values

    def _check_kind(self, specs: Sequence[ArraySpec], owner: int, kind: str) -> None:
        for spec in specs:
            if _KINDS[spec.dtype] != kind:
                raise UsageError(f"{self._what}: dtype={kind}, and party {owner}'s array has {spec.dtype}; give that, or convert")

    def _check_shapes(self, specs: Sequence[ArraySpec], owner: int, shapes: Sequence[Any]) -> None:
        if len(specs) != len(shapes):
            raise DesyncError(f"{self._what}: party {owner} announces {len(specs)} arrays in place of {len(shapes)}")
        for spec, shape in zip(specs, shapes, strict=True):
            if shape is not None and tuple(spec.shape) != as_sizes(self._what, shape):
                raise ShapeError(f"{self._what}: shape={shape}, and party {owner}'s array has {spec.shape}")

    def _shared(self, words: Array | None, owner: int, spec: ArraySpec) -> Tensor:
        kind = _KINDS[spec.dtype]
        share = self._protocol.input(words, owner, spec.shape, kind == "bool")
        return Tensor(self._context, share, kind, self._context.fraction_bits if kind == "float" else 0)

    def announce(self, value: Any, owner: int, shape: Any = None) -> Array:
        """The owner's array, known to all parties from now on: PUBLIC, for sizes, names and settings that only it knew.

        Only the owner's `value` is read; pass None elsewhere. All check that it has `shape`, where given. Returns a read-only
        array of booleans, bytes (uint8), int64 or float64, the same at every party. UsageError for what is no number. Cost: 1
        round, and its bytes, sent by the owner.
        """
        what = f"{self._context.who}, operation 'announce'"
        owner = party_number(what, "owner", owner, self.size)
        array = None
        if self.index == owner:
            if value is None or isinstance(value, Tensor):
                raise UsageError(f"{what}: this party is the owner, and its value is {type(value).__name__}, no public array")
            array = as_public(value, what)
            if array.dtype not in _PUBLIC:
                array = array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
        array = self._endpoint.broadcast("announce", owner, array)
        if array.dtype not in _PUBLIC:
            raise FrameError(f"{what}: party {owner} announces an array of dtype {array.dtype}")
        if shape is not None and array.shape != as_sizes(what, shape):
            raise ShapeError(f"{what}: shape={shape}, and party {owner}'s array has {array.shape}")
        return array

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

    def constant(self, value: Any) -> Tensor:
        """A public array, the same at every party, as a tensor: a value to start from. Local.

        Errors as those of `input`.
        """
        what = f"{self._context.who}, operation 'constant'"
        words, kind, scale = encode_input(self._context, as_public(value, what), what)
        return Tensor(self._context, self._protocol.constant(words), kind, scale)

    @property
    def random(self) -> JointRandom:
        """Public randomness that all parties agree on: `permutation(n)`, `random(*shape)`, `normal(*shape)`."""
        return JointRandom.common(self._endpoint)

    def checkpoint(self, state: Any, every: int = 1) -> Any:
        """Keep the state, and return the one to go on from: in a resumed run, once, that of the last complete checkpoint.

            state = {"epoch": 0, "w": party.constant(np.zeros(30))}
            while state["epoch"] < 10:
                state = party.checkpoint(state)
                ...
                state = {"epoch": state["epoch"] + 1, "w": w}

        `state`: dicts (by str), lists and tuples of secret tensors, arrays of numbers, numbers, str, bytes, None, and of what
        has a state_dict, as networks and optimisers, which take it back in place. Its shape stays: a tensor's kind and shape,
        a dict's keys; None may become anything, lists of numbers and texts may grow. The tensors that come back have lost
        what was opened of them, so that both runs go on alike: use these. `every=k`: only each k-th call does anything.

        Each party keeps its shares in a folder of its own (`checkpoints=` of mpc.run, `mpc run --checkpoints`), encrypted.
        Without one, nothing is kept. Cost: 1 round, 8 bytes, the files on disk; what is used again is opened anew.
        CheckpointError for a state that is not like the first, or cannot be written; UsageError for what cannot be kept.
        """
        return self._checkpoints(self._context, state, every)

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

    def scope(self, name: str) -> AbstractContextManager[None]:
        """`with party.scope("features"):` counts what the block costs under this name: in `stats`, and in a profile.

        Scopes nest: their costs stand under the path of their names ("training/features"). The name becomes public.
        """
        return self._endpoint.scope(name)

    @property
    def stats(self) -> Stats:
        """The costs so far: `total`, by operation, and by scope; in a run that is profiled by line of the program too."""
        return self._endpoint.meter.snapshot()

    def track(self, items: Iterable[T], description: str = "working") -> Track[T]:
        """Iterate with a live bar, shown once (by party 0): how many are done, rounds, bytes sent, time left.

            epochs = party.track(range(5), "training")
            for epoch in epochs:
                ...
                epochs.show(loss=loss.reveal())  # revealed numbers beside the bar

        Bars within bars stand below them. Where there is no terminal, a line every ten seconds at most, and one at the end.
        """
        return Track(self._board, description, items)

    def progress(self, total: int | None = None, description: str = "working") -> Bar:
        """A bar like that of `track`, which the program moves itself: bar.update(loss=0.31), one step each.

        It ends after `total` steps, or with its block: `with party.progress(10, "epoch 1") as bar:`. Shown are public numbers
        only: UsageError for a secret tensor, at every party. Other parties may hand over None, as `reveal(to=0)` gives them.
        """
        bar = Bar(self._board, description, total)
        bar.open()
        return bar

    def close_progress(self) -> None:
        """The program has ended, with or without an error: nothing moves on."""
        self._board.close_all()
