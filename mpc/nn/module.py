"""Modules: a network's description without a party, and with one its parameters."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from mpc.errors import MissingError, ShapeError, UsageError
from mpc.nn.parameter import NO_PARAMETERS, Buffer, Parameter
from mpc.nn.recording import layer
from mpc.nn.tape import Variable
from mpc.session import Party
from mpc.tensor import Tensor

__all__ = ["Buffer", "Module", "Parameter"]


class Keys(NamedTuple):
    """What load_state_dict did not find in the state, and what it found no place for."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """The base of layers and networks: attributes that are parameters, or modules themselves, belong to it.

    A subclass describes its parts in `__init__`, without a party, and computes in `forward`. `net.to(party)` returns a copy
    with parameters; the description itself can be used by all parties.
    """

    training = True
    monotone = False  # an elementwise function that never falls
    chooses_largest = False  # of several elements, each time
    _party: Party | None = None
    _scope = ""  # what its costs are counted under

    def forward(self, *inputs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        name = self._scope or type(self).__name__
        with layer(name), nullcontext() if self._party is None else self._party.scope(name):
            return self.forward(*inputs, **options)

    if not TYPE_CHECKING:  # else a type checker would take any name

        def __getattr__(self, name: str) -> Any:
            if name in ("cpu", "cuda", "double", "float", "half"):
                raise MissingError(f"{name}: a network has no device and no dtype of its own: leave it out")
            return object.__getattribute__(self, name)  # which raises again what a property raised

    def __setattr__(self, name: str, value: Any) -> None:
        old = vars(self).get(name)
        if isinstance(old, Parameter) and not isinstance(value, Parameter | None):
            raise UsageError(
                f"{type(self).__name__}.{name} is a parameter, which {type(value).__name__} cannot replace; a new value "
                f"is given to it by `.{name}.set(tensor)`, as in m.{name}.set(m.{name}.tensor * 0.5)"
            )
        if isinstance(old, Module) and not isinstance(value, Module | None):
            raise UsageError(f"{type(self).__name__}.{name} is a module, which {type(value).__name__} cannot replace")
        super().__setattr__(name, value)

    def to(self, party: Party) -> Self:
        """A copy whose parameters have their first values. Cost: none; with 3 parties or more 1 round of 32 bytes."""
        if not isinstance(party, Party):
            raise UsageError(
                f"to: a party is expected, not {party!r}: a network belongs to the parties; there are no devices or dtypes"
            )
        twin = copy.deepcopy(self)
        for path, module in twin.named_modules():
            module._refuse_hidden_parts(path)
            module._party = party
            module._scope = f"{path.rpartition('.')[2]} {type(module).__name__}".strip()
        for _, parameter in twin._named():
            if not parameter.ready:
                parameter.make(party)
        return twin

    def _refuse_hidden_parts(self, path: str) -> None:
        """What is in a plain list, tuple or dict does not belong to a module: it would not be trained, nor saved."""
        for name, value in vars(self).items():
            inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple | set) else ()
            where = f"{path or type(self).__name__}.{name} is a {type(value).__name__}"
            if any(isinstance(part, Module) for part in inside):
                kind = "ModuleDict" if isinstance(value, dict) else "ModuleList"
                raise UsageError(f"{where} of modules, which do not belong to the network so; use nn.{kind}")
            if any(isinstance(part, Parameter) for part in inside):
                raise UsageError(f"{where} of parameters, which do not belong to the network so; make each an attribute")

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        twin = self.__class__.__new__(self.__class__)
        memo[id(self)] = twin
        for name, value in vars(self).items():
            setattr(twin, name, value if name == "_party" else copy.deepcopy(value, memo))
        return twin

    # ------------------------------------------------------------------ parts

    def named_children(self) -> Iterator[tuple[str, Module]]:
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value

    def children(self) -> Iterator[Module]:
        return (module for _, module in self.named_children())

    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """This module, and all within it, by their paths of names: each once, or by every path that leads to it."""
        seen: set[int] = set()
        for path, module in self._paths(prefix):
            if not remove_duplicate or id(module) not in seen:
                seen.add(id(module))
                yield path, module

    def _paths(self, prefix: str) -> Iterator[tuple[str, Module]]:
        yield prefix, self
        for name, child in self.named_children():
            yield from child._paths(f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator[Module]:
        return (module for _, module in self.named_modules())

    def apply(self, function: Callable[[Module], Any]) -> Self:
        """Call the function with every module, the innermost first."""
        for module in reversed(list(self.modules())):
            function(module)
        return self

    def _named(self, remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """Parameters and buffers: each once, or, where weights are tied, by every name."""
        seen: set[int] = set()
        for path, module in self.named_modules(remove_duplicate=remove_duplicate):
            for name, value in vars(module).items():
                if isinstance(value, Parameter) and not (remove_duplicate and id(value) in seen):
                    seen.add(id(value))
                    yield f"{path}.{name}" if path else name, value

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        return ((name, p) for name, p in self._named() if not isinstance(p, Buffer))

    def parameters(self) -> Iterator[Parameter]:
        """Each once, also where it has several names: for optimisers."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        return ((name, b) for name, b in self._named() if isinstance(b, Buffer))

    def register_buffer(self, name: str, array: Any) -> None:
        """The same as `self.name = Buffer(array)`."""
        setattr(self, name, Buffer(array))

    # ------------------------------------------------------------------ state

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and buffers by name: secret tensors. `mpc.nn.save` writes them, `mpc.nn.reveal` shows them.

        A parameter that has several names (tied weights) is there by each of them, as in PyTorch.
        """
        return {name: parameter.tensor for name, parameter in self._named(remove_duplicate=False)}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> Keys:
        """Values for all parameters and buffers: secret tensors, or public arrays. ShapeError, which names what does not fit.

        strict=False: only for those whose names are in both. Returns the names that are not.
        """
        party, own = self.party, dict(self._named(remove_duplicate=False))
        if not isinstance(state, Mapping):
            raise UsageError(
                f"load_state_dict: a dict by name is expected, not {type(state).__name__}; nn.load(party, path) reads one, and "
                "nn.from_numpy(party, state, owner) makes one of a party's arrays"
            )
        keys = Keys([name for name in own if name not in state], [name for name in state if name not in own])
        if strict and (keys.missing_keys or keys.unexpected_keys):
            missing, unexpected = (sorted(map(str, names)) or "nothing" for names in keys)
            raise ShapeError(f"load_state_dict: missing {missing}, unexpected {unexpected}")
        chosen = {name: value for name, value in state.items() if name in own}
        for name, value in chosen.items():
            if tuple(np.shape(value)) != own[name].shape:
                raise ShapeError(f"load_state_dict: '{name}' has shape {np.shape(value)} in place of {own[name].shape}")
        for name, value in chosen.items():
            own[name].set(value if isinstance(value, Tensor | Variable) else party.constant(_numbers(value)))
        return keys

    @property
    def party(self) -> Party:
        if self._party is None:
            raise UsageError(NO_PARAMETERS)
        return self._party

    # ------------------------------------------------------------------ modes

    def train(self, mode: bool = True) -> Self:
        """Whether dropout and batch statistics are as in training."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Whether gradients flow to the parameters."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def zero_grad(self) -> None:
        for parameter in self.parameters():
            parameter.grad = None

    # ------------------------------------------------------------------ how it looks

    def extra_repr(self) -> str:
        return ""

    def __repr__(self) -> str:
        children = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self.named_children()]
        inside = [self.extra_repr()] if self.extra_repr() else []
        if not children:
            return f"{type(self).__name__}({', '.join(inside)})"
        return "\n  ".join([f"{type(self).__name__}(", *inside, *children]) + "\n)"


def _numbers(value: Any) -> Any:
    array = np.asarray(value)
    return array.astype(float) if array.dtype.kind in "iub" else array
