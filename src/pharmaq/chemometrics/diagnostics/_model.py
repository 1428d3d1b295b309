"""The latent-variable model inside what the user fitted, and the samples as it sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from sklearn.pipeline import Pipeline

from pharmaq._checks import as_float, check_finite
from pharmaq.chemometrics._base import new_matrix, require_fitted
from pharmaq.chemometrics.calibration import Calibration
from pharmaq.chemometrics.latent import LatentVariableModel
from pharmaq.errors import InputError, InputTypeError
from pharmaq.spectra import as_spectra

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]


class Seen(NamedTuple):
    """A model, and samples as it sees them: preprocessed, checked, as an array."""

    model: Any
    values: Matrix
    sample: NDArray[Any]

    @property
    def scaled(self) -> Matrix:
        """The samples, centred and scaled as the model is."""
        return (self.values - self.model.x_mean_) / self.model.x_scale_


def seen(fitted: Any, X: Any) -> Seen:
    """Return the model in a calibration or pipeline, and the samples as they reach it."""
    require_fitted(fitted)
    sample = labels_of(X)
    if isinstance(fitted, Calibration):
        if isinstance(X, xr.DataArray | pd.DataFrame):
            kind: Any = None if isinstance(X, xr.DataArray) else fitted.axis_kind_
            X = as_spectra(X, kind=kind)
        else:
            X = np.atleast_2d(as_float("X", X))
        model, X = fitted.pls_, fitted.recipe_.transform(X)
    elif isinstance(fitted, Pipeline):
        model = fitted.steps[-1][1]
        X = fitted[:-1].transform(X) if len(fitted.steps) > 1 else X
    else:
        model = fitted
    if not isinstance(model, LatentVariableModel):
        msg = (
            "model must be a PCA, PLS, PCR or another model with scores and loadings, a "
            f"Calibration or a pipeline that ends in one, got {fitted!r}"
        )
        raise InputTypeError(msg)
    values = new_matrix(model, X)
    check_finite("X", values)
    return Seen(model, values, sample)


def labels_of(X: Any) -> NDArray[Any]:
    """Return the label of each sample, its number where it has none."""
    if isinstance(X, xr.DataArray) and "sample" in X.coords:
        return np.asarray(X["sample"].to_numpy())
    if isinstance(X, pd.DataFrame):
        return X.index.to_numpy()
    return np.arange(len(X) if np.ndim(X) > 1 else 1)


def variables_of(model: Any) -> tuple[NDArray[Any], str]:
    """Return the position or the name of each variable, and what kind of label that is."""
    if model.axis_ is not None:
        return np.asarray(model.axis_), str(model.axis_kind_)
    if hasattr(model, "feature_names_in_"):
        return np.asarray(model.feature_names_in_), "name"
    return np.arange(model.n_features_in_), "point"


def reference_of(X: Any, y: Any, n_samples: int, n_responses: int) -> Matrix:
    """Return reference values as (n_samples, n_responses); `y` may name a coordinate of X."""
    if isinstance(y, str):
        if not isinstance(X, xr.DataArray) or y not in X.coords:
            msg = f"y = {y!r} is no sample coordinate of X; give the reference values"
            raise InputError(msg)
        y = X[y].to_numpy()
    values = as_float("y", y)
    allowed = [(n_samples, n_responses), *([(n_samples,)] if n_responses == 1 else [])]
    if values.shape not in allowed:
        msg = f"y must have shape {' or '.join(map(str, allowed))}, got {values.shape}"
        raise InputError(msg)
    check_finite("y", values)
    return values.reshape(n_samples, n_responses)
