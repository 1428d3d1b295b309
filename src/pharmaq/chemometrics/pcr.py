"""Principal component regression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pharmaq.chemometrics._pca import principal_components
from pharmaq.chemometrics._pls import Components
from pharmaq.chemometrics.latent import LatentVariableModel
from pharmaq.chemometrics.score_regression import ScoreRegression

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PCR"]


class PCR(ScoreRegression, LatentVariableModel):
    """Principal component regression: y on the scores of a PCA of X [1]_.

    Parameters
    ----------
    n_components : int, default 2
        Number of components, the largest variances first; more than the rank of `X` is an
        error.
    scale : bool, default False
        Divide every column of `X` and `y` by its standard deviation (n - 1). Both are always
        centred.

    Attributes
    ----------
    coef_, coef_path_, intercept_, y_loadings_, explained_x_, explained_y_
        As in `PLS`.
    x_loadings_, x_rotations_, x_weights_ : ndarray of shape (n_points, n_components)
        The orthonormal loadings of the PCA, three times the same.
    x_scores_, score_variances_, residual_eigenvalues_, spe_
        As in `PCA`.
    x_mean_, x_scale_, y_mean_, y_scale_, n_samples_, n_components_, n_features_in_
        As in `PLS`.

    References
    ----------
    .. [1] T. Naes, H. Martens, J. Chemom. 2 (1988) 155-167.

    Examples
    --------
    >>> X = [[1.0, 0.2], [2.0, 0.1], [3.0, 0.4], [4.0, 0.3]]
    >>> PCR(n_components=2).fit(X, [1.1, 2.0, 3.1, 4.0]).predict([[2.5, 0.2]])
    array([2.525])
    """

    def __init__(self, n_components: int = 2, *, scale: bool = False) -> None:
        self.n_components = n_components
        self.scale = scale

    def _find_components(
        self, X: NDArray[np.float64], Y: NDArray[np.float64], n_components: int
    ) -> Components:
        scores, loadings, _ = principal_components(X, n_components)
        y_loadings = (Y.T @ scores) / np.sum(scores**2, axis=0)
        return Components(loadings, loadings, y_loadings, loadings, scores)
