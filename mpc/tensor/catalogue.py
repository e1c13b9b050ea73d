"""The page about NumPy functions, written from the tables: `python -m mpc.tensor.catalogue > docs/numpy.md`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from mpc.tensor.methods import Methods
from mpc.tensor.numpy_functions import CATEGORIES
from mpc.tensor.numpy_ufuncs import UFUNCS

_HEAD = """\
# NumPy functions of secret tensors

*Written by `python -m mpc.tensor.catalogue` from the tables in `mpc/tensor`; a test checks that it is current.*

These take secret tensors, in any place where NumPy takes an array, mixed with public arrays and numbers. Shapes, broadcasting,
axes and errors are NumPy's. What is not listed raises a TypeError that names it, and so do `out=`, `dtype=`, `where=` and
the methods of ufuncs (`np.add.reduce`, ...). In place of `where=`, select first: `np.where(mask, t, 0).sum()`. Weights are
public, and all shapes are: what would make a shape depend on a secret (`np.nonzero`, an index by a secret mask, `np.unique`) is
not available.

**What it costs.** Everything is local, without any message, but for these:

- a product of two secrets (`*`, `@`, `np.dot`, `np.einsum`, `np.outer`, ...) takes one round, in which each operand that is not
  open yet is opened: 8 bytes an element. An operand stays open: using it again, or a view of it, costs nothing for it;
- a product with public numbers costs nothing. It leaves extra digits, unless all of them are whole numbers;
- extra digits are truncated when a product, a sum with other digits, or a reveal needs it: 1 round, 8 bytes an element.
  Sums of products are truncated once. `t.truncate()` asks for it now;
- a comparison takes 3 rounds and 12.25 bytes an element (`==` 10.5), of which 1 round and 8 bytes open the secret, or the
  difference of two. Its result is a secret boolean. `& |` of two take 1 round and 1/4 byte, `~ ^` nothing, `any` and `all` a
  round for each factor of 4 in the number of elements;
- a secret boolean selects: `np.where(b, x, y)` takes 1 round and 8.125 bytes, `b * x` 1/8 byte if x is open or just truncated.
  As a number (`b.sum()`, `b + 1`, `b.astype(int)`) it takes 1 round and 1/8 byte;
- `np.maximum`, `abs` and a `clip` at one bound take 4 rounds and 12.375 bytes, the truncation of a product included; a `clip`
  at two 4 rounds, or 5 if one of them is secret;
- `np.select` by up to 4 secret conditions takes 2 rounds, by up to 16 of them 3;
- `max`, `min`, `argmax` and `argmin` take 5 or 6 rounds for a factor of 4 to 16 in the number of elements: 6 for 10;
- `np.var` and `np.cov` take 3 or 4 rounds, `np.prod` one for each halving, `x ** n` one for each squaring.

**What it keeps.** With f fraction bits (16 by default), floats are multiples of 2^-f. A truncation is wrong by less than 2^-f. A
public factor below 1 keeps f significant bits, so that dividing by 1000 has a relative error of 2^-f; factors and divisors
that are powers of two are exact. Integers stay exact, and results are int64. Operands and results of products must stay below
2^(62 - 2f), results of sums below 2^(62 - f), integers below 2^62: the plaintext protocol checks it. Comparisons are exact, one
unit in the last place apart too: of products with all of their digits, where the two must differ by less than 2^(62 - 2f), and
with public numbers of any size. What they select is exact but for the truncation of a product.

**What functions keep.** A unit is one in the last place, 2^-f; figures are for f = 16. An error is the sum of what is given.
Outside of its domain a function gives what the last column says; for most, the plaintext protocol raises RangeError
there. `help(np.exp)` is NumPy's own, so this is the place; more, with rounds and bytes, is in the docstrings of
`mpc/tensor/curves` and measured in [functions.md](functions.md).

| function | domain | error | outside of the domain |
| --- | --- | --- | --- |
| `exp`, `exp2`, `expm1` | results below 2^17 | 1.7 units, 2^-20 of the value (`exp2` 2^-19) | 2^17 above; 0 below 0.4 units |
| `log`, `log2`, `log10`, `log1p` | 2^-16 <= x < 2^30 | 1.2 units (`log1p` 1.3) | log 2^-16 below, log 2^30 beyond |
| `sqrt` | 0 <= x < 2^30 | 1.2 units, 2^-17 of the value | 0 below, 2^15 beyond |
| `rsqrt` | 2^-16 <= x < 2^30 | 1.2 units, 2^-17 of the value | 0 below, 2^-15 beyond |
| `1 / x` | 2^-16 <= \\|x\\| < 2^30 | 1.2 units, 2^-17 of the value | 0 |
| `cbrt` | \\|x\\| < 2^30 | 1.2 units, 2^-17 of the value | wrong |
| `a / b`, b secret | 2^-16 <= \\|b\\| < 2^30, \\|a / b\\| < 2^20 | 1.3 units, 2^-17 of the value | 0 for b = 0; else wrong |
| `a / b`, b public | quotients below 2^30 | 1 unit, 2^-16 of the value | an error for b = 0 |
| `x ** n`, n a whole number | results below 2^30 | that of its products | wrong beyond; for n < 0 as `1 / x` |
| `x ** c`, other public c | x >= 0, results below 2^17 | 1.8 units, \\|c\\| 2^-17 of the value | 2^17; 0 (as 2^-16, if c < 0) |
| `x ** y`, both secret | x > 0, results below 2^17 | 1.8 units, (\\|y\\| + 1) 2^-18 of the value | 2^17; as 2^-16 |
| `sin`, `cos` | \\|x\\| < 2^30 | 1.1 units, 1.2e-5 more next to 2^30 | wrong |
| `tan` | where cos x is not 0 | 2 (1 + tan(x)^2) units | 0, where cos x is 0 in fixed point |
| `sinc` | \\|x\\| < 2^28 | 1.6 units | wrong |
| `tanh`, `expit`, `erf`, `gelu`, `silu`, `softplus`, `logaddexp` | all x | 1.7 units | |
| `softmax`, `log_softmax`, `logsumexp` | \\|x\\| < 2^29 | 1.8 units | wrong |
| `norm`, `hypot`, `std` | sums of squares (`std`: of distances from the mean) below 2^28 | 2 units, 2^-16 of the value | wrong |
| `corrcoef` | sums of squared distances from the mean below 2^28 | 4 + 1 / deviation units | 0 for a row without deviation |
| `solve`, `inv` | n <= 64, no row exchanges | 1 + 2 n c (1 + max abs x sqrt d) / sqrt d units (see `solve`) | wrong |

A quotient of one unit or more is not 0, nor is the least x of an odd function. 0 / b is 0.

The functions of this table that NumPy has not (`expit`, `softmax`, ...) are those of `mpc.functions`.

**Public arrays by secret index.** NumPy does not ask a secret index, so `np.take(table, secret)` and `table[secret]` of a public
table raise an error: `mpc.functions.take(table, secret)` is for that. Of a secret table all three work.
"""


def page() -> str:
    """docs/numpy.md."""
    operators = "`+ - * / // % @ **` and `< <= > >= == !=` in both orders, `abs`, and `& | ^ ~` for booleans. As ufuncs:\n"
    parts = [_HEAD, "## Operators and ufuncs\n", operators]
    parts.append(", ".join(f"`np.{name}`" for name in UFUNCS if hasattr(np, name)) + "\n")
    for title, functions in CATEGORIES.items():
        parts += [f"## {title}\n", _list(f"np.{name}{_parameters(function)}" for name, function in sorted(functions.items()))]
    names = [name for name, value in vars(Methods).items() if not name.startswith("_") and hasattr(np.ndarray, name)]
    names = sorted([*names, "dtype", "ndim", "shape", "size"])
    parts += ["## Methods and attributes\n", ", ".join(f"`{name}`" for name in names) + "\n"]
    return "\n".join(parts)


def _list(items: Any) -> str:
    return "\n".join(f"- `{item}`" for item in items) + "\n"


def _parameters(function: Callable[..., Any]) -> str:
    """The parameters that may be used: without those that are refused."""
    signature = inspect.signature(function)
    kept = [
        p.replace(annotation=p.empty) for p in signature.parameters.values() if p.name not in ("dtype", "out", "where", "subok")
    ]
    return str(inspect.Signature(kept))


if __name__ == "__main__":
    print(page(), end="")
