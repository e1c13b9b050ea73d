"""What goes wrong silently with other array-likes must be an error here, or work."""

import copy
import pickle

import numpy as np
import pytest

import mpc

V = np.array([1.5, -2.0, 3.0])


def with_tensor(function, value=V, protocol="plaintext", parties=1):
    """function(tensor) at party 0."""

    def program(party):
        return function(party.input(value if party.index == 0 else None, 0))

    return mpc.simulate(program, parties=parties, protocol=protocol)[0]


def branch(t):
    if t:
        return 1
    return 2


def loop(t):
    while t:
        pass


CONTROL = {
    "bool(t)": bool,
    "if t:": branch,
    "1 if t else 2": lambda t: 1 if t else 2,
    "while t:": loop,
    "not t": lambda t: not t,
    "t and 1": lambda t: t and 1,
    "t or 1": lambda t: t or 1,
    "any([t])": lambda t: any([t]),
    "float(t)": float,
    "int(t)": int,
    "complex(t)": complex,
    "t == None": lambda t: t == None,  # noqa: E711
    "None != t": lambda t: None != t,  # noqa: E711, SIM300
    "t == 'a'": lambda t: t == "a",
    "t in [None]": lambda t: t in [None],
    "1.5 in t": lambda t: 1.5 in t,
    "t in t": lambda t: t in t,
    "[1, 2][t]": lambda t: [1, 2][t],
    "range(t)": range,
    "range(3)[t:]": lambda t: range(3)[t:],
    "t.item()": lambda t: t.item(),
    "t.tolist()": lambda t: t.tolist(),
}


@pytest.mark.parametrize("name", CONTROL)
@pytest.mark.parametrize("value", [V, np.array(1), np.array(True)], ids=["vector", "scalar", "bool"])
def test_a_secret_cannot_steer_control_flow(name, value):
    if "==" in name or "in" in name:
        value = V  # a comparison may be available for these
    with pytest.raises(TypeError, match=r"cannot steer control flow.*np\.where.*reveal") as error:
        with_tensor(CONTROL[name], value)
    assert isinstance(error.value, mpc.Error)


NO_ARRAY = {
    "np.asarray": np.asarray,
    "np.array": np.array,
    "np.array of two": lambda t: np.array([t, t]),
    "np.asarray nested": lambda t: np.asarray([[t], [t]]),
    "object": lambda t: np.asarray(t, dtype=object),
    "np.ascontiguousarray": np.ascontiguousarray,
    "assignment": lambda t: np.zeros((2, 3)).__setitem__(0, t),
    "np.testing": lambda t: np.testing.assert_array_equal(V, t),
    "np.random": lambda t: np.random.default_rng(0).permutation(t),
    "math": lambda t: __import__("math").sqrt(t),
}


@pytest.mark.parametrize("name", NO_ARRAY)
def test_no_array_of_objects_is_built(name):
    with pytest.raises(TypeError) as error:
        with_tensor(NO_ARRAY[name])
    assert isinstance(error.value, mpc.Error)


def test_an_array_cannot_take_a_tensor_in():
    def inplace(t):
        x = np.zeros(3)
        x += t
        return x

    with pytest.raises(TypeError, match="out="):
        with_tensor(inplace)
    with pytest.raises(TypeError, match="out="):
        with_tensor(lambda t: np.add(t, 1, out=np.zeros(3)))


def test_augmented_assignment_makes_a_new_tensor():
    def program(t):
        before = t
        t += 1
        t *= 2
        return before.reveal(), t.reveal()

    before, after = with_tensor(program)
    assert np.array_equal(before, V)
    assert np.array_equal(after, (V + 1) * 2)


def test_hash_is_by_identity():
    def program(party):
        t, u = party.input(V, 0), party.input(V, 0)
        assert len({t, u, t}) == 2
        table = {t: "t", u: "u"}
        assert table[t] == "t"
        assert table[u] == "u"
        assert t in [t]
        assert hash(t) != hash(u)
        return True

    assert mpc.simulate(program, parties=1, protocol="plaintext") == [True]


@pytest.mark.parametrize(
    "change", ["t[0] = 1", "t[...] = 1", "del t[0]", "t.shape = (3, 1)", "t.fill(1)", "t.new = 3", "t.T = t"]
)
def test_immutable(change):
    with pytest.raises((TypeError, AttributeError)):
        with_tensor(lambda t: exec(change, {"t": t}))


def test_copies_are_the_tensor_and_pickles_are_refused():
    def program(t):
        assert copy.copy(t) is t
        assert copy.deepcopy(t) is t
        assert copy.deepcopy({"w": [t]})["w"][0] is t
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="never pickled"):
                pickle.dumps(t, protocol)
        return True

    assert with_tensor(program)


def test_attributes_that_it_lacks_look_missing():
    def program(t):
        assert not hasattr(t, "nonsense")
        assert not hasattr(t, "tofile")
        assert not hasattr(t, "__array_interface__")
        with pytest.raises(AttributeError, match="nonsense"):
            t.nonsense  # noqa: B018
        return getattr(t, "tobytes", "default")

    assert with_tensor(program) == "default"


def test_repr_shows_no_value():
    assert (
        with_tensor(lambda t: f"{t} {t!r}")
        == "Tensor(<secret>, shape=(3,), dtype=float64) " * 1 + "Tensor(<secret>, shape=(3,), dtype=float64)"
    )


@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
def test_later_changes_of_arrays_change_nothing(protocol):
    def program(party):
        data, ints, bools = V.copy(), np.arange(3), np.array([True, False, True])
        public, key, mask, condition = V.copy(), np.array([2, 0]), np.array([True, False, True]), np.array([True, True, False])
        x, i, b = party.input(data, 0), party.input(ints, 0), party.input(bools, 0)
        results = [x, i, b, x + public, x * public, i + key[0], x[key], x[mask], np.where(condition, x, public)]
        results += [np.concatenate([x, public]), np.take(x, key), x @ public, b & mask, b ^ mask, np.broadcast_to(x, (2, 3))]
        for array in (data, ints, public, key):
            array[...] = 1
        for array in (bools, mask, condition):
            array[...] = ~array
        key_product = results[6] * results[6]
        return party.reveal(*results, key_product)

    ints, bools, key = np.arange(3), np.array([True, False, True]), np.array([2, 0])
    expected = [V, ints, bools, V + V, V * V, ints + 2, V[key], V[bools], V, np.r_[V, V], V[key], V @ V, bools, bools ^ bools]
    expected += [np.broadcast_to(V, (2, 3)), V[key] ** 2]
    for results in mpc.simulate(program, parties=2, protocol=protocol):
        for result, e in zip(results, expected, strict=True):
            assert np.allclose(result, e, rtol=0, atol=2**-15)


@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
@pytest.mark.parametrize("value", [V, np.arange(3), np.array([True, False, True])], ids=["float", "int", "bool"])
def test_changes_of_a_revealed_array_change_no_tensor(protocol, value):
    def program(party):
        t = party.input(value if party.index == 0 else None, 0)
        first = t.reveal()
        first[...] = 0
        return t.reveal()

    for result in mpc.simulate(program, parties=2, protocol=protocol):
        assert np.array_equal(result, value)


def test_a_class_that_wants_the_operation_gets_it():
    class Wrapper:
        __array_ufunc__ = None

        def __add__(self, other):
            return "wrapped"

        __radd__ = __mul__ = __rmul__ = __rsub__ = __rmatmul__ = __rtruediv__ = __gt__ = __eq__ = __add__
        __hash__ = None

    def program(t):
        w = Wrapper()
        return [t + w, w + t, t * w, t - w, t @ w, t / w, t < w, t == w]

    assert with_tensor(program) == ["wrapped"] * 8


def test_iteration_and_unpacking():
    def program(t):
        a, b, c = t
        total = sum(t)
        return (a + b + c).reveal(), total.reveal(), [x.shape for x in t]

    assert with_tensor(program) == (2.5, 2.5, [()] * 3)


def test_no_warning_from_scalars_that_wrap():
    # Shares of a scalar are any words: their sums and products wrap, without NumPy's warning about scalars.
    def program(party):
        t = party.input(-7.25 if party.index == 0 else None, 0)
        return ((t * t + t - 3) * t * 2 - t.sum()).reveal()

    for result in mpc.simulate(program, parties=2):
        assert abs(result - ((7.25**2 - 10.25) * -7.25 * 2 + 7.25)) < 2 * 7.25 * 2**-15
