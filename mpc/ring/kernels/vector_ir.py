"""The vector micro-kernel: a register tile of C += A B modulo 2^64, written as LLVM vector IR.

A tile has MR rows and NR = NV * LANES columns.  Its MR * NV accumulators stay in vector registers while the
inner dimension runs over two packed panels, a[k, MR] and b[k, NR].  LLVM makes the 64-bit product of vectors
one instruction where there is one (AVX-512DQ), else three products of 32-bit halves: the same IR serves both.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types

from mpc.ring import cpu
from mpc.ring.kernels.intrinsic import intrinsic

LANES = cpu.lanes()
# The accumulators, NV vectors of b and a word of a must fit the registers: 32 with AVX-512, else 16.
MR, NV = (8, 3) if LANES == 8 else (4, 2)
NR = NV * LANES

I32, I64 = ir.IntType(32), ir.IntType(64)
VECTOR = ir.VectorType(I64, LANES)


def _load(builder: Any, base: Any, word: Any, kind: Any = VECTOR) -> Any:
    return builder.load(_pointer(builder, base, word, kind), align=8)


def _pointer(builder: Any, base: Any, word: Any, kind: Any = VECTOR) -> Any:
    return builder.inttoptr(builder.add(base, builder.mul(word, I64(8))), kind.as_pointer())


def _broadcast(builder: Any, word: Any) -> Any:
    undefined = ir.Constant(VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, word, I32(0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(I32, LANES), [0] * LANES))


def _emit_tile(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    a, b, depth, c, c_row = args
    entry, inner, store = builder.block, builder.append_basic_block(), builder.append_basic_block()
    builder.branch(inner)

    builder.position_at_end(inner)
    k = builder.phi(I64)
    k.add_incoming(I64(0), entry)
    sums = {(r, v): builder.phi(VECTOR) for r in range(MR) for v in range(NV)}
    b_vectors = [_load(builder, b, builder.add(builder.mul(k, I64(NR)), I64(v * LANES))) for v in range(NV)]
    for r in range(MR):
        word = _load(builder, a, builder.add(builder.mul(k, I64(MR)), I64(r)), I64)
        a_vector = _broadcast(builder, word)
        for v in range(NV):
            before, sums[r, v] = sums[r, v], builder.add(sums[r, v], builder.mul(a_vector, b_vectors[v]))
            before.add_incoming(ir.Constant(VECTOR, None), entry)
            before.add_incoming(sums[r, v], inner)
    k_next = builder.add(k, I64(1))
    k.add_incoming(k_next, inner)
    builder.cbranch(builder.icmp_signed("<", k_next, depth), inner, store)

    builder.position_at_end(store)
    for (r, v), total in sums.items():
        word = builder.add(builder.mul(c_row, I64(r)), I64(v * LANES))
        builder.store(builder.add(_load(builder, c, word), total), _pointer(builder, c, word), align=8)
    return context.get_dummy_value()


@intrinsic
def add_tile(typingctx: Any, a: Any, b: Any, depth: Any, c: Any, c_row: Any) -> Any:
    """c[:MR, :NR] += a.T @ b.

    a, b, c are addresses, depth >= 1, and c_row is the step between rows of c in words.
    """
    return types.void(*[types.intp] * 5), _emit_tile
