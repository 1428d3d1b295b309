"""All release tests of all products at once: specification, capability, trend."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pharmaq._checks import check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result, json_safe
from pharmaq.spc.acceptance._review_row import Study, blank_row, study_group
from pharmaq.spc.acceptance.oos import AcceptanceCheck, check_oos
from pharmaq.spc.inference import adjust_p

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from pharmaq.spc.acceptance._values import Censored
    from pharmaq.spc.acceptance.oos import Guard
    from pharmaq.spc.acceptance.specification import Specification
    from pharmaq.spc.acceptance.specifications import Specifications
    from pharmaq.spc.capability import Capability
    from pharmaq.spc.inference import TrendTest
    from pharmaq.spc.inference.multiplicity import Adjustment

__all__ = ["ResultsReview", "review_results"]

_KEYS = ("product", "test", "stage")


class _Options(NamedTuple):
    least: int
    least_ppk: float
    confidence: float
    alpha: float


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class ResultsReview(Result):
    """Every test of every product: what it has to meet, how well it does, where it goes.

    Parameters
    ----------
    table : DataFrame
        A row a test of each product (and stage): numbers of results ``n``, ``n_censored``,
        ``n_missing``, ``n_oos``, ``n_undecided``; ``lsl``, ``usl``, ``mean``, ``sd``,
        ``minimum``, ``maximum``; ``cp``, ``cpk``, ``pp``, ``ppk`` with ``ppk_lower`` and
        ``ppk_upper``, and ``valid`` (the process is shown to be stable and normal); Kendall's
        ``tau`` with ``trend_p``, ``trend_p_adjusted`` and ``slope`` (Sen, per result);
        ``shift_after`` and ``shift_p`` (the most likely change of the mean);
        ``autocorrelation`` (lag 1); ``why_not``: why indices and trend are missing.
    capabilities : dict of tuple to Capability
        Full studies, by the key of the row.
    trends : dict of tuple to TrendTest
        Full tests, by the key of the row.
    check : AcceptanceCheck
        Every single result against its limits.
    censored : str
        What stood in for censored results in means, indices and trends.
    adjustment : str
        Adjustment of the probabilities of trends for their number.
    least : int
        Results that a study needs at least.
    least_ppk : float
        Ppk below which a finding is made.
    confidence, alpha : float
        Of the limits of indices; level of trends.
    findings : tuple of Finding
        Results out of specification, low capability, trends, and what else has to be known.
    """

    table: pd.DataFrame
    capabilities: dict[tuple[Hashable, ...], Capability]
    trends: dict[tuple[Hashable, ...], TrendTest]
    check: AcceptanceCheck
    censored: str
    adjustment: str
    least: int
    least_ppk: float
    confidence: float
    alpha: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a row a test of each product."""
        return self.table.copy()

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain Python, keys of studies as text."""
        named = {" / ".join(map(str, key)): one for key, one in self.capabilities.items()}
        trends = {" / ".join(map(str, key)): one for key, one in self.trends.items()}
        fields = self._fields() | {"capabilities": named, "trends": trends}
        return {name: json_safe(value) for name, value in fields.items()}

    def _repr_html_(self) -> str:
        return f"<p><b>ResultsReview</b></p>{self.table.round(4).to_html(index=False)}"

    def plot(self, *, ax: Any = None) -> Any:
        """Draw Ppk with its confidence limits, a line a test of each product.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.acceptance import plots

        return plots.plot_review(self, ax=ax)


def review_results(  # noqa: PLR0913 - the options of three methods
    results: pd.DataFrame,
    specifications: Specifications | Specification | Iterable[Specification],
    *,
    columns: Mapping[str, str] | None = None,
    censored: Censored = "limit",
    guard: Guard = "none",
    least: int = 10,
    least_ppk: float = 1.33,
    confidence: float = 0.95,
    alpha: float = 0.05,
    adjustment: Adjustment = "holm",
) -> ResultsReview:
    """Review all tests of all products: specification, capability and trend.

    Parameters
    ----------
    results : DataFrame
        A row a result, see `check_oos`. Results of a test are taken in the order of ``time``,
        or as they stand where there is none.
    specifications : Specifications, Specification or iterable of Specification
        The limits.
    columns : mapping of str to str, optional
        Name here -> name in `results`, where they differ.
    censored : {"limit", "half", "root_half", "zero"}, default "limit"
        What stands in for results such as ``<0.05`` in means, indices and trends. Whether they
        are out of specification is decided by ``"interval"``.
    guard : str, default "none"
        See `check_oos`.
    least : int, default 10
        Results that indices and trend need, at least 4.
    least_ppk : float, default 1.33
        Ppk below which a finding is made.
    confidence : float, default 0.95
        Of the two-sided limits of indices.
    alpha : float, default 0.05
        Level of the tests of trend, all together as `adjustment` says.
    adjustment : {"holm", "bh", "by", "bonferroni", "none"}, default "holm"
        See `adjust_p`.

    Returns
    -------
    ResultsReview
        A table with a row a test of each product, the studies behind it, findings.

    Raises
    ------
    InputError
        If a column or an option is wrong, see `check_oos`.

    Notes
    -----
    Indices are those of `capability` for single normal values (Cp, Cpk by the mean moving
    range), trends those of `mann_kendall`. Both are made of results with a specification that
    are not missing; ``ND`` without a reporting limit counts as missing there.

    Examples
    --------
    >>> import pandas as pd
    >>> from pharmaq.spc import Specification
    >>> assay = [99.6, 100.4, 99.9, 101.3, 99.8, 100.2, 100.6, 99.4, 100.9, 100.1, 94.1]
    >>> results = pd.DataFrame({"product": "A", "test": "assay", "value": assay})
    >>> found = review_results(results, Specification("assay", "95.0-105.0 %"))
    >>> found.table[["product", "test", "n", "n_oos", "ppk"]].round(2)
      product   test   n  n_oos   ppk
    0       A  assay  11      1  0.81
    """
    if censored in ("interval", "raise"):
        msg = f"censored must name what stands in for <x in a mean, got {censored!r}"
        raise InputError(msg)
    options = _Options(
        least=check_integer("least", least, least=4),
        least_ppk=check_real("least_ppk", least_ppk, above=0),
        confidence=check_real("confidence", confidence, above=0, below=1),
        alpha=check_real("alpha", alpha, above=0, below=1),
    )
    check = check_oos(results, specifications, columns=columns, guard=guard)
    # once more with a number for every result
    numbers = check_oos(results, specifications, columns=columns, censored=censored).table
    groups, keys = _groups(check.table)
    studies = {
        key: study_group(check.table.iloc[rows], numbers.iloc[rows], options.least, confidence)
        for key, rows in groups.items()
    }
    table = _table(studies, keys, adjustment)
    return ResultsReview(
        table=table,
        capabilities={k: s.capability for k, s in studies.items() if s.capability},
        trends={k: s.trend for k, s in studies.items() if s.trend},
        check=check,
        censored=censored,
        adjustment=adjustment,
        **options._asdict(),
        findings=(*check.findings, *_findings(table, studies, options)),
    )


def _groups(table: pd.DataFrame) -> tuple[dict[tuple[Hashable, ...], Any], list[str]]:
    """Return the rows of each product and test, in order of time."""
    keys = [name for name in _KEYS if name in table]
    order = np.arange(len(table))
    if "time" in table:
        if table["time"].isna().any():
            row = table.index[int(np.flatnonzero(table["time"].isna())[0])]
            msg = f"column 'time' must say when, but row {row!r} is empty"
            raise InputError(msg)
        order = np.argsort(table["time"].to_numpy(), kind="stable")
    labels = table[keys].astype(object).where(table[keys].notna(), "").iloc[order]
    grouped = labels.reset_index(drop=True).groupby(keys, sort=False).indices
    named = {(key if isinstance(key, tuple) else (key,)): v for key, v in grouped.items()}
    return {key: order[rows] for key, rows in named.items()}, keys


def _table(
    studies: Mapping[tuple[Hashable, ...], Study], keys: list[str], adjustment: Adjustment
) -> pd.DataFrame:
    rows = [dict(zip(keys, k, strict=True)) | blank_row() | s.row for k, s in studies.items()]
    table = pd.DataFrame(rows)
    adjusted = adjust_p(table["trend_p"].to_numpy(np.float64), method=adjustment)
    table.insert(list(table.columns).index("trend_p") + 1, "trend_p_adjusted", adjusted)
    return table.sort_values(keys, kind="stable", ignore_index=True)


def _findings(
    table: pd.DataFrame, studies: Mapping[tuple[Hashable, ...], Study], options: _Options
) -> list[Finding]:
    keys = [name for name in _KEYS if name in table]
    found = []
    for row in table.to_dict("records"):
        key = tuple(row[name] for name in keys)
        subject = " / ".join(str(word) for word in key if word != "")
        found += _of_capability(row, subject, studies[key], options)
        if row["trend_p_adjusted"] < options.alpha:
            way = "rise" if row["tau"] > 0 else "fall"
            message = (
                f"results of {subject} {way} with time, by {abs(row['slope']):.3g} each "
                f"(Kendall's tau {row['tau']:.2f}, adjusted p = {row['trend_p_adjusted']:.2g})"
            )
            p = float(row["trend_p_adjusted"])
            found.append(_finding("trend", "alert", subject, message, p, options.alpha))
    return found


def _of_capability(
    row: Mapping[Any, Any], subject: str, study: Study, options: _Options
) -> list[Finding]:
    if study.capability is None:
        message = f"{subject}: no indices and no trend, for {row['why_not']}"
        return [_finding("not_studied", "info", subject, message, float(row["n"]), None)]
    found = []
    ppk = float(row["ppk"])
    if ppk < options.least_ppk:
        low, high = row["ppk_lower"], row["ppk_upper"]
        message = (
            f"Ppk of {subject} is {ppk:.2f} ({low:.2f} to {high:.2f}), below "
            f"{options.least_ppk:g}"
        )
        found.append(_finding("capability", "alert", subject, message, ppk, options.least_ppk))
    for one in study.capability.findings:
        message = f"{subject}: {one.message}"
        found.append(_finding(one.rule, "info", subject, message, one.value, one.limit))
    return found


def _finding(
    rule: str, severity: Any, subject: str, message: str, value: float | None, limit: Any
) -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        subject=subject,
        message=message,
        value=value,
        limit=limit,
    )
