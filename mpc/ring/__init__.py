"""Arrays over the ring Z/2^64: matrix product, convolution, and packed bits (mpc.ring.bits).

Importing this package is cheap: numba and the kernels are loaded by the first product that is large enough.
"""

from mpc.ring.cache import describe, prepare
from mpc.ring.conv import conv2d, conv2d_input, conv2d_shape, conv2d_weight
from mpc.ring.product import matmul

__all__ = ["conv2d", "conv2d_input", "conv2d_shape", "conv2d_weight", "describe", "matmul", "prepare"]
