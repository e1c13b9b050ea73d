"""What all estimators have in common: options, fitted attributes, errors."""

import inspect

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_clusterer, is_regressor
from sklearn.pipeline import make_pipeline

import mpc
from mpc import learn

X = np.random.default_rng(0).normal(size=(12, 3))
Y = X[:, 0] > 0
ESTIMATORS = [getattr(learn, name) for name in learn.__all__]
CLASSIFIERS = [learn.LogisticRegression, learn.GradientBoostingClassifier, learn.RandomForestClassifier]
REGRESSORS = [learn.LinearRegression, learn.Ridge, learn.GradientBoostingRegressor, learn.RandomForestRegressor]


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_options_are_those_of_init_and_survive_a_clone(kind):
    estimator = kind()
    options = {name: p.default for name, p in inspect.signature(kind).parameters.items()}
    assert estimator.get_params() == options
    name = next(iter(options))
    changed = estimator.set_params(**{name: 3})
    assert changed is estimator
    copy = clone(estimator)
    assert copy is not estimator
    assert type(copy) is kind
    assert copy.get_params() == {**options, name: 3}
    assert repr(copy) == f"{kind.__name__}({name}=3)"


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_unknown_options_are_refused_by_name(kind):
    with pytest.raises(mpc.errors.UsageError, match=rf"{kind.__name__}: option 'nonsense': .* options are "):
        kind(nonsense=1)
    with pytest.raises(mpc.errors.UsageError, match="option 'nonsense'"):
        kind().set_params(nonsense=1)


def test_options_of_scikit_learn_that_cannot_be_are_refused_with_the_reason():
    with pytest.raises(mpc.errors.UsageError, match="option 'tol': when to stop would tell about the data; set max_iter"):
        learn.LogisticRegression(tol=1e-3)
    with pytest.raises(mpc.errors.UsageError, match="option 'min_samples_leaf': how many rows a leaf has is secret"):
        learn.RandomForestClassifier(min_samples_leaf=2)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_refused_options_are_no_options(kind):
    assert not set(kind.refused) & set(kind().get_params())


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_unfitted_use_is_an_error(kind, compute):
    use = "predict" if hasattr(kind, "predict") else "transform"
    with pytest.raises(mpc.Error, match=rf"{kind.__name__}.{use}: not fitted yet; call fit first"):
        compute(lambda x: [getattr(kind(), use)(x)], X)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_data_must_be_a_secret_matrix(kind, compute):
    y = [Y] if kind in CLASSIFIERS + REGRESSORS else []
    with pytest.raises(mpc.errors.UsageError, match=rf"{kind.__name__}.fit: X must be a secret tensor, not ndarray"):
        kind().fit(X, *y)
    with pytest.raises(mpc.errors.ShapeError, match=rf"{kind.__name__}.fit: X must be of shape \(rows, features\)"):
        compute(lambda x: [kind().fit(x, *y)], X[:, 0])


@pytest.mark.parametrize("kind", CLASSIFIERS + REGRESSORS)
def test_targets_must_fit_the_rows(kind, compute):
    with pytest.raises(mpc.errors.ShapeError, match=rf"{kind.__name__}.fit: y must be of shape \(12,\)"):
        compute(lambda x, y: [kind().fit(x, y)], X, Y[:5])


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_classes_must_be_public(kind, compute):
    with pytest.raises(mpc.errors.UsageError, match="which classes there are must be public"):
        compute(lambda x, y: [kind().fit(x, y)], X, Y.astype(int))
    with pytest.raises(mpc.errors.OptionError, match="two or more"):
        compute(lambda x, y: [kind().fit(x, y, classes=1)], X, Y.astype(int))


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_labels_must_be_among_the_classes(kind, compute):
    with pytest.raises(mpc.errors.OptionError, match=rf"{kind.__name__}.fit: labels \[2\] are not among the classes \[0, 1\]"):
        compute(lambda x: [kind().fit(x, Y + 1, classes=2)], X)
    for labels, classes in [(Y + 1, 2), (Y - 1, 2), (Y + 2, 3), (Y + 1.0, 2), (Y + 1, [-1, 1])]:
        with pytest.raises(mpc.errors.RangeError, match=rf"'{kind.__name__}.fit': a label is not among the classes"):
            compute(lambda x, y, classes=classes: [kind().fit(x, y, classes=classes)], X, labels)


@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
def test_a_pipeline_of_scikit_learn(compute, protocol):
    def program(x, y):
        model = make_pipeline(learn.StandardScaler(), learn.LogisticRegression(max_iter=5))
        model.fit(x, y, logisticregression__classes=2)
        apart = learn.StandardScaler().fit_transform(x)
        expected = learn.LogisticRegression(max_iter=5).fit(apart, y, classes=2)
        return model.predict(x), expected.predict(apart), model.score(x, y), model.predict_proba(x)[:2]

    found, expected, score, _ = compute(program, X, Y.astype(int), protocol=protocol)
    assert np.array_equal(found, expected)
    assert abs(score - np.mean(found == Y)) < 1e-3


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_scikit_learn_knows_what_an_estimator_is(kind):
    model = kind()
    assert is_classifier(model) == (kind in CLASSIFIERS)
    assert is_regressor(model) == (kind in REGRESSORS)
    assert is_clusterer(model) == (kind is learn.KMeans)


@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
@pytest.mark.parametrize("value", [0.0, 3.1, -1e6])
def test_the_score_of_targets_that_do_not_vary_is_0_or_1(compute, protocol, value):
    constant = np.full(12, value)

    def program(x, y, t):
        right, wrong = learn.LinearRegression().fit(x, y), learn.LinearRegression().fit(x, t)
        return right.score(x, y), wrong.score(x, y), (right.fit(x, y + 2.0**-10)).score(x, y)

    found = compute(program, X, constant, X[:, 0] * 1000, protocol=protocol)
    np.testing.assert_allclose(found, [1, 0, 0], atol=1e-4)


@pytest.mark.parametrize("kind", CLASSIFIERS + REGRESSORS)
def test_public_targets_give_what_secret_ones_do(kind, compute):
    seed = {"random_state": 0} if "random_state" in kind().get_params() else {}
    model = lambda: kind(**seed)

    def program(x, t):
        public = model().fit(x, Y)
        return public.predict(x), model().fit(x, t).predict(x), public.score(x, Y)

    public, secret, score = compute(program, X, Y)
    np.testing.assert_allclose(public, secret, atol=2e-3)
    assert score > 0.4


def test_a_number_of_features_that_does_not_fit_is_an_error(compute):
    with pytest.raises(mpc.errors.ShapeError, match=r"StandardScaler.transform: X has 2 features; .* fitted on 3"):
        compute(lambda x: [learn.StandardScaler().fit(x).transform(x[:, :2])], X)


@pytest.mark.parametrize("kind", [learn.LinearRegression, learn.Ridge, learn.LogisticRegression])
def test_too_many_features_are_refused_before_anything_is_computed(kind):
    def program(party):
        wide = party.input(np.ones((4, 65)) if party.index == 0 else None, 0)
        refused = pytest.raises(mpc.errors.ShapeError, match=rf"{kind.__name__}.fit: X has 65 features, of at most 64")
        with party.measure() as cost, refused:
            kind().fit(wide, np.arange(4) % 2)
        return cost.rounds

    assert mpc.simulate(program) == [0, 0]


@pytest.mark.parametrize(
    "estimator, message",
    [
        (learn.LogisticRegression(C=0), "C=0 must be a positive number"),
        (learn.LogisticRegression(max_iter=2.5), "max_iter=2.5 must be a whole number of 1 or more"),
        (learn.Ridge(alpha=-1), "alpha=-1 must be a number of 0 or more"),
        (learn.KMeans(n_clusters=13), "n_clusters=13 must be at most the number of rows, 12"),
        (learn.KMeans(2, init="first"), r"init='first' must be 'k-means\+\+', 'random' or an array"),
        (learn.PCA(4), "n_components=4 must be at most 3"),
        (learn.PCA(0.9), "n_components=0.9 must be a whole number"),
        (learn.RandomForestClassifier(max_features=9), "max_features=9 must be 'sqrt', None or a number from 1 to 3"),
        (learn.GradientBoostingRegressor(max_bins=1), "max_bins=1 must be a whole number of 2 or more"),
        (learn.GradientBoostingClassifier(l2_regularization=0), "l2_regularization=0 must be a positive number"),
    ],
)
def test_bad_options_are_named(estimator, message, compute):
    y = [Y] if hasattr(estimator, "predict") and not hasattr(estimator, "transform") else []
    with pytest.raises(mpc.errors.OptionError, match=f"{type(estimator).__name__}: {message}"):
        compute(lambda x: [estimator.fit(x, *y)], X)


def test_random_numbers_are_drawn_jointly_where_none_are_given(compute):
    centers = [compute(lambda x: [learn.KMeans(2, max_iter=1).fit(x).cluster_centers_], X, seed=seed)[0] for seed in range(4)]
    assert any(not np.allclose(np.sort(c, 0), np.sort(centers[0], 0), atol=1e-3) for c in centers)
