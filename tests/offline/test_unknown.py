"""What a dry run gives in place of a revealed value: shapes and dtypes as NumPy has them, and no value."""

import math
import pickle

import numpy as np
import pytest

from mpc.dry import Unknown
from mpc.errors import DryRunError
from mpc.progress.bars import _number

A = np.arange(1.0, 7.0).reshape(2, 3)
WORKING = {
    "operators": lambda a: (a + 1) * 2 - a / a**2 // 3 % 2,
    "from the left": lambda a: 1 / (7.0 - a),
    "with arrays": lambda a: np.ones((4, 1, 1)) * a @ np.ones((3, 5)),
    "comparison": lambda a: (a > 2) & ~(a == a.T.T),
    "ufuncs": lambda a: np.sqrt(np.log(a)) + np.maximum(a, 0),
    "several results": lambda a: np.divmod(a, 2)[1],
    "reductions": lambda a: a.mean(axis=0) + np.std(a) + a.sum() + np.median(a, axis=0) + a.max(),
    "integers": lambda a: a.argmax(axis=1) + np.argsort(a[0])[:2],
    "number": lambda a: a.sum(),
    "shaping": lambda a: np.concatenate([a.reshape(3, 2), a.T])[None, :, ::-1],
    "indexing": lambda a: a[0, 1:] + a[:, [0, 1]][1],
    "by an unknown": lambda a: a[:, a.argmax(axis=1)],
    "rounding": lambda a: np.round(a, 2).astype(int).clip(0, 3),
    "choice": lambda a: np.where(a > 1, a, 0),
    "list": lambda a: np.stack([a, a + 1]),
    "parts": lambda a: np.split(a, 3, axis=1)[2],
    "rows": lambda a: [2 * row for row in a][1],
    "norm": lambda a: np.linalg.norm(a, axis=0),
    "in place": lambda a: assigned(a.copy()),
}


def assigned(a):
    a[0] = 3
    a += 1
    return a


@pytest.mark.parametrize("name", WORKING)
def test_shapes_and_dtypes_are_those_of_numpy(name):
    expected, result = np.asarray(WORKING[name](A)), WORKING[name](Unknown.like(A))
    assert isinstance(result, Unknown)
    assert (result.shape, result.dtype, result.ndim, result.size) == (
        expected.shape,
        expected.dtype,
        expected.ndim,
        expected.size,
    )


def test_what_says_nothing_of_values():
    a = Unknown.like(A)
    assert (len(a), np.shape(a), np.ndim(a), a.nbytes, a.T.shape) == (2, (2, 3), 2, 48, (3, 2))
    assert f"{a} {a!r} {a:.3f} {a!s}" == "? ? ? ?"
    assert round(NUMBER, 2).dtype == np.float64 and round(NUMBER).dtype == np.int64
    assert _number("a value", a) == "?"


NUMBER, FLAGS = Unknown(np.float64, ()), Unknown(np.bool_, (2,))
STOPPED = {
    "condition": lambda a: bool(NUMBER > 1),
    "while": lambda a: a.any() and 1,
    "float": lambda a: float(NUMBER),
    "int": lambda a: int(NUMBER),
    "math": lambda a: math.sqrt(NUMBER),
    "percent": lambda a: "%.3f" % NUMBER,  # noqa: UP031
    "range": lambda a: range(Unknown(np.int64, ())),
    "item": lambda a: a.item(0),
    "tolist": lambda a: a.tolist(),
    "asarray": lambda a: np.asarray(a),
    "into an array": lambda a: A.copy().__setitem__(0, a[0]),
    "onto an array": lambda a: np.add.at(A.copy(), 0, a[0]),
    "added onto": lambda a: A.copy().__iadd__(a),
    "copyto": lambda a: np.copyto(A.copy(), a),
    "in a list": lambda a: np.array([NUMBER, NUMBER]),
    "index of an array": lambda a: A[Unknown(np.int64, (2,))],
    "mask of an array": lambda a: A[FLAGS],
    "its own mask": lambda a: a[FLAGS],
    "nonzero": lambda a: np.nonzero(a),
    "nonzero method": lambda a: a.nonzero(),
    "where": lambda a: np.where(a),
    "unique": lambda a: np.unique(a),
    "allclose": lambda a: np.allclose(a, 1),
    "array_equal": lambda a: np.array_equal(a, A),
    "in": lambda a: 1 in a,
    "largest": lambda a: max(a[0]),
    "sorted": lambda a: sorted(a[0]),
    "save": lambda a: np.save("/nowhere", a),
    "pickle": lambda a: pickle.dumps(a),
}


@pytest.mark.parametrize("name", STOPPED)
def test_what_needs_a_value_stops_at_its_line(name):
    with pytest.raises(DryRunError, match=r"test_unknown\.py:\d+: `.*a dry run does not know what is revealed"):
        STOPPED[name](Unknown.like(A))


def test_an_element_of_an_array_is_refused_by_numpy_because_of_that():
    with pytest.raises(ValueError) as error:
        A.copy()[0, 0] = NUMBER
    assert isinstance(error.value.__cause__, DryRunError)
