"""Functions of secret tensors that NumPy has not, by SciPy's names. Those that NumPy has are its own: np.exp(t), np.sqrt(t), ...

Accuracy, rounds and bytes are in the docstrings: f = 16 fraction bits, the additive protocol with two parties, measured on
dense scans of the whole domain. A unit is one in the last place, 2^-f.
"""

from __future__ import annotations

from mpc.tensor.curves.bounded import erf, expit, gelu, silu, softplus
from mpc.tensor.curves.roots import rsqrt
from mpc.tensor.curves.soft import log_softmax, logsumexp, softmax
from mpc.tensor.lookup import one_hot, take
from mpc.tensor.selection import relu
from mpc.tensor.sorting import top_k

sigmoid = expit

__all__ = [
    "erf",
    "expit",
    "gelu",
    "log_softmax",
    "logsumexp",
    "one_hot",
    "relu",
    "rsqrt",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "take",
    "top_k",
]
