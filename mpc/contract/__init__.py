"""What a protocol must provide, and the vocabulary in which it is asked: views and bilinear maps."""

from mpc.contract.bilinear import MATMUL, MULTIPLY, Bilinear, Conv2d, Conv2dInput, Conv2dWeight, Matmul, Multiply
from mpc.contract.protocol import Protocol, Share
from mpc.contract.series import Exponential, Waves
from mpc.contract.views import BroadcastTo, Index, Reshape, Transpose, View, chain

__all__ = [
    "MATMUL",
    "MULTIPLY",
    "Bilinear",
    "BroadcastTo",
    "Conv2d",
    "Conv2dInput",
    "Conv2dWeight",
    "Exponential",
    "Index",
    "Matmul",
    "Multiply",
    "Protocol",
    "Reshape",
    "Share",
    "Transpose",
    "View",
    "Waves",
    "chain",
]
