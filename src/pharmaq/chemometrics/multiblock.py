"""Partial least squares on several blocks of measurements at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice
from pharmaq.chemometrics._base import (
    is_blocks,
    labelled,
    like_columns,
    new_matrix,
    require_fitted,
)
from pharmaq.chemometrics._blocks import join_blocks, require_same_blocks, share_out
from pharmaq.chemometrics._pls import Components, nipals
from pharmaq.chemometrics.latent import LatentVariableModel, center_and_scale
from pharmaq.chemometrics.limits import (
    SPE_METHODS,
    SPEMethod,
    T2Method,
    residual_eigenvalues,
    spe_limit_from_eigenvalues,
    spe_limit_from_values,
    t2_limit,
)
from pharmaq.chemometrics.score_regression import ScoreRegression
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Matrix = NDArray[np.float64]

__all__ = ["MultiBlockPLS"]

BLOCK_SCALINGS = ("variance", "size", "none")
# below this share of the largest, an eigenvalue of the correlations of block scores is rounding
_ROUNDING = 1e-10


class MultiBlockPLS(ScoreRegression, LatentVariableModel):
    """Multi-block PLS with deflation by super scores [1]_.

    `X` of every method is either a dictionary from name to block, each an array, DataFrame or
    DataArray with one row a sample, or one matrix whose columns `blocks` shares out.

    Parameters
    ----------
    n_components : int, default 2
        Number of components; more than `X` and `y` can carry is an error.
    blocks : dict of str to sequence of columns, optional
        For one matrix: positions of the columns of each block, or names of columns of a frame.
        Every column is in exactly one block. All columns are one block by default.
    scale : bool, default True
        Divide every column of `X` and `y` by its standard deviation (n - 1): unlike spectra,
        columns of process blocks have different units.
    block_scaling : {"variance", "size", "none"}, default "variance"
        Divide each block by the root of its total variance, by the root of its number of
        columns, or by 1. The first two are the same where `scale` is True: every block then has
        the same weight, however many columns it has.

    Attributes
    ----------
    block_names_ : list of str
        Names of the blocks, in order.
    block_of_point_ : ndarray of int, shape (n_points,)
        Number of the block of each column, from 0.
    block_scale_ : ndarray of shape (n_blocks,)
        What each block was divided by.
    super_weights_ : ndarray of shape (n_blocks, n_components)
        Part of each block in each super score, not negative; the squares of a column sum to 1.
    block_weights_ : ndarray of shape (n_points, n_components)
        Weights of the columns within their block, of length 1 in each.
    block_scores_ : ndarray of shape (n_blocks, n_samples, n_components)
        Scores of the calibration samples by block; the super scores are `x_scores_`.
    block_importance_ : ndarray of shape (n_blocks,)
        Block importance in projection, see Notes; the mean of the squares is 1.
    explained_blocks_ : ndarray of shape (n_blocks, n_components)
        Share of the variance of each block that each component explains.
    block_spe_ : ndarray of shape (n_samples, n_blocks)
        SPE of the calibration samples by block; the sum over blocks is `spe_`.
    block_ranks_ : ndarray of int, shape (n_blocks,)
        Number of directions in which the scores of each block vary.
    block_axes_ : dict
        Axis and its kind of each block that had one.
    coef_, intercept_, x_weights_, x_loadings_, x_rotations_, x_scores_, y_loadings_, \
explained_x_, explained_y_, score_variances_, spe_, x_mean_, x_scale_, y_mean_, y_scale_
        As in `PLS`, of all blocks side by side; the super level. Loadings of a block are its
        rows of `x_loadings_`. `x_scale_` holds the scales of columns times those of blocks.

    Notes
    -----
    For component a, with X_b the block as it is left by the ones before, w_b of length 1
    proportional to X_b'u, block scores t_b = X_b w_b, super weights proportional to t_b'u, and
    super score t = sum_b w_sb t_b. Blocks are deflated by the super score, which makes super
    scores those of PLS on all scaled blocks side by side: w_sb is the length of the rows of its
    weight that belong to block b [1]_ [2]_. That is how they are computed here.

    Block importance is VIP with super weights [3]_: sqrt(B sum_a SS_a w_sba^2 / sum_a SS_a), B
    the number of blocks and SS_a the sum of squares of y that component a explains.

    References
    ----------
    .. [1] J. A. Westerhuis, T. Kourti, J. F. MacGregor, J. Chemom. 12 (1998) 301-321.
    .. [2] S. J. Qin, S. Valle, M. J. Piovoso, J. Chemom. 15 (2001) 715-742.
    .. [3] S. Wold, M. Sjostrom, L. Eriksson, Chemom. Intell. Lab. Syst. 58 (2001) 109-130.

    Examples
    --------
    >>> feed = [[1.0, 0.2], [2.0, 0.1], [3.0, 0.4], [4.0, 0.3], [5.0, 0.1]]
    >>> oven = [[7.0], [9.0], [8.0], [7.5], [8.5]]
    >>> model = MultiBlockPLS(2).fit({"feed": feed, "oven": oven}, [1.1, 2.1, 3.0, 3.9, 5.1])
    >>> model.block_importance_.round(3)
    array([1.203, 0.743])
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        blocks: dict[str, Any] | None = None,
        scale: bool = True,
        block_scaling: Literal["variance", "size", "none"] = "variance",
    ) -> None:
        self.n_components = n_components
        self.blocks = blocks
        self.scale = scale
        self.block_scaling = block_scaling

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : dict of str to array-like, or one matrix
            The blocks, with the same rows: at least two samples; NaN raises.
        y : array-like, shape (n_samples,) or (n_samples, n_responses)
            Reference values, none of them constant; NaN raises.
        sample_weight : array-like of shape (n_samples,), optional
            How often each sample counts, as in `PLS`.

        Returns
        -------
        MultiBlockPLS
            The fitted model.

        Raises
        ------
        InputError
            If blocks do not go together, or if values, shapes, weights or the number of
            components cannot be modelled.
        """
        check_choice("block_scaling", self.block_scaling, BLOCK_SCALINGS)
        if not is_blocks(X):
            # shared out by `_centered`, once X is known to be a matrix
            self.block_names_: list[str] = []
            self.block_axes_: dict[str, Any] = {}
            return super().fit(X, y, sample_weight)
        if self.blocks is not None:
            msg = "blocks must be None where X is a dictionary: it says what the blocks are"
            raise InputError(msg)
        joined, widths, self.block_axes_ = join_blocks(X)
        self.block_names_ = list(widths)
        self.block_of_point_ = np.repeat(np.arange(len(widths)), list(widths.values()))
        return super().fit(joined, y, sample_weight)

    def project(self, X: Any) -> tuple[Matrix, Matrix]:
        """Return super scores and SPE of samples as plain arrays.

        Parameters
        ----------
        X : dict of str to array-like, or one matrix
            As in `fit`; NaN raises.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_components)
            As `transform` gives them.
        spe : ndarray of shape (n_samples,)
            As `spe` gives them.
        """
        return self.project_array(self._matrix(X))

    def block_scores(self, X: Any) -> Matrix:
        """Return the scores of samples in each block.

        Parameters
        ----------
        X : dict of str to array-like, or one matrix
            As in `fit`; NaN raises.

        Returns
        -------
        ndarray of shape (n_blocks, n_samples, n_components)
            Of each component, from what the super scores before it left of the block.
        """
        return self._by_block(self._matrix(X))[0]

    def block_t2(self, X: Any) -> Any:
        """Return Hotelling's T2 of samples in each block.

        Parameters
        ----------
        X : dict of str to array-like, or one matrix
            As in `fit`; NaN raises.

        Returns
        -------
        array, DataFrame or DataArray, shape (n_samples, n_blocks)
            t_b' C_b^-1 t_b with C_b the covariance (n - 1) of the block's calibration scores,
            which, unlike super scores, are correlated.
        """
        scores = self._by_block(self._matrix(X))[0]
        values = np.sum(scores[..., None] * self.block_whitening_[:, None], axis=2) ** 2
        return self._in_blocks(X, values.sum(axis=2).T)

    def block_spe(self, X: Any) -> Any:
        """Return the squared prediction error of samples in each block.

        Parameters
        ----------
        X : dict of str to array-like, or one matrix
            As in `fit`; NaN raises.

        Returns
        -------
        array, DataFrame or DataArray, shape (n_samples, n_blocks)
            Sum of squared residuals over the columns of the block, scaled as the model is: what
            each block contributes to `spe`.
        """
        return self._in_blocks(X, self._by_block(self._matrix(X))[1])

    def t2_by_block(self, X: Any) -> Any:
        """Return what each block contributes to the T2 of samples.

        Parameters
        ----------
        X : dict of str to array-like, or one matrix
            As in `fit`; NaN raises.

        Returns
        -------
        array, DataFrame or DataArray, shape (n_samples, n_blocks)
            Sum over components of score / variance times the part of the score that comes from
            the block. They sum to T2, and can be negative where blocks pull apart.
        """
        values = (self._matrix(X) - self.x_mean_) / self.x_scale_
        scores, _ = self.project(X)
        effect = np.zeros_like(values)
        for a, variance in enumerate(self.score_variances_):
            effect += np.outer(scores[:, a] / variance, self.x_rotations_[:, a])
        return self._in_blocks(X, self._sums(values * effect))

    def block_t2_limit(self, *, alpha: float = 0.05, method: T2Method = "f") -> Matrix:
        """Return the limit of T2 in each block; see `pharmaq.chemometrics.t2_limit`.

        Parameters
        ----------
        alpha : float, default 0.05
            Share of good samples allowed above the limit of each block.
        method : {"f", "beta", "simca", "chi2"}, default "f"
            ``"f"`` for new samples, ``"beta"`` for the calibration samples.

        Returns
        -------
        ndarray of shape (n_blocks,)
            The limits, with the rank of the block's scores as number of components.
        """
        require_fitted(self)
        N = self.n_samples_
        return np.array(
            [t2_limit(N, int(r), alpha=alpha, method=method) for r in self.block_ranks_]
        )

    def block_spe_limit(self, *, alpha: float = 0.05, method: SPEMethod = "jackson") -> Matrix:
        """Return the limit of SPE in each block; see `pharmaq.chemometrics.spe_limit`.

        Parameters
        ----------
        alpha : float, default 0.05
            Share of good samples allowed above the limit of each block.
        method : str, default "jackson"
            As in `pharmaq.chemometrics.spe_limit`.

        Returns
        -------
        ndarray of shape (n_blocks,)
            The limits.
        """
        require_fitted(self)
        check_choice("method", method, SPE_METHODS)
        if method in {"box", "robust"}:
            robust = method == "robust"
            limits = [
                spe_limit_from_values(values, alpha=alpha, robust=robust)
                for values in self.block_spe_.T
            ]
        else:
            exact: Any = method
            limits = [
                spe_limit_from_eigenvalues(values, alpha=alpha, method=exact)
                for values in self.block_eigenvalues_
            ]
        return np.array(limits)

    def block_frame(self) -> pd.DataFrame:
        """Return one row a block: columns, scale, importance, and what all components explain.

        Returns
        -------
        DataFrame
            Columns ``block``, ``n_points``, ``scale``, ``importance`` and ``explained``.
        """
        require_fitted(self)
        return pd.DataFrame(
            {
                "block": self.block_names_,
                "n_points": np.bincount(self.block_of_point_),
                "scale": self.block_scale_,
                "importance": self.block_importance_,
                "explained": self.explained_blocks_.sum(axis=1),
            }
        )

    def component_frame(self) -> pd.DataFrame:
        """Return one row a component and block: super weight and explained share.

        Returns
        -------
        DataFrame
            Columns ``component``, ``block``, ``super_weight`` and ``explained``.
        """
        require_fitted(self)
        A, B = self.n_components_, len(self.block_names_)
        return pd.DataFrame(
            {
                "component": np.repeat(np.arange(1, A + 1), B),
                "block": self.block_names_ * A,
                "super_weight": self.super_weights_.T.ravel(),
                "explained": self.explained_blocks_.T.ravel(),
            }
        )

    def _find_components(self, X: Matrix, Y: Matrix, n_components: int) -> Components:
        return nipals(X, Y, n_components)

    def _centered(
        self, values: Matrix, weights: Matrix | None
    ) -> tuple[Matrix, Matrix, Matrix]:
        if not self.block_names_:
            columns = getattr(self, "feature_names_in_", ())
            self.block_names_, self.block_of_point_ = share_out(
                self.blocks, [str(column) for column in columns], values.shape[1]
            )
        Xc, mean, spread = np.empty_like(values), *np.empty((2, values.shape[1]))
        for b, name in enumerate(self.block_names_):
            own = self.block_of_point_ == b
            Xc[:, own], mean[own], spread[own] = center_and_scale(
                values[:, own], scale=self.scale, name=f"block {name!r}", weights=weights
            )
        counts = np.ones(len(Xc)) if weights is None else weights
        variances = (counts @ Xc**2) / (counts.sum() - 1) @ self._members()
        still = np.flatnonzero(variances == 0)
        if still.size:
            msg = f"block {self.block_names_[still[0]]!r} does not vary; leave it out"
            raise InputError(msg)
        sizes = {
            "variance": variances,
            "size": np.bincount(self.block_of_point_).astype(np.float64),
            "none": np.ones(len(variances)),
        }
        self.block_scale_ = np.sqrt(sizes[self.block_scaling])
        factors = self.block_scale_[self.block_of_point_]
        return Xc / factors, mean, spread * factors

    def _fit_complete(self, values: Matrix, Yc: Matrix, weights: Matrix | None) -> Self:
        super()._fit_complete(values, Yc, weights)
        members = self._members()
        self.super_weights_ = np.sqrt(members.T @ self.x_weights_**2)
        lengths = self.super_weights_[self.block_of_point_]
        self.block_weights_ = self.x_weights_ / np.where(lengths > 0, lengths, 1.0)
        self._set_importance()
        self.block_scores_, self.block_spe_ = self._by_block(values)
        root = np.sqrt(np.ones(len(values)) if weights is None else weights)[:, None]
        Z = root * (values - self.x_mean_) / self.x_scale_
        squares = self.score_variances_ * (self.weight_sum_ - 1)
        whole = np.sum(Z**2, axis=0) @ members
        self.explained_blocks_ = (members.T @ self.x_loadings_**2) * squares / whole[:, None]
        self._set_block_limits(Z - root * self.x_scores_ @ self.x_loadings_.T, root)
        return self

    def _set_importance(self) -> None:
        squares = self.score_variances_ * np.sum(self.y_loadings_**2, axis=0)
        shares = self.super_weights_**2 @ squares / squares.sum()
        self.block_importance_ = np.sqrt(len(shares) * shares)

    def _set_block_limits(self, residuals: Matrix, root: Matrix) -> None:
        """Set what T2 and SPE of blocks and their limits follow from."""
        freedom = self.weight_sum_ - 1
        B, A = len(self.block_names_), self.n_components_
        self.block_whitening_ = np.zeros((B, A, A))
        self.block_ranks_ = np.empty(B, dtype=np.intp)
        self.block_eigenvalues_ = []
        for b, scores in enumerate(self.block_scores_ * root):
            whitening = _whitening(scores.T @ scores / freedom)
            self.block_ranks_[b] = whitening.shape[1]
            self.block_whitening_[b, :, : whitening.shape[1]] = whitening
            part = residuals[:, self.block_of_point_ == b]
            self.block_eigenvalues_.append(residual_eigenvalues(part, freedom))

    def _by_block(self, values: Matrix) -> tuple[Matrix, Matrix]:
        """Return block scores and SPE by block, component after component."""
        rest = (values - self.x_mean_) / self.x_scale_
        A = self.n_components_
        scores = np.empty((len(self.block_names_), len(rest), A))
        totals, _ = self.project_array(values)
        for a in range(A):
            scores[:, :, a] = self._sums(rest * self.block_weights_[:, a]).T
            rest -= np.outer(totals[:, a], self.x_loadings_[:, a])
        return scores, self._sums(rest**2)

    def _sums(self, values: Matrix) -> Matrix:
        """Return the sums of rows by block: the same bits whatever rows there are."""
        sums = np.empty((len(values), len(self.block_names_)))
        for b in range(len(self.block_names_)):
            part = np.ascontiguousarray(values[:, self.block_of_point_ == b])
            sums[:, b] = part.sum(axis=1)
        return sums

    def _matrix(self, X: Any) -> Matrix:
        """Return the checked matrix of one matrix or of blocks."""
        require_fitted(self)
        if not is_blocks(X):
            return new_matrix(self, X)
        joined, widths, axes = join_blocks(X)
        require_same_blocks(
            widths, axes, self.block_names_, self.block_axes_, self.block_of_point_
        )
        return new_matrix(self, joined)

    def _members(self) -> Matrix:
        """Return 1 where a column (row here) belongs to a block, 0 elsewhere."""
        numbers = np.arange(len(self.block_names_))
        return (self.block_of_point_[:, None] == numbers).astype(np.float64)

    def _in_blocks(self, X: Any, values: Matrix) -> Any:
        return like_columns(labelled(X), values, self.block_names_, "block")


def _whitening(covariance: Matrix) -> Matrix:
    """Return F with F F' the inverse of a covariance, on the directions that vary."""
    spread = np.sqrt(np.diag(covariance))
    spread = np.where(spread > _ROUNDING * spread.max(initial=0.0), spread, np.inf)
    values, vectors = np.linalg.eigh(covariance / np.outer(spread, spread))
    kept = values > _ROUNDING
    return vectors[:, kept] / np.sqrt(values[kept]) / spread[:, None]
