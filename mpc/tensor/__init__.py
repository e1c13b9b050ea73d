"""Secret tensors: NumPy's interface over a protocol."""

from mpc.tensor.tensor import Tensor

__all__ = ["Tensor"]
