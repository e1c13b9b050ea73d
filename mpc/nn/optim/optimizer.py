"""What optimisers have in common."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, NoReturn

import numpy as np

from mpc.errors import MissingError, OptionError, StateError, UsageError
from mpc.nn.module import Module, Parameter
from mpc.nn.tape import Variable
from mpc.tensor import Tensor
from mpc.tensor.joining import concatenate


class Optimizer:
    """Changes parameters by their gradients: `zero_grad()`, `loss.backward()`, `step()`.

    `lr` may be changed between steps, as schedules do.
    """

    def __init__(self, params: Iterable[Parameter], lr: float):
        self.params = _parameters(params)
        self.lr = not_negative("lr", lr)

    @property
    def param_groups(self) -> NoReturn:
        raise MissingError("param_groups: an optimiser has one group of parameters, and one learning rate: optimizer.lr")

    def state_dict(self) -> dict[str, Any]:
        """lr, and what was kept of each parameter so far, by its place: secret tensors and numbers of steps.

        For `party.checkpoint`, and for `load_state_dict` of an optimiser that was made alike.
        """
        kept = ((str(k), self._kept(p)) for k, p in enumerate(self.params))
        return {"kind": type(self).__name__, "lr": self.lr, "kept": {k: state for k, state in kept if state is not None}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """What `state_dict` gave. StateError where that is of another kind of optimiser, or of other parameters."""
        if not isinstance(state, Mapping) or state.get("kind") != type(self).__name__:
            raise StateError(f"load_state_dict: this is no state of {type(self).__name__}")
        kept = {int(k): parts for k, parts in state["kept"].items()}
        for k, parts in kept.items():
            shapes = {v.shape for v in parts.values() if isinstance(v, Tensor)}
            if k >= len(self.params) or shapes != {self.params[k].shape}:
                raise StateError(f"load_state_dict: the state is of other parameters: number {k} does not fit, or is not there")
        self.lr = not_negative("lr", state["lr"])
        for k, p in enumerate(self.params):
            self._keep(p, kept.get(k))

    def _kept(self, parameter: Parameter) -> dict[str, Any] | None:
        """What is kept of a parameter between steps, if anything is."""
        return None

    def _keep(self, parameter: Parameter, kept: dict[str, Any] | None) -> None:
        """The inverse of `_kept`."""

    def zero_grad(self) -> None:
        for parameter in self.params:
            parameter.grad = None

    def step(self) -> None:
        """Change those parameters that have a gradient, all of them in the same rounds."""
        not_negative("lr", self.lr)
        chosen = [parameter for parameter in self.params if parameter.grad is not None and parameter.requires_grad]
        if not chosen:
            raise UsageError("step: no parameter has a gradient; call loss.backward() first")
        with self._scope(chosen[0]):
            self._update(chosen)

    def _scope(self, parameter: Parameter) -> Any:
        return parameter.tensor.context.protocol.endpoint.scope("step")

    def _update(self, params: Sequence[Parameter]) -> None:
        raise NotImplementedError


def not_negative(name: str, value: Any) -> float:
    """The value of a public option, a finite number from 0 on."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise UsageError(f"{name} must be a number, not {type(value).__name__}")
    number = float(value)
    if not 0 <= number < math.inf:
        raise OptionError(f"{name} must be 0 or more, and finite, not {value}")
    return number


def _parameters(params: Any) -> list[Parameter]:
    """What an optimiser changes, each once."""
    if isinstance(params, Module):
        raise UsageError("an optimiser takes net.parameters(), not the network itself")
    if isinstance(params, Variable | Tensor) or not isinstance(params, Iterable):
        raise UsageError(
            f"an optimiser takes a list of parameters, not {type(params).__name__}: net.parameters(), or [parameter]"
        )
    several = list(params)
    if not several:
        raise UsageError("an optimiser without parameters: pass net.parameters(), of a network that net.to(party) returned")
    for p in several:
        if isinstance(p, Mapping):
            raise UsageError("there are no groups of parameters: make one optimiser for each, with its own learning rate")
        if not isinstance(p, Parameter):
            raise UsageError(f"an optimiser changes parameters, nn.Parameter, not {type(p).__name__}; pass net.parameters()")
        if not p.ready:
            raise UsageError(
                "an optimiser of parameters that have no values: it was made before net.to(party), which returns a copy "
                "with values: write model = net.to(party), and pass model.parameters()"
            )
    return list({id(p): p for p in several}.values())


# ---------------------------------------------------------------------------------------- all parameters as one vector


def flat(tensors: Sequence[Tensor]) -> Tensor:
    """One after the other, as a vector. Local; they have one scale."""
    joined: Tensor = concatenate([t.reshape(-1) for t in tensors])
    return joined


def parted(vector: Tensor, models: Sequence[Any]) -> list[Tensor]:
    """The parts of a vector that `flat` made, in the models' shapes. Local."""
    ends = np.cumsum([model.size for model in models])
    return [vector[end - model.size : end].reshape(model.shape) for end, model in zip(ends, models, strict=True)]
