"""Parameters and buffers: the variables that a module keeps."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from mpc.errors import OptionError, ShapeError, UsageError
from mpc.nn.rules.rule import Lazy
from mpc.nn.tape import Variable
from mpc.party import JointRandom
from mpc.session import Party
from mpc.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int, ...]
Initial = Callable[[Shape, JointRandom], Array]

NO_PARAMETERS = "this module has no parameters yet: `net.to(party)` returns the network that has them"
_IN_PLACE = (
    "a parameter does not change in place: p.set(tensor) gives it a new value, as in p.set(p.tensor - 0.1 * p.grad); "
    "optimisers do so"
)


class Parameter(Variable):
    """A variable that an optimiser changes. Described by its first values, which it has from `Module.to` on.

    `Parameter(array)`, or `Parameter(shape, initial)` with an array or a function of mpc.nn.init. First values are public (drawn
    jointly by the parties), as the architecture is; after the first step they are secret.
    """

    __slots__ = ("initial", "requires_grad")

    def __init__(self, shape: Any, initial: Initial | Any = None):
        if initial is None:
            shape, initial = _values(shape).shape, _values(shape)
        elif not callable(initial):
            initial = _values(initial)
        super().__init__(Lazy(_lengths(shape), self._missing))
        if not callable(initial) and initial.shape not in ((), self.shape):
            raise ShapeError(f"Parameter: first values of shape {initial.shape} for the shape {self.shape}")
        self.initial = initial
        self.requires_grad = True

    @staticmethod
    def _missing() -> Tensor:
        raise UsageError(NO_PARAMETERS)

    @property
    def wanted(self) -> bool:
        return self.requires_grad

    @property
    def ready(self) -> bool:
        """Whether it has values."""
        return isinstance(self.value, Tensor)

    def set(self, value: Tensor | Variable) -> None:
        """A new value, of the same shape: a tensor. Of a variable, the value without its history."""
        value = value.tensor if isinstance(value, Variable) else value
        if not isinstance(value, Tensor):
            raise UsageError(f"set: a tensor is expected, not {type(value).__name__}; party.constant(array) makes one")
        if value.shape != self.shape:
            raise ShapeError(f"a value of shape {value.shape} for a parameter of shape {self.shape}")
        self.value = value if value.kind == "float" else value.astype(float)

    def make(self, party: Party) -> None:
        values = self.initial(self.shape, party.random) if callable(self.initial) else self.initial
        self.set(party.constant(np.broadcast_to(values, self.shape).astype(float)))

    def _refuse(self, other: Any) -> NoReturn:
        raise UsageError(_IN_PLACE)

    __iadd__ = __isub__ = __imul__ = __itruediv__ = __imatmul__ = __ipow__ = _refuse

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

    def __init__(self, shape: Any, initial: Initial | Any = None):
        super().__init__(shape, initial)
        self.requires_grad = False


def whole(name: str, value: Any, least: int = 0) -> int:
    """A whole number among a layer's arguments."""
    try:
        number = operator.index(value)
    except TypeError:
        raise UsageError(f"{name}={value!r} must be a whole number") from None
    if number < least:
        raise OptionError(f"{name}={number} must be {least} or more")
    return number


def _lengths(shape: Any) -> Shape:
    lengths = shape if isinstance(shape, tuple | list) else (shape,)
    return tuple(whole(f"Parameter: shape {shape}, a length", length) for length in lengths)


def _values(array: Any) -> Array:
    """Public first values."""
    if isinstance(array, Tensor | Variable):
        raise UsageError(
            "Parameter: first values are public arrays; a secret tensor becomes its value by p.set(tensor), after `to`"
        )
    if not hasattr(array, "__array__"):
        raise UsageError(
            f"Parameter({array!r}): write Parameter(shape, initial), as Parameter((4,), nn.init.zeros), or Parameter(array)"
        )
    values = np.asarray(array)
    if values.dtype.kind not in "fiub":
        raise UsageError(f"Parameter: first values must be numbers, not {values.dtype}")
    return values.astype(float)
