"""Principal component analysis with the diagnostics that monitoring needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from pharmaq._checks import check_choice
from pharmaq.chemometrics._base import fit_matrix
from pharmaq.chemometrics._missing import count_missing, needs_residuals, residual_factor
from pharmaq.chemometrics._missing_fit import fit_incomplete, principal_parts
from pharmaq.chemometrics._pca import SOLVERS, Solver, decompose
from pharmaq.chemometrics.latent import LatentVariableModel, check_n_components, fix_signs

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
        Divide every column by its standard deviation (n - 1), that of its observed values.
    missing : {"raise", "nipals", "tsr"}, default "raise"
        What to do with NaN: refuse it, NIPALS over the observed values [2]_ [3]_, or trimmed
        score regression [4]_, which fills in missing values until they stay. Without NaN all
        three give the same model.
    score_method : {"auto", "scp", "pmp", "tsr"}, default "auto"
        Scores of incomplete new samples: single component projection, as NIPALS does it;
        projection to the model plane [3]_, least squares on the observed loadings; trimmed
        score regression [5]_. ``"auto"`` is ``"scp"`` for ``"nipals"`` and ``"tsr"`` for
        ``"tsr"``: with these, samples of the calibration get the scores they had there.
    solver : {"auto", "svd", "gram"}, default "auto"
        Singular value decomposition of X, or eigenvectors of the smaller cross-product, which
        is formed in one pass over X. ``"auto"`` takes cross-products for large data (250 000
        values and more) unless digits would be lost, see Notes; ``"gram"`` refuses such data.

    Attributes
    ----------
    x_scores_ : ndarray of shape (n_samples, n_components)
        Scores of the calibration samples.
    x_loadings_, x_rotations_ : ndarray of shape (n_points, n_components)
        Orthonormal loadings; the largest |loading| of each component is positive. With NaN,
        the loadings of ``"nipals"`` have length 1 but are not quite orthogonal, and the
        rotations differ from them.
    eigenvalues_ : ndarray of shape (n_components,)
        Variances of the scores (n - 1).
    explained_variance_ratio_ : ndarray of shape (n_components,)
        Share of the variance of X that each component explains; with NaN, of the sum of squares
        of what was observed.
    residual_eigenvalues_ : ndarray
        Eigenvalues of the components left out.
    score_variances_ : ndarray of shape (n_components,)
        The same as `eigenvalues_`; what T2 divides by.
    spe_ : ndarray of shape (n_samples,)
        SPE of the calibration samples, over their observed points.
    x_mean_, x_scale_ : ndarray of shape (n_points,)
        Centre and scale; the scale is 1 where `scale` is False.
    n_missing_, n_missing_per_column_, observed_share_
        Missing values of X in all and by column, and the share of each sample that was
        observed; these and the next three unless `missing` is ``"raise"``.
    score_method_ : str
        The method that ``"auto"`` stands for.
    convergence_ : ndarray of shape (n_steps, 2)
        Component (0 for all together) and change, step by step; empty without NaN.
    residual_factor_ : ndarray of shape (n_points, n)
        F with F F' the covariance of the residuals; for scores by trimmed score regression.
    solver_ : {"svd", "gram", "nipals", "tsr"}
        What was used; the last two where values are missing.
    n_samples_, n_components_, n_features_in_ : int
        Sizes.
    axis_, axis_kind_
        Axis of the fitted samples, where they had one.

    Notes
    -----
    An eigenvalue of a cross-product is known to about 1e-15 of the largest one. ``"gram"`` is
    used where the last component, and the sum of all that are left out, have at least 1e-6 of
    the largest eigenvalue: then both solvers agree to 9 digits or more.

    References
    ----------
    .. [1] J. E. Jackson, A User's Guide to Principal Components, Wiley, 1991.
    .. [2] H. Wold, in P. R. Krishnaiah (ed.), Multivariate Analysis, Academic Press, 1966,
           391-420.
    .. [3] P. R. C. Nelson, P. A. Taylor, J. F. MacGregor, Chemom. Intell. Lab. Syst. 35 (1996)
           45-65.
    .. [4] A. Folch-Fortuny, F. Arteaga, A. Ferrer, Chemom. Intell. Lab. Syst. 146 (2015) 77-88.
    .. [5] F. Arteaga, A. Ferrer, J. Chemom. 16 (2002) 408-418.

    Examples
    --------
    >>> model = PCA(n_components=1).fit([[1.0, 1.0], [2.0, 2.0], [3.0, 3.1]])
    >>> model.explained_variance_ratio_.round(4)
    array([0.9998])
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        scale: bool = False,
        solver: Solver = "auto",
        missing: Literal["raise", "nipals", "tsr"] = "raise",
        score_method: Literal["auto", "scp", "pmp", "tsr"] = "auto",
    ) -> None:
        self.n_components = n_components
        self.scale = scale
        self.solver = solver
        self.missing = missing
        self.score_method = score_method

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Fit the components.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            At least two samples; NaN raises, unless `missing` says what to do.
        y : object
            Not used.

        Returns
        -------
        PCA
            The fitted model.

        Raises
        ------
        InputError
            If `X` has not the rank for that many components, or a row or column of it has no
            observed value.

        Warns
        -----
        ConvergenceWarning
            If the iteration for missing values does not come to rest.
        """
        values = fit_matrix(self, X, least=2)
        A = self.n_components_ = check_n_components(self.n_components, *values.shape)
        check_choice("solver", self.solver, SOLVERS)
        if count_missing(self, values):
            return self._fit_incomplete(values, A)
        parts = decompose(values, A, scale=self.scale, solver=self.solver)
        signs = fix_signs(parts.loadings)
        self.n_samples_ = len(values)
        self.solver_: str = parts.solver
        self.x_mean_, self.x_scale_ = parts.mean, parts.scale
        self.x_loadings_ = self.x_rotations_ = np.ascontiguousarray(parts.loadings * signs)
        self.x_scores_ = parts.scores * signs
        self.eigenvalues_ = self.score_variances_ = parts.variances[:A]
        self.residual_eigenvalues_ = parts.variances[A:]
        self.explained_variance_ratio_ = self.eigenvalues_ / parts.variances.sum()
        self.spe_ = parts.spe
        if needs_residuals(self):
            centered = (values - self.x_mean_) / self.x_scale_
            residuals = centered - self.x_scores_ @ self.x_loadings_.T
            self.residual_factor_ = residual_factor(residuals, len(values) - 1)
        return self

    def _fit_incomplete(self, values: NDArray[np.float64], n_components: int) -> Self:
        fit = fit_incomplete(
            self, values, None, n_components, lambda Z: principal_parts(Z, n_components)
        )
        self.x_loadings_, self.x_rotations_ = fit.parts.x_loadings, fit.parts.x_rotations
        self.x_scores_, self.eigenvalues_ = fit.parts.x_scores, self.score_variances_
        self.explained_variance_ratio_ = fit.explained
        self.solver_ = self.missing
        return self
