"""`python -m benchmarks.learn_page > docs/learn.md`: the estimators of mpc.learn beside scikit-learn's, measured.

Some minutes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
import numpy as np
from sklearn import cluster, datasets, decomposition, ensemble, linear_model, preprocessing
from sklearn.model_selection import train_test_split

from benchmarks.functions_page import processor
from mpc import learn
from mpc.launch.job import Job
from mpc.launch.run import execute
from mpc.party import Cost

_HEAD = """\
# Estimators beside scikit-learn's

*Written by `python -m benchmarks.learn_page > docs/learn.md` from measurements.*

`mpc.learn` has scikit-learn's estimators for secret data: `fit`, `predict`, `predict_proba`, `transform`, `score`, `get_params`,
and options and fitted attributes by the same names. What `fit` learns is secret, as are predictions and scores, until the
program reveals them.

```python
def program(party):
    X = party.input(features if party.index == 0 else None, owner=0)
    y = party.input(diagnoses if party.index == 1 else None, owner=1)
    X = mpc.learn.StandardScaler().fit_transform(X)
    model = mpc.learn.LogisticRegression(C=1.0).fit(X, y, classes=2)
    return model.score(X, y).reveal(), model.coef_.reveal(to=0)
```

- Which classes there are is public: `fit(X, y, classes=3)` for secret labels 0, 1, 2, `classes=[...]` for others. Secret booleans
  and public labels say it themselves. Labels that are none of the classes are an error if they are public. Of secret ones nobody
  can see it: the fit is wrong then. `protocol="plaintext"` sees them, and stops: try a program on it first.
- How long an algorithm runs does not depend on the data, since that would tell about them: `max_iter` and `n_estimators` are
  the number of steps that are taken, and there is no `tol`. Trees are complete, of a public `max_depth`.
- Options that cannot be had on secret data are refused by name, with the reason.
- Features and targets may be of any size from 2^-13 to 2^28: estimators divide columns by secret powers of two first.
- An estimator belongs to the program that fits it: make it inside of the function that the parties run, not before.
- `random_state` is a public number; None, the default, lets the parties draw one jointly.
- R^2 of a target that does not vary is as scikit-learn's: 1 if predictions are right, by 2^-14 on average, else 0.
- scikit-learn's `Pipeline` and `make_pipeline` take these estimators as steps; the classes are for the last step, by its name:
  `pipeline.fit(X, y, logisticregression__classes=2)`.

## Measured

Protocol `additive`, two parties and a dealer as processes on one machine: {cores} cores, {processor}, load {load:.0f}. Each
estimator is fitted to 70 % of a bundled data set, and *score* is that on the other 30 %, accuracy or R^2; for k-means (inertia)
and components (share of the variance) it is all of the data. *Standardised*: by StandardScaler, on both sides. Trees of both
have the same number, depth and learning rate; scikit-learn's choose from all thresholds, ours from 15 quantiles of each feature.

*Differs*: for linear models by how much coefficients do, relative to the largest; for classifiers of trees how many predictions
on the 30 %; for regressors of trees R^2; for k-means the inertia, relatively; for components by how much their elements. Rounds,
MB that a party sends, MB that the dealer sends and seconds are those of `fit`; *predict* is rounds and MB for the 30 %.

| estimator | data | score | scikit-learn's | differs | rounds | MB sent | MB dealt | seconds | predict |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""

_FOOT = """
## What it takes

Per step of the algorithm, two parties, f = 16; the docstrings say more. d: features.

| estimator | once | each step | predict or transform |
| --- | --- | --- | --- |
| `StandardScaler` | 34 rounds | | 3 rounds |
| `LinearRegression`, `Ridge` | 10 d + 119 rounds | | 6 rounds |
| `LogisticRegression`, 2 classes | 10 d + 31 rounds | 10 rounds | 7 rounds |
| `LogisticRegression`, 3 classes | 10 d + 32 rounds | 18 rounds | 9 rounds |
| `KMeans`, 3 clusters | 66 rounds, 12 for each further cluster | 22 rounds | 9 rounds |
| `PCA` | 35 rounds | 160 to 166 rounds a component | 4 rounds |
| `GradientBoostingClassifier`, 2 classes | quantiles | 15 rounds a tree, and 29 to 34 a level | 13 rounds |
| `GradientBoostingRegressor` | quantiles | 9 rounds a tree, and 29 to 34 a level | 12 rounds |
| `RandomForestClassifier` | quantiles | 26 to 31 rounds a level of all trees | 17 rounds, at depth 5 |

## What falls short

- Linear models take at most 64 features, as np.linalg.inv does; others are refused before anything is computed.
- LogisticRegression has not converged after 100 steps where classes are all but separable, as those of the standardised digits,
  or C is much larger than 1: coefficients are too small then, while predictions hardly differ. More steps help: 300 for C = 100.
- Trees split at quantiles, so that thresholds between rare values are not found: a larger `max_bins` finds them, for more bytes.
- PCA mixes components whose variances differ by less than 1 %.
"""


@dataclass(frozen=True)
class Row:
    ours: Callable[[], Any]
    reference: Callable[[], Any]
    data: str
    standardised: bool = False
    classes: int | None = None
    label: str = ""

    def split(self) -> tuple[Any, ...]:
        """X and y to fit on, X and y to score on."""
        X, y = getattr(datasets, f"load_{self.data}")(return_X_y=True)
        if hasattr(self.ours(), "score") and not hasattr(self.ours(), "transform"):
            X, X_test, y, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
            return X, y, X_test, y_test
        return X, y, X, y


def _logistic(data: str, classes: int, standardised: bool = True) -> Row:
    reference = lambda: linear_model.LogisticRegression(max_iter=10000, tol=1e-8)  # noqa: E731
    return Row(learn.LogisticRegression, reference, data, standardised, classes)


def _boosted(data: str, classes: int | None = None) -> Row:
    options = {"n_estimators": 20, "learning_rate": 0.3, "max_depth": 3}
    kind = "Classifier" if classes else "Regressor"
    ours, theirs = (getattr(room, f"GradientBoosting{kind}") for room in (learn, ensemble))
    return Row(lambda: ours(**options), lambda: theirs(**options, random_state=0), data, classes=classes, label="20 of depth 3")


def _forest(data: str, classes: int | None = None) -> Row:
    options = {"n_estimators": 20, "max_depth": 5, "max_features": "sqrt", "random_state": 0}
    kind = "Classifier" if classes else "Regressor"
    ours, theirs = (getattr(room, f"RandomForest{kind}") for room in (learn, ensemble))
    return Row(lambda: ours(**options), lambda: theirs(**options), data, classes=classes, label="20 of depth 5")


def _clusters(data: str, k: int, standardised: bool = False) -> Row:
    ours = lambda: learn.KMeans(k, random_state=0)  # noqa: E731
    return Row(ours, lambda: cluster.KMeans(k, n_init=4, random_state=0), data, standardised, label=str(k))


def _components(data: str, k: int, standardised: bool = False) -> Row:
    return Row(lambda: learn.PCA(k), lambda: decomposition.PCA(k, svd_solver="full"), data, standardised, label=str(k))


ROWS = [
    Row(learn.LinearRegression, linear_model.LinearRegression, "diabetes"),
    Row(lambda: learn.Ridge(0.1), lambda: linear_model.Ridge(0.1), "diabetes", label="alpha=0.1"),
    _logistic("breast_cancer", 2),
    _logistic("iris", 3),
    _logistic("wine", 3),
    _logistic("digits", 10),
    _clusters("iris", 3),
    _clusters("wine", 3, standardised=True),
    _clusters("digits", 10),
    _components("iris", 2),
    _components("wine", 3, standardised=True),
    _components("breast_cancer", 3, standardised=True),
    _components("digits", 6),
    _boosted("breast_cancer", 2),
    _boosted("iris", 3),
    _boosted("wine", 3),
    _boosted("diabetes"),
    _forest("breast_cancer", 2),
    _forest("digits", 10),
    _forest("diabetes"),
]


@dataclass(frozen=True)
class Result:
    score: float
    found: Any  # what `differs` compares
    fit: Cost
    predict: Cost


def main_program(party: Any, row: Row) -> Result:
    X, y, X_test, y_test = (party.input(array if party.index == 0 else None, 0) for array in row.split())
    if row.standardised:
        scaler = learn.StandardScaler().fit(X)
        X, X_test = scaler.transform(X).truncate(), scaler.transform(X_test).truncate()
    party.input(np.zeros(1) if party.index == 0 else None, 0).reveal()  # all are here
    model = row.ours()
    with party.measure() as fit:
        model.fit(X, y, **({"classes": row.classes} if row.classes else {})) if hasattr(model, "predict") else model.fit(X)
    with party.measure() as predict:
        found = (model.predict if hasattr(model, "predict") else model.transform)(X_test).truncate()
    found = getattr(model, "coef_", getattr(model, "components_", found))
    return Result(_score(model, X_test, y_test).reveal(), found.reveal(), fit, predict)


def _score(model: Any, X: Any, y: Any) -> Any:
    if hasattr(model, "explained_variance_ratio_"):
        return np.sum(model.explained_variance_ratio_)
    return -model.score(X) if hasattr(model, "cluster_centers_") else model.score(X, y)


def reference(row: Row) -> tuple[float, Any]:
    """scikit-learn's score, and what `differs` compares."""
    X, y, X_test, y_test = row.split()
    if row.standardised:
        scaler = preprocessing.StandardScaler().fit(X)
        X, X_test = scaler.transform(X), scaler.transform(X_test)
    model = row.reference().fit(X, y)
    found = getattr(model, "coef_", getattr(model, "components_", None))
    return float(_score(model, X_test, y_test)), model.predict(X_test) if found is None else found


def differs(row: Row, ours: Result, score: float, found: Any) -> str:
    if hasattr(row.ours(), "n_clusters"):
        return f"{abs(ours.score / score - 1):.1e}"
    if hasattr(row.ours(), "n_components"):
        return f"{np.abs(ours.found - found).max():.1e}"
    if hasattr(row.ours(), "n_estimators"):
        return f"{np.mean(ours.found != found):.1%}" if row.classes else f"{ours.score - score:+.3f}"
    return f"{np.abs(ours.found - found).max() / np.abs(found).max():.1e}"


def line(row: Row) -> str:
    parties = execute(Job(main_program, (row,))).results
    ours, slower = parties[0], max((r.fit for r in parties), key=lambda cost: cost.seconds)
    score, found = reference(row)
    name = f"`{type(row.ours()).__name__}`" + (f", {row.label}" if row.label else "")
    data = row.data.replace("_", " ") + (", standardised" if row.standardised else "")
    dealt = max(r.fit.offline_bytes for r in parties) / 1e6
    costs = [str(ours.fit.rounds), f"{ours.fit.bytes_sent / 1e6:.3g}", f"{dealt:.3g}", f"{slower.seconds:.1f}"]
    predict = f"{ours.predict.rounds}; {ours.predict.bytes_sent / 1e6:.2g}"
    cells = [name, data, f"{ours.score:.6g}", f"{score:.6g}", differs(row, ours, score, found), *costs, predict]
    return "| " + " | ".join(cells) + " |"


@click.command(help=__doc__)
@click.option("--only", default="", help="only estimators and data sets with this in their names")
def main(only: str) -> None:
    print(_HEAD.format(cores=os.cpu_count(), processor=processor(), load=os.getloadavg()[0]), end="")
    for row in ROWS:
        if only in f"{type(row.ours()).__name__} {row.data}":
            print(line(row), flush=True)
            print(type(row.ours()).__name__, row.data, file=sys.stderr, flush=True)
    print(_FOOT, end="")


if __name__ == "__main__":
    main()
