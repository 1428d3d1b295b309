"""Out of expectation: results that earlier ones of the same test do not lead to expect."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from scipy import special, stats

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc._columns import take_values
from pharmaq.spc.acceptance._findings import name_result
from pharmaq.spc.acceptance._table import read_results, times_of
from pharmaq.spc.intervals import tolerance_factor

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["ExpectationCheck", "check_ooe", "check_replicates"]

Expectation = Literal["prediction", "tolerance", "sigma"]
_KEYS = ("product", "test", "stage")


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class ExpectationCheck(Result):
    """Results with the range that was expected.

    Parameters
    ----------
    table : DataFrame
        `check_ooe`: a row a result as given with ``expected_lower``, ``expected_upper``,
        ``n_history`` and ``outcome`` (``expected``, ``ooe``, ``no_history``).
        `check_replicates`: a row a set of replicates with ``n``, ``range``, ``critical`` and
        ``outcome``.
    counts : dict of str to int
        Of each outcome.
    method : str
        How the range was found.
    alpha : float
        Share of good results that lie outside, on average (``"sigma"``: of normal ones with
        known mean and standard deviation).
    expected_false : float
        Findings that good results would give on average: `alpha` times their number.
    findings : tuple of Finding
        One each that was not expected, and one each test without history.
    """

    table: pd.DataFrame
    counts: dict[str, int]
    method: str
    alpha: float
    expected_false: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return what was checked, a row each."""
        return self.table.copy()


def check_ooe(
    results: pd.DataFrame,
    history: pd.DataFrame,
    *,
    columns: Mapping[str, str] | None = None,
    method: Expectation = "prediction",
    alpha: float = 0.01,
    confidence: float = 0.95,
    k: float = 3.0,
    least: int = 8,
) -> ExpectationCheck:
    """Hold results against what earlier ones of the same test lead one to expect.

    Parameters
    ----------
    results, history : DataFrame
        A row a result: ``test`` and ``value`` (numbers; NaN raises), and any of ``product,
        batch, sample, stage, time``. Results to be judged must not be in the history.
    columns : mapping of str to str, optional
        Name here -> name in both frames, where they differ.
    method : {"prediction", "tolerance", "sigma"}, default "prediction"
        ``"prediction"``: mean -+ t(1 - alpha / 2, n - 1) s sqrt(1 + 1 / n), which 1 - alpha of
        next results meet; ``"tolerance"``: an interval for 1 - alpha of all results with
        `confidence`, see `tolerance_factor`; ``"sigma"``: mean -+ `k` s.
    alpha : float, default 0.01
        Share of good results outside.
    confidence : float, default 0.95
        Of ``"tolerance"``.
    k : float, default 3.0
        Of ``"sigma"``.
    least : int, default 8
        Results of history that a range needs.

    Returns
    -------
    ExpectationCheck
        Each result with its range, findings, and how many findings good results would give.

    Raises
    ------
    InputError
        If a column is missing or a value is not finite.

    Notes
    -----
    Ranges hold for independent normal results of one process. A result out of specification is
    a matter of `check_oos`.

    Examples
    --------
    >>> import pandas as pd
    >>> history = pd.DataFrame(
    ...     {"test": "assay", "value": [99.6, 100.4, 99.9, 101.3, 99.8, 100.2, 100.6, 99.4]}
    ... )
    >>> new = pd.DataFrame({"batch": ["A", "B"], "test": "assay", "value": [100.8, 97.1]})
    >>> check_ooe(new, history).table[["batch", "value", "expected_lower", "outcome"]].round(2)
      batch  value  expected_lower   outcome
    0     A  100.8           97.87  expected
    1     B   97.1           97.87       ooe
    """
    check_choice("method", method, get_args(Expectation))
    alpha = check_real("alpha", alpha, above=0, below=1)
    confidence = check_real("confidence", confidence, above=0, below=1)
    k, least = check_real("k", k, above=0), check_integer("least", least, least=2)
    table = read_results(results, columns, ("test", "value"))
    past = read_results(history, columns, ("test", "value"))
    value, earlier = take_values(table, "value"), take_values(past, "value")
    keys = [name for name in _KEYS if name in table and name in past]
    groups = past.assign(value=earlier).groupby(keys, sort=False)["value"]
    known = groups.agg(["count", "mean", "std"]).reset_index()
    matched = table[keys].merge(known, on=keys, how="left")
    n = matched["count"].fillna(0).to_numpy(np.int64)
    wide = _factor(n, method, (alpha, confidence, k)) * matched["std"].to_numpy()
    low, high = matched["mean"].to_numpy() - wide, matched["mean"].to_numpy() + wide
    enough = n >= least
    outside = enough & ((value < low) | (value > high))
    outcome = np.where(outside, "ooe", np.where(enough, "expected", "no_history"))
    table["expected_lower"] = np.where(enough, low, np.nan)
    table["expected_upper"] = np.where(enough, high, np.nan)
    table["n_history"], table["outcome"] = n, outcome
    if method == "sigma":
        alpha = 2 * float(special.ndtr(-k))
    return ExpectationCheck(
        table=table,
        counts={
            word: int((outcome == word).sum()) for word in ("expected", "ooe", "no_history")
        },
        method=method,
        alpha=alpha,
        expected_false=alpha * int(enough.sum()),
        findings=(*_unexpected(table[outside]), *_without_history(table[~enough], keys, least)),
    )


def check_replicates(
    results: pd.DataFrame,
    repeatability: float | Mapping[str, float],
    *,
    columns: Mapping[str, str] | None = None,
    alpha: float = 0.05,
) -> ExpectationCheck:
    """Hold the range of replicates against the repeatability of the procedure [1]_.

    Parameters
    ----------
    results : DataFrame
        A row a determination: ``test`` and ``value`` (numbers; NaN raises), and any of
        ``product, batch, sample, stage``; rows that share all of these are replicates.
    repeatability : float or mapping of str to float
        Standard deviation of determinations, for all tests or by test.
    columns : mapping of str to str, optional
        Name here -> name in `results`, where they differ.
    alpha : float, default 0.05
        Share of good sets whose range is larger than critical.

    Returns
    -------
    ExpectationCheck
        A row a set of two or more.

    Raises
    ------
    InputError
        If a test has no repeatability, or there are no replicates.

    Notes
    -----
    The critical range of n replicates is f(n) times the repeatability, f the 1 - alpha quantile
    of the range of n standard normal values.

    References
    ----------
    .. [1] ISO 5725-6, Accuracy of measurement methods and results, use in practice of accuracy
       values.

    Examples
    --------
    >>> import pandas as pd
    >>> data = pd.DataFrame(
    ...     {"batch": list("AABB"), "test": "x", "value": [9.9, 10.1, 9.5, 10.4]}
    ... )
    >>> check_replicates(data, 0.2).table[["batch", "range", "critical", "outcome"]].round(2)
      batch  range  critical   outcome
    0     A    0.2      0.55  expected
    1     B    0.9      0.55       ooe
    """
    alpha = check_real("alpha", alpha, above=0, below=1)
    table = read_results(results, columns, ("test", "value"))
    values = take_values(table, "value")
    keys = [name for name in ("product", "batch", "sample", "test", "stage") if name in table]
    sets = table.assign(value=values).groupby(keys, sort=False, dropna=False)["value"]
    found = sets.agg(n="count", low="min", high="max").reset_index().query("n > 1")
    if not len(found):
        msg = f"results hold no replicates: no two rows share {keys}"
        raise InputError(msg)
    found = found.reset_index(drop=True)
    found["range"] = found.pop("high") - found.pop("low")
    sizes, at = np.unique(found["n"], return_inverse=True)
    factors = np.array([stats.studentized_range.ppf(1 - alpha, n, np.inf) for n in sizes])
    sigma = [_repeatability(repeatability, test) for test in found["test"]]
    found["critical"] = factors[at] * np.array(sigma)
    outside = found["range"] > found["critical"]
    found["outcome"] = np.where(outside, "ooe", "expected")
    findings = tuple(
        Finding(
            rule="replicates",
            severity="alert",
            subject=name_result(row),
            message=(
                f"{row['n']} replicates of {name_result(row)} differ by {row['range']:.4g}, "
                f"more than the repeatability allows ({row['critical']:.4g})"
            ),
            value=float(row["range"]),
            limit=float(row["critical"]),
        )
        for row in _named(found[outside])
    )
    return ExpectationCheck(
        table=found,
        counts={"expected": int((~outside).sum()), "ooe": int(outside.sum())},
        method="critical range",
        alpha=alpha,
        expected_false=alpha * len(found),
        findings=findings,
    )


def _factor(
    n: NDArray[np.int64], method: str, options: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Return the half-width in standard deviations, by the size of the history."""
    alpha, confidence, k = options
    sizes, at = np.unique(n, return_inverse=True)
    if method == "sigma":
        return np.full(n.size, k)
    factors = np.full(sizes.size, np.nan)
    for i, size in enumerate(sizes):
        if size < 2:
            continue
        if method == "prediction":
            factors[i] = stats.t.isf(alpha / 2, size - 1) * np.sqrt(1 + 1 / size)
        else:
            factors[i] = tolerance_factor(int(size), coverage=1 - alpha, confidence=confidence)
    return factors[at]


def _repeatability(given: float | Mapping[str, float], test: str) -> float:
    if isinstance(given, int | float):
        return check_real("repeatability", given, above=0)
    if test not in given:
        msg = f"repeatability of {test!r} is not given; there are {sorted(map(str, given))}"
        raise InputError(msg)
    return check_real(f"repeatability of {test!r}", given[test], above=0)


def _named(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = table.to_dict("records")
    return [{str(name): cell for name, cell in row.items()} for row in rows]


def _unexpected(table: pd.DataFrame) -> list[Finding]:
    times = times_of(table)
    found = []
    for row, time in zip(_named(table), times, strict=True):
        low, high, value = row["expected_lower"], row["expected_upper"], float(row["value"])
        named = name_result(row)
        found.append(
            Finding(
                rule="ooe",
                severity="alert",
                subject=named,
                message=f"{named}: {value:g} was not expected ({low:.5g} to {high:.5g})",
                value=value,
                limit=float(low if value < low else high),
                time=time,
            )
        )
    return found


def _without_history(table: pd.DataFrame, keys: list[str], least: int) -> list[Finding]:
    rows = table[[*keys, "n_history"]].drop_duplicates().to_dict("records")
    return [
        Finding(
            rule="no_history",
            severity="info",
            subject=" / ".join(str(row[key]) for key in keys),
            message=f"{row['n_history']} earlier results are fewer than {least}: no range",
            value=float(row["n_history"]),
            limit=float(least),
        )
        for row in rows
    ]
