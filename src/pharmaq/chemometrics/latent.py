"""What PCA and PLS have in common: scores, T2, SPE, leverage and their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from pharmaq._checks import check_choice, check_integer
from pharmaq.chemometrics._base import like_columns, like_rows, new_matrix, require_fitted
from pharmaq.chemometrics._missing import fill_incomplete, score_operator
from pharmaq.chemometrics._pictures import LatentPictures
from pharmaq.chemometrics.limits import (
    SPE_METHODS,
    SPEMethod,
    T2Method,
    spe_limit_from_eigenvalues,
    spe_limit_from_values,
    t2_limit,
)
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LatentVariableModel"]


class LatentVariableModel(
    LatentPictures, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Base of `PCA` and `PLS`: everything that follows from rotations and loadings."""

    # models that take missing values have these as parameters
    missing: str = "raise"
    score_method: str = "auto"

    def transform(self, X: Any) -> Any:
        """Return the scores of samples.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises, unless `missing` says what to do.

        Returns
        -------
        array, DataFrame or DataArray, shape (n_samples, n_components)
            Scores, in the container of `X`.
        """
        scores, _ = self.project(X)
        names = [str(name) for name in self.get_feature_names_out()]
        return like_columns(X, scores, names, "component")

    def t2(self, X: Any) -> Any:
        """Return Hotelling's T2 of samples.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises, unless `missing` says what to do.

        Returns
        -------
        array, Series or DataArray, shape (n_samples,)
            Sum over components of score^2 / variance of the calibration scores (n - 1).
        """
        scores, _ = self.project(X)
        return like_rows(X, self.t2_of_scores(scores))

    def spe(self, X: Any) -> Any:
        """Return the squared prediction error of samples, also called Q.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises, unless `missing` says what to do.

        Returns
        -------
        array, Series or DataArray, shape (n_samples,)
            Sum of squared residuals over the points, centred and scaled as the model is; over
            the observed points of an incomplete sample, and not scaled up for the others.
        """
        _, spe = self.project(X)
        return like_rows(X, spe)

    def leverage(self, X: Any) -> Any:
        """Return the leverage of samples against the calibration.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises, unless `missing` says what to do.

        Returns
        -------
        array, Series or DataArray, shape (n_samples,)
            1 / N + T2 / (N - 1), with N calibration samples; it depends on the calibration
            only, never on the other samples in `X`.
        """
        scores, _ = self.project(X)
        return like_rows(X, self.leverage_of_t2(self.t2_of_scores(scores)))

    def t2_limit(self, *, alpha: float = 0.05, method: T2Method = "f") -> float:
        """Return the limit of T2 for this model; see `pharmaq.chemometrics.t2_limit`.

        Parameters
        ----------
        alpha : float, default 0.05
            Share of good samples allowed above the limit.
        method : {"f", "beta", "simca", "chi2"}, default "f"
            ``"f"`` for new samples, ``"beta"`` for the calibration samples.

        Returns
        -------
        float
            The limit.
        """
        require_fitted(self)
        return t2_limit(self.n_samples_, self.n_components_, alpha=alpha, method=method)

    def spe_limit(self, *, alpha: float = 0.05, method: SPEMethod = "jackson") -> float:
        """Return the limit of SPE for this model; see `pharmaq.chemometrics.spe_limit`.

        Parameters
        ----------
        alpha : float, default 0.05
            Share of good samples allowed above the limit.
        method : {"jackson", "box", "robust", "imhof", "box_eigenvalues"}, default "jackson"
            Jackson-Mudholkar, a scaled chi2 from the calibration samples' SPE or from its
            robust moments, the exact limit, or a scaled chi2 from the residual eigenvalues.

        Returns
        -------
        float
            The limit.
        """
        require_fitted(self)
        check_choice("method", method, SPE_METHODS)
        if method in {"box", "robust"}:
            # the limit is one for complete samples
            whole = self.spe_ / getattr(self, "observed_share_", 1.0)
            return spe_limit_from_values(whole, alpha=alpha, robust=method == "robust")
        values: Any = self.residual_eigenvalues_
        return spe_limit_from_eigenvalues(values, alpha=alpha, method=method)  # type: ignore[arg-type]

    def project(self, X: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return scores and SPE of samples as plain arrays, in one pass over `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises, unless `missing` says what to do.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_components)
            As `transform` gives them.
        spe : ndarray of shape (n_samples,)
            As `spe` gives them.
        """
        return self.project_array(new_matrix(self, X))

    def project_array(
        self, values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Do what `project` does on an array that was checked already.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_points)
            Float64 values in C order on the fitted axis; NaN where `missing` allows it.

        Returns
        -------
        scores, spe : ndarray
            As `project` gives them, bit for bit.
        """
        from pharmaq.chemometrics import _kernels

        scores = np.empty((len(values), self.n_components_))
        spe = np.empty(len(values))
        rotations = np.ascontiguousarray(self.x_rotations_.T)
        loadings = np.ascontiguousarray(self.x_loadings_.T)
        _kernels.project(values, self.x_mean_, self.x_scale_, rotations, loadings, scores, spe)
        if self.missing != "raise":
            fill_incomplete(self, values, scores, spe)
        return scores, spe

    def score_operator(self, observed: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the matrix that turns observed points of a sample into its scores.

        Parameters
        ----------
        observed : ndarray of bool, shape (n_points,)
            Which points of the sample are there.

        Returns
        -------
        ndarray of shape (n_observed, n_components)
            Centred and scaled points times this matrix are the scores, by `score_method`; the
            rotations where nothing is missing.

        Raises
        ------
        InputError
            If points are missing and `missing` is ``"raise"``, or too few are there.
        """
        require_fitted(self)
        if observed.all():
            return np.asarray(self.x_rotations_)
        if self.missing == "raise":
            msg = (
                f"{int((~observed).sum())} points are missing; fit the model with missing='tsr'"
            )
            raise InputError(msg)
        return score_operator(self, observed)

    def t2_of_scores(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return T2 of scores, component by component in a fixed order.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_components)
            As `project` gives them.

        Returns
        -------
        ndarray of shape (n_samples,)
            Hotelling's T2.
        """
        t2 = np.zeros(len(scores))
        for score, variance in zip(scores.T, self.score_variances_, strict=True):
            t2 += score**2 / variance
        return t2

    def leverage_of_t2(self, t2: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the leverage that belongs to T2.

        Parameters
        ----------
        t2 : ndarray of shape (n_samples,)
            Hotelling's T2.

        Returns
        -------
        ndarray of shape (n_samples,)
            1 / N + T2 / (N - 1); with sample weights N is their sum.
        """
        N: Any = getattr(self, "weight_sum_", self.n_samples_)
        return 1 / N + t2 / (N - 1)

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn whether missing values are fine."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing != "raise"
        return tags

    @property
    def _n_features_out(self) -> int:
        return int(self.n_components_)


def check_n_components(n_components: Any, n_samples: int, n_features: int) -> int:
    """Return the number of components if that many samples and points can carry it."""
    count = check_integer("n_components", n_components, least=1)
    most = min(n_samples - 1, n_features)
    if count > most:
        msg = (
            f"n_components = {count} is too many: at most {most} can be fitted to n_samples = "
            f"{n_samples} and n_features = {n_features} after centring"
        )
        raise InputError(msg)
    return count


def center_and_scale(
    X: NDArray[np.float64],
    *,
    scale: bool,
    name: str,
    weights: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the centred (and scaled) matrix, its means and its scales (1 if not scaled).

    A weight counts a row so many times: the divisor of a variance is their sum less one.
    """
    mean = X.mean(axis=0) if weights is None else weights @ X / weights.sum()
    if not scale:
        return X - mean, mean, np.ones(X.shape[1])
    refuse_constant(X, name=name)
    if weights is None:
        spread = X.std(axis=0, ddof=1)
    else:
        spread = np.sqrt(weights @ (X - mean) ** 2 / (weights.sum() - 1))
    return (X - mean) / spread, mean, spread


def refuse_constant(X: NDArray[np.float64], *, name: str) -> None:
    """Raise if a column holds one value only: it cannot be scaled."""
    # the computed deviation of equal numbers need not be zero
    constant = np.flatnonzero((X[0] == X).all(axis=0))
    if constant.size:
        msg = (
            f"column {constant[0]} of {name} is constant and cannot be scaled "
            f"({constant.size} such columns); remove it, or set scale=False"
        )
        raise InputError(msg)


def fix_signs(loadings: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return +1 or -1 for each column so that its largest |loading| becomes positive."""
    largest = loadings[np.abs(loadings).argmax(axis=0), np.arange(loadings.shape[1])]
    return np.where(largest < 0, -1.0, 1.0)
