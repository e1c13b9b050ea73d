"""What each operation of the additive protocol costs, as formulas. `python -m protocols.additive.cost` prints the table
of README.md; a test holds the formulas against the meter, and the table against this file.

Sizes are numbers of elements: k of each operand and of the result of an elementwise operation; for a sum of products a
and b of the operands and c of the result. Bytes go from each party to each of its n - 1 peers; the dealer's bytes go to
the last party alone. f is the number of bits truncated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from protocols.additive.shares import narrow

Sizes = Mapping[str, int]


@dataclass(frozen=True)
class Formula:
    """Rounds, and how many words (8 bytes), narrow words (2 bytes up to f = 16, 4 up to 32) and packed bits per size."""

    operation: str
    rounds: int
    opened: Sizes = field(default_factory=dict)
    opened_bits: Sizes = field(default_factory=dict)
    dealt: Sizes = field(default_factory=dict)
    dealt_narrow: Sizes = field(default_factory=dict)
    dealt_bits: Sizes = field(default_factory=dict)

    def bytes_sent(self, n: int, sizes: Sizes) -> int:
        """By each party, to all its peers."""
        return (n - 1) * (8 * _count(self.opened, sizes) + _packed(self.opened_bits, sizes))

    def bytes_dealt(self, f: int, sizes: Sizes) -> int:
        """By the dealer, to the last party."""
        width = np.dtype(narrow(f)).itemsize
        words = 8 * _count(self.dealt, sizes) + width * _count(self.dealt_narrow, sizes)
        return words + _packed(self.dealt_bits, sizes)

    def row(self) -> str:
        sent = _text({8: self.opened}, self.opened_bits)
        dealt = _text({8: self.dealt, 2: self.dealt_narrow}, self.dealt_bits)
        return f"| {self.operation} | {self.rounds} | {sent} | {dealt} |"


def _count(coefficients: Sizes, sizes: Sizes) -> int:
    return sum(coefficient * sizes[name] for name, coefficient in coefficients.items())


def _packed(coefficients: Sizes, sizes: Sizes) -> int:
    return sum(coefficient * ((sizes[name] + 7) // 8) for name, coefficient in coefficients.items())


def _text(words: Mapping[int, Sizes], bits: Sizes) -> str:
    totals: dict[str, int] = {}
    for width, coefficients in words.items():
        for name, coefficient in coefficients.items():
            totals[name] = totals.get(name, 0) + width * coefficient
    parts = [f"{total}{name}" for name, total in totals.items()]
    parts += [f"{'' if coefficient == 1 else coefficient}⌈{name}/8⌉" for name, coefficient in bits.items()]
    return " + ".join(parts) or "0"


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
}


def table() -> str:
    """The table of README.md, in Markdown."""
    head = "| operation | rounds | bytes to each peer | bytes dealt (f = 16) |\n| --- | --- | --- | --- |"
    return "\n".join([head, *(formula.row() for formula in FORMULAS.values())])


if __name__ == "__main__":
    print(table())
