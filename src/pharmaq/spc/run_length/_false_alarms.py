"""How often run rules signal on a process in control."""

from __future__ import annotations

import dataclasses
import inspect
from typing import TYPE_CHECKING, Literal

import numpy as np

from pharmaq._checks import check_choice, check_integer
from pharmaq.errors import InputError
from pharmaq.results import Result
from pharmaq.spc.run_length._automaton import (
    automaton_of_sides,
    is_exact,
    lines_between,
    sides_between,
    zone_probabilities,
)
from pharmaq.spc.run_length._chain import Chain
from pharmaq.spc.run_length._counts import Counts
from pharmaq.spc.run_length._shewhart import as_rules, simulate

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from pharmaq.spc.rules import RuleSet
    from pharmaq.spc.run_length._automaton import Sides
    from pharmaq.spc.run_length._counts import CountChart
    from pharmaq.spc.run_length._shewhart import Rules

__all__ = ["FalseAlarms", "false_alarms"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class FalseAlarms(Result):
    """How often a process in control signals.

    Parameters
    ----------
    per_point : float
        Share of points that signal in the long run, where counts go on after a signal.
    within : float
        Probability of at least one signal among the first `n_points`.
    n_points : int
        Number of points looked at.
    arl : float
        Average run length to the first false alarm.
    rules : str
        Name of the set.
    method : str
        ``"markov chain"`` or ``"simulation"``.
    standard_error : float
        Standard error of `within`; 0 where it was not simulated.
    """

    per_point: float
    within: float
    n_points: int
    arl: float
    rules: str
    method: str
    standard_error: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row."""
        import pandas as pd

        return pd.DataFrame([self._fields()])


def false_alarms(
    rules: Rules = "nelson",
    *,
    n_points: int = 25,
    n_simulations: int = 20_000,
    random_state: int | np.random.Generator | None = None,
    chart: Literal["shewhart"] | CountChart = "shewhart",
    **counts: float,
) -> FalseAlarms:
    """Return how often a set of run rules signals on independent points in control.

    Parameters
    ----------
    rules : float, str, Rule, RuleSet or sequence of Rule, default "nelson"
        As for `shewhart_run_length`.
    n_points : int, default 25
        Length of the series for the probability of at least one false alarm.
    n_simulations, random_state
        As for `shewhart_run_length`, for rules on trends and alternation.
    chart : {"shewhart", "p", "np", "c", "u"}, default "shewhart"
        ``"shewhart"``: normal points; a chart of counts: binomial or Poisson ones.
    **counts : float
        ``center``, ``n``, ``limit``, ``lower`` and ``upper`` of `count_run_length`.

    Returns
    -------
    FalseAlarms
        Probability a point, and within so many points.

    Examples
    --------
    >>> alarms = false_alarms("western electric", n_points=25)
    >>> round(alarms.per_point, 4), round(alarms.within, 3)
    (0.0165, 0.22)
    >>> few = false_alarms("western electric", chart="c", center=2.0)
    >>> round(few.per_point, 4), round(few.within, 3)
    (0.0127, 0.228)
    """
    check_choice("chart", chart, ("shewhart", "p", "np", "c", "u"))
    rule_set = as_rules(rules)
    check_integer("n_points", n_points, least=1)
    if chart != "shewhart":
        if isinstance(rules, int | float | np.number):
            msg = f"rules of a {chart} chart have names; use limit = {rules!r}"
            raise InputError(msg)
        points = _counted(chart, rule_set, counts)
        method, error = "markov chain", 0.0
        arl, quiet, rate = _exact(rule_set, *points, n_points)
    elif counts:
        msg = f'{sorted(counts)} go with chart = "p", "np", "c" or "u"'
        raise InputError(msg)
    elif all(is_exact(rule) for rule in rule_set):
        lines = lines_between(rule_set.rules)
        sides = sides_between(rule_set.rules, lines)
        method, error = "markov chain", 0.0
        p = zone_probabilities(lines, 0.0, 1.0)
        arl, quiet, rate = _exact(rule_set, sides, p, n_points)
    else:
        check_integer("n_simulations", n_simulations, least=100)
        generator = np.random.default_rng(random_state)
        runs = simulate(rule_set, (0.0, 1.0, 0.0), n_simulations, generator)
        quiet = float(np.mean(runs > n_points))
        rate = _simulated_rate(rule_set, n_simulations, generator)
        method, arl = "simulation", float(runs.mean())
        error = float(np.sqrt(quiet * (1 - quiet) / n_simulations))
    return FalseAlarms(
        per_point=rate,
        within=1 - quiet,
        n_points=n_points,
        arl=arl,
        rules=rule_set.name,
        method=method,
        standard_error=error,
    )


def _counted(
    chart: CountChart, rules: RuleSet, options: dict[str, float]
) -> tuple[Sides, NDArray[np.float64]]:
    """Return the sides that rules see on counts, and the probabilities of these zones."""
    try:
        inspect.signature(Counts.of).bind(chart, **options)
    except TypeError as error:
        msg = f"options of a {chart} chart are center, n, limit, lower and upper; {error}"
        raise InputError(msg) from None
    counts = Counts.of(chart, **options)
    sides, zone_of_count = counts.zones(rules)
    return sides, counts.probabilities(options["center"], zone_of_count)


def _exact(
    rules: RuleSet, sides: Sides, p: NDArray[np.float64], n_points: int
) -> tuple[float, float, float]:
    """Return run length, probability of no signal in so many points, and rate of signals."""
    machine = automaton_of_sides(rules.rules, sides, stops=True)
    chain = Chain(moves=machine.moves(p), start=np.eye(1, len(machine.following))[0])
    survivals = chain.survivals()
    quiet = [next(survivals) for _ in range(n_points + 1)][-1]
    rate = automaton_of_sides(rules.rules, sides, stops=False).signal_rate(p)
    return chain.mean(), quiet, rate


def _simulated_rate(
    rules: RuleSet, n_simulations: int, generator: np.random.Generator
) -> float:
    from pharmaq.spc.rules import mark_violations

    z = generator.standard_normal(100 * n_simulations)
    return float(np.mean(mark_violations(z, rules=rules) > 0))
