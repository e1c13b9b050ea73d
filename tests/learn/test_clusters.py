"""KMeans beside scikit-learn's."""

import numpy as np
import pytest
from sklearn import cluster, datasets

from mpc import learn

IRIS = np.rint(datasets.load_iris().data * 2**16) / 2**16
WINE = np.rint(datasets.load_wine().data * 2**16) / 2**16


def by_first(centers):
    return centers[np.argsort(centers[:, 0])]


@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
def test_the_same_start_gives_the_same_clusters(compute, protocol):
    start = IRIS[[0, 60, 120]]
    reference = cluster.KMeans(3, init=start, n_init=1).fit(IRIS)

    def program(x):
        model = learn.KMeans(3, init=start, max_iter=reference.n_iter_).fit(x)
        return model.cluster_centers_, model.labels_, model.inertia_, model.predict(x), model.transform(x), model.score(x)

    centers, labels, inertia, predicted, distances, score = compute(program, IRIS, protocol=protocol)
    np.testing.assert_allclose(centers, reference.cluster_centers_, atol=1e-3)
    assert np.array_equal(labels, reference.labels_)
    assert np.array_equal(predicted, labels)
    np.testing.assert_allclose(distances, reference.transform(IRIS), atol=2e-3)
    assert abs(inertia / reference.inertia_ - 1) < 1e-3
    assert abs(score / reference.score(IRIS) - 1) < 1e-3


@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("X", [IRIS, WINE], ids=["iris", "wine"])
def test_the_best_of_several_starts(compute, init, X):
    program = lambda x: [learn.KMeans(3, init=init, n_init=4, random_state=1, max_iter=15).fit(x).cluster_centers_]
    reference = cluster.KMeans(3, n_init=10, random_state=0).fit(X)
    (centers,) = compute(program, X)
    np.testing.assert_allclose(by_first(centers), by_first(reference.cluster_centers_), rtol=0.02, atol=0.02)


def test_starts_of_kmeans_plus_plus_are_rows_apart(compute):
    """With weights by squared distance, four points far from each other are all drawn, wherever it begins."""
    X = np.repeat(np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0], [100.0, 100.0]]), 5, axis=0)
    for seed in range(3):
        (centers,) = compute(
            lambda x, seed=seed: [learn.KMeans(4, n_init=1, max_iter=1, random_state=seed).fit(x).cluster_centers_], X
        )
        assert len(np.unique(np.rint(centers), axis=0)) == 4


def test_an_empty_cluster_keeps_its_centre(compute):
    start = np.array([[0.0, 0.0], [10.0, 10.0], [500.0, 500.0]])
    X = np.array([[0.0, 1.0], [1.0, 0.0], [9.0, 10.0], [10.0, 11.0]])
    (centers,) = compute(lambda x: [learn.KMeans(3, init=start, max_iter=2).fit(x).cluster_centers_], X, protocol="additive")
    np.testing.assert_allclose(centers, [[0.5, 0.5], [9.5, 10.5], [500, 500]], atol=0.01)


def test_fit_predict_gives_the_labels(compute):
    def program(x):
        model = learn.KMeans(3, max_iter=2, random_state=0)
        return model.fit_predict(x), model.labels_, model.predict(x)

    found, labels, predicted = compute(program, IRIS[::5])
    assert np.array_equal(found, labels)
    assert np.array_equal(found, predicted)


def test_rounds(rounds):
    fit = lambda k, steps: rounds(lambda x: learn.KMeans(k, max_iter=steps, random_state=0).fit(x), IRIS[:40])
    assert fit(3, 3) - fit(3, 2) == 22
    assert fit(4, 2) - fit(3, 2) == 12
