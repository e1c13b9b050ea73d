"""Numbers of one-time randomness: they rise, and none comes again."""

from __future__ import annotations

from collections.abc import Callable

from mpc.errors import MaskReuseError


class Numbers:
    """A counter of `what`, in the plural. `claim(number)` says which number to take, once nothing can bring it back."""

    def __init__(self, what: str, claim: Callable[[int], int]):
        self._what, self._claim = what, claim
        self.last = 0

    def next(self) -> int:
        """A number above the last."""
        self.last = self._claim(self.last + 1)
        return self.last

    def skip_to(self, number: int) -> None:
        """Go on above this one. MaskReuseError for one below the last."""
        if number < self.last:
            raise MaskReuseError(f"number {number} is used: {self._what} only go on, and are at {self.last}")
        self.last = number
