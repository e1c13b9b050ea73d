"""Embedding."""

from __future__ import annotations

from typing import Any

from mpc.errors import OptionError
from mpc.nn import init
from mpc.nn.module import Module, Parameter
from mpc.nn.rules.products import embedding
from mpc.nn.tape import record
from mpc.party import JointRandom


class _Rows:
    """Standard normal, with zeros in one row."""

    def __init__(self, zeros: int):
        self._zeros = zeros

    def __call__(self, shape: tuple[int, ...], random: JointRandom) -> Any:
        values = init.normal(shape, random)
        values[self._zeros] = 0
        return values


class Embedding(Module):
    """Rows of the weight by integers of any shape, secret or public: torch.nn.Embedding.

    Secret indices, from 0 to num_embeddings - 1: 2 rounds, 8 bytes an index and 8 * num_embeddings for its one-hot word; nobody
    learns which rows are read. Backward: 1 round. Public indices: local, forward and backward. The row `padding_idx` is 0 at
    first, and gets no gradient.
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None):
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise OptionError(f"padding_idx={padding_idx} for {num_embeddings} embeddings")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        initial = init.normal if self.padding_idx is None else _Rows(self.padding_idx)
        self.weight = Parameter((num_embeddings, embedding_dim), initial)

    def forward(self, input: Any) -> Any:
        return record("embedding", embedding, (input, self.weight, self.padding_idx))

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
