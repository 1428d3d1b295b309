"""Preprocessing of spectra: scatter correction, derivatives, choice of a range."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from scipy.signal import savgol_coeffs
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from pharmaq._checks import as_float, check_choice, check_finite, check_integer, check_real
from pharmaq.chemometrics._base import fit_matrix, like_points, new_matrix
from pharmaq.errors import AxisError, InputError
from pharmaq.spectra import range_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "MSC",
    "SNV",
    "DegenerateSpectrumWarning",
    "SavitzkyGolay",
    "SelectRange",
    "learns_from_samples",
]

# an axis counts as even if no step differs from the mean step by more than this share
_EVEN = 0.01
_WINDOW, _ORDER = 15, 2


class DegenerateSpectrumWarning(UserWarning):
    """A spectrum carries nothing that a scatter correction could scale by."""


def learns_from_samples(transformer: Any) -> bool:
    """Tell whether fitting this transformer depends on which samples it sees.

    Parameters
    ----------
    transformer : estimator
        Any scikit-learn transformer.

    Returns
    -------
    bool
        False for steps that treat every spectrum by itself (`SNV`, `SavitzkyGolay`,
        `SelectRange`): they may be applied once, before cross-validation. True for all others.
    """
    if transformer is None or transformer == "passthrough":
        return False
    return bool(getattr(transformer, "learns_from_samples", True))


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
        _require_points(values, 2)
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
        from pharmaq.chemometrics import _kernels

        values = new_matrix(self, X)
        out, spread = np.empty_like(values), np.empty(len(values))
        _kernels.snv(values, out, spread)
        _warn_of(spread == 0, "is the same at all points, so that SNV has nothing to scale by")
        return like_points(X, out, same_quantity=False)


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
        _require_points(values, 2)
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
        from pharmaq.chemometrics import _kernels

        values = new_matrix(self, X)
        out, slope = np.empty_like(values), np.empty(len(values))
        _kernels.msc(values, self.reference_, out, slope)
        _warn_of(slope == 0, "does not vary with the reference of MSC: its slope is 0")
        return like_points(X, out)

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


class SavitzkyGolay(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Smooth or differentiate spectra by a moving polynomial [1]_.

    Parameters
    ----------
    window_length : int, optional
        Number of points in the window; odd, and not longer than the spectra. By default 15, or
        the longest window that fits where spectra are shorter.
    polyorder : int, optional
        Degree of the polynomial, below `window_length`. By default 2, or what fits.
    deriv : int, default 0
        0 smooths, 1 and more give that derivative; at most `polyorder`.
    delta : float, optional
        Distance of two points, in axis units. By default the spacing of the axis, which must
        be even; 1 for data without an axis.

    Attributes
    ----------
    window_length_, polyorder_ : int
        Window and degree in use.
    delta_ : float
        The spacing in use; negative for a descending axis, so that derivatives have the sign
        of the axis.
    axis_, axis_kind_, n_features_in_
        As in `SNV`.

    Notes
    -----
    Values in units of X, derivatives in units of X per axis unit to the power of `deriv`. At
    both ends the polynomial of the first and of the last whole window is evaluated, so that no
    point is lost or invented. NaN raises.

    References
    ----------
    .. [1] A. Savitzky, M. J. E. Golay, Anal. Chem. 36 (1964) 1627-1639.

    Examples
    --------
    >>> SavitzkyGolay(window_length=3, polyorder=1, deriv=1).fit_transform([[0.0, 2.0, 4.0]])
    array([[2., 2., 2.]])
    """

    learns_from_samples: ClassVar[bool] = False

    def __init__(
        self,
        window_length: int | None = None,
        polyorder: int | None = None,
        deriv: int = 0,
        *,
        delta: float | None = None,
    ) -> None:
        self.window_length = window_length
        self.polyorder = polyorder
        self.deriv = deriv
        self.delta = delta

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Learn the spacing of the axis and compute the filter.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra with at least `window_length` points on an even axis.
        y : object
            Not used.

        Returns
        -------
        SavitzkyGolay
            The fitted transformer.

        Raises
        ------
        AxisError
            If the axis is not even, and `delta` is not given.
        """
        values = fit_matrix(self, X)
        self._set_filter(values.shape[1])
        _require_points(values, self.window_length_)
        self.delta_ = self._spacing()
        return self

    def transform(self, X: Any) -> Any:
        """Return the filtered spectra, in the container of `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis.

        Returns
        -------
        array, DataFrame or DataArray
            Same shape and labels as `X`.
        """
        from pharmaq.chemometrics import _kernels

        values = new_matrix(self, X)
        half = self.window_length_ // 2
        filters = self._filters()
        out = np.empty_like(values)
        _kernels.filter_rows(values, filters[half], filters[:half], filters[half + 1 :], out)
        return like_points(X, out, same_quantity=self.deriv == 0)

    def _set_filter(self, n_points: int) -> None:
        longest = n_points - 1 + n_points % 2
        window = min(_WINDOW, longest) if self.window_length is None else self.window_length
        self.window_length_ = check_integer("window_length", window, least=1)
        order = min(_ORDER, window - 1) if self.polyorder is None else self.polyorder
        self.polyorder_ = check_integer("polyorder", order, least=0)
        check_integer("deriv", self.deriv, least=0)
        if window % 2 == 0:
            msg = f"window_length must be odd, got {window}"
            raise InputError(msg)
        if order >= window:
            msg = f"polyorder must be below window_length = {window}, got {order}"
            raise InputError(msg)
        if self.deriv > order:
            msg = f"deriv must be at most polyorder = {order}, got {self.deriv}"
            raise InputError(msg)

    def _spacing(self) -> float:
        if self.delta is not None:
            return check_real("delta", self.delta, above=0)
        if self.axis_ is None or self.axis_.size < 2:
            return 1.0
        steps = np.diff(self.axis_)
        mean = float(steps.mean())
        worst = int(np.abs(steps - mean).argmax())
        if abs(steps[worst] - mean) > _EVEN * abs(mean):
            msg = (
                f"the axis is not even: its steps are {mean:g} on average, but "
                f"{steps[worst]:g} at {self.axis_[worst]:g}; resample the spectra, filter "
                "before selecting ranges, or give delta"
            )
            raise AxisError(msg)
        return mean

    def _filters(self) -> NDArray[np.float64]:
        """Return the weights for each position in the window, one a row."""
        return np.array(
            [
                savgol_coeffs(
                    self.window_length_,
                    self.polyorder_,
                    deriv=self.deriv,
                    delta=self.delta_,
                    pos=position,
                    use="dot",
                )
                for position in range(self.window_length_)
            ]
        )


class SelectRange(TransformerMixin, BaseEstimator):
    """Keep the points of a spectrum that lie in given ranges of the axis.

    Parameters
    ----------
    ranges : sequence of (float, float), optional
        Ends in axis units, in any order, both included. None keeps all points.

    Attributes
    ----------
    support_ : ndarray of int
        Indices of the points kept, in axis order.
    axis_, axis_kind_, n_features_in_
        As in `SNV`.

    Examples
    --------
    >>> from pharmaq.spectra import as_spectra
    >>> spectra = as_spectra([[1.0, 2.0, 3.0, 4.0]], axis=[1100, 1110, 1120, 1130])
    >>> SelectRange(ranges=[(1105, 1125)]).fit_transform(spectra).values
    array([[2., 3.]])
    """

    learns_from_samples: ClassVar[bool] = False

    def __init__(self, *, ranges: Sequence[tuple[float, float]] | None = None) -> None:
        self.ranges = ranges

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Find the points that lie in the ranges.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra with an axis; plain arrays only where `ranges` is None.
        y : object
            Not used.

        Returns
        -------
        SelectRange
            The fitted transformer.

        Raises
        ------
        AxisError
            If the spectra have no axis, or a range holds no point of it.
        """
        values = fit_matrix(self, X)
        if self.ranges is None:
            self.support_ = np.arange(values.shape[1])
            return self
        if self.axis_ is None:
            msg = "X has no axis to select ranges on; label it with pharmaq.spectra.as_spectra"
            raise AxisError(msg)
        self.support_ = np.flatnonzero(range_mask(self.axis_, self.ranges))
        return self

    def transform(self, X: Any) -> Any:
        """Return the points kept, in the container of `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis.

        Returns
        -------
        array, DataFrame or DataArray
            Shape (n_samples, number of points kept).
        """
        values = new_matrix(self, X)
        return like_points(
            X, np.ascontiguousarray(values[:, self.support_]), keep=self.support_
        )

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the points kept.

        Parameters
        ----------
        input_features : array-like of str, optional
            Names of the points of `X`.

        Returns
        -------
        ndarray of str
            Names of the points kept.
        """
        names = OneToOneFeatureMixin.get_feature_names_out(self, input_features)
        return np.asarray(names)[self.support_]


def _require_points(values: NDArray[np.float64], least: int) -> None:
    if values.shape[1] < least:
        msg = f"spectra must have at least {least} points, got n_features = {values.shape[1]}"
        raise InputError(msg)


def _warn_of(degenerate: NDArray[np.bool_], problem: str) -> None:
    if degenerate.any():
        rows = np.flatnonzero(degenerate)
        msg = (
            f"spectrum {rows[0]} {problem}; it was centred only ({len(rows)} of "
            f"{len(degenerate)} spectra)"
        )
        warnings.warn(msg, DegenerateSpectrumWarning, stacklevel=3)
