"""Assignable causes: which materials, machines and conditions go with failed batches."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special, stats
from scipy.stats.contingency import odds_ratio

from pharmaq._checks import check_integer, check_real
from pharmaq.errors import InputError, InputTypeError
from pharmaq.results import Finding, Result
from pharmaq.spc.inference import adjust_p
from pharmaq.spc.investigation._confounding import confounded_pairs
from pharmaq.spc.investigation._exact import freeman_halton

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.inference.multiplicity import Adjustment

__all__ = ["CauseSearch", "find_causes"]

_COLUMNS = [
    "factor", "kind", "n", "n_missing", "n_levels", "worst_level", "failed", "of", "rate",
    "rate_elsewhere", "effect", "effect_lower", "effect_upper", "measure", "p", "p_adjusted",
    "p_smallest", "method", "confounded_with",
]  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class CauseSearch(Result):
    """Association of each factor with failure, the strongest first.

    Parameters
    ----------
    table : DataFrame
        A row a factor. Of categories: ``n_levels``, ``worst_level`` with its ``failed`` batches
        ``of`` so many, its ``rate`` and the ``rate_elsewhere``; ``effect`` is the odds ratio of
        that level. Of numbers: ``effect`` is the probability that a failed batch has the
        larger value. With ``effect_lower``, ``effect_upper``; ``p``, ``p_adjusted``;
        ``p_smallest``, the smallest p that these numbers of batches can give; ``method``;
        ``confounded_with``: factors that vary together with it.
    confounded : DataFrame
        Pairs of factors that cannot be told apart: ``first, second, association, measure``.
    n_batches, n_failed : int
        Batches, and failed ones.
    adjustment, confidence, alpha : str, float, float
        Adjustment for the number of factors, of the intervals, level of findings.
    confounded_at : float
        Association from which factors are called confounded.
    findings : tuple of Finding
        Factors that go with failure, and what limits the search.
    """

    table: pd.DataFrame
    confounded: pd.DataFrame
    n_batches: int
    n_failed: int
    adjustment: str
    confidence: float
    alpha: float
    confounded_at: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a row a factor, the strongest association first."""
        return self.table.copy()

    def plot(self, *, ax: Any = None) -> Any:
        """Draw adjusted probabilities of the factors, the strongest on top.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.investigation import plots

        return plots.plot_causes(self, ax=ax)


def find_causes(  # noqa: PLR0913 - what is asked, how, and how surely
    genealogy: pd.DataFrame,
    failed: ArrayLike | str,
    *,
    factors: Sequence[str] | None = None,
    adjustment: Adjustment = "holm",
    confidence: float = 0.95,
    alpha: float = 0.05,
    confounded_at: float = 0.9,
    n_draws: int = 99_999,
    random_state: int | np.random.Generator | None = 0,
) -> CauseSearch:
    """Test which factors of the genealogy of batches go with failure.

    Parameters
    ----------
    genealogy : DataFrame
        A row a batch, a column a factor: lots of materials, equipment, shift, analyst, or
        numbers such as moisture or hold time. Numbers that are codes have to be text or
        ``category``, or they count as numbers. Missing cells leave the batch out of that
        factor and are counted.
    failed : array-like of bool, shape (n,), or str
        Which batches failed, or the column that says so.
    factors : sequence of str, optional
        Which columns; all but `failed` by default.
    adjustment : {"holm", "bh", "by", "bonferroni", "none"}, default "holm"
        For the number of factors, see `adjust_p`.
    confidence : float, default 0.95
        Of the intervals of effects; single ones, not adjusted.
    alpha : float, default 0.05
        Level of findings, held against adjusted probabilities.
    confounded_at : float, default 0.9
        Association of two factors (Cramer's V, correlation ratio of ranks, Spearman's rho) from
        which they are called confounded.
    n_draws : int, default 99_999
        Random tables where there are too many to go through all.
    random_state : int, Generator or None, default 0
        Seed of those.

    Returns
    -------
    CauseSearch
        Factors with effects, intervals and probabilities; confounded pairs; findings.

    Raises
    ------
    InputError
        If no batch failed or all did, a column is missing, or there is no factor.

    Notes
    -----
    Categories: Fisher's exact test and its extension by Freeman and Halton [1]_ to several
    levels, the probability of all tables with the same margins that are no more likely than
    the observed one; all tables are gone through, or `n_draws` random ones drawn, in which the
    observed one counts too [2]_. The odds ratio of the worst level against all others is the
    conditional maximum likelihood estimate with exact limits. It was chosen by looking at the
    data and overstates. Numbers: Mann and Whitney's test, exact for up to 50 batches without
    ties, and the probability of superiority with limits by Hanley and McNeil [3]_.

    Association is no cause: confounded factors are named, and a factor that does not stand out
    may still be the cause where `p_smallest` is large.

    References
    ----------
    .. [1] G. H. Freeman, J. H. Halton, Biometrika 38 (1951) 141-149.
    .. [2] B. Phipson, G. K. Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010) 39.
    .. [3] J. A. Hanley, B. J. McNeil, Radiology 143 (1982) 29-36.

    Examples
    --------
    >>> import pandas as pd
    >>> batches = pd.DataFrame(
    ...     {"lot": list("AAAABBBBCCCC"), "press": list("121212121212")},
    ... )
    >>> failed = [False] * 4 + [True, True, True, False] + [False] * 4
    >>> found = find_causes(batches, failed)
    >>> found.table[["factor", "worst_level", "failed", "of", "p", "p_adjusted"]].round(3)
      factor worst_level  failed  of      p  p_adjusted
    0    lot           B       3   4  0.055       0.109
    1  press           1       2   6  1.000       1.000
    """
    frame, bad, names = _read(genealogy, failed, factors)
    confidence = check_real("confidence", confidence, above=0, below=1)
    alpha = check_real("alpha", alpha, above=0, below=1)
    confounded_at = check_real("confounded_at", confounded_at, above=0, below=1.0000001)
    draws = check_integer("n_draws", n_draws, least=99)
    rng = np.random.default_rng(random_state)
    rows = [_tested(frame[name], bad, confidence, draws, rng) for name in names]
    table = pd.DataFrame(rows, columns=_COLUMNS)
    adjusted = adjust_p(table["p"].to_numpy(np.float64), method=adjustment)
    table["p_adjusted"] = adjusted
    pairs = confounded_pairs(frame[names], confounded_at)
    table["confounded_with"] = [_partners(name, pairs) for name in names]
    table = table.sort_values(["p", "factor"], ignore_index=True, na_position="last")
    return CauseSearch(
        table=table,
        confounded=pairs,
        n_batches=len(frame),
        n_failed=int(bad.sum()),
        adjustment=adjustment,
        confidence=confidence,
        alpha=alpha,
        confounded_at=confounded_at,
        findings=_findings(table, alpha),
    )


def _read(
    genealogy: pd.DataFrame, failed: Any, factors: Sequence[str] | None
) -> tuple[pd.DataFrame, NDArray[np.bool_], list[str]]:
    if not isinstance(genealogy, pd.DataFrame):
        msg = f"genealogy must be a pandas DataFrame, got {type(genealogy).__name__}"
        raise InputTypeError(msg)
    names = list(genealogy.columns) if factors is None else list(factors)
    wanted = [*names, failed] if isinstance(failed, str) else names
    absent = [name for name in wanted if name not in genealogy.columns]
    if absent:
        msg = f"column {absent[0]!r} is not in genealogy; it has {list(genealogy.columns)}"
        raise InputError(msg)
    if isinstance(failed, str):
        names = [name for name in names if name != failed]
        failed = genealogy[failed]
    bad = np.asarray(failed)
    if bad.shape != (len(genealogy),) or bad.dtype != np.bool_:
        msg = (
            f"failed must be True or False for each of {len(genealogy)} batches, got shape "
            f"{bad.shape} of {bad.dtype}"
        )
        raise InputError(msg)
    if not names:
        msg = "genealogy has no factor to look at"
        raise InputError(msg)
    if not 0 < bad.sum() < bad.size:
        msg = f"some batches must have failed and some not, got {bad.sum()} of {bad.size}"
        raise InputError(msg)
    return genealogy, bad, names


def _tested(
    column: pd.Series,
    bad: NDArray[np.bool_],
    confidence: float,
    draws: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    known = column.notna().to_numpy()
    row: dict[str, Any] = {"factor": column.name, "n": int(known.sum())}
    row |= {"n_missing": int((~known).sum())}
    values, bad = column[known], bad[known]
    if not 0 < bad.sum() < bad.size:
        return row | {"p": np.nan, "method": "no failed or no other batch is known"}
    if values.dtype.kind in "fiu" and isinstance(values.dtype, np.dtype):
        return row | _number(values.to_numpy(np.float64), bad, confidence)
    return row | _category(values, bad, confidence, draws, rng)


def _category(
    values: pd.Series,
    bad: NDArray[np.bool_],
    confidence: float,
    draws: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    codes, levels = pd.factorize(values)
    sizes = np.bincount(codes)
    hits = np.bincount(codes[bad], minlength=sizes.size)
    row: dict[str, Any] = {"kind": "category", "n_levels": sizes.size}
    if sizes.size == 1:
        return row | {"p": np.nan, "method": "all batches have the same level"}
    test = freeman_halton(hits, sizes, draws, rng)
    # the level least likely to have so many failures by chance
    tail = stats.hypergeom.sf(hits - 1, sizes.sum(), hits.sum(), sizes)
    worst = int(np.argmin(tail))
    inside = [int(hits[worst]), int(sizes[worst] - hits[worst])]
    outside = [int(hits.sum()) - inside[0], int((sizes - hits).sum()) - inside[1]]
    odds = odds_ratio(np.array([inside, outside]))
    limits = odds.confidence_interval(confidence_level=confidence)
    return row | {
        "worst_level": levels[worst],
        "failed": inside[0],
        "of": int(sizes[worst]),
        "rate": inside[0] / sizes[worst],
        "rate_elsewhere": outside[0] / sum(outside),
        "effect": float(odds.statistic),
        "effect_lower": float(limits.low),
        "effect_upper": float(limits.high),
        "measure": "odds ratio",
        "p": test.p,
        "p_smallest": test.p_smallest,
        "method": f"{'Fisher' if sizes.size == 2 else 'Freeman-Halton'}, {test.method}",
    }


def _number(
    x: NDArray[np.float64], bad: NDArray[np.bool_], confidence: float
) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": "number"}
    if np.ptp(x) == 0:
        return row | {"p": np.nan, "method": "all batches have the same value"}
    tied = np.unique(x).size < x.size
    how: Any = "exact" if x.size <= 50 and not tied else "asymptotic"
    test = stats.mannwhitneyu(x[bad], x[~bad], method=how)
    m, n = int(bad.sum()), int((~bad).sum())
    share = float(test.statistic) / (m * n)
    q1, q2 = share / (2 - share), 2 * share**2 / (1 + share)
    spread = (share * (1 - share) + (m - 1) * (q1 - share**2) + (n - 1) * (q2 - share**2)) / (
        m * n
    )
    reach = float(stats.norm.isf((1 - confidence) / 2)) * np.sqrt(max(spread, 0.0))
    return row | {
        "effect": share,
        "effect_lower": max(0.0, share - reach),
        "effect_upper": min(1.0, share + reach),
        "measure": "P(failed > other)",
        "p": float(test.pvalue),
        "p_smallest": min(1.0, 2 / float(special.comb(m + n, m))),
        "method": f"Mann-Whitney, {how}",
    }


def _partners(name: str, pairs: pd.DataFrame) -> str:
    first, second = pairs["first"], pairs["second"]
    return ", ".join(map(str, [*second[first == name], *first[second == name]]))


def _findings(table: pd.DataFrame, alpha: float) -> tuple[Finding, ...]:
    found = []
    for row in table.to_dict("records"):
        if row["p_adjusted"] < alpha:
            found.append(_finding("association", "alert", row, _associated(row), alpha))
        elif row["p_smallest"] > alpha:
            message = (
                f"{row['factor']} could not stand out: with these numbers of batches p is at "
                f"least {row['p_smallest']:.2g}"
            )
            found.append(_finding("no_power", "info", row, message, alpha))
    return tuple(found)


def _associated(row: dict[Any, Any]) -> str:
    where = row["factor"]
    if row["kind"] == "category":
        text = (
            f"failures go with {where}: {row['failed']:g} of {row['of']:g} batches with "
            f"{row['worst_level']!r} failed, {100 * row['rate_elsewhere']:.3g} % elsewhere"
        )
    else:
        way = "larger" if row["effect"] > 0.5 else "smaller"
        text = f"failures go with {way} values of {where}"
    text += f" (adjusted p = {row['p_adjusted']:.2g})"
    if row["confounded_with"]:
        text += f"; it cannot be told apart from {row['confounded_with']}"
    return text


def _finding(
    rule: str, severity: Any, row: dict[Any, Any], message: str, limit: float
) -> Finding:
    value = float(row["p_adjusted"] if rule == "association" else row["p_smallest"])
    return Finding(
        rule=rule,
        severity=severity,
        subject=str(row["factor"]),
        message=message,
        value=value,
        limit=limit,
    )
