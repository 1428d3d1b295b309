"""Out of specification: results held against their limits of acceptance."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd
from scipy import special

from pharmaq._checks import check_choice, check_real
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc.acceptance._compare import Bounds, Verdict, compare, reported
from pharmaq.spc.acceptance._findings import result_findings
from pharmaq.spc.acceptance._table import (
    SpecColumns,
    as_specifications,
    in_spec_units,
    match_specifications,
    read_results,
)
from pharmaq.spc.acceptance._values import EXACT, MISSING, Censored, Parsed, bounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from pharmaq.spc.acceptance.specification import Specification
    from pharmaq.spc.acceptance.specifications import Specifications

    Array = NDArray[np.float64]

__all__ = ["OUTCOMES", "AcceptanceCheck", "Guard", "check_oos"]

Guard = Literal["none", "acceptance", "rejection", "both"]

# from good to bad: the outcome of a batch is the worst of its results
OUTCOMES = ("pass", "alert", "action", "no_limit", "missing", "undecided", "oos")
_GROUP = ("product", "test", "stage")


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class AcceptanceCheck(Result):
    """Results with their limits and outcomes.

    Parameters
    ----------
    table : DataFrame
        A row a result, with the index and the columns given and: ``number`` (in units of the
        specification; the bound of a censored one, or what stands in for it), ``reported``
        (rounded as compared; NaN for a bound), ``lsl``, ``usl``, ``margin`` (distance of
        `reported` to the nearer limit, negative outside), ``outcome``; and ``p_conform`` where
        results have an uncertainty.
    counts : dict of str to int
        Results of each outcome: ``pass``; ``alert`` and ``action`` (accepted, beyond an
        internal limit); ``no_limit``; ``missing``; ``undecided``; ``oos``.
    n_results, n_censored, n_converted : int
        Results, those written as ``<x``, ``>x`` or ``ND``, and those converted to other units.
    censored, guard : str
        Rules applied.
    coverage_factor : float
        Of the guard band.
    findings : tuple of Finding
        One each result that does not pass, and one each test without specification.
    """

    table: pd.DataFrame
    counts: dict[str, int]
    n_results: int
    n_censored: int
    n_converted: int
    censored: str
    guard: str
    coverage_factor: float
    findings: tuple[Finding, ...]

    @property
    def accepted(self) -> bool:
        """Whether every result is known to meet its limits of acceptance."""
        return all(self.counts[word] == 0 for word in OUTCOMES[OUTCOMES.index("no_limit") :])

    @property
    def failures(self) -> pd.DataFrame:
        """Results out of specification."""
        return self.table[self.table["outcome"] == "oos"]

    def to_frame(self) -> pd.DataFrame:
        """Return the results with their limits and outcomes."""
        return self.table.copy()

    def summary(self) -> pd.DataFrame:
        """Return a row a test of each product and stage: results of each outcome."""
        keys = [name for name in _GROUP if name in self.table]
        return self._crossed([self.table[name].fillna("") for name in keys]).reset_index()

    def by_batch(self) -> pd.DataFrame:
        """Return a row a batch: its worst outcome and its results of each outcome."""
        if "batch" not in self.table:
            msg = "results have no column 'batch'"
            raise InputError(msg)
        counts = self._crossed([self.table["batch"]])
        present = counts.to_numpy() > 0
        last = present.shape[1] - 1 - np.argmax(present[:, ::-1], axis=1)
        counts.insert(0, "outcome", np.array(OUTCOMES, dtype=object)[last])
        return counts.reset_index()

    def _crossed(self, keys: list[pd.Series]) -> pd.DataFrame:
        crossed = pd.crosstab(keys, self.table["outcome"])
        crossed = crossed.reindex(columns=list(OUTCOMES), fill_value=0)
        crossed.columns.name = None
        return crossed

    def _repr_html_(self) -> str:
        return f"<p><b>AcceptanceCheck</b></p>{self.summary().to_html(index=False)}"

    def plot(
        self, *, ax: Any = None, test: str | None = None, product: str | None = None
    ) -> Any:
        """Draw the results of one test in order of time, with its limits.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        test, product : str, optional
            Which; those with most results out of specification by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.acceptance import plots

        return plots.plot_results(self, ax=ax, test=test, product=product)


def check_oos(
    results: pd.DataFrame,
    specifications: Specifications | Specification | Iterable[Specification],
    *,
    columns: Mapping[str, str] | None = None,
    censored: Censored = "interval",
    guard: Guard = "none",
    coverage_factor: float = 2.0,
) -> AcceptanceCheck:
    """Hold results against their limits of acceptance [1]_ [2]_.

    Parameters
    ----------
    results : DataFrame
        A row a result: ``test`` and ``value``; and any of ``product, batch, sample, stage,
        units, time, uncertainty`` (standard uncertainty, in the units of the value). A missing
        value gets the outcome ``missing``.
    specifications : Specifications, Specification or iterable of Specification
        The limits. Results of a test without one get the outcome ``no_limit``.
    columns : mapping of str to str, optional
        Name here -> name in `results`, where they differ.
    censored : str, default "interval"
        Rule for ``<0.05``, ``ND``, ``>100``. ``"interval"``: such a result passes if every
        number it may stand for passes, fails if none does, and is ``undecided`` otherwise;
        ``ND`` stands for less than the `reporting_limit` of the specification. ``"limit"``,
        ``"half"``, ``"root_half"``, ``"zero"``: 1, 1/2, 0.7071 or 0 times the limit stands in
        for a result below it, the limit for one above it. ``"raise"``: an error.
    guard : {"none", "acceptance", "rejection", "both"}, default "none"
        What the uncertainty of a result does [3]_. ``"acceptance"``: limits move inwards by
        `coverage_factor` standard uncertainties, so that few bad results pass;
        ``"rejection"``: outwards, so that few good ones fail; ``"both"``: results between the
        two are ``undecided``. Guarded results are not rounded.
    coverage_factor : float, default 2.0
        Width of the guard band in standard uncertainties.

    Returns
    -------
    AcceptanceCheck
        Every result with its limits, its outcome and its reportable value; findings.

    Raises
    ------
    InputError
        If a column is missing, a value is no result, specifications hold for stages and
        results name none, or a guard band lacks the uncertainty.
    UnitsError
        If units cannot be converted into those of the specification.

    Notes
    -----
    The reportable result is rounded to the digits of a limit, half up in decimal digits, and
    then compared; limits are not rounded. A result without units is in those of its
    specification. Converted numbers keep 12 significant digits. ``<x`` of a positive x lies
    from 0. The probability of conformity is that of a normal true value about the result [3]_.

    References
    ----------
    .. [1] USP General Notices 7.10 and 7.20.
    .. [2] FDA, Investigating Out-of-Specification (OOS) Test Results for Pharmaceutical
       Production, 2022.
    .. [3] JCGM 106:2012, The role of measurement uncertainty in conformity assessment.

    Examples
    --------
    >>> import pandas as pd
    >>> from pharmaq.spc import Specification
    >>> results = pd.DataFrame(
    ...     {"batch": ["A", "B"], "test": "assay", "value": [97.95, 97.94], "units": "%"}
    ... )
    >>> found = check_oos(results, Specification("assay", "NLT 98.0 %"))
    >>> found.table[["batch", "value", "reported", "outcome"]]
      batch  value  reported outcome
    0     A  97.95      98.0    pass
    1     B  97.94      97.9     oos
    >>> print(found.findings[0].message)
    assay of batch B: 97.9 % is out of specification (>= 98.0 %)
    """
    check_choice("censored", censored, get_args(Censored))
    check_choice("guard", guard, get_args(Guard))
    factor = check_real("coverage_factor", coverage_factor, above=0)
    given = read_results(results, columns, ("test", "value"))
    _check_uncertainty(given, guard)
    matched = match_specifications(given, as_specifications(specifications))
    parsed, spread, n_converted = in_spec_units(given, matched)
    censored_rows = (parsed.kind != EXACT) & (parsed.kind != MISSING)
    if censored == "raise" and censored_rows.any():
        row = given.index[int(np.flatnonzero(censored_rows)[0])]
        msg = (
            f"{int(censored_rows.sum())} results are censored, the first in row {row!r}; name "
            "a rule with censored="
        )
        raise InputError(msg)
    limits = matched.take("reporting_limit", of="spec")
    span = bounds(parsed, limits, censored)
    band = None if guard == "none" or spread is None else factor * spread
    verdict = _verdict(span, matched, guard, band)
    outcome = _outcomes(parsed, matched, verdict, span)
    table = _table(given, parsed, span, matched, verdict)
    if spread is not None:
        table["p_conform"] = _probability(table, spread)
    words = pd.Index(OUTCOMES)
    table["outcome"] = pd.Categorical.from_codes(outcome, words, ordered=True)
    tally = np.bincount(outcome, minlength=len(OUTCOMES))
    return AcceptanceCheck(
        table=table,
        counts=dict(zip(OUTCOMES, map(int, tally), strict=True)),
        n_results=len(table),
        n_censored=int(censored_rows.sum()),
        n_converted=n_converted,
        censored=censored,
        guard=guard,
        coverage_factor=factor,
        findings=result_findings(table, matched, outcome),
    )


def _check_uncertainty(table: pd.DataFrame, guard: str) -> None:
    if guard != "none" and "uncertainty" not in table:
        msg = f"guard={guard!r} needs a column 'uncertainty' in results"
        raise InputError(msg)
    if "uncertainty" not in table:
        return
    spread = pd.to_numeric(table["uncertainty"], errors="coerce").to_numpy(np.float64)
    bad = np.flatnonzero(~(np.isfinite(spread) & (spread >= 0)))
    if bad.size:
        i = int(bad[0])
        msg = (
            f"uncertainty must be zero or more in every row, but row {table.index[i]!r} is not"
        )
        raise InputError(msg)


def _verdict(span: Bounds, matched: SpecColumns, guard: str, band: Array | None) -> Verdict:
    if band is None:
        return compare(span, matched)
    inner = compare(span, matched, guard=band)
    outer = compare(span, matched, guard=-band)
    if guard == "acceptance":
        return inner
    if guard == "rejection":
        return outer
    return Verdict(inner.low_met, outer.low_broken, inner.high_met, outer.high_broken)


def _outcomes(
    parsed: Parsed, matched: SpecColumns, verdict: Verdict, span: Bounds
) -> NDArray[np.int8]:
    code = {word: i for i, word in enumerate(OUTCOMES)}
    outcome = np.full(len(parsed.kind), code["undecided"], dtype=np.int8)
    outcome[verdict.met] = code["pass"]
    for name in ("alert", "action"):
        if any(getattr(spec, name) is not None for spec in matched.specs):
            outcome[verdict.met & ~compare(span, matched, of=name).met] = code[name]
    outcome[verdict.broken] = code["oos"]
    outcome[matched.code < 0] = code["no_limit"]
    outcome[parsed.kind == MISSING] = code["missing"]
    return outcome


def _table(
    given: pd.DataFrame, parsed: Parsed, span: Bounds, matched: SpecColumns, verdict: Verdict
) -> pd.DataFrame:
    table = given.copy()
    lsl, usl = matched.take("lsl"), matched.take("usl")
    shown = reported(span, matched, verdict)
    table["number"] = np.where(span.exact, span.low, parsed.number)
    table["reported"] = shown
    table["lsl"], table["usl"] = lsl, usl
    table["margin"] = np.fmin(shown - lsl, usl - shown).round(12)
    return table


def _probability(table: pd.DataFrame, spread: Array) -> Array:
    """Return the probability that the true value lies within the limits."""
    number = table["reported"].where(table["reported"].isna(), table["number"]).to_numpy()
    lsl, usl = table["lsl"].to_numpy(), table["usl"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        above = np.where(np.isnan(usl), 1.0, special.ndtr((usl - number) / spread))
        below = np.where(np.isnan(lsl), 0.0, special.ndtr((lsl - number) / spread))
    known = ~(np.isnan(lsl) & np.isnan(usl)) & np.isfinite(number)
    return np.where(known, above - below, np.nan)
