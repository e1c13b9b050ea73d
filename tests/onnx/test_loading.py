"""Bad models, what becomes public, and what a hostile owner may send."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import mpc
import mpc.onnx
from mpc.errors import ModelError
from mpc.onnx import architecture, page
from mpc.onnx.loading import prepared
from mpc.onnx.preparing import as_secret

ROOT = Path(__file__).parents[2]
FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64


def info(name, *shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, weights=None, inputs=None, output=("batch", 3), opset=18, **options):
    """A model of input x (batch, 4) and output y."""
    tensors = [numpy_helper.from_array(np.asarray(v), name) for name, v in (weights or {}).items()]
    graph = helper.make_graph(nodes, "g", inputs or [info("x", "batch", 4)], [info("y", *output)], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10, **options)


def node(op, *inputs, name="", output="y", **attributes):
    return helper.make_node(op, inputs, [output], name=name, **attributes)


W = np.arange(12, dtype=np.float32).reshape(4, 3)
LINEAR = model([node("MatMul", "x", "w", name="fc")], {"w": W})


def load_and_call(source, *inputs, protocol="plaintext", **options):
    """The result of party 1's model for party 0's inputs."""

    def program(party):
        loaded = mpc.onnx.load(party, source if party.index == 1 else None, owner=1, **options)
        secrets = [party.input(v if party.index == 0 else None, owner=0) for v in inputs]
        result = loaded(*secrets)
        return result.reveal() if isinstance(result, mpc.Tensor) else result

    return mpc.simulate(program, protocol=protocol, timeout=20)[0]


X = np.ones((2, 4))


def test_three_parties_and_public_inputs():
    def program(party):
        loaded = mpc.onnx.load(party, LINEAR if party.index == 2 else None, owner=2)
        secret = party.input(X if party.index == 1 else None, owner=1)
        return repr(loaded), loaded(secret).reveal(to=0), loaded(X.astype(np.float32)).reveal()

    (text, first, public), (_, nothing, _), _ = mpc.simulate(program, parties=3)
    assert text == "Model(x -> y; 1 nodes)" and nothing is None
    for result in (first, public):
        np.testing.assert_allclose(result, X @ W, atol=2**-12)


# ---------------------------------------------------------------------------------------- errors


def refused(*words):
    return pytest.raises(ModelError, match="(?s)" + ".*".join(words))


def test_every_operator_that_is_not_supported_is_named_with_its_node_and_a_cure():
    bad = model(
        [
            node("NonZero", "x", name="which", output="i"),
            node("Atan", "x", name="angle", output="a"),
            node("MatMul", "a", "w", name="fc"),
        ],
        {"w": W},
    )
    with refused("2 of 3 nodes", "'which'.*NonZero", "select with Where", "'angle'.*Atan", "docs/onnx.md"):
        load_and_call(bad, X)


def test_an_operator_of_another_domain_is_named():
    fused = helper.make_node("FusedMatMul", ["x", "w"], ["y"], name="fast", domain="com.microsoft")
    bad = model([fused], {"w": W})
    bad.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    with refused("'fast'.*com.microsoft::FusedMatMul"):
        load_and_call(bad, X)


def test_an_unknown_operator_and_a_missing_weight_are_named():
    with refused("Nonsense"):
        load_and_call(model([node("Nonsense", "x", name="n")]), X)
    with refused("input 'w' of node", "fc"):
        load_and_call(model([node("MatMul", "x", "w", name="fc")]), X)


def test_nodes_whose_shapes_do_not_fit_are_named_before_anything_runs():
    bad = model([node("Relu", "x", name="r", output="z"), node("MatMul", "z", "w", name="fc")], {"w": W.T.copy()})
    seen = []

    def program(party):
        loaded = mpc.onnx.load(party, bad if party.index == 1 else None, owner=1)
        x = party.input(X if party.index == 0 else None, owner=0)
        with party.measure() as cost:
            try:
                loaded(x)
            except ModelError as error:
                seen.append((str(error), cost.rounds))

    mpc.simulate(program)
    assert len(seen) == 2 and all("fc" in text and "x' (2, 4)" in text and rounds == 0 for text, rounds in seen)


def test_an_input_of_another_shape_or_dtype_is_refused():
    for x, words in (
        (np.ones((2, 5)), "'x' has the shape .*'batch', 4.*not .2, 5.*dynamic"),
        (np.ones((2, 4), int), "takes float32"),
    ):
        with pytest.raises(mpc.Error, match=words):
            load_and_call(LINEAR, x)


def test_inputs_may_be_named_and_each_must_be_given_once():
    def program(party):
        loaded = mpc.onnx.load(party, LINEAR if party.index == 0 else None, owner=0)
        x = party.constant(X)
        errors = []
        for arguments, named in (((), {}), ((x,), {"x": x}), ((x,), {"y": x}), ((x, x), {})):
            with pytest.raises(mpc.Error) as caught:
                loaded(*arguments, **named)
            errors.append(str(caught.value))
        return errors, loaded(x=x).reveal()

    (missing, twice, unknown, many), result = mpc.simulate(program, protocol="plaintext")[0]
    assert "missing: x" in missing and "given twice: x" in twice and "unknown: y" in unknown and "not 2" in many
    np.testing.assert_allclose(result, X @ W)


def test_a_secret_where_an_operator_needs_a_public_value_is_named():
    bad = model([node("Cast", "x", name="c", to=INT, output="n"), node("Expand", "w", "n", name="grow")], {"w": W})
    with refused("'grow'.*Expand", "input 1, 'n', must be public"):
        load_and_call(bad, X)


def test_attributes_that_are_not_available_are_named():
    pool = model(
        [node("MaxPool", "x", name="deep", kernel_shape=[2, 2, 2])], inputs=[info("x", 1, 1, 4, 4, 4)], output=(1, 1, 3, 3, 3)
    )
    with refused("'deep'.*MaxPool", "3 axes"):
        load_and_call(pool, np.ones((1, 1, 4, 4, 4)))


def test_random_operators_are_refused_even_without_a_secret():
    bad = model([node("RandomNormal", name="noise", shape=[4, 3], output="w"), node("MatMul", "x", "w", name="fc")])
    with refused("'noise'.*RandomNormal", "different numbers"):
        load_and_call(bad, X)


def test_control_flow_on_a_secret_is_refused_and_on_a_constant_resolved():
    branches = {
        f"{name}_branch": helper.make_graph([node(op, "x", output=f"{name}_out")], name, [], [info(f"{name}_out", "batch", 4)])
        for name, op in (("then", "Neg"), ("else", "Abs"))
    }
    constant = model([node("If", "c", name="choice", **branches)], {"c": np.array(False)}, output=("batch", 4))
    np.testing.assert_allclose(load_and_call(constant, -2 * X), 2 * X)
    reduced = [node("ReduceMax", "x", output="m", keepdims=0), node("Greater", "m", "zero", output="c")]
    secret = model([*reduced, node("If", "c", name="choice", **branches)], {"zero": np.float32(0)}, output=("batch", 4))
    with refused("'choice'.*If", "control flow"):
        load_and_call(secret, X)


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE])
def test_floats_of_other_widths_are_floats(kind):
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    x, y = (helper.make_tensor_value_info(name, kind, shape) for name, shape in (("x", ("n", 4)), ("y", ("n", 3))))
    nodes = [node("MatMul", "x", "w", output="z"), node("Mul", "z", "half")]
    tensors = [numpy_helper.from_array(v.astype(dtype), name) for name, v in (("w", W), ("half", np.array(0.5)))]
    graph = helper.make_graph(nodes, "g", [x], [y], tensors)
    source = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    assert secrets_and_constants(source) == ({"w"}, {"half"})
    np.testing.assert_allclose(load_and_call(source, X), X @ W / 2)


def test_sparse_constants_are_refused():
    bad = model([node("MatMul", "x", "w", name="fc")])
    values, indices = (numpy_helper.from_array(np.array(v), "w" * n) for n, v in ((1, np.float32([1])), (2, [3])))
    bad.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4, 3]))
    with refused("'w' is sparse"):
        load_and_call(bad, X)


@pytest.mark.parametrize("opset", [10, onnx.defs.onnx_opset_version() + 1])
def test_opsets_that_are_too_old_or_too_new_are_refused(opset):
    old = model([node("MatMul", "x", "w", name="fc")], {"w": W}, opset=opset)
    with refused(f"opset {opset}|opset.*{opset}|version"):
        load_and_call(old, X)


def test_files_that_cannot_be_read_say_which(tmp_path):
    with refused("missing.onnx.*cannot be found"):
        load_and_call(tmp_path / "missing.onnx", X)
    (tmp_path / "text.onnx").write_text("no model")
    with refused("text.onnx.*cannot be read"):
        load_and_call(tmp_path / "text.onnx", X)
    copy = onnx.ModelProto.FromString(LINEAR.SerializeToString())  # saving takes the weights out
    onnx.save(copy, tmp_path / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0)
    np.testing.assert_allclose(load_and_call(tmp_path / "m.onnx", X), X @ W)
    (tmp_path / "m.data").unlink()
    with refused("m.onnx.*(external|cannot be found)"):
        load_and_call(tmp_path / "m.onnx", X)
    with pytest.raises(mpc.Error, match="path of an ONNX file"):
        load_and_call(3, X)


def test_a_value_out_of_range_names_its_node():
    big = model([node("Exp", "x", name="explode")], output=("batch", 4))
    with pytest.raises(mpc.Error, match="'explode'"):
        load_and_call(big, 40 * X)


# ---------------------------------------------------------------------------------------- what becomes public


def secrets_and_constants(source, **options):
    graph, _ = prepared(source, **options)
    return {value.name for value in graph.weights}, set(graph.constants)


WEIGHTS = {"w": W, "half": np.float32(0.5), "low": np.float32([0.0]), "shape": np.array([-1, 3]), "mask": np.ones((1, 3), bool)}
MIXED = model(
    [
        node("MatMul", "x", "w", output="a"),
        node("Mul", "a", "half", output="b"),
        node("Clip", "b", "low", output="c"),
        node("Reshape", "c", "shape", output="d"),
        node("Where", "mask", "d", "half"),
    ],
    WEIGHTS,
)  # fmt: skip


def test_weights_are_secret_and_numbers_shapes_and_masks_public():
    assert secrets_and_constants(MIXED) == ({"w"}, {"half", "low", "shape", "mask"})
    assert secrets_and_constants(MIXED, secret=["half"]) == ({"w", "half"}, {"low", "shape", "mask"})
    assert secrets_and_constants(MIXED, public=["w"])[0] == set()
    with refused("none called nothing"):
        prepared(MIXED, secret=["nothing"])


def test_constant_nodes_are_secret_but_for_single_numbers():
    def constant(name, value):
        return node("Constant", output=name, value=numpy_helper.from_array(np.float32(value)))

    nodes = [constant("w", W), constant("one", [0.5]), node("MatMul", "x", "w", output="z"), node("Mul", "z", "one")]
    source = model(nodes)
    assert secrets_and_constants(source) == ({"w"}, {"one"})
    assert secrets_and_constants(source, secret=["one"], public=["w"]) == ({"one"}, {"w"})
    np.testing.assert_allclose(load_and_call(source, X), X @ W / 2)


def test_a_secret_that_is_asked_for_where_it_must_be_public_is_refused():
    with refused("Clip", "'low', must be public"):
        load_and_call(MIXED, X, secret=["low"])


def test_what_comes_of_weights_alone_is_secret_and_computed_by_the_owner():
    transposed = model([node("Transpose", "w", output="t"), node("MatMul", "x", "t", name="fc")], {"w": W.T.copy()})
    graph, arrays = prepared(transposed)
    assert [n.op for n in graph.nodes] == ["MatMul"] and [v.name for v in graph.weights] == ["t"]
    np.testing.assert_array_equal(arrays[0], W)


def test_quantised_weights_are_secret():
    scale, zero = np.float32(0.5), np.int8(1)
    quantised = {"q": np.arange(12, dtype=np.int8).reshape(4, 3), "s": scale, "z": zero}
    graph, arrays = prepared(model([node("DequantizeLinear", "q", "s", "z", output="w"), node("MatMul", "x", "w")], quantised))
    assert [v.name for v in graph.weights] == ["w"] and not graph.constants
    bias = {"i": np.int32([1, 2, 3]), "s": scale}
    graph, _ = prepared(model([node("DequantizeLinear", "i", "s", output="b"), node("Add", "x", "b")], bias))
    assert [v.name for v in graph.weights] == ["b"] and not graph.constants
    np.testing.assert_allclose(arrays[0], (np.arange(12).reshape(4, 3) - 1) * 0.5)


def test_the_bytes_that_are_announced_hold_no_weight():
    weights = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    graph, _ = prepared(model([node("MatMul", "x", "w")], {"w": weights, "unused": weights}))
    sent = architecture.encoded(graph).tobytes()
    assert b"MatMul" in sent and not any(value.tobytes() in sent for value in weights.flat)


def test_infinities_in_a_mask_of_weights_count_as_the_largest_number():
    mask = np.array([0, -np.inf, 0, -3.4e38], np.float32)
    masked = model([node("Add", "x", "m", output="z"), node("Softmax", "z")], {"m": mask}, output=("batch", 4))
    np.testing.assert_allclose(load_and_call(masked, X), [[0.5, 0, 0.5, 0]] * 2, atol=2**-14)


# ---------------------------------------------------------------------------------------- what an owner may send


def received(array):
    return architecture.decoded(array, "party 0")


def test_an_architecture_that_is_no_model_is_refused():
    for array in (np.arange(99, dtype=np.uint8), np.zeros(4), np.zeros((2, 2), np.uint8), np.zeros(0, np.uint8)):
        with refused("party 0.*architecture"):
            received(array)


def test_an_architecture_that_names_a_file_is_refused(tmp_path):
    (tmp_path / "secret.txt").write_bytes(bytes(48))
    graph, _ = prepared(
        model(
            [node("MatMul", "x", "w")],
            {"w": W},
        ),
        public=["w"],
    )
    proto = graph.proto()
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=str(tmp_path / "secret.txt"))
    helper.set_model_props(proto, {"mpc.weights": "0"})
    with refused("'w' names a file"):
        received(np.frombuffer(proto.SerializeToString(), np.uint8))


def test_an_architecture_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(architecture, "MOST_BYTES", 100)
    with refused("large integer constants"):
        architecture.encoded(prepared(LINEAR)[0])
    with refused("at most 100 bytes"):
        received(np.zeros(101, np.uint8))


# ---------------------------------------------------------------------------------------- the package and its page


def test_the_page_is_up_to_date():
    text = (ROOT / "docs" / "onnx.md").read_text()
    if f"with onnx {onnx.__version__};" in text:  # of another version the lists differ
        assert text == page.page() + "\n"


def test_without_onnx_the_error_says_what_to_install():
    code = "import sys; sys.modules['onnx'] = None; import mpc.onnx"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 1 and "pip install 'mpc[onnx]'" in ended.stderr


def test_mpc_alone_does_not_import_onnx():
    code = "import sys, mpc; print(sorted(name for name in sys.modules if name.split('.')[0] in ('onnx', 'torch')))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert ast.literal_eval(ended.stdout) == []


def test_a_weight_beyond_the_range_is_refused_by_name():
    """Infinities are masks, and become the largest number; other numbers that large would be changed in silence."""
    with pytest.raises(mpc.errors.RangeError, match="'w'"):
        as_secret("w", np.array([1.0, 5e9]), 16)
    assert as_secret("w", np.array([1.0, -np.inf, np.finfo(np.float32).min]), 16).tolist() == [1.0, -(2.0**28), -(2.0**28)]
