"""Locally weighted PLS: a model for every spectrum, from the samples that are like it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import column_or_1d

from pharmaq._checks import check_real
from pharmaq.chemometrics._base import check_response, fit_matrix, like_rows, new_matrix
from pharmaq.chemometrics._pls import nipals
from pharmaq.chemometrics.latent import center_and_scale, check_n_components
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LocallyWeightedPLS"]


class LocallyWeightedPLS(RegressorMixin, BaseEstimator):
    """Locally weighted partial least squares for one response [1]_ [2]_.

    Parameters
    ----------
    n_components : int, default 2
        Number of components of each local model.
    localization : float, default 1.0
        How fast weights fall with distance; 0 gives every sample the same weight, which is
        PLS.
    scale : bool, default False
        Divide every column of `X` by its standard deviation (n - 1) before distances are
        taken.

    Attributes
    ----------
    X_, y_ : ndarray
        The calibration samples: they are the model.
    x_mean_, x_scale_ : ndarray of shape (n_points,)
        Centre and scale; the scale is 1 where `scale` is False.
    n_samples_, n_components_, n_features_in_ : int
        Sizes.

    Notes
    -----
    For a new sample, d_i is its Euclidean distance to calibration sample i and s_d the standard
    deviation (n - 1) of these distances. With weights w_i = exp(-localization d_i / s_d), means
    and a PLS model are computed with these weights, and predict that one sample.

    References
    ----------
    .. [1] S. Kim, M. Kano, H. Nakagawa, S. Hasebe, Int. J. Pharm. 421 (2011) 269-274.
    .. [2] S. Kim, R. Okajima, M. Kano, S. Hasebe, Chemom. Intell. Lab. Syst. 124 (2013) 43-49.

    Examples
    --------
    >>> X = [[1.0, 0.2], [2.0, 0.1], [3.0, 0.4], [4.0, 0.3]]
    >>> model = LocallyWeightedPLS(n_components=1, localization=0.0)
    >>> model.fit(X, [1.1, 2.0, 3.1, 4.0]).predict([[2.5, 0.25]])
    array([2.55])
    """

    def __init__(
        self, n_components: int = 2, *, localization: float = 1.0, scale: bool = False
    ) -> None:
        self.n_components = n_components
        self.localization = localization
        self.scale = scale

    def fit(self, X: Any, y: Any) -> Self:
        """Keep the calibration samples.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            At least two samples; NaN raises.
        y : array-like, shape (n_samples,)
            Reference values of one response, not constant; NaN raises.

        Returns
        -------
        LocallyWeightedPLS
            The fitted model.
        """
        values = fit_matrix(self, X, least=2)
        response = check_response(y, len(values))
        if response.ndim == 2 and response.shape[1] > 1:
            msg = f"y must be one response, got {response.shape[1]}; fit a model for each"
            raise InputError(msg)
        self.n_components_ = check_n_components(self.n_components, *values.shape)
        if check_real("localization", self.localization) < 0:
            msg = f"localization must not be negative, got {self.localization!r}"
            raise InputError(msg)
        self.X_, self.x_mean_, self.x_scale_ = center_and_scale(
            values, scale=self.scale, name="X"
        )
        self.y_ = column_or_1d(response, warn=True)
        self.n_samples_ = len(values)
        return self

    def predict(self, X: Any) -> Any:
        """Fit a local model for each sample and predict it.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.

        Returns
        -------
        array, Series or DataArray, shape (n_samples,)
            In the container of `X` and the units of `y`; each sample by itself.

        Raises
        ------
        InputError
            If the weights leave too few samples for `n_components`.
        """
        values = (new_matrix(self, X) - self.x_mean_) / self.x_scale_
        predicted = np.array([self._predict_one(i, row) for i, row in enumerate(values)])
        return like_rows(X, predicted)

    def weights(self, X: Any) -> NDArray[np.float64]:
        """Return the weight of each calibration sample for each new sample.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_new, n_points)
            Samples on the fitted axis; NaN raises.

        Returns
        -------
        ndarray of shape (n_new, n_samples)
            From 0 to 1.
        """
        values = (new_matrix(self, X) - self.x_mean_) / self.x_scale_
        return np.array([self._weights_of(row) for row in values])

    def _weights_of(self, row: NDArray[np.float64]) -> NDArray[np.float64]:
        distances = np.sqrt(np.sum((self.X_ - row) ** 2, axis=1))
        spread = float(distances.std(ddof=1))
        # all samples equally far: none is more alike than another
        relative = distances / spread if spread > 0 else np.zeros(len(distances))
        return np.exp(-self.localization * relative)

    def _predict_one(self, number: int, row: NDArray[np.float64]) -> float:
        weights = self._weights_of(row)
        x_mean = weights @ self.X_ / weights.sum()
        y_mean = float(weights @ self.y_ / weights.sum())
        roots = np.sqrt(weights)[:, None]
        rows, response = roots * (self.X_ - x_mean), roots * (self.y_ - y_mean)[:, None]
        try:
            parts = nipals(rows, response, self.n_components_)
        except InputError as error:
            msg = f"no local model for spectrum {number}: {error}, or a smaller localization"
            raise InputError(msg) from None
        return y_mean + float((row - x_mean) @ parts.x_rotations @ parts.y_loadings[0])

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that y is needed."""
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags
