"""StandardScaler, LinearRegression, Ridge and LogisticRegression beside scikit-learn's, on its data sets."""

import numpy as np
import pytest
from sklearn import datasets, linear_model, preprocessing

from mpc import learn

CANCER = datasets.load_breast_cancer(return_X_y=True)
DIABETES = datasets.load_diabetes(return_X_y=True)
IRIS = datasets.load_iris(return_X_y=True)


def standardised(X):
    return preprocessing.StandardScaler().fit_transform(X)


@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
def test_scaler(compute, protocol):
    data = CANCER[0][:200]
    # Deviations from 0.003 to 35000, and 0; and one that is small beside the mean.
    X = np.column_stack([data, np.full(200, 1234.57), data[:, 3] * 100, 1e6 + data[:, 1] * 0.01])
    X = np.rint(X * 2**16) / 2**16
    theirs = preprocessing.StandardScaler().fit(X)

    def program(x):
        ours = learn.StandardScaler().fit(x)
        z = ours.transform(x)
        return ours.mean_, ours.scale_, z, ours.inverse_transform(z), ours.fit_transform(x)

    mean, scale, z, back, again = compute(program, X, protocol=protocol)
    np.testing.assert_allclose(mean, theirs.mean_, rtol=1e-4, atol=2e-4)
    np.testing.assert_allclose(scale, theirs.scale_, rtol=1e-4, atol=3e-5)
    np.testing.assert_allclose(z, theirs.transform(X), rtol=1e-4, atol=2e-4)
    np.testing.assert_allclose(again, z, rtol=1e-4, atol=2e-4)
    np.testing.assert_allclose(back, X, rtol=1e-3, atol=1e-3)
    assert np.all(z[:, 30] == 0)
    assert scale[30] == 1


def test_scaler_options(compute):
    X = np.rint(IRIS[0][::3] * 2**16) / 2**16

    def program(x):
        halves = [learn.StandardScaler(with_mean=False), learn.StandardScaler(with_std=False)]
        results = [half.fit_transform(x) for half in halves]
        return *results, halves[0].inverse_transform(results[0]), halves[0].var_

    uncentred, centred, back, variance = compute(program, X)
    np.testing.assert_allclose(uncentred, preprocessing.StandardScaler(with_mean=False).fit_transform(X), rtol=1e-4)
    np.testing.assert_allclose(centred, X - X.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(back, X, rtol=1e-3)
    np.testing.assert_allclose(variance, X.var(axis=0), rtol=1e-3)


REGRESSIONS = [
    ("plaintext", learn.LinearRegression, linear_model.LinearRegression, {}),
    ("additive", learn.LinearRegression, linear_model.LinearRegression, {}),
    ("plaintext", learn.LinearRegression, linear_model.LinearRegression, {"fit_intercept": False}),
    ("plaintext", learn.Ridge, linear_model.Ridge, {"alpha": 0.1}),
    ("plaintext", learn.Ridge, linear_model.Ridge, {"alpha": 3.0, "fit_intercept": False}),
]


@pytest.mark.parametrize("protocol, ours, theirs, options", REGRESSIONS)
@pytest.mark.parametrize("scale", [1, 1000])
def test_regression(compute, protocol, ours, theirs, options, scale):
    X, y = np.rint(DIABETES[0] * scale * 2**16) / 2**16, DIABETES[1]
    reference = theirs(**options).fit(X, y)

    def program(x, t):
        model = ours(**options).fit(x, t)
        return model.coef_, model.intercept_, model.predict(x), model.score(x, t)

    coefficients, intercept, predicted, score = compute(program, X, y, protocol=protocol)
    np.testing.assert_allclose(coefficients, reference.coef_, atol=6e-4 * np.abs(reference.coef_).max())
    assert abs(intercept - reference.intercept_) < 0.02
    np.testing.assert_allclose(predicted, reference.predict(X), atol=0.02)
    assert abs(score - reference.score(X, y)) < 1e-3 * max(1, abs(score))


def test_regression_with_columns_that_depend_on_each_other(compute):
    """One of many best solutions, with the best predictions."""
    X = np.rint(np.column_stack([DIABETES[0][:, :4], DIABETES[0][:, 1] * 2, np.ones(442)]) * 2**16) / 2**16
    (predicted,) = compute(lambda x, t: [learn.LinearRegression().fit(x, t).predict(x)], X, DIABETES[1])
    np.testing.assert_allclose(predicted, linear_model.LinearRegression().fit(X, DIABETES[1]).predict(X), atol=0.1)


def test_public_numbers(compute):
    X, y = DIABETES
    model = lambda x: learn.LinearRegression().fit(x, y)
    coefficients, score = compute(lambda x: [model(x).coef_, model(x).score(x, y)], X)
    np.testing.assert_allclose(coefficients, linear_model.LinearRegression().fit(X, y).coef_, rtol=0.02, atol=2)
    assert abs(score - 0.5177) < 1e-3


CLASSIFICATIONS = [
    ("plaintext", CANCER, {"max_iter": 100}),
    ("plaintext", (CANCER[0][::2, :9], CANCER[1][::2]), {"max_iter": 60, "C": 0.1, "fit_intercept": False}),
    ("additive", (CANCER[0][::4, :9], CANCER[1][::4]), {"max_iter": 40, "C": 0.1}),
    ("plaintext", IRIS, {"max_iter": 60, "C": 0.3}),
    ("additive", (IRIS[0][::3], IRIS[1][::3]), {"max_iter": 30, "C": 0.1}),
]


@pytest.mark.parametrize("protocol, data, options", CLASSIFICATIONS)
def test_logistic_regression(compute, protocol, data, options):
    X, y = np.rint(standardised(data[0]) * 2**16) / 2**16, data[1]
    reference = linear_model.LogisticRegression(**{**options, "max_iter": 10000, "tol": 1e-8}).fit(X, y)

    def program(x, t):
        model = learn.LogisticRegression(**options).fit(x, t, classes=y.max() + 1)
        found = model.decision_function(x), model.predict_proba(x), model.predict(x)
        return model.coef_, model.intercept_, *found, model.score(x, t), model.classes_

    coefficients, intercept, decision, proba, labels, score, classes = compute(program, X, y, protocol=protocol)
    assert coefficients.shape == reference.coef_.shape
    allowed = 0.015 * np.abs(reference.coef_).max()
    np.testing.assert_allclose(coefficients, reference.coef_, atol=allowed)
    np.testing.assert_allclose(intercept, reference.intercept_, atol=allowed)
    np.testing.assert_allclose(decision, reference.decision_function(X), atol=0.02 * np.abs(decision).max())
    np.testing.assert_allclose(proba, reference.predict_proba(X), atol=0.02)
    assert np.mean(labels != reference.predict(X)) <= 0.01
    assert abs(score - reference.score(X, y)) <= 0.0101
    assert np.array_equal(classes, reference.classes_)


@pytest.mark.parametrize("labels", [[False, True], [-1, 1], [0.5, 2.5], [3, 7]])
def test_labels_of_any_kind(compute, labels):
    X = standardised(CANCER[0][:80, :5])
    y = np.array(labels)[CANCER[1][:80]]
    classes = None if y.dtype == bool else labels
    fit = lambda x, t: learn.LogisticRegression(max_iter=30).fit(x, t, classes=classes)
    public, secret = compute(lambda x, t: [fit(x, y).predict(x), fit(x, t).predict(x)], X, y)
    expected = np.array(labels)[linear_model.LogisticRegression().fit(X, CANCER[1][:80]).predict(X)]
    assert secret.dtype == expected.dtype
    assert np.array_equal(public, secret)
    assert np.mean(secret != expected) < 0.03


def test_rounds(rounds):
    X, y = standardised(CANCER[0][:60, :6]), CANCER[1][:60]

    def logistic(steps, features, classes=2):
        fit = lambda x, t: learn.LogisticRegression(max_iter=steps).fit(x, t, classes=classes)
        return rounds(fit, X[:, :features], y)

    assert logistic(13, 6) - logistic(12, 6) == 10
    assert logistic(1, 6) - logistic(1, 5) == 10
    assert logistic(13, 6, 3) - logistic(12, 6, 3) == 18
    assert logistic(1, 6) == 10 * 6 + 41
    assert rounds(lambda x, t: learn.LinearRegression().fit(x, t), X, y) == 10 * 6 + 119
    assert rounds(lambda x: learn.StandardScaler().fit(x), X) == 34
