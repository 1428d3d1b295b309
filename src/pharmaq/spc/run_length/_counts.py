"""Run length of charts of proportions and counts: exact binomial and Poisson probabilities."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import numpy as np
from scipy import stats

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.spc.rules import as_rule_set
from pharmaq.spc.rules._charts import is_control_limit
from pharmaq.spc.run_length._automaton import automaton_of_sides, lines_between, side_of
from pharmaq.spc.run_length._chain import LEVELS, Chain
from pharmaq.spc.run_length._result import RunLength, from_answers, from_chains

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.rules import Rule, RuleSet
    from pharmaq.spc.run_length._automaton import Sides

__all__ = ["CountChart", "count_run_length"]

_MONTGOMERY = "D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley"
_CHAMP_WOODALL = "C. W. Champ, W. H. Woodall, Technometrics 29 (1987) 393-399"

CountChart = Literal["p", "np", "c", "u"]

# limits are compared with counts; a limit this near to a count is meant to be on it
_ON_LIMIT = 1e-9


def count_run_length(
    chart: CountChart,
    *,
    center: float,
    n: float = 1,
    value: ArrayLike | None = None,
    limit: float = 3.0,
    lower: float | None = None,
    upper: float | None = None,
    rules: str | Rule | RuleSet | Sequence[Rule] | None = None,
) -> RunLength:
    """Return the exact run length of a p, np, c or u chart.

    Parameters
    ----------
    chart : {"p", "np", "c", "u"}
        Proportion, number nonconforming, count, count a unit.
    center : float
        Proportion or mean count in control; for ``"np"`` the proportion too, for ``"u"`` a
        unit.
    n : int or float, default 1
        Sample size, or for ``"u"`` number of units; not for ``"c"``.
    value : float or array-like of shape (n_values,), optional
        True proportion or mean count, as `center`; `center` by default.
    limit : float, default 3
        Distance of limits from the center line in standard deviations, where `lower` and
        `upper` are not given.
    lower, upper : float, optional
        Limits of the plotted statistic; a point on a limit is no signal.
    rules : str, Rule, RuleSet or sequence of Rule, optional
        Run rules as for `find_violations`, in place of the limits alone. As on the charts, the
        rule of single points beyond 3 standard deviations uses the limits, and zones are in
        standard deviations of a binomial or Poisson count in control.

    Returns
    -------
    RunLength
        ``method="exact"``, with rules ``"markov chain"``: all digits too; infinite where no
        count is beyond a limit. ``shift`` holds the values.

    Raises
    ------
    InputError
        If a parameter is out of its range, or rules ask for trends or alternation.

    Notes
    -----
    P(signal) = 1 - P(lower <= D <= upper) with D binomial or Poisson; runs are geometric. Rules
    are an automaton as in `shewhart_run_length`, over the zones in which a count may lie, with
    lines that counts lie on as zones of their own.
    D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley.

    Examples
    --------
    >>> count_run_length("p", n=50, center=0.2, value=[0.2, 0.3]).arl.round(2)
    array([369.84,   7.11])
    >>> count_run_length("c", center=2.0, rules="western electric").arl
    93.226...
    """
    counts = Counts.of(chart, center=center, n=n, limit=limit, lower=lower, upper=upper)
    fields: dict[str, Any] = {
        "chart": chart,
        "parameters": {
            "center": center,
            "n": n,
            "lower": counts.low / counts.unit,
            "upper": counts.high / counts.unit,
        },
    }
    at = center if value is None else value
    if rules is None:
        return from_answers(
            lambda true: _geometric(counts.beyond(true)),
            at,
            method="exact",
            size=int(counts.size),
            source=_MONTGOMERY,
            **fields,
        )
    rule_set = as_rule_set(rules)
    sides, zone_of_count = counts.zones(rule_set)
    machine = automaton_of_sides(rule_set.rules, sides, stops=True)
    start = np.eye(1, len(machine.following))[0]
    fields["parameters"]["rules"] = rule_set.name
    return from_chains(
        lambda true: Chain(
            moves=machine.moves(counts.probabilities(true, zone_of_count)), start=start
        ),
        at,
        method="markov chain",
        size=len(start),
        source=_CHAMP_WOODALL,
        **fields,
    )


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Counts:
    """Points of a chart of proportions or counts, everything in counts.

    Parameters
    ----------
    binomial : bool
        Whether counts are binomial, or Poisson.
    size : float
        Sample size, or number of units.
    unit : float
        Counts in one unit of the plotted statistic.
    mean, sigma : float
        Of a count in control.
    low, high : float
        Limits.
    """

    binomial: bool
    size: float
    unit: float
    mean: float
    sigma: float
    low: float
    high: float

    @classmethod
    def of(
        cls,
        chart: CountChart,
        *,
        center: float,
        n: float = 1,
        limit: float = 3.0,
        lower: float | None = None,
        upper: float | None = None,
    ) -> Self:
        """Return checked counts."""
        check_choice("chart", chart, get_args(CountChart))
        binomial = chart in {"p", "np"}
        size = check_integer("n", n, least=1) if binomial else check_real("n", n, above=0)
        if chart == "c" and size != 1:
            msg = (
                f'n is for the other charts, got n = {n!r} for chart = "c"; "u" counts by unit'
            )
            raise InputError(msg)
        _check_value("center", center, binomial=binomial)
        check_real("limit", limit, above=0)
        unit = size if chart in {"p", "u"} else 1.0
        mean = center * size
        sigma = math.sqrt(mean * (1 - center if binomial else 1.0))
        low = max(mean - limit * sigma, 0.0)
        high = mean + limit * sigma
        low = low if lower is None else check_real("lower", lower) * unit
        high = high if upper is None else check_real("upper", upper) * unit
        if not low < high:
            msg = f"lower must be below upper, got {lower!r} and {upper!r}"
            raise InputError(msg)
        return cls(
            binomial=binomial, size=size, unit=unit, mean=mean, sigma=sigma, low=low, high=high
        )

    def law(self, value: float) -> Any:
        """Return the distribution of a count at a true proportion or mean count."""
        _check_value("value", value, binomial=self.binomial)
        if self.binomial:
            return stats.binom(self.size, value)
        return stats.poisson(self.size * value)

    def beyond(self, value: float) -> float:
        """Return the probability of a count beyond the limits."""
        law = self.law(value)
        below = law.cdf(math.ceil(self.low - _ON_LIMIT) - 1)
        return float(below + law.sf(math.floor(self.high + _ON_LIMIT)))

    def zones(self, rules: RuleSet) -> tuple[Sides, NDArray[np.intp]]:
        """Return the side each rule sees in each zone, and the zone of each count.

        The last count stands for all above it too.
        """
        lines = lines_between(rules.rules)
        top = math.ceil(max(self.high, self.mean + lines[-1] * self.sigma)) + 1
        counts = np.arange(max(top, 0) + 1.0)
        z = (counts - self.mean) / self.sigma
        for line in lines:
            z[np.abs(z - line) * self.sigma < _ON_LIMIT] = line
        # a zone is between two lines or on one, and so it is with the limits
        limits = np.array([self.low, self.high])
        places = [
            np.searchsorted(among, at, side)
            for among, at in (
                (lines, z),
                (limits - _ON_LIMIT, counts),
                (limits + _ON_LIMIT, counts),
            )
            for side in ("left", "right")
        ]
        _, first, zone = np.unique(
            np.array(places), axis=1, return_index=True, return_inverse=True
        )
        sides = tuple(tuple(self._sides(rule, counts[first], z[first])) for rule in rules)
        return sides, zone.ravel()

    def probabilities(self, value: float, zone: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the probability of each zone at a true proportion or mean count."""
        law = self.law(value)
        p = law.pmf(np.arange(len(zone)))
        p[-1] = law.sf(len(zone) - 2)
        return np.asarray(np.bincount(zone, weights=p), dtype=np.float64)

    def _sides(
        self, rule: Rule, counts: NDArray[np.float64], z: NDArray[np.float64]
    ) -> list[int]:
        if not is_control_limit(rule):
            return [side_of(rule, float(value)) for value in z]
        on = -_ON_LIMIT if rule.on_line == "counts" else _ON_LIMIT
        up = (counts > self.high + on) & (rule.sides != "below")
        down = (counts < self.low - on) & (rule.sides != "above")
        return (up.astype(int) - down.astype(int)).tolist()


def _geometric(p: float) -> tuple[float, float, float, NDArray[np.float64]]:
    """Return mean, standard deviation, no error, and quantiles of a geometric run length."""
    if p == 0:
        return math.inf, math.inf, 0.0, np.full(len(LEVELS), math.inf)
    if p == 1:
        return 1.0, 0.0, 0.0, np.ones(len(LEVELS))
    points = np.ceil(np.log1p(-np.array(LEVELS)) / math.log1p(-p))
    return 1 / p, math.sqrt(1 - p) / p, 0.0, np.maximum(points, 1.0)


def _check_value(name: str, value: float, *, binomial: bool) -> None:
    check_real(name, value, above=0, below=1 if binomial else None)
