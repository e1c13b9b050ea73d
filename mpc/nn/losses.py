"""Losses, as modules with PyTorch's names. Their values are computed only when the program looks at them."""

from __future__ import annotations

from typing import Any

from mpc.nn.module import Module
from mpc.nn.rules import losses
from mpc.nn.tape import record


class _Loss(Module):
    def __init__(self, reduction: str = "mean"):
        self.reduction = reduction


class MSELoss(_Loss):
    """(x - y)^2. Backward: none but the gradient's own opening; the value: 1 round."""

    def forward(self, input: Any, target: Any) -> Any:
        return record("mse_loss", losses.mse_loss, (input, target, self.reduction))


class L1Loss(_Loss):
    """|x - y|. Backward: a comparison, 3 rounds."""

    def forward(self, input: Any, target: Any) -> Any:
        return record("l1_loss", losses.l1_loss, (input, target, self.reduction))


class BCEWithLogitsLoss(_Loss):
    """Binary cross entropy of logits x with targets y (numbers from 0 to 1, or booleans); a public `pos_weight` counts the
    positive ones more. Backward: expit(x), 4 rounds; the value: softplus, and a product."""

    def __init__(self, reduction: str = "mean", pos_weight: Any = None):
        super().__init__(reduction)
        self.pos_weight = pos_weight

    def forward(self, input: Any, target: Any) -> Any:
        return record(
            "binary_cross_entropy_with_logits",
            losses.binary_cross_entropy_with_logits,
            (input, target, self.reduction, self.pos_weight),
        )


class CrossEntropyLoss(_Loss):
    """Cross entropy of logits (N, C, ...) with targets: class numbers (N, ...), secret or public, or probabilities (N, C, ...).

    `weight`: public, one for each class. Backward: softmax(x) - t, 13 rounds for 10 classes; the value: logsumexp, and a product.
    """

    def __init__(self, weight: Any = None, reduction: str = "mean", label_smoothing: float = 0.0):
        super().__init__(reduction)
        self.weight, self.label_smoothing = weight, label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        return record("cross_entropy", losses.cross_entropy, (input, target, self.weight, self.reduction, self.label_smoothing))
