"""Outlier tests of USP <1010> in one call, and what they may and may not decide."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice, check_integer, check_real, check_vector
from pharmaq.results import Finding, Result
from pharmaq.spc.inference import OutlierTest, dixon, generalized_esd, grubbs, hampel

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["OutlierInvestigation", "investigate_outliers"]

Assay = Literal["chemical", "biological"]

_MOST_FOR_DIXON = 30
_RULES = {
    "chemical": (
        "An outlier test alone does not invalidate a chemical result: it stands unless the "
        "laboratory investigation finds an assignable cause (FDA 2022; USP <1010>)."
    ),
    "biological": (
        "An outlier test may set aside a value of a biological assay only where the procedure "
        "said so beforehand, and the value is reported (USP <111>, <1010>)."
    ),
}


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class OutlierInvestigation(Result):
    """What several outlier tests say of one set of results; none is left out.

    Parameters
    ----------
    tests : dict of str to OutlierTest
        Each test in full.
    table : DataFrame
        A row a test: ``method, statistic, critical, p, outliers`` (positions from 0),
        ``found``.
    not_made : dict of str to str
        Tests that could not be made, and why.
    suspects : ndarray of int
        Positions that any test calls outliers.
    with_all, without : dict of str to float
        ``n, mean, sd, rsd`` of all values, and of those that no test suspects: for the report
        of the investigation, not to replace the result.
    values : ndarray of shape (n,)
        The data.
    assay : {"chemical", "biological"}
        Kind of result.
    alpha : float
        Level of each test.
    rule : str
        What an outlier test may decide for that kind.
    findings : tuple of Finding
        Suspects, with the rule.
    """

    tests: dict[str, OutlierTest]
    table: pd.DataFrame
    not_made: dict[str, str]
    suspects: NDArray[np.intp]
    with_all: dict[str, float]
    without: dict[str, float]
    values: NDArray[np.float64]
    assay: str
    alpha: float
    rule: str
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a row a test."""
        return self.table.copy()

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the values in order, suspects marked.

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

        return plots.plot_investigation(self, ax=ax)


def investigate_outliers(
    values: ArrayLike,
    *,
    n_outliers: int = 2,
    alpha: float = 0.05,
    k: float = 3.0,
    assay: Assay = "chemical",
) -> OutlierInvestigation:
    """Make the outlier tests of USP <1010> on one set of results [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        At least five results, not all equal; NaN raises.
    n_outliers : int, default 2
        Most outliers that the generalised ESD procedure looks for.
    alpha : float, default 0.05
        Level of each test, both sides.
    k : float, default 3.0
        Factor of Hampel's rule.
    assay : {"chemical", "biological"}, default "chemical"
        Which rule applies to what an outlier test may decide [2]_.

    Returns
    -------
    OutlierInvestigation
        Grubbs, Dixon (up to 30 values), generalised ESD and Hampel, side by side; the rule;
        findings. Nothing is left out of the data.

    Raises
    ------
    InputError
        If there are too few values, or all are equal.

    Notes
    -----
    Tests are made on the values as given: their normality is an assumption. Several tests at
    `alpha` call more values outliers than one does; choose the test beforehand.

    References
    ----------
    .. [1] USP general chapter <1010> Analytical Data: Interpretation and Treatment.
    .. [2] FDA, Investigating Out-of-Specification (OOS) Test Results for Pharmaceutical
       Production, 2022, section IV.C.

    Examples
    --------
    >>> found = investigate_outliers([100.0, 100.1, 100.3, 100.0, 99.7, 99.9, 100.2, 95.7])
    >>> found.suspects
    array([7])
    >>> print(found.findings[0].message)
    value 95.7 at position 7 lies apart from the others (grubbs, dixon r11, generalized_esd,
    hampel). An outlier test alone does not invalidate a chemical result: it stands unless the
    laboratory investigation finds an assignable cause (FDA 2022; USP <1010>).
    """
    x = check_vector("values", values, least=5)
    most = check_integer("n_outliers", n_outliers, least=1, most=x.size - 3)
    alpha = check_real("alpha", alpha, above=0, below=1)
    check_choice("assay", assay, get_args(Assay))
    tests, not_made = _made(x, most, alpha, check_real("k", k, above=0))
    suspects = np.unique(np.concatenate([test.outliers for test in tests.values()]))
    suspects = suspects.astype(np.intp)
    return OutlierInvestigation(
        tests=tests,
        table=pd.DataFrame([_row(test) for test in tests.values()]),
        not_made=not_made,
        suspects=suspects,
        with_all=_summary(x),
        without=_summary(np.delete(x, suspects)),
        values=x,
        assay=assay,
        alpha=alpha,
        rule=_RULES[assay],
        findings=_findings(x, suspects, tests, _RULES[assay]),
    )


def _made(
    x: NDArray[np.float64], most: int, alpha: float, k: float
) -> tuple[dict[str, OutlierTest], dict[str, str]]:
    tests = {"grubbs": grubbs(x, alpha=alpha)}
    not_made = {}
    if x.size <= _MOST_FOR_DIXON:
        tests["dixon"] = dixon(x, alpha=alpha)
    else:
        not_made["dixon"] = f"{x.size} values are more than {_MOST_FOR_DIXON}"
    tests["generalized_esd"] = generalized_esd(x, n_outliers=most, alpha=alpha)
    if np.median(np.abs(x - np.median(x))) > 0:
        tests["hampel"] = hampel(x, k=k)
    else:
        not_made["hampel"] = "more than half of the values are equal"
    return tests, not_made


def _row(test: OutlierTest) -> dict[str, Any]:
    row: dict[str, Any] = {"method": test.method, "statistic": np.nan, "critical": np.nan}
    row["p"] = np.nan
    if len(test.table):
        # the step that decides, or the one that came nearest
        excess = test.table["statistic"] / test.table["critical"]
        at = int(excess.to_numpy().argmax())
        row |= {name: test.table[name].iloc[at] for name in ("statistic", "critical", "p")}
    row |= {"outliers": tuple(map(int, test.outliers)), "found": len(test.outliers) > 0}
    return row


def _summary(x: NDArray[np.float64]) -> dict[str, float]:
    sd = float(x.std(ddof=1)) if x.size > 1 else float("nan")
    mean = float(x.mean()) if x.size else float("nan")
    return {
        "n": x.size,
        "mean": mean,
        "sd": sd,
        "rsd": 100 * sd / abs(mean) if mean else np.nan,
    }


def _findings(
    x: NDArray[np.float64],
    suspects: NDArray[np.intp],
    tests: dict[str, OutlierTest],
    rule: str,
) -> tuple[Finding, ...]:
    found = []
    for i in suspects:
        by = ", ".join(test.method for test in tests.values() if i in test.outliers)
        found.append(
            Finding(
                rule="outlier",
                severity="alert",
                subject=f"value {i}",
                message=(
                    f"value {x[i]:g} at position {i} lies apart from the others ({by}). {rule}"
                ),
                value=float(x[i]),
            )
        )
    return tuple(found)
