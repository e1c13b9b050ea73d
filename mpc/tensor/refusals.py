"""What a secret tensor does not have, because it would need the value, change it, or is not available: each says why."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from mpc.errors import MissingError, UsageError

CONTROL = (
    "a secret cannot steer control flow: no party knows its value. Select with np.where, or reveal it first if everybody "
    "may see it"
)
_TAKE = "Entries of a public array by a secret index: mpc.functions.take(array, index)"


_DEVICE = "there are no devices; leave it out"
_DTYPE = "x.astype(float), x.astype(int) or x.astype(bool)"
_SAME = "tensors are immutable; use the tensor itself"
PYTORCH = {  # methods of PyTorch's tensors that NumPy's arrays do not have, and what is written here
    "add": "x + y",
    "bmm": "x @ y",
    "bool": _DTYPE,
    "chunk": "np.split(x, n, axis)",
    "clamp": "np.clip(x, low, high)",
    "clone": _SAME,
    "contiguous": _SAME,
    "cpu": _DEVICE,
    "cuda": _DEVICE,
    "detach": "a tensor has no gradient to cut off; of an nn.Variable, variable.detach()",
    "dim": "x.ndim",
    "div": "x / y",
    "double": _DTYPE,
    "exp": "np.exp(x)",
    "expand": "np.broadcast_to(x, shape)",
    "float": _DTYPE,
    "half": _DTYPE,
    "int": _DTYPE,
    "log": "np.log(x)",
    "log_softmax": "mpc.functions.log_softmax(x, axis=-1)",
    "long": _DTYPE,
    "matmul": "x @ y",
    "mm": "x @ y",
    "movedim": "np.moveaxis(x, source, destination)",
    "mul": "x * y",
    "norm": "np.linalg.norm(x)",
    "numel": "x.size",
    "numpy": "x.reveal(), if everybody may see it",
    "permute": "np.transpose(x, axes)",
    "pow": "x ** n",
    "relu": "mpc.functions.relu(x)",
    "rsqrt": "mpc.functions.rsqrt(x)",
    "sigmoid": "mpc.functions.expit(x)",
    "softmax": "mpc.functions.softmax(x, axis=-1)",
    "split": "np.split(x, places, axis)",
    "sqrt": "np.sqrt(x)",
    "square": "np.square(x)",
    "sub": "x - y",
    "t": "x.T",
    "tanh": "np.tanh(x)",
    "to": _DEVICE,
    "type": _DTYPE,
    "unsqueeze": "np.expand_dims(x, axis)",
    "view": "x.reshape(shape)",
}


class Refusals:
    """The methods of an array that a secret tensor refuses."""

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise UsageError(CONTROL)

    def __contains__(self, item: Any) -> NoReturn:
        raise UsageError(CONTROL)

    def __float__(self) -> NoReturn:
        raise UsageError("a secret has no value to convert to a number: " + CONTROL)

    __int__ = __complex__ = __float__

    def __index__(self) -> NoReturn:
        raise UsageError(f"a secret is no index of something public: {CONTROL}. {_TAKE}")

    def item(self, *args: Any) -> NoReturn:
        self.__float__()

    tolist = item

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise UsageError(
            f"a secret tensor is no array: no party knows its values. reveal() it first if everybody may see it. {_TAKE}"
        )

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise UsageError("a secret tensor is immutable; build a new one with np.where or np.concatenate")

    __delitem__ = fill = __setitem__

    def sort(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise UsageError("sort: this method works in place, and a secret tensor is immutable; use np.sort(tensor)")

    def partition(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise UsageError("partition: this method works in place, and a secret tensor is immutable; use np.partition(tensor, kth)")

    def __reduce__(self) -> NoReturn:
        raise UsageError("a secret tensor stays at its party and is never pickled; return tensor.reveal() instead")

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> NoReturn:
        name = getattr(function, "__name__", str(function))
        cure = _TAKE if name == "__getitem__" else PYTORCH.get(name, "look for it in np, mpc.functions or mpc.nn.functional")
        raise MissingError(f"torch.{name}: PyTorch's functions do not take secret tensors: {cure}")

    def __getattr__(self, name: str) -> NoReturn:
        if name in PYTORCH:
            raise MissingError(f"{name}: secret tensors have NumPy's methods and functions, not PyTorch's: {PYTORCH[name]}")
        if hasattr(np.ndarray, name) and not name.startswith("__"):
            raise MissingError(f"{name}: secret tensors do not have this attribute of NumPy's arrays")
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
