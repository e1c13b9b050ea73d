"""The vector micro-kernel: a register tile of C += A B modulo 2^64, written as LLVM vector IR.

A tile has MR rows and NR = NV * LANES columns.  Its MR * NV accumulators stay in vector registers while the inner
dimension runs over two packed panels: ``a[k, MR]`` (one column of the tile's rows after the other) and ``b[k, NR]``.
The blocking is that of Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008.
LLVM has the 64-bit product of vectors as one instruction where the processor has (AVX-512DQ), else as three products
of 32-bit halves, so the same IR serves every processor.
"""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from .cpu import lanes

LANES = lanes()
# Accumulators, one vector of b each and a broadcast of a must fit the registers: 32 with AVX-512, 16 else.
MR, NV = (8, 3) if LANES == 8 else (4, 2)
NR = NV * LANES

I64 = ir.IntType(64)
VECTOR = ir.VectorType(I64, LANES)


def _address(builder: Any, base: Any, words: Any) -> Any:
    return builder.add(base, builder.shl(words, I64(3)))


def _vector_pointer(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, VECTOR.as_pointer())


def _splat(builder: Any, scalar: Any) -> Any:
    single = builder.insert_element(ir.Constant(VECTOR, ir.Undefined), scalar, ir.IntType(32)(0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(single, ir.Constant(VECTOR, ir.Undefined), mask)


def _emit_tile(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    a, b, depth, c, c_row = args
    entry = builder.block
    loop = builder.append_basic_block("inner")
    done = builder.append_basic_block("store")
    builder.branch(loop)

    builder.position_at_end(loop)
    k = builder.phi(I64)
    k.add_incoming(I64(0), entry)
    sums = [[builder.phi(VECTOR) for _ in range(NV)] for _ in range(MR)]
    a_k = _address(builder, a, builder.mul(k, I64(MR)))
    b_k = _address(builder, b, builder.mul(k, I64(NR)))
    b_vectors = [builder.load(_vector_pointer(builder, _address(builder, b_k, I64(v * LANES))), align=8) for v in range(NV)]
    for r in range(MR):
        pointer = builder.inttoptr(_address(builder, a_k, I64(r)), I64.as_pointer())
        a_vector = _splat(builder, builder.load(pointer, align=8))
        for v in range(NV):
            total = builder.add(sums[r][v], builder.mul(a_vector, b_vectors[v]))
            sums[r][v].add_incoming(ir.Constant(VECTOR, None), entry)
            sums[r][v].add_incoming(total, loop)
            sums[r][v] = total
    k_next = builder.add(k, I64(1))
    k.add_incoming(k_next, loop)
    builder.cbranch(builder.icmp_signed("<", k_next, depth), loop, done)

    builder.position_at_end(done)
    for r in range(MR):
        row = _address(builder, c, builder.mul(c_row, I64(r)))
        for v in range(NV):
            pointer = _vector_pointer(builder, _address(builder, row, I64(v * LANES)))
            builder.store(builder.add(builder.load(pointer, align=8), sums[r][v]), pointer, align=8)
    return context.get_dummy_value()


@intrinsic
def add_tile(typingctx: Any, a: Any, b: Any, depth: Any, c: Any, c_row: Any) -> Any:
    """c[:MR, :NR] += a.T @ b; a, b, c are addresses, depth >= 1, and c_row is the step between rows of c in words."""
    return types.void(*[types.intp] * 5), _emit_tile
