"""Modules: descriptions, copies with parameters, and the order in which Sequential computes."""

import operator
from collections import OrderedDict
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
import torch

import mpc
from mpc import nn

X = np.random.default_rng(0).normal(size=(2, 3, 6, 6))


class Net(nn.Module):
    def __init__(self):
        self.first, self.second = nn.Linear(4, 3), nn.Linear(3, 2)
        self.scale = nn.Parameter((2,), nn.init.ones)
        self.tied = self.first.weight

    def forward(self, x):
        return self.second(np.tanh(self.first(x))) * self.scale


def test_a_description_stays_as_it_is_and_the_copy_has_parameters():
    net = Net()

    def program(party):
        model = net.to(party)
        shapes = {name: p.shape for name, p in model.named_parameters()}
        assert model.tied is model.first.weight
        assert model.to(party) is not model
        return shapes, model(party.input(np.ones((5, 4)) if party.index == 0 else None, owner=0)).shape

    shapes, shape = mpc.simulate(program, protocol="plaintext")[0]
    assert list(shapes) == ["scale", "tied", "first.bias", "second.weight", "second.bias"] and shape == (5, 2)
    with pytest.raises(mpc.Error, match=r"net\.to\(party\)` returns"):
        net.first.weight.reveal()
    assert repr(cloudpickle.loads(cloudpickle.dumps(net))) == repr(net)


@pytest.mark.parametrize("activation, pool", [("ReLU", "MaxPool2d"), ("Tanh", "AdaptiveMaxPool2d"), ("GELU", "MaxPool2d")])
def test_a_max_pool_after_an_activation_that_never_falls_goes_first(activation, pool):
    net = nn.Sequential(getattr(nn, activation)(), getattr(nn, pool)(2))

    def program(party):
        x = nn.Variable(party.input(X if party.index == 0 else None, owner=0))
        y = net.to(party)(x)
        np.sum(y).backward()
        return y.reveal(), x.grad.reveal(), list(party.stats.scopes)

    y, gradient, scopes = mpc.simulate(program, protocol="plaintext")[0]
    x = torch.tensor(X, requires_grad=True)
    theirs = torch.nn.Sequential(getattr(torch.nn, activation)(), getattr(torch.nn, pool)(2))(x)
    theirs.sum().backward()
    np.testing.assert_allclose(y, theirs.detach().numpy(), atol=1e-4)
    np.testing.assert_allclose(gradient, x.grad.numpy(), atol=1e-3)
    inside = [path for path in scopes if path.startswith("Sequential/")]
    assert ("1 " in inside[0]) is (activation != "GELU")


def test_tied_weights_have_all_their_names_in_a_state_and_are_one_parameter():
    net = nn.Sequential(Net(), nn.BatchNorm1d(2))

    def program(party):
        model = net.to(party)
        state = nn.reveal(model)
        again = net.to(party)
        assert again.load_state_dict(state) == ([], [])
        assert again[0].tied is again[0].first.weight
        assert (again[0].tied.reveal() == state["0.tied"]).all()
        some = {"1.bias": np.ones(2), "other": np.ones(1)}
        keys = again.load_state_dict(some, strict=False)
        assert keys.unexpected_keys == ["other"] and "0.tied" in keys.missing_keys and (again[1].bias.reveal() == 1).all()
        return list(state), len(list(model.parameters())), [name for name, _ in model.named_buffers()]

    names, parameters, buffers = mpc.simulate(program)[0]  # two names of one tensor are revealed at once
    assert {"0.tied", "0.first.weight"} <= set(names) and parameters == len(names) - 1 - 3
    assert buffers == ["1.running_mean", "1.running_var", "1.num_batches_tracked"]


def test_a_module_that_has_several_names():
    relu, linear = nn.ReLU(), nn.Linear(2, 2)
    mine = nn.Sequential(linear, relu, linear, relu)
    theirs = torch.nn.Sequential(*[torch.nn.Linear(2, 2), torch.nn.ReLU()] * 2)
    assert len(mine) == 4 and [name for name, _ in mine.named_modules()] == [name for name, _ in theirs.named_modules()]
    assert [name for name, _ in mine.named_parameters()] == [name for name, _ in theirs.named_parameters()]

    def program(party):
        model = mine.to(party)
        model.load_state_dict({name: p.detach().numpy() for name, p in theirs.state_dict().items()})
        return model(party.constant(np.eye(2))).reveal()

    expected = theirs(torch.eye(2)).detach().numpy()
    np.testing.assert_allclose(mpc.simulate(program, protocol="plaintext")[0], expected, atol=1e-3)


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(np.array([2.0, 3.0]))
        self.shift = nn.Parameter(2, np.array(0.5))
        self.register_buffer("mask", np.array([True, False]))
        self.parts = nn.ModuleDict({"first": nn.Identity()})
        self.parts["second"] = nn.ModuleList([nn.Identity()]).append(nn.Flatten())

    def forward(self, x):
        for part in self.parts["second"]:
            x = part(x)
        return self.parts["first"](x) * self.scale * self.mask + self.shift


def test_first_values_may_be_arrays_and_parts_in_lists_and_dicts():
    def program(party):
        model = cloudpickle.loads(cloudpickle.dumps(Own())).to(party)
        assert "second" in model.parts and [*model.parts] == ["first", "second"] and len(model.parts["second"][1:]) == 1
        visited = []
        assert model.apply(lambda module: visited.append(type(module).__name__)) is model and visited[-1] == "Own"
        return model(party.constant(np.ones((1, 2)))).reveal(), nn.reveal(model)["mask"]

    result, mask = mpc.simulate(program, protocol="plaintext")[0]
    np.testing.assert_array_equal(result, [[2.5, 0.5]])
    np.testing.assert_array_equal(mask, [1, 0])


def test_sequential_by_names():
    net = nn.Sequential(OrderedDict(body=nn.Linear(4, 2), head=nn.Tanh())).append(nn.Identity())
    assert [name for name, _ in net.named_children()] == ["body", "head", "2"]
    assert isinstance(net[:2], nn.Sequential) and isinstance(nn.ModuleList([nn.Tanh()])[:], nn.ModuleList)


def test_a_new_value_is_set():
    def program(party):
        model = nn.Linear(2, 1).to(party)
        model.weight.set(model.weight.tensor * 0 + 3)
        model.bias.set(model.bias - model.bias)
        model.bias.set(party.constant(np.array([1])))
        assert model.bias.dtype == float
        return model(party.constant(np.ones(2))).reveal()

    assert mpc.simulate(program, protocol="plaintext")[0] == 7


class Hidden(nn.Module):
    def __init__(self, layers):
        self.layers = layers


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda m, party: nn.Sequential([nn.ReLU()]), r"part '0' is a list.*Sequential\(\*modules\)"),
        (lambda m, party: nn.Sequential(nn.ReLU(), nn.ReLU), r"part '1' is the class nn.ReLU.*nn.ReLU\(\)"),
        (lambda m, party: nn.Sequential(np.tanh), "numpy.tanh, no module"),
        (lambda m, party: nn.Sequential(torch.nn.ReLU()), "torch.nn.modules.activation.ReLU, no module"),
        (lambda m, party: nn.Sequential({"forward": nn.ReLU()}), "no name"),
        (lambda m, party: nn.ModuleList([nn.ReLU]), "part '0'"),
        (lambda m, party: nn.ModuleList(nn.ReLU()), "a list of modules"),
        (lambda m, party: nn.ModuleDict({"a": nn.ReLU})(1), "part 'a'"),
        (lambda m, party: setattr(m, "weight", m.weight * 0.5), r"weight.set\(m.weight.tensor"),
        (lambda m, party: setattr(m, "bias", np.zeros(2)), r"bias.set\(tensor\)"),
        (lambda m, party: setattr(Own(), "parts", [nn.ReLU()]), "cannot replace"),
        (lambda m, party: operator.iadd(m.weight, 1), "does not change in place"),
        (lambda m, party: operator.isub(m.weight, m.weight), "does not change in place"),
        (lambda m, party: operator.imul(m.weight, 2), "does not change in place"),
        (lambda m, party: operator.itruediv(m.weight, 2), "does not change in place"),
        (lambda m, party: m.weight.set(np.zeros((2, 2))), "party.constant"),
        (lambda m, party: m.to("cuda"), "no devices"),
        (lambda m, party: Hidden([nn.ReLU()]).to(party), "Hidden.layers is a list.*ModuleList"),
        (lambda m, party: nn.Sequential(Hidden({"a": nn.ReLU()})).to(party), "0.layers is a dict.*ModuleDict"),
        (lambda m, party: Hidden((nn.Parameter(np.ones(2)),)).to(party), "of parameters"),
        (lambda m, party: nn.Parameter((2,)), "initial"),
        (lambda m, party: nn.Parameter((2,), np.zeros(3)), "shape"),
        (lambda m, party: nn.Parameter((2.0,), nn.init.zeros), "whole number"),
        (lambda m, party: nn.Parameter(party.constant(np.ones(2))), "public"),
        (lambda m, party: nn.Parameter(np.array(["a"])), "numbers"),
        (lambda m, party: m.load_state_dict("model.shares"), r"nn.load\(party, path\)"),
        (lambda m, party: nn.Linear(2, 2).load_state_dict(m.state_dict()), r"net\.to\(party\)"),
        (lambda m, party: m.load_state_dict({"weight": np.zeros((2, 2)), "b": 1}), "missing.*bias.*unexpected.*'b'"),
        (lambda m, party: nn.SGD(nn.Linear(2, 2).parameters(), lr=0.1), r"before net\.to"),
        (lambda m, party: nn.SGD(m.weight, lr=0.1), "list of parameters"),
        (lambda m, party: nn.SGD(m, lr=0.1), r"net\.parameters\(\)"),
        (lambda m, party: nn.SGD([{"params": [m.weight]}], lr=0.1), "groups"),
        (lambda m, party: nn.SGD(m.named_parameters(), lr=0.1), "not tuple"),
        (lambda m, party: nn.SGD(m.parameters(), lr=np.inf), "finite"),
        (lambda m, party: nn.SGD(m.parameters(), lr="0.1"), "a number"),
        (lambda m, party: nn.SGD(m.parameters()).param_groups, "optimizer.lr"),
        (lambda m, party: nn.LambdaLR(nn.SGD(m.parameters()), lambda epoch: np.nan).optimizer.step(), "finite"),
        (lambda m, party: nn.LinearLR(nn.SGD(m.parameters()), total_iters=0), "total_iters"),
        (lambda m, party: nn.StepLR(m, 2), "optimiser"),
    ],
)
def test_errors(call, message):
    with pytest.raises(mpc.Error, match=message):
        mpc.simulate(lambda party: call(nn.Linear(2, 2).to(party), party), protocol="plaintext")


def test_an_optimiser_changes_a_parameter_once():
    def program(party):
        model = nn.Linear(1, 1, bias=False).to(party)
        model.weight.set(party.constant(np.ones((1, 1))))
        optimizer = nn.SGD([model.weight, model.weight], lr=0.5)
        np.sum(model(party.constant(np.ones((1, 1))))).backward()
        optimizer.step()
        return model.weight.reveal()

    assert mpc.simulate(program, protocol="plaintext")[0] == 0.5


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x: x.unsqueeze(0), "np.expand_dims"),
        (lambda x: x.view(-1), "reshape"),
        (lambda x: x.permute(1, 0), "np.transpose"),
        (lambda x: x.cuda(), "no devices"),
        (torch.relu, r"mpc\.functions\.relu\(x\)"),
        (torch.linalg.svd, "torch.*svd: .* look for it in np"),
    ],
)
def test_methods_of_pytorch_have_a_cure(call, message):
    for kind in (nn.Variable, lambda x: x):
        with pytest.raises(mpc.errors.MissingError, match=message):
            mpc.simulate(lambda party, kind=kind: call(kind(party.constant(np.ones((2, 3))))), protocol="plaintext")


@pytest.mark.parametrize("name", ["cuda", "half"])
def test_networks_have_no_devices(name):
    with pytest.raises(mpc.errors.MissingError, match=f"^{name}: a network has no device"):
        getattr(nn.Linear(2, 3), name)()
    assert not hasattr(nn.Linear(2, 3), "weights")


def test_the_error_of_a_property_is_its_own():
    class Misspelt(nn.Module):
        @property
        def out(self):
            return nn.Linear(2, 3).wieght

    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'wieght'"):
        _ = Misspelt().out


@pytest.mark.parametrize(
    "call, message", [(lambda x: x.mean(dim=0), "axis in place"), (lambda x: x.flatten(1), "functional.flatten")]
)
def test_axes_have_the_names_of_numpy(call, message):
    with pytest.raises(mpc.errors.UsageError, match=message):
        mpc.simulate(lambda party: call(nn.Variable(party.constant(np.ones((2, 3))))), protocol="plaintext")


def test_the_documentation_names_everything():
    text = (Path(__file__).parents[2] / "docs/nn.md").read_text()
    assert not [name for name in (*nn.__all__, "from_torch") if f"`{name}" not in text and f"nn.{name}" not in text]
