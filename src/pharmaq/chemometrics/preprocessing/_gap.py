"""Derivatives from averages on both sides of a gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from pharmaq._checks import check_integer
from pharmaq.chemometrics._base import fit_matrix, like_points, new_matrix
from pharmaq.chemometrics.preprocessing._shared import require_points
from pharmaq.errors import AxisError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# an axis counts as even if no step differs from the mean step by more than this share
_EVEN = 0.01
# gap and segment where none is given: the first pair that fits
_SIZES = ((5, 5), (3, 3), (1, 1), (0, 1))
# factors of the segments, by order of the derivative
_FACTORS = {1: (-1.0, 1.0), 2: (1.0, -2.0, 1.0)}


class NorrisWilliams(TransformerMixin, BaseEstimator):
    """Differentiate spectra by the gap-segment method of Norris and Williams [1]_.

    Parameters
    ----------
    gap : int, optional
        Number of points that lie between two neighbouring segments, 0 or more; odd for the
        first derivative. By default 5, or what fits where spectra are short.
    segment : int, optional
        Number of points that are averaged, 1 or more; odd for the second derivative. By default
        5, or what fits.
    deriv : {1, 2}, default 1
        Order of the derivative.

    Attributes
    ----------
    gap_, segment_ : int
        Sizes in use.
    delta_ : float
        Spacing of the axis, which must be even; negative for a descending axis, so that the
        first derivative has the sign of the axis; 1 for data without an axis.
    support_ : ndarray of int
        Indices of the points that have a derivative, in axis order.
    axis_, axis_kind_, n_features_in_
        As in `SNV`.

    Notes
    -----
    With a, b, c the means of neighbouring segments, whose centres are h = (gap + segment) *
    delta apart: first derivative (b - a) / h, in the middle of two segments; second derivative
    (a - 2 b + c) / h^2, at the middle one of three. Units are those of X per axis unit to the
    power of `deriv`. NaN raises.

    The ends, where the window of (deriv + 1) segments and deriv gaps does not fit, are dropped,
    and with them their positions: half a window less one point on either side. The window has
    an odd number of points, so that a derivative stands on a point of the axis. Only spectra of
    two points have a window of two by default: their difference stands at the first.

    The gap is counted here between the edges of segments; programs that count it between their
    centres call gap + segment the gap. Divided by a power of the spacing, straight lines
    (parabolas for the second) have their true derivative.

    References
    ----------
    .. [1] K. H. Norris, P. C. Williams, Cereal Chem. 61 (1984) 158-165.

    Examples
    --------
    >>> NorrisWilliams(gap=1, segment=1).fit_transform([[0.0, 1.0, 4.0, 9.0, 16.0]])
    array([[2., 4., 6.]])
    """

    learns_from_samples: ClassVar[bool] = False

    def __init__(
        self, gap: int | None = None, segment: int | None = None, deriv: int = 1
    ) -> None:
        self.gap = gap
        self.segment = segment
        self.deriv = deriv

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Learn the spacing of the axis, and which points have a derivative.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra with at least as many points as the window, on an even axis.
        y : object
            Not used.

        Returns
        -------
        NorrisWilliams
            The fitted transformer.

        Raises
        ------
        InputError
            If the window has an even number of points, or more than the spectra.
        AxisError
            If the axis is not even.
        """
        values = fit_matrix(self, X)
        require_points(values, 2)
        check_integer("deriv", self.deriv, least=1, most=2)
        window = self._set_sizes(values.shape[1])
        require_points(values, window)
        self.delta_ = _spacing(self.axis_)
        first = (window - 1) // 2
        self.support_ = np.arange(first, first + values.shape[1] - window + 1)
        return self

    def transform(self, X: Any) -> Any:
        """Return the derivatives, in the container of `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis.

        Returns
        -------
        array, DataFrame or DataArray
            Shape (n_samples, number of points in `support_`), with their labels.
        """
        values = new_matrix(self, X)
        step, n_out = self.gap_ + self.segment_, self.support_.size
        out = np.zeros((len(values), n_out))
        for place, factor in enumerate(_FACTORS[self.deriv]):
            for start in range(place * step, place * step + self.segment_):
                out += factor * values[:, start : start + n_out]
        out /= self.segment_ * (step * self.delta_) ** self.deriv
        return like_points(X, out, keep=self.support_, same_quantity=False)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the points that have a derivative.

        Parameters
        ----------
        input_features : array-like of str, optional
            Names of the points of `X`.

        Returns
        -------
        ndarray of str
            Names of the points in `support_`.
        """
        names = OneToOneFeatureMixin.get_feature_names_out(self, input_features)
        return np.asarray(names)[self.support_]

    def _set_sizes(self, n_points: int) -> int:
        """Set gap and segment, and return the number of points in the window."""
        if self.gap is not None:
            check_integer("gap", self.gap, least=0)
        if self.segment is not None:
            check_integer("segment", self.segment, least=1)
        pairs = [
            (
                gap if self.gap is None else self.gap,
                seg if self.segment is None else self.segment,
            )
            for gap, seg in _SIZES
        ]
        windows = [(self.deriv + 1) * seg + self.deriv * gap for gap, seg in pairs]
        chosen = next((i for i, w in enumerate(windows) if w <= n_points), len(pairs) - 1)
        self.gap_, self.segment_ = pairs[chosen]
        even = windows[chosen] % 2 == 0
        if even and n_points > 2:
            name, size = ("gap", self.gap_) if self.deriv == 1 else ("segment", self.segment_)
            msg = (
                f"{name} must be odd for deriv = {self.deriv}, got {size}; otherwise the "
                "derivative stands between two points"
            )
            raise InputError(msg)
        return windows[chosen]


def _spacing(axis: NDArray[np.float64] | None) -> float:
    if axis is None:
        return 1.0
    steps = np.diff(axis)
    mean = float(steps.mean())
    worst = int(np.abs(steps - mean).argmax())
    if abs(steps[worst] - mean) > _EVEN * abs(mean):
        msg = (
            f"the axis is not even: its steps are {mean:g} on average, but {steps[worst]:g} at "
            f"{axis[worst]:g}; resample the spectra, or differentiate before selecting ranges"
        )
        raise AxisError(msg)
    return mean
