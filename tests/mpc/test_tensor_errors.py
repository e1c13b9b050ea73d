"""Wrong shapes, axes and operands: errors of NumPy's type that are ours too, and name the operation."""

import re

import numpy as np
import pytest
from numpy.testing.overrides import get_overridable_numpy_array_functions

import mpc
from mpc.tensor.numpy_functions import FUNCTIONS
from mpc.tensor.numpy_ufuncs import UFUNCS

A = np.arange(24).reshape(2, 3, 4)
V = np.arange(3)

# What NumPy refuses for arrays, tensors refuse with an error of the same type.
WRONG = """
a + v
a - np.ones((2, 2))
a * v
a @ v
v @ np.ones(4)
a @ 2
np.ones(5) @ v
np.vecdot(a, v)
np.matvec(v, v)
a.reshape(5, 5)
a.reshape(-1, -1)
a.reshape("ab")
a.reshape(2.5)
np.reshape(a, (7, -1))
np.transpose(a, (0, 1))
np.transpose(a, (0, 0, 1))
a.transpose(0, 1, 5)
np.matrix_transpose(v)
v.mT
np.swapaxes(a, 0, 3)
np.moveaxis(a, 0, 5)
np.moveaxis(a, [0, 1], [0])
np.broadcast_to(a, (2, 2))
np.broadcast_arrays(a, v)
np.squeeze(a, 0)
np.squeeze(a, 4)
np.expand_dims(a, 9)
a[5]
a[0, 0, 0, 0]
a[:, 3]
a[1.5]
a["x"]
a[[0, 9]]
a[np.ones(5, bool)]
a[..., ...]
np.take(a, 99)
np.take(a, 0, axis=5)
np.flip(a, 7)
np.roll(a, 1, axis=7)
np.repeat(a, [1, 2], axis=1)
np.repeat(a, -1)
np.split(a, 4)
np.split(a, 2, axis=6)
np.array_split(a, 0)
np.dsplit(v, 1)
np.diagonal(v)
np.diagonal(a, 0, 1, 1)
np.diag(a)
np.trace(v)
np.pad(a, (1, 2, 3))
np.pad(a, -1)
np.concatenate([a, v])
np.concatenate([a, a], axis=3)
np.concatenate([a[0, 0, 0], v])
np.concatenate([a[:, :2], a[:, :, 2:]])
np.stack([a, v])
np.stack([a, a], axis=5)
np.hstack([a, v])
np.insert(v, 9, 1)
np.delete(v, 9)
np.block([[a, v], [v]])
np.where(np.ones(5, bool), v, v)
np.select([V > 0], [v, v])
np.sum(a, axis=3)
np.sum(a, axis=(0, 0))
np.sum(a, axis=[0])
np.sum(a, axis=1.0)
a.sum(axis=-4)
np.cumsum(a, axis=3)
np.cumulative_sum(a)
np.diff(v, n=-1)
np.diff(a, axis=4)
np.diff(a[0, 0, 0])
np.mean(a, axis=3)
np.average(a, axis=0, weights=[1, 2, 3])
np.dot(a, v)
np.dot(v, np.ones(4))
np.inner(a, v)
np.vdot(a, v)
np.linalg.outer(a, v)
np.tensordot(a, v, 1)
np.tensordot(a, v, ((0, 1), (0,)))
np.tensordot(a, a, axes=((0, 9), (0, 1)))
np.einsum("ij,j", a, v)
np.einsum("ijk,k", a, v)
np.einsum("i,j->k", v, v)
np.einsum("i->ii", v)
np.einsum("i,i", v)
np.einsum("i1", a[0])
np.einsum("...i->i", a)
np.einsum("ii", a[0])
np.cross(v, np.ones(4))
np.convolve(a, v)
np.convolve(v[:0], v)
np.convolve(v, v, "odd")
np.linalg.matrix_power(a, 2)
len(a[0, 0, 0])
iter(a[0, 0, 0])
np.full_like(v, [1, 2])
""".strip().splitlines()

# What NumPy accepts, or refuses in another way, and tensors refuse as a TypeError that names the function.
REFUSED = {
    "np.add(v, 1, out=np.zeros(3))": "np.add: out=",
    "np.add(v, 1, where=[True, False, True])": "np.add: where=",
    "np.add(v, 1, dtype=float)": "np.add: dtype=",
    "np.sum(v, dtype=float)": "np.sum: dtype=",
    "np.sum(v, 0, float)": "np.sum: dtype=",
    "np.sum(v, out=np.zeros(()))": "np.sum: out=",
    "np.sum(v, where=[True, False, True])": "np.sum: where=",
    "np.mean(v, where=[True, False, True])": "np.mean: where=",
    "np.concatenate([v, v], dtype=float)": "np.concatenate: dtype=",
    "np.dot(v, v, out=np.zeros(()))": "np.dot: out=",
    "np.zeros_like(v, dtype=bool)": "np.zeros_like: dtype=",
    "np.einsum('i->', v, out=np.zeros(()))": "np.einsum: out=",
    "v.sum(dtype=float)": "sum: dtype=",
    "v.mean(out=np.zeros(()))": "mean: out=",
    "v.cumsum(0, float)": "cumsum: dtype=",
    "np.add(v, 1, casting='unsafe')": "np.add: casting=",
    "np.add(v, 1, order='F')": "np.add: .*order",
    "np.matmul(v, v, axes=[0, 0, ()])": "np.matmul: .*axes",
    "np.prod(v, where=[True, False, True])": "np.prod: where=",
    "np.reshape(v, 3, order='F')": "reshape: order",
    "v.reshape(3, order='F')": "reshape: order",
    "np.pad(v, 1, 'linear_ramp')": "pad: mode",
    "np.pad(v, 1, 'linear_ramp', end_values=3)": "pad: mode",
    "np.average(v, returned=True)": "np.average: returned",
    "np.cov(v, v)": "np.cov: y=",
    "np.einsum('i,i,i', v, v, v)": "einsum: .*two operands",
    "np.add.reduce(v)": r"np.add.reduce",
    "np.add.accumulate(v)": r"np.add.accumulate",
    "np.multiply.outer(v, v)": r"np.multiply.outer",
    "np.add.at(v, 0, 1)": r"np.add.at",
    "np.add.at(np.zeros(3), 0, v)": r"np.add.at",
    "np.maximum.reduce(v)": r"np.maximum.reduce",
    "v ** [1, 2, 3]": "power: .*public",
    "v ** 'a'": "power: .*str",
    "2 // v": "floor_divide: .*public",
    "v << 1": "np.left_shift",
    "1 >> v": "np.right_shift",
    "v.sort()": "sort: ",
    "v.view(float)": "view: ",
    "v & True": "&: needs boolean",
    "~v": "~: needs boolean",
    "b & 1": "&: .*boolean",
    "np.where(b)": "np.where: ",
    "np.where(v, v, v)": "where: .*boolean",
    "np.less(v, 1, out=b)": "np.less: out=",
    "np.max(v, initial=0, where=[True, False, True])": "np.max: where=",
    "v.max(out=np.zeros(()))": "max: out=",
    "v.nonzero()": "nonzero: .*secret",
    "v < 'a'": "control flow",
    "-b": "negative: .*boolean",
    "b - b": "subtract: .*boolean",
    "True - b": "subtract: .*boolean",
    "np.diff(b)": "diff: .*boolean",
    "b @ b": "matmul: .*boolean",
    "v.astype('i4')": "astype: ",
    "v + None": "add: .*NoneType",
    "v + 'a'": "add: .*str",
    "v + 1j": "add: .*complex",
    "v * np.array(['2020-01-01'], 'M8[D]')": "multiply: .*datetime64",
    "v + np.array([1, None])": "add: .*object",
    "v + [v, 1, 2]": "no array",
    "v + {1: 2}": "add: .*dict",
    "v + np.zeros(3, 'i4,f4')": "add: ",
    "v + np.ma.array([1, 2, 3], mask=[1, 0, 0])": "add: .*masked",
    "v[v > 0]": "indexing: .*public",
    "v[v, 0]": "indexing: .*np.take",
    "v[[v[0]]]": "no array|public",
    "v[v[0]:]": "control flow",
    "v.astype('f4')": "astype: ",
    "np.array([v, v])": "no array",
    "np.asarray(v)": "no array",
    "np.full_like(v, v[0])": "no array",
    "v.item()": "control flow",
    "v.tolist()": "control flow",
    "np.repeat(V, v)": "no array|control|public",
    "np.take(V, v)": "public|no array|control",
    "np.compress(v, V)": "np.compress: .*public",
    "np.extract(v, V)": "np.extract: .*public",
    "np.average(V, weights=v)": "np.average: .*public",
    "np.diff(V, prepend=v)": "np.diff: .*public",
    "np.delete(V, v)": "np.delete: .*public",
    "np.split(V, v)": "np.split: .*public|no array|control",
    "np.ediff1d(V, to_end=v)": "np.ediff1d: .*public",
    "np.average(v, weights=v)": "no array|public",
    "np.insert(V, v, 1)": "insert|no array|control",
    "np.roll(v, v)": "no array|public|control",
    "np.einsum(v, v)": "einsum: .*subscripts",
    "np.tensordot(v, v, axes=v)": "control|no array",
    "np.pad(v, v)": "no array|control",
    "np.repeat(v, v)": "no array|control|public",
}


def outcomes(expressions, protocol="plaintext", parties=1):
    """The error of each expression, or its result."""

    def program(party):
        def value(x):
            return party.input(x if party.index == 0 else None, 0)

        names = {"np": np, "a": value(A), "v": value(V), "b": value(np.array([True, False, True])), "A": A, "V": V}
        return {e: outcome(e, names) for e in expressions}

    return mpc.simulate(program, parties=parties, protocol=protocol)[0]


def outcome(expression, names):
    try:
        return repr(eval(expression, dict(names)))
    except Exception as error:
        return error


def test_wrong_shapes_and_axes_raise_what_numpy_raises():
    ours = outcomes(WRONG)
    numpys = {e: outcome(e, {"np": np, "a": A, "v": V, "A": A, "V": V}) for e in WRONG}
    assert {e: r for e, r in numpys.items() if not isinstance(r, Exception)} == {}
    bad = {}
    for e in WRONG:
        theirs = next(t for t in (np.exceptions.AxisError, IndexError, ValueError, TypeError) if isinstance(numpys[e], t))
        if not isinstance(ours[e], mpc.Error) or not isinstance(ours[e], theirs):
            bad[e] = (ours[e], numpys[e])
    assert bad == {}


def test_what_tensors_do_not_have_is_a_type_error_that_names_it():
    bad = {e: r for e, r in outcomes(REFUSED).items() if not isinstance(r, TypeError) or not isinstance(r, mpc.Error)}
    assert bad == {}
    unnamed = {e: str(r) for e, r in outcomes(REFUSED).items() if not re.search(REFUSED[e], str(r))}
    assert unnamed == {}


# Public arguments that NumPy's own dispatch demands before it asks the tensor.
ARGUMENTS = {"apply_along_axis": "np.apply_along_axis(np.sum, 0, v)", "apply_over_axes": "np.apply_over_axes(np.sum, v, 0)"}


def test_every_other_numpy_function_names_itself():
    missing = [f for f in get_overridable_numpy_array_functions() if f not in FUNCTIONS]
    missing = [f for f in missing if f.__module__ in ("numpy", "numpy.linalg", "numpy.fft")]

    def program(party):
        t = party.input(V, 0)
        return {f: outcome("t.__array_function__(f, (type(t),), (t,), {})", {"t": t, "f": f}) for f in missing}

    errors = mpc.simulate(program, parties=1, protocol="plaintext")[0]
    assert len(missing) > 100
    wrong = [f for f, e in errors.items() if not isinstance(e, TypeError) or f"{f.__name__} is not available" not in str(e)]
    assert wrong == []


@pytest.mark.parametrize(
    "name", ["argwhere", "linalg.det", "linalg.eig", "linalg.svd", "unique", "union1d", "setdiff1d", "fft.fft", "nanmax"]
)
def test_calls_of_missing_functions(name):
    expression = f"np.{name}(v, v)" if name in ("union1d", "setdiff1d") else f"np.{name}(v)"
    (error,) = outcomes([expression]).values()
    assert isinstance(error, TypeError)
    assert isinstance(error, mpc.Error)
    assert f"np.{name} is not available for secret tensors" in str(error)


def test_every_other_ufunc_names_itself():
    ufuncs = {f for f in vars(np).values() if isinstance(f, np.ufunc) and f.__name__ not in UFUNCS}
    expressions = {f"np.{f.__name__}({', '.join(['v'] * f.nin)})": f.__name__ for f in ufuncs if hasattr(np, f.__name__)}
    assert len(expressions) > 10
    for expression, error in outcomes(expressions).items():
        assert isinstance(error, TypeError), expression
        assert f"np.{expressions[expression]} is not available" in str(error)


def test_public_numbers_beyond_the_range():
    errors = outcomes(
        ["v + 2**62", "v * 2**70", "v + np.uint64(2**63)", "v * float('nan')", "v * np.inf", "v + 1e30", "v / 0", "v / [1, 0, 2]"]
    )
    for expression, error in errors.items():
        assert isinstance(error, ValueError), expression
        assert isinstance(error, mpc.Error), expression
        assert re.search("range|NaN|infinite|finite|zero", str(error)), error


def test_tensors_of_two_runs_do_not_mix():
    kept = []
    mpc.simulate(lambda party: kept.append(party.input(V, 0)), parties=1, protocol="plaintext")
    old = kept[0]

    def program(party):
        v = party.input(V, 0)
        operations = [lambda: v + old, lambda: v * old, lambda: np.concatenate([v, old]), lambda: party.reveal(v, old)]
        operations += [lambda: np.where(V > 0, v, old), lambda: party.reveal(old), lambda: v @ old]
        errors = []
        for operation in operations:
            with pytest.raises(TypeError, match="run") as error:
                operation()
            errors.append(error.value)
        return errors

    assert all(isinstance(e, mpc.Error) for e in mpc.simulate(program, parties=1, protocol="plaintext")[0])
