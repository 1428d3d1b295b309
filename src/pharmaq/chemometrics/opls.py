"""Orthogonal projections to latent structures for one response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.linalg import solve
from sklearn.base import RegressorMixin
from sklearn.utils.validation import column_or_1d

from pharmaq._checks import check_integer
from pharmaq.chemometrics._base import (
    check_response,
    fit_matrix,
    like_points,
    like_rows,
    new_matrix,
)
from pharmaq.chemometrics._pictures import RegressionPictures
from pharmaq.chemometrics.latent import (
    LatentVariableModel,
    center_and_scale,
    check_n_components,
    fix_signs,
)
from pharmaq.chemometrics.limits import residual_eigenvalues
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

__all__ = ["OPLS"]

# below this share of its start nothing but rounding is left
_EXHAUSTED = 1e-12


class OPLS(RegressionPictures, RegressorMixin, LatentVariableModel):
    """Orthogonal PLS: one predictive component apart from variation unrelated to y [1]_.

    Parameters
    ----------
    n_orthogonal : int, default 1
        Number of orthogonal components; 0 is PLS with one component.
    scale : bool, default False
        Divide every column of `X` and `y` by its standard deviation (n - 1). Both are always
        centred.

    Attributes
    ----------
    x_scores_, x_loadings_, x_rotations_ : ndarray with 1 + n_orthogonal columns
        The predictive component first, then the orthogonal ones. Scores are orthogonal to each
        other, and the orthogonal ones to y.
    predictive_weight_ : ndarray of shape (n_points,)
        Weight of the predictive component, unit length.
    orthogonal_weights_ : ndarray of shape (n_points, n_orthogonal)
        Weights of the orthogonal components, unit length.
    y_loading_ : float
        Regression of y on the predictive score, in model units.
    coef_ : ndarray of shape (1, n_points)
        Coefficients in the original units; equal to those of PLS with 1 + n_orthogonal
        components.
    explained_x_ : ndarray of shape (1 + n_orthogonal,)
        Share of the variance of X that each component explains.
    n_components_ : int
        1 + n_orthogonal.
    score_variances_, residual_eigenvalues_, spe_, x_mean_, x_scale_, y_mean_, y_scale_
        As in `PLS`.

    Notes
    -----
    Predictions equal those of PLS with one component more than there are orthogonal ones; what
    differs is that the predictive score and loading are free of variation unrelated to y. OPLS
    is a trademark; the name is used here to describe the method.

    References
    ----------
    .. [1] J. Trygg, S. Wold, J. Chemom. 16 (2002) 119-128.

    Examples
    --------
    >>> X = [[1.0, 0.2], [2.0, 0.1], [3.0, 0.4], [4.0, 0.3]]
    >>> OPLS(n_orthogonal=1).fit(X, [1.1, 2.0, 3.1, 4.0]).predict([[2.5, 0.2]])
    array([2.525])
    """

    def __init__(self, n_orthogonal: int = 1, *, scale: bool = False) -> None:
        self.n_orthogonal = n_orthogonal
        self.scale = scale

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            At least two samples; NaN raises.
        y : array-like, shape (n_samples,)
            Reference values of one response, not constant; NaN raises.

        Returns
        -------
        OPLS
            The fitted model.

        Raises
        ------
        InputError
            If data cannot be modelled, or X holds fewer orthogonal components.
        """
        values = fit_matrix(self, X, least=2)
        response = check_response(y, len(values))
        if response.ndim == 2 and response.shape[1] > 1:
            msg = f"y must be one response, got {response.shape[1]}; fit a model for each"
            raise InputError(msg)
        count = check_integer("n_orthogonal", self.n_orthogonal, least=0)
        self.n_components_ = check_n_components(1 + count, *values.shape)
        column = column_or_1d(response, warn=True).reshape(-1, 1)
        Xc, self.x_mean_, self.x_scale_ = center_and_scale(values, scale=self.scale, name="X")
        Yc, self.y_mean_, self.y_scale_ = center_and_scale(column, scale=self.scale, name="y")
        self.n_samples_ = len(values)
        self._set_components(Xc, Yc[:, 0], count)
        return self

    def predict(self, X: Any) -> Any:
        """Predict the response.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.

        Returns
        -------
        array, Series or DataArray, shape (n_samples,)
            In the container of `X` and the units of `y`.
        """
        scores, _ = self.project(X)
        return like_rows(X, scores[:, 0] * self.y_loading_ * self.y_scale_ + self.y_mean_)

    def filter(self, X: Any) -> Any:
        """Return X without its orthogonal components.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.

        Returns
        -------
        array, DataFrame or DataArray
            In the original units and the container of `X`.
        """
        scores, _ = self.project(X)
        out = new_matrix(self, X).copy()
        for score, loading in zip(scores.T[1:], self.x_loadings_.T[1:], strict=True):
            out -= score[:, None] * (loading * self.x_scale_)
        return like_points(X, out)

    def _set_components(self, X: Matrix, y: Matrix, count: int) -> None:
        w, orthogonal, filtered = _orthogonal_components(X, y, count)
        t = filtered @ w
        p = filtered.T @ t / (t @ t)
        scores = np.column_stack([t, *(part[1] for part in orthogonal)])
        loadings = np.column_stack([p, *(part[2] for part in orthogonal)])
        weights = np.column_stack([part[0] for part in orthogonal] or [np.empty((len(w), 0))])
        rotations = np.column_stack([w, weights])
        if count:
            # new samples lose their orthogonal part first: t_o = x W_o (P_o'W_o)^-1
            P = loadings[:, 1:]
            rotations[:, 1:] = solve((P.T @ weights).T, weights.T).T
            rotations[:, 0] = w - rotations[:, 1:] @ (P.T @ w)
        signs = fix_signs(loadings)
        self.x_scores_, self.x_loadings_ = scores * signs, loadings * signs
        self.x_rotations_ = np.ascontiguousarray(rotations * signs)
        self.predictive_weight_ = w * signs[0]
        self.orthogonal_weights_ = weights * signs[1:]
        self.y_loading_ = float(y @ t / (t @ t) * signs[0])
        units = self.y_scale_[:, None] / self.x_scale_
        self.coef_ = self.y_loading_ * self.x_rotations_[:, :1].T * units
        self.intercept_ = self.y_mean_ - self.coef_ @ self.x_mean_
        self._set_diagnostics(X)

    def _set_diagnostics(self, X: Matrix) -> None:
        squares = np.sum(self.x_scores_**2, axis=0)
        self.score_variances_ = squares / (len(X) - 1)
        self.explained_x_ = squares * np.sum(self.x_loadings_**2, axis=0) / np.sum(X**2)
        residuals = X - self.x_scores_ @ self.x_loadings_.T
        self.spe_ = np.einsum("ij,ij->i", residuals, residuals)
        self.residual_eigenvalues_ = residual_eigenvalues(residuals)

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that y is needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.regressor_tags.poor_score = True
        return tags


def _orthogonal_components(
    X: Matrix, y: Matrix, count: int
) -> tuple[Matrix, list[tuple[Matrix, Matrix, Matrix]], Matrix]:
    """Return the predictive weight, the orthogonal components, and X without them."""
    w = X.T @ y
    start = float(np.linalg.norm(X))
    if np.linalg.norm(w) <= _EXHAUSTED * start * np.linalg.norm(y):
        msg = "X and y share nothing: every column of X is uncorrelated with y"
        raise InputError(msg)
    w = w / np.linalg.norm(w)
    found: list[tuple[Matrix, Matrix, Matrix]] = []
    X = X.copy()
    for number in range(count):
        t = X @ w
        p = X.T @ t / (t @ t)
        across = p - (w @ p) * w
        size = float(np.linalg.norm(across))
        if size <= _EXHAUSTED * np.linalg.norm(p):
            msg = f"n_orthogonal = {count} is too many: X holds {number} orthogonal components"
            raise InputError(msg)
        across = across / size
        score = X @ across
        loading = X.T @ score / (score @ score)
        X -= np.outer(score, loading)
        found.append((across, score, loading))
    return w, found, X
