"""Variance components of nested factors: days, runs, replicates; batches and samples."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from pharmaq._checks import check_choice, check_real
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc._columns import (
    check_distinct,
    check_levels,
    check_varies,
    take_codes,
    take_values,
)
from pharmaq.spc.inference.mls import mls_limits, satterthwaite_limits, wald_limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["VarianceComponents", "variance_components"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class VarianceComponents(Result):
    """Table of a nested analysis of variance with its components.

    Parameters
    ----------
    table : DataFrame
        A row a factor, then ``error`` and ``total``: ``source, df, ss, ms, f, p, variance,
        percent, sd, cv, lower, upper``. Limits are of the variance; df of the total is
        Satterthwaite's; cv is in per cent of the mean, NaN where that is zero.
    mean : float
        Grand mean.
    n : int
        Number of values.
    n_groups : tuple of int
        Groups of each factor.
    balanced : bool
        Whether all groups of a factor have the same size.
    intervals : str
        Method of the limits.
    confidence : float
        Of the limits.
    truncated : tuple of str
        Components that were estimated below zero and set to zero.
    findings : tuple of Finding
        Components set to zero; unequal numbers.
    """

    table: pd.DataFrame
    mean: float
    n: int
    n_groups: tuple[int, ...]
    balanced: bool
    intervals: str
    confidence: float
    truncated: tuple[str, ...]
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table.copy()

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the components with their limits.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.inference import plots

        return plots.plot_variance_components(self, ax=ax)


def variance_components(
    frame: pd.DataFrame,
    factors: str | Sequence[str],
    *,
    value: str = "value",
    intervals: Literal["mls", "satterthwaite", "wald"] = "mls",
    confidence: float = 0.95,
) -> VarianceComponents:
    """Split the variation of nested random factors by analysis of variance [1]_.

    Parameters
    ----------
    frame : DataFrame
        One row a measurement; numbers in the groups may differ. NaN raises.
    factors : str or sequence of str
        Columns, the outermost first, each nested in the one before: ``["day", "run"]`` means
        run within day, whatever the runs are called.
    value : str, default "value"
        Column of the measurements.
    intervals : {"mls", "satterthwaite", "wald"}, default "mls"
        Limits of the components: modified large-sample, Satterthwaite's chi-square, or
        normal. The error has its exact chi-square limits in all of them, the total
        Satterthwaite's, or modified large-sample ones with ``"mls"``.
    confidence : float, default 0.95
        Of two-sided limits, which are cut at zero.

    Returns
    -------
    VarianceComponents
        Table, mean, findings.

    Raises
    ------
    InputError
        If a column is missing, a value is NaN, all are equal, or a factor does not split the
        groups of the one before.

    Notes
    -----
    Sums of squares are sequential and from deviations of the grand mean, which keeps the digits
    of values that differ in the last ones only. Each expected mean square is a sum of
    components with coefficients from the sizes of the groups [2]_; solved from the innermost
    outwards. Components below zero are set to zero and named. With unequal numbers the mean
    squares are neither chi-squares nor independent: limits are approximate then, and a finding
    says so. F is given where it is exact.

    References
    ----------
    .. [1] CLSI EP05, Evaluation of Precision of Quantitative Measurement Procedures.
    .. [2] S. R. Searle, G. Casella, C. E. McCulloch, Variance Components, Wiley, 1992.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame(
    ...     {"batch": list("aabbcc"), "value": [9.8, 10.0, 10.6, 10.4, 9.7, 9.9]}
    ... )
    >>> result = variance_components(frame, "batch")
    >>> result.table[["source", "df", "variance"]].round(4)
      source      df  variance
    0  batch  2.0000    0.1333
    1  error  3.0000    0.0200
    2  total  2.2814    0.1533
    """
    check_choice("intervals", intervals, ("mls", "satterthwaite", "wald"))
    confidence = check_real("confidence", confidence, above=0, below=1)
    names = [factors] if isinstance(factors, str) else list(factors)
    if not names:
        msg = "factors must name at least one column, got none"
        raise InputError(msg)
    check_distinct(**{f"factors[{i}]": name for i, name in enumerate(names)}, value=value)
    y = take_values(frame, value)
    check_varies(f"column {value!r}", y)
    groups = _groups(frame, names)
    sources = [":".join(names[: i + 1]) for i in range(len(names))] + ["error"]
    dof, ss = _sums(y, groups)
    _check_dof(dof, sources)
    sizes = _mean_square_coefficients(groups, dof)
    weights = np.asarray(np.linalg.solve(sizes, np.eye(len(sizes))), dtype=np.float64)
    balanced = all(len(set(np.bincount(group))) == 1 for group in groups)
    table = _table(sources, dof, ss, weights, float(y.mean()))
    f, p = _f_tests(table, balanced)
    limits = _limits(table, dof, weights, intervals, confidence)
    raw = weights @ (ss / dof)
    truncated = tuple(s for s, v in zip(sources, raw, strict=True) if v < 0)
    return VarianceComponents(
        table=table.assign(f=f, p=p, lower=limits[:, 0], upper=limits[:, 1])[_COLUMNS],
        mean=float(y.mean()),
        n=len(y),
        n_groups=tuple(int(group.max()) + 1 for group in groups),
        balanced=balanced,
        intervals=intervals,
        confidence=confidence,
        truncated=truncated,
        findings=tuple(_findings(truncated, balanced=balanced)),
    )


_COLUMNS = ["source", "df", "ss", "ms", "f", "p", "variance", "percent", "sd", "cv"]
_COLUMNS += ["lower", "upper"]


def _groups(frame: pd.DataFrame, names: list[str]) -> list[NDArray[np.intp]]:
    """Return the group of each row at every level, from 0."""
    groups: list[NDArray[np.intp]] = []
    for name in names:
        codes, levels = take_codes(frame, name)
        if not groups:
            check_levels(f"factor {name!r}", levels, least=2, why="its variance needs two")
        else:
            codes = groups[-1] * (int(codes.max()) + 1) + codes
        groups.append(np.unique(codes, return_inverse=True)[1])
    return groups


def _sums(
    y: NDArray[np.float64], groups: list[NDArray[np.intp]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return degrees of freedom and sequential sums of squares, error last."""
    left = y - y.mean()
    left -= left.mean()
    counts, sums = [1], []
    for group in groups:
        size = np.bincount(group)
        means = np.bincount(group, left) / size
        sums.append(float(np.sum(size * means**2)))
        left = left - means[group]
        counts.append(len(size))
    sums.append(float(np.sum(left**2)))
    return np.diff([*counts, len(y)]).astype(float), np.array(sums)


def _check_dof(dof: NDArray[np.float64], sources: list[str]) -> None:
    for i, source in enumerate(sources):
        if dof[i] < 1:
            what = (
                "values repeat no group" if source == "error" else f"{source!r} splits no group"
            )
            msg = f"{what}: no degree of freedom is left for its variance; leave out a factor"
            raise InputError(msg)


def _mean_square_coefficients(
    groups: list[NDArray[np.intp]], dof: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how much of each component every expected mean square holds."""
    n = len(groups[0])
    outer = [np.zeros(n, dtype=np.intp), *groups, np.arange(n)]
    k = len(dof)
    found = np.zeros((k, k))
    for j in range(k):
        size = np.bincount(outer[j + 1]).astype(float)
        # a group of a finer factor lies in one of each coarser factor
        first = np.unique(outer[j + 1], return_index=True)[1]
        within = [
            float(np.sum(size**2 / np.bincount(outer[i])[outer[i][first]]))
            for i in range(j + 2)
        ]
        found[: j + 1, j] = np.diff(within)
    return found / dof[:, None]


def _table(
    sources: list[str],
    dof: NDArray[np.float64],
    ss: NDArray[np.float64],
    weights: NDArray[np.float64],
    mean: float,
) -> pd.DataFrame:
    ms = ss / dof
    variance = np.maximum(weights @ ms, 0)
    total = weights.sum(axis=0) * ms
    freedom = total.sum() ** 2 / np.sum(total**2 / dof)
    variance = np.append(variance, variance.sum())
    sd = np.sqrt(variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        cv = 100 * sd / abs(mean) if mean else np.full_like(sd, np.nan)
    return pd.DataFrame(
        {
            "source": [*sources, "total"],
            "df": np.append(dof, freedom),
            "ss": np.append(ss, np.nan),
            "ms": np.append(ms, np.nan),
            "variance": variance,
            "percent": 100 * variance / variance[-1],
            "sd": sd,
            "cv": cv,
        }
    )


def _f_tests(table: pd.DataFrame, balanced: bool) -> tuple[NDArray[np.float64], ...]:
    """Return F against the next mean square, where that is exact."""
    f, p = np.full(len(table), np.nan), np.full(len(table), np.nan)
    ms, dof = table.ms.to_numpy(), table.df.to_numpy()
    last = len(table) - 3
    for i in range(last + 1):
        if (balanced or i == last) and ms[i + 1] > 0:
            f[i] = ms[i] / ms[i + 1]
            p[i] = stats.f.sf(f[i], dof[i], dof[i + 1])
    return f, p


def _limits(
    table: pd.DataFrame,
    dof: NDArray[np.float64],
    weights: NDArray[np.float64],
    intervals: str,
    confidence: float,
) -> NDArray[np.float64]:
    ms = table.ms.to_numpy()[:-1]
    rows = []
    for i, row in enumerate([*weights, weights.sum(axis=0)]):
        sums = i >= len(weights) - 1
        if intervals == "mls":
            low, high = mls_limits(row, ms, dof, confidence=confidence)
        elif intervals == "wald" and not sums:
            low, high = wald_limits(row, ms, dof, confidence=confidence)
        else:
            low, high, _ = satterthwaite_limits(row, ms, dof, confidence=confidence)
        rows.append((max(low, 0.0), high if math.isnan(high) else max(high, 0.0)))
    return np.array(rows)


def _findings(truncated: tuple[str, ...], *, balanced: bool) -> list[Finding]:
    found = [
        Finding(
            rule="negative_component",
            severity="info",
            subject=source,
            message=f"the variance of {source} is estimated below zero and set to zero",
        )
        for source in truncated
    ]
    if not balanced:
        message = "groups have unequal sizes: confidence limits are approximate"
        found.append(
            Finding(rule="unbalanced", severity="info", subject="design", message=message)
        )
    return found
