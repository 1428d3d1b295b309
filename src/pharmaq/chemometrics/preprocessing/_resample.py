"""Interpolation of spectra onto another axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

import numpy as np
import pandas as pd
import xarray as xr
from scipy.interpolate import CubicSpline
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from pharmaq._checks import check_choice
from pharmaq.chemometrics._base import (
    difference_of_axes,
    fit_matrix,
    like_points,
    new_matrix,
    require_fitted,
)
from pharmaq.chemometrics.preprocessing._shared import require_points
from pharmaq.errors import AxisError
from pharmaq.spectra import AXIS_UNITS, AxisKind, as_spectra, axis_values, header_number

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

ResampleMethod = Literal["linear", "cubic"]

# positions that a file rounded may miss the end of an axis by this share of a step
_ROUNDED = 0.01


class Resample(TransformerMixin, BaseEstimator):
    """Interpolate spectra onto one axis, whatever axis of that kind they come on.

    Parameters
    ----------
    axis : array-like of shape (n_out,), optional
        Positions to interpolate at, strictly up or strictly down. By default the axis of the
        fitted spectra, so that later spectra are brought onto the axis of the calibration.
    kind : {"wavelength", "wavenumber", "raman_shift"}, optional
        Kind of that axis, to have it checked: it must be the kind of the fitted spectra.
    method : {"linear", "cubic"}, default "linear"
        ``"linear"``: straight lines between neighbours. ``"cubic"``: cubic spline through all
        points, with not-a-knot ends.

    Attributes
    ----------
    target_axis_ : ndarray of shape (n_out,) or None
        Axis of the results; None for data without one, which stay as they are.
    axis_, axis_kind_, n_features_in_
        As in `SNV`.

    Notes
    -----
    Other steps refuse spectra whose axis is not the one they were fitted on; this one takes
    them, and has to stand first. Nothing is extrapolated: spectra must cover the whole target
    axis, within 1 % of a step. Spectra without labels are taken to lie on the fitted axis. A
    value at a position that the spectra hold is not changed. NaN raises.

    Interpolation does not change the resolution: spectra of an instrument with wider bands
    remain those, and linear interpolation smooths noise between points more than at them.

    Examples
    --------
    >>> from pharmaq.spectra import as_spectra
    >>> spectra = as_spectra([[1.0, 2.0, 4.0]], axis=[1100, 1110, 1120])
    >>> Resample([1105, 1120]).fit_transform(spectra).values
    array([[1.5, 4. ]])
    """

    learns_from_samples: ClassVar[bool] = False

    def __init__(
        self,
        axis: ArrayLike | None = None,
        *,
        kind: AxisKind | None = None,
        method: ResampleMethod = "linear",
    ) -> None:
        self.axis = axis
        self.kind = kind
        self.method = method

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Learn the axis that spectra are brought onto.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra, at least two points each; with an axis, unless `axis` is None.
        y : object
            Not used.

        Returns
        -------
        Resample
            The fitted transformer.

        Raises
        ------
        AxisError
            If the spectra have no axis, one of another kind, or do not cover `axis`.
        """
        check_choice("method", self.method, get_args(ResampleMethod))
        require_points(fit_matrix(self, X), 2)
        if self.kind is not None:
            check_choice("kind", self.kind, AXIS_UNITS)
        if self.axis_ is None and (self.axis is not None or self.kind is not None):
            msg = "X has no axis to resample from; label it with pharmaq.spectra.as_spectra"
            raise AxisError(msg)
        if self.kind not in {None, self.axis_kind_}:
            msg = (
                f"kind is {self.kind!r}, but X has a {self.axis_kind_!r} axis; use convert_axis"
            )
            raise AxisError(msg)
        self.target_axis_ = self.axis_
        if self.axis_ is not None:
            target = self.axis_ if self.axis is None else self.axis
            self.target_axis_ = _checked(target, self.axis_kind_)
            _require_cover(self.axis_, self.target_axis_)
        return self

    def transform(self, X: Any) -> Any:
        """Return the spectra on the target axis, in the container of `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on any axis of the fitted kind that covers the target axis.

        Returns
        -------
        array, DataFrame or DataArray
            Shape (n_samples, n_out); sample labels and units as in `X`.

        Raises
        ------
        AxisError
            If the spectra do not cover the target axis, or have an axis of another kind.
        """
        values, axis = self._with_axis(X)
        target = self.target_axis_
        if axis is None or target is None or np.array_equal(axis, target):
            return like_points(X, values.copy())
        _require_cover(axis, target)
        return _relabelled(X, _interpolated(values, axis, target, self.method), target)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the points: as they came, or their positions.

        Parameters
        ----------
        input_features : array-like of str, optional
            Names of the points of `X`.

        Returns
        -------
        ndarray of str
            One name a point of the target axis.
        """
        names = OneToOneFeatureMixin.get_feature_names_out(self, input_features)
        if self.axis_ is None or np.array_equal(self.axis_, self.target_axis_):
            return np.asarray(names)
        return np.array([f"{position:.10g}" for position in self.target_axis_], dtype=object)

    def _with_axis(self, X: Any) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Return values and axis of new spectra, which may be another than the fitted one."""
        require_fitted(self)
        # an estimator of its own, for the fitted one holds X to its axis
        own = Resample()
        values = fit_matrix(own, X)
        if own.axis_ is None or self.axis_ is None:
            return new_matrix(self, X), self.axis_
        if own.axis_kind_ != self.axis_kind_:
            problem = difference_of_axes(self, own.axis_, str(own.axis_kind_))
            msg = f"X has another kind of axis than the fitted spectra: {problem}"
            raise AxisError(msg)
        require_points(values, 2)
        return values, _checked(own.axis_, own.axis_kind_)


def _checked(axis: ArrayLike, kind: AxisKind) -> NDArray[np.float64]:
    """Return an axis that is finite and strictly monotonic."""
    carrier = np.zeros((1, max(1, np.size(axis))))
    return axis_values(as_spectra(carrier, axis=axis, kind=kind))


def _require_cover(axis: NDArray[np.float64], target: NDArray[np.float64]) -> None:
    slack = _ROUNDED * np.abs(np.diff(axis)).min()
    low, high = axis.min(), axis.max()
    outside = (target < low - slack) | (target > high + slack)
    if outside.any():
        msg = (
            f"the spectra run from {low:.8g} to {high:.8g} and do not cover the axis to "
            f"resample onto, {target.min():.8g} to {target.max():.8g} ({outside.sum()} of "
            f"{target.size} points lie outside); cut it, for nothing is extrapolated"
        )
        raise AxisError(msg)


def _interpolated(
    values: NDArray[np.float64],
    axis: NDArray[np.float64],
    target: NDArray[np.float64],
    method: ResampleMethod,
) -> NDArray[np.float64]:
    order = np.argsort(axis)
    x, spectra = axis[order], values[:, order]
    at = np.clip(target, x[0], x[-1])
    if method == "cubic":
        # row by row: the bits of a spectrum do not depend on how many there are
        return np.array([CubicSpline(x, row)(at) for row in spectra])
    left = np.searchsorted(x, at, side="right") - 1
    right = np.minimum(left + 1, x.size - 1)
    width = x[right] - x[left]
    share = np.divide(at - x[left], width, out=np.zeros_like(at), where=width > 0)
    below = np.ascontiguousarray(spectra[:, left])
    return below + share * (spectra[:, right] - below)


def _relabelled(X: Any, values: NDArray[np.float64], target: NDArray[np.float64]) -> Any:
    """Give the container of X to values on another axis."""
    if isinstance(X, xr.DataArray):
        kind = next(str(dim) for dim in X.dims if dim in AXIS_UNITS)
        sample = next(dim for dim in X.dims if dim != kind)
        labels = {name: c for name, c in X.coords.items() if kind not in c.dims}
        labels[kind] = xr.DataArray(target, dims=kind, attrs=X[kind].attrs)
        return xr.DataArray(values, labels, (sample, kind), name=X.name, attrs=X.attrs)
    if isinstance(X, pd.DataFrame):
        return pd.DataFrame(values, index=X.index, columns=_headers(X, target))
    return values


def _headers(X: pd.DataFrame, target: NDArray[np.float64]) -> list[Any]:
    """Return positions as headers, with the unit where the headers of X have one."""
    read = [header_number(column) for column in X.columns]
    unit = next((r[1] for r in read if r is not None), None)
    if unit is None:
        return list(target)
    return [f"{position:.10g} {'nm' if unit == 'nm' else 'cm-1'}" for position in target]
