"""Every distance of samples from a model, with every limit, in one call."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial import cKDTree

from pharmaq._checks import check_choice, check_real
from pharmaq.chemometrics.diagnostics._conventions import (
    CONVENTIONS,
    DATA_DRIVEN,
    METHODS,
    severity_of,
)
from pharmaq.chemometrics.diagnostics._limits import all_limits, data_driven
from pharmaq.chemometrics.diagnostics._model import Seen, reference_of, seen
from pharmaq.chemometrics.diagnostics._result import Diagnostics
from pharmaq.chemometrics.interpretation import vip
from pharmaq.errors import InputError
from pharmaq.results import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike, NDArray

    from pharmaq.chemometrics.diagnostics._conventions import Convention, ConventionName, Role

    Matrix = NDArray[np.float64]

__all__ = ["diagnose"]

# scores of the calibration samples repeat within this share of their standard deviation
_SAME = 1e-6

_MESSAGES = {
    "t2": "lies far from the centre of the model",
    "spe": "has features that the model does not know",
    "dmodx": "has features that the model does not know",
    "distance": "lies far from the model, in and beside it together",
    "residual": "does not fit its reference value",
    "nearest_neighbor": "has no calibration sample near it",
}


def diagnose(
    model: Any,
    X: Any,
    y: str | ArrayLike | None = None,
    *,
    role: Role = "new",
    convention: ConventionName = "pharmaq",
    limits: Mapping[str, str] | None = None,
    alpha: float = 0.05,
    gamma: float = 0.01,
) -> Diagnostics:
    """Judge samples by T2, SPE, DModX, leverage, residuals and nearest neighbours.

    Parameters
    ----------
    model : PCA, PLS, PCR, Calibration or Pipeline that ends in one
        Fitted.
    X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
        Samples as they were given to `fit`, before preprocessing; NaN raises.
    y : str or array-like, shape (n_samples,) or (n_samples, n_responses), optional
        Reference values, or the name of the coordinate of `X` that holds them, for residuals.
    role : {"new", "calibration"}, default "new"
        What the samples are. Calibration samples helped to make the model: their T2 follows a
        beta distribution, their residuals are studentised with sqrt(1 - h) instead of
        sqrt(1 + h), and the nearest neighbour of one is another one. ``"calibration"`` is
        refused for samples that are not those of the fit, in their order.
    convention : {"pharmaq", "simca", "pls_toolbox", "r"}, default "pharmaq"
        Whose formulas to use, see Notes; ``"r"`` is the package mdatools.
    limits : mapping of str to str, optional
        Methods of the judged limits in place of those of the convention: of ``"t2"`` any of
        `t2_limit`; of ``"spe"`` any of `spe_limit`, ``"chisq"``, ``"ddmoments"`` or
        ``"ddrobust"``; of ``"nearest_neighbor"`` ``"largest"`` or ``"quantile"``.
    alpha : float, default 0.05
        Share of good samples allowed above each limit.
    gamma : float, default 0.01
        Chance of any one of N calibration samples above the limits called "outlier".

    Returns
    -------
    Diagnostics
        Statistics of each sample, limits by all methods, and a finding for each sample outside
        a judged limit: ``"action"`` for SPE or DModX of a new sample, otherwise ``"alert"``.

    Raises
    ------
    InputError
        If the samples do not fit the model or their role.

    Notes
    -----
    N calibration samples, A components, K variables, t scores with variances s^2, h leverage.
    All of a sample follow from it and the calibration alone.

    - ``"pharmaq"``: variances divide by N - 1; T2 has a beta limit [1]_ for calibration samples
      and an F limit for new ones, SPE the exact one for normal residuals [2]_ (a `Calibration`
      keeps its own); leverage is 1 / N + T2 / (N - 1); VIP comes from W; judged are T2, SPE,
      residual and nearest neighbour.
    - ``"simca"``: T2 has the F limit that SIMCA prints for all samples, DModX is judged instead
      of SPE, leverage lacks 1 / N; nearest neighbours are not judged.
    - ``"pls_toolbox"``: scores are multiplied by the length of their loading, which becomes 1;
      variances of PLS scores divide by N; the same limit of T2, the Jackson-Mudholkar limit of
      SPE; leverage lacks 1 / N; VIP comes from R.
    - ``"r"``: data-driven limits [3]_ of the full distance, which is judged with the residual;
      VIP comes from R.

    With ``limits={"spe": "jackson"}`` or ``"chisq"`` convention ``"r"`` judges T2 and SPE one
    by one, as mdatools does with these limits.

    DModX is sqrt(SPE / (K - A)) / s0 with s0^2 the sum of the calibration samples' SPE over
    (N - A - 1) (K - A); calibration samples get the factor sqrt(N / (N - A - 1)); its limit is
    the root of F(1 - alpha; K - A, (N - A - 1) (K - A)), which takes residuals of different
    variables as independent: for spectra it is too small. The degrees of freedom that SIMCA
    itself uses are not published; its numbers may differ here.

    Residuals are (predicted - reference) / (SEC sqrt(1 - h)) for calibration samples, SEC
    sqrt(1 + h) for new ones, and tested on both sides; for calibration samples the limit allows
    for each sample's own share in SEC. The largest leverage is 3 (A + 1) / N, three times the
    mean, and the nearest neighbour at most as far as any calibration sample has it [4]_;
    nearest-neighbour distances there are the squares of these, divided by N - 1.

    References
    ----------
    .. [1] N. D. Tracy, J. C. Young, R. L. Mason, J. Qual. Technol. 24 (1992) 88-95.
    .. [2] J. P. Imhof, Biometrika 48 (1961) 419-426.
    .. [3] A. L. Pomerantsev, O. Ye. Rodionova, J. Chemom. 28 (2014) 429-438.
    .. [4] ASTM E1655, Standard Practices for Infrared Multivariate Quantitative Analysis.

    Examples
    --------
    >>> from pharmaq.chemometrics import PLS
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(30, 6))
    >>> model = PLS(n_components=2).fit(X, X[:, 0] + 0.1 * rng.normal(size=30))
    >>> strange = X[:2] + [[0, 0, 0, 0, 0, 0], [0, 0, 3, 0, 0, 0]]
    >>> [(f.rule, f.severity, f.subject) for f in diagnose(model, strange).findings]
    [('outlier_spe', 'action', '1')]
    """
    check_choice("role", role, ("calibration", "new"))
    check_choice("convention", convention, CONVENTIONS)
    check_real("alpha", alpha, above=0, below=1)
    check_real("gamma", gamma, above=0, below=1)
    data, rules = seen(model, X), CONVENTIONS[convention]
    fitted = data.model
    scores, spe = fitted.project_array(data.values)
    known = _same_samples(fitted, scores)
    if role == "calibration":
        _require_calibration(fitted, scores, known)
    t2 = fitted.t2_of_scores(scores)
    residual, studentised = _residual(data, X, y, scores, role)
    neighbors, own = _neighbors(fitted, scores, role)
    methods = _methods(rules, role, convention, model, limits)
    moments = data_driven(fitted, methods["spe"]) if methods["spe"] in DATA_DRIVEN else None
    lengths = np.linalg.norm(fitted.x_loadings_, axis=0) if rules.scaled_scores else 1.0
    result = Diagnostics(
        sample=data.sample,
        role=role,
        convention=convention,
        choices=rules.choices() | {f"{name} limit": text for name, text in methods.items()},
        n_samples=fitted.n_samples_,
        n_components=fitted.n_components_,
        n_variables=fitted.n_features_in_,
        alpha=alpha,
        gamma=gamma,
        scores=scores * lengths,
        loadings=fitted.x_loadings_ / lengths,
        t2=t2 * _t2_factor(fitted, rules),
        spe=spe,
        dmodx=_dmodx(fitted, spe, role),
        leverage=fitted.leverage_of_t2(t2)
        - (0 if rules.leverage_of_mean else 1 / _weight(fitted)),
        nearest_neighbor=neighbors,
        distance=None if moments is None else moments.distance(t2, spe),
        residual=residual,
        residual_method=studentised,
        vip=vip(fitted, weights=rules.vip) if hasattr(fitted, "y_loadings_") else None,
        limits=(),
        findings=(),
    )
    return _judged(result, fitted, rules, own, known=known)


def _methods(
    rules: Convention,
    role: Role,
    convention: str,
    model: Any,
    limits: Mapping[str, str] | None,
) -> dict[str, str]:
    """Return the method of each statistic's limit that is judged."""
    names = ("t2", "spe", "dmodx", "leverage", "residual", "nearest_neighbor")
    methods = {name: rules.method(name, role) for name in names}
    if convention == "pharmaq":
        # a calibration has settled on a limit for new samples already
        methods["spe"] = getattr(model, "spe_method_", methods["spe"])
    for statistic, method in dict(limits or {}).items():
        check_choice("limits", statistic, METHODS)
        methods[statistic] = check_choice(f"limits[{statistic!r}]", method, METHODS[statistic])
    if methods["spe"] in DATA_DRIVEN:
        methods["distance"] = methods["spe"]
        if "t2" not in (limits or {}):
            methods["t2"] = methods["spe"]
    return methods


def _judged(
    result: Diagnostics,
    model: Any,
    rules: Convention,
    own: NDArray[np.float64],
    *,
    known: bool,
) -> Diagnostics:
    """Return the result with limits and findings."""
    role: Any = result.role
    names = rules.judged if result.distance is None else ("distance", "residual")
    chosen = {(name, result.choices[f"{name} limit"]) for name in names}
    rows = tuple(
        row._replace(judged=(row.statistic, row.method) in chosen)
        for row in all_limits(model, role, result.alpha, result.gamma, own)
    )
    complete = _with(result, limits=rows)
    findings = list(_findings(complete, [n for n in names if getattr(result, n) is not None]))
    if known and role == "new":
        message = (
            "these are the calibration samples; role='calibration' has the limits for them"
        )
        findings.append(_on_model("calibration_as_new", message))
    return _with(complete, findings=tuple(findings))


def _with(result: Diagnostics, **changes: Any) -> Diagnostics:
    return dataclasses.replace(result, **changes)


def _findings(result: Diagnostics, statistics: list[str]) -> Iterator[Finding]:
    role: Any = result.role
    prefix = "calibration" if role == "calibration" else "outlier"
    for statistic in statistics:
        limit, method = result.limit(statistic), result.choices[f"{statistic} limit"]
        if np.isnan(limit):
            message = f"there is no limit of {statistic} by method {method!r} for these sizes"
            yield _on_model(f"no_limit_{statistic}", message)
            continue
        values = getattr(result, statistic).reshape(len(result.sample), -1)
        for i, column in zip(*np.nonzero(np.abs(values) > limit), strict=True):
            which = f" of response {column}" if values.shape[1] > 1 else ""
            yield Finding(
                rule=f"{prefix}_{statistic}",
                severity=severity_of(statistic, role),
                subject=str(result.sample[i]),
                message=f"the sample {_MESSAGES[statistic]}{which} ({statistic}, {method})",
                value=float(values[i, column]),
                limit=float(np.copysign(limit, values[i, column])),
            )


def _on_model(rule: str, message: str) -> Finding:
    return Finding(rule=rule, severity="info", subject="diagnostics", message=message)


def _same_samples(model: Any, scores: Matrix) -> bool:
    if scores.shape != model.x_scores_.shape:
        return False
    return not _moved(model, scores).any()


def _moved(model: Any, scores: Matrix) -> NDArray[np.bool_]:
    """Tell which samples have other scores than the calibration sample in their place."""
    allowed = _SAME * np.sqrt(model.score_variances_)
    return np.any(np.abs(scores - model.x_scores_) > allowed, axis=1)


def _require_calibration(model: Any, scores: Matrix, known: bool) -> None:
    if known:
        return
    N = len(model.x_scores_)
    problem = f"X holds {len(scores)} samples, the model was fitted to {N}"
    if len(scores) == N:
        place = int(np.flatnonzero(_moved(model, scores))[0])
        problem = f"the scores of row {place} are not those of the fit"
    msg = (
        f"role = 'calibration' needs the samples that the model was fitted to, in their order, "
        f"but {problem}; use role='new' for other samples"
    )
    raise InputError(msg)


def _residual(
    data: Seen, X: Any, y: Any, scores: Matrix, role: Role
) -> tuple[NDArray[np.float64] | None, str | None]:
    """Return studentised residuals, and how they were studentised."""
    if y is None:
        return None, None
    model = data.model
    if not hasattr(model, "sec_"):
        msg = f"residuals of y need a PLS or PCR, got {type(model).__name__}; leave y out"
        raise InputError(msg)
    predicted = model.path_of_scores(scores)[-1]
    reference = reference_of(X, y, len(scores), predicted.shape[1])
    if not np.all(model.sec_ > 0):
        msg = (
            f"residuals cannot be studentised: the standard error of calibration is "
            f"{model.sec_.tolist()} with {model.n_samples_} samples and {model.n_components_} "
            "components; use fewer components"
        )
        raise InputError(msg)
    leverage = model.leverage_of_t2(model.t2_of_scores(scores))
    if role == "calibration":
        share = np.clip(1 - leverage, np.finfo(float).eps, None)
        how = "internally studentised: e / (SEC sqrt(1 - h))"
    else:
        share, how = 1 + leverage, "studentised for new samples: e / (SEC sqrt(1 + h))"
    values = (predicted - reference) / (model.sec_ * np.sqrt(share)[:, None])
    return (values[:, 0] if values.shape[1] == 1 else values), how


def _neighbors(
    model: Any, scores: Matrix, role: Role
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return nearest-neighbour distances of the samples, and of the calibration's own."""
    spread = np.sqrt(model.score_variances_)
    tree = cKDTree(model.x_scores_ / spread)
    # the nearest of all is the sample itself
    own = np.asarray(tree.query(model.x_scores_ / spread, k=2)[0])[:, 1]
    if role == "calibration":
        return own, own
    return np.asarray(tree.query(scores / spread)[0]), own


def _dmodx(model: Any, spe: NDArray[np.float64], role: Role) -> NDArray[np.float64]:
    N, A, K = model.n_samples_, model.n_components_, model.n_features_in_
    total = float(model.spe_.sum())
    if K == A or N - A - 1 < 1 or total == 0:
        return np.full(len(spe), np.nan)
    freedom = N - A - 1
    correction = N / freedom if role == "calibration" else 1.0
    # (K - A) cancels
    return np.sqrt(correction * spe * freedom / total)


def _t2_factor(model: Any, rules: Convention) -> float:
    """Return what T2 of PLS is multiplied by where variances of scores have the divisor N."""
    N = _weight(model)
    return N / (N - 1) if rules.t2_divisor == "N" and hasattr(model, "y_loadings_") else 1.0


def _weight(model: Any) -> float:
    return float(getattr(model, "weight_sum_", model.n_samples_))
