"""The transformer's encoder layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpc.errors import OptionError
from mpc.nn import functional as F
from mpc.nn.layers.attention import MultiheadAttention
from mpc.nn.layers.dropout import Dropout
from mpc.nn.layers.linear import Linear
from mpc.nn.layers.normalisation import LayerNorm
from mpc.nn.module import Module

_ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu}


class TransformerEncoderLayer(Module):
    """torch.nn.TransformerEncoderLayer: self-attention and two linear layers, each with a residual and a LayerNorm.

    `activation`: "relu", "gelu" or a function. `norm_first`: normalise the input of each half, not its sum.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ):
        if isinstance(activation, str) and activation not in _ACTIVATIONS:
            raise OptionError(f"activation={activation!r}; it must be 'relu', 'gelu' or a function")
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first)
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.dropout, self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout), Dropout(dropout)
        self.norm_first = norm_first
        self.activation = _ACTIVATIONS[activation] if isinstance(activation, str) else activation

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None) -> Any:
        """Of (L, N, d_model), or with `batch_first` (N, L, d_model); masks are public, as those of MultiheadAttention."""

        def attend(x: Any) -> Any:
            return self.dropout1(self.self_attn(x, x, x, src_key_padding_mask, False, src_mask)[0])

        def feed(x: Any) -> Any:
            return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))

        if self.norm_first:
            x = src + attend(self.norm1(src))
            return x + feed(self.norm2(x))
        x = self.norm1(src + attend(src))
        return self.norm2(x + feed(x))
