"""Where trees may split: between the quantiles of each feature, which are secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Splits:
    """For each place (edges, features) a threshold; and for each row whether it is above: integers (n, edges * features)."""

    thresholds: Any
    above: Any

    @property
    def features(self) -> int:
        return int(self.thresholds.shape[1])

    @property
    def edges(self) -> int:
        return int(self.thresholds.shape[0])

    @classmethod
    def of(cls, X: Any, max_bins: int) -> Splits:
        """Of rows X (n, features), into bins of about as many rows each.

        Cost: as np.sort of the columns, and a comparison of each row with each threshold: 12 bytes for each, once for all trees.
        """
        edges = min(max_bins, X.shape[0]) - 1
        thresholds = np.quantile(X, np.arange(1, edges + 1) / (edges + 1), axis=0).truncate()
        above = (X[:, None] > thresholds).astype(int)
        return cls(thresholds, above.reshape(len(X), -1))
