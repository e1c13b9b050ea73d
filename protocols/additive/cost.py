"""What each operation of the additive protocol costs, as formulas. `python -m protocols.additive.cost` prints the table
of README.md; a test holds the formulas against the meter, and the table against this file.

Sizes are numbers of elements: k of each operand and of the result of an elementwise operation; for a sum of products a
and b of the operands and c of the result. Further t public thresholds, one-hot words of size s, h waves, and d digits. A
name of several letters is their product. Bytes go from each party to each of its n - 1 peers; the dealer's bytes go to
the last party alone. f is the number of bits truncated.

Bits are packed eight to a byte. Those of comparisons and conjunctions are rows of bits: a row of k is ⌈k/8⌉ bytes, and from
64 bytes on that rounded up to whole words (`mpc.ring.digits.row_bytes`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mpc.ring.digits import row_bytes
from protocols.additive.shares import narrow

Sizes = Mapping[str, int]


@dataclass(frozen=True)
class Formula:
    """Rounds, and how many words (8 bytes), narrow words (2 bytes up to f = 16, 4 up to 32), packed bits and rows of bits
    per size."""

    operation: str
    rounds: int
    opened: Sizes = field(default_factory=dict)
    opened_bits: Sizes = field(default_factory=dict)
    opened_rows: Sizes = field(default_factory=dict)
    dealt: Sizes = field(default_factory=dict)
    dealt_narrow: Sizes = field(default_factory=dict)
    dealt_bits: Sizes = field(default_factory=dict)
    dealt_rows: Sizes = field(default_factory=dict)

    def bytes_sent(self, n: int, sizes: Sizes) -> int:
        """By each party, to all its peers."""
        return (n - 1) * (8 * _count(self.opened, sizes) + _packed(self.opened_bits, sizes) + _rows(self.opened_rows, sizes))

    def bytes_dealt(self, f: int, sizes: Sizes) -> int:
        """By the dealer, to the last party."""
        width = np.dtype(narrow(f)).itemsize
        words = 8 * _count(self.dealt, sizes) + width * _count(self.dealt_narrow, sizes)
        return words + _packed(self.dealt_bits, sizes) + _rows(self.dealt_rows, sizes)

    def row(self) -> str:
        sent = _text({8: self.opened}, self.opened_bits, self.opened_rows)
        dealt = _text({8: self.dealt, 2: self.dealt_narrow}, self.dealt_bits, self.dealt_rows)
        return f"| {self.operation} | {self.rounds} | {sent} | {dealt} |"


def _count(coefficients: Sizes, sizes: Sizes) -> int:
    return sum(coefficient * math.prod(sizes[letter] for letter in name) for name, coefficient in coefficients.items())


def _packed(coefficients: Sizes, sizes: Sizes) -> int:
    return sum(coefficient * ((sizes[name] + 7) // 8) for name, coefficient in coefficients.items())


def _rows(coefficients: Sizes, sizes: Sizes) -> int:
    """The last letter is the size of a row; those before say how many rows."""
    rows = {name: math.prod(sizes[letter] for letter in name[:-1]) * row_bytes(sizes[name[-1]]) for name in coefficients}
    return sum(coefficient * rows[name] for name, coefficient in coefficients.items())


def _text(words: Mapping[int, Sizes], bits: Sizes, rows: Sizes) -> str:
    totals: dict[str, int] = {}
    for width, coefficients in words.items():
        for name, coefficient in coefficients.items():
            totals[name] = totals.get(name, 0) + width * coefficient
    parts = [f"{total}{name}" for name, total in totals.items()]
    parts += [f"{coefficient}{name[:-1]}⟨{name[-1]}⟩" for name, coefficient in rows.items()]
    parts += [f"{'' if coefficient == 1 else coefficient}⌈{name}/8⌉" for name, coefficient in bits.items()]
    return " + ".join(parts) or "0"


# A comparison opens 28 + 6 bits of an element, and equality 16 + 4. Dealt are 16 thermometers of 15 bits and the bit above
# them, and for each threshold 4 * 22 + 15 products of masks (equality: 4 * 11 + 11).
FORMULAS = {
    "linear": Formula("x + y, x * public integer, sum, reshape, transpose, index", 0),
    "input": Formula("input", 1),
    "reveal": Formula("reveal", 1, {"k": 1}),
    "reveal_bits": Formula("reveal of booleans", 1, opened_bits={"k": 1}),
    "truncate": Formula("truncation", 1, {"k": 1}, dealt={"k": 1}, dealt_narrow={"k": 1}),
    "truncate_opened": Formula("truncation of an opened tensor", 0, dealt={"k": 1}, dealt_narrow={"k": 1}),
    "multiply": Formula("x * y", 1, {"k": 2}, dealt={"k": 1}),
    "multiply_truncate": Formula("x * y, truncated", 2, {"k": 3}, dealt={"k": 2}, dealt_narrow={"k": 1}),
    "square": Formula("x * x", 1, {"k": 1}, dealt={"k": 1}),
    "chain": Formula("t * y, t truncated, y opened", 0, dealt={"k": 1}, dealt_narrow={"k": 1}),
    "chain_truncate": Formula("t * y, t truncated, y opened; truncated", 1, {"k": 1}, dealt={"k": 2}, dealt_narrow={"k": 2}),
    "matmul": Formula("x @ y, conv2d(x, y)", 1, {"a": 1, "b": 1}, dealt={"c": 1}),
    "matmul_opened": Formula("x @ y, x opened before", 1, {"b": 1}, dealt={"c": 1}),
    "public": Formula("x * public, public @ x (without its truncation)", 0),
    "xor": Formula("p ^ q, ~p, p & public", 0),
    "and": Formula("p & q, p \\| q", 1, opened_bits={"k": 2}, dealt_bits={"k": 1}),
    "all_4": Formula("all of 4 bits", 1, opened_rows={"k": 4}, dealt_rows={"k": 11}),
    "all_16": Formula("all of 16 bits", 2, opened_rows={"k": 20}, dealt_rows={"k": 55}),
    "less": Formula("x < 0, x < y", 3, {"k": 1}, opened_rows={"k": 34}, dealt_rows={"k": 344}),
    "less_opened": Formula("x < y, both opened before", 2, opened_rows={"k": 34}, dealt_rows={"k": 344}),
    "at_least": Formula("x >= t thresholds", 3, {"k": 1}, opened_rows={"tk": 34}, dealt_rows={"k": 241, "tk": 103}),
    "at_least_46": Formula("x >= 0, \\|x\\| < 2^46", 3, {"k": 1}, opened_rows={"k": 25}, dealt_rows={"k": 252}),
    "at_least_32": Formula("x >= 0, \\|x\\| < 2^32", 3, {"k": 1}, opened_rows={"k": 16}, dealt_rows={"k": 166}),
    "at_least_16": Formula("x >= 0, \\|x\\| < 2^16", 2, {"k": 1}, opened_rows={"k": 6}, dealt_rows={"k": 76}),
    "equal": Formula("x == y", 3, {"k": 1}, opened_rows={"k": 20}, dealt_rows={"k": 295}),
    "equal_opened": Formula("x == y, both opened before", 2, opened_rows={"k": 20}, dealt_rows={"k": 295}),
    "floor": Formula(
        "floor (of 16 bits)", 3, {"k": 1}, {"k": 1}, {"k": 6}, dealt={"k": 2}, dealt_narrow={"k": 1}, dealt_rows={"k": 76}
    ),
    "to_words": Formula("bits to words, select public words", 1, opened_bits={"k": 1}, dealt={"k": 1}),
    "select": Formula("select x by a bit", 1, {"k": 1}, {"k": 1}, dealt={"k": 2}),
    "select_opened": Formula("select x, opened before", 1, opened_bits={"k": 1}, dealt={"k": 2}),
    "select_truncated": Formula("select t, truncated", 1, opened_bits={"k": 1}, dealt={"k": 2}, dealt_narrow={"k": 1}),
    "relu": Formula(
        "relu of x * y, truncated (without x * y)", 4, {"k": 1}, {"k": 1}, {"k": 34}, {"k": 3}, {"k": 2}, dealt_rows={"k": 344}
    ),
    "one_hot": Formula("one-hot words of size s", 1, {"k": 1}, dealt={"sk": 1}),
    "waves": Formula("sums of h waves", 1, {"k": 1}, dealt={"hk": 2}),
    "exponential": Formula("exponential of d digit values", 1, {"k": 1}, dealt={"dk": 1}),
}


def table() -> str:
    """The table of README.md, in Markdown."""
    head = "| operation | rounds | bytes to each peer | bytes dealt (f = 16) |\n| --- | --- | --- | --- |"
    return "\n".join([head, *(formula.row() for formula in FORMULAS.values())])


if __name__ == "__main__":
    print(table())
