"""How sure is it that a batch passes? Bounds and acceptance limits of ASTM E2709 and E2810."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import special
from scipy.optimize import elementwise

from pharmaq._checks import check_choice, check_integer, check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.release.staged import StagedTest

    Array = NDArray[np.float64]

__all__ = ["AcceptanceLimits", "PassingBound", "acceptance_limits", "probability_of_passing"]

_SIDES = ("two", "one")
# smallest standard deviation that is looked at, % of label claim
_LEAST_SD = 1e-3
_GRID = 33


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class PassingBound(Result):
    """Lower bound of the chance that a further sample passes a staged test.

    Parameters
    ----------
    lower_bound : float
        With `confidence`, the chance of passing is at least this.
    estimate : float
        Bound at the mean and standard deviation of the sample.
    demonstrated : bool
        Whether the lower bound reaches `probability`.
    probability, confidence : float
        What was asked for.
    mean, sd : float
        Of the sample.
    n : int
        Units in the sample.
    sd_upper : float
        Upper limit of the standard deviation.
    mean_lower, mean_upper : float
        Limits of the mean at that standard deviation; the upper is infinite for one side.
    worst_mean, worst_sd : float
        Where in the region the bound is smallest.
    sides : {"two", "one"}
        Sides of the limits of the mean.
    test : object
        The test.
    findings : tuple of Finding
        That the probability was not demonstrated.
    """

    lower_bound: float
    estimate: float
    demonstrated: bool
    probability: float
    confidence: float
    mean: float
    sd: float
    n: int
    sd_upper: float
    mean_lower: float
    mean_upper: float
    worst_mean: float
    worst_sd: float
    sides: str
    test: StagedTest
    findings: tuple[Finding, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain Python that `json` can write; the test as text."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        fields["findings"] = [finding.to_dict() for finding in self.findings]
        fields["test"] = repr(self.test)
        fields["mean_upper"] = self.mean_upper if math.isfinite(self.mean_upper) else None
        return fields

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers as one row."""
        names = [f.name for f in dataclasses.fields(self) if f.name not in {"findings", "test"}]
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def plot(self, *, limits: AcceptanceLimits | None = None, ax: Any = None) -> Any:
        """Draw the confidence region of mean and standard deviation.

        Parameters
        ----------
        limits : AcceptanceLimits, optional
            Of the same test, to show which parameters are good enough.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.release import plots

        return plots.plot_passing_bound(self, limits, ax=ax)


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class AcceptanceLimits(Result):
    """Largest standard deviations of a sample that demonstrate a chance of passing.

    Parameters
    ----------
    means : ndarray
        Means of the sample, % of label claim.
    sd_limit : ndarray
        Largest standard deviation of the sample at each mean; NaN where there is none.
    sd_parameter : ndarray
        Largest standard deviation if mean and standard deviation were known.
    n : int
        Units in the sample.
    probability, confidence : float
        Chance of passing to demonstrate, and how surely.
    sides : {"two", "one"}
        Sides of the limits of the mean.
    test : object
        The test.
    """

    means: NDArray[np.float64]
    sd_limit: NDArray[np.float64]
    sd_parameter: NDArray[np.float64]
    n: int
    probability: float
    confidence: float
    sides: str
    test: StagedTest

    def to_frame(self, *, digits: int = 2) -> pd.DataFrame:
        """Return the table; limits are rounded down, so that they stay safe.

        Parameters
        ----------
        digits : int, default 2
            Decimals.

        Returns
        -------
        pandas.DataFrame
            Columns ``mean, sd_limit, rsd_limit``, the last in % of the mean.
        """
        step = 10.0**digits
        sd = np.floor(self.sd_limit * step) / step
        rsd = np.floor(100 * self.sd_limit / self.means * step) / step
        return pd.DataFrame({"mean": self.means, "sd_limit": sd, "rsd_limit": rsd})

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain Python that `json` can write; the test as text."""
        arrays = ("means", "sd_limit", "sd_parameter")
        found: dict[str, Any] = {
            name: [x if math.isfinite(x) else None for x in getattr(self, name).tolist()]
            for name in arrays
        }
        found |= {"n": self.n, "probability": self.probability, "confidence": self.confidence}
        return found | {"sides": self.sides, "test": repr(self.test)}

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the limits of the sample, and those of known parameters.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.release import plots

        return plots.plot_acceptance_limits(self, ax=ax)


def probability_of_passing(
    mean: float,
    sd: float,
    n: int,
    test: StagedTest,
    *,
    probability: float = 0.95,
    confidence: float = 0.95,
    sides: Literal["two", "one"] = "two",
) -> PassingBound:
    """Bound the chance that a further sample of the batch passes a staged test [1]_ [2]_.

    Parameters
    ----------
    mean, sd : float
        Mean and standard deviation (n - 1) of a sample of units, % of label claim.
    n : int
        Units in the sample, at least 3, each from another place of the batch.
    test : UniformityTest or DissolutionTest
        The test.
    probability : float, default 0.95
        Chance of passing to demonstrate.
    confidence : float, default 0.95
        How surely.
    sides : {"two", "one"}, default "two"
        Whether the mean is bounded on both sides, as the standard has it, or from below only,
        which is enough for dissolution and refused for uniformity.

    Returns
    -------
    PassingBound
        Lower bound, decision, and the region it rests on.

    Raises
    ------
    InputError
        If `sd` is not above 0, `n` below 3, or one side not enough.

    Notes
    -----
    The confidence region of mean mu and standard deviation sigma is {sigma <= U,
    abs(mu - mean) <= z sigma / sqrt(n)}: a triangle that stands on its tip (Lindgren). U and z
    each have the square root of the confidence. The bound is the smallest bound of
    `pass_probability` in it. It is about future samples of this batch under a normal
    distribution, and is no tolerance interval.

    References
    ----------
    .. [1] ASTM E2709 and E2810; J. S. Bergum, Drug Dev. Ind. Pharm. 16 (1990) 2153-2166.
    .. [2] J. S. Bergum, H. Li, Pharm. Technol. 31 (10) (2007).

    Examples
    --------
    >>> from pharmaq.spc.release import UniformityTest
    >>> found = probability_of_passing(99.1, 2.6, 30, UniformityTest())
    >>> print(found.demonstrated, f"{found.lower_bound:.3f}")
    True 1.000
    """
    mean, sd = check_real("mean", mean), check_real("sd", sd, above=0)
    n, z, inflation = _region(n, confidence, sides, test)
    probability = check_real("probability", probability, above=0, below=1)
    sd_upper = inflation * sd
    levels = sd_upper * np.linspace(0, 1, _GRID)
    levels[0] = min(_LEAST_SD, levels[1])
    legs = [mean - z * levels / math.sqrt(n)]
    if sides == "two":
        legs.append(mean + z * levels / math.sqrt(n))
    at, spread = np.concatenate(legs), np.tile(levels, len(legs))
    bounds = _bound(test, at, spread)
    worst = int(np.argmin(bounds))
    lower = float(bounds[worst])
    reach = z * sd_upper / math.sqrt(n)
    return PassingBound(
        lower_bound=lower,
        estimate=float(_bound(test, np.array([mean]), np.array([sd]))[0]),
        demonstrated=lower >= probability,
        probability=probability,
        confidence=float(confidence),
        mean=mean,
        sd=sd,
        n=n,
        sd_upper=sd_upper,
        mean_lower=mean - reach,
        mean_upper=mean + reach if sides == "two" else math.inf,
        worst_mean=float(at[worst]),
        worst_sd=float(spread[worst]),
        sides=sides,
        test=test,
        findings=() if lower >= probability else (_finding(lower, probability, confidence),),
    )


def acceptance_limits(
    n: int,
    test: StagedTest,
    *,
    means: ArrayLike | None = None,
    probability: float = 0.95,
    confidence: float = 0.95,
    sides: Literal["two", "one"] = "two",
) -> AcceptanceLimits:
    """Return the largest standard deviation of a sample that demonstrates a chance of passing.

    Parameters
    ----------
    n : int
        Units in the sample, at least 3.
    test : UniformityTest or DissolutionTest
        The test.
    means : array-like, optional
        Means of the sample, % of label claim; by default from 85.1 to 114.9 in steps of 0.1.
    probability : float, default 0.95
        Chance of passing to demonstrate.
    confidence : float, default 0.95
        How surely.
    sides : {"two", "one"}, default "two"
        See `probability_of_passing`.

    Returns
    -------
    AcceptanceLimits
        The table of ASTM E2810, or the same for another test.

    Raises
    ------
    InputError
        If `n` is below 3, a mean is not positive, or one side not enough.

    Notes
    -----
    Both upper corners of the region of `probability_of_passing` have to reach `probability`.
    That is enough for probabilities from 0.5 on, which are the only ones allowed: there the
    bound falls with the standard deviation and with the distance from the middle.

    Examples
    --------
    >>> from pharmaq.spc.release import UniformityTest
    >>> found = acceptance_limits(10, UniformityTest(), means=[97, 100], confidence=0.9)
    >>> found.to_frame()["sd_limit"].tolist()
    [2.63, 3.2]
    """
    n, z, inflation = _region(n, confidence, sides, test)
    probability = check_real("probability", probability, below=1)
    if probability < 0.5:
        msg = f"probability must be at least 0.5, got {probability:g}"
        raise InputError(msg)
    at = np.arange(851, 1150) / 10 if means is None else check_vector("means", means)
    if np.any(at <= 0):
        msg = f"means must be positive, got {at.min():g}"
        raise InputError(msg)
    slopes = (-z / math.sqrt(n), z / math.sqrt(n))[: 1 if sides == "one" else 2]
    return AcceptanceLimits(
        means=at,
        sd_limit=_largest_sd(test, at, slopes, probability) / inflation,
        sd_parameter=_largest_sd(test, at, (0.0,), probability),
        n=n,
        probability=probability,
        confidence=float(confidence),
        sides=sides,
        test=test,
    )


def _region(
    n: int, confidence: float, sides: str, test: StagedTest
) -> tuple[int, float, float]:
    """Return n, z of the mean, and the upper limit of the standard deviation over s."""
    check_choice("sides", sides, _SIDES)
    if sides == "one" and test.limited_above:
        msg = "sides='one' bounds the mean from below only, but this test also limits it above"
        raise InputError(msg)
    n = check_integer("n", n, least=3)
    each = math.sqrt(check_real("confidence", confidence, above=0, below=1))
    z = float(special.ndtri((1 + each) / 2 if sides == "two" else each))
    return n, z, math.sqrt((n - 1) / float(special.chdtri(n - 1, each)))


def _bound(test: StagedTest, mean: Array, sd: Array) -> Array:
    return np.max(np.stack(test.stage_bounds(mean, sd)), axis=0)


def _largest_sd(
    test: StagedTest, means: Array, slopes: tuple[float, ...], probability: float
) -> Array:
    """Return the largest sd at which the mean, moved by each slope times sd, is good enough."""

    def excess(sd: Array, mean: Array) -> Array:
        corners = [_bound(test, mean + slope * sd, sd) for slope in slopes]
        return np.min(np.stack(corners), axis=0) - probability

    least, most = np.full(means.shape, _LEAST_SD), np.full(means.shape, 100.0)
    possible = excess(least, means) > 0
    found = np.full(means.shape, np.nan)
    if possible.any():
        bracket = (least[possible], most[possible])
        found[possible] = elementwise.find_root(excess, bracket, args=(means[possible],)).x
    return found


def _finding(lower: float, probability: float, confidence: float) -> Finding:
    return Finding(
        rule="probability_of_passing",
        severity="alert",
        subject="batch",
        message=(
            f"a chance of passing of {probability:g} is not demonstrated: with "
            f"{100 * confidence:g} % confidence it is at least {lower:.3g}"
        ),
        value=lower,
        limit=probability,
    )
