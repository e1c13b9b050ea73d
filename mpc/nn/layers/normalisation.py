"""BatchNorm1d, BatchNorm2d and LayerNorm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mpc.errors import OptionError, ShapeError
from mpc.nn import functional as F
from mpc.nn import init
from mpc.nn.module import Buffer, Module, Parameter
from mpc.nn.recording import recording
from mpc.nn.rules.normalisation import Statistics, batch_norm, statistics, with_square_digits
from mpc.nn.scales import settled, times, total
from mpc.nn.tape import record, value_of
from mpc.tensor import Tensor
from mpc.tensor.arithmetic import as_float
from mpc.tensor.base import truncate
from mpc.tensor.curves.roots import wide_rsqrt

_PART_BITS = 14  # of momentum


class _BatchNorm(Module):
    """Each channel (axis 1) normalised over all others, times weight, plus bias; and running statistics, which stay secret.

    In training by the batch's own statistics: forward 12 rounds (13 or 14 where a channel's elements in a batch are no power
    of two), 8 bytes an element; backward 4 or 5 rounds, 8 bytes. In evaluation by the running ones: 12 rounds and 8 bytes;
    within `no_grad`, only the first time after a change.

    Domain: the squares of a channel's distances from its mean, of a batch, sum up to less than 2^28. Error for f = 16: that of
    elements and means, 2^-15 over the deviation: 0.003 for data of 0.01. The running variance has 8 bits more than other
    numbers, but f as they where it was saved, revealed or loaded: then evaluation is wrong by about 2^-18 / (variance + eps) of
    its result, 0.4 % for a deviation of 0.03 and 3.5 % for 0.01. Bring such data to a size of about 1 first.
    """

    _dimensions: tuple[int, ...] = ()

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ):
        if momentum is None:
            raise OptionError(f"{type(self).__name__}: momentum=None is not available; give a number")
        self.num_features, self.eps, self.momentum, self.affine = num_features, eps, momentum, affine
        self.weight = Parameter((num_features,), init.ones) if affine else None
        self.bias = Parameter((num_features,), init.zeros) if affine else None
        self.running_mean = Buffer((num_features,), init.zeros) if track_running_stats else None
        self.running_var = Buffer((num_features,), init.ones) if track_running_stats else None
        self.num_batches_tracked = Buffer((), init.zeros) if track_running_stats else None
        self._folded = _Memo()

    def forward(self, x: Any) -> Any:
        if np.ndim(x) not in self._dimensions or x.shape[1] != self.num_features:
            raise ShapeError(f"{type(self).__name__}: {self.num_features} channels are expected along axis 1 of shape {x.shape}")
        if self.training or self.running_var is None:
            return self._by_the_batch(x)
        return self._by_what_is_running(x)

    def _by_the_batch(self, x: Any) -> Any:
        axes = tuple(k for k in range(x.ndim) if k != 1)
        of = statistics(value_of(x), axes, self.eps, [] if self.weight is None else [self.weight.tensor])
        y = record("batch_norm", batch_norm, (x, self.weight, self.bias, of))
        if self.training and self.running_mean is not None:
            self._follow(of)
        return y

    def _follow(self, of: Statistics) -> None:
        """Move the running statistics by a part, `momentum`, of the way to those of the batch. 1 round."""
        assert self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None
        old = as_float(self.running_mean.tensor), as_float(self.running_var.tensor)
        new = of.mean.reshape(-1), of.squares.reshape(-1)
        parts = self.momentum, self.momentum * of.part / (of.count - 1)  # unbiased
        moves = [
            total([times(b, part, _PART_BITS), times(a, -self.momentum, _PART_BITS)])
            for a, b, part in zip(old, new, parts, strict=True)
        ]
        mean, variance = settled(moves, [b.scale for b in new])
        self.running_mean.set(total([old[0], mean]))
        self.running_var.set(total([old[1], variance]))
        self.num_batches_tracked.set(self.num_batches_tracked.tensor + 1)

    def _by_what_is_running(self, x: Any) -> Any:
        assert self.running_mean is not None and self.running_var is not None
        parts = [p for p in (self.running_mean, self.running_var, self.weight, self.bias) if p is not None]
        if recording():
            factor, shift = self._affine()
        else:
            factor, shift = self._folded([p.tensor for p in parts], self._affine)
        rest = (1,) * (x.ndim - 2)
        return x * np.reshape(factor, (-1, *rest)) + np.reshape(shift, (-1, *rest))

    def _affine(self) -> tuple[Any, Any]:
        """The factor and the summand of each channel."""
        assert self.running_mean is not None and self.running_var is not None
        factor = wide_rsqrt(with_square_digits(self.running_var.tensor) + self.eps)
        if self.weight is not None:
            factor = self.weight * factor
        if isinstance(factor, Tensor):
            (factor,) = truncate([factor])
        shift = -(factor * self.running_mean.tensor)
        shift = shift if self.bias is None else shift + self.bias
        return factor, truncate([shift])[0] if isinstance(shift, Tensor) else shift

    def extra_repr(self) -> str:
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}"


class BatchNorm1d(_BatchNorm):
    """Of (N, C) or (N, C, L)."""

    _dimensions = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Of (N, C, H, W)."""

    _dimensions = (4,)


for _class in (BatchNorm1d, BatchNorm2d):
    _class.__doc__ = f"{_class.__doc__} {_BatchNorm.__doc__}"


class _Memo:
    """The last result, as long as the tensors that it was made of are the same. Copies start without it."""

    def __init__(self) -> None:
        self._made: tuple[list[Tensor], Any] | None = None

    def __call__(self, tensors: list[Tensor], compute: Callable[[], Any]) -> Any:
        if self._made is None or any(a is not b for a, b in zip(self._made[0], tensors, strict=True)):
            self._made = tensors, compute()
        return self._made[1]

    def __deepcopy__(self, memo: dict[int, Any]) -> _Memo:
        return _Memo()

    def __reduce__(self) -> Any:
        return _Memo, ()


class LayerNorm(Module):
    """The last axes, of these sizes, normalised; times weight, plus bias.

    Forward: 11 rounds, 16 bytes an element (16 rounds for many groups; 2 more for a size that is no power of two). Backward: 4
    or 5 rounds, 16 bytes.
    """

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True
    ):
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = Parameter(self.normalized_shape, init.ones) if elementwise_affine else None
        self.bias = Parameter(self.normalized_shape, init.zeros) if elementwise_affine and bias else None

    def forward(self, x: Any) -> Any:
        if tuple(x.shape[-len(self.normalized_shape) :]) != self.normalized_shape:
            raise ShapeError(f"LayerNorm: an input of shape {x.shape}, whose last axes are not {self.normalized_shape}")
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
