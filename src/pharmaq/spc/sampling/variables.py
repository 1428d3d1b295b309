"""Acceptance sampling by variables: mean and spread of a sample against a specification."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import optimize, special

from pharmaq._checks import check_choice, check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc.noncentral import noncentral_t

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["LotDecision", "VariablesPlan", "variables_plan"]

_POINTS = 121
_MOST_UNITS = 100_000


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class LotDecision(Result):
    """Decision on a lot by variables.

    Parameters
    ----------
    accepted : bool
        Whether the estimated fraction nonconforming is at most `limit`.
    fraction : float
        Estimated fraction nonconforming (minimum variance unbiased).
    fraction_below, fraction_above : float
        Its parts below `lsl` and above `usl`.
    limit : float
        Largest fraction that is accepted (M).
    mean, sd : float
        Of the sample; `sd` is sigma where that is known.
    lsl, usl : float or None
        Specification.
    findings : tuple of Finding
        That the lot is not accepted.
    """

    accepted: bool
    fraction: float
    fraction_below: float
    fraction_above: float
    limit: float
    mean: float
    sd: float
    lsl: float | None
    usl: float | None
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers as one row."""
        names = [f.name for f in dataclasses.fields(self) if f.name != "findings"]
        return pd.DataFrame([{name: getattr(self, name) for name in names}])


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class VariablesPlan(Result):
    """Sampling plan by variables, with its operating characteristic.

    Parameters
    ----------
    n : int
        Size of the sample.
    k : float
        Acceptability constant: accept if (usl - mean) / s, or (mean - lsl) / s, is at least k.
    max_fraction : float
        The same as a fraction nonconforming (M), which serves two limits.
    sigma : {"unknown", "known"}
        Whether the standard deviation is that of the sample.
    aql, ltpd, alpha, beta : float
        Risk points asked for.
    producer_risk, consumer_risk : float
        Risks the plan has.
    fractions, acceptance : ndarray
        Operating characteristic, for one limit.
    """

    n: int
    k: float
    max_fraction: float
    sigma: str
    aql: float
    ltpd: float
    alpha: float
    beta: float
    producer_risk: float
    consumer_risk: float
    fractions: NDArray[np.float64]
    acceptance: NDArray[np.float64]

    def chance(self, fractions: ArrayLike) -> NDArray[np.float64]:
        """Return the chance of acceptance, for one limit.

        Parameters
        ----------
        fractions : array-like
            Fractions nonconforming, between 0 and 1.

        Returns
        -------
        ndarray
            Chances.

        Raises
        ------
        InputError
            If a fraction is not between 0 and 1.
        """
        p = check_vector("fractions", np.atleast_1d(np.asarray(fractions)))
        if np.any((p <= 0) | (p >= 1)):
            msg = f"fractions must lie between 0 and 1, got {p.min():g} to {p.max():g}"
            raise InputError(msg)
        return np.array([_chance(self.n, self.k, x, self.sigma) for x in p])

    def decide(
        self,
        values: ArrayLike,
        *,
        lsl: float | None = None,
        usl: float | None = None,
        sigma: float | None = None,
    ) -> LotDecision:
        """Decide on a lot from the values of a sample.

        Parameters
        ----------
        values : array-like, shape (n,)
            Values of the sample; NaN raises.
        lsl, usl : float, optional
            Specification; at least one.
        sigma : float, optional
            Known standard deviation of the lot, for plans with known sigma.

        Returns
        -------
        LotDecision
            Decision with the estimated fraction nonconforming.

        Raises
        ------
        InputError
            If the sample has another size, there is no limit, or sigma is missing or not
            wanted.

        Notes
        -----
        With one limit this is the same as comparing with k. With Q = (usl - mean) / s, unknown
        sigma estimates the fraction by the beta distribution with both parameters n / 2 - 1 at
        1/2 - Q sqrt(n) / (2 (n - 1)), known sigma by the normal at -Q sqrt(n / (n - 1)).
        """
        x = check_vector("values", values)
        if x.size != self.n:
            msg = f"values must hold the {self.n} units of the plan, got {x.size}"
            raise InputError(msg)
        if lsl is None and usl is None:
            msg = "lsl or usl is needed"
            raise InputError(msg)
        if lsl is not None and usl is not None and lsl >= usl:
            msg = f"usl must be larger than lsl, got {usl:g} and {lsl:g}"
            raise InputError(msg)
        mean, sd = float(x.mean()), self._spread(x, sigma)
        below = 0.0 if lsl is None else _fraction((mean - lsl) / sd, self.n, self.sigma)
        above = 0.0 if usl is None else _fraction((usl - mean) / sd, self.n, self.sigma)
        good = below + above <= self.max_fraction
        return LotDecision(
            accepted=good,
            fraction=below + above,
            fraction_below=below,
            fraction_above=above,
            limit=self.max_fraction,
            mean=mean,
            sd=sd,
            lsl=lsl,
            usl=usl,
            findings=() if good else (_finding(below + above, self.max_fraction),),
        )

    def _spread(self, x: NDArray[np.float64], sigma: float | None) -> float:
        if (sigma is None) == (self.sigma == "known"):
            word = "needs sigma" if self.sigma == "known" else "estimates sigma: leave it out"
            msg = f"a plan with {self.sigma} sigma {word}"
            raise InputError(msg)
        if sigma is not None:
            return check_real("sigma", sigma, above=0)
        sd = float(x.std(ddof=1))
        if sd == 0:
            msg = f"values are all {x[0]:g}: there is no spread to judge by"
            raise InputError(msg)
        return sd

    def to_frame(self) -> pd.DataFrame:
        """Return the operating characteristic, a row a fraction."""
        return pd.DataFrame({"fraction": self.fractions, "acceptance": self.acceptance})

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the operating characteristic with both risk points.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.sampling import plots

        return plots.plot_variables_plan(self, ax=ax)


def variables_plan(
    aql: float,
    ltpd: float,
    *,
    alpha: float = 0.05,
    beta: float = 0.10,
    sigma: Literal["unknown", "known"] = "unknown",
) -> VariablesPlan:
    """Return the smallest sampling plan by variables that keeps both risks [1]_ [2]_.

    Parameters
    ----------
    aql, ltpd : float
        Fractions nonconforming to accept with 1 - alpha, and with beta at most.
    alpha, beta : float, default 0.05 and 0.10
        Producer's and consumer's risk.
    sigma : {"unknown", "known"}, default "unknown"
        Whether the standard deviation is estimated from the sample.

    Returns
    -------
    VariablesPlan
        The plan, with its curve and the risks that it has.

    Raises
    ------
    InputError
        If the risk points do not differ, or need more than 100 000 units.

    Notes
    -----
    Values are normal. P(accept) is the chance that a noncentral t with n - 1 degrees of freedom
    and noncentrality sqrt(n) z_p exceeds sqrt(n) k, or Phi(sqrt(n) (z_p - k)) with known sigma.
    k holds the producer's risk as it is; the consumer's is then at most what was asked for.

    References
    ----------
    .. [1] E. G. Schilling, D. V. Neubauer, Acceptance Sampling in Quality Control, 3rd ed.
    .. [2] ISO 3951-1; G. J. Lieberman, G. J. Resnikoff, J. Am. Stat. Assoc. 50 (1955) 457-516.

    Examples
    --------
    >>> plan = variables_plan(0.01, 0.05)
    >>> plan.n, round(plan.k, 4)
    (55, 1.9522)
    >>> variables_plan(0.01, 0.05, sigma="known").n
    19
    """
    check_choice("sigma", sigma, ("unknown", "known"))
    aql, ltpd = (
        check_real(name, x, above=0, below=0.5) for name, x in (("aql", aql), ("ltpd", ltpd))
    )
    if aql >= ltpd:
        msg = f"ltpd must be larger than aql, got {ltpd:g} and {aql:g}"
        raise InputError(msg)
    alpha = check_real("alpha", alpha, above=0, below=0.5)
    beta = check_real("beta", beta, above=0, below=0.5)
    n = _size(aql, ltpd, alpha, beta, sigma)
    k = _constant(n, aql, 1 - alpha, sigma)
    fractions = np.linspace(0, min(2.5 * ltpd, 0.99), _POINTS)
    chance = [1.0, *(_chance(n, k, x, sigma) for x in fractions[1:])]
    return VariablesPlan(
        n=n,
        k=k,
        max_fraction=_fraction(k, n, sigma),
        sigma=sigma,
        aql=aql,
        ltpd=ltpd,
        alpha=alpha,
        beta=beta,
        producer_risk=1 - _chance(n, k, aql, sigma),
        consumer_risk=_chance(n, k, ltpd, sigma),
        fractions=fractions,
        acceptance=np.array(chance),
    )


def _chance(n: int, k: float, fraction: float, sigma: str) -> float:
    """Return the chance of acceptance for one limit."""
    root, z = math.sqrt(n), -float(special.ndtri(fraction))
    if sigma == "known":
        return float(special.ndtr(root * (z - k)))
    return 1 - noncentral_t(root * k, n - 1, root * z)


def _constant(n: int, fraction: float, chance: float, sigma: str) -> float:
    """Return k that accepts a fraction with a chance."""
    root, z = math.sqrt(n), -float(special.ndtri(fraction))
    if sigma == "known":
        return z - float(special.ndtri(chance)) / root
    low, high = z - 40 / root, z + 40 / root
    found = optimize.brentq(
        lambda k: _chance(n, k, fraction, sigma) - chance, low, high, xtol=1e-11
    )
    return float(found)


def _size(aql: float, ltpd: float, alpha: float, beta: float, sigma: str) -> int:
    """Return the smallest n whose k for the producer also serves the consumer."""
    good, bad, z_alpha, z_beta = (-float(special.ndtri(x)) for x in (aql, ltpd, alpha, beta))
    exact = ((z_alpha + z_beta) / (good - bad)) ** 2
    if exact > _MOST_UNITS:
        msg = f"aql={aql:g} and ltpd={ltpd:g} are so close that {exact:.0f} units are needed"
        raise InputError(msg)
    if sigma == "known":
        return max(math.ceil(exact - 1e-9), 2)

    def keeps(n: int) -> bool:
        return _chance(n, _constant(n, aql, 1 - alpha, sigma), ltpd, sigma) <= beta

    low, high = 2, 4
    while not keeps(high):
        low, high = high + 1, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if keeps(middle) else (middle + 1, high)
    return max(high, 3)


def _fraction(q: float, n: int, sigma: str) -> float:
    """Return the unbiased estimate of a fraction beyond a limit q standard deviations away."""
    if sigma == "known":
        return float(special.ndtr(-q * math.sqrt(n / (n - 1))))
    at = 0.5 - 0.5 * q * math.sqrt(n) / (n - 1)
    return float(special.betainc(n / 2 - 1, n / 2 - 1, min(max(at, 0.0), 1.0)))


def _finding(fraction: float, limit: float) -> Finding:
    return Finding(
        rule="acceptance_sampling",
        severity="action",
        subject="lot",
        message=(
            f"the lot is not accepted: estimated fraction nonconforming {fraction:.3g}, at "
            f"most {limit:.3g}"
        ),
        value=fraction,
        limit=limit,
    )
