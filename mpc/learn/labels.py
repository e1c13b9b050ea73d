"""Classes: which there are is public, who belongs to which is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc import functions
from mpc.errors import OptionError, RangeError, UsageError
from mpc.tensor import Tensor


@dataclass(frozen=True)
class Labels:
    """The classes, a public array in ascending order; and the operation that they are for, which errors name."""

    classes: Any
    operation: str

    @classmethod
    def of(cls, y: Any, classes: Any, operation: str) -> Labels:
        """Those that are named, or how many there are; else those of public labels, and False and True of secret booleans.

        Every label must be one of them. Of secret labels only a protocol that sees values can check it, as "plaintext".
        """
        if classes is None:
            if not isinstance(y, Tensor):
                classes = np.unique(y)
            elif y.dtype == np.bool_:
                classes = np.array([False, True])
            else:
                raise UsageError(
                    f"{operation}: which classes there are must be public for secret labels: give classes=2 for labels 0 and 1 "
                    "(3 for 0, 1 and 2, ...), or classes=[...] for others, or make labels boolean"
                )
        found = np.arange(classes) if isinstance(classes, int | np.integer) else np.unique(np.asarray(classes))
        if found.size < 2 or found.dtype.kind not in "iufb":
            raise OptionError(f"{operation}: classes={classes!r} must be two or more numbers, or how many there are")
        strange: Any = np.empty(0) if isinstance(y, Tensor) else np.setdiff1d(y, found)
        if strange.size:
            raise OptionError(f"{operation}: labels {strange[:9].tolist()} are not among the classes {found.tolist()}")
        return cls(found, operation)

    @property
    def counted(self) -> bool:
        """True for 0, 1, 2, ..."""
        return self.classes.dtype.kind in "iu" and bool(np.all(self.classes == np.arange(self.classes.size)))

    @property
    def count(self) -> int:
        return int(self.classes.size)

    def one_hot(self, y: Any) -> Any:
        """Integers 0 and 1 of shape (n, classes). 1 round for labels 0, 1, 2, ..., else 4."""
        if isinstance(y, Tensor) and y.dtype == np.int64 and self.counted:
            self._check(y, 0, self.count - 1)
            return functions.one_hot(y, self.count)
        found: Any = (y[:, None] == self.classes).astype(int)
        if isinstance(y, Tensor):
            self._check(np.sum(found, axis=1), 1, 1)
        return found

    def second(self, y: Any) -> Any:
        """Of two classes: integers of shape (n, 1), 1 for the second. As `one_hot`."""
        if y.dtype == np.int64 and self.counted:
            if isinstance(y, Tensor):
                self._check(y, 0, 1)
            return y[:, None]
        return self.one_hot(y)[:, 1:]

    def _check(self, t: Any, low: int, high: int) -> None:
        """RangeError where integers that follow from secret labels are outside of low to high, if the protocol sees values."""
        try:
            t.context.protocol.domain(t.share, low, high, self.operation)
        except RangeError:
            raise RangeError(
                f"{t.context.who}, operation '{self.operation}': a label is not among the classes {self.classes.tolist()}. "
                "Say which there are: classes=2 is for labels 0 and 1, classes=[...] for others."
            ) from None

    def decode(self, places: Any) -> Any:
        """The labels of secret places, booleans or integers: booleans if the classes are False and True."""
        if places.dtype == np.bool_ and self.classes.dtype == np.bool_:
            return places
        places = places.astype(int)
        if self.counted:
            return places
        if self.classes.dtype == np.bool_:
            return places == 1
        return functions.take(self.classes, places)
