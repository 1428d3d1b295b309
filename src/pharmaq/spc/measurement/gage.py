"""Repeatability and reproducibility of a gage, crossed or nested."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice, check_real
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc.constants import d2, d3
from pharmaq.spc.measurement._split import Split, by_ranges, crossed, nested
from pharmaq.spc.measurement._study import read_study

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["GageRR", "gage_rr"]

# AIAG, Measurement Systems Analysis: below 10 % accept, above 30 % reject, 5 categories
ACCEPTED_SHARE, REJECTED_SHARE, LEAST_CATEGORIES = 10.0, 30.0, 5
# an interaction this clear is worth a finding, whatever it is pooled by
_CLEAR = 0.05


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class GageRR(Result):
    """Where the variation of a gage study comes from.

    Parameters
    ----------
    method : {"anova", "range"}
        How components were found.
    design : {"crossed", "nested"}
        Every operator all parts, or parts of their own.
    components : DataFrame
        A row a component: ``source, variance, lower, upper, sd, percent_contribution,
        study_variation, percent_study, percent_tolerance``. Limits are of the variance; NaN
        where the method has none.
    ratios : DataFrame
        ``ratio, estimate, lower, upper`` of the share of the study variation that the gage
        takes, in per cent, and of the untruncated number of categories.
    ndc : int
        Number of distinct categories, 1.41 PV / GRR truncated; 0 if not even one.
    anova : DataFrame
        The table that the components come from; ``denominator`` names the mean square that F
        divides by. Empty for ranges.
    anova_full : DataFrame
        The table with interaction, before pooling.
    pooled : bool
        Whether the interaction was pooled with repeatability.
    pooling_alpha : float or None
        Pooled where p of the interaction is above this; None: never.
    truncated : tuple of str
        Components that were estimated below zero and set to zero.
    constants : dict
        K1, K2, K3 of the method of ranges.
    study_multiplier, tolerance, confidence : float
        As given.
    interval_method : str
        What the limits are.
    n_parts, n_operators, n_replicates : int
        Size of the study; parts of each operator where they are nested.
    cells : DataFrame
        ``part, operator, mean, range`` of the replicates.
    measurements : DataFrame
        ``part, operator, value``.
    chart_limits : dict
        Lower, center and upper limit of the charts of means and of ranges.
    findings : tuple of Finding
        What to look at.
    """

    method: str
    design: str
    components: pd.DataFrame
    ratios: pd.DataFrame
    ndc: int
    anova: pd.DataFrame
    anova_full: pd.DataFrame
    pooled: bool
    pooling_alpha: float | None
    truncated: tuple[str, ...]
    constants: dict[str, float]
    study_multiplier: float
    tolerance: float | None
    confidence: float
    interval_method: str
    n_parts: int
    n_operators: int
    n_replicates: int
    cells: pd.DataFrame
    measurements: pd.DataFrame
    chart_limits: dict[str, tuple[float, float, float]]
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the components, one row each."""
        return self.components.copy()

    def component(self, source: str) -> pd.Series:
        """Return the row of one component, such as ``"gage_rr"``."""
        sources = list(self.components.source)
        check_choice("source", source, sources)
        return self.components.iloc[sources.index(source)]

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the components as bars.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.measurement import plots

        return plots.plot_components(self, ax=ax)

    def plot_panel(self, *, figure: Any = None) -> Any:
        """Draw the six pictures of a gage study.

        Parameters
        ----------
        figure : matplotlib Figure, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Figure
            Components; values by part and by operator; part by operator; means and ranges.
        """
        from pharmaq.spc.measurement import plots

        return plots.plot_gage_panel(self, figure=figure)


def gage_rr(  # noqa: PLR0913 - names of columns count as arguments too
    frame: pd.DataFrame,
    *,
    part: str = "part",
    operator: str = "operator",
    value: str = "value",
    method: Literal["anova", "range"] = "anova",
    design: Literal["crossed", "nested"] = "crossed",
    pooling_alpha: float | None = 0.25,
    study_multiplier: float = 6.0,
    tolerance: float | None = None,
    confidence: float = 0.95,
) -> GageRR:
    """Split the variation of a gage study into parts, operators and repeatability [1]_.

    Parameters
    ----------
    frame : DataFrame
        One row a measurement; every part the same number of times by every operator. NaN
        raises.
    part, operator, value : str
        Names of the columns.
    method : {"anova", "range"}, default "anova"
        Components of the two-way random model, or average and range. Ranges cannot see an
        interaction and have no confidence limits.
    design : {"crossed", "nested"}, default "crossed"
        ``"nested"`` where a part survives one operator only, as in destructive tests; then a
        label under two operators means two parts.
    pooling_alpha : float or None, default 0.25
        The interaction is pooled with repeatability where its p-value is above this; None never
        pools. Programs differ: 0.25 and 0.05 are both in use.
    study_multiplier : float, default 6.0
        Study variation in standard deviations; older editions use 5.15.
    tolerance : float, optional
        Width of the specification, for ``percent_tolerance``.
    confidence : float, default 0.95
        Of two-sided limits, by the modified large-sample method [2]_.

    Returns
    -------
    GageRR
        Table, components with limits, shares, number of distinct categories, findings.

    Raises
    ------
    InputError
        If a column is missing, a value is NaN, the design is unbalanced, or an operator, part
        or replicate is alone.

    Notes
    -----
    Crossed, p parts, o operators, r replicates: repeatability MSE, part:operator
    (MSPO - MSE) / r, operator (MSO - MSPO) / (p r), part (MSP - MSPO) / (o r). F of part and
    operator divides by MSPO, that of the interaction by MSE; after pooling all divide by the
    pooled MSE. Components below zero are set to zero, named in ``truncated``, and sums are of
    the components as shown; limits are of the combination of mean squares itself, cut at zero.

    Average and range: EV = mean range K1, AV^2 = (range of operator means K2)^2 - EV^2 / (p r),
    PV = range of part means K3; K1 = 1 / d2(r), K2 and K3 = 1 / d2* of one sample of o or p,
    d2*^2 = d2^2 + d3^2, exact instead of from tables.

    References
    ----------
    .. [1] AIAG, Measurement Systems Analysis, Reference Manual, 4th ed., chapter III-B.
    .. [2] R. K. Burdick, C. M. Borror, D. C. Montgomery, J. Qual. Technol. 35 (2003) 342-354.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [
    ...     (p, o, v)
    ...     for p, o, vs in [
    ...         ("1", "A", (0.71, 0.69)),
    ...         ("1", "B", (0.56, 0.57)),
    ...         ("2", "A", (0.98, 1.00)),
    ...         ("2", "B", (1.03, 0.96)),
    ...         ("3", "A", (0.77, 0.77)),
    ...         ("3", "B", (0.76, 0.76)),
    ...     ]
    ...     for v in vs
    ... ]
    >>> study = gage_rr(pd.DataFrame(rows, columns=["part", "operator", "value"]))
    >>> print(f"{study.component('gage_rr').percent_study:.1f} %, {study.ndc} categories")
    30.7 %, 4 categories
    """
    check_choice("method", method, ("anova", "range"))
    check_choice("design", design, ("crossed", "nested"))
    multiplier = check_real("study_multiplier", study_multiplier, above=0)
    if tolerance is not None:
        tolerance = check_real("tolerance", tolerance, above=0)
    if pooling_alpha is not None:
        pooling_alpha = check_real("pooling_alpha", pooling_alpha, above=0, below=1)
    confidence = check_real("confidence", confidence, above=0, below=1)
    if method == "range" and design == "nested":
        msg = 'method="range" needs design="crossed"; use method="anova" for nested parts'
        raise InputError(msg)
    study = read_study(frame, part, operator, value, nested=design == "nested")
    if method == "range":
        parts = by_ranges(study)
    elif study.nested:
        parts = nested(study, confidence)
    else:
        parts = crossed(study, pooling_alpha, confidence)
    components = _shares(parts.components, multiplier, tolerance)
    ratios = _ratios(components, parts.ratio_limits)
    shape = study.values.shape
    n_operators, n_parts = (shape[0], shape[1]) if study.nested else (shape[1], shape[0])
    return GageRR(
        method=method,
        design=design,
        components=components,
        ratios=ratios,
        ndc=math.floor(ratios.estimate.iloc[1]),
        anova=parts.anova,
        anova_full=parts.anova_full,
        pooled=parts.pooled,
        pooling_alpha=pooling_alpha,
        truncated=parts.truncated,
        constants=parts.constants,
        study_multiplier=multiplier,
        tolerance=tolerance,
        confidence=confidence,
        interval_method="modified large-sample" if method == "anova" else "none",
        n_parts=n_parts,
        n_operators=n_operators,
        n_replicates=shape[2],
        cells=study.cells(),
        measurements=study.long(),
        chart_limits=_chart_limits(study.cells(), shape[2]),
        findings=tuple(_findings(components, ratios, parts)),
    )


def _shares(
    components: pd.DataFrame, multiplier: float, tolerance: float | None
) -> pd.DataFrame:
    total = float(components.variance.iloc[-1])
    study = multiplier * components.sd
    return components.assign(
        percent_contribution=100 * components.variance / total,
        study_variation=study,
        percent_study=100 * components.sd / math.sqrt(total),
        percent_tolerance=np.nan if tolerance is None else 100 * study / tolerance,
    )


def _ratios(components: pd.DataFrame, limits: tuple[float, float]) -> pd.DataFrame:
    """Return share and categories; both follow from part / gage variance and rise or fall."""
    sd = components.set_index("source").sd
    gage, part = float(sd["gage_rr"]), float(sd["part"])
    # what rounding leaves of no variation at all
    if gage <= 1e-12 * part:
        msg = "the gage shows no variation: all values of a part are equal, which is no study"
        raise InputError(msg)
    low, high = limits
    rows = [
        ("percent_study", 100 * gage / math.hypot(gage, part), _share(high), _share(low)),
        (
            "categories",
            1.41 * part / gage,
            1.41 * math.sqrt(low),
            1.41 * math.sqrt(high),
        ),
    ]
    return pd.DataFrame(rows, columns=["ratio", "estimate", "lower", "upper"])


def _share(ratio: float) -> float:
    return 100 / math.sqrt(1 + ratio)


def _chart_limits(cells: pd.DataFrame, r: int) -> dict[str, tuple[float, float, float]]:
    mean, spread = float(cells["mean"].mean()), float(cells["range"].mean())
    half = 3 * spread / (d2(r) * math.sqrt(r))
    ratio = 3 * d3(r) / d2(r)
    ranges = (max(0.0, 1 - ratio) * spread, spread, (1 + ratio) * spread)
    return {"mean": (mean - half, mean, mean + half), "range": ranges}


def _findings(
    components: pd.DataFrame, ratios: pd.DataFrame, parts: Split
) -> Iterator[Finding]:
    gage = components.iloc[0]
    for column, text in (
        ("percent_study", "of the study variation"),
        ("percent_tolerance", "of the tolerance"),
    ):
        share = float(gage[column])
        if share > ACCEPTED_SHARE:
            rejected = share > REJECTED_SHARE
            limit = REJECTED_SHARE if rejected else ACCEPTED_SHARE
            word = "cannot be used as it is" if rejected else "may do, depending on the use"
            yield Finding(
                rule=f"gage_{column}",
                severity="action" if rejected else "alert",
                subject="gage",
                message=f"the gage takes {share:.1f} % {text}, above {limit:g} %: it {word}",
                value=share,
                limit=limit,
            )
    categories = float(ratios.estimate.iloc[1])
    if categories < LEAST_CATEGORIES:
        yield Finding(
            rule="gage_categories",
            severity="alert",
            subject="gage",
            message=f"the gage tells {math.floor(categories)} categories of parts apart",
            value=categories,
            limit=float(LEAST_CATEGORIES),
        )
    if len(parts.anova) == 4 and parts.anova.p[2] < _CLEAR:
        yield Finding(
            rule="gage_interaction",
            severity="alert",
            subject="part:operator",
            message="operators differ from part to part: look at the method before the gage",
            value=float(parts.anova.p[2]),
            limit=_CLEAR,
        )
    for source in parts.truncated:
        yield Finding(
            rule="gage_negative_component",
            severity="info",
            subject=source,
            message=f"the variance of {source} is estimated below zero and set to zero",
        )
