"""Every gradient rule, on both protocols, against differences of NumPy's and SciPy's own functions."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import scipy.special

import mpc
from mpc import functions, nn
from mpc.nn import functional as F
from mpc.nn.rules import COMPOSED, RULES, windows

RNG = np.random.default_rng(7)


def any_(*shape):
    """Away from 0, where some functions have no slope."""
    values = RNG.uniform(-2, 2, shape)
    return values + np.copysign(0.2, values)


def apart(*shape):
    """Numbers of which no two are close: for what compares."""
    n = int(np.prod(shape))
    return (RNG.permutation(n) - n / 2 + 0.3).reshape(shape) * 0.25


def positive(*shape):
    return RNG.uniform(0.3, 3, shape)


@dataclass
class Case:
    """A function of arrays, which takes variables too; `reference` computes it for NumPy arrays, where it cannot itself."""

    function: Any
    arrays: tuple
    reference: Any = None

    def loss(self, *arrays):
        return np.sum(self.weights * (self.reference or self.function)(*arrays))

    @property
    def weights(self):
        shape = np.shape((self.reference or self.function)(*self.arrays))
        return np.cos(np.arange(np.prod(shape, dtype=int)).reshape(shape) + 1.0)

    def gradients(self, step=1e-6):
        """By central differences."""
        result = []
        for k, array in enumerate(self.arrays):
            slopes = np.empty(np.shape(array))
            for place in np.ndindex(np.shape(array)):
                moved = [[*self.arrays], [*self.arrays]]
                for side, sign in zip(moved, (1, -1), strict=True):
                    side[k] = np.array(array)
                    side[k][place] += sign * step
                slopes[place] = (self.loss(*moved[0]) - self.loss(*moved[1])) / (2 * step)
            result.append(slopes)
        return result


def case(function, *arrays, reference=None):
    return Case(function, arrays, reference)


def same(name, *arrays):
    """A function that SciPy has by the same name."""
    return case(getattr(functions, name), *arrays, reference=getattr(scipy.special, name))


def many(function, *shapes, make=any_):
    return [case(function, *(make(*shape) for shape in shapes))]


PAIRS = [((3, 4), (3, 4)), ((2, 3, 4), (4,)), ((3, 1), (1, 4)), ((), (2, 3))]
X, MASK = any_(3, 4), RNG.random((3, 4)) > 0.5
INDEX = np.array([[2, 0], [2, 1]])
FACTOR = np.array([[1.0], [0.3], [-2.5]])


def secret(variable, index):
    """The index as a secret of the variable's program."""
    return variable.tensor.constant(np.asarray(index).astype(np.uint64), "int", 0)


def pairs(function, make=any_):
    """Both orders of shapes; and with a public operand on either side."""
    return [
        *(case(function, make(*a), make(*b)) for a, b in PAIRS),
        case(lambda x: function(x, FACTOR), make(3, 4)),
        case(lambda x: function(FACTOR, x), make(3, 4)),
    ]


CASES = {
    "add": pairs(np.add),
    "subtract": pairs(np.subtract),
    "negative": many(np.negative, (3,)),
    "positive": many(np.positive, (3,)),
    "multiply": [*pairs(np.multiply), case(lambda x: x * x, any_(3)), case(lambda x: MASK * x, any_(3, 4))],
    "square": many(np.square, (3, 2)),
    "divide": [
        *pairs(np.divide),
        *(case(lambda x, n=n: n / x, any_(3)) for n in (1, 3, 0, np.array([0.0, 2.0, 0.0]))),
        case(lambda x: x / 4, any_(3)),
    ],
    "power": [
        *(case(lambda x, n=n: x**n, any_(4)) for n in (1, 2, 3, -1)),
        case(lambda x: x**1.5, positive(4)),
        case(lambda x: 2.0**x, any_(4)),
    ],
    "float_power": many(lambda x: np.float_power(x, 0.5), (4,), make=positive),
    "deg2rad": many(lambda x: np.deg2rad(50 * x), (3,)),
    "radians": many(lambda x: np.radians(50 * x), (3,)),
    "rad2deg": many(np.rad2deg, (3,)),
    "degrees": many(np.degrees, (3,)),
    # products
    "matmul": [
        *(
            case(np.matmul, any_(*a), any_(*b))
            for a, b in [
                ((3, 4), (4, 2)),
                ((4,), (4, 2)),
                ((3, 4), (4,)),
                ((4,), (4,)),
                ((2, 3, 4), (4, 2)),
                ((3, 4), (2, 4, 2)),
                ((2, 1, 3, 4), (3, 4, 2)),
                ((4,), (2, 4, 3)),
            ]
        ),
        case(lambda x: x @ FACTOR, any_(2, 3)),
        case(lambda x: FACTOR @ x, any_(1, 3)),
    ],
    "linalg.matmul": many(np.linalg.matmul, (3, 4), (4, 2)),
    "einsum": [
        *(
            case(lambda *o, s=s: np.einsum(s, *o), *(any_(*shape) for shape in shapes))
            for s, shapes in [
                ("ij,jk->ik", [(2, 3), (3, 4)]),
                ("bij,bkj->bik", [(2, 3, 2), (2, 4, 2)]),
                ("ij,k->j", [(2, 3), (4,)]),
                ("ij,ij", [(2, 3), (2, 3)]),
                ("ij,jk", [(2, 3), (3, 2)]),
                ("ijk->ki", [(2, 3, 2)]),
            ]
        )
    ],
    "take": [
        case(lambda x: np.take(x, INDEX, 0), any_(3, 2)),
        case(lambda x: np.take(x, INDEX, 1), any_(2, 3, 2)),
        case(lambda x: np.take(x, [5, 0, 5]), any_(3, 2)),
        *(
            Case(
                lambda x, k=k, axis=axis: np.take(x, secret(x, k), axis),
                (any_(*shape),),
                lambda x, k=k, axis=axis: np.take(x, k, axis),
            )
            for k, axis, shape in [
                (INDEX, 0, (3, 2)),
                (INDEX, 1, (2, 3, 2)),
                (np.array([5, 0]), None, (3, 2)),
                (np.array(1), 1, (2, 3)),
            ]
        ),
    ],
    "getitem": [
        *(
            case(lambda x, k=k: x[k], any_(3, 4))
            for k in [1, slice(0, 2), (slice(None), -1), (..., None, 2), [2, 0, 2], ([0, 0], [1, 1]), (slice(None), [1, 1]), MASK]
        ),
        Case(lambda x: x[secret(x, INDEX)], (any_(3, 2),), lambda x: x[INDEX]),
    ],
    "dot": [case(np.dot, any_(*a), any_(*b)) for a, b in [((3, 4), (4, 2)), ((3,), ()), ((4,), (4,)), ((2, 3), (2, 3, 2))]],
    "outer": many(np.outer, (2, 2), (3,)),
    "linalg.outer": many(np.linalg.outer, (2,), (3,)),
    "inner": [case(np.inner, any_(*a), any_(*b)) for a, b in [((2, 3), (4, 3)), ((3,), (3,)), ((), (3,))]],
    "vdot": many(np.vdot, (2, 3), (2, 3)),
    "vecdot": [case(np.vecdot, any_(2, 3), any_(3)), case(lambda x, y: np.vecdot(x, y, axis=0), any_(2, 3), any_(2, 3))],
    "linalg.vecdot": many(np.linalg.vecdot, (2, 3), (2, 3)),
    "matvec": many(np.matvec, (2, 3, 4), (4,)),
    "vecmat": many(np.vecmat, (3,), (2, 3, 4)),
    "linalg.multi_dot": many(lambda x, y, z: np.linalg.multi_dot([x, y, z]), (2, 3), (3, 2), (2, 2)),
    "tensordot": [
        case(lambda x, y: np.tensordot(x, y, 1), any_(2, 3), any_(3, 2)),
        case(lambda x, y: np.tensordot(x, y, ((0, 2), (1, 0))), any_(2, 3, 4), any_(4, 2)),
    ],
    "linalg.tensordot": many(np.linalg.tensordot, (2, 3), (2, 3)),
    # shapes
    "reshape": many(lambda x: x.reshape(2, -1), (3, 4)),
    "transpose": [case(np.transpose, X), case(lambda x: np.transpose(x, (2, 0, 1)), any_(2, 3, 4))],
    "matrix_transpose": many(np.matrix_transpose, (2, 3, 4)),
    "linalg.matrix_transpose": many(np.linalg.matrix_transpose, (2, 3, 4)),
    "swapaxes": many(lambda x: np.swapaxes(x, 0, -1), (2, 3, 4)),
    "moveaxis": many(lambda x: np.moveaxis(x, (0, 1), (-1, 0)), (2, 3, 4)),
    "rollaxis": many(lambda x: np.rollaxis(x, 2), (2, 3, 4)),
    "expand_dims": many(lambda x: np.expand_dims(x, (0, 2)), (2, 3)),
    "squeeze": [case(np.squeeze, any_(1, 3, 1)), case(lambda x: np.squeeze(x, axis=0), any_(1, 3, 1))],
    "ravel": many(np.ravel, (2, 3)),
    "atleast_1d": many(np.atleast_1d, ()),
    "atleast_2d": many(np.atleast_2d, (3,)),
    "atleast_3d": many(np.atleast_3d, (2, 3)),
    "broadcast_to": many(lambda x: np.broadcast_to(x, (2, 3, 4)), (3, 1)),
    "copy": many(np.copy, (3,)),
    "flip": [case(np.flip, X), case(lambda x: np.flip(x, 1), X)],
    "fliplr": many(np.fliplr, (2, 3)),
    "flipud": many(np.flipud, (2, 3)),
    "rot90": many(np.rot90, (2, 3)),
    "roll": [case(lambda x: np.roll(x, 2), X), case(lambda x: np.roll(x, -1, axis=1), X)],
    "tile": many(lambda x: np.tile(x, (2, 1, 3)), (2, 3)),
    "repeat": [case(lambda x: np.repeat(x, 2), any_(2, 2)), case(lambda x: np.repeat(x, [1, 0, 2], axis=1), any_(2, 3))],
    "delete": many(lambda x: np.delete(x, 1, axis=0), (3, 2)),
    "diagonal": [case(np.diagonal, any_(3, 4)), case(lambda x: np.diagonal(x, 1, 1, 2), any_(2, 3, 4))],
    "linalg.diagonal": many(lambda x: np.linalg.diagonal(x, offset=-1), (2, 3, 4)),
    "triu": many(np.triu, (3, 4)),
    "tril": many(lambda x: np.tril(x, -1), (3, 4)),
    "concatenate": [
        case(lambda x, y: np.concatenate([x, FACTOR, y], axis=1), any_(3, 2), any_(3, 1)),
        case(lambda x, y: np.concatenate((x, y), axis=None), any_(3, 2), any_(2)),
    ],
    "stack": many(lambda x, y: np.stack([x, y, x], axis=1), (3, 2), (3, 2)),
    "vstack": many(lambda x, y: np.vstack([x, y]), (2,), (3, 2)),
    "hstack": many(lambda x, y: np.hstack([x, y]), (2, 1), (2, 3)),
    "dstack": many(lambda x, y: np.dstack([x, y]), (2, 3), (2, 3)),
    "column_stack": many(lambda x, y: np.column_stack([x, y]), (3,), (3, 2)),
    "append": many(lambda x, y: np.append(x, y), (3,), (2, 2)),
    "split": many(lambda x: np.split(x, [1, 3], axis=1)[1] + np.split(x, 2, axis=1)[0], (3, 4)),
    "array_split": many(lambda x: np.array_split(x, 3)[0], (4, 2)),
    "unstack": many(lambda x: x[0] - x[1], (2, 3)),
    "broadcast_arrays": many(lambda x, y: np.multiply(*np.broadcast_arrays(x, y)), (2, 1), (3,)),
    "diag": [case(np.diag, any_(3, 4)), case(lambda x: np.diag(x, 1), any_(3))],
    "diagflat": many(np.diagflat, (2, 2)),
    "take_along_axis": many(lambda x: np.take_along_axis(x, np.array([[0, 0], [2, 1]]), 1), (2, 3)),
    "resize": many(lambda x: np.resize(x, (3, 3)), (2, 2)),
    "real": many(np.real, (3,)),
    "conjugate": many(np.conjugate, (3,)),
    "vsplit": many(lambda x: np.vsplit(x, 2)[1], (4, 2)),
    "hsplit": many(lambda x: np.hsplit(x, [1])[1], (2, 3)),
    "dsplit": many(lambda x: np.dsplit(x, 2)[0], (1, 2, 4)),
    "diff": many(lambda x: np.diff(x, 2, axis=0), (4, 2)),
    # sums
    "sum": [case(np.sum, X), case(lambda x: x.sum((0, 2)), any_(2, 3, 4)), case(lambda x: x.sum(1, keepdims=True), X)],
    "mean": [case(np.mean, X), case(lambda x: x.mean(-1), X)],
    "var": [case(np.var, X), case(lambda x: np.var(x, 0, ddof=1, keepdims=True), any_(4, 2))],
    "std": [case(np.std, X), case(lambda x: np.std(x, 0, ddof=1), any_(4, 2))],
    "linalg.norm": [case(np.linalg.norm, X), case(lambda x: np.linalg.norm(x, axis=1, keepdims=True), X)],
    "linalg.vector_norm": many(lambda x: np.linalg.vector_norm(x, axis=(0, 1)), (2, 3, 2)),
    "logsumexp": [
        same("logsumexp", any_(5)),
        case(
            lambda x: functions.logsumexp(x, 1, keepdims=True),
            X,
            reference=lambda x: scipy.special.logsumexp(x, 1, keepdims=True),
        ),
    ],
    "cumsum": [case(np.cumsum, any_(2, 3)), case(lambda x: np.cumsum(x, axis=1), any_(2, 3))],
    "trace": [
        case(np.trace, any_(3, 4)),
        case(lambda x: np.trace(x, 1, 1, 2), any_(2, 3, 4)),
        case(lambda x: np.trace(x, 0, 2, 0), any_(2, 3, 3)),
    ],
    "linalg.trace": many(lambda x: np.linalg.trace(x, offset=1), (2, 3, 4)),
    "average": many(lambda x: np.average(x, axis=0, weights=[1, 2, 5]), (3, 2)),
    "prod": [case(np.prod, any_(5)), case(lambda x: np.prod(x, axis=1, keepdims=True), any_(2, 3))],
    # order
    "relu": [case(functions.relu, apart(5), reference=lambda x: np.maximum(x, 0))],
    "maximum": [
        case(np.maximum, apart(3, 4), apart(4) + 0.1),
        case(lambda x: np.maximum(x, 0), apart(5)),
        case(lambda x: np.maximum(0, x), apart(5)),
        case(lambda x: np.maximum(0.5, x), apart(5)),
        case(lambda x: np.maximum(x, np.array([[0.1], [0.15]])), apart(3)),
    ],
    "minimum": [case(np.minimum, apart(3, 4), apart(4) + 0.1), case(lambda x: np.minimum(0, x), apart(5))],
    "fmax": [case(np.fmax, apart(3), apart(3) + 0.1)],
    "fmin": [case(np.fmin, apart(3), apart(3) + 0.1)],
    "absolute": [case(np.abs, apart(5))],
    "fabs": [case(np.fabs, apart(5))],
    "clip": [
        case(lambda x: np.clip(x, -0.5, 0.6), apart(7)),
        case(lambda x: np.clip(x, None, 0.6), apart(7)),
        case(lambda x: np.clip(x, min=-0.5), apart(7)),
        case(lambda x: np.clip(x, np.array([[-0.6], [0.1]]), 0.7), apart(5)),
        case(lambda x: np.clip(x, 0.6, -0.5), apart(4)),
    ],
    "where": [
        case(lambda x, y: np.where(x > y, x, y), apart(3, 4), apart(4) + 0.1),
        case(lambda x: np.where(x > 0, x, 1.5), apart(5)),
        case(lambda x, y: np.where(MASK, x, y), any_(3, 4), any_(4)),
    ],
    "max": [
        case(np.max, apart(3, 4)),
        case(lambda x: x.max((0, 2)), apart(2, 3, 4)),
        case(lambda x: x.max(0, keepdims=True), apart(3, 2)),
    ],
    "amax": [case(lambda x: np.amax(x, 1), apart(3, 20))],
    "min": [case(np.min, apart(3, 4)), case(lambda x: x.min(1), apart(3, 4))],
    "amin": [case(lambda x: np.amin(x, 0), apart(3, 4))],
    "ptp": [case(lambda x: np.ptp(x, 0), apart(3, 4))],
    "select": [case(lambda x: np.select([x > 0.5, x > -0.5], [x, 2 * x], -x), apart(7))],
    # curves
    **{
        f.__name__: many(f, (5,), make=positive)
        for f in (np.exp, np.exp2, np.expm1, np.log, np.log2, np.log10, np.log1p, np.sqrt, np.cbrt, np.reciprocal)
    },
    **{f.__name__: many(f, (5,)) for f in (np.sin, np.cos, np.tanh)},
    "tan": [case(np.tan, any_(5) / 2)],
    "rsqrt": [case(functions.rsqrt, positive(5), reference=lambda x: x**-0.5)],
    "hypot": [*many(np.hypot, (3, 2), (2,)), case(lambda x: np.hypot(x, 2.0), any_(3))],
    "logaddexp": [*many(np.logaddexp, (3, 2), (2,)), case(lambda x: np.logaddexp(0, x), any_(3))],
    "expit": [same("expit", 3 * any_(5))],
    "erf": [same("erf", any_(5))],
    "softplus": [case(functions.softplus, 4 * any_(5), reference=lambda x: np.logaddexp(0, x))],
    "silu": [case(functions.silu, 6 * any_(9), reference=lambda x: x * scipy.special.expit(x))],
    "gelu": [case(functions.gelu, 3 * any_(9), reference=lambda x: x * (1 + scipy.special.erf(x / 2**0.5)) / 2)],
    "softmax": [same("softmax", any_(5)), case(lambda x: F.softmax(x, 0), X, reference=lambda x: scipy.special.softmax(x, 0))],
    "log_softmax": [
        same("log_softmax", any_(5)),
        case(lambda x: F.log_softmax(x, 1), X, reference=lambda x: scipy.special.log_softmax(x, 1)),
    ],
}


def test_every_rule_has_a_case():
    assert {*RULES, *COMPOSED} - {*windows.RULES} == {*CASES}


def gradients_of(names):
    """A program: the gradients of all cases."""

    def program(party):
        result = []
        for name in names:
            for c in CASES[name]:
                variables = [nn.Variable(party.input(array, owner=0)) for array in c.arrays]
                c.function(*variables).backward(c.weights)
                result.append([party.reveal(*(v.grad for v in variables)), name])
        return result

    return program


@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
def test_gradients(protocol):
    found = mpc.simulate(gradients_of(CASES), protocol=protocol)[0]
    cases = [c for cases in CASES.values() for c in cases]
    for (got, name), c in zip(found, cases, strict=True):
        for mine, expected in zip(got, c.gradients(), strict=True):
            assert mine.shape == expected.shape, name
            np.testing.assert_allclose(mine, expected, atol=1e-3, rtol=1e-3, err_msg=f"{name} {c}")
