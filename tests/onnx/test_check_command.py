"""mpc onnx check MODEL."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper, numpy_helper

from mpc.cli.main import main
from mpc.cli.onnx import LINKS, online, with_dealing
from mpc.party import Cost

FOLDER = Path(__file__).parent / "models"


def check(*arguments):
    ended = CliRunner().invoke(main, ["onnx", "check", *map(str, arguments)])
    return ended.exit_code, ended.output


@pytest.fixture
def unsupported(tmp_path):
    nodes = [helper.make_node("Relu", ["x"], ["r"], name="first"), helper.make_node("Det", ["r"], ["y"], name="second")]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ("n", "n"))
    graph = helper.make_graph(nodes, "g", [x], [helper.make_tensor_value_info("y", TensorProto.FLOAT, ())])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    (tmp_path / "det.onnx").write_bytes(model.SerializeToString())
    return tmp_path / "det.onnx"


@pytest.fixture
def open_sizes(tmp_path):
    node = helper.make_node("MatMul", ["x", "w"], ["y"], name="fc")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ("batch", "length", 4))
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ("batch", "length", 3))
    graph = helper.make_graph([node], "g", [x], [y], [numpy_helper.from_array(np.ones((4, 3), np.float32), "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    (tmp_path / "open.onnx").write_bytes(model.SerializeToString())
    return tmp_path / "open.onnx"


def test_a_model_is_described_with_its_costs_on_both_links():
    code, text = check(FOLDER / "mlp-torchscript.onnx", "--batch", "3")
    assert code == 0, text
    assert "Gemm" in text and "supported" in text and "not supported" not in text
    assert "6 secret weights with 5018 numbers" in text and "x (3, 64)" in text
    rows = {(parts[0], parts[2]): parts[3] for line in text.splitlines() if (parts := line.split())[1:2] == ["call"]}
    assert rows[("first", "lan")] == "11" and rows[("later", "lan")] == "10"
    assert int(rows[("first", "wan")]) < 11, "it saves rounds there"
    assert "0.15 ms one way, 3000 Mbit/s" in text and "40 ms one way, 352 Mbit/s" in text


def test_what_is_not_supported_is_named_and_fails(unsupported):
    code, text = check(unsupported)
    assert code == 1
    assert "not supported" in text and "node 'second' (Det)" in text and "rounds" not in text


def test_sizes_that_the_file_leaves_open_must_be_given(open_sizes):
    code, text = check(open_sizes)
    assert code == 1 and "input 'x' open: (batch, length, 4)" in text and "--shape x=" in text
    code, text = check(open_sizes, "--shape", "x=2,5,4")
    assert code == 0 and "x (2, 5, 4)" in text


@pytest.mark.parametrize(
    ("shape", "words"), [("x", "as in --shape"), ("z=1", "no input z; it has x"), ("x=1,2,5", "not (1, 2, 5)")]
)
def test_shapes_that_cannot_be_are_refused(shape, words, open_sizes):
    code, text = check(open_sizes, "--shape", shape)
    assert code == 1 and words in text


def test_the_time_is_computing_and_the_latency_once_a_round_and_the_bytes():
    cost = Cost(rounds=10, bytes_sent=1_000_000, offline_bytes=250_000, seconds=0.5)
    assert online(LINKS["wan"], cost) == pytest.approx(0.5 + 10 * 0.04 + 1 / 44)
    assert with_dealing(LINKS["wan"], cost) == pytest.approx(0.5 + 10 * 0.04 + 1.25 / 44)
    assert with_dealing(LINKS["lan"], cost) == pytest.approx(0.5 + 10 * 0.00015 + 1.25 / 375)
