"""Splitting 64-bit words into 8 byte limbs, in the order that the matrix unit reads them, as LLVM vector IR.

Eight vectors of eight words hold 64 words.  Transposing the bytes of each vector sorts it by limb; three
rounds of interleaving pairs of vectors then bring the bytes of one limb together, one vector per limb.  The
width of what is interleaved in each round (``chunks``) settles the order of the 64 bytes within a limb.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types

from mpc.ring.kernels.intrinsic import intrinsic

I8, I32, I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
BYTES = ir.VectorType(I8, 64)
UNDEFINED = ir.Constant(BYTES, ir.Undefined)
LIMB_BYTES = 1024  # from one limb's tile to the next one's


def _shuffle(builder: Any, x: Any, y: Any, order: list[int]) -> Any:
    return builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(I32, 64), order))


def _interleave(builder: Any, x: Any, y: Any, chunk: int) -> list[Any]:
    """The vectors x[0] y[0] x[1] y[1] ... in chunks of this many bytes: lower and upper half."""
    order = [part + at + i for at in range(0, 64, chunk) for part in (0, 64) for i in range(chunk)]
    return [_shuffle(builder, x, y, order[:64]), _shuffle(builder, x, y, order[64:])]


def _emit_split(builder: Any, sources: list[Any], chunks: tuple[int, int, int], out: Any) -> None:
    """Load the 8 vectors at these addresses and store limb i of their words at out + i * LIMB_BYTES."""

    def pointer(address: Any) -> Any:
        return builder.inttoptr(address, BYTES.as_pointer())

    transposed = [8 * word + limb for limb in range(8) for word in range(8)]
    groups = [[_shuffle(builder, builder.load(pointer(s), align=8), UNDEFINED, transposed)] for s in sources]
    for chunk in chunks:
        pairs = zip(groups[::2], groups[1::2], strict=True)
        groups = [[half for x, y in zip(g, h, strict=True) for half in _interleave(builder, x, y, chunk)] for g, h in pairs]
    for limb, vector in enumerate(groups[0]):
        builder.store(vector, pointer(builder.add(out, I64(limb * LIMB_BYTES))), align=64)


@intrinsic
def split_row(typingctx: Any, source: Any, out: Any) -> Any:
    """Limbs of 64 words beside each other at address source: 64 bytes a limb, in the order of the words."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, out = args
        _emit_split(builder, [builder.add(source, I64(64 * v)) for v in range(8)], (8, 16, 32), out)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), emit


@intrinsic
def split_four_rows(typingctx: Any, source: Any, row_bytes: Any, out: Any) -> Any:
    """Limbs of 4 rows of 16 words, row_bytes apart: the four bytes of a column beside each other."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, row_bytes, out = args
        rows = [builder.add(source, builder.mul(row_bytes, I64(row))) for row in range(4)]
        vectors = [builder.add(row, I64(half)) for half in (0, 64) for row in rows]
        _emit_split(builder, vectors, (1, 2, 32), out)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp), emit
