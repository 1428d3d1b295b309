"""Are two sites, methods or periods equal within a margin? Two one-sided tests."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from pharmaq._checks import check_choice, check_real, check_same_length, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["EquivalenceTest", "equivalence"]

_DESIGNS = ("welch", "pooled", "paired")


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class EquivalenceTest(Result):
    """Two one-sided tests (TOST) of two means.

    Parameters
    ----------
    scale : {"difference", "ratio"}
        What the margins are of: test - reference, or geometric mean test / reference.
    design : {"welch", "pooled", "paired"}
        How the standard error was found.
    estimate, lower, upper : float
        Difference or ratio with its 1 - 2 alpha limits.
    margin_lower, margin_upper : float
        The margins.
    t_lower, t_upper : float
        t against either margin.
    dof : float
        Degrees of freedom.
    p_lower, p_upper, p : float
        One-sided, and the larger of the two, which decides.
    equivalent : bool
        Whether p is below alpha: the limits lie within the margins.
    n_test, n_reference : int
        Numbers of values.
    alpha : float
        Level of each one-sided test.
    findings : tuple of Finding
        That equivalence was not shown.
    """

    scale: str
    design: str
    estimate: float
    lower: float
    upper: float
    margin_lower: float
    margin_upper: float
    t_lower: float
    t_upper: float
    dof: float
    p_lower: float
    p_upper: float
    p: float
    equivalent: bool
    n_test: int
    n_reference: int
    alpha: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers as one row."""
        names = [f.name for f in dataclasses.fields(self) if f.name != "findings"]
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the interval between the margins.

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

        return plots.plot_equivalence(self, ax=ax)


def equivalence(
    test: ArrayLike,
    reference: ArrayLike,
    *,
    margins: tuple[float, float],
    scale: Literal["difference", "ratio"] = "difference",
    design: Literal["welch", "pooled", "paired"] = "welch",
    alpha: float = 0.05,
) -> EquivalenceTest:
    """Show that two means are equal within margins, by two one-sided t-tests [1]_.

    Parameters
    ----------
    test, reference : array-like
        At least two values each; the same number, in the same order, for ``"paired"``. NaN
        raises.
    margins : tuple of float
        Lowest and highest difference (or ratio) that does not matter; fixed before the study.
    scale : {"difference", "ratio"}, default "difference"
        ``"ratio"`` works on logarithms: values and margins must be positive.
    design : {"welch", "pooled", "paired"}, default "welch"
        Independent values with or without equal spread, or pairs.
    alpha : float, default 0.05
        Level of each test; limits have 1 - 2 alpha, 90 % by default.

    Returns
    -------
    EquivalenceTest
        Estimate, limits, both tests, decision.

    Raises
    ------
    InputError
        If margins are out of order, a ratio meets a value of zero or below, numbers of pairs
        differ, or there is no variation.

    Notes
    -----
    t_lower = (estimate - margin_lower) / se, t_upper = (estimate - margin_upper) / se;
    equivalent if both p-values are below alpha, which is the same as 1 - 2 alpha limits inside
    the margins.

    References
    ----------
    .. [1] D. J. Schuirmann, J. Pharmacokinet. Biopharm. 15 (1987) 657-680.

    Examples
    --------
    >>> site_a = [99.1, 100.2, 99.8, 100.4, 99.6, 100.0]
    >>> site_b = [99.9, 100.5, 99.7, 100.3, 100.1, 100.2]
    >>> found = equivalence(site_a, site_b, margins=(-1.0, 1.0))
    >>> print(found.equivalent, f"p = {found.p:.4f}")
    True p = 0.0052
    """
    check_choice("scale", scale, ("difference", "ratio"))
    check_choice("design", design, _DESIGNS)
    alpha = check_real("alpha", alpha, above=0, below=0.5)
    low, high = (check_real(f"margins[{i}]", margins[i]) for i in (0, 1))
    if low >= high:
        msg = f"margins must rise from lower to upper, got {margins!r}"
        raise InputError(msg)
    a, b = check_vector("test", test, least=2), check_vector("reference", reference, least=2)
    if scale == "ratio":
        a, b = _logs("test", a), _logs("reference", b)
        low, high = _logs("margins", np.array([low, high]))
    estimate, error, dof = _contrast(a, b, design)
    t_low, t_high = (estimate - low) / error, (estimate - high) / error
    p_low, p_high = float(stats.t.sf(t_low, dof)), float(stats.t.cdf(t_high, dof))
    half = float(stats.t.isf(alpha, dof)) * error
    bounds = [estimate, estimate - half, estimate + half, low, high]
    if scale == "ratio":
        bounds = [math.exp(bound) for bound in bounds]
    p = max(p_low, p_high)
    return EquivalenceTest(
        scale=scale,
        design=design,
        estimate=bounds[0],
        lower=bounds[1],
        upper=bounds[2],
        margin_lower=float(margins[0]),
        margin_upper=float(margins[1]),
        t_lower=t_low,
        t_upper=t_high,
        dof=dof,
        p_lower=p_low,
        p_upper=p_high,
        p=p,
        equivalent=p < alpha,
        n_test=len(a),
        n_reference=len(b),
        alpha=alpha,
        findings=_findings(p, alpha, bounds, scale),
    )


def _logs(name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    bad = np.flatnonzero(values <= 0)
    if bad.size:
        i = int(bad[0])
        msg = f'scale="ratio" needs positive numbers, but {name}[{i}] is {values[i]:g}'
        raise InputError(msg)
    return np.log(values)


def _contrast(
    a: NDArray[np.float64], b: NDArray[np.float64], design: str
) -> tuple[float, float, float]:
    """Return difference of means, its standard error and degrees of freedom."""
    n1, n2 = len(a), len(b)
    if design == "paired":
        check_same_length(test=a, reference=b)
        d = a - b
        estimate, error, dof = float(d.mean()), float(d.std(ddof=1)) / math.sqrt(n1), n1 - 1.0
    else:
        v1, v2 = float(a.var(ddof=1)) / n1, float(b.var(ddof=1)) / n2
        estimate = float(a.mean() - b.mean())
        if design == "pooled":
            dof = n1 + n2 - 2.0
            pooled = (v1 * n1 * (n1 - 1) + v2 * n2 * (n2 - 1)) / dof
            error = math.sqrt(pooled * (1 / n1 + 1 / n2))
        else:
            error = math.sqrt(v1 + v2)
            # Welch and Satterthwaite
            squares = v1**2 / (n1 - 1) + v2**2 / (n2 - 1)
            dof = (v1 + v2) ** 2 / squares if squares > 0 else math.nan
    if error == 0:
        msg = "test and reference hold no variation that a test could be built on"
        raise InputError(msg)
    return estimate, error, dof


def _findings(p: float, alpha: float, bounds: list[float], scale: str) -> tuple[Finding, ...]:
    if p < alpha:
        return ()
    message = (
        f"equivalence is not shown: limits of the {scale} {bounds[1]:.4g} to {bounds[2]:.4g} "
        f"leave the margins {bounds[3]:.4g} to {bounds[4]:.4g}"
    )
    return (
        Finding(
            rule="equivalence",
            severity="action",
            subject=scale,
            message=message,
            value=p,
            limit=alpha,
        ),
    )
