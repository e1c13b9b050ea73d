"""Multi-head attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mpc.errors import OptionError, ShapeError, UsageError
from mpc.nn import functional as F
from mpc.nn import init
from mpc.nn.layers.dropout import Dropout
from mpc.nn.layers.linear import Linear
from mpc.nn.module import Module, Parameter
from mpc.nn.tape import value_of
from mpc.tensor import Tensor
from mpc.tensor.base import truncate

_NEVER = -1024.0  # added to a score: its exponential is 0


class MultiheadAttention(Module):
    """torch.nn.MultiheadAttention: softmax(q k^T / sqrt(d)) v in each of num_heads parts of embed_dim, with public masks.

    The projections of q, k and v are one product where they are the same tensor, else one for each different tensor, in the
    same rounds. Rounds: 6 and those of a softmax over the keys; 1 or 2 more, where the size of a head is no power of 4.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
    ):
        if embed_dim % num_heads:
            raise OptionError(f"embed_dim={embed_dim} must be a multiple of num_heads={num_heads}")
        if add_bias_kv or add_zero_attn or kdim not in (None, embed_dim) or vdim not in (None, embed_dim):
            raise OptionError("MultiheadAttention: add_bias_kv, add_zero_attn, kdim and vdim are not available")
        self.embed_dim, self.num_heads, self.batch_first = embed_dim, num_heads, batch_first
        self.in_proj_weight = Parameter((3 * embed_dim, embed_dim), init.xavier_uniform)
        self.in_proj_bias = Parameter((3 * embed_dim,), init.zeros) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias)
        if self.out_proj.bias is not None:
            self.out_proj.bias.initial = init.zeros
        self.dropout = Dropout(dropout)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
    ) -> tuple[Any, Any]:
        """The output (as query), and the weights (N, L, S), or None: query (L, N, E), key and value (S, N, E); with
        `batch_first` (N, L, E) and (N, S, E); or without a batch (L, E) and (S, E).

        Masks are public: True where attention is not allowed, or numbers that are added to the scores. `attn_mask`: (L, S) or
        (N * num_heads, L, S); `key_padding_mask`: (N, S). `average_attn_weights=False` gives weights (N, num_heads, L, S).
        """
        single = query.ndim == 2
        q, k, v = (self._heads(part, single) for part in self._projected(query, key, value))
        q = q / math.sqrt(self.embed_dim // self.num_heads)
        truncate([value_of(part) for part in (q, k, v)])  # all in one round
        scores = q @ np.swapaxes(k, -1, -2)
        for mask in self._masks(scores.shape, attn_mask, key_padding_mask):
            scores = scores + mask
        weights = self.dropout(F.softmax(scores, -1))
        joined = np.reshape(np.moveaxis(weights @ v, 1, 2), (scores.shape[0], -1, self.embed_dim))  # (N, L, E)
        output = self.out_proj(joined[0] if single else joined if self.batch_first else np.swapaxes(joined, 0, 1))
        if not need_weights:
            return output, None
        shown = np.mean(weights, 1) if average_attn_weights else weights
        return output, shown[0] if single else shown

    def _projected(self, *inputs: Any) -> list[Any]:
        """q, k and v: neighbours that are the same tensor by one product."""
        size, parts = self.embed_dim, []
        for x in inputs:
            if x.shape[-1] != size:
                raise ShapeError(f"MultiheadAttention: an input of shape {x.shape}; its last axis must be embed_dim={size}")
        if any(x is not inputs[0] for x in inputs):  # opened for all products in one round; of one product it is done by that
            ready = truncate([value_of(x) for x in (*inputs, self.in_proj_weight)])
            ready[0].context.protocol.open([x.share for x in ready])
        first = 0
        while first < 3:
            end = next((k for k in range(first + 1, 3) if inputs[k] is not inputs[first]), 3)
            rows = slice(first * size, end * size)
            bias = None if self.in_proj_bias is None else self.in_proj_bias[rows]
            whole = end - first == 3
            product = F.linear(inputs[first], self.in_proj_weight if whole else self.in_proj_weight[rows], bias)
            parts += np.split(product, end - first, axis=-1)
            first = end
        return parts

    def _heads(self, x: Any, single: bool) -> Any:
        """(N, heads, length, size of a head)."""
        x = np.expand_dims(x, 0) if single else x if self.batch_first else np.swapaxes(x, 0, 1)
        return np.moveaxis(np.reshape(x, (*x.shape[:2], self.num_heads, -1)), 2, 1)

    def _masks(self, shape: tuple[int, ...], attn_mask: Any, key_padding_mask: Any) -> list[Any]:
        n, heads, length, keys = shape
        masks = []
        if attn_mask is not None:
            full = np.ndim(attn_mask) == 3
            expected = (n * heads, length, keys) if full else (length, keys)
            masks.append(_added("attn_mask", attn_mask, expected).reshape(shape if full else expected))
        if key_padding_mask is not None:
            masks.append(_added("key_padding_mask", np.atleast_2d(key_padding_mask), (n, keys)).reshape(n, 1, 1, keys))
        return masks

    def extra_repr(self) -> str:
        return f"embed_dim={self.embed_dim}, num_heads={self.num_heads}, batch_first={self.batch_first}"


def _added(name: str, mask: Any, shape: tuple[int, ...]) -> Any:
    """What is added to the scores for a public mask."""
    if isinstance(value_of(mask), Tensor):
        raise UsageError(f"{name}: masks are public; a secret one can be added to the scores in a module of your own")
    array = np.asarray(mask)
    if array.shape != shape:
        raise ShapeError(f"{name} has shape {array.shape}; it must be {shape}")
    return np.where(array, _NEVER, 0.0) if array.dtype == np.bool_ else np.maximum(array, _NEVER)
