"""What depends on nothing secret: the same at all parties whatever their processors compute, and bounded."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import mpc
import mpc.onnx
from mpc.errors import ModelError
from mpc.onnx import architecture, public, records
from mpc.onnx.graph import Node
from mpc.onnx.loading import prepared
from mpc.onnx.reading import read

FLOAT = TensorProto.FLOAT
RNG = np.random.default_rng(5)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def model(nodes, inputs, weights=None, opset=20):
    """Of inputs {name: array}, whose last node makes y."""
    declared = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in inputs.items()]
    tensors = [numpy_helper.from_array(np.asarray(a), n) for n, a in (weights or {}).items()]
    output = helper.make_tensor_value_info("y", FLOAT, [None] * inputs["x"].ndim)
    graph = helper.make_graph(nodes, "g", declared, [output], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def called(source, secret, given, protocol="additive", **options):
    """The result, and the rounds of a call."""

    def program(party):
        loaded = mpc.onnx.load(party, source if party.index == 0 else None, owner=0, **options)
        x = party.input(secret, owner=0)
        with party.measure() as cost:
            y = loaded(x, *given)
        return y.reveal(), cost.rounds

    return (
        mpc.simulate(program, timeout=20)[0] if protocol == "additive" else mpc.simulate(program, parties=1, protocol=protocol)[0]
    )


@pytest.fixture
def _other_processor(monkeypatch):
    """Every second party's floats differ in the last place, where an operator is more than one operation for each element."""
    evaluate, parties, lock = Node.evaluate, {}, threading.Lock()

    def elsewhere(node, *values):
        found = evaluate(node, *values)
        with lock:
            number = parties.setdefault(threading.get_ident(), len(parties))
        if number % 2 and node.op in ("MatMul", "Exp", "RNN", "TopK"):
            return [np.nextafter(a, np.inf, dtype=a.dtype) if a.dtype.kind == "f" else a for a in found]
        return found

    monkeypatch.setattr(Node, "evaluate", elsewhere)


X, P, W = normal(4, 3), normal(4, 5) * 1000, normal(5, 3)


@pytest.mark.usefixtures("_other_processor")
def test_public_floats_are_party_0s_where_processors_differ():
    nodes = [helper.make_node("MatMul", ["p", "w"], ["c"], name="m"), helper.make_node("Mul", ["x", "c"], ["y"])]
    source = model(nodes, {"x": X, "p": P}, {"w": W})
    y, rounds = called(source, X, [P], public=["w"])
    np.testing.assert_allclose(y, X * (P @ W), rtol=1e-3, atol=0.1)
    exact = model([helper.make_node("Add", ["p", "p"], ["c"]), nodes[1]], {"x": X, "p": X})
    assert rounds == 1 + called(exact, X, [X])[1], "an operation for each element needs no announcement"


@pytest.mark.usefixtures("_other_processor")
def test_all_results_of_a_node_are_announced_in_one_round_and_left_out_ones_stay_out():
    weights = {"w": normal(1, 6, 5) * 9, "r": normal(1, 6, 6)}
    nodes = [
        helper.make_node("RNN", ["p", "w", "r"], ["", "h"], name="rnn", hidden_size=6),
        helper.make_node("TopK", ["h", "k"], ["v", "i"], name="top"),
        helper.make_node("Cast", ["i"], ["f"], to=FLOAT),
        helper.make_node("Mul", ["x", "v"], ["z"]),
        helper.make_node("Mul", ["z", "f"], ["y"]),
    ]
    source = model(nodes, {"x": normal(1, 4, 2), "p": P[None]}, weights | {"k": np.array([2])})
    x = np.ones((1, 4, 2))
    y, rounds = called(source, x, [P[None]], public=["w", "r"])
    want, _ = called(source, x, [P[None]], "plaintext", public=["w", "r"])
    np.testing.assert_allclose(y, want, atol=1e-3)
    assert rounds == 2


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int64, np.uint8, np.bool_])
def test_what_is_announced_comes_back_in_its_dtype_and_shape(kind):
    array = np.array([[0, 1, 3], [2, 5, 1]]).astype(kind) / (np.array(3, kind) if np.dtype(kind).kind == "f" else 1)
    array = array.astype(kind)
    back = public._array(public._words(array), array)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_two_public_factors_of_a_node_with_secrets_are_multiplied_on_shares(monkeypatch):
    def refused(a, b, **_):
        assert not a.dtype.kind == b.dtype.kind == "f" or mpc.Tensor in (type(a), type(b)), "a product in the clear"
        return matmul(a, b)

    matmul = np.matmul
    source = model([helper.make_node("Gemm", ["p", "w", "x"], ["y"])], {"x": X, "p": P}, {"w": W})
    monkeypatch.setattr("mpc.onnx.operators.products.np.matmul", refused)
    y, _ = called(source, X, [P], public=["w"])
    np.testing.assert_allclose(y, P @ W + X, atol=0.1)


def test_a_public_state_and_public_weights_are_multiplied_on_shares():
    nodes = [helper.make_node("GRU", ["x", "w", "r", "", "", "h"], ["", "y"], hidden_size=2, linear_before_reset=1)]
    x, h, weights = normal(2, 4, 3), normal(1, 4, 2), {"w": normal(1, 6, 3), "r": normal(1, 6, 2)}
    source = model(nodes, {"x": x, "h": h}, weights)
    (want,) = ReferenceEvaluator(source).run(None, {"x": x, "h": h})
    np.testing.assert_allclose(called(source, x, [h], public=["w", "r"])[0], want, atol=2**-10)
    made = public.on_shares(_Constants(), prepared(source)[0].nodes[0], [x, x, x, None, None, h])
    assert [value is MARK for value in made] == [True, False, False, False, False, True]


MARK = object()


class _Constants:
    def constant(self, value):
        return MARK


def test_a_public_array_is_normalised_by_secret_weights():
    source = model([helper.make_node("LayerNormalization", ["p", "x"], ["y"])], {"x": X[0], "p": X})
    (want,) = ReferenceEvaluator(source).run(None, {"x": X[0], "p": X})
    np.testing.assert_allclose(called(source, X[0], [X])[0], want, atol=2**-8)


# ---------------------------------------------------------------------------------------- what an owner may send


def refused(*words):
    return pytest.raises(ModelError, match="(?s)" + ".*".join(words))


def adding(nodes, weights, opset=20):
    """A model that adds to x what public nodes make: c."""
    last = [helper.make_node("Shape", ["c"], ["n"]), helper.make_node("Cast", ["n"], ["f"], to=FLOAT)]
    return model([*nodes, *last, helper.make_node("Add", ["x", "f"], ["y"])], {"x": np.ones(1, np.float32)}, weights, opset)


def sent(source):
    """The model for all parties as a hostile owner sends it: nothing is computed before."""
    helper.set_model_props(source, {"mpc.weights": "0"})
    graph = architecture.decoded(np.frombuffer(source.SerializeToString(), np.uint8), "party 0")

    def program(party):
        return mpc.onnx.Model(party, graph, {})(party.constant(np.ones(1)))

    return mpc.simulate(program, parties=1, protocol="plaintext")


@pytest.mark.parametrize("op", ["RegexFullMatch", "RandomNormal"])
def test_operators_that_are_not_needed_do_not_run_of_public_values_either(op):
    attributes = {"pattern": "(a*)*c"} if op == "RegexFullMatch" else {"shape": [3]}
    node = helper.make_node(op, ["s"] if op == "RegexFullMatch" else [], ["c"], name="bad", **attributes)
    with refused(f"'bad'.*{op}"):
        sent(adding([node], {"s": np.array(["a" * 24 + "b"], object)}))


LARGE = 1 << 27
GROWING = {
    "ConstantOfShape": ([np.array([LARGE])], {}),
    "Expand": ([np.ones(1, np.float32), np.array([1 << 14, 1 << 14])], {}),
    "Tile": ([np.ones(2, np.float32), np.array([LARGE])], {}),
    "Range": ([np.array(0), np.array(LARGE), np.array(1)], {}),
    "Pad": ([np.ones(1, np.float32), np.array([LARGE, 0])], {}),
    "Resize": ([np.ones((1, 1, 2), np.float32), None, np.array([1, 1, LARGE], np.float32)], {}),
    "OneHot": ([np.array([1]), np.array(LARGE), np.array([0, 1], np.float32)], {}),
    "Add": ([np.ones((1 << 14, 1), np.float32), np.ones((1, 1 << 14), np.float32)], {}),
    "PRelu": ([np.ones((1 << 14, 1), np.float32), np.ones((1, 1 << 14), np.float32)], {}),
    "Einsum": ([np.ones(1 << 14, np.float32)] * 2, {"equation": "i,j->ij"}),
    "HannWindow": ([np.array(LARGE)], {}),
    "MaxPool": ([np.ones((1, 1, 2), np.float32)], {"kernel_shape": [LARGE], "pads": [LARGE, LARGE]}),
}


@pytest.mark.parametrize("op", GROWING)
def test_a_public_result_that_is_too_large_is_refused_before_it_is_computed(op, monkeypatch):
    inputs, attributes = GROWING[op]
    names = ["" if a is None else f"i{k}" for k, a in enumerate(inputs)]
    node = helper.make_node(op, names, ["c"], name="big", **attributes)
    monkeypatch.setattr(Node, "evaluate", None)
    with refused("'big'", op, "more than 67108864 elements|at most"):
        sent(adding([node], {n: a for n, a in zip(names, inputs, strict=True) if n}))


def test_an_architecture_of_many_small_records_is_refused_before_it_is_parsed(monkeypatch):
    monkeypatch.setattr(architecture, "MOST_RECORDS", 1 << 12)
    graph, _ = prepared(adding([helper.make_node("Neg", ["x"], ["c"])], {}))
    data = architecture.encoded(graph)
    most = records.count(memoryview(data.tobytes()), ModelProto.DESCRIPTOR, 1000)
    many = ModelProto(ir_version=10)
    many.graph.node.extend([helper.make_node("", [], [])] * (architecture.MOST_RECORDS // 2))
    many.graph.node[0].attribute.extend([helper.make_attribute("a", 1)] * (architecture.MOST_RECORDS // 4))
    monkeypatch.setattr(architecture, "ModelProto", type("Unparsed", (), {"DESCRIPTOR": ModelProto.DESCRIPTOR}))
    with refused(f"more than {architecture.MOST_RECORDS} records"):
        architecture.decoded(np.frombuffer(many.SerializeToString(), np.uint8), "party 0")
    monkeypatch.setattr(architecture, "MOST_RECORDS", most - 1)
    with refused(f"more than {most - 1} records"):
        architecture.decoded(data, "party 0")


@pytest.mark.parametrize("data", [b"\x3a\x05\x0a", b"\xff" * 12, b"\x0b", b"\x08", b"\x0d\x00"])
def test_what_is_no_protocol_buffer_has_no_records(data):
    with pytest.raises(ValueError, match=r"ends within|no end|wire type"):
        records.count(memoryview(data), ModelProto.DESCRIPTOR, 100)


def test_a_record_in_a_record_counts():
    proto = ModelProto()
    proto.graph.node.add(name="n", input=["a", "b"])
    assert records.count(memoryview(proto.SerializeToString()), ModelProto.DESCRIPTOR, 100) == 5


def test_the_callers_model_stays_as_it_is():
    source = adding([helper.make_node("Neg", ["x"], ["c"])], {})
    before = source.SerializeToString()
    read(source)
    assert source.SerializeToString() == before
