"""What the processor offers, as far as the kernels care."""

import ctypes
import os
import platform
from functools import cache

import llvmlite.binding as llvm  # type: ignore[import-untyped]

#: Narrows the kernels, for tests: "vector8", "vector4" or "vector2" rather than the best there is.
KERNEL_VARIABLE = "MPC_RING_KERNEL"

# Linux hands out the tile registers on request only: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA).
_SYS_ARCH_PRCTL, _ARCH_REQ_XCOMP_PERM, _XFEATURE_XTILEDATA = 158, 0x1023, 18


@cache
def features() -> frozenset[str]:
    """Names of the features of this processor, in LLVM's spelling."""
    return frozenset(name for name, present in llvm.get_host_cpu_features().items() if present)


def name() -> str:
    """Name of the processor family, in LLVM's spelling."""
    return str(llvm.get_host_cpu_name())


@cache
def lanes() -> int:
    """Number of 64-bit lanes in the vectors that the kernels use: 8, 4 or 2."""
    choice = os.environ.get(KERNEL_VARIABLE, "")
    if choice.startswith("vector"):
        return int(choice.removeprefix("vector"))
    if "avx512dq" in features():
        return 8
    return 4 if "avx2" in features() else 2


@cache
def tiles() -> bool:
    """Whether this process may use the matrix unit (Intel AMX); asks the operating system for it."""
    if os.environ.get(KERNEL_VARIABLE, "").startswith("vector") or os.environ.get("NUMBA_CPU_NAME"):
        return False
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return False
    if not {"amx-tile", "amx-int8", "avx512bw", "avx512vbmi"} <= features():
        return False
    refused = ctypes.CDLL(None).syscall(_SYS_ARCH_PRCTL, _ARCH_REQ_XCOMP_PERM, _XFEATURE_XTILEDATA)
    return not refused
