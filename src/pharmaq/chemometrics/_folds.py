"""Predictions of left-out samples, fold by fold, in the form that suits the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from sklearn.base import clone
from tqdm import tqdm

from pharmaq.chemometrics._fastcv import gram_path, leave_one_out, masked_path
from pharmaq.chemometrics.pls import PLS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


def fold_paths(
    steps: list[Any],
    model: Any,
    X: Any,
    y: NDArray[np.float64],
    folds: list[Fold],
    progress: bool,
) -> tuple[list[NDArray[np.float64]], NDArray[np.intp], str]:
    """Return the predictions of each fold, its usable components, and how they came about."""
    if steps or not _has_quick_form(model, y):
        return _refit(steps, model, X, y, folds, progress)
    if not model.scale and _leaves_each_out(folds, len(y)):
        paths, usable = leave_one_out(X, y, model.n_components)
        order = [int(test[0]) for _, test in folds]
        chosen = [paths[i] for i in order]
        return chosen, usable[order], "leave-one-out from one singular value decomposition"
    if not model.scale and _suits_cross_products(X, folds):
        quick = gram_path(X, y, folds, model.n_components)
        if quick is not None:
            full = np.full(len(folds), model.n_components)
            return quick, full, "cross-products of the folds"
    paths, usable = masked_path(X, y, folds, model.n_components, scale=model.scale)
    return paths, usable, "bidiagonalisation of all folds together"


def _has_quick_form(model: Any, y: NDArray[np.float64]) -> bool:
    return y.ndim == 1 and isinstance(model, PLS) and model.missing == "raise"


def _suits_cross_products(X: Any, folds: list[Fold]) -> bool:
    """Tell whether there are many samples for the points, shared out among few folds."""
    n_samples, n_points = np.shape(X)
    if n_samples < 4 * n_points or len(folds) > 50:
        return False
    tests = np.concatenate([test for _, test in folds])
    complete = all(len(train) + len(test) == n_samples for train, test in folds)
    return complete and np.array_equal(np.sort(tests), np.arange(n_samples))


def _leaves_each_out(folds: list[Fold], n_samples: int) -> bool:
    single = all(len(test) == 1 and len(train) == n_samples - 1 for train, test in folds)
    return single and sorted(int(test[0]) for _, test in folds) == list(range(n_samples))


def _refit(
    steps: list[Any],
    model: Any,
    X: Any,
    y: NDArray[np.float64],
    folds: list[Fold],
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
