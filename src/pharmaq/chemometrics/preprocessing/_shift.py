"""Correction of small shifts of the spectral axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize_scalar
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from pharmaq._checks import as_float, check_choice, check_finite, check_real
from pharmaq.chemometrics._base import fit_matrix, like_points, like_rows, new_matrix
from pharmaq.chemometrics.preprocessing._shared import require_points, warn_of_spectra
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# points of the axis: fewest to compare, widest default search, step of the search, tolerance
_LEAST_POINTS, _DEFAULT_REACH, _STEP, _TOLERANCE = 5, 3.0, 0.5, 1e-6


class ShiftLimitWarning(UserWarning):
    """A spectrum fits best at the largest shift allowed; its true shift may be larger."""


class ShiftCorrection(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Shift every spectrum along the axis to where it agrees best with a reference.

    Parameters
    ----------
    reference : {"mean", "median"} or array-like of shape (n_points,), default "mean"
        The spectrum that stands where all should stand: mean or median of the fitted spectra,
        which are blurred where those are shifted themselves, or one that is given.
    max_shift : float, optional
        Largest shift to look for, in axis units (points, without an axis); positive. By
        default three times the mean spacing, or what leaves five points of short spectra.

    Attributes
    ----------
    reference_ : ndarray of shape (n_points,)
        The reference in use.
    max_shift_ : float
        The largest shift in use; 0 where spectra are too short to be compared.
    axis_, axis_kind_, n_features_in_
        As in `SNV`.

    Notes
    -----
    The shift d of a spectrum x maximises the correlation of x(v) with reference(v - d), taken
    over the points v that are more than `max_shift` from both ends, so that all d compare the
    same points. The reference between its points is a cubic spline. The search goes in steps of
    half a point and is refined by bounded scalar minimisation; offset and scale of a spectrum
    have no influence, a sloping baseline has: compare derivatives if there is one.

    `transform` returns x(v + d) from a cubic spline through x. Beyond the ends it takes the
    value of the outermost point: select a range within `max_shift` of the ends afterwards where
    that matters. NaN raises. A spectrum that does not vary has no shift: it stays as it is, and
    a `DegenerateSpectrumWarning` names it; one that fits best at the largest shift is named by
    a `ShiftLimitWarning`.

    Every spectrum is treated by itself once the reference is known. The correlation in use is
    that of Pearson; no published algorithm is claimed.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.arange(21.0)
    >>> band, moved = np.exp(-((v - 10) ** 2) / 8), np.exp(-((v - 10.7) ** 2) / 8)
    >>> ShiftCorrection(reference=band).fit([moved]).shifts([moved])
    array([0.70])
    """

    learns_from_samples: ClassVar[bool] = True

    def __init__(
        self,
        *,
        reference: Literal["mean", "median"] | ArrayLike = "mean",
        max_shift: float | None = None,
    ) -> None:
        self.reference = reference
        self.max_shift = max_shift

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
        ShiftCorrection
            The fitted transformer.

        Raises
        ------
        InputError
            If the reference has the wrong length or does not vary, or `max_shift` leaves fewer
            than five points to compare.
        """
        values = fit_matrix(self, X)
        require_points(values, 2)
        self.reference_ = self._reference(values)
        self.max_shift_ = self._max_shift()
        inside = self.reference_[self._inside(self.max_shift_)]
        if np.ptp(inside) == 0:
            msg = "the reference does not vary, so that no shift can be seen; use another one"
            raise InputError(msg)
        return self

    def shifts(self, X: Any) -> Any:
        """Return the shift of each spectrum against the reference.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis; NaN raises.

        Returns
        -------
        array, Series or DataArray, shape (n_samples,)
            In axis units; positive where the bands of a spectrum lie at larger axis values
            than those of the reference.
        """
        return like_rows(X, self._shifts(new_matrix(self, X)))

    def transform(self, X: Any) -> Any:
        """Return the spectra shifted back onto the reference, in the container of `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis; NaN raises.

        Returns
        -------
        array, DataFrame or DataArray
            Same shape, axis, labels and units as `X`.
        """
        values = new_matrix(self, X)
        positions = self._positions()
        order = np.argsort(positions)
        ascending = positions[order]
        out = values.copy()
        for i, shift in enumerate(self._shifts(values)):
            if shift != 0:
                spline = CubicSpline(ascending, values[i, order])
                out[i] = spline(np.clip(positions + shift, ascending[0], ascending[-1]))
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

    def _max_shift(self) -> float:
        spare = (self.n_features_in_ - _LEAST_POINTS) / 2
        if self.max_shift is None:
            return float(max(0.0, min(_DEFAULT_REACH, spare)) * self._spacing())
        reach = check_real("max_shift", self.max_shift, above=0)
        left = np.count_nonzero(self._inside(reach))
        if left < _LEAST_POINTS:
            msg = (
                f"max_shift = {reach:g} leaves {left} points between the ends to "
                f"compare, but {_LEAST_POINTS} are needed; lower it, or use longer spectra"
            )
            raise InputError(msg)
        return reach

    def _positions(self) -> NDArray[np.float64]:
        if self.axis_ is None:
            return np.arange(float(self.n_features_in_))
        return np.asarray(self.axis_)

    def _spacing(self) -> float:
        return float(np.abs(np.diff(self._positions())).mean())

    def _inside(self, reach: float) -> NDArray[np.bool_]:
        """Return the points that no shift allowed can move beyond the ends."""
        positions = self._positions()
        # a hair wider, for the default is a whole number of points only up to rounding
        reach -= 1e-9 * self._spacing()
        low, high = positions.min() + reach, positions.max() - reach
        return (positions >= low) & (positions <= high)

    def _shifts(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.zeros(len(values))
        if self.max_shift_ == 0:
            return found
        inside = self._inside(self.max_shift_)
        search = _Search(self._positions(), self.reference_, inside, self.max_shift_)
        flat = np.ptp(values[:, inside], axis=1) == 0
        for i in np.flatnonzero(~flat):
            found[i] = search.best(values[i, inside])
        warn_of_spectra(flat, "does not vary, and has no shift to be corrected")
        limit = self.max_shift_ - 1e-3 * self._spacing()
        problem = (
            f"fits best at the largest shift allowed, {self.max_shift_:g}; raise max_shift, or "
            "do not trust the spectrum"
        )
        warn_of_spectra(np.abs(found) > limit, problem, ShiftLimitWarning)
        return found


class _Search:
    """The shifted reference on a grid of shifts, made once for many spectra."""

    def __init__(
        self,
        positions: NDArray[np.float64],
        reference: NDArray[np.float64],
        inside: NDArray[np.bool_],
        reach: float,
    ) -> None:
        order = np.argsort(positions)
        self.spline = CubicSpline(positions[order], reference[order])
        self.points = positions[inside]
        self.spacing = float(np.abs(np.diff(positions)).mean())
        count = int(np.ceil(reach / (_STEP * self.spacing)))
        self.grid = np.linspace(-reach, reach, 2 * count + 1)
        self.shapes = [self._shape(shift) for shift in self.grid]

    def best(self, row: NDArray[np.float64]) -> float:
        """Return the shift at which the reference correlates best with a spectrum."""
        shape = _standardised(row)
        place = int(np.argmax([(shape * other).sum() for other in self.shapes]))
        low = self.grid[max(place - 1, 0)]
        high = self.grid[min(place + 1, self.grid.size - 1)]
        found = minimize_scalar(
            lambda shift: -(shape * self._shape(shift)).sum(),
            bounds=(low, high),
            method="bounded",
            options={"xatol": _TOLERANCE * self.spacing},
        )
        return float(found.x)

    def _shape(self, shift: float) -> NDArray[np.float64]:
        return _standardised(self.spline(self.points - shift))


def _standardised(row: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a spectrum with mean 0 and norm 1; zeros where it does not vary."""
    centered = row - row.mean()
    norm = np.sqrt((centered**2).sum())
    return centered / norm if norm > 0 else centered
