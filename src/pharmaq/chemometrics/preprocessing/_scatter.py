"""Scatter correction: every spectrum brought to a common offset and slope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from pharmaq._checks import as_float, check_choice, check_finite
from pharmaq.chemometrics._base import fit_matrix, like_points, new_matrix
from pharmaq.chemometrics.preprocessing._shared import (
    require_finite,
    require_points,
    warn_of_spectra,
)
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class SNV(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Standard normal variate: centre and scale every spectrum by itself [1]_.

    Attributes
    ----------
    axis_ : ndarray of shape (n_points,) or None
        Axis of the fitted spectra.
    axis_kind_ : str or None
        Kind of that axis.
    n_features_in_ : int
        Number of points.

    Notes
    -----
    z = (x - mean(x)) / s(x), with s the standard deviation over the points of one spectrum,
    divisor n - 1. NaN raises; a spectrum without any variation (a dead detector) has s = 0:
    it is centred only, and a `DegenerateSpectrumWarning` names
    it.

    References
    ----------
    .. [1] R. J. Barnes, M. S. Dhanoa, S. J. Lister, Appl. Spectrosc. 43 (1989) 772-777.

    Examples
    --------
    >>> SNV().fit_transform([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    array([[-1.,  0.,  1.],
           [-1.,  0.,  1.]])
    """

    learns_from_samples: ClassVar[bool] = False

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Remember the axis of the spectra.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra, at least two points each.
        y : object
            Not used.

        Returns
        -------
        SNV
            The fitted transformer.
        """
        values = fit_matrix(self, X)
        require_points(values, 2)
        return self

    def transform(self, X: Any) -> Any:
        """Return the spectra centred and scaled, in the container of `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis.

        Returns
        -------
        array, DataFrame or DataArray
            Same shape and labels as `X`; dimensionless.
        """
        out = self.apply(new_matrix(self, X, finite=False))
        return like_points(X, out, same_quantity=False)

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Do what `transform` does on an array that was checked already.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_points)
            Finite float64 values in C order on the fitted axis.

        Returns
        -------
        ndarray
            As `transform` gives them, bit for bit.
        """
        from pharmaq.chemometrics.preprocessing import _kernels

        out, spread = np.empty_like(values), np.empty(len(values))
        _kernels.snv(values, out, spread)
        judge_spread(values, spread)
        return out


def judge_spread(values: NDArray[np.float64], spread: NDArray[np.float64]) -> None:
    """Raise or warn about spectra that SNV cannot scale, from their standard deviations."""
    require_finite(values, spread)
    problem = "is the same at all points and has no scale for SNV; it was centred only"
    warn_of_spectra(spread == 0, problem)


class MSC(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Multiplicative scatter correction against a reference spectrum [1]_.

    Parameters
    ----------
    reference : {"mean", "median"} or array-like of shape (n_points,), default "mean"
        The spectrum that all others are brought to: mean or median of the fitted spectra, or
        one that is given.

    Attributes
    ----------
    reference_ : ndarray of shape (n_points,)
        The reference in use; part of the model, for it decides every later result.
    axis_, axis_kind_, n_features_in_
        As in `SNV`.

    Notes
    -----
    Least squares x = a + b * reference over the points of each spectrum, then (x - a) / b.
    NaN raises; a spectrum with b = 0 is centred only, and a `DegenerateSpectrumWarning` names
    it.

    References
    ----------
    .. [1] P. Geladi, D. MacDougall, H. Martens, Appl. Spectrosc. 39 (1985) 491-500.

    Examples
    --------
    >>> MSC(reference=[1.0, 2.0, 4.0]).fit_transform([[3.0, 5.0, 9.0]])
    array([[1., 2., 4.]])
    """

    def __init__(self, *, reference: Literal["mean", "median"] | ArrayLike = "mean") -> None:
        self.reference = reference

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Learn the reference spectrum.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Calibration spectra.
        y : object
            Not used.

        Returns
        -------
        MSC
            The fitted transformer.
        """
        values = fit_matrix(self, X)
        require_points(values, 2)
        self.reference_ = self._reference(values)
        if np.ptp(self.reference_) == 0:
            msg = "the reference spectrum is the same at all points; use one that varies"
            raise InputError(msg)
        return self

    def transform(self, X: Any) -> Any:
        """Return the corrected spectra, in the container of `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis.

        Returns
        -------
        array, DataFrame or DataArray
            Same shape, labels and units as `X`.
        """
        return like_points(X, self.apply(new_matrix(self, X, finite=False)))

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Do what `transform` does on an array that was checked already.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_points)
            Finite float64 values in C order on the fitted axis.

        Returns
        -------
        ndarray
            As `transform` gives them, bit for bit.
        """
        from pharmaq.chemometrics.preprocessing import _kernels

        out, slope = np.empty_like(values), np.empty(len(values))
        _kernels.msc(values, self.reference_, out, slope)
        require_finite(values, slope)
        problem = "does not vary with the reference of MSC: it was centred only"
        warn_of_spectra(slope == 0, problem)
        return out

    def _reference(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if isinstance(self.reference, str):
            check_choice("reference", self.reference, ("mean", "median"))
            average = np.mean if self.reference == "mean" else np.median
            return np.asarray(average(values, axis=0))
        given = np.ascontiguousarray(as_float("reference", self.reference))
        if given.shape != values.shape[1:]:
            msg = (
                f"reference has shape {given.shape}, but spectra have {values.shape[1]} points"
            )
            raise InputError(msg)
        check_finite("reference", given)
        return given
