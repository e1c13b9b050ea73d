"""PCA beside scikit-learn's, signs included."""

import numpy as np
import pytest
from sklearn import datasets, decomposition, preprocessing

from mpc import learn

IRIS = datasets.load_iris().data
WINE = datasets.load_wine().data
CANCER = preprocessing.StandardScaler().fit_transform(datasets.load_breast_cancer().data)


@pytest.mark.parametrize(
    "protocol, X, count, whiten",
    [
        ("additive", IRIS, 2, False),
        ("plaintext", IRIS, None, True),
        ("plaintext", WINE, 3, False),  # variances from 99000 to 9
        ("plaintext", CANCER, 4, True),
        ("plaintext", IRIS * 1e-2, 2, False),
    ],
)
def test_components(compute, protocol, X, count, whiten):
    X = np.rint(X * 2**16) / 2**16
    reference = decomposition.PCA(count, whiten=whiten, svd_solver="full").fit(X)

    def program(x):
        model = learn.PCA(count, whiten=whiten).fit(x)
        z = model.transform(x)
        variances = model.explained_variance_, model.explained_variance_ratio_, model.singular_values_
        return model.components_, *variances, model.mean_, z, model.inverse_transform(z)

    components, variance, ratio, singular, mean, z, back = compute(program, X, protocol=protocol)
    np.testing.assert_allclose(components, reference.components_, atol=5e-4)
    np.testing.assert_allclose(variance, reference.explained_variance_, rtol=2e-3, atol=3e-5)
    np.testing.assert_allclose(ratio, reference.explained_variance_ratio_, atol=1e-4)
    np.testing.assert_allclose(singular, reference.singular_values_, rtol=2e-3, atol=1e-3)
    np.testing.assert_allclose(mean, reference.mean_, rtol=1e-3, atol=1e-4)
    expected = reference.transform(X)
    np.testing.assert_allclose(z, expected, atol=2e-3 * np.abs(expected).max())
    np.testing.assert_allclose(back, reference.inverse_transform(expected), atol=2e-3 * np.abs(X).max())


def test_rounds(rounds):
    fit = lambda count: rounds(lambda x: learn.PCA(count).fit(x), IRIS[:30])
    assert fit(2) - fit(1) == 159
