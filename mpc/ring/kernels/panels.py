"""What the drivers of the kernels share: types, copies of blocks, and tiles at the edge of the result."""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types, uint64

from mpc.ring.kernels.intrinsic import intrinsic

#: Operands and result of every kernel: stacks of matrices with any strides, and a C-ordered stack.
OPERAND = types.Array(uint64, 3, "A", readonly=True)
RESULT = types.Array(uint64, 3, "C")
SCRATCH = types.Array(uint64, 1, "C")


@njit(nogil=True)
def round_up(size: int, step: int) -> int:
    return (size + step - 1) // step * step


@njit(nogil=True)
def copy_block(source: Any, target: Any) -> None:
    """target[:] = source, zero where target is larger.  Walks along the smaller stride of the source."""
    rows, columns = source.shape
    if rows < target.shape[0] or columns < target.shape[1]:
        target[:] = 0
    if abs(source.strides[1]) <= abs(source.strides[0]):
        for i in range(rows):
            for j in range(columns):
                target[i, j] = source[i, j]
    else:
        for j in range(columns):
            for i in range(rows):
                target[i, j] = source[i, j]


@njit(nogil=True)
def add_part(tile: Any, c: Any) -> None:
    """c += the upper left part of tile that has c's shape."""
    for i in range(c.shape[0]):
        for j in range(c.shape[1]):
            c[i, j] += tile[i, j]


@intrinsic
def pointer(typingctx: Any, address: Any) -> Any:
    """The address as a pointer to uint64, for numba.carray."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], ir.IntType(64).as_pointer())

    return types.CPointer(types.uint64)(types.intp), emit  # type: ignore[no-untyped-call]
