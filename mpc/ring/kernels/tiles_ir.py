"""The matrix-unit micro-kernel (Intel AMX): a 16 x 16 tile of C += A B modulo 2^64 from products of bytes.

Write a = sum_i a_i 2^(8i) and b = sum_j b_j 2^(8j) in 8 bytes ("limbs").  Modulo 2^64 only i + j < 8 counts:

    A B = sum_{s < 8} 2^(8s) C_s,   C_s = sum_{i + j = s} A_i B_j

which is 36 byte matrix products with 32-bit sums.  For s >= 4 the sums may wrap, since 2^(8s) C_s is needed
modulo 2^64.  For s < 4 they must not: (s + 1) * depth * 255^2 < 2^32 holds for every depth up to MAX_DEPTH.

There are 8 tile registers: four sums, two limbs of A and two of B.  So C_4..C_7 are one pass over the panels,
C_0..C_3 a second one.  Loads are dear where the core is shared, so a pass visits its pairs (i, j) in 2 x 2
blocks of which neighbours share two operands, and loads a register as soon as its last use has been issued.
Between the products it fetches the next step's limbs into the first-level cache, a few lines at a time.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types

from mpc.ring.kernels.intrinsic import intrinsic

MR = NR = 16
#: Inner length of one tile: 64 bytes of a limb.  Panels are zero-padded to a multiple of it.
STEP = 64
MAX_DEPTH = 16384

TILE_BYTES = 1024
STEP_BYTES = 8 * TILE_BYTES

#: The pairs with 4 <= i + j < 8 and those with i + j < 4, one line a block.
HIGH_PAIRS = (
    (0, 6), (1, 6), (0, 7),
    (0, 4), (0, 5), (1, 5), (1, 4),
    (2, 4), (3, 4), (2, 5),
    (2, 2), (2, 3), (3, 2), (3, 3), (1, 3),
    (4, 3), (4, 2), (5, 2),
    (4, 0), (4, 1), (5, 1), (5, 0), (3, 1),
    (6, 1), (6, 0), (7, 0),
)  # fmt: skip
LOW_PAIRS = (
    (0, 2), (1, 2), (0, 3),
    (0, 1), (0, 0), (1, 1), (1, 0),
    (2, 1), (2, 0), (3, 0),
)  # fmt: skip

#: Tile configuration: palette 1, then for 8 registers 64 bytes a row (uint16 each) and 16 rows (uint8 each).
PALETTE = (1, *[0] * 15, *[64, 0] * 8, *[0] * 16, *[16] * 8, *[0] * 8)

I8, I32, I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
POINTER = I8.as_pointer()


def _call(builder: Any, name: str, *args: Any) -> None:
    """Call the LLVM intrinsic llvm.NAME, which returns nothing."""
    name = "llvm." + name
    signature = ir.FunctionType(ir.VoidType(), [arg.type for arg in args])
    builder.call(builder.module.globals.get(name) or ir.Function(builder.module, signature, name), args)


def _pointer(builder: Any, base: Any, offset: Any, to: Any = I8) -> Any:
    return builder.inttoptr(builder.add(base, offset), to.as_pointer())


def _loop(builder: Any, count: Any, body: Any) -> None:
    """Emit: for index in range(count): body(index); count >= 1."""
    before, inside, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
    builder.branch(inside)
    builder.position_at_end(inside)
    index = builder.phi(I64)
    index.add_incoming(I64(0), before)
    body(index)
    following = builder.add(index, I64(1))
    index.add_incoming(following, inside)
    builder.cbranch(builder.icmp_signed("<", following, count), inside, after)
    builder.position_at_end(after)


def _schedule(pairs: Sequence[tuple[int, int]]) -> list[tuple[str, int, int]]:
    """The loads ("a" or "b", limb, register) and products ("*", a's register, b's register) in order."""
    steps: list[tuple[str, int, int]] = []
    held: dict[int, int] = {}
    free: dict[int, int] = {}  # position after the last use of a register
    for i, j in pairs:
        registers = 4 + i % 2, 6 + j % 2
        for operand, limb, register in (("a", i, registers[0]), ("b", j, registers[1])):
            if held.get(register) != limb:
                held[register] = limb
                at = free.get(register, len(steps))
                steps.insert(at, (operand, limb, register))
                free = {r: position + (position > at) for r, position in free.items()}
        steps.append(("*", *registers))
        free |= dict.fromkeys(registers, len(steps))
    return steps


def _lines(pairs: Sequence[tuple[int, int]]) -> list[tuple[str, int]]:
    """The operand ("a" or "b") and byte offset of each cache line that a step reads, by first use."""
    limbs = dict.fromkeys(use for i, j in pairs for use in (("a", i), ("b", j)))
    offsets = range(0, TILE_BYTES, 64)
    return [(operand, limb * TILE_BYTES + offset) for operand, limb in limbs for offset in offsets]


def _prefetch(builder: Any, base: Any, offset: Any) -> None:
    """Fetch the cache line at base + offset into the first-level cache, for reading."""
    _call(builder, "prefetch.p0", _pointer(builder, base, offset), I32(0), I32(3), I32(1))


def _emit_pass(builder: Any, a: Any, b: Any, steps: Any, sums: Any, first: int, pairs: Any) -> None:
    """Add the products of the limb pairs over all steps, and store C_first .. C_(first+3) at address sums."""
    base = {"a": a, "b": b}
    share = -(-len(_lines(pairs)) // len(pairs))

    def body(step: Any) -> None:
        now = builder.mul(step, I64(STEP_BYTES))
        following = builder.add(now, I64(STEP_BYTES))
        lines = iter(_lines(pairs))
        limb_of: dict[int, int] = {}
        for action, x, y in _schedule(pairs):
            if action == "*":
                _call(builder, "x86.tdpbuud", I8(limb_of[x] + limb_of[y] - first), I8(x), I8(y))
                for operand, line in islice(lines, share):
                    _prefetch(builder, base[operand], builder.add(following, I64(line)))
            else:
                limb_of[y] = x
                source = _pointer(builder, base[action], builder.add(now, I64(x * TILE_BYTES)))
                _call(builder, "x86.tileloadd64", I8(y), source, I64(STEP))

    for t in range(4):
        _call(builder, "x86.tilezero", I8(t))
    _loop(builder, steps, body)
    for t in range(4):
        _call(
            builder,
            "x86.tilestored64",
            I8(t),
            _pointer(builder, sums, I64((first + t) * TILE_BYTES)),
            I64(4 * NR),
        )


def _emit_combine(builder: Any, sums: Any, c: Any, c_row: Any) -> None:
    """Add sum_s 2^(8s) C_s to the tile of C."""
    half, words = ir.VectorType(I32, 8), ir.VectorType(I64, 8)

    def body(row: Any) -> None:
        for column in (0, 8):
            offset = builder.add(builder.mul(row, I64(4 * NR)), I64(4 * column))

            def load(s: int, offset: Any = offset) -> Any:
                source = _pointer(builder, sums, builder.add(offset, I64(s * TILE_BYTES)), half)
                return builder.load(source, align=4)

            low, high = ir.Constant(words, None), ir.Constant(half, None)
            for s in range(4):
                shift = ir.Constant(words, [8 * s] * 8), ir.Constant(half, [8 * s] * 8)
                low = builder.add(low, builder.shl(builder.zext(load(s), words), shift[0]))
                high = builder.add(high, builder.shl(load(s + 4), shift[1]))
            high = builder.shl(builder.zext(high, words), ir.Constant(words, [32] * 8))
            target = builder.add(builder.mul(builder.mul(row, c_row), I64(8)), I64(8 * column))
            pointer = _pointer(builder, c, target, words)
            total = builder.add(builder.add(low, high), builder.load(pointer, align=8))
            builder.store(total, pointer, align=8)

    _loop(builder, I64(MR), body)


def _emit_tile(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    a, b, depth, c, c_row, sums = args
    steps = builder.sdiv(depth, I64(STEP))
    _emit_pass(builder, a, b, steps, sums, 4, HIGH_PAIRS)
    _emit_pass(builder, a, b, steps, sums, 0, LOW_PAIRS)
    _emit_combine(builder, sums, c, c_row)
    return context.get_dummy_value()


@intrinsic
def add_tile(typingctx: Any, a: Any, b: Any, depth: Any, c: Any, c_row: Any, sums: Any) -> Any:
    """c[:16, :16] += a @ b.

    a, b: addresses of panels in limbs, bytes a[step, limb, 16, 64] and b[step, limb, 16, 16, 4] (four inner
    indices beside each other); depth a multiple of 64; c_row the step between rows of c in words; sums 8 KiB
    of scratch.
    """
    return types.void(*[types.intp] * 6), _emit_tile


@intrinsic
def configure(typingctx: Any, palette: Any) -> Any:
    """Load the tile configuration (64 bytes) at this address, for this thread."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _call(builder, "x86.ldtilecfg", builder.inttoptr(args[0], POINTER))
        return context.get_dummy_value()

    return types.void(types.intp), emit


@intrinsic
def release(typingctx: Any) -> Any:
    """Give the tile registers back: threads with none in use switch faster."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _call(builder, "x86.tilerelease")
        return context.get_dummy_value()

    return types.void(), emit
