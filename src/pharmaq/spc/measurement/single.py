"""One gage on one reference: capability of the gage (type 1 study) and bias."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from pharmaq._checks import check_real, check_vector
from pharmaq.results import Finding, Result
from pharmaq.spc._columns import check_varies

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["GageBias", "GageType1", "gage_bias", "gage_type1"]

# the smallest index that supplier guidelines accept
LEAST_INDEX = 1.33


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class GageBias(Result):
    """Bias of repeated measurements of one reference, with its t-test.

    Parameters
    ----------
    n : int
        Number of measurements.
    reference, mean, sd : float
        Accepted value, mean and standard deviation (n - 1) of the measurements.
    bias, lower, upper : float
        Mean - reference, with confidence limits.
    t, p : float
        Two-sided t-test with n - 1 degrees of freedom.
    confidence : float
        Of the limits.
    findings : tuple of Finding
        A bias that the test tells from zero.
    """

    n: int
    reference: float
    mean: float
    sd: float
    bias: float
    lower: float
    upper: float
    t: float
    p: float
    confidence: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers as one row."""
        names = [f.name for f in dataclasses.fields(self) if f.name != "findings"]
        return pd.DataFrame([{name: getattr(self, name) for name in names}])


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class GageType1(Result):
    """Whether a gage is fit for a tolerance: Cg for spread, Cgk for spread and bias.

    Parameters
    ----------
    cg, cgk : float
        The indices.
    cg_lower, cg_upper : float
        Confidence limits of Cg, from chi-square with n - 1 degrees of freedom.
    percent_repeatability, percent_repeatability_bias : float
        The same as per cent of the tolerance: 100 share / Cg and 100 share / Cgk.
    bias : GageBias
        Bias and its test.
    values : ndarray of shape (n,)
        The measurements.
    tolerance, tolerance_share, study_multiplier, confidence : float
        As given.
    findings : tuple of Finding
        Indices below 1.33, and a bias.
    """

    cg: float
    cgk: float
    cg_lower: float
    cg_upper: float
    percent_repeatability: float
    percent_repeatability_bias: float
    bias: GageBias
    values: NDArray[np.float64]
    tolerance: float
    tolerance_share: float
    study_multiplier: float
    confidence: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the indices and the bias as one row."""
        names = ["cg", "cgk", "cg_lower", "cg_upper"]
        names += ["percent_repeatability", "percent_repeatability_bias"]
        row = {name: getattr(self, name) for name in names}
        return pd.concat([pd.DataFrame([row]), self.bias.to_frame()], axis=1)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the run of measurements with the reference and the allowed band.

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

        return plots.plot_type1(self, ax=ax)


def gage_bias(values: ArrayLike, *, reference: float, confidence: float = 0.95) -> GageBias:
    """Test the bias of repeated measurements of one reference [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        At least two measurements of the reference, not all equal; NaN raises.
    reference : float
        Accepted value, same unit.
    confidence : float, default 0.95
        Of the limits; the finding has the matching level.

    Returns
    -------
    GageBias
        Bias, limits, t and p.

    Raises
    ------
    InputError
        If there are too few values, or all are equal.

    Notes
    -----
    t = (mean - reference) sqrt(n) / s with n - 1 degrees of freedom. Tables of the reference
    manual take s from ranges, with fewer degrees of freedom: limits there are a little wider.

    References
    ----------
    .. [1] AIAG, Measurement Systems Analysis, Reference Manual, 4th ed., chapter III-B.

    Examples
    --------
    >>> result = gage_bias([5.8, 5.7, 5.9, 5.9, 6.0, 6.1, 6.0, 6.1], reference=6.0)
    >>> print(f"{result.bias:.4f}, p = {result.p:.3f}")
    -0.0625, p = 0.250
    """
    y = check_vector("values", values, least=2)
    check_varies("values", y)
    reference = check_real("reference", reference)
    confidence = check_real("confidence", confidence, above=0, below=1)
    n = len(y)
    # the differences first: a reference of many digits must not cost any
    deviations = y - reference
    bias, sd = float(deviations.mean()), float(deviations.std(ddof=1))
    error = sd / math.sqrt(n)
    half = float(stats.t.isf((1 - confidence) / 2, n - 1)) * error
    p = float(2 * stats.t.sf(abs(bias) / error, n - 1))
    found: tuple[Finding, ...] = ()
    if p < 1 - confidence:
        found = (
            Finding(
                rule="gage_bias",
                severity="alert",
                subject="gage",
                message=f"the bias {bias:.4g} differs from zero (t-test): adjust the gage",
                value=p,
                limit=1 - confidence,
            ),
        )
    return GageBias(
        n=n,
        reference=reference,
        mean=float(y.mean()),
        sd=sd,
        bias=bias,
        lower=bias - half,
        upper=bias + half,
        t=bias / error,
        p=p,
        confidence=confidence,
        findings=found,
    )


def gage_type1(
    values: ArrayLike,
    *,
    reference: float,
    tolerance: float,
    tolerance_share: float = 0.2,
    study_multiplier: float = 6.0,
    confidence: float = 0.95,
) -> GageType1:
    """Compare spread and bias of one gage on one reference with the tolerance [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        Measurements of the reference by one person, 25 to 50 as a rule; NaN raises.
    reference : float
        Accepted value, same unit.
    tolerance : float
        Width of the specification.
    tolerance_share : float, default 0.2
        Share of the tolerance that the gage may take.
    study_multiplier : float, default 6.0
        Standard deviations that count as the spread of the gage; guidelines use 6, 4 and 3.
    confidence : float, default 0.95
        Of the limits of bias and Cg.

    Returns
    -------
    GageType1
        Cg, Cgk, the per cent they stand for, the test of bias.

    Raises
    ------
    InputError
        If there are too few values, all are equal, or a number is out of range.

    Notes
    -----
    Cg = share tolerance / (multiplier s); Cgk = (share tolerance / 2 - abs(bias)) /
    (multiplier s / 2). Companies differ in share and multiplier: state both.

    References
    ----------
    .. [1] VDA Volume 5, Capability of Measurement Processes; ISO 22514-7.

    Examples
    --------
    >>> result = gage_type1([10.01, 9.99, 10.0, 10.02, 9.98], reference=10.0, tolerance=0.6)
    >>> print(f"{result.cg:.3f}, {result.cgk:.3f}")
    1.265, 1.265
    """
    bias = gage_bias(values, reference=reference, confidence=confidence)
    tolerance = check_real("tolerance", tolerance, above=0)
    share = check_real("tolerance_share", tolerance_share, above=0, below=1)
    multiplier = check_real("study_multiplier", study_multiplier, above=0)
    allowed, spread = share * tolerance, multiplier * bias.sd
    cg, cgk = allowed / spread, (allowed - 2 * abs(bias.bias)) / spread
    tails = [(1 - bias.confidence) / 2, (1 + bias.confidence) / 2]
    low, high = cg * np.sqrt(stats.chi2.ppf(tails, bias.n - 1) / (bias.n - 1))
    found = [
        Finding(
            rule=f"gage_{name}",
            severity="action",
            subject="gage",
            message=f"{label} {index:.2f} is below {LEAST_INDEX}: {text}",
            value=index,
            limit=LEAST_INDEX,
        )
        for name, label, index, text in (
            ("cg", "Cg", cg, "the gage scatters too much for this tolerance"),
            ("cgk", "Cgk", cgk, "spread and bias together are too large"),
        )
        if index < LEAST_INDEX
    ]
    return GageType1(
        cg=cg,
        cgk=cgk,
        cg_lower=float(low),
        cg_upper=float(high),
        percent_repeatability=100 * share / cg,
        percent_repeatability_bias=100 * share / cgk if cgk > 0 else math.inf,
        bias=bias,
        values=check_vector("values", values),
        tolerance=tolerance,
        tolerance_share=share,
        study_multiplier=multiplier,
        confidence=bias.confidence,
        findings=(*found, *bias.findings),
    )
