"""Z/2^64 (placeholder until the kernels land)."""

import numpy as np


def matmul(a, b):
    return np.matmul(a, b)
