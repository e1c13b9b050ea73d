"""Modules: a network's description without a party, and with one its parameters."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Self

import numpy as np

from mpc.errors import ShapeError, UsageError
from mpc.nn.recording import layer
from mpc.nn.rules.rule import Lazy
from mpc.nn.tape import Variable
from mpc.party import JointRandom
from mpc.session import Party
from mpc.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int, ...]
Initial = Callable[[Shape, JointRandom], Array]

_LAZY = "this module has no parameters yet: `net.to(party)` returns the network that has them"


class Parameter(Variable):
    """A variable that an optimiser changes. Described by its shape and first values, which `Module.to` draws.

    First values are public (drawn jointly by the parties), as the architecture is; after the first step they are secret.
    """

    __slots__ = ("initial", "requires_grad")

    def __init__(self, shape: Shape, initial: Initial):
        super().__init__(Lazy(tuple(shape), self._missing))
        self.initial = initial
        self.requires_grad = True

    @staticmethod
    def _missing() -> Tensor:
        raise UsageError(_LAZY)

    @property
    def wanted(self) -> bool:
        return self.requires_grad

    @property
    def ready(self) -> bool:
        """Whether it has values."""
        return isinstance(self.value, Tensor)

    def set(self, value: Tensor) -> None:
        """A new value, of the same shape."""
        if value.shape != self.shape:
            raise ShapeError(f"a value of shape {value.shape} for a parameter of shape {self.shape}")
        self.value = value

    def make(self, party: Party) -> None:
        self.set(party.constant(np.broadcast_to(self.initial(self.shape, party.random), self.shape).astype(float)))

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        twin = type(self)(self.shape, self.initial)
        twin.value, twin.requires_grad = self.value, self.requires_grad
        return twin

    def __reduce__(self) -> Any:
        """A description travels with a program; values stay at their party."""
        return super().__reduce__() if self.ready else (type(self), (self.shape, self.initial))


class Buffer(Parameter):
    """State that no gradient changes, as running means: `set` does."""

    __slots__ = ()

    def __init__(self, shape: Shape, initial: Initial):
        super().__init__(shape, initial)
        self.requires_grad = False


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

    def to(self, party: Party) -> Self:
        """A copy whose parameters have their first values. Cost: none; with 3 parties or more 1 round of 32 bytes."""
        twin = copy.deepcopy(self)
        for path, module in twin.named_modules():
            module._party = party
            module._scope = f"{path.rpartition('.')[2]} {type(module).__name__}".strip()
        for _, parameter in twin._named(Parameter):
            if not parameter.ready:
                parameter.make(party)
        return twin

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

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module, and all within it, by their paths of names."""
        yield prefix, self
        for name, child in self.named_children():
            yield from child.named_modules(f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator[Module]:
        return (module for _, module in self.named_modules())

    def _named(self, kind: type[Parameter]) -> Iterator[tuple[str, Parameter]]:
        seen: set[int] = set()
        for path, module in self.named_modules():
            for name, value in vars(module).items():
                if isinstance(value, kind) and id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}" if path else name, value

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        return ((name, p) for name, p in self._named(Parameter) if not isinstance(p, Buffer))

    def parameters(self) -> Iterator[Parameter]:
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        return ((name, b) for name, b in self._named(Buffer) if isinstance(b, Buffer))

    # ------------------------------------------------------------------ state

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and buffers by name: secret tensors. `mpc.nn.save` writes them, `mpc.nn.reveal` shows them."""
        return {name: parameter.tensor for name, parameter in self._named(Parameter)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Values for all parameters and buffers: secret tensors, or public arrays. ShapeError, which names what does not fit."""
        own = dict(self._named(Parameter))
        unexpected, missing = sorted(state.keys() - own.keys()), sorted(own.keys() - state.keys())
        if unexpected or missing:
            raise ShapeError(f"load_state_dict: missing {missing or 'nothing'}, unexpected {unexpected or 'nothing'}")
        for name, value in state.items():
            if tuple(np.shape(value)) != own[name].shape:
                raise ShapeError(f"load_state_dict: '{name}' has shape {np.shape(value)} in place of {own[name].shape}")
        for name, value in state.items():
            own[name].set(value if isinstance(value, Tensor) else self.party.constant(np.asarray(value, float)))

    @property
    def party(self) -> Party:
        if self._party is None:
            raise UsageError(_LAZY)
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


class Sequential(Module):
    """Modules one after the other: `Sequential(Linear(4, 8), ReLU(), Linear(8, 2))`.

    An activation that never falls, as ReLU, and a max pool after it are computed in the other order: the result and its
    gradient are the same, and there is less to activate.
    """

    def __init__(self, *modules: Module):
        for number, module in enumerate(modules):
            setattr(self, str(number), module)

    def forward(self, x: Any) -> Any:
        modules = list(self.children())
        for k in range(1, len(modules)):
            if modules[k].chooses_largest and modules[k - 1].monotone:
                modules[k - 1 : k + 1] = modules[k], modules[k - 1]
        for module in modules:
            x = module(x)
        return x

    def __len__(self) -> int:
        return len(list(self.children()))

    def __getitem__(self, key: int | slice) -> Any:
        chosen = list(self.children())[key]
        return Sequential(*chosen) if isinstance(chosen, list) else chosen

    def __iter__(self) -> Iterator[Module]:
        return self.children()


class ModuleList(Sequential):
    """A list of modules, which `forward` of the module that holds it uses."""

    def __init__(self, modules: Sequence[Module] = ()):
        super().__init__(*modules)

    def forward(self, x: Any) -> Any:
        raise UsageError("a ModuleList is not called; call the modules in it")
