"""Regression of a response on scores: what PLS and PCR have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import RegressorMixin

from pharmaq._checks import as_float, check_finite, check_integer
from pharmaq.chemometrics._base import (
    check_response,
    fit_matrix,
    like_columns,
    like_rows,
    require_fitted,
)
from pharmaq.chemometrics._missing import count_missing, needs_residuals, residual_factor
from pharmaq.chemometrics._missing_fit import fit_incomplete
from pharmaq.chemometrics._pictures import RegressionPictures
from pharmaq.chemometrics._pls import Components, coefficient_path
from pharmaq.chemometrics.latent import center_and_scale, check_n_components, fix_signs
from pharmaq.chemometrics.limits import residual_eigenvalues
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["ScoreRegression"]


class ScoreRegression(RegressionPictures, RegressorMixin):
    """Mixin of models that predict y as a sum of scores times y loadings."""

    n_components: int
    scale: bool
    missing: str
    n_missing_: int

    if TYPE_CHECKING:
        # what each model brings: the components of centred (and scaled) data
        def _find_components(
            self, X: NDArray[np.float64], Y: NDArray[np.float64], n_components: int
        ) -> Components: ...

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            At least two samples; NaN raises, unless `missing` says what to do.
        y : array-like, shape (n_samples,) or (n_samples, n_responses)
            Reference values, none of them constant; NaN raises.
        sample_weight : array-like of shape (n_samples,), optional
            How often each sample counts, 1 by default; not negative, and more than 1 in sum. A
            whole number is as good as repeating the sample, zero as good as leaving it out:
            then the fitted arrays have no row for it.

        Returns
        -------
        estimator
            The fitted model.

        Raises
        ------
        InputError
            If values, shapes, weights or the number of components cannot be modelled.

        Notes
        -----
        With weights w, means are sum(w x) / sum(w), variances have the divisor sum(w) - 1, and
        components are those of rows times sqrt(w). Limits keep the number of samples as their
        degrees of freedom: weight does not make a sample more than one.
        """
        values = fit_matrix(self, X, least=2)
        response = check_response(y, len(values))
        weights = check_sample_weight(sample_weight, len(values))
        if weights is not None:
            used = weights > 0
            values, weights = values[used], weights[used]
            response = check_response(response[used], len(values))
        A = check_n_components(self.n_components, *values.shape)
        columns = response.reshape(len(response), -1)
        Yc, self.y_mean_, self.y_scale_ = center_and_scale(
            columns, scale=self.scale, name="y", weights=weights
        )
        self.n_samples_, self.n_components_ = len(values), A
        self.weight_sum_ = float(len(values) if weights is None else weights.sum())
        self.y_is_vector_ = response.ndim == 1
        if count_missing(self, values):
            return self._fit_incomplete(values, Yc, weights)
        return self._fit_complete(values, Yc, weights)

    def _fit_complete(
        self,
        values: NDArray[np.float64],
        Yc: NDArray[np.float64],
        weights: NDArray[np.float64] | None,
    ) -> Self:
        Xc, self.x_mean_, self.x_scale_ = self._centered(values, weights)
        if weights is not None:
            root = np.sqrt(weights)[:, None]
            Xc, Yc = root * Xc, root * Yc
        parts = _signed(self._find_components(Xc, Yc, self.n_components_))
        self._set_components(parts)
        self._set_diagnostics(parts, Xc, Yc)
        if weights is not None:
            self.x_scores_ /= root
            self.spe_ /= weights
        return self

    def _centered(
        self, values: NDArray[np.float64], weights: NDArray[np.float64] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return X as it is modelled, its means and its scales."""
        return center_and_scale(values, scale=self.scale, name="X", weights=weights)

    def _fit_incomplete(
        self,
        values: NDArray[np.float64],
        Yc: NDArray[np.float64],
        weights: NDArray[np.float64] | None,
    ) -> Self:
        if weights is not None:
            msg = (
                f"sample_weight cannot go with missing values in X ({self.n_missing_} here); "
                "remove or replace them first, or leave sample_weight out"
            )
            raise InputError(msg)
        A = self.n_components_
        self.algorithm_ = "nipals"
        fit = fit_incomplete(self, values, Yc, A, lambda Z: self._find_components(Z, Yc, A))
        self._set_components(fit.parts)
        self.explained_x_ = fit.explained
        self._set_response_diagnostics(fit.parts, Yc)
        return self

    def predict(self, X: Any, n_components: int | None = None) -> Any:
        """Predict the response.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises, unless `missing` says what to do.
        n_components : int, optional
            Use the first so many components; all by default.

        Returns
        -------
        array, Series, DataFrame or DataArray
            Shape (n_samples,) or (n_samples, n_responses), as `y` was in `fit`, in the
            container of `X` and the units of `y`. A sample gets the same bits alone and among
            others.
        """
        require_fitted(self)
        A = self.n_components_
        used = A if n_components is None else n_components
        check_integer("n_components", used, least=1, most=A)
        scores, _ = self.project(X)
        return self._in_container(X, self.path_of_scores(scores)[used - 1])

    def predict_path(self, X: Any) -> NDArray[np.float64]:
        """Predict the response with every number of components.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises, unless `missing` says what to do.

        Returns
        -------
        ndarray of shape (n_components, n_samples) or (n_components, n_samples, n_responses)
            Entry ``[a - 1]`` is the prediction with `a` components.
        """
        scores, _ = self.project(X)
        path = self.path_of_scores(scores)
        return path[:, :, 0] if self.y_is_vector_ else path

    def path_of_scores(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return predictions with every number of components from scores.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_components)
            As `project` gives them.

        Returns
        -------
        ndarray of shape (n_components, n_samples, n_responses)
            Predictions in the units of y.
        """
        steps = scores.T[:, :, None] * self.y_loadings_.T[:, None, :]
        return np.cumsum(steps, axis=0) * self.y_scale_ + self.y_mean_

    def _in_container(self, X: Any, values: NDArray[np.float64]) -> Any:
        if self.y_is_vector_:
            return like_rows(X, values[:, 0])
        names = [f"y{i}" for i in range(values.shape[1])]
        return like_columns(X, values, names, "response")

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that several responses are fine."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        # a linear model on a few latent variables is not meant for arbitrary regressions
        tags.regressor_tags.poor_score = True
        return tags

    def _set_components(self, parts: Components) -> None:
        self.x_weights_, self.x_loadings_ = parts.x_weights, parts.x_loadings
        self.y_loadings_, self.x_rotations_ = parts.y_loadings, parts.x_rotations
        self.x_scores_ = parts.x_scores
        units = self.y_scale_[:, None] / self.x_scale_
        self.coef_path_ = coefficient_path(parts) * units
        self.coef_ = self.coef_path_[-1]
        self.intercept_ = self.y_mean_ - self.coef_ @ self.x_mean_

    def _set_diagnostics(
        self, parts: Components, Xc: NDArray[np.float64], Yc: NDArray[np.float64]
    ) -> None:
        squares = np.sum(parts.x_scores**2, axis=0)
        self.score_variances_ = squares / (self.weight_sum_ - 1)
        self.explained_x_ = squares * np.sum(parts.x_loadings**2, axis=0) / np.sum(Xc**2)
        residuals = Xc - parts.x_scores @ parts.x_loadings.T
        self.spe_ = np.einsum("ij,ij->i", residuals, residuals)
        self.residual_eigenvalues_ = residual_eigenvalues(residuals, self.weight_sum_ - 1)
        if needs_residuals(self):
            self.residual_factor_ = residual_factor(residuals, self.weight_sum_ - 1)
        self._set_response_diagnostics(parts, Yc)

    def _set_response_diagnostics(self, parts: Components, Yc: NDArray[np.float64]) -> None:
        shares = np.sum(parts.x_scores**2, axis=0) * np.sum(parts.y_loadings**2, axis=0)
        self.explained_y_ = shares / np.sum(Yc**2)
        errors = np.sum((Yc - parts.x_scores @ parts.y_loadings.T) ** 2, axis=0)
        freedom = self.weight_sum_ - self.n_components_ - 1
        spread = np.sqrt(errors / freedom) if freedom > 0 else np.full(len(errors), np.nan)
        self.sec_ = spread * self.y_scale_


def check_sample_weight(
    sample_weight: ArrayLike | None, n_samples: int
) -> NDArray[np.float64] | None:
    """Return the weights of samples, None where all count once."""
    if sample_weight is None:
        return None
    weights = as_float("sample_weight", sample_weight)
    if weights.shape != (n_samples,):
        msg = f"sample_weight must have shape ({n_samples},), got {weights.shape}"
        raise InputError(msg)
    check_finite("sample_weight", weights)
    negative = np.flatnonzero(weights < 0)
    if negative.size:
        i = negative[0]
        msg = f"sample_weight must not be negative, but sample_weight[{i}] is {weights[i]:g}"
        raise InputError(msg)
    if np.sum(weights > 0) < 2 or weights.sum() <= 1:
        msg = (
            "sample_weight must leave at least two samples and sum to more than 1, for weights "
            f"count samples: {np.sum(weights > 0)} are above zero and their sum is "
            f"{weights.sum():g}; multiply them by a constant, or give more samples weight"
        )
        raise InputError(msg)
    return None if np.all(weights == 1) else weights


def _signed(parts: Components) -> Components:
    signs = fix_signs(parts.x_loadings)
    return Components(*(matrix * signs for matrix in parts))
