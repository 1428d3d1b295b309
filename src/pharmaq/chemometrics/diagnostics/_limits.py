"""Limits of every statistic by every method that can be named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import stats

from pharmaq.chemometrics.ddsimca import center_and_dof
from pharmaq.chemometrics.diagnostics._conventions import DATA_DRIVEN, METHODS
from pharmaq.chemometrics.limits import spe_limit_from_values, t2_limit
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pharmaq.chemometrics.diagnostics._conventions import Role


class DiagnosticLimit(NamedTuple):
    """One limit of one statistic.

    Parameters
    ----------
    statistic, method : str
        What is limited, and how the limit was found.
    alpha : float
        Share of good samples allowed above the limit; NaN where a method promises none.
    value : float
        The limit; NaN where the method has none for these data.
    judged : bool
        Whether findings come from it.
    """

    statistic: str
    method: str
    alpha: float
    value: float
    judged: bool = False


class DataDriven(NamedTuple):
    """Scale and degrees of freedom of T2 and SPE, as `DDSIMCA` has them."""

    t2: tuple[float, int]
    spe: tuple[float, int]

    def distance(
        self, t2: NDArray[np.float64], spe: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the full distance of samples."""
        return t2 * self.t2[1] / self.t2[0] + spe * self.spe[1] / self.spe[0]

    def limit(self, alpha: float) -> float:
        """Return the limit of the full distance."""
        return float(stats.chi2.isf(alpha, self.t2[1] + self.spe[1]))


def data_driven(model: Any, method: str) -> DataDriven:
    """Return the moments of the calibration samples' T2 and SPE."""
    robust = DATA_DRIVEN[method] == "robust"
    t2 = model.t2_of_scores(model.x_scores_)
    return DataDriven(
        center_and_dof("T2", t2, robust=robust),
        center_and_dof("SPE", model.spe_, robust=robust),
    )


def all_limits(
    model: Any, role: Role, alpha: float, gamma: float, neighbors: NDArray[np.float64]
) -> Iterator[DiagnosticLimit]:
    """Yield the limits of T2, SPE, DModX, leverage, residuals and neighbours by all methods.

    `neighbors` are the nearest-neighbour distances of the calibration samples.
    """
    N, A, K = model.n_samples_, model.n_components_, model.n_features_in_
    for method in METHODS["t2"]:
        yield DiagnosticLimit("t2", method, alpha, _t2(N, A, alpha, method))
    for method in METHODS["spe"]:
        if method not in DATA_DRIVEN:
            yield DiagnosticLimit("spe", method, alpha, spe_value(model, alpha, method))
    # chance of any one of N samples beyond
    beyond = float(-np.expm1(np.log1p(-gamma) / N))
    yield DiagnosticLimit("t2", "simca, outlier", beyond, _t2(N, A, beyond, "simca"))
    for method in ("jackson", "chisq"):
        value = spe_value(model, beyond, method)
        yield DiagnosticLimit("spe", f"{method}, outlier", beyond, value)
    for method in DATA_DRIVEN:
        yield from _data_driven_limits(model, method, alpha, beyond)
    yield DiagnosticLimit("dmodx", "f", alpha, _dmodx(N, A, K, alpha))
    yield DiagnosticLimit("leverage", "e1655", np.nan, 3 * (A + 1) / N)
    yield DiagnosticLimit("residual", "t", alpha, residual_limit(N - A - 1, alpha, role))
    yield DiagnosticLimit("nearest_neighbor", "largest", np.nan, float(neighbors.max()))
    quantile = float(np.quantile(neighbors, 1 - alpha))
    yield DiagnosticLimit("nearest_neighbor", "quantile", alpha, quantile)


def spe_value(model: Any, alpha: float, method: str) -> float:
    """Return a limit of SPE; NaN where the method has none, 0 where nothing is left."""
    if method == "chisq":
        return _floored_chi2(model.spe_, alpha)
    if method in {"box", "robust"} and not model.spe_.any():
        return 0.0
    try:
        return float(model.spe_limit(alpha=alpha, method=method))
    except InputError:
        return float("nan")


def residual_limit(freedom: int, alpha: float, role: Role) -> float:
    """Return the two-sided limit of studentised residuals; NaN without degrees of freedom.

    A residual against an SEC that its own sample helped to raise is r = t sqrt(f / (f - 1 +
    t^2)) with t from f - 1 degrees of freedom; one of a new sample is t with f itself.
    """
    if freedom < (2 if role == "calibration" else 1):
        return float("nan")
    if role == "new":
        return float(stats.t.isf(alpha / 2, freedom))
    t = float(stats.t.isf(alpha / 2, freedom - 1))
    return float(t * np.sqrt(freedom / (freedom - 1 + t**2)))


def _t2(N: int, A: int, alpha: float, method: Any) -> float:
    try:
        return t2_limit(N, A, alpha=alpha, method=method)
    except InputError:
        return float("nan")


def _dmodx(N: int, A: int, K: int, alpha: float) -> float:
    if K - A < 1 or N - A - 1 < 1:
        return float("nan")
    return float(np.sqrt(stats.f.isf(alpha, K - A, (N - A - 1) * (K - A))))


def _floored_chi2(spe: NDArray[np.float64], alpha: float) -> float:
    """Return Box's limit with the degrees of freedom cut off to a whole number."""
    mean, variance = float(spe.mean()), float(spe.var(ddof=1))
    if variance == 0:
        return spe_limit_from_values(spe, alpha=alpha)
    freedom = max(1.0, np.floor(2 * mean**2 / variance))
    return float(variance / (2 * mean) * stats.chi2.isf(alpha, freedom))


def _data_driven_limits(
    model: Any, method: str, alpha: float, beyond: float
) -> Iterator[DiagnosticLimit]:
    try:
        moments = data_driven(model, method)
    except InputError:
        return
    for name, level in ((method, alpha), (f"{method}, outlier", beyond)):
        limit = moments.limit(level)
        yield DiagnosticLimit("distance", name, level, limit)
        yield DiagnosticLimit("t2", name, level, limit * moments.t2[0] / moments.t2[1])
        yield DiagnosticLimit("spe", name, level, limit * moments.spe[0] / moments.spe[1])
