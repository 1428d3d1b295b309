"""Normalisation: every spectrum divided by one number of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from pharmaq._checks import check_choice
from pharmaq.chemometrics._base import fit_matrix, like_points, new_matrix
from pharmaq.chemometrics.preprocessing._shared import require_points, warn_of_spectra
from pharmaq.errors import AxisError, InputError
from pharmaq.spectra import range_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

NormalizeMethod = Literal["area", "max", "l2", "range", "band", "pqn"]


class Normalize(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Divide every spectrum by its size, measured in one of six ways.

    Parameters
    ----------
    method : {"area", "max", "l2", "range", "band", "pqn"}, default "area"
        ``"area"``: integral of ``|x|`` over the axis by the trapezoidal rule, in axis units
        (a step is 1 for data without an axis). ``"max"``: largest ``|x|``. ``"l2"``: square
        root of the sum of squares. ``"range"``: (x - min) / (max - min), from 0 to 1.
        ``"band"``: absolute value of the mean over the points of `band`. ``"pqn"``:
        probabilistic quotient [1]_, the median over the points of x / reference.
    band : (float, float), optional
        Ends of the band in axis units, in any order, both included; for ``"band"`` only.

    Attributes
    ----------
    reference_ : ndarray of shape (n_points,)
        Median of the fitted spectra; only where `method` is ``"pqn"``.
    band_points_ : ndarray of int
        Indices of the points of the band; only where `method` is ``"band"``.
    axis_, axis_kind_, n_features_in_
        As in `SNV`.

    Notes
    -----
    Divisors are positive, so that a spectrum keeps its sign. Where one is 0, or a quotient is
    not positive, there is nothing to divide by: the spectrum stays as it is (with ``"range"``
    it becomes 0) and a `DegenerateSpectrumWarning` names it. NaN raises.

    ``"pqn"`` alone learns from samples, its reference; points where that is 0 are left out. The
    source scales all spectra to the same integral before it takes the reference: put
    ``Normalize("area")`` in front to do so. What is divided by the quotient keeps its units.

    References
    ----------
    .. [1] F. Dieterle, A. Ross, G. Schlotterbeck, H. Senn, Anal. Chem. 78 (2006) 4281-4290.

    Examples
    --------
    >>> Normalize("max").fit_transform([[1.0, 2.0, 4.0]])
    array([[0.25, 0.5 , 1.  ]])
    """

    def __init__(
        self,
        method: NormalizeMethod = "area",
        *,
        band: tuple[float, float] | None = None,
    ) -> None:
        self.method = method
        self.band = band

    @property
    def learns_from_samples(self) -> bool:
        """Whether fitting depends on the samples: for ``"pqn"`` only."""
        return self.method == "pqn"

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Remember the axis, find the band, or learn the reference.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra, at least two points each; with an axis for ``"band"``.
        y : object
            Not used.

        Returns
        -------
        Normalize
            The fitted transformer.

        Raises
        ------
        InputError
            If `method` is unknown, `band` does not go with it, or the reference is 0.
        AxisError
            If the band holds no point, or the spectra have no axis.
        """
        check_choice("method", self.method, get_args(NormalizeMethod))
        values = fit_matrix(self, X)
        require_points(values, 2)
        if (self.method == "band") != (self.band is not None):
            msg = (
                f"band goes with method 'band' and only there, got band={self.band!r} and "
                f"method={self.method!r}; give both or neither"
            )
            raise InputError(msg)
        if self.method == "band":
            self.band_points_ = self._points_of_band()
        if self.method == "pqn":
            self.reference_ = _reference(values)
        return self

    def transform(self, X: Any) -> Any:
        """Return the normalised spectra, in the container of `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis.

        Returns
        -------
        array, DataFrame or DataArray
            Same shape and labels as `X`; no longer its quantity, except for ``"pqn"``.
        """
        values = new_matrix(self, X)
        size = self._size(values)
        # below the smallest normal number a quotient may overflow
        degenerate = ~(size >= np.finfo(np.float64).tiny)
        warn_of_spectra(degenerate, f"has no {self.method} to divide by; it was not scaled")
        if self.method == "range":
            values = values - values.min(axis=1)[:, None]
        out = values / np.where(degenerate, 1.0, size)[:, None]
        return like_points(X, out, same_quantity=self.method == "pqn")

    def _points_of_band(self) -> NDArray[np.intp]:
        if self.axis_ is None or self.band is None:
            msg = "X has no axis to find a band on; label it with pharmaq.spectra.as_spectra"
            raise AxisError(msg)
        return np.flatnonzero(range_mask(self.axis_, [self.band]))

    def _size(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the number that each row is divided by."""
        match self.method:
            case "area":
                size = (np.abs(values) * self._trapezoid_weights()).sum(axis=1)
            case "max":
                size = np.abs(values).max(axis=1)
            case "l2":
                size = np.sqrt((values**2).sum(axis=1))
            case "range":
                size = np.ptp(values, axis=1)
            case "band":
                points = np.ascontiguousarray(values[:, self.band_points_])
                size = np.abs(points.mean(axis=1))
            case _:
                used = self.reference_ != 0
                size = np.median(values[:, used] / self.reference_[used], axis=1)
        return np.asarray(size)

    def _trapezoid_weights(self) -> NDArray[np.float64]:
        axis = np.arange(self.n_features_in_) if self.axis_ is None else self.axis_
        half = np.abs(np.diff(axis)) / 2
        return np.concatenate([half, [0.0]]) + np.concatenate([[0.0], half])


def _reference(values: NDArray[np.float64]) -> NDArray[np.float64]:
    reference = np.median(values, axis=0)
    if not reference.any():
        msg = "the median of the fitted spectra is 0 at all points; pqn has no reference"
        raise InputError(msg)
    return np.asarray(reference)
