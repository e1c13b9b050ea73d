"""Estimators as scikit-learn's, on secret data."""

from mpc.learn.clusters import KMeans
from mpc.learn.components import PCA
from mpc.learn.linear import LinearRegression, Ridge
from mpc.learn.logistic import LogisticRegression
from mpc.learn.preprocessing import StandardScaler
from mpc.learn.trees import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

__all__ = [
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "KMeans",
    "LinearRegression",
    "LogisticRegression",
    "PCA",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "Ridge",
    "StandardScaler",
]
