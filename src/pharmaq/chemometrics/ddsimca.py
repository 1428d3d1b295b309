"""Data-driven SIMCA: a model of one class that says whether a sample belongs to it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.base import OutlierMixin

from pharmaq._checks import check_choice, check_real
from pharmaq.chemometrics._base import fit_matrix, like_columns, like_rows, require_fitted
from pharmaq.chemometrics._pictures import names_of
from pharmaq.chemometrics.latent import LatentVariableModel
from pharmaq.chemometrics.pca import PCA
from pharmaq.errors import InputError
from pharmaq.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DDSIMCA", "AcceptanceLimits", "Moments"]

Moments = Literal["classical", "robust"]

# no number of samples at hand tells larger degrees of freedom from these
MOST_DOF = 250
MOST_ROBUST_DOF = 100


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class AcceptanceLimits(Result):
    """Limits of the full distance of DD-SIMCA, and where they cut the axes.

    Parameters
    ----------
    alpha, gamma : float
        Share of members allowed above the extreme limit; chance that any of the calibration
        samples exceeds the outlier limit.
    moments : str
        How centre and degrees of freedom were estimated.
    n_samples, n_components : int
        Sizes of the model.
    t2_center, spe_center : float
        Scales h0 and v0 of T2 and SPE.
    t2_dof, spe_dof : int
        Degrees of freedom Nh and Nv; Nv is 0 where the components span all columns.
    extreme, outlier : float
        Limits of the full distance.
    """

    alpha: float
    gamma: float
    moments: str
    n_samples: int
    n_components: int
    t2_center: float
    spe_center: float
    t2_dof: int
    spe_dof: int
    extreme: float
    outlier: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row a limit: full distance, T2 where SPE is 0, SPE where T2 is 0.

        The last column is NaN where the components span all columns and SPE does not count.
        """
        distance = np.array([self.extreme, self.outlier])
        per_spe = self.spe_center / self.spe_dof if self.spe_dof else np.nan
        return pd.DataFrame(
            {
                "distance": distance,
                "t2": distance * self.t2_center / self.t2_dof,
                "spe": distance * per_spe,
            },
            index=pd.Index(["extreme", "outlier"], name="limit"),
        )


class DDSIMCA(OutlierMixin, LatentVariableModel):
    """Data-driven SIMCA, a classifier of one class [1]_ [2]_.

    Parameters
    ----------
    n_components : int, default 2
        Number of principal components.
    scale : bool, default False
        Divide every column by its standard deviation (n - 1).
    alpha : float, default 0.05
        Share of members allowed above the limit of acceptance ("extreme" samples).
    gamma : float, default 0.01
        Chance that any one of the calibration samples exceeds the outlier limit.
    moments : {"classical", "robust"}, default "classical"
        Scale and degrees of freedom of T2 and SPE from mean and variance, or from median and
        interquartile range, which single outliers do not move; they may still move the
        components, which are those of `PCA` either way.

    Attributes
    ----------
    t2_center_, spe_center_ : float
        Scales h0 and v0 of T2 and SPE.
    t2_dof_, spe_dof_ : int
        Degrees of freedom Nh and Nv, whole numbers.
    extreme_limit_, outlier_limit_ : float
        Limits of the full distance.
    offset_ : float
        Minus the extreme limit: ``decision_function`` is ``score_samples - offset_``.
    x_mean_, x_scale_, x_loadings_, x_scores_, eigenvalues_, spe_, n_samples_, axis_
        The model of the class; these and its other attributes are as in `PCA`.

    Notes
    -----
    With h = T2 and v = SPE, each u follows u0 / Nu chi2(Nu), and the full distance
    c = Nh h / h0 + Nv v / v0 follows chi2(Nh + Nv). A sample is regular up to the extreme limit
    chi2(1 - alpha; Nh + Nv), an outlier above chi2((1 - gamma)^(1 / N); Nh + Nv), and extreme
    in between.

    Classical: u0 = mean(u), Nu = 2 (u0 / s(u))^2 with s from n - 1. T2 uses the score variances
    (n - 1), so that h0 = A (N - 1) / N; another constant in front of T2 changes nothing, for it
    cancels in h / h0. Robust: with R the ratio of interquartile range to median of u (numpy's
    linear percentiles), Nu = exp((1.380948 ln(2.68631 / R))^1.185785), the usual approximation
    of the number whose chi2 has that ratio (within 0.5 up to 20, 4 % above at 100); u0 is the
    mean of Nu median(u) / chi2(0.5; Nu) and Nu IQR(u) / (chi2(0.75; Nu) - chi2(0.25; Nu)).

    Nu is rounded to a whole number, at least 1 and at most 250 (classical) or 100 (robust).
    Where the components span all columns nothing is left for SPE, and c = Nh h / h0.

    References
    ----------
    .. [1] A. L. Pomerantsev, J. Chemom. 22 (2008) 601-609.
    .. [2] A. L. Pomerantsev, O. Ye. Rodionova, J. Chemom. 28 (2014) 429-438.

    Examples
    --------
    >>> X = [
    ...     [1.0, 1.1, 0.9],
    ...     [2.0, 2.2, 1.9],
    ...     [3.0, 2.9, 3.2],
    ...     [4.0, 4.1, 4.0],
    ...     [5.0, 4.8, 5.1],
    ... ]
    >>> model = DDSIMCA(n_components=1).fit(X)
    >>> model.predict([[3.5, 3.4, 3.6], [3.5, 7.0, 3.6]])
    array([ 1, -1])
    >>> model.statuses([[3.5, 3.4, 3.6], [3.5, 7.0, 3.6]]).tolist()
    ['regular', 'outlier']
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        scale: bool = False,
        alpha: float = 0.05,
        gamma: float = 0.01,
        moments: Moments = "classical",
    ) -> None:
        self.n_components = n_components
        self.scale = scale
        self.alpha = alpha
        self.gamma = gamma
        self.moments = moments

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Fit the model of the class.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Members of the class, at least n_components + 2; NaN raises.
        y : object
            Not used.

        Returns
        -------
        DDSIMCA
            The fitted model.

        Raises
        ------
        InputError
            If there are too few samples, nothing varies, or the two limits change places.
        """
        values = fit_matrix(self, X, least=2)
        check_choice("moments", self.moments, ("classical", "robust"))
        model = PCA(self.n_components, scale=self.scale).fit(values)
        _require_samples(model)
        # the model is this estimator's own, but for the axis, which X brought
        learned = {k: v for k, v in vars(model).items() if k.endswith("_")}
        self.__dict__.update({k: v for k, v in learned.items() if not k.startswith("axis_")})
        robust = self.moments == "robust"
        t2 = self.t2_of_scores(model.x_scores_)
        self.t2_center_, self.t2_dof_ = center_and_dof("T2", t2, robust=robust)
        self.spe_center_, self.spe_dof_ = 0.0, 0
        if model.n_components_ < model.n_features_in_:
            _require_residuals(model)
            self.spe_center_, self.spe_dof_ = center_and_dof("SPE", model.spe_, robust=robust)
        self._set_limits()
        return self

    def distances(self, X: Any) -> Any:
        """Return T2, SPE and the full distance of samples.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.

        Returns
        -------
        array, DataFrame or DataArray, shape (n_samples, 3)
            Columns ``t2``, ``spe`` and ``distance``, in the container of `X`. A sample gets the
            same bits alone and among others.
        """
        columns = self._distances(X)
        return like_columns(X, columns, ["t2", "spe", "distance"], "statistic")

    def score_samples(self, X: Any) -> Any:
        """Return minus the full distance of samples: the higher, the more typical.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.

        Returns
        -------
        array, Series or DataArray, shape (n_samples,)
            Minus the full distance.
        """
        return like_rows(X, -self._distances(X)[:, 2])

    def decision_function(self, X: Any) -> Any:
        """Return how far samples are inside the limit of acceptance.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.

        Returns
        -------
        array, Series or DataArray, shape (n_samples,)
            Extreme limit minus full distance; negative for what is not accepted.
        """
        return like_rows(X, self._margin(X))

    def predict(self, X: Any) -> Any:
        """Accept or reject samples as members of the class.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.

        Returns
        -------
        array, Series or DataArray of int, shape (n_samples,)
            1 for accepted samples, -1 for all others.
        """
        return like_rows(X, np.where(self._margin(X) >= 0, 1, -1))

    def statuses(self, X: Any) -> Any:
        """Return the status of samples.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.

        Returns
        -------
        array, Series or DataArray of str, shape (n_samples,)
            ``"regular"`` up to the extreme limit, ``"outlier"`` above the outlier limit,
            ``"extreme"`` in between. The outlier limit is meant for the calibration samples; a
            new sample above it is as far away as no member is likely to be.
        """
        return like_rows(X, self._levels(self._distances(X)[:, 2]))

    def acceptance_limits(self) -> AcceptanceLimits:
        """Return the limits with all that they follow from.

        Returns
        -------
        AcceptanceLimits
            Limits of the full distance and, in `to_frame`, where they cut the axes.
        """
        require_fitted(self)
        return AcceptanceLimits(
            alpha=self.alpha,
            gamma=self.gamma,
            moments=self.moments,
            n_samples=self.n_samples_,
            n_components=self.n_components_,
            t2_center=self.t2_center_,
            spe_center=self.spe_center_,
            t2_dof=self.t2_dof_,
            spe_dof=self.spe_dof_,
            extreme=self.extreme_limit_,
            outlier=self.outlier_limit_,
        )

    def plot_acceptance(self, X: Any = None, *, ax: Any = None) -> Any:
        """Draw SPE over T2 with both limits of the full distance.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points), optional
            Samples on the fitted axis, NaN raises; by default the calibration samples.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture; samples that are not regular are named.
        """
        from pharmaq.chemometrics import plots

        limits = self.acceptance_limits()
        if X is None:
            distances = self._full_distances(self.x_scores_, self.spe_)
        else:
            distances = self._distances(X)
        t2, spe, distance = distances.T
        status, names = self._levels(distance), names_of(X, len(t2))
        return plots.plot_acceptance(limits, t2, spe, status, names=names, ax=ax)

    def _set_limits(self) -> None:
        alpha = check_real("alpha", self.alpha, above=0, below=1)
        gamma = check_real("gamma", self.gamma, above=0, below=1)
        beyond = -np.expm1(np.log1p(-gamma) / self.n_samples_)
        if beyond >= alpha:
            msg = (
                f"alpha = {alpha:g} must exceed 1 - (1 - gamma)^(1 / n_samples) = {beyond:.3g} "
                f"(gamma = {gamma:g}), or outliers would not be extreme; lower gamma"
            )
            raise InputError(msg)
        dof = self.t2_dof_ + self.spe_dof_
        self.extreme_limit_ = float(stats.chi2.isf(alpha, dof))
        self.outlier_limit_ = float(stats.chi2.isf(beyond, dof))
        self.offset_ = -self.extreme_limit_

    def _margin(self, X: Any) -> NDArray[np.float64]:
        distance = self._distances(X)[:, 2]
        return self.extreme_limit_ - distance

    def _distances(self, X: Any) -> NDArray[np.float64]:
        return self._full_distances(*self.project(X))

    def _full_distances(
        self, scores: NDArray[np.float64], spe: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        t2 = self.t2_of_scores(scores)
        distance = t2 * (self.t2_dof_ / self.t2_center_)
        if self.spe_dof_:
            distance += spe * (self.spe_dof_ / self.spe_center_)
        return np.column_stack([t2, spe, distance])

    def _levels(self, distance: NDArray[np.float64]) -> NDArray[Any]:
        within = [distance <= self.extreme_limit_, distance <= self.outlier_limit_]
        return np.select(within, ["regular", "extreme"], "outlier")


def _require_samples(model: PCA) -> None:
    least = model.n_components_ + 2
    if model.n_samples_ < least:
        msg = (
            f"n_samples = {model.n_samples_} is too few for n_components = "
            f"{model.n_components_}: all T2 are equal with fewer than {least}; add samples or "
            "lower n_components"
        )
        raise InputError(msg)


def _require_residuals(model: PCA) -> None:
    total = float(model.eigenvalues_.sum())
    left = float(model.residual_eigenvalues_.sum())
    # what rounding leaves of a matrix that the components reproduce
    if left <= total * (model.n_features_in_ * np.finfo(float).eps) ** 2:
        msg = (
            f"n_components = {model.n_components_} reproduce the samples exactly, so that SPE "
            "has no scale; lower n_components"
        )
        raise InputError(msg)


def center_and_dof(
    name: str, values: NDArray[np.float64], *, robust: bool
) -> tuple[float, int]:
    """Return u0 and Nu, for which u0 / Nu chi2(Nu) has the moments of the values."""
    if robust:
        return _robust_center_and_dof(name, values)
    center, spread = float(values.mean()), float(values.std(ddof=1))
    if spread**2 * MOST_DOF <= 2 * center**2:
        return center, MOST_DOF
    return center, max(1, round(2 * (center / spread) ** 2))


def _robust_center_and_dof(name: str, values: NDArray[np.float64]) -> tuple[float, int]:
    low, median, high = np.percentile(values, [25, 50, 75])
    if high == low:
        msg = f'{name} is the same for the middle half of the samples; use moments="classical"'
        raise InputError(msg)
    # ln(b median / IQR), 0 at one degree of freedom and below
    log_ratio = max(0.0, float(np.log(2.68631 * median / (high - low)))) if median else 0.0
    dof = min(MOST_ROBUST_DOF, round(np.exp((1.380948 * log_ratio) ** 1.185785)))
    quartiles = np.asarray(stats.chi2.ppf([0.25, 0.5, 0.75], dof))
    from_median = median / quartiles[1]
    from_range = (high - low) / (quartiles[2] - quartiles[0])
    return float(dof * (from_median + from_range) / 2), dof
