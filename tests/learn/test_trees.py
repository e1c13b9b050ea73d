"""Trees: against trees grown in the clear by the same rule, and beside scikit-learn's."""

import numpy as np
import pytest
from sklearn import datasets, ensemble
from sklearn.model_selection import train_test_split

from mpc import learn
from mpc.learn.trees.bins import Splits
from mpc.learn.trees.growing import filled, grow

CANCER = datasets.load_breast_cancer(return_X_y=True)
DIABETES = datasets.load_diabetes(return_X_y=True)
IRIS = datasets.load_iris(return_X_y=True)
WINE = datasets.load_wine(return_X_y=True)


def tree(X, gradients, weights, thresholds, depth, l2, means=False):
    """What the leaf of each row says, of a tree that is grown in the clear."""
    if depth == 0:
        return np.full(len(X), gradients.sum() / (weights.sum() + (0 if means else l2)))

    def gain(rows):
        return gradients[rows].sum() ** 2 / (weights[rows].sum() + l2)

    gains = [[gain(X[:, j] > t) + gain(X[:, j] <= t) for j, t in enumerate(row)] for row in thresholds]
    edge, j = np.unravel_index(np.argmax(gains), np.shape(gains))
    above, found = X[:, j] > thresholds[edge, j], np.empty(len(X))
    for side in (above, ~above):
        found[side] = tree(X[side], gradients[side], weights[side], thresholds, depth - 1, l2, means)
    return found


@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
def test_boosting_grows_the_trees_of_its_rule(compute, protocol):
    X, y = np.rint(DIABETES[0][:90, 2:6] * 2**20) / 2**16, DIABETES[1][:90]
    options = {"n_estimators": 2, "learning_rate": 0.5, "max_depth": 2, "max_bins": 8, "l2_regularization": 2.0}
    (found,) = compute(lambda x, t: [learn.GradientBoostingRegressor(**options).fit(x, t).predict(x)], X, y, protocol=protocol)
    thresholds, expected = np.quantile(X, np.arange(1, 8) / 8, axis=0), np.full(90, y.mean())
    for _ in range(2):
        expected = expected + 0.5 * tree(X, y - expected, np.ones(90), thresholds, 2, 2.0)
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_log_loss_grows_the_trees_of_its_rule(compute):
    X, y = np.rint(CANCER[0][:90, :4] * 2**16) / 2**16, CANCER[1][:90]
    options = {"n_estimators": 2, "max_depth": 2, "max_bins": 8}
    program = lambda x, t: [learn.GradientBoostingClassifier(**options).fit(x, t, classes=2).decision_function(x)]
    (found,) = compute(program, X, y)
    thresholds, scores = np.quantile(X, np.arange(1, 8) / 8, axis=0), np.full(90, np.log(y.mean() / (1 - y.mean())))
    for _ in range(2):
        p = 1 / (1 + np.exp(-scores))
        scores = scores + 0.3 * tree(X, y - p, p * (1 - p), thresholds, 2, 1.0)
    np.testing.assert_allclose(found, scores, atol=2e-3)


CASES = [
    (
        CANCER,
        learn.GradientBoostingClassifier,
        ensemble.GradientBoostingClassifier,
        {"n_estimators": 8, "learning_rate": 0.3},
        0.03,
    ),
    (
        WINE,
        learn.GradientBoostingClassifier,
        ensemble.GradientBoostingClassifier,
        {"n_estimators": 8, "learning_rate": 0.3},
        0.06,
    ),
    (DIABETES, learn.GradientBoostingRegressor, ensemble.GradientBoostingRegressor, {"n_estimators": 10}, 0.08),
    (CANCER, learn.RandomForestClassifier, ensemble.RandomForestClassifier, {"n_estimators": 10, "max_depth": 4}, 0.04),
    (IRIS, learn.RandomForestClassifier, ensemble.RandomForestClassifier, {"n_estimators": 15, "max_depth": 3}, 0.07),
    (
        DIABETES,
        learn.RandomForestRegressor,
        ensemble.RandomForestRegressor,
        {"n_estimators": 15, "max_features": "sqrt", "max_depth": 4},
        0.08,
    ),
]


@pytest.mark.parametrize("data, ours, theirs, options, allowed", CASES)
def test_scores_beside_scikit_learn(compute, data, ours, theirs, options, allowed):
    X, X_test, y, y_test = train_test_split(*data, test_size=0.3, random_state=0)
    classes = {"classes": y.max() + 1} if y.dtype.kind == "i" else {}
    seed = {"random_state": 0} if "random_state" in ours().get_params() else {}
    program = lambda x, t, u, v: [ours(**options, **seed).fit(x, t, **classes).score(u, v)]
    (score,) = compute(program, X, y, X_test, y_test)
    assert score > theirs(**options, random_state=0).fit(X, y).score(X_test, y_test) - allowed


@pytest.mark.parametrize("kind", [learn.GradientBoostingClassifier, learn.RandomForestClassifier])
def test_classifiers_on_shares(compute, kind):
    X, y = np.rint(IRIS[0][::2] * 2**16) / 2**16, IRIS[1][::2]
    model = lambda: kind(n_estimators=3, max_depth=2).set_params(**({"random_state": 0} if "Forest" in kind.__name__ else {}))

    def program(x, t):
        fitted = model().fit(x, t, classes=3)
        return fitted.predict_proba(x), fitted.predict(x), fitted.score(x, t)

    plain, shared = (compute(program, X, y, protocol=protocol) for protocol in ("plaintext", "additive"))
    np.testing.assert_allclose(plain[0], shared[0], atol=1e-3)
    assert np.array_equal(shared[0].argmax(axis=1), shared[1])
    assert shared[2] > 0.9


@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
def test_probabilities_of_a_forest_sum_to_1_though_leaves_are_empty(compute, protocol):
    X, y = np.rint(IRIS[0][::6] * 2**16) / 2**16, IRIS[1][::6]
    program = lambda x, t, u: [
        learn.RandomForestClassifier(6, max_depth=4, max_bins=6, random_state=1).fit(x, t, classes=3).predict_proba(u)
    ]
    (found,) = compute(program, X, y, np.rint(IRIS[0][1::5] * 2**16) / 2**16, protocol=protocol)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-3)


def test_an_empty_leaf_says_what_the_nearest_node_with_rows_does(compute):
    # Of 8 leaves: the first two are empty, and 5 (its neighbour has rows); then all but the last.
    counts = np.array([[0, 0, 2, 4, 1, 0, 1, 1], [0, 0, 0, 0, 0, 0, 0, 3]])
    firsts = np.array([[0, 0, 2, 1, 1, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 2]])
    (found,) = compute(lambda s: [filled(s)], np.stack([firsts, counts], axis=2), protocol="additive")
    assert found[0].tolist() == [[3, 6], [3, 6], [2, 2], [1, 4], [1, 1], [1, 1], [0, 1], [1, 1]]
    assert found[1].tolist() == [[2, 3]] * 8


def test_a_forest_without_randomness_is_one_tree(compute):
    X, y = np.rint(DIABETES[0][:60, 2:5] * 2**20) / 2**16, DIABETES[1][:60]
    program = lambda x, t: [
        learn.RandomForestRegressor(2, max_depth=2, bootstrap=False, max_features=None, max_bins=6, random_state=0)
        .fit(x, t)
        .predict(x)
    ]
    (found,) = compute(program, X, y)
    thresholds = np.quantile(X, np.arange(1, 6) / 6, axis=0)
    expected = tree(X, y - y.mean(), np.ones(60), thresholds, 2, 2**-6, means=True) + y.mean()
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_splits_choose_from_the_given_features(compute):
    X, y = CANCER[0][:60, :5], CANCER[1][:60] - 0.5
    subsets = [np.array([[[4, 1]]] * 2), np.array([[[0, 2], [3, 1]], [[2, 3], [0, 4]]])]

    def program(x, t):
        values = np.stack([np.stack([t, t], axis=1), np.ones((60, 2))], axis=2)
        trees, found = grow(Splits.of(x, 6), values, 2, 1.0, subsets)
        return trees.features, trees.thresholds, found, trees.total(x)

    features, thresholds, found, total = compute(program, X, y)
    assert np.array_equal(np.sum(features, axis=2), np.ones((2, 3)))
    for tree_number in range(2):
        for node, allowed in enumerate([subsets[0][tree_number, 0], *subsets[1][tree_number]]):
            feature = features[tree_number, node].argmax()
            assert feature in allowed
            assert X[:, feature].min() <= thresholds[tree_number, node] <= X[:, feature].max()
    np.testing.assert_allclose(found.sum(axis=1), total, atol=1e-3)


def test_rounds(rounds):
    """A level takes as many rounds for one tree as for several."""
    X, y = CANCER[0][:40, :4], CANCER[1][:40]
    boosted = lambda trees, depth: rounds(
        lambda x, t: learn.GradientBoostingClassifier(n_estimators=trees, max_depth=depth, max_bins=4).fit(x, t, classes=2), X, y
    )
    forest = lambda trees, depth: rounds(
        lambda x, t: learn.RandomForestClassifier(trees, max_depth=depth, max_bins=4, random_state=0).fit(x, t, classes=2), X, y
    )
    tree_of_1, tree_of_2 = (boosted(2, depth) - boosted(1, depth) for depth in (1, 2))
    assert (tree_of_1, tree_of_2 - tree_of_1) == (34, 19)
    assert forest(4, 2) == forest(1, 2)
