"""Labels of samples and of the axis, as results carry them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["sample_labels"]


def sample_labels(X: Any, n_samples: int) -> tuple[NDArray[Any], str]:
    """Return a label a sample and what the labels are.

    Parameters
    ----------
    X : array-like, DataFrame or DataArray
        The samples.
    n_samples : int
        Their number.

    Returns
    -------
    labels : ndarray of shape (n_samples,)
        Times where the samples have them, else their names, else their numbers from 0.
    name : str
        ``"time"``, ``"sample"``, or the name of a frame's index.
    """
    if isinstance(X, xr.DataArray):
        for name in ("time", "sample"):
            if name in X.coords and X[name].dims == ("sample",):
                return X[name].to_numpy(), name
    if isinstance(X, pd.DataFrame):
        return X.index.to_numpy(), str(X.index.name or "sample")
    return np.arange(n_samples), "sample"
