"""Shelf life from batches that are a sample of all batches: a mixed model by REML."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, stats

from pharmaq._checks import check_choice, check_real
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc.noncentral import noncentral_t
from pharmaq.spc.stability._data import Censored, study_data
from pharmaq.spc.stability._scale import Transform, forward
from pharmaq.spc.stability.lines import fit_lines

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["RandomBatchShelfLife", "random_batch_shelf_life"]

_LEAST_BATCHES = 3
_HORIZON, _STEPS = 20.0, 200


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class RandomBatchShelfLife(Result):
    """A shelf life that a share of all batches outlasts, tested or not.

    Parameters
    ----------
    shelf_life : float
        Time at which the bound meets the limit; 0 if at once, infinite if not within twenty
        times the data.
    months : float
        Rounded down.
    limiting : str
        ``"lsl"``, ``"usl"`` or empty.
    intercept, slope : float
        Of the mean line.
    covariance : ndarray of shape (2, 2)
        Of intercept and slope.
    between : ndarray of shape (2, 2)
        Covariance of intercepts and slopes from batch to batch.
    sigma : float
        Standard deviation of results about the line of their batch.
    n_batches, n : int
        Numbers of batches and of results.
    coverage, confidence : float
        Share of batches, and how surely.
    bound : {"conservative", "plug_in"}
        How the share was bounded.
    transform : str
        Scale of the line.
    findings : tuple of Finding
        No variation between batches; few batches.
    """

    shelf_life: float
    months: float
    limiting: str
    intercept: float
    slope: float
    covariance: Floats
    between: Floats
    sigma: float
    n_batches: int
    n: int
    coverage: float
    confidence: float
    bound: str
    transform: str
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the estimates as one row."""
        row = {
            name: getattr(self, name)
            for name in ("shelf_life", "months", "limiting", "intercept", "slope", "sigma")
        }
        sd = np.sqrt(np.diag(self.between))
        row |= {"sd_intercept": float(sd[0]), "sd_slope": float(sd[1])}
        return pd.DataFrame([row])


def random_batch_shelf_life(  # noqa: PLR0913 - columns and limits
    data: pd.DataFrame | ArrayLike,
    *,
    lsl: float | None = None,
    usl: float | None = None,
    batch: str | ArrayLike = "batch",
    time: str | ArrayLike = "time",
    value: str = "value",
    coverage: float = 0.95,
    confidence: float = 0.95,
    bound: Literal["conservative", "plug_in"] = "conservative",
    transform: Transform = "none",
    censored: Censored = "raise",
) -> RandomBatchShelfLife:
    """Estimate a shelf life for all batches from a random sample of them [1]_ [2]_.

    Parameters
    ----------
    data : DataFrame or array-like of shape (n,)
        Results as for `shelf_life`; NaN raises.
    lsl, usl : float, optional
        Specification; at least one.
    batch, time, value : str or array-like
        Columns, or values themselves.
    coverage : float, default 0.95
        Share of batches whose mean is to be within the limit; 0.5 is the mean line.
    confidence : float, default 0.95
        Of the one-sided bound.
    bound : {"conservative", "plug_in"}, default "conservative"
        ``"conservative"`` holds the share of *estimated* batch means, which vary more than
        batches do. ``"plug_in"`` takes the estimated share of variance between batches as
        known; in simulations it holds 95 % with 88 to 92 %.
    transform : {"none", "log", "sqrt"}, default "none"
        Scale on which change is linear.
    censored : str, default "raise"
        As in `shelf_life`.

    Returns
    -------
    RandomBatchShelfLife
        Shelf life and the model.

    Raises
    ------
    InputError
        If there are fewer than three batches, too few results, or no limit.

    Notes
    -----
    value = (a + u) + (b + v) t + e with (u, v) normal from batch to batch, estimated by
    restricted maximum likelihood. With x = (1, t), the bound is
    x'beta - q sqrt(x' C x), C the covariance of beta; q is the quantile of the noncentral t
    with noncentrality z sqrt(batches), or z sqrt(x' G x / x' C x) with G the covariance between
    batches for ``"plug_in"``, and batches - 1 degrees of freedom. Both are the exact one-sided
    tolerance bound for batch means that are known without error, and the confidence bound of
    the mean line for coverage 0.5.
    ICH Q1E knows fixed batches only; with three batches the bound is wide.

    References
    ----------
    .. [1] J. J. Chow, J. Shao, J. Am. Stat. Assoc. 86 (1991) 1070-1079.
    .. [2] M. Quinlan, W. Stroup, J. Schwenke, D. Christopher, J. Biopharm. Stat. 23 (2013)
       881-896.

    Examples
    --------
    >>> months = [0, 6, 12, 18] * 4
    >>> batches = ["A"] * 4 + ["B"] * 4 + ["C"] * 4 + ["D"] * 4
    >>> assay = [100.1, 99.2, 98.1, 97.3, 99.9, 98.9, 98.2, 97.1]
    >>> assay += [100.4, 99.6, 98.8, 97.8, 100.0, 98.8, 98.0, 96.9]
    >>> found = random_batch_shelf_life(assay, time=months, batch=batches, lsl=95)
    >>> found.months < 28
    True
    """
    study = study_data(
        data, batch=batch, time=time, value=value, censored=censored, replicates="independent"
    )
    check_choice("bound", bound, ("conservative", "plug_in"))
    coverage = check_real("coverage", coverage, above=0.5 - 1e-12, below=1)
    confidence = check_real("confidence", confidence, above=0.5, below=1)
    limits = {}
    for name, limit, side in (("lsl", lsl, 1.0), ("usl", usl, -1.0)):
        if limit is not None:
            scaled = forward(np.array([check_real(name, limit)]), transform, name)
            limits[name] = (float(scaled[0]), side)
    if not limits:
        msg = "lsl or usl must be given: there is no shelf life without a limit"
        raise InputError(msg)
    k, n = len(study.names), len(study.value)
    if k < _LEAST_BATCHES or n < k + 3 or np.unique(study.time).size < 2:
        msg = (
            f"a random sample needs {_LEAST_BATCHES} batches and more than {k + 2} results at "
            f"several times, got {k} batches and {n} results"
        )
        raise InputError(msg)
    y = forward(study.value, transform, "value")
    model = _reml(study.batch, study.time, y)
    span = float(study.time.max())
    times = {
        name: _crossing(
            model, edge, (coverage, confidence), k, span, plug_in=bound == "plug_in"
        )
        for name, edge in limits.items()
    }
    first = min(times, key=lambda name: times[name])
    life = times[first]
    return RandomBatchShelfLife(
        shelf_life=life,
        months=float(math.floor(life + 1e-9)) if math.isfinite(life) else life,
        limiting=first if math.isfinite(life) else "",
        intercept=float(model.beta[0]),
        slope=float(model.beta[1]),
        covariance=model.covariance,
        between=model.between,
        sigma=math.sqrt(model.variance),
        n_batches=k,
        n=n,
        coverage=coverage,
        confidence=confidence,
        bound=bound,
        transform=transform,
        findings=_findings(model, span),
    )


class _Model(NamedTuple):
    """Estimates of the mixed model."""

    beta: Floats
    covariance: Floats
    between: Floats
    variance: float


def _reml(batch: NDArray[np.intp], time: Floats, y: Floats) -> _Model:
    """Return the model of greatest restricted likelihood."""
    # times and values near one: the search is over parameters of like size
    unit, size = float(time.max()), float(np.std(y)) or 1.0
    t, v, shift = time / unit, (y - y.mean()) / size, float(y.mean())
    X = np.column_stack([np.ones(len(t)), t])
    k = int(batch.max()) + 1
    cross = np.zeros((k, 3, 3))
    W = np.column_stack([X, v])
    for i in range(k):
        rows = W[batch == i]
        cross[i] = rows.T @ rows

    def parts(theta: Floats) -> tuple[Floats, Floats, float, float]:
        """Return X'V^-1 X, X'V^-1 y, y'V^-1 y and log |V|, V in units of the error."""
        L = np.array([[theta[0], 0.0], [theta[1], theta[2]]])
        ZZ = cross[:, :2, :2]
        inner = np.eye(2) + L.T @ ZZ @ L
        A = np.linalg.solve(inner, L.T @ cross[:, :2, :])
        whole = (cross - np.swapaxes(cross[:, :2, :], 1, 2) @ L @ A).sum(axis=0)
        logdet = float(np.log(np.linalg.det(inner)).sum())
        return whole[:2, :2], whole[:2, 2], float(whole[2, 2]), logdet

    n = len(y)

    def deviance(theta: Floats) -> float:
        XX, Xy, yy, logdet = parts(theta)
        rest = max(yy - float(Xy @ np.linalg.solve(XX, Xy)), 1e-300)
        return logdet + float(np.log(np.linalg.det(XX))) + (n - 2) * math.log(rest)

    starts = [_start(batch, t, v), [0.1, 0.0, 0.1], [1.0, 0.0, 1.0]]
    runs = [
        optimize.minimize(
            deviance,
            np.array(start),
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000},
        )
        for start in starts
    ]
    theta = min(runs, key=lambda run: float(run.fun)).x
    XX, Xy, yy, _ = parts(theta)
    inverse = np.linalg.solve(XX, np.eye(2))
    beta = inverse @ Xy
    variance = max(yy - float(Xy @ beta), 0.0) / (n - 2)
    L = np.array([[theta[0], 0.0], [theta[1], theta[2]]])
    back = np.diag([size, size / unit])
    return _Model(
        back @ beta + np.array([shift, 0.0]),
        back @ (inverse * variance) @ back,
        back @ (L @ L.T * variance) @ back,
        variance * size**2,
    )


def _start(batch: NDArray[np.intp], t: Floats, v: Floats) -> list[float]:
    """Return the root of the covariance of separate lines, in units of their error."""
    lines = fit_lines(batch, t, v, model="separate")
    mse = float(lines.mse[0])
    if not (np.isfinite(lines.slope).all() and mse > 0):
        return [3.0, -1.0, 0.5]
    S = np.cov(np.vstack([lines.intercept, lines.slope])) / mse
    a = math.sqrt(max(float(S[0, 0]), 1e-6))
    c = float(S[0, 1]) / a
    return [a, c, math.sqrt(max(float(S[1, 1]) - c * c, 1e-6))]


def _crossing(
    model: _Model,
    edge: tuple[float, float],
    levels: tuple[float, float],
    batches: int,
    span: float,
    *,
    plug_in: bool,
) -> float:
    """Return when the bound first meets the limit."""
    z = float(stats.norm.ppf(levels[0]))

    def room(t: float) -> float:
        x = np.array([1.0, t])
        error, between = float(x @ model.covariance @ x), float(x @ model.between @ x)
        middle = edge[1] * (float(x @ model.beta) - edge[0])
        if error <= 0:
            return middle
        delta = z * math.sqrt(between / error if plug_in else batches)
        return middle - _quantile(levels[1], batches - 1, delta) * math.sqrt(error)

    if room(0.0) <= 0:
        return 0.0
    before = 0.0
    for t in np.linspace(0, _HORIZON * span, _STEPS * 4)[1:]:
        if room(float(t)) <= 0:
            return float(optimize.brentq(room, before, float(t), xtol=1e-9))
        before = float(t)
    return math.inf


@functools.lru_cache(maxsize=64)
def _quantile(confidence: float, freedom: int, delta: float) -> float:
    high = max(3.0, 2 * delta)
    while noncentral_t(high, freedom, delta) < confidence:
        high *= 2
    return float(
        optimize.brentq(
            lambda q: noncentral_t(q, freedom, delta) - confidence, 0.0, high, xtol=1e-10
        )
    )


def _findings(model: _Model, span: float) -> tuple[Finding, ...]:
    x = np.array([1.0, span])
    between = float(x @ model.between @ x)
    if between > 1e-6 * model.variance:
        return ()
    message = "batches are not seen to differ; the bound is that of the mean line"
    return (
        Finding(rule="no_batch_variance", severity="info", subject="study", message=message),
    )
