"""Smoothing and derivatives by moving polynomials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy.signal import savgol_coeffs
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from pharmaq._checks import check_integer, check_real
from pharmaq.chemometrics._base import fit_matrix, like_points, new_matrix
from pharmaq.chemometrics.preprocessing._shared import require_finite, require_points
from pharmaq.errors import AxisError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# an axis counts as even if no step differs from the mean step by more than this share
_EVEN = 0.01
_WINDOW, _ORDER = 15, 2
# weights of half a window that compiled loops are made for; windows beyond 33 are rare
_UNROLLED = 17


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
    filters_ : ndarray of shape (window_length, window_length)
        Weights for each position of a point in its window; the middle row is the filter.
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
        require_points(values, self.window_length_)
        self.delta_ = self._spacing()
        self.filters_ = self._filters()
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
        out = self.apply(new_matrix(self, X, finite=False))
        return like_points(X, out, same_quantity=self.deriv == 0)

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

        out, sums = np.empty_like(values), np.empty(len(values))
        _kernels.filter_rows(values, *folded_filter(self), out, sums)
        require_finite(values, sums)
        return out

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


def folded_filter(
    step: SavitzkyGolay,
) -> tuple[tuple[float, ...], NDArray[np.float64], float, NDArray[np.float64]]:
    """Return what the kernels take of a fitted filter: its right half, its sign, its ends.

    The points to the left have the weights of those to the right, times 1 for an even and -1
    for an odd derivative. Weights beyond the first few come as an array, see the kernels.
    """
    half = step.window_length_ // 2
    middle = step.filters_[half]
    sign = -1.0 if step.deriv % 2 else 1.0
    right = 0.5 * (middle + sign * middle[::-1])[half:]
    return tuple(right[:_UNROLLED].tolist()), right[_UNROLLED:], sign, step.filters_
