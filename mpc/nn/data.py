"""Data sets of secret tensors, and mini-batches of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np

from mpc.errors import OptionError, ShapeError, UsageError
from mpc.party import JointRandom
from mpc.session import Party
from mpc.tensor import Tensor
from mpc.tensor.base import truncate
from mpc.tensor.boolean import as_numbers
from mpc.tensor.joining import concatenate

Array = np.ndarray[Any, np.dtype[Any]]
Shuffle = bool | Literal["secret"]


Shapes = Sequence[Any] | None


def by_rows(party: Party, array: Any, owners: Iterable[int] | None = None, shapes: Shapes = None, dtype: Any = None) -> Tensor:
    """The rows that several owners have of one table, one owner after the other: each passes its own, others None.

    `owners`: all parties, if left out. How many rows each has becomes public. `shapes`, of each owner's array, and `dtype` are as
    for `party.input`. Cost: 1 round for each owner, 0 bytes.
    """
    return _together(party, array, owners, shapes, dtype, "by_rows", 0)


def by_columns(party: Party, array: Any, owners: Iterable[int] | None = None, shapes: Shapes = None, dtype: Any = None) -> Tensor:
    """The columns that several owners have of the same rows, in the same order: each passes its own, others None.

    As `by_rows`. To bring rows into the same order is the owners' business, before.
    """
    return _together(party, array, owners, shapes, dtype, "by_columns", 1)


def _together(
    party: Party, array: Any, owners: Iterable[int] | None, expected: Shapes, dtype: Any, operation: str, axis: int
) -> Tensor:
    numbers = list(range(party.size) if owners is None else owners)
    expected = [None] * len(numbers) if expected is None else list(expected)
    if len(expected) != len(numbers):
        raise ShapeError(f"{operation}: {len(expected)} shapes for {len(numbers)} owners; give one for each")
    own = [array if party.index == owner else None for owner in numbers]
    given = zip(own, numbers, expected, strict=True)
    parts = [party.input(value, owner, shape, dtype) for value, owner, shape in given]
    shapes = [part.shape for part in parts]
    if len({(len(shape), shape[:axis], shape[axis + 1 :]) for shape in shapes}) != 1 or len(shapes[0]) <= axis:
        have = ", ".join(f"party {owner} {shape}" for owner, shape in zip(numbers, shapes, strict=True)) or "nobody"
        raise ShapeError(f"{operation}: arrays that do not fit together: {have}; they may differ along axis {axis} only")
    joined: Tensor = concatenate(parts, axis)
    return joined


def shuffled(tensors: Sequence[Tensor]) -> list[Tensor]:
    """The rows of all tensors in one order, the same for all, uniform, that nobody knows. Booleans become integers 0 and 1.

    Each party in turn applies a permutation that it alone draws, to what it then holds as shares: the order is that of all
    of them together, so it is uniform, and unknown, as long as one party keeps its own to itself (n - 1 parties that put
    together what they see know the others alone). Nobody sees a value on the way: what a party is sent is masked. The
    additive protocol's dealer, which sees no data, could work the order out; it must not collude with a party anyhow.

    Cost: n rounds; 8 bytes an element and 8 a row to each peer (to party 0 none for what is open already). 1 more round for
    products, which are truncated, and for booleans. What comes out is not open.

    Chase, Ghosh and Poburinnaya, *Secret-Shared Shuffle*, ASIACRYPT 2020, with a dealer in place of oblivious transfer.
    """
    ready = as_numbers(truncate(tensors))
    if len({t.shape[:1] for t in ready}) != 1 or not ready[0].ndim:
        raise ShapeError(f"shuffled: {_rows_differ(ready)}")
    shares = ready[0].context.protocol.shuffle([t.share for t in ready])
    return [t.like(share) for t, share in zip(ready, shares, strict=True)]


def _rows_differ(arrays: Iterable[Any]) -> str:
    return f"the shapes {', '.join(str(np.shape(a)) for a in arrays)} do not have equally many rows (the first axis)"


class TensorDataset:
    """Tensors with equally many rows: torch.utils.data.TensorDataset. Public arrays may be among them.

    `dataset[rows]` is a tuple of these rows of each.
    """

    def __init__(self, *tensors: Any):
        self.tensors = tuple(t if isinstance(t, Tensor) else np.asarray(t) for t in tensors)
        if not any(isinstance(t, Tensor) for t in self.tensors):
            raise UsageError("TensorDataset: no secret tensor among the arguments; tensors come from party.input")
        if len({t.shape[:1] for t in self.tensors}) != 1 or not self.tensors[0].ndim:
            raise ShapeError(f"TensorDataset: {_rows_differ(self.tensors)}")

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])

    def __getitem__(self, rows: Any) -> tuple[Any, ...]:
        return tuple(t[rows] for t in self.tensors)

    def secrets(self) -> list[Tensor]:
        return [t for t in self.tensors if isinstance(t, Tensor)]

    def open(self) -> None:
        """Mask and open what is not open yet, so that rows of it, which are views, are never opened again.

        Cost: 1 round and 8 bytes an element to each peer, the first time; 1 more round for products, which are truncated.
        """
        ready = iter(truncate(self.secrets()))
        self.tensors = tuple(next(ready) if isinstance(t, Tensor) else t for t in self.tensors)
        words = [t.share for t in self.secrets() if t.kind != "bool"]
        if words:
            self.secrets()[0].context.protocol.open(words)

    def shuffled(self) -> TensorDataset:
        """The same rows in an order that nobody knows: see `shuffled`."""
        if len(self.secrets()) != len(self.tensors):
            raise UsageError("a secret order cannot be applied to public arrays: it would show; make them secret by party.input")
        return TensorDataset(*shuffled(self.secrets()))


class DataLoader:
    """Mini-batches of a data set: `for x, y in DataLoader(dataset, batch_size=128, shuffle=True)`, as in PyTorch.

    shuffle=True: in a new order each epoch, which the parties draw jointly and all know. "secret": the same, of rows that have
    first been brought, once, into an order that nobody knows (`shuffled`). So nobody knows which row is in which batch;
    that two batches of different epochs have a row in common is known.

    The data set is opened once, by the first batch: 1 round, 8 bytes an element to each peer. Batches are views of what is
    open, so that later epochs send nothing for it.
    """

    def __init__(self, dataset: TensorDataset, batch_size: int = 1, shuffle: Shuffle = False, drop_last: bool = False):
        if not isinstance(dataset, TensorDataset):
            raise UsageError(f"DataLoader: the data set is a {type(dataset).__name__}; make it by nn.data.TensorDataset(x, y)")
        if shuffle not in (False, True, "secret"):
            raise OptionError(f"shuffle={shuffle!r}; it must be True, False or 'secret'")
        try:
            self.batch_size = operator.index(batch_size)
        except TypeError:
            raise UsageError(f"batch_size={batch_size!r} must be a whole number") from None
        if self.batch_size < 1:
            raise OptionError(f"batch_size={batch_size} must be 1 or more")
        self.dataset, self.shuffle, self.drop_last = dataset, shuffle, drop_last
        self._secret: TensorDataset | None = None  # the data set in a secret order
        self._random: JointRandom | None = None

    def __len__(self) -> int:
        """How many batches an epoch has."""
        return len(self.dataset) // self.batch_size if self.drop_last else -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        dataset, rows = self._prepared(), self._order()
        for k in range(len(self)):
            yield dataset[rows(slice(k * self.batch_size, (k + 1) * self.batch_size))]

    def _prepared(self) -> TensorDataset:
        endpoint = self.dataset.secrets()[0].context.protocol.endpoint
        with endpoint.scope("data"):
            if self.shuffle == "secret" and self._secret is None:
                self._secret = self.dataset.shuffled()
            dataset = self._secret if self._secret is not None else self.dataset
            dataset.open()
            if self.shuffle and self._random is None:
                self._random = JointRandom.common(endpoint)
        return dataset

    def _order(self) -> Callable[[slice], Any]:
        """What a slice of this epoch's rows is."""
        if self._random is None:
            return lambda rows: rows
        return self._random.permutation(len(self.dataset)).__getitem__
