"""What all estimators have in common: options as scikit-learn's, fitted attributes, and the errors of wrong use."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar, Self

import numpy as np

from mpc.errors import OptionError, UsageError
from mpc.learn.checks import as_secret, matrix, vector
from mpc.learn.scaling import Columns
from mpc.party import JointRandom

_RIGHT = 2.0**-14  # predictions that are off by no more are right


class Estimator:
    """scikit-learn's interface: the options are the arguments of `__init__`, kept as attributes of the same names.

    `fit` sets attributes whose names end in an underscore. They are secret tensors, but for what the shapes tell.
    """

    n_features_in_: int
    _kind: ClassVar[str] = "transformer"  # as scikit-learn calls them
    refused: ClassVar[dict[str, str]] = {}  # options of scikit-learn's that cannot be had on secret data, and why

    def __new__(cls, *args: Any, **options: Any) -> Self:
        for name in options:
            cls._known(name)
        return super().__new__(cls)

    @classmethod
    def _options(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    @classmethod
    def _known(cls, name: str) -> None:
        known = cls._options()
        if name not in known:
            why = cls.refused.get(name, "it is not available for secret data")
            raise UsageError(f"{cls.__name__}: option '{name}': {why}. Its options are {', '.join(known) or 'none'}")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The options by name. `deep` is there for scikit-learn: no option is an estimator."""
        return {name: getattr(self, name) for name in self._options()}

    def set_params(self, **options: Any) -> Self:
        """Change options; returns the estimator."""
        for name, value in options.items():
            self._known(name)
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn's Pipeline asks its steps for; nothing else calls it, so scikit-learn is there."""
        from sklearn.utils import ClassifierTags, RegressorTags, Tags, TargetTags  # type: ignore[import-untyped]

        return Tags(
            estimator_type=self._kind,
            target_tags=TargetTags(required=self._kind in ("classifier", "regressor")),
            classifier_tags=ClassifierTags() if self._kind == "classifier" else None,
            regressor_tags=RegressorTags() if self._kind == "regressor" else None,
        )

    def __repr__(self) -> str:
        defaults = {name: p.default for name, p in inspect.signature(type(self)).parameters.items()}
        changed = [f"{name}={value!r}" for name, value in self.get_params().items() if value is not defaults[name]]
        return f"{type(self).__name__}({', '.join(changed)})"

    def _fitted(self, operation: str) -> None:
        if not hasattr(self, "n_features_in_"):
            raise UsageError(f"{type(self).__name__}.{operation}: not fitted yet; call fit first")

    def _matrix(self, X: Any, operation: str) -> Any:
        """X as a matrix with the features that the estimator was fitted on."""
        self._fitted(operation)
        return matrix(X, f"{type(self).__name__}.{operation}", self.n_features_in_)

    def _generator(self, X: Any) -> np.random.Generator:
        """Public random numbers, the same at every party: from random_state, or from a seed that they draw jointly."""
        if self.get_params()["random_state"] is None:
            return np.random.default_rng(JointRandom(X.context.protocol.endpoint).words(2))
        return np.random.default_rng(self._whole("random_state", least=0))

    def _option(self, name: str, good: bool, wanted: str) -> None:
        if not good:
            raise OptionError(f"{type(self).__name__}: {name}={getattr(self, name)!r} must be {wanted}")

    def _whole(self, name: str, least: int = 1) -> int:
        """An option that must be a whole number."""
        value = getattr(self, name)
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= least
        self._option(name, bool(whole), f"a whole number of {least} or more")
        return int(value)

    def _positive(self, name: str, zero: bool = False) -> float:
        """An option that must be a positive number, or 0 if `zero`."""
        value = getattr(self, name)
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        good = number and np.isfinite(value) and (value > 0 or (zero and value == 0))
        self._option(name, bool(good), "a number of 0 or more" if zero else "a positive number")
        return float(value)


class Transformer(Estimator):
    """An estimator that changes data."""

    def fit_transform(self, X: Any, y: None = None) -> Any:
        """fit(X), then transform(X)."""
        return self.fit(X).transform(X)  # type: ignore[attr-defined]


class Classifier(Estimator):
    """An estimator of labels."""

    _kind = "classifier"

    def score(self, X: Any, y: Any) -> Any:
        """The share of labels that are predicted right: a secret scalar. 4 rounds beyond those of `predict`."""
        name = f"{type(self).__name__}.score"
        y = vector(y, self._matrix(X, "score").shape[0], name)
        return np.mean((self.predict(X) == y).astype(int))  # type: ignore[attr-defined]


class Regressor(Estimator):
    """An estimator of numbers."""

    _kind = "regressor"

    def score(self, X: Any, y: Any) -> Any:
        """R^2, the share of y's variance that is predicted: a secret scalar, with an error of about 2^-14.

        As scikit-learn's, that of a y that does not vary is 1 if predictions are right, else 0: by 2^-14 on average.
        """
        name = f"{type(self).__name__}.score"
        X = self._matrix(X, "score")
        y = as_secret(vector(y, X.shape[0], name), X, name)
        columns, scaled = Columns.fit(y)
        flat = columns.flat
        errors = y - self.predict(X)  # type: ignore[attr-defined]
        wrong: Any = np.mean(np.abs(errors)) > _RIGHT
        # Where y does not vary, what counts is `wrong`; errors could be too large for the units of y.
        both = np.stack([columns.shrink(errors * (1 - flat)), scaled])
        missed, spread = np.mean(both * both, axis=1)
        return 1 - (missed + flat * wrong.astype(int)) / (spread * (1 - flat) + flat)
