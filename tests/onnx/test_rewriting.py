"""What the owner and the parties rewrite: fewer nodes, fewer rounds, the same results."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import mpc
import mpc.onnx
from mpc.onnx.fusing import fused
from mpc.onnx.loading import prepared

RNG = np.random.default_rng(3)


def weight(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def model(shape, nodes, weights, opset=17, output=None):
    """Of nodes (operator, inputs, output, attributes), whose last makes y."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, output or [None] * len(shape))
    made = [helper.make_node(op, inputs, [result], name=result, **attributes) for op, inputs, result, attributes in nodes]
    tensors = [numpy_helper.from_array(np.asarray(v), name) for name, v in weights.items()]
    graph = helper.make_graph(made, "g", [x], [y], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def both(source, x, protocol="additive"):
    """Our result and onnxruntime's, and the rounds of a call."""

    def program(party):
        loaded = mpc.onnx.load(party, source if party.index == 0 else None, owner=0)
        secret = party.input(x if party.index == 1 else None, owner=1)
        with party.measure() as cost:
            y = loaded(secret)
        return y.reveal(), cost.rounds

    got, rounds = mpc.simulate(program, protocol=protocol)[0]
    return got, onnxruntime.InferenceSession(source.SerializeToString()).run(None, {"x": x})[0], rounds


def ops(source):
    return [node.op for node in prepared(source)[0].nodes]


IMAGE = weight(2, 3, 6, 6)
NORM = {"s": weight(4), "b": weight(4), "m": weight(4), "v": np.abs(weight(4)) + 0.1}
BEFORE = {
    "Conv": (IMAGE, ("Conv", ["x", "w"], "z", {}), weight(4, 3, 3, 3)),
    "Conv bias": (IMAGE, ("Conv", ["x", "w", "c"], "z", {}), weight(4, 3, 3, 3)),
    "ConvTranspose": (IMAGE, ("ConvTranspose", ["x", "w"], "z", {}), weight(3, 4, 2, 2)),
    "Gemm": (weight(5, 3), ("Gemm", ["x", "w", "c"], "z", {"transB": 1, "alpha": 0.5, "beta": 3.0}), weight(4, 3)),
    "Gemm plain": (weight(5, 3), ("Gemm", ["x", "w"], "z", {}), weight(3, 4)),
}


@pytest.mark.parametrize("name", BEFORE)
def test_a_batch_normalisation_becomes_part_of_the_weights_before_it(name):
    x, before, w = BEFORE[name]
    norm = ("BatchNormalization", ["z", "s", "b", "m", "v"], "y", {"epsilon": 1e-3})
    source = model(x.shape, [before, norm], {"w": w, "c": weight(4), **NORM})
    assert ops(source) == [before[0]]
    got, want, rounds = both(source, x)
    np.testing.assert_allclose(got, want, atol=2**-10, rtol=2**-10)
    assert rounds == 1


def test_a_batch_normalisation_of_what_is_used_twice_stays():
    x, before, w = BEFORE["Conv"]
    norm = ("BatchNormalization", ["z", "s", "b", "m", "v"], "n", {})
    source = model(x.shape, [before, norm, ("Add", ["z", "n"], "y", {})], {"w": w, **NORM})
    assert ops(source) == ["Conv", "BatchNormalization", "Add"]
    got, want, _ = both(source, x)
    np.testing.assert_allclose(got, want, atol=2**-10)


@pytest.mark.parametrize("op", ["Relu", "Sigmoid", "Clip"])
def test_a_rising_function_comes_after_a_pool(op):
    pool = ("MaxPool", ["z"], "y", {"kernel_shape": [2, 2], "strides": [2, 2]})
    source = model(IMAGE.shape, [(op, ["x", "low"] if op == "Clip" else ["x"], "z", {}), pool], {"low": np.float32(0.1)})
    assert ops(source) == ["MaxPool", op]
    got, want, _ = both(source, IMAGE, "plaintext")
    np.testing.assert_allclose(got, want, atol=2**-14)


def test_a_function_that_may_fall_stays_before_its_pool():
    source = model(IMAGE.shape, [("Abs", ["x"], "z", {}), ("GlobalMaxPool", ["z"], "y", {})], {})
    assert ops(source) == ["Abs", "GlobalMaxPool"]


def test_a_division_by_weights_is_a_product():
    x = weight(3, 4)
    source = model(x.shape, [("Div", ["x", "w"], "y", {})], {"w": np.abs(weight(4)) + 0.5})
    assert ops(source) == ["Mul"]
    got, want, rounds = both(source, x)
    np.testing.assert_allclose(got, want, atol=2**-13)
    assert rounds == 1


@pytest.mark.parametrize("inverse", ["Div", "Reciprocal"])
def test_a_root_by_which_is_divided_is_one_function(inverse):
    x = np.abs(weight(3, 4)) + 0.5
    last = ("Div", ["x", "r"], "y", {}) if inverse == "Div" else ("Reciprocal", ["r"], "y", {})
    source = model(x.shape, [("Sqrt", ["x"], "r", {}), last], {})
    assert ops(source) == ["Pow", "Mul" if inverse == "Div" else "Identity"]
    got, want, rounds = both(source, x)
    np.testing.assert_allclose(got, want, atol=2**-12)
    assert rounds <= 9


def test_a_root_that_is_used_otherwise_too_stays():
    x = np.abs(weight(3, 4)) + 0.5
    source = model(x.shape, [("Sqrt", ["x"], "r", {}), ("Div", ["x", "r"], "d", {}), ("Add", ["d", "r"], "y", {})], {})
    assert ops(source) == ["Sqrt", "Div", "Add"]
    got, want, _ = both(source, x, "plaintext")
    np.testing.assert_allclose(got, want, atol=2**-12)


NUMBERS = {"two": np.float32(2**0.5), "root": np.float32(0.5**0.5), "one": np.float32(1), "half": np.float32(0.5)}
GELUS = {
    "half last": [("Div", ["x", "two"], "d"), ("Erf", ["d"], "e"), ("Add", ["e", "one"], "a"), ("Mul", ["x", "a"], "t"),
                  ("Mul", ["t", "half"], "y")],
    "half first": [("Mul", ["half", "x"], "h"), ("Mul", ["x", "root"], "d"), ("Erf", ["d"], "e"), ("Add", ["one", "e"], "a"),
                   ("Mul", ["h", "a"], "y")],
}  # fmt: skip


@pytest.mark.parametrize("name", GELUS)
def test_a_gelu_that_is_written_out_is_one_function(name):
    x = weight(4, 5)
    source = model(x.shape, [(*node, {}) for node in GELUS[name]], NUMBERS)
    assert [node.op for node in fused(prepared(source)[0])] == ["Gelu"]
    got, want, rounds = both(source, x)
    np.testing.assert_allclose(got, want, atol=2**-13)
    assert rounds == 4


@pytest.mark.parametrize("number", ["two", "half", "one"])
def test_what_only_looks_like_a_gelu_is_left_alone(number):
    x = weight(4, 5)
    numbers = NUMBERS | {number: np.float32(0.8)}
    source = model(x.shape, [(*node, {}) for node in GELUS["half last"]], numbers)
    assert "Erf" in [node.op for node in fused(prepared(source)[0])]
    got, want, _ = both(source, x, "plaintext")
    np.testing.assert_allclose(got, want, atol=2**-12)


def test_independent_products_share_their_rounds():
    """Three branches of squares: each truncates and opens what the others do, at the same time."""
    x = weight(4, 4)
    branches = [("MatMul", ["x", f"w{k}"], f"a{k}", {}) for k in range(3)]
    seconds = [("MatMul", [f"a{k}", f"a{k}"], f"b{k}", {}) for k in range(3)]
    sums = [("Sum", ["b0", "b1", "b2"], "y", {})]
    weights = {f"w{k}": weight(4, 4) for k in range(3)}
    got, want, rounds = both(model(x.shape, branches + seconds + sums, weights), x)
    np.testing.assert_allclose(got, want, atol=2**-9)
    assert rounds == 3  # inputs and weights; truncations; their openings


def test_the_same_function_of_several_tensors_runs_once():
    """Two towers of two layers, of different widths, cost the rounds of one; another function beside them costs its own."""
    x = weight(4, 4)
    layers = [("MatMul", ["x", "w"], "a", {}), ("Relu", ["a"], "r", {}), ("MatMul", ["r", "v"], "y", {})]
    towers = [("MatMul", ["x", f"w{k}"], f"a{k}", {}) for k in range(2)] + [("Relu", [f"a{k}"], f"r{k}", {}) for k in range(2)]
    towers += [("MatMul", [f"r{k}", f"v{k}"], f"b{k}", {}) for k in range(2)] + [("Add", ["b0", "b1"], "y", {})]
    other = [("Sigmoid", *rest) if rest[1] == "r1" else (op, *rest) for op, *rest in towers]
    leaky = [("LeakyRelu", i, r, {"alpha": 0.1 * len(r)}) if op == "Relu" else (op, i, r, a) for op, i, r, a in towers]
    leaky = [(op, i, r, {"alpha": 0.5}) if r == "r1" else (op, i, r, a) for op, i, r, a in leaky]
    weights = {"w": weight(4, 5), "v": weight(5, 3)}
    weights |= {"w0": weight(4, 5), "v0": weight(5, 3), "w1": weight(4, 7), "v1": weight(7, 3)}
    rounds = []
    for nodes in (layers, towers, other, leaky):
        got, want, count = both(model(x.shape, nodes, weights), x)
        np.testing.assert_allclose(got, want, atol=2**-9)
        rounds.append(count)
    assert rounds[0] == rounds[1] < min(rounds[2:])


@pytest.mark.parametrize("op", ["Slice", "Split", "Gather"])
def test_parts_of_a_product_are_truncated_as_a_whole(op):
    """Each part is scaled by a public number, for which it must be truncated."""
    x = weight(4, 6)
    nodes = [("MatMul", ["x", "w"], "a", {})]
    if op == "Split":
        nodes += [("Split", ["a", "sizes"], "p0", {"axis": 1})]
    elif op == "Slice":
        nodes += [("Slice", ["a", f"s{k}", f"s{k + 1}", "axis"], f"p{k}", {}) for k in range(3)]
    else:
        nodes += [("Gather", ["a", f"g{k}"], f"p{k}", {"axis": 1}) for k in range(3)]
    nodes += [("Mul", [f"p{k}", f"c{k}"], f"t{k}", {}) for k in range(3)] + [("Sum", ["t0", "t1", "t2"], "y", {})]
    weights = {"w": weight(6, 6), "axis": np.array([1]), "sizes": np.array([2, 2, 2])}
    weights |= {f"s{k}": np.array([2 * k]) for k in range(4)} | {f"g{k}": np.array([2 * k, 2 * k + 1]) for k in range(3)}
    weights |= {f"c{k}": np.float32(0.3) for k in range(3)}
    source = model(x.shape, nodes, weights)
    for node in source.graph.node:
        if node.op_type == "Split":
            node.output.extend(["p1", "p2"])
    got, want, rounds = both(source, x)
    np.testing.assert_allclose(got, want, atol=2**-9)
    assert rounds == 2


def test_weights_are_opened_in_the_round_of_what_they_multiply():
    x = weight(4, 6)
    nodes = [("MatMul", ["x", "w"], "a", {}), ("Mul", ["a", "v"], "y", {})]
    got, want, rounds = both(model(x.shape, nodes, {"w": weight(6, 6), "v": weight(6)}), x)
    np.testing.assert_allclose(got, want, atol=2**-10)
    assert rounds == 2  # inputs and weights; the truncation of the first product
    nodes = [("Sigmoid", ["x"], "s", {}), ("MatMul", ["s", "w"], "y", {})]
    got, want, rounds = both(model(x.shape, nodes, {"w": weight(6, 6)}), x)
    assert rounds == both(model(x.shape, [*nodes[:1], ("Identity", ["s"], "y", {})], {}), x)[2] + 1


def test_a_model_is_called_again_without_opening_its_weights():
    source = model((None, 3), [("MatMul", ["x", "w"], "y", {})], {"w": weight(3, 50)})

    def program(party):
        loaded = mpc.onnx.load(party, source if party.index == 0 else None, owner=0)
        sent = []
        for _ in range(2):
            secret = party.constant(np.ones((1, 3)))
            with party.measure() as cost:
                loaded(secret)
            sent.append((cost.rounds, cost.bytes_sent))
        return sent

    assert mpc.simulate(program)[0] == [(1, 8 * (3 + 150)), (1, 8 * 3)]


def test_products_of_integers_are_left_to_themselves():
    x = weight(2, 3)
    nodes = [("Cast", ["x"], "n", {"to": TensorProto.INT64}), ("MatMul", ["n", "n2"], "a", {}), ("Cast", ["a"], "y", {"to": 1})]
    nodes.insert(1, ("Transpose", ["n"], "n2", {}))
    got, want, _ = both(model(x.shape, nodes, {}), 3 * x)
    np.testing.assert_array_equal(got, want)
