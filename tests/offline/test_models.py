"""Networks that one party brings in: a dry run takes names and shapes from whoever has them."""

from dataclasses import fields

import numpy as np
import pytest

import mpc
from mpc import nn
from mpc.dry import dry_run
from mpc.errors import DryRunError
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.party import Cost

STATE = {"weight": np.arange(6.0).reshape(2, 3), "bias": np.zeros(2)}


def counted(stats):
    return [{f.name: getattr(each.total, f.name) for f in fields(Cost) if "seconds" not in f.name} for each in stats]


def linear(party, others=-1):
    net = nn.Linear(3, 2).to(party)
    net.load_state_dict(nn.from_numpy(party, STATE if party.index in (1, others) else None, owner=1))
    return net(party.input(np.ones((4, 3)) if party.index == 0 else None, owner=0, shape=(4, 3))).reveal()


def onnx_model(party, path):
    model = mpc.onnx.load(party, path if party.index in (1, -1) else None, owner=1)
    return model(party.input(np.ones((2, 3)) if party.index == 0 else None, owner=0, shape=(2, 3))).reveal()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    onnx = pytest.importorskip("onnx")
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [2, 3])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [2, 2])
    weights = [onnx.numpy_helper.from_array(STATE[name].astype(np.float32), name) for name in STATE]
    gemm = onnx.helper.make_node("Gemm", ["x", "weight", "bias"], ["z"], transB=1)
    relu = onnx.helper.make_node("Relu", ["z"], ["y"])
    graph = onnx.helper.make_graph([gemm, relu], "g", [x], [y], weights)
    place = tmp_path_factory.mktemp("model") / "m.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)]), place)
    return str(place)


def test_a_state_and_a_model(dealt, path):
    for program, args in [(linear, ()), (onnx_model, (path,))]:
        deal = dealt(program, *args, folder=program.__name__)
        assert counted(dry_run(deal.job).stats) == counted([stats for _, stats in simulate_job(deal.job)[:2]])
        for result in deal.run():
            np.testing.assert_allclose(result, np.ones((len(result), 3)) @ STATE["weight"].T, atol=1e-3)


def test_nobody_has_the_state():
    with pytest.raises(DryRunError, match=r"test_models\.py:\d+: .*party.index is -1 too"):
        dry_run(Job(linear, (None,)))
