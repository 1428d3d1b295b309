"""Removal of cosmic rays from Raman spectra."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import xarray as xr
from scipy.ndimage import median_filter
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from pharmaq._checks import check_integer, check_real
from pharmaq.chemometrics._base import fit_matrix, like_points, new_matrix
from pharmaq.chemometrics.preprocessing._shared import require_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

# quantile 0.75 of the normal distribution: makes a MAD comparable with a standard deviation
_NORMAL = 0.6745


class Despike(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Replace spikes, such as cosmic rays in Raman spectra, by their neighbourhood [1]_.

    Parameters
    ----------
    threshold : float, default 7.0
        Modified z-score of a difference of neighbouring points above which it is a jump.
    window : int, default 5
        Number of points on either side of a spike that its neighbourhood reaches to.

    Attributes
    ----------
    axis_, axis_kind_, n_features_in_
        As in `SNV`.

    Notes
    -----
    d_t = x_(t+1) - x_t are the differences within one spectrum, and z_t = 0.6745 (d_t -
    median(d)) / MAD(d), with MAD the median of ``|d - median(d)|``. Where more than half of
    the differences are the same the MAD is 0; the mean of ``|d - median(d)|`` times
    sqrt(pi / 2) then stands for MAD / 0.6745, and where that is 0 too there is no spike.

    Each jump, ``|z| > threshold``, marks the one of its two points that lies farther from the
    median of the `window` points on both sides, mirrored at the ends. (The source marks the
    later point, and with it the sound one that follows a spike.) Marked points get the mean of
    the points within `window` that are not marked; if all are, of the nearest ones that are
    not.

    The rule sees steep sides only. Where noise is low, the sides of strong, sharp bands pass 7
    by far and are flattened; of a spike that is flat over three points or more only the sides
    are marked. Look at what `spikes` marks, and raise `threshold` above the z-scores of bands.
    NaN raises.

    References
    ----------
    .. [1] D. A. Whitaker, K. Hayes, Chemom. Intell. Lab. Syst. 179 (2018) 82-84.

    Examples
    --------
    >>> spectrum = [[1.0, 2.0, 2.0, 3.0, 90.0, 3.0, 2.0, 1.0, 1.0]]
    >>> Despike(window=2).fit_transform(spectrum)
    array([[1. , 2. , 2. , 3. , 2.5, 3. , 2. , 1. , 1. ]])
    """

    learns_from_samples: ClassVar[bool] = False

    def __init__(self, threshold: float = 7.0, *, window: int = 5) -> None:
        self.threshold = threshold
        self.window = window

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Check the settings and remember the axis of the spectra.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra, at least two points each.
        y : object
            Not used.

        Returns
        -------
        Despike
            The fitted transformer.

        Raises
        ------
        InputError
            If `threshold` is not positive, or `window` is below 1.
        """
        check_real("threshold", self.threshold, above=0)
        check_integer("window", self.window, least=1)
        require_points(fit_matrix(self, X), 2)
        return self

    def transform(self, X: Any) -> Any:
        """Return the spectra with their spikes replaced, in the container of `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis.

        Returns
        -------
        array, DataFrame or DataArray
            Same shape, labels and units as `X`; what is no spike is as it was.
        """
        values = new_matrix(self, X)
        marked = self._marked(values)
        out = values.copy()
        for i, j in np.argwhere(marked):
            out[i, j] = self._neighbourhood(values[i], marked[i], int(j))
        return like_points(X, out)

    def spikes(self, X: Any) -> Any:
        """Tell which points `transform` replaces; their sum is how many.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis.

        Returns
        -------
        array, DataFrame or DataArray of bool
            True where a point is part of a spike; same shape and labels as `X`.
        """
        marked: Any = self._marked(new_matrix(self, X))
        out = like_points(X, marked)
        if isinstance(out, xr.DataArray):
            # quantity and units are those of the spectra, not of the marks
            out.attrs = {}
        return out

    def _marked(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        jumps = np.abs(_modified_z(np.diff(values, axis=1))) > self.threshold
        size = (1, 2 * self.window + 1)
        distance = np.abs(values - median_filter(values, size=size, mode="mirror"))
        earlier = distance[:, :-1] > distance[:, 1:]
        marked = np.zeros(values.shape, dtype=bool)
        marked[:, :-1] |= jumps & earlier
        marked[:, 1:] |= jumps & ~earlier
        return marked

    def _neighbourhood(
        self, row: NDArray[np.float64], marked: NDArray[np.bool_], place: int
    ) -> float:
        sound = np.flatnonzero(~marked)
        away = np.abs(sound - place)
        near = sound[away <= max(self.window, int(away.min()))]
        return float(row[near].mean())


def _modified_z(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return deviations from the median of each row over its robust standard deviation."""
    deviation = differences - np.median(differences, axis=1)[:, None]
    size = np.abs(deviation)
    spread = np.median(size, axis=1) / _NORMAL
    spread = np.where(spread > 0, spread, size.mean(axis=1) * math.sqrt(math.pi / 2))
    return deviation / np.where(spread > 0, spread, 1.0)[:, None]
