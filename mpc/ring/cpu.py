"""What the processor offers, as far as the kernels care."""

import os
from functools import cache

import llvmlite.binding as llvm

#: Restricts the kernels to narrower ones than the processor has ("vector8", "vector4", "vector2"), for tests.
KERNEL_VARIABLE = "MPC_RING_KERNEL"


@cache
def features() -> frozenset[str]:
    """Names of the features of this processor, in LLVM's spelling."""
    return frozenset(name for name, present in llvm.get_host_cpu_features().items() if present)


def lanes() -> int:
    """Number of 64-bit lanes in the vectors that the kernels use: 8, 4 or 2."""
    choice = os.environ.get(KERNEL_VARIABLE, "")
    if choice.startswith("vector"):
        return int(choice.removeprefix("vector"))
    if "avx512dq" in features():
        return 8
    return 4 if "avx2" in features() else 2
