"""Predictions of left-out samples, fold by fold, in the form that suits the data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pandas as pd
import xarray as xr
from sklearn.base import clone
from sklearn.model_selection import LeaveOneOut
from tqdm import tqdm

from pharmaq.chemometrics._fastcv import folds_together, leave_one_out, masked_path
from pharmaq.chemometrics._gramcv import point_products_path, sample_products_path
from pharmaq.chemometrics.pls import PLS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


class Folds(Sequence["Fold"]):
    """Training and test rows of each fold.

    Training rows that are all rows but the test rows are made when they are asked for: those of
    leave-one-out, all at once, would take more room than the spectra.

    Parameters
    ----------
    pairs : iterable of (train, test)
        Row numbers, as a splitter gives them.
    n_samples : int
        Number of rows.
    """

    def __init__(self, pairs: Iterable[Fold], n_samples: int) -> None:
        self.n_samples = n_samples
        self.tests: list[NDArray[np.intp]] = []
        self._trains: list[NDArray[np.intp] | None] = []
        for train, test in pairs:
            self.tests.append(np.asarray(test))
            rest = np.array_equal(self._others(test), train)
            self._trains.append(None if rest else np.asarray(train))

    @classmethod
    def of_splitter(
        cls, splitter: Any, n_samples: int, y: NDArray[np.float64], groups: Any
    ) -> Folds:
        """Return the folds of a splitter."""
        if not isinstance(splitter, LeaveOneOut):
            return cls(splitter.split(np.empty((n_samples, 1)), y, groups), n_samples)
        folds = cls([], n_samples)
        folds.tests = list(np.arange(n_samples)[:, None])
        folds._trains = [None] * n_samples
        return folds

    def _others(self, test: NDArray[np.intp]) -> NDArray[np.intp]:
        others = np.ones(self.n_samples, dtype=bool)
        others[test] = False
        return np.flatnonzero(others)

    def __len__(self) -> int:
        return len(self.tests)

    @overload
    def __getitem__(self, index: int) -> Fold: ...
    @overload
    def __getitem__(self, index: slice) -> list[Fold]: ...
    def __getitem__(self, index: int | slice) -> Fold | list[Fold]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        train, test = self._trains[index], self.tests[index]
        return (self._others(test) if train is None else train), test

    def train_sizes(self) -> NDArray[np.intp]:
        """Return the number of training rows of each fold."""
        return np.array(
            [
                self.n_samples - len(test) if train is None else len(train)
                for train, test in zip(self._trains, self.tests, strict=True)
            ]
        )

    def train_means(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean of y over the training rows, one entry a fold."""
        y_mean = y.mean(axis=0)
        centered = y - y_mean
        means = [
            -centered[test].sum(axis=0) / (self.n_samples - len(test))
            if train is None
            else centered[train].mean(axis=0)
            for train, test in zip(self._trains, self.tests, strict=True)
        ]
        return np.stack(means) + y_mean

    def share_out(self) -> bool:
        """Tell whether every row is left out once and trained on by all other folds."""
        if any(train is not None for train in self._trains):
            return False
        return np.array_equal(np.sort(np.concatenate(self.tests)), np.arange(self.n_samples))


def fold_paths(
    steps: list[Any],
    model: Any,
    X: Any,
    y: NDArray[np.float64],
    folds: Folds,
    progress: bool,
) -> tuple[list[NDArray[np.float64]], NDArray[np.intp], str]:
    """Return the predictions of each fold, its usable components, and how they came about."""
    if steps or not _has_quick_form(model, y):
        return _refit(steps, model, X, y, folds, progress)
    if not model.scale and len(folds) == len(y) and folds.share_out():
        paths, usable, algorithm = leave_one_out(X, y, model.n_components)
        order = np.concatenate(folds.tests)
        return [paths[i] for i in order], usable[order], algorithm
    if not model.scale:
        quick, algorithm = _from_cross_products(X, y, folds, model.n_components)
        if quick is not None:
            return quick, np.full(len(folds), model.n_components), algorithm
    paths, usable = masked_path(X, y, folds, model.n_components, scale=model.scale)
    return paths, usable, "bidiagonalisation of all folds together"


def _has_quick_form(model: Any, y: NDArray[np.float64]) -> bool:
    return y.ndim == 1 and isinstance(model, PLS) and model.missing == "raise"


def _from_cross_products(
    X: NDArray[np.float64], y: NDArray[np.float64], folds: Folds, n_components: int
) -> tuple[list[NDArray[np.float64]] | None, str]:
    """Return predictions from the smaller cross-product, or None where digits were lost."""
    n_samples, n_points = X.shape
    if n_samples <= n_points:
        together = folds_together(n_samples, n_points, n_components * n_samples)
        paths = sample_products_path(X, y, folds, n_components, together)
        return paths, "cross-products of the samples"
    if n_samples >= 4 * n_points and len(folds) <= 50 and folds.share_out():
        paths = point_products_path(X, y, folds, n_components)
        return paths, "cross-products of the folds"
    return None, ""


def _refit(
    steps: list[Any],
    model: Any,
    X: Any,
    y: NDArray[np.float64],
    folds: Folds,
    progress: bool,
) -> tuple[list[NDArray[np.float64]], NDArray[np.intp], str]:
    paths, usable = [], []
    bar = tqdm(folds, desc="cross-validation", unit="fold", disable=None if progress else True)
    for train, test in bar:
        path, count = predict_fold(steps, model, X, y, train, test)
        paths.append(path)
        usable.append(count)
    return paths, np.array(usable), "refit in every fold"


def predict_fold(
    steps: list[Any],
    model: Any,
    X: Any,
    y: NDArray[np.float64],
    train: NDArray[np.intp],
    test: NDArray[np.intp],
) -> tuple[NDArray[np.float64], int]:
    """Fit on the training rows and predict the test rows with 1 to A components."""
    seen, unseen = rows_of(X, train), rows_of(X, test)
    for step in steps:
        fitted = clone(step).fit(seen, y[train])
        seen, unseen = fitted.transform(seen), fitted.transform(unseen)
    return _one_fold(model, np.asarray(seen), np.asarray(unseen), y[train])


def _one_fold(
    model: Any, seen: NDArray[np.float64], unseen: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], int]:
    """Return the predictions of the unseen rows and the components the seen ones carry."""
    if not _has_quick_form(model, y):
        return clone(model).fit(seen, y).predict_path(unseen), model.n_components
    rows = np.arange(len(seen) + len(unseen))
    fold = (rows[: len(seen)], rows[len(seen) :])
    known = np.concatenate([y, np.full(len(unseen), y.mean())])
    paths, usable = masked_path(
        np.vstack([seen, unseen]), known, [fold], model.n_components, scale=model.scale
    )
    return paths[0], int(usable[0])


def rows_of(X: Any, index: NDArray[np.intp]) -> Any:
    if isinstance(X, xr.DataArray):
        return X.isel(sample=index)
    return X.iloc[index] if isinstance(X, pd.DataFrame) else np.asarray(X)[index]
