"""Complete trees of a public depth, several at a time: nobody learns where they split, nor how many rows go where.

The rows of a node are those whose `members` are 1. Of each node and each possible split, the sums of the values of the rows above
it are one matrix product for the whole level; the best split is a secret one-hot choice, and a product with it tells
each row where to go. (Histograms: as in XGBoost and LightGBM. Secret trees: de Hoogh et al., *Practical Secure Decision
Tree Learning in a Teletreatment Application*, FC 2014; Abspoel, Escudero and Volgushev, PoPETs 2021.)

For e edges of d features a level takes 5 rounds, 8 to 13 for quotients, and those of an argmax of e d: 15 for 120 of them, 20
for 450. Each node sends about 250 bytes a split and output; each node and row 8 bytes, and 8 for each output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc import functions
from mpc.learn.trees.bins import Splits


@dataclass(frozen=True)
class Trees:
    """Complete trees. Nodes are numbered level by level from the left: 2^depth - 1, and 2^depth leaves."""

    features: Any  # (trees, nodes, features): one-hot, on which a node splits
    thresholds: Any  # (trees, nodes): above it a row goes to the right
    leaves: Any  # (trees, leaves, outputs)

    @property
    def depth(self) -> int:
        return int(self.leaves.shape[1]).bit_length() - 1

    @classmethod
    def joined(cls, groups: list[Trees]) -> Trees:
        parts = ([getattr(group, name) for group in groups] for name in ("features", "thresholds", "leaves"))
        return cls(*(np.concatenate(part) for part in parts))

    def total(self, X: Any) -> Any:
        """The sum over all trees of the leaves that rows X come to: (n, outputs). 7 + depth rounds."""
        n, (trees, nodes, d) = len(X), self.features.shape
        chosen = (X @ self.features.reshape(trees * nodes, d).T).reshape(n, trees, nodes)
        above = chosen > self.thresholds
        members: Any = None
        start = 0
        for level in range(self.depth):
            here = above[:, :, start : start + 2**level]
            start += 2**level
            right = here if members is None else members & here
            left = ~here if members is None else members ^ right
            members = np.stack([left, right], axis=3).reshape(n, trees, 2 ** (level + 1))
        return members.astype(int).reshape(n, -1) @ self.leaves.reshape(trees * 2**self.depth, -1)


def grow(
    splits: Splits, values: Any, depth: int, l2: float, subsets: list[Any] | None = None, means: bool = False
) -> tuple[Trees, Any]:
    """Trees for values (n, trees, outputs + 1), of which the last is the weight of a row; and what their leaves say of the rows.

    A leaf's outputs are sum(values) / (sum(weights) + l2), and a split is chosen for the largest sum over both sides of
    sum(values)^2 / (sum(weights) + l2). `subsets`: for each level, the public features (trees, nodes, some) to choose from.
    `means`: leaves say sum(values) / sum(weights), and those without rows what the nearest node above that has some would.
    """
    n, trees, _ = values.shape
    members: Any = None
    features, thresholds = [], []
    for level in range(depth):
        subset = None if subsets is None else subsets[level]
        choice = _best(splits, _sums(splits, members, values), l2, subset)
        features.append(np.sum(choice, axis=2))
        flat = choice.reshape(trees * 2**level, -1)
        thresholds.append((flat @ splits.thresholds.reshape(-1)).reshape(trees, -1))
        above = (splits.above @ flat.T).reshape(n, trees, -1)
        right = above if members is None else members * above
        left = 1 - above if members is None else members - right
        members = np.stack([left, right], axis=3).reshape(n, trees, 2 ** (level + 1))
    by_tree = np.moveaxis(members, 1, 0)
    sums = by_tree.swapaxes(1, 2) @ np.moveaxis(values, 1, 0)
    if means:
        sums, l2 = filled(sums), 0.0
    leaves = (sums[..., :-1] / (sums[..., -1:] + l2)).truncate()
    found = Trees(np.concatenate(features, axis=1), np.concatenate(thresholds, axis=1), leaves)
    return found, np.moveaxis(by_tree @ leaves, 0, 1)


def filled(sums: Any) -> Any:
    """Sums of leaves (trees, leaves, outputs + 1), those of leaves without rows replaced by the nearest ancestor's that has some.

    3 rounds, and 1 a level: all nodes are compared at once. Weights are whole numbers.
    """
    levels = [sums]  # from the root
    while levels[0].shape[1] > 1:
        levels.insert(0, levels[0][:, ::2] + levels[0][:, 1::2])
    empty: Any = np.concatenate([level[..., -1:] for level in levels], axis=1) < 1
    found = levels[0]
    for level in levels[1:]:
        nodes = level.shape[1]
        found = np.where(empty[:, nodes - 1 : 2 * nodes - 1], np.repeat(found, 2, axis=1), level)
    return found


def _sums(splits: Splits, members: Any, values: Any) -> Any:
    """Of all rows, and of those above each split: (1 + splits, trees, nodes, outputs + 1)."""
    each = values[:, :, None] if members is None else members[..., None] * values[:, :, None]
    above = splits.above.T @ each.reshape(len(each), -1)
    return np.concatenate([np.sum(each, axis=0)[None], above.reshape(-1, *each.shape[1:])])


def _best(splits: Splits, sums: Any, l2: float, subset: Any) -> Any:
    """The best split of each node, one-hot: (trees, nodes, edges, features)."""
    _, trees, nodes, _ = sums.shape
    d, edges = splits.features, splits.edges
    above = sums[1:].reshape(edges, d, *sums.shape[1:])
    if subset is not None:
        tree, node = np.ogrid[:trees, :nodes]
        above = above[:, np.moveaxis(subset, 2, 0), tree, node]
        d = subset.shape[2]
    above = above.reshape(edges * d, *sums.shape[1:])
    sides = np.stack([above, sums[0] - above])
    totals, weights = sides[..., :-1], sides[..., -1:] + l2
    gains = np.sum(totals * (totals / weights), axis=(0, -1))
    choice = functions.one_hot(np.argmax(gains, axis=0), edges * d).reshape(trees, nodes, edges, d)
    return choice if subset is None else _in_all(choice, subset, splits.features)


def _in_all(choice: Any, subset: Any, features: int) -> Any:
    """A choice of some features as one of all, 0 for the others."""
    trees, nodes, edges, some = choice.shape
    places = np.full((trees, nodes, features), some)
    np.put_along_axis(places, subset, np.arange(some), axis=2)
    padded = np.concatenate([choice, np.zeros((trees, nodes, edges, 1), np.int64)], axis=3)
    tree, node, edge = np.ogrid[:trees, :nodes, :edges]
    return padded[tree[..., None], node[..., None], edge[..., None], places[:, :, None]]
