"""Classes: which there are is public, who belongs to which is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc import functions
from mpc.errors import OptionError, UsageError
from mpc.tensor import Tensor


@dataclass(frozen=True)
class Labels:
    """The classes, a public array in ascending order."""

    classes: Any

    @classmethod
    def of(cls, y: Any, classes: Any, operation: str) -> Labels:
        """Those that are named, or how many there are; else those of public labels, and False and True of secret booleans."""
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
        return cls(found)

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
            return functions.one_hot(y, self.count)
        return (y[:, None] == self.classes).astype(int)

    def second(self, y: Any) -> Any:
        """Of two classes: integers of shape (n, 1), 1 for the second. As `one_hot`."""
        if y.dtype == np.int64 and self.counted:
            return y[:, None]
        return self.one_hot(y)[:, 1:]

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
