"""PyTorch modules in memory."""

import numpy as np
import pytest
import torch
from torch import nn

import mpc
import mpc.onnx


@pytest.fixture(scope="module")
def module():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Dropout(0.5), nn.ELU(), nn.Linear(5, 2))
    network(torch.randn(20, 6))  # statistics other than 0 and 1
    return network


def test_a_module_is_run_as_in_evaluation_and_for_any_batch(module):
    x = np.random.default_rng(0).normal(size=(4, 6))

    def program(party):
        model = mpc.onnx.from_torch(party, module if party.index == 1 else None, torch.zeros(1, 6), owner=1)
        return model(party.input(x if party.index == 0 else None, owner=0)).reveal(), len(model.weights)

    got, weights = mpc.simulate(program)[0]
    assert module.training, "it is as before"
    with torch.no_grad():
        want = module.eval()(torch.as_tensor(x, dtype=torch.float32)).numpy()
    module.train()
    np.testing.assert_allclose(got, want, atol=2**-12)
    assert weights == 4, "two weights and two biases: the normalisation is part of them"


def test_what_is_no_module_and_missing_examples_are_refused(module):
    for arguments, words in (((3, np.zeros((1, 6))), "torch.nn.Module, not int"), ((module, None), "example inputs")):
        with pytest.raises(mpc.Error, match=words):
            mpc.onnx.pytorch.export(*arguments)


def test_a_module_that_cannot_be_exported_says_so(module):
    with pytest.raises(mpc.errors.ModelError, match="cannot export Sequential"):
        mpc.onnx.pytorch.export(module, torch.zeros(1, 7))
