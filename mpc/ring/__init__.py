"""Arrays over the ring Z/2^64: matrix product, convolution, and packed bits."""

from .cache import Description, describe, prepare
from .product import matmul

__all__ = ["Description", "describe", "matmul", "prepare"]
