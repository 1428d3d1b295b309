"""Attribute gages: agreement of operators with themselves, each other and the standard."""

from __future__ import annotations

import dataclasses
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from pharmaq._checks import check_real
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc._columns import check_distinct, check_levels, take_codes
from pharmaq.spc.measurement.kappa import Kappa, cohen_kappa, fleiss_kappa

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["AttributeAgreement", "attribute_agreement"]

# AIAG, Measurement Systems Analysis: effectiveness, miss rate, false alarm rate; kappa
ACCEPTED = {"effectiveness": 0.90, "miss_rate": 0.02, "false_alarm_rate": 0.05}
REJECTED = {"effectiveness": 0.80, "miss_rate": 0.05, "false_alarm_rate": 0.10}
GOOD_KAPPA = 0.75

_KAPPA_COLUMNS = ["kappa", "standard_error", "lower", "upper", "p"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class AttributeAgreement(Result):
    """Agreement of ratings of the same parts.

    Parameters
    ----------
    within : DataFrame
        A row an operator: ``operator, parts, matched, share, lower, upper`` of parts that all
        trials rate the same, and Fleiss' ``kappa`` between trials; empty with one trial.
    between : DataFrame
        A row a pair of operators: Cohen's kappa, trial by trial.
    versus_standard : DataFrame
        A row an operator: parts that all trials rate as the standard does (effectiveness),
        Cohen's kappa, and with `reject` the ``miss_rate`` and ``false_alarm_rate``; empty
        without a standard.
    system : DataFrame
        The same share where all operators agree, and all agree with the standard.
    overall : Kappa
        Fleiss' kappa of all ratings.
    reject : object or None
        The rating that rejects a part.
    n_parts, n_operators, n_trials : int
        Size of the study.
    confidence : float
        Of all limits; shares have exact (Clopper-Pearson) limits.
    findings : tuple of Finding
        What falls short of the guideline values.
    """

    within: pd.DataFrame
    between: pd.DataFrame
    versus_standard: pd.DataFrame
    system: pd.DataFrame
    overall: Kappa
    reject: Any
    n_parts: int
    n_operators: int
    n_trials: int
    confidence: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return agreement with the standard, or between operators where there is none."""
        return (self.versus_standard if len(self.versus_standard) else self.between).copy()

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the share of parts rated alike, with limits, for each operator.

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

        return plots.plot_agreement(self, ax=ax)


def attribute_agreement(
    frame: pd.DataFrame,
    *,
    part: str = "part",
    operator: str = "operator",
    value: str = "value",
    standard: str | None = None,
    reject: Any = None,
    confidence: float = 0.95,
) -> AttributeAgreement:
    """Study how operators rate the same parts, with or without a standard [1]_.

    Parameters
    ----------
    frame : DataFrame
        One row a rating; every part the same number of times by every operator, trials in
        order. A missing rating raises.
    part, operator, value : str
        Names of the columns; ratings are labels of any kind.
    standard : str, optional
        Column with the true rating, one a part.
    reject : object, optional
        The label that rejects a part: then misses (reject by the standard, not by the operator)
        and false alarms are counted.
    confidence : float, default 0.95
        Of all limits.

    Returns
    -------
    AttributeAgreement
        Tables and kappas.

    Raises
    ------
    InputError
        If a column is missing, the study is unbalanced, or a part has two standards.

    Notes
    -----
    Kappas between operators and with the standard take every trial of every part as a subject,
    as the manual does; trials are not independent, so that their limits are somewhat narrow.
    The finding on kappa uses 0.75, those on effectiveness, misses and false alarms the
    manual's table (90 % / 80 %, 2 % / 5 %, 5 % / 10 %).

    References
    ----------
    .. [1] AIAG, Measurement Systems Analysis, Reference Manual, 4th ed., chapter III-C.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame(
    ...     {
    ...         "part": [1, 2, 3, 4] * 4,
    ...         "operator": ["A"] * 8 + ["B"] * 8,
    ...         "value": list("pppf") * 2 + list("pppf") + list("ppff"),
    ...     }
    ... )
    >>> result = attribute_agreement(frame)
    >>> result.within[["operator", "matched", "share"]]
      operator  matched  share
    0        A        4   1.00
    1        B        3   0.75
    """
    confidence = check_real("confidence", confidence, above=0, below=1)
    ratings, levels, operators, true = _read(frame, part, operator, value, standard)
    if reject is not None and (reject not in levels or true is None):
        msg = (
            f"reject must be one of the ratings {levels!r}, and needs standard; got {reject!r}"
        )
        raise InputError(msg)
    within = _within(ratings, operators, len(levels), confidence)
    between = _between(ratings, operators, confidence)
    bad = None if reject is None else levels.index(reject)
    versus = _versus(ratings, operators, true, bad, confidence)
    return AttributeAgreement(
        within=within,
        between=between,
        versus_standard=versus,
        system=_system(ratings, true, confidence),
        overall=fleiss_kappa(_counts(_flat(ratings), len(levels)), confidence=confidence),
        reject=reject,
        n_parts=ratings.shape[1],
        n_operators=len(operators),
        n_trials=ratings.shape[2],
        confidence=confidence,
        findings=tuple(_findings(between, versus)),
    )


def _read(
    frame: pd.DataFrame, part: str, operator: str, value: str, standard: str | None
) -> tuple[NDArray[np.intp], list[Any], list[Any], NDArray[np.intp] | None]:
    """Return codes of shape (operators, parts, trials), labels, operators, and the standard."""
    roles = {"part": part, "operator": operator, "value": value}
    check_distinct(**roles | ({} if standard is None else {"standard": standard}))
    part_codes, parts = take_codes(frame, part)
    operator_codes, operators = take_codes(frame, operator)
    codes, levels = take_codes(frame, value)
    check_levels("part", parts, least=2, why="agreement is over parts")
    table = np.zeros((len(operators), len(parts)), dtype=int)
    np.add.at(table, (operator_codes, part_codes), 1)
    if table.min() != table.max():
        i, j = np.unravel_index(int(table.argmin()), table.shape)
        msg = (
            f"every operator must rate every part the same number of times, but operator "
            f"{operators[i]!r} rated part {parts[j]!r} {table.min()} times, others up to "
            f"{table.max()}"
        )
        raise InputError(msg)
    if len(operators) == 1 and table[0, 0] == 1:
        msg = (
            f"operator {operators[0]!r} is alone with one trial: there is nothing to agree with"
        )
        raise InputError(msg)
    order = np.lexsort((part_codes, operator_codes))
    true = None
    if standard is not None:
        true, levels = _standard(frame, standard, part_codes, parts, levels)
    return codes[order].reshape(*table.shape, -1), levels, operators, true


def _standard(
    frame: pd.DataFrame,
    standard: str,
    part_codes: NDArray[np.intp],
    parts: list[Any],
    levels: list[Any],
) -> tuple[NDArray[np.intp], list[Any]]:
    codes, labels = take_codes(frame, standard)
    levels = levels + [label for label in labels if label not in levels]
    true = np.empty(len(parts), dtype=np.intp)
    for i in range(len(parts)):
        found = {labels[code] for code in codes[part_codes == i]}
        if len(found) > 1:
            msg = f"part {parts[i]!r} must have one standard, got {sorted(map(str, found))}"
            raise InputError(msg)
        true[i] = levels.index(found.pop())
    return true, levels


def _within(
    ratings: NDArray[np.intp], operators: list[Any], n_levels: int, confidence: float
) -> pd.DataFrame:
    if ratings.shape[2] == 1:
        return pd.DataFrame()
    rows = []
    for name, mine in zip(operators, ratings, strict=True):
        share = _share((mine == mine[:, :1]).all(axis=1), confidence)
        kappa = fleiss_kappa(_counts(mine, n_levels), confidence=confidence)
        rows.append({"operator": name} | share | {"kappa": kappa.kappa, "kappa_p": kappa.p})
    return pd.DataFrame(rows)


def _between(
    ratings: NDArray[np.intp], operators: list[Any], confidence: float
) -> pd.DataFrame:
    rows = []
    for i, j in combinations(range(len(operators)), 2):
        kappa = cohen_kappa(ratings[i].ravel(), ratings[j].ravel(), confidence=confidence)
        pair = {"operator": operators[i], "other": operators[j]}
        rows.append(pair | {name: getattr(kappa, name) for name in _KAPPA_COLUMNS})
    return pd.DataFrame(rows)


def _versus(
    ratings: NDArray[np.intp],
    operators: list[Any],
    true: NDArray[np.intp] | None,
    bad: int | None,
    confidence: float,
) -> pd.DataFrame:
    if true is None:
        return pd.DataFrame()
    rows = []
    for name, mine in zip(operators, ratings, strict=True):
        expected = np.repeat(true, mine.shape[1])
        kappa = cohen_kappa(mine.ravel(), expected, confidence=confidence)
        row = {"operator": name} | _share((mine == true[:, None]).all(axis=1), confidence)
        row |= {name: getattr(kappa, name) for name in _KAPPA_COLUMNS[:1]}
        row |= {"kappa_lower": kappa.lower, "kappa_upper": kappa.upper}
        if bad is not None:
            row |= _errors(mine.ravel() == bad, expected == bad)
        rows.append(row)
    return pd.DataFrame(rows)


def _errors(rejected: NDArray[np.bool_], bad: NDArray[np.bool_]) -> dict[str, float]:
    """Return shares of bad parts that passed and of good parts that did not."""
    with np.errstate(invalid="ignore"):
        miss = np.divide(np.sum(bad & ~rejected), np.sum(bad))
        alarm = np.divide(np.sum(~bad & rejected), np.sum(~bad))
    return {"miss_rate": float(miss), "false_alarm_rate": float(alarm)}


def _system(
    ratings: NDArray[np.intp], true: NDArray[np.intp] | None, confidence: float
) -> pd.DataFrame:
    flat = _flat(ratings)
    rows = [
        {"agreement": "all ratings"} | _share((flat == flat[:, :1]).all(axis=1), confidence)
    ]
    if true is not None:
        alike = (flat == true[:, None]).all(axis=1)
        rows.append({"agreement": "all ratings with standard"} | _share(alike, confidence))
    return pd.DataFrame(rows)


def _flat(ratings: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return all ratings of a part in one row."""
    return ratings.transpose(1, 0, 2).reshape(ratings.shape[1], -1)


def _counts(ratings: NDArray[np.intp], n_levels: int) -> NDArray[np.intp]:
    return (ratings[:, :, None] == np.arange(n_levels)).sum(axis=1)


def _share(matched: NDArray[np.bool_], confidence: float) -> dict[str, Any]:
    """Return a share with exact limits (Clopper and Pearson); one-sided tail at 0 and 1."""
    n, k = len(matched), int(matched.sum())
    tail = (1 - confidence) / 2
    low = float(stats.beta.ppf(tail, k, n - k + 1)) if k else 0.0
    high = float(stats.beta.isf(tail, k + 1, n - k)) if k < n else 1.0
    return {"parts": n, "matched": k, "share": k / n, "lower": low, "upper": high}


def _findings(between: pd.DataFrame, versus: pd.DataFrame) -> Iterator[Finding]:
    for row in between.to_dict("records"):
        if not row["kappa"] >= GOOD_KAPPA:
            yield _low_kappa(f"{row['operator']} and {row['other']}", row["kappa"])
    for row in versus.to_dict("records"):
        name = str(row["operator"])
        if not row["kappa"] >= GOOD_KAPPA:
            yield _low_kappa(f"{name} and the standard", row["kappa"])
        figures: Sequence[tuple[str, float]] = [("effectiveness", row["share"])]
        figures = [*figures, *((key, row[key]) for key in ACCEPTED if key in row)]
        for figure, value in figures:
            sign = -1 if figure == "effectiveness" else 1
            if sign * value > sign * ACCEPTED[figure]:
                rejected = sign * value > sign * REJECTED[figure]
                limit = (REJECTED if rejected else ACCEPTED)[figure]
                text = figure.replace("_", " ")
                yield Finding(
                    rule=f"attribute_{figure}",
                    severity="action" if rejected else "alert",
                    subject=name,
                    message=f"{text} of {name} is {value:.1%}, the guideline is {limit:.0%}",
                    value=float(value),
                    limit=limit,
                )


def _low_kappa(subject: str, kappa: float) -> Finding:
    text = "undefined: all ratings are the same" if np.isnan(kappa) else f"{kappa:.2f}"
    return Finding(
        rule="attribute_kappa",
        severity="info" if np.isnan(kappa) else "alert",
        subject=subject,
        message=f"kappa of {subject} is {text}",
        value=None if np.isnan(kappa) else float(kappa),
        limit=GOOD_KAPPA,
    )
