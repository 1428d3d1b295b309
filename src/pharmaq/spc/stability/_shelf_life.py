"""Shelf life by the decision tree of ICH Q1E."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.spc.stability._anova import FDenominator, poolability
from pharmaq.spc.stability._crossing import Bound, BoundRule, bound_values, first_crossing
from pharmaq.spc.stability._data import Censored, Replicates, StudyData, study_data
from pharmaq.spc.stability._findings import shelf_life_findings
from pharmaq.spc.stability._result import ShelfLife
from pharmaq.spc.stability._scale import Transform, back, forward
from pharmaq.spc.stability.lines import LineModel, Lines, fit_lines

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from pharmaq.spc.stability.extrapolation import ExtrapolationLimit

__all__ = ["shelf_life"]

Model = Literal["auto", "common", "common_slope", "separate"]
Sides = Literal["auto", "one", "two"]
ErrorVariance = Literal["pooled", "individual"]

# a curve goes this far beyond the later of data and shelf life, or of three times the data
_MARGIN, _LONGEST, _POINTS = 1.1, 3.0, 101


class _Rule(NamedTuple):
    """The limits on the scale of the fit, with the side each is on, and the bound."""

    limits: dict[str, tuple[float, float]]
    bound: BoundRule


def shelf_life(  # noqa: PLR0913 - each convention of ICH Q1E has its word
    data: pd.DataFrame | ArrayLike,
    *,
    lsl: float | None = None,
    usl: float | None = None,
    batch: str | ArrayLike | None = "batch",
    time: str | ArrayLike = "time",
    value: str = "value",
    model: Model = "auto",
    pool_alpha: float = 0.25,
    f_denominator: FDenominator = "full",
    mse: ErrorVariance = "pooled",
    confidence: float = 0.95,
    sides: Sides = "auto",
    bound: Bound = "mean",
    coverage: float = 0.95,
    transform: Transform = "none",
    decimals: int | None = None,
    replicates: Replicates = "independent",
    censored: Censored = "raise",
    extrapolation: ExtrapolationLimit | None = None,
    units: str = "",
) -> ShelfLife:
    """Estimate a shelf life or retest period by ICH Q1E [1]_.

    Parameters
    ----------
    data : DataFrame or array-like of shape (n,)
        Results of one attribute at the long-term condition, a row each; NaN raises. With an
        array of results, `time` and `batch` are arrays too.
    lsl, usl : float, optional
        Specification; at least one.
    batch, time, value : str or array-like
        Columns, or values themselves. Times in months from 0; ``batch=None``: one batch.
    model : {"auto", "common", "common_slope", "separate"}, default "auto"
        ``"auto"`` follows the tests; the others are for a model that was fixed beforehand.
    pool_alpha : float, default 0.25
        Level of the tests of slopes, then of intercepts.
    f_denominator : {"full", "nested"}, default "full"
        Error in the test of intercepts: that of separate lines, as in JMP, SAS and R's
        ``anova`` of the full model, or that of lines with a common slope.
    mse : {"pooled", "individual"}, default "pooled"
        Error variance of separate lines: from all batches, as the guideline has it, or each
        batch's own, as in JMP and expirest. The second is shorter or longer by chance.
    confidence : float, default 0.95
        Of the bound; one- or two-sided, see `sides`.
    sides : {"auto", "one", "two"}, default "auto"
        ``"auto"`` is one-sided for one limit, two-sided for two. A direction of change that is
        not known calls for two.
    bound : {"mean", "prediction", "tolerance"}, default "mean"
        Of the batch mean, as ICH Q1E asks; of one further result; or of the share `coverage`
        of all results [2]_.
    coverage : float, default 0.95
        For ``"tolerance"``: share of results on the good side.
    transform : {"none", "log", "sqrt"}, default "none"
        Scale on which change is linear; ``"log"`` for first-order kinetics.
    decimals : int, optional
        Decimals to which results are rounded before they are held against the limit, half up:
        with 1, a limit of 95.0 is met from 94.95 on. By default the limit is taken as it is.
    replicates : {"independent", "mean"}, default "independent"
        Several results of a batch at one time: each counts, or their mean does.
    censored : {"raise", "limit", "half", "root_half", "zero"}, default "raise"
        What stands in for results such as ``"<0.05"``: an error; the limit itself; half of
        it; 0.7071 of it; nothing. They are counted in the result.
    extrapolation : ExtrapolationLimit, optional
        From `extrapolation_limit`: bounds what is proposed.
    units : str, default ""
        Of the results.

    Returns
    -------
    ShelfLife
        Shelf life, decisions, F table, lines, findings.

    Raises
    ------
    InputError
        If no limit is given, times are negative, a batch has results at one time only, or
        too few results are left for the error.

    Notes
    -----
    The bound of the mean, a + b t - q s sqrt(v(t)), with q a quantile of t and
    v = v00 + 2 v01 t + v11 t^2, meets the limit L where (a + b t - L)^2 = q^2 s^2 v; of the
    roots the first one after 0 counts. It is exact: no search is involved. Batches that do
    not share a line have a bound each, and the earliest decides.

    References
    ----------
    .. [1] ICH Q1E, Evaluation of Stability Data, 2003, appendix B.
    .. [2] A. Kiermeier, R. G. Jarrett, A. P. Verbyla, Pharm. Stat. 3 (2004) 3-11.

    Examples
    --------
    >>> months = [0, 3, 6, 9, 12, 18] * 3
    >>> batches = ["A"] * 6 + ["B"] * 6 + ["C"] * 6
    >>> assay = [100.2, 99.8, 99.1, 98.9, 98.2, 97.3, 100.4, 99.6, 99.3, 98.6, 98.5, 97.4]
    >>> assay += [100.0, 99.9, 99.2, 98.7, 98.4, 97.1]
    >>> result = shelf_life(assay, time=months, batch=batches, lsl=95.0)
    >>> result.model, result.months
    ('common', 30.0)
    >>> result.steps[0]
    'slopes are not shown to differ: p = 0.9102 >= 0.25'
    """
    study = study_data(
        data, batch=batch, time=time, value=value, censored=censored, replicates=replicates
    )
    words: dict[str, str] = {"model": model, "mse": mse, "bound": bound}
    words |= {"f_denominator": f_denominator}
    words |= {"sides": sides, "transform": transform, "censored": censored}
    _check_words(words)
    pool_alpha = check_real("pool_alpha", pool_alpha, above=0, below=1)
    words |= {"sides": _sides(sides, lsl, usl), "replicates": replicates}
    rule = _rule(lsl, usl, decimals, words, (confidence, coverage))
    scaled = study._replace(value=forward(study.value, transform, "value"))
    _check_enough(scaled, model, mse)
    tests = poolability(scaled, alpha=pool_alpha, denominator=f_denominator)
    used: LineModel = tests.model if model == "auto" else model
    steps = tests.steps if model == "auto" else (f"model fixed beforehand: {model}",)
    fit = _fit(scaled, used, mse)
    table = _lines_table(scaled, fit, rule)
    life = float(table["crossing"].min())
    worst = table.iloc[int(table["crossing"].to_numpy().argmin())]
    months = math.floor(life + 1e-9) if math.isfinite(life) else life
    allowed = math.inf if extrapolation is None else float(math.floor(extrapolation.months))
    words["limit"] = "as stated" if decimals is None else f"rounded to {decimals} decimals"
    result: dict[str, Any] = {
        "shelf_life": life,
        "months": float(months),
        "proposed": min(float(months), allowed),
        "worst_batch": "" if used == "common" or math.isinf(life) else str(worst["batch"]),
        "limiting": str(worst["limiting"]),
        "model": used,
        "steps": (*steps, *_last_steps(life, worst, extrapolation)),
        "anova": tests.table,
        "lines": table,
        "alternatives": _alternatives(scaled, rule),
        "data": study.to_frame(),
        "curves": _curves(scaled, fit, rule, transform, life),
        "lsl": lsl,
        "usl": usl,
        "confidence": confidence,
        "pool_alpha": pool_alpha,
        "coverage": coverage,
        "conventions": words,
        "extrapolation": extrapolation,
        "n_censored": study.n_censored,
        "n_replicated": study.n_replicated if replicates == "independent" else 0,
        "units": units,
    }
    return ShelfLife(**result, findings=shelf_life_findings(result))


def _check_words(words: dict[str, str]) -> None:
    choices: dict[str, Any] = {
        "model": Model,
        "mse": ErrorVariance,
        "f_denominator": FDenominator,
        "bound": Bound,
        "sides": Sides,
        "transform": Transform,
    }
    for name, kind in choices.items():
        check_choice(name, words[name], get_args(kind))


def _sides(sides: str, lsl: float | None, usl: float | None) -> str:
    if sides == "auto":
        return "one" if lsl is None or usl is None else "two"
    return sides


def _rule(
    lsl: float | None,
    usl: float | None,
    decimals: int | None,
    words: dict[str, str],
    levels: tuple[float, float],
) -> _Rule:
    """Return limits on the scale of the fit and the rule of the bound."""
    if lsl is None and usl is None:
        msg = "lsl or usl must be given: there is no shelf life without a limit"
        raise InputError(msg)
    both = [check_real(n, x) for n, x in (("lsl", lsl), ("usl", usl)) if x is not None]
    if len(both) == 2 and not both[0] < both[1]:
        msg = f"lsl must be below usl, got {lsl!r} and {usl!r}"
        raise InputError(msg)
    half = 0.0
    if decimals is not None:
        half = 0.5 * 10.0 ** -check_integer("decimals", decimals, least=0, most=12)
    limits = {}
    for name, limit, side in (("lsl", lsl, 1.0), ("usl", usl, -1.0)):
        if limit is not None:
            edge = np.array([limit - side * half])
            limits[name] = (float(forward(edge, words["transform"], name)[0]), side)
    confidence = check_real("confidence", levels[0], above=0.5, below=1)
    coverage = check_real("coverage", levels[1], above=0.5, below=1)
    level = confidence if words["sides"] == "one" else (1 + confidence) / 2
    return _Rule(limits, BoundRule(words["bound"], level, coverage))  # type: ignore[arg-type]


def _check_enough(study: StudyData, model: str, mse: str) -> None:
    """Raise if a line cannot be drawn or the error cannot be estimated."""
    if np.unique(study.time).size < 2:
        msg = f"all results are from one time ({study.time[0]:g}); a slope needs two"
        raise InputError(msg)
    if model in {"common", "common_slope"}:
        least = 3 if model == "common" else len(study.names) + 2
        if len(study.value) < least:
            msg = f"model={model!r} needs at least {least} results, got {len(study.value)}"
            raise InputError(msg)
        return
    pairs = np.unique(np.column_stack([study.batch, study.time]), axis=0)
    times = np.bincount(pairs[:, 0].astype(int))
    counts = np.bincount(study.batch)
    for i, name in enumerate(study.names):
        if times[i] < 2:
            msg = (
                f"batch {name!r} has results at one time only; its slope cannot be tested: "
                'leave it out, or fix model="common_slope" or "common" beforehand'
            )
            raise InputError(msg)
        if mse == "individual" and model == "separate" and counts[i] < 3:
            msg = f'batch {name!r} has two results and no error of its own; use mse="pooled"'
            raise InputError(msg)
    if len(study.value) - 2 * len(study.names) < 1:
        msg = (
            f"{len(study.value)} results of {len(study.names)} batches leave no degree of "
            "freedom for the error; add results, or fix the model beforehand"
        )
        raise InputError(msg)


def _fit(study: StudyData, model: LineModel, mse: str) -> Lines:
    return fit_lines(study.batch, study.time, study.value, model=model, pooled=mse == "pooled")


def _lines_table(study: StudyData, fit: Lines, rule: _Rule) -> pd.DataFrame:
    root = np.sqrt(fit.mse)
    found = [_crossing(fit, i, rule, float(study.time.max())) for i in range(len(study.names))]
    return pd.DataFrame(
        {
            "batch": study.names,
            "n": np.bincount(study.batch),
            "intercept": fit.intercept,
            "slope": fit.slope,
            "intercept_se": root * np.sqrt(fit.v00),
            "slope_se": root * np.sqrt(fit.v11),
            "rmse": root,
            "dof": fit.dof,
            "crossing": [time for time, _ in found],
            "limiting": [name for _, name in found],
        }
    )


def _crossing(fit: Lines, i: int, rule: _Rule, span: float) -> tuple[float, str]:
    """Return when line `i` first meets a limit, and which."""
    if not fit.dof[i] >= 1:
        return math.nan, ""
    times = {
        name: first_crossing(fit, i, limit, side, rule.bound, span)
        for name, (limit, side) in rule.limits.items()
    }
    first = min(times, key=lambda name: times[name])
    return times[first], first if math.isfinite(times[first]) else ""


def _alternatives(study: StudyData, rule: _Rule) -> pd.DataFrame:
    """Return the shelf life of every model; NaN where it cannot be fitted."""
    rows = []
    ways: list[tuple[LineModel, str]] = [
        ("common", "pooled"),
        ("common_slope", "pooled"),
        ("separate", "pooled"),
        ("separate", "individual"),
    ]
    for model, mse in ways:
        fit = _fit(study, model, mse)
        lives = np.full(len(study.names), math.nan)
        if np.isfinite(fit.slope).all():
            span = float(study.time.max())
            lives = np.array(
                [_crossing(fit, i, rule, span)[0] for i in range(len(study.names))]
            )
        worst = int(np.argmin(lives))
        named = model != "common" and math.isfinite(lives[worst])
        rows.append(
            {
                "model": model,
                "mse": mse,
                "shelf_life": float(lives[worst]),
                "worst_batch": study.names[worst] if named else "",
            }
        )
    return pd.DataFrame(rows)


def _last_steps(
    life: float, worst: pd.Series, extrapolation: ExtrapolationLimit | None
) -> tuple[str, ...]:
    met = (
        "the bound never meets the limit"
        if math.isinf(life)
        else f"the bound meets the {worst['limiting']} at {life:.4g}"
    )
    if extrapolation is None:
        return (met,)
    return (met, f"extrapolation up to {extrapolation.months:g}: {extrapolation.steps[-2]}")


def _curves(
    study: StudyData, fit: Lines, rule: _Rule, transform: Transform, life: float
) -> pd.DataFrame:
    """Return lines and bounds over time on the scale of the results, for pictures."""
    last = float(study.time.max())
    end = _MARGIN * min(max(last, life), _LONGEST * last)
    points = np.linspace(0.0, end, _POINTS if rule.bound.kind != "tolerance" else 21)
    low, high = bound_values(fit, points, rule.bound)
    rows = range(1) if fit.model == "common" else range(len(study.names))
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "batch": "" if fit.model == "common" else study.names[i],
                    "time": points,
                    "estimate": back(fit.mean(points)[i], transform),
                    "lower": back(low[i], transform),
                    "upper": back(high[i], transform),
                }
            )
            for i in rows
        ],
        ignore_index=True,
    )
