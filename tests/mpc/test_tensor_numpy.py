"""Every NumPy function and method of tensors against NumPy, on integers, where the ring is exact."""

import numpy as np
import pytest

import mpc
from mpc.tensor.numpy_curves import UFUNCS as CURVES
from mpc.tensor.numpy_functions import CATEGORIES, FUNCTIONS
from mpc.tensor.numpy_order import UFUNCS as ORDER
from mpc.tensor.numpy_sorting import UFUNCS as SORTING
from mpc.tensor.numpy_ufuncs import UFUNCS

A = np.arange(24).reshape(2, 3, 4) - 11
B = (np.arange(24).reshape(2, 3, 4) * 7) % 13 - 6
M = np.arange(12).reshape(3, 4) - 5
N = (np.arange(20).reshape(4, 5) * 3) % 7 - 3
Q = np.array([[2, -1, 3], [0, 4, 1], [-2, 5, 1]])
V = np.array([3, -1, 4])
W = np.array([1, -5, 9])
L = np.array([2, 7, 1, -8, 2])
Z = np.array(-7)
E = np.zeros((0, 3), np.int64)
C = np.arange(6).reshape(2, 3) % 2 == 0
S = np.array([[5], [6]])
ARRAYS = {"A": A, "B": B, "M": M, "N": N, "Q": Q, "V": V, "W": W, "L": L, "Z": Z, "E": E, "S": S}


class Box(dict):
    __getattr__ = dict.__getitem__


# One case a line: what a program writes, with the arrays above (t.A, ...) secret, and the same of NumPy's arrays.
EXPRESSIONS = """
t.A + t.B
t.A - t.B
t.A * t.B
-t.A
+t.A
t.A + 3
3 + t.A
3 - t.A
t.A - 3
t.A * -2
-2 * t.A
t.A + np.int8(3)
np.int64(3) - t.A
np.uint8(3) * t.A
np.array(3) - t.A
t.A - np.array(3)
A - t.B
A * t.B
A + t.B
t.A + B
[1, 2, 3, 4] - t.A
t.A * [1, 2, 3, 4]
[1, 2, 3, 4] + t.A
t.A + [[1], [2], [3]]
True + t.A
t.A * np.array([True, False, True, True])
t.V[:, None] + t.W
t.A[:, :1] * t.B[0]
t.Z + t.A
t.Z * 3
t.Z * t.Z
t.E + t.E
t.E * t.V
t.E @ t.Q
t.M @ t.N
t.A @ t.N
M @ t.N
t.M @ N
A @ t.N
t.V @ t.W
V @ t.W
t.V @ t.Q
t.Q @ t.V
t.V @ t.A
t.A @ t.A.mT
[1, 2, 3] @ t.Q
t.Q @ [1, 2, 3]
t.V ** 0
t.V ** 1
t.V ** 2
t.V ** 5
pow(t.V, 3)
np.power(t.V, 3)
np.square(t.V)
np.negative(t.V)
np.positive(t.V)
np.conjugate(t.V)
np.conj(t.V)
np.add(t.V, t.W)
np.subtract(V, t.W)
np.subtract(t.V, W)
np.multiply(2, t.W)
np.add(t.V, 1, where=True, casting="same_kind", dtype=None, out=None)
np.matmul(t.A, t.N)
np.matmul(A, t.N)
np.vecdot(t.A, t.B)
np.vecdot(A, t.B[0])
np.vecdot(t.A, B, axis=1)
np.matvec(t.A, t.B[0, 0])
np.vecmat(t.B[0, :, 0], t.A)
np.isfinite(t.A)
np.isnan(t.A)
np.isinf(t.A)
abs(np.shape(t.A)[0])
np.reshape(t.A, (4, 6))
np.reshape(t.A, -1)
np.reshape(t.A, shape=(6, -1))
np.reshape(t.E, (3, 0))
t.A.reshape(4, 6)
t.A.reshape((4, -1))
t.A.reshape(np.int64(24))
t.A.reshape([2, 12])
t.Z.reshape(1, 1)
t.Z.reshape(-1)
t.V[:1].reshape(())
t.A.ravel()
t.A.flatten()
np.ravel(t.A)
np.ravel(t.Z)
t.A.T
t.A.mT
t.V.T
t.Z.T
np.transpose(t.A)
np.transpose(t.A, (1, 0, 2))
np.transpose(t.A, (1, -3, 2))
np.transpose(t.A, [2, 0, 1])
np.permute_dims(t.A, (1, 2, 0))
t.A.transpose(2, 0, 1)
t.A.transpose((2, 0, 1))
t.A.transpose(None)
t.A.transpose()
t.V.transpose(0)
t.Z.transpose()
np.matrix_transpose(t.A)
np.linalg.matrix_transpose(t.A)
np.swapaxes(t.A, 0, -1)
t.A.swapaxes(0, 1)
np.moveaxis(t.A, 0, -1)
np.moveaxis(t.A, [0, 1], [-1, 0])
np.rollaxis(t.A, 2)
np.rollaxis(t.A, 0, 3)
np.broadcast_to(t.V, (2, 3))
np.broadcast_to(t.Z, 4)
np.broadcast_to(t.Z, ())
np.broadcast_to(t.V, (0, 3))
np.broadcast_arrays(t.V, S)
np.broadcast_arrays(t.V, t.S, 1)
np.squeeze(t.S)
np.squeeze(t.S, 1)
np.squeeze(t.S[None], axis=(0, -1))
t.S.squeeze(axis=1)
t.S.squeeze()
np.expand_dims(t.V, 0)
np.expand_dims(t.V, (0, -1))
np.atleast_1d(t.Z)
np.atleast_1d(t.Z, 5)
np.atleast_2d(t.Z)
np.atleast_2d(t.V)
np.atleast_2d(t.A)
np.atleast_3d(t.V)
np.atleast_3d(t.M)
np.atleast_3d(t.Z)
t.A[0]
t.A[-1, 1]
t.A[1, 2, 3]
t.A[...]
t.A[()]
t.A[None]
t.A[:, None, 1:]
t.A[..., ::-1]
t.A[..., -1:0:-2]
t.A[[1, 0, 1]]
t.A[[0, 1], [1, 2]]
t.A[:, [0, 2], [1, 3]]
t.A[[0, 1], :, [1, 3]]
t.A[np.array([[0, 1], [1, 0]])]
t.A[np.array([0, 1], np.uint8)]
t.A[np.int8(1)]
t.A[np.array(1)]
t.A[A > 0]
t.A[A > 100]
t.A[C]
t.A[C, 0]
t.A[[True, False]]
t.A[True]
t.A[np.False_]
t.A[[]]
t.A[5:2]
t.Z[()]
t.Z[None]
t.Z[...]
np.take(t.A, 2)
np.take(t.A, [[0, 5], [7, -1]])
np.take(t.A, [0, 3], axis=2)
np.take(t.A, 1, 1)
np.take(t.A, [0, 30], mode="wrap")
np.take(t.A, [0, 30], 0, None, "clip")
t.A.take([1, 2])
t.A.take([1, 2], axis=-1)
np.take_along_axis(t.M, np.argsort(M, axis=1), axis=1)
np.take_along_axis(t.M, np.array([[0, 2, 1, 1]]), 0)
np.compress([True, False, True], t.A, axis=1)
np.compress([True, False, True], t.A)
t.A.compress([False, True], axis=0)
np.extract(A > 3, t.A)
np.flip(t.A)
np.flip(t.A, 1)
np.flip(t.A, (0, -1))
np.fliplr(t.A)
np.flipud(t.A)
np.rot90(t.A)
np.rot90(t.A, k=3, axes=(1, 2))
np.roll(t.A, 3)
np.roll(t.A, (1, 2), axis=(0, 2))
np.tile(t.V, 3)
np.tile(A=t.V, reps=3)
np.diagonal(t.A, axis1=1, axis2=2)
np.rot90(t.A, axes=(1, 2))
np.repeat(t.A, axis=1, repeats=2)
np.einsum("aba->a", t.A[:1, :0, :1])
np.sum(a=t.A, axis=1)
np.tile(t.V, (2, 2))
np.repeat(t.A, 2)
np.repeat(t.A, [1, 0, 2], axis=1)
t.V.repeat(2)
np.resize(t.V, (2, 4))
np.delete(t.A, 1, axis=1)
np.delete(t.A, [0, 3, 5])
np.delete(t.V, slice(0, 2))
np.split(t.A, 2)
np.split(t.A, [1, 2], axis=2)
np.split(t.L, [3, 1])
np.array_split(t.L, 3)
np.array_split(t.L, 7)
np.hsplit(t.A, 3)
np.hsplit(t.L, [2])
np.vsplit(t.A, 2)
np.dsplit(t.A, 2)
np.unstack(t.A)
np.unstack(t.A, axis=-1)
np.diagonal(t.A)
np.diagonal(t.A, 1, 1, 2)
t.A.diagonal(offset=-1, axis1=1, axis2=2)
np.linalg.diagonal(t.A, offset=1)
np.diag(t.V)
np.diag(t.V, -1)
np.diag(t.M, 1)
np.diagflat(t.S, 1)
np.tril(t.A)
np.triu(t.A, 1)
np.tril(t.M, -1)
np.pad(t.M, 1)
np.pad(t.M, ((1, 0), (0, 2)), constant_values=9)
np.pad(t.M, (1, 2), constant_values=((1, 2), (3, 4)))
np.pad(t.L, 2, mode="edge")
np.pad(t.L, 2, "reflect")
np.pad(t.L, 2, "symmetric")
np.pad(t.L, 3, "wrap")
np.pad(t.L, 0)
np.concatenate([t.A, t.B])
np.concatenate((t.A, B), axis=-1)
np.concatenate([A, t.B], 1)
np.concatenate([t.A, t.V], axis=None)
np.concatenate(t.A)
np.concat([t.V, [True], W])
np.stack([t.V, t.W])
np.stack([t.V, W], axis=1)
np.stack((t.A, t.B), -1)
np.vstack([t.V, W])
np.vstack([t.M, t.M[:1]])
np.hstack([t.V, W])
np.hstack([t.M, t.M])
np.hstack([t.Z, 5])
np.dstack([t.V, W])
np.dstack([t.M, M])
np.column_stack([t.V, t.W])
np.column_stack([t.Q, W])
np.append(t.V, [1, 2])
np.append(t.M, M, axis=0)
np.append(V, t.W)
np.insert(t.V, 1, 9)
np.insert(t.V, [0, 2], t.W[:2])
np.insert(t.M, 1, 7, axis=1)
np.insert(V, 1, t.Z)
np.block([[t.Q, t.V[:, None]], [W, 1]])
np.block([t.V, W])
np.block([[[t.V]], [[t.W]]])
np.where(A > 0, t.A, t.B)
np.where(A > 0, t.A, 0)
np.where(C[:, :, None], 7, t.A)
np.where(True, t.A, t.V[:1])
np.where([1, 0, 2], t.V, t.W)
np.select([A > 5, A < -5], [t.A, t.B], 1)
np.select([A > 5, A < -5], [t.A, B])
np.sum(t.A)
np.sum(t.A, axis=0)
np.sum(t.A, (0, -1))
np.sum(t.A, axis=(), keepdims=True)
np.sum(t.A, 1, None, None, True)
np.sum(t.A, axis=-1, keepdims=True, dtype=None, out=None, where=True)
np.sum(t.A, axis=0, initial=5)
np.sum(t.E)
np.sum(t.E, axis=0)
t.A.sum()
t.A.sum(axis=(0, 1))
t.A.sum(1, keepdims=True)
t.A.sum(1, None, None, True)
np.prod(t.V)
np.prod(t.L)
np.prod(t.L, initial=3)
np.prod(t.A[0, :, :3], axis=0, initial=t.Z)
np.prod(t.E, initial=-2)
np.prod(t.A[0, :, :3], axis=0)
np.prod(t.A[0, :, :3], axis=(0, 1), keepdims=True)
t.L.prod()
np.prod(t.E, axis=0)
np.cumsum(t.A)
np.cumsum(t.A, axis=1)
t.A.cumsum(-1)
np.cumulative_sum(t.L)
np.cumulative_sum(t.A, axis=1, include_initial=True)
np.diff(t.L)
np.diff(t.A, 2, axis=1)
np.diff(t.A, axis=0)
np.diff(t.L, prepend=0, append=t.V)
np.diff(t.M, axis=0, prepend=t.Z)
np.diff(t.M, n=0)
np.ediff1d(t.M)
np.ediff1d(t.L, to_end=[1, 2], to_begin=t.Z)
np.trace(t.Q)
np.trace(t.A, 1, 1, 2)
t.Q.trace(offset=-1)
np.linalg.trace(t.A)
np.dot(t.V, t.W)
np.dot(t.M, t.N)
np.dot(M, t.N)
np.dot(t.A, t.N)
np.dot(t.N.T, t.A.transpose(0, 2, 1))
np.dot(t.Z, t.A)
np.dot(3, t.A)
t.V.dot(W)
t.V.dot(t.W)
np.vdot(t.A, B)
np.vdot(t.A, t.B)
np.inner(t.A, t.B)
np.inner(V, t.W)
np.inner(t.Z, t.V)
np.outer(t.V, t.L)
np.outer(V, t.M)
np.linalg.outer(t.V, t.L)
np.tensordot(t.A, t.B, 3)
np.tensordot(t.A, t.B, axes=([1, 0], [1, 0]))
np.tensordot(t.A, t.N, axes=1)
np.tensordot(A, t.N, axes=(2, 0))
np.tensordot(t.V, t.W, 0)
np.linalg.tensordot(t.A, t.N, axes=1)
np.einsum("ij,jk->ik", t.M, t.N)
np.einsum("ij,jk", t.M, N)
np.einsum("ij,jk->", M, t.N)
np.einsum("...ij,jk->...ik", t.A, t.N)
np.einsum("...i,...i->...", t.A, t.B)
np.einsum("...i,...i", t.A, t.B[0])
np.einsum("bij,bik->bjk", t.A, t.B)
np.einsum("bij,cij->bc", t.A, t.B)
np.einsum("ii->i", t.Q)
np.einsum("ii", t.Q)
np.einsum("ii,i->i", t.Q, t.V)
np.einsum("ij->ji", t.M)
np.einsum("ijk->j", t.A)
np.einsum("ba", t.M)
np.einsum("i,j->ji", t.V, t.L)
np.einsum("ij,kl->il", t.M, t.N)
np.einsum("i,i->i", V, t.W)
np.einsum("ij,ij->ij", t.S, S)
np.einsum(",ij->ij", t.Z, t.M)
np.einsum(t.M, [0, 1], t.N, [1, 2])
np.einsum(t.M, [0, 1], t.N, [1, 2], [2, 0])
np.einsum(t.A, [..., 0], t.B, [..., 0], [...], optimize=True)
np.kron(t.V, t.W)
np.kron(t.M, Q)
np.kron(S, t.A)
np.cross(t.V, t.W)
np.cross(V, t.W)
np.cross(t.Q, t.V)
np.cross(t.Q, Q[::-1], axis=0)
np.linalg.cross(t.Q, t.Q[::-1])
np.convolve(t.V, t.L)
np.convolve(t.L, V, "same")
np.convolve(V, t.L, mode="valid")
np.correlate(t.L, t.V)
np.correlate(t.L, V, "full")
np.correlate(t.L, t.V, "same")
np.linalg.matmul(t.A, t.N)
np.linalg.vecdot(t.V, W)
np.linalg.multi_dot([t.V, Q, t.Q, t.W])
np.linalg.multi_dot([V, Q, t.Q])
np.linalg.matrix_power(t.Q, 5)
np.linalg.matrix_power(t.Q, 1)
np.copy(t.A)
t.A.copy()
t.A.astype(np.int64)
t.A.conj()
t.A.conjugate()
t.A.real
np.real(t.A)
np.imag(t.A)
np.zeros_like(t.A)
np.ones_like(t.A)
np.ones_like(t.A, shape=(2, 2))
np.full_like(t.A, 7)
np.full_like(t.A, [1, 2, 3, 4])
np.shape(t.A)
np.ndim(t.A)
np.size(t.A)
np.size(t.A, 1)
np.iscomplexobj(t.A)
np.isrealobj(t.A)
np.iscomplex(t.A)
np.isreal(t.A)
np.result_type(t.A, np.float32)
np.result_type(t.A, t.V)
np.common_type(t.A)
t.A.shape
t.A.ndim
t.A.size
t.A.dtype
len(t.A)
[row for row in t.M]
list(t.V)
list(t.M.flat)
""".strip().splitlines()


def result_of(expression, arrays):
    return eval(expression, {"np": np, "t": Box(arrays), "C": C, **ARRAYS})


def reveal_all(party, results):
    """Results with every tensor revealed, all of them in one round."""
    flat = [part for result in results for part in (result if isinstance(result, list | tuple) else [result])]
    tensors = [part for part in flat if isinstance(part, mpc.Tensor)]
    values = iter(party.reveal(*tensors))

    def shown(part):
        return next(values) if isinstance(part, mpc.Tensor) else part

    return [[shown(part) for part in result] if isinstance(result, list | tuple) else shown(result) for result in results]


def same(ours, numpys):
    if isinstance(numpys, list | tuple):
        return len(ours) == len(numpys) and all(same(a, b) for a, b in zip(ours, numpys, strict=True))
    if not isinstance(numpys, np.ndarray | np.generic):
        return ours == numpys
    return ours.shape == numpys.shape and ours.dtype == numpys.dtype and np.array_equal(ours, numpys)


@pytest.mark.parametrize(("protocol", "parties"), [("plaintext", 1), ("additive", 2), ("additive", 3)])
def test_every_expression_is_what_numpy_makes_of_it(protocol, parties):
    def program(party):
        inputs = {
            name: party.input(a if party.index == k % parties else None, k % parties)
            for k, (name, a) in enumerate(ARRAYS.items())
        }
        results = []
        for k in range(0, len(EXPRESSIONS), 60):
            results += reveal_all(party, [result_of(e, inputs) for e in EXPRESSIONS[k : k + 60]])
        return results

    for results in mpc.simulate(program, parties=parties, protocol=protocol):
        wrong = [e for e, ours in zip(EXPRESSIONS, results, strict=True) if not same(ours, result_of(e, ARRAYS))]
        assert wrong == []


def test_the_expressions_above_call_every_function_of_the_tables():
    text = "\n".join(EXPRESSIONS)
    others = {"Order and selection", "Sorting, searching and lookup", "Functions and linear algebra"}  # tests of their own
    names = [name for title, category in CATEGORIES.items() if title not in others for name in category]
    elsewhere = {"mean", "var", "average", "cov"}  # floats: test_tensor_accuracy
    elsewhere |= {"empty_like"}
    assert [name for name in names if f"np.{name}(" not in text and name not in elsewhere] == []
    operators = {"divide", "bitwise_and", "bitwise_or", "bitwise_xor", "logical_and", "logical_or", "logical_xor", "invert"}
    operators |= {"logical_not"}
    operators |= {*ORDER, *SORTING, *CURVES}  # tests of their own
    assert [name for name in UFUNCS if f"np.{name}(" not in text and name not in operators] == []
    assert len(FUNCTIONS) >= 90


def test_the_parameters_are_numpys():
    """The names and the order of NumPy's, so that no positional argument is taken for another."""
    import inspect

    wrong = {}
    for function, ours in FUNCTIONS.items():
        numpys = list(inspect.signature(function).parameters.values())
        mine = list(inspect.signature(ours).parameters.values())
        if any(p.kind is p.VAR_POSITIONAL for p in mine):
            continue
        positional = [p.name for p in mine if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        allowed = [p.name for p in numpys if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        keyword = {p.name for p in mine if p.kind is p.KEYWORD_ONLY} - {p.name for p in numpys}
        if positional != allowed[: len(positional)] or keyword:
            wrong[function.__name__] = (positional, allowed, keyword)
    assert wrong == {}


def test_the_page_is_current():
    from pathlib import Path

    from mpc.tensor.catalogue import page

    path = Path(__file__).parents[2] / "docs" / "numpy.md"
    assert path.read_text() == page(), "run: python -m mpc.tensor.catalogue > docs/numpy.md"
