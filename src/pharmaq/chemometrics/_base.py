"""What every estimator shares: containers in and out, the remembered axis, checks."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.sparse import issparse
from sklearn.exceptions import NotFittedError as SklearnNotFittedError
from sklearn.utils.validation import check_is_fitted, validate_data

from pharmaq._checks import as_float, check_finite
from pharmaq.chemometrics._missing import check_observed
from pharmaq.errors import AxisError, InputError, InputTypeError, PharmaqError
from pharmaq.spectra import AXIS_UNITS, axis_difference, axis_values, header_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray


class NotFittedError(PharmaqError, SklearnNotFittedError):
    """An estimator is used before it was fitted."""


def fit_matrix(estimator: Any, X: Any, *, least: int = 1) -> NDArray[np.float64]:
    """Check the X of `fit`, remember its axis, and return it as a C-ordered float array."""
    values, estimator.axis_, kind = split_container(X)
    estimator.axis_kind_ = kind
    return _validated(estimator, values, reset=True, least=least)


def new_matrix(estimator: Any, X: Any, *, finite: bool = True) -> NDArray[np.float64]:
    """Check X against what was fitted: same axis, same number of points; return the array.

    With ``finite=False`` NaN and infinity pass, for callers that see them in what they compute.
    """
    require_fitted(estimator)
    values, axis, kind = split_container(X)
    if axis is not None and estimator.axis_ is not None:
        problem = difference_of_axes(estimator, axis, str(kind))
        if problem:
            msg = (
                f"X has another axis than the spectra {type(estimator).__name__} was fitted "
                f"on: {problem}; bring X onto the fitted axis first"
            )
            raise AxisError(msg)
    return _validated(estimator, values, reset=False, least=1, finite=finite)


def difference_of_axes(estimator: Any, axis: NDArray[np.float64], kind: str) -> str:
    """Describe how an axis differs from the fitted one; empty text if it does not."""
    if kind != estimator.axis_kind_:
        return (
            f"{kind} in {AXIS_UNITS[kind]} instead of {estimator.axis_kind_} in "
            f"{AXIS_UNITS[estimator.axis_kind_]} (convert_axis turns one into the other)"
        )
    return axis_difference(estimator.axis_, axis)


def require_fitted(estimator: Any) -> None:
    """Raise if the estimator was not fitted."""
    try:
        check_is_fitted(estimator)
    except SklearnNotFittedError:
        name = type(estimator).__name__
        msg = f"this {name} is not fitted yet; call fit before using it"
        raise NotFittedError(msg) from None


def check_response(
    y: ArrayLike | None, n_samples: int, *, name: str = "y"
) -> NDArray[np.float64]:
    """Return the response as an array of shape (n_samples,) or (n_samples, n_responses)."""
    if y is None:
        msg = "y is missing: this estimator requires y to be passed, but the target y is None"
        raise InputError(msg)
    response = as_float(name, y)
    if response.ndim not in (1, 2) or len(response) != n_samples:
        msg = (
            f"{name} must have shape ({n_samples},) or ({n_samples}, n_responses) to match the "
            f"{n_samples} rows of X, got {response.shape}"
        )
        raise InputError(msg)
    check_finite(name, response)
    columns = response.reshape(n_samples, -1)
    constant = np.flatnonzero(np.ptp(columns, axis=0) == 0)
    # a single sample is another problem, and has its own message
    if constant.size and n_samples > 1:
        place = f"column {constant[0]} of {name}" if response.ndim == 2 else name
        msg = f"{place} is constant ({columns[0, constant[0]]:g}); there is nothing to model"
        raise InputError(msg)
    return response


def like_rows(X: Any, values: NDArray[np.float64]) -> Any:
    """Give one value a row the container of X: DataArray, Series or array."""
    X = labelled(X)
    if isinstance(X, xr.DataArray):
        return _sample_array(X, values, ("sample",), {})
    if isinstance(X, pd.DataFrame):
        return pd.Series(values, index=X.index)
    return values


def like_columns(X: Any, values: NDArray[np.float64], names: list[str], dim: str) -> Any:
    """Give new columns (scores, responses) the container of X."""
    X = labelled(X)
    if isinstance(X, xr.DataArray):
        return _sample_array(X, values, ("sample", dim), {dim: names})
    if isinstance(X, pd.DataFrame):
        return pd.DataFrame(values, index=X.index, columns=names)
    return values


def labelled(X: Any) -> Any:
    """Return what carries the labels of the rows: of several blocks the first."""
    return next(iter(X.values())) if is_blocks(X) else X


def is_blocks(X: Any) -> bool:
    """Tell whether X is a dictionary of blocks; some sparse matrices are dictionaries too."""
    return isinstance(X, dict) and not issparse(X)


def like_points(
    X: Any,
    values: NDArray[np.float64],
    *,
    keep: NDArray[np.intp] | None = None,
    same_quantity: bool = True,
) -> Any:
    """Give transformed spectra the container and labels of X; `keep` are the points left.

    Where the values are no longer what they were (absorbance, say), the label says so.
    """
    if isinstance(X, xr.DataArray):
        rows = X.transpose("sample", ...) if "sample" in X.dims else X
        part = rows if keep is None else rows.isel({rows.dims[1]: keep})
        out = part.copy(data=values)
        return out if same_quantity else out.assign_attrs(quantity="unknown")
    if isinstance(X, pd.DataFrame):
        columns = X.columns if keep is None else X.columns[keep]
        return pd.DataFrame(values, index=X.index, columns=columns)
    return values


def _sample_array(
    X: xr.DataArray, values: NDArray[np.float64], dims: tuple[str, ...], extra: dict[str, Any]
) -> xr.DataArray:
    labels = {k: c for k, c in X.coords.items() if c.dims == ("sample",)}
    return xr.DataArray(values, dims=dims, coords={**labels, **extra})


def split_container(X: Any) -> tuple[Any, NDArray[np.float64] | None, str | None]:
    """Return the values, the axis and its kind, as far as the container knows them."""
    if isinstance(X, xr.DataArray):
        return _split_dataarray(X)
    if isinstance(X, pd.DataFrame):
        return _split_frame(X)
    return X, None, None


def _split_dataarray(
    X: xr.DataArray,
) -> tuple[Any, NDArray[np.float64] | None, str | None]:
    if X.ndim != 2:
        msg = (
            f"X must have two dimensions, got {X.dims}; one spectrum is X.expand_dims('sample')"
        )
        raise InputError(msg)
    kinds = [str(dim) for dim in X.dims if dim in AXIS_UNITS]
    if len(kinds) != 1 or kinds[0] not in X.coords:
        return X.to_numpy(), None, None
    others = [dim for dim in X.dims if dim != kinds[0]]
    return X.transpose(*others, kinds[0]).to_numpy(), axis_values(X), kinds[0]


def _split_frame(X: pd.DataFrame) -> tuple[Any, NDArray[np.float64] | None, str | None]:
    read = [header_number(column) for column in X.columns]
    plain = [str(column) for column, r in zip(X.columns, read, strict=True) if r is None]
    points = [r for r in read if r is not None]
    if not points:
        return X, None, None
    if plain:
        msg = (
            f"X mixes spectral columns with others ({', '.join(plain[:3])}); keep the "
            "spectral columns only, or use pharmaq.spectra.as_spectra"
        )
        raise InputError(msg)
    axis = np.array([position for position, _ in points])
    # the units decide the kind; a frame without them has an axis of unnamed positions
    unit = points[0][1]
    kind = "wavelength" if unit in {None, "nm"} else "wavenumber"
    return X.to_numpy(), axis, kind


def _validated(
    estimator: Any, X: Any, *, reset: bool, least: int, finite: bool = True
) -> NDArray[np.float64]:
    with as_pharmaq_errors():
        values = validate_data(
            estimator,
            X,
            reset=reset,
            dtype=np.float64,
            order="C",
            ensure_all_finite=False,
        )
    if len(values) < least:
        name = type(estimator).__name__
        msg = f"X holds {len(values)} sample(s), but {name} needs at least {least}; add spectra"
        raise InputError(msg)
    if getattr(estimator, "missing", "raise") != "raise":
        check_observed("X", values)
    elif finite:
        check_finite("X", values)
    return values


@contextmanager
def as_pharmaq_errors() -> Iterator[None]:
    """Turn scikit-learn's complaints about arguments into pharmaq's own."""
    try:
        yield
    except PharmaqError:
        raise
    except TypeError as error:
        raise InputTypeError(str(error)) from None
    except ValueError as error:
        raise InputError(" ".join(str(error).split())) from None
