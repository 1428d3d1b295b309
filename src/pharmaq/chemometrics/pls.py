"""Partial least squares regression for one response and for several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pharmaq._checks import check_choice
from pharmaq.chemometrics._pls import Components, improved_kernel, nipals, simpls
from pharmaq.chemometrics.latent import LatentVariableModel
from pharmaq.chemometrics.score_regression import ScoreRegression

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["PLS"]

ALGORITHMS = ("nipals", "simpls", "kernel")


class PLS(ScoreRegression, LatentVariableModel):
    """Partial least squares regression, PLS1 and PLS2.

    Parameters
    ----------
    n_components : int, default 2
        Number of components; more than `X` and `y` can carry is an error.
    scale : bool, default False
        Divide every column of `X` and `y` by its standard deviation (n - 1). Both are always
        centred.
    algorithm : {"nipals", "simpls", "kernel"}, default "nipals"
        NIPALS [1]_ with converged inner iterations, SIMPLS [2]_, or improved kernel PLS [3]_,
        which gives the components of NIPALS in a fraction of the time. SIMPLS is equal to them
        for one response and differs slightly for several.
    missing : {"raise", "nipals", "tsr"}, default "raise"
        What to do with NaN in `X`: refuse it, NIPALS over the observed values [4]_, or trimmed
        score regression [5]_, which fills in missing values until they stay and goes with every
        algorithm. Without NaN all three give the same model. NaN in `y` always raises.
    score_method : {"auto", "scp", "pmp", "tsr"}, default "auto"
        Scores of incomplete new samples, as in `PCA` [6]_.

    Attributes
    ----------
    coef_ : ndarray of shape (n_responses, n_points)
        Coefficients in the original units of X and y, for all components.
    coef_path_ : ndarray of shape (n_components, n_responses, n_points)
        The same for 1 to n_components components.
    intercept_ : ndarray of shape (n_responses,)
        y = intercept + X coef'.
    x_weights_, x_loadings_, x_rotations_ : ndarray of shape (n_points, n_components)
        W, P and R = W (P'W)^-1; the largest |loading| of each component is positive. SIMPLS
        has weights equal to its rotations.
    x_scores_ : ndarray of shape (n_samples, n_components)
        Scores of the calibration samples.
    y_loadings_ : ndarray of shape (n_responses, n_components)
        Regression of y on the scores.
    explained_x_, explained_y_ : ndarray of shape (n_components,)
        Share of the variance of X and of y that each component explains.
    score_variances_, residual_eigenvalues_, spe_
        As in `PCA`.
    x_mean_, x_scale_, y_mean_, y_scale_ : ndarray
        Centres and scales; scales are 1 where `scale` is False.
    sec_ : ndarray of shape (n_responses,)
        Standard error of calibration, divisor n - n_components - 1; NaN where that is 0.
    algorithm_ : str
        ``"nipals"``, ``"simpls"``, ``"improved kernel 1"`` or ``"improved kernel 2"``.
    n_samples_, n_components_, n_features_in_ : int
        Sizes; samples of weight zero do not count.
    n_missing_, n_missing_per_column_, observed_share_, convergence_, residual_factor_
        As in `PCA`, unless `missing` is ``"raise"``; so is `score_method_`.
    weight_sum_ : float
        Sum of the sample weights; the number of samples where none were given.
    axis_, axis_kind_
        Axis of the fitted samples, where they had one.

    References
    ----------
    .. [1] S. Wold, M. Sjostrom, L. Eriksson, Chemom. Intell. Lab. Syst. 58 (2001) 109-130.
    .. [2] S. de Jong, Chemom. Intell. Lab. Syst. 18 (1993) 251-263.
    .. [3] B. S. Dayal, J. F. MacGregor, J. Chemom. 11 (1997) 73-85.
    .. [4] P. R. C. Nelson, P. A. Taylor, J. F. MacGregor, Chemom. Intell. Lab. Syst. 35 (1996)
           45-65.
    .. [5] A. Folch-Fortuny, F. Arteaga, A. Ferrer, J. Chemom. 31 (2017) e2897.
    .. [6] F. Arteaga, A. Ferrer, J. Chemom. 16 (2002) 408-418.

    Examples
    --------
    >>> X = [[1.0, 0.2], [2.0, 0.1], [3.0, 0.4], [4.0, 0.3]]
    >>> model = PLS(n_components=2).fit(X, [1.1, 2.0, 3.1, 4.0])
    >>> model.predict([[2.5, 0.2]])
    array([2.525])
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        scale: bool = False,
        algorithm: Literal["nipals", "simpls", "kernel"] = "nipals",
        missing: Literal["raise", "nipals", "tsr"] = "raise",
        score_method: Literal["auto", "scp", "pmp", "tsr"] = "auto",
    ) -> None:
        self.n_components = n_components
        self.scale = scale
        self.algorithm = algorithm
        self.missing = missing
        self.score_method = score_method

    def _find_components(
        self, X: NDArray[np.float64], Y: NDArray[np.float64], n_components: int
    ) -> Components:
        self.algorithm_ = check_choice("algorithm", self.algorithm, ALGORITHMS)
        if self.algorithm == "kernel":
            parts, self.algorithm_ = improved_kernel(X, Y, n_components)
            return parts
        return (simpls if self.algorithm == "simpls" else nipals)(X, Y, n_components)
