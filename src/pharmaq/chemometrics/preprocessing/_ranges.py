"""Choice of the points that a model sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from pharmaq.chemometrics._base import fit_matrix, like_points, new_matrix
from pharmaq.errors import AxisError
from pharmaq.spectra import range_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


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
