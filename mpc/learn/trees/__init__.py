"""Decision trees of secret rows with secret splits: boosted one after the other, or a forest at the same time."""

from mpc.learn.trees.boosting import GradientBoostingClassifier, GradientBoostingRegressor
from mpc.learn.trees.forest import RandomForestClassifier, RandomForestRegressor

__all__ = ["GradientBoostingClassifier", "GradientBoostingRegressor", "RandomForestClassifier", "RandomForestRegressor"]
