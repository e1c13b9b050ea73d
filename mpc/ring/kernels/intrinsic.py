"""numba.extending.intrinsic for type checkers, which would miss the typing context in every call."""

from collections.abc import Callable
from typing import Any

import numba.extending


def intrinsic(function: Callable[..., Any]) -> Any:
    """The function, which returns a signature and emits LLVM IR, as one that compiled code can call."""
    return numba.extending.intrinsic(function)
