"""Principal component analysis with the diagnostics that monitoring needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from pharmaq.chemometrics._base import fit_matrix
from pharmaq.chemometrics.latent import (
    LatentVariableModel,
    center_and_scale,
    check_n_components,
    fix_signs,
)
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PCA"]


class PCA(LatentVariableModel):
    """Principal component analysis of centred data [1]_.

    Parameters
    ----------
    n_components : int, default 2
        Number of components; more than the rank of `X` is an error.
    scale : bool, default False
        Divide every column by its standard deviation (n - 1).

    Attributes
    ----------
    x_scores_ : ndarray of shape (n_samples, n_components)
        Scores of the calibration samples.
    x_loadings_, x_rotations_ : ndarray of shape (n_points, n_components)
        Orthonormal loadings; the largest |loading| of each component is positive.
    eigenvalues_ : ndarray of shape (n_components,)
        Variances of the scores (n - 1).
    explained_variance_ratio_ : ndarray of shape (n_components,)
        Share of the variance of X that each component explains.
    residual_eigenvalues_ : ndarray
        Eigenvalues of the components left out.
    score_variances_ : ndarray of shape (n_components,)
        The same as `eigenvalues_`; what T2 divides by.
    spe_ : ndarray of shape (n_samples,)
        SPE of the calibration samples.
    x_mean_, x_scale_ : ndarray of shape (n_points,)
        Centre and scale; the scale is 1 where `scale` is False.
    n_samples_, n_components_, n_features_in_ : int
        Sizes.
    axis_, axis_kind_
        Axis of the fitted samples, where they had one.

    References
    ----------
    .. [1] J. E. Jackson, A User's Guide to Principal Components, Wiley, 1991.

    Examples
    --------
    >>> model = PCA(n_components=1).fit([[1.0, 1.0], [2.0, 2.0], [3.0, 3.1]])
    >>> model.explained_variance_ratio_.round(4)
    array([0.9998])
    """

    def __init__(self, n_components: int = 2, *, scale: bool = False) -> None:
        self.n_components = n_components
        self.scale = scale

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Fit the components.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            At least two samples; NaN raises.
        y : object
            Not used.

        Returns
        -------
        PCA
            The fitted model.

        Raises
        ------
        InputError
            If `X` has not the rank for that many components.
        """
        values = fit_matrix(self, X, least=2)
        A = self.n_components_ = check_n_components(self.n_components, *values.shape)
        centered, self.x_mean_, self.x_scale_ = center_and_scale(
            values, scale=self.scale, name="X"
        )
        scores, loadings, variances = principal_components(centered, A)
        signs = fix_signs(loadings)
        self.n_samples_ = len(values)
        self.x_loadings_ = self.x_rotations_ = np.ascontiguousarray(loadings * signs)
        self.x_scores_ = scores * signs
        self.eigenvalues_ = self.score_variances_ = variances[:A]
        self.residual_eigenvalues_ = variances[A:]
        self.explained_variance_ratio_ = variances[:A] / variances.sum()
        residuals = centered - self.x_scores_ @ self.x_loadings_.T
        self.spe_ = np.einsum("ij,ij->i", residuals, residuals)
        return self


def principal_components(
    centered: NDArray[np.float64], n_components: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return scores and loadings of so many components, and the variances of all (n - 1)."""
    left, singular, right = np.linalg.svd(centered, full_matrices=False)
    # the usual bound for the numerical rank, as in numpy.linalg.matrix_rank
    smallest = singular[0] * max(centered.shape) * np.finfo(float).eps
    rank = int(np.sum(singular > smallest))
    if n_components > rank:
        msg = f"n_components = {n_components} exceeds the rank {rank} of the centred X"
        raise InputError(msg)
    scores = left[:, :n_components] * singular[:n_components]
    return scores, right[:n_components].T, singular**2 / (len(centered) - 1)
