"""Modules that hold others: Sequential, ModuleList and ModuleDict."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Self

from mpc.errors import OptionError, UsageError
from mpc.nn.module import Module


def _checked(place: str, part: Any, cure: str) -> Module:
    """A part of a container, which must be a module."""
    if isinstance(part, Module):
        return part
    if isinstance(part, type) and issubclass(part, Module):
        raise UsageError(f"{place} is the class {_name(part)}, no module; write {_name(part)}()")
    if isinstance(part, list | tuple):
        raise UsageError(f"{place} is a {type(part).__name__}, no module; {cure}")
    raise UsageError(f"{place} is {_name(part)}, no module; write a layer, as nn.Tanh(), or a class of your own with `forward`")


def _name(part: Any) -> str:
    named = part if hasattr(part, "__name__") else type(part)
    room = getattr(named, "__module__", "")
    return f"{'nn' if room.startswith('mpc.nn') else room}.{named.__name__}"


class _Container(Module):
    def _add(self, name: Any, part: Any) -> None:
        container = type(self).__name__
        if not isinstance(name, str) or not name or "." in name or hasattr(type(self), name):
            raise OptionError(f"{container}: {name!r} is no name for a part: use a word without dots that no attribute has")
        setattr(self, name, _checked(f"{container}: part {name!r}", part, f"write {container}(*modules)"))

    def __len__(self) -> int:
        return len(list(self.children()))


class _Ordered(_Container):
    def append(self, module: Module) -> Self:
        """One more at the end: of a description, before `to`."""
        self._add(str(len(self)), module)
        return self

    def __getitem__(self, key: int | slice) -> Any:
        chosen = list(self.children())[key]
        if isinstance(chosen, Module):
            return chosen
        part = ModuleList(chosen) if isinstance(self, ModuleList) else Sequential(*chosen)
        part._party, part.training = self._party, self.training
        return part

    def __iter__(self) -> Iterator[Module]:
        return self.children()


class Sequential(_Ordered):
    """Modules one after the other: `Sequential(Linear(4, 8), ReLU(), Linear(8, 2))`, or one dict of modules by name.

    An activation that never falls, as ReLU, and a max pool after it are computed in the other order: the result and its
    gradient are the same, and there is less to activate.
    """

    def __init__(self, *modules: Any):
        named = modules[0] if len(modules) == 1 and isinstance(modules[0], Mapping) else None
        for name, module in named.items() if named is not None else enumerate(modules):
            self._add(str(name) if named is None else name, module)

    def forward(self, x: Any) -> Any:
        modules = list(self.children())
        for k in range(1, len(modules)):
            if modules[k].chooses_largest and modules[k - 1].monotone:
                modules[k - 1 : k + 1] = modules[k], modules[k - 1]
        for module in modules:
            x = module(x)
        return x


class ModuleList(_Ordered):
    """A list of modules, which `forward` of the module that holds it uses."""

    def __init__(self, modules: Iterable[Module] = ()):
        if isinstance(modules, Module) and not isinstance(modules, _Ordered):
            raise UsageError(
                f"ModuleList: a list of modules is expected, not one {type(modules).__name__}; write ModuleList([...])"
            )
        for module in modules:
            self.append(module)

    def forward(self, *inputs: Any) -> Any:
        raise UsageError("a ModuleList is not called; call the modules in it")


class ModuleDict(_Container):
    """Modules by name, which `forward` of the module that holds it uses."""

    def __init__(self, modules: Mapping[str, Module] | None = None):
        for name, module in (modules or {}).items():
            self._add(name, module)

    def forward(self, *inputs: Any) -> Any:
        raise UsageError("a ModuleDict is not called; call the modules in it")

    def __setitem__(self, name: str, module: Module) -> None:
        self._add(name, module)

    def __getitem__(self, name: str) -> Module:
        return dict(self.named_children())[name]

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def keys(self) -> KeysView[str]:
        return dict(self.named_children()).keys()

    def values(self) -> ValuesView[Module]:
        return dict(self.named_children()).values()

    def items(self) -> ItemsView[str, Module]:
        return dict(self.named_children()).items()
