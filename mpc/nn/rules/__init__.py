"""The gradient rules by the names of operations: NumPy's, and those of mpc.functions.

A rule computes the result from tensors (and public arrays), and returns with it the pullback: from the gradient of the result
to one for each operand, None where there is none, or a function without arguments where it costs something and may not be
wanted. What the result had to open or to compare is at hand there. A gradient may be a public array, as that of a sum is.
"""

from __future__ import annotations

from mpc.nn.rules import arithmetic, curves, order, products, reductions, shapes
from mpc.nn.rules.rule import Rule

RULES: dict[str, Rule] = {
    **arithmetic.RULES,
    **products.RULES,
    **shapes.RULES,
    **reductions.RULES,
    **order.RULES,
    **curves.RULES,
}

# Those that multiply the gradient by secrets, and so open it: what is due at the same time is opened in one round.
PRODUCTS = {"multiply", "divide", "matmul", "dot", "square", *curves.RULES} - {"log_softmax"}

# Piecewise constant: plain tensors, through which no gradient flows.
CONSTANT = {
    *("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and", "logical_or", "logical_not"),
    *("sign", "floor", "ceil", "rint", "round", "trunc", "argmax", "argmin", "argsort", "any", "all", "count_nonzero"),
    *("zeros_like", "ones_like", "full_like", "shape", "ndim", "size", "one_hot"),
}
