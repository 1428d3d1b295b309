"""Run length of charts with run rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq._checks import check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.spc.rules import Rule, RuleSet, as_rule_set
from pharmaq.spc.rules._engine import rule_codes
from pharmaq.spc.run_length._automaton import (
    automaton,
    is_exact,
    lines_between,
    zone_probabilities,
)
from pharmaq.spc.run_length._chain import LEVELS, Chain
from pharmaq.spc.run_length._ewma import gauss_legendre, normal_density
from pharmaq.spc.run_length._result import RunLength, from_answers, from_chains

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Rules = float | str | Rule | RuleSet | Sequence[Rule]

__all__ = ["shewhart_run_length"]

_CHAMP_WOODALL = "C. W. Champ, W. H. Woodall, Technometrics 29 (1987) 393-399"
_SCHMID = "W. Schmid, Stat. Pap. 36 (1995) 111-130"

# a run this many times longer than the simulated ones before it is given up
_LONGEST = 10_000_000


def shewhart_run_length(
    *,
    rules: Rules = 3.0,
    shift: ArrayLike = 0.0,
    scale: float = 1.0,
    autocorrelation: float = 0.0,
    n_simulations: int = 20_000,
    random_state: int | np.random.Generator | None = None,
) -> RunLength:
    """Return the run length of a Shewhart chart with any set of run rules.

    Parameters
    ----------
    rules : float, str, Rule, RuleSet or sequence of Rule, default 3.0
        Control limits in standard deviations of the statistic, or rules as for
        `find_violations`.
    shift : float or array-like of shape (n_shifts,), default 0
        Shift of the mean from the first point on, in standard deviations of the statistic.
    scale : float, default 1
        True standard deviation over that of the limits.
    autocorrelation : float, default 0
        Lag-one autocorrelation of the points, in (-1, 1). `shift` and `scale` are those of the
        points themselves.
    n_simulations : int, default 20000
        Simulated runs, where there is no exact way.
    random_state : int or Generator, optional
        For the simulation; the same number gives the same runs.

    Returns
    -------
    RunLength
        ``method`` is ``"markov chain"``, and all digits count, for independent normal points
        and rules that ask in which zone a point lies; ``"integral equation"`` for control
        limits alone under autocorrelation. Trends, alternation, and other rules under
        autocorrelation are simulated; ``standard_error`` tells how well.

    Raises
    ------
    InputError
        If a parameter is out of its range, or runs do not end.

    Notes
    -----
    The rules are turned into the smallest finite automaton that signals where they do; its
    states are a Markov chain with the normal probabilities of the zones [1]_. For points of a
    window that are only partly beyond a line this holds up to windows of 10. Given the point
    before, an autocorrelated point is normal; its run length solves an integral equation [2]_.

    References
    ----------
    .. [1] C. W. Champ, W. H. Woodall, Technometrics 29 (1987) 393-399.
    .. [2] W. Schmid, Stat. Pap. 36 (1995) 111-130.

    Examples
    --------
    >>> shewhart_run_length(rules="western electric").arl
    91.75077...
    >>> shewhart_run_length(shift=[0, 1, 3]).arl.round(2)
    array([370.4 ,  43.89,   2.  ])
    """
    rule_set = as_rules(rules)
    check_real("scale", scale, above=0)
    check_real("autocorrelation", autocorrelation, above=-1, below=1)
    parameters: dict[str, Any] = {"rules": rule_set.name, "scale": scale}
    parameters["autocorrelation"] = autocorrelation
    if not autocorrelation and all(is_exact(rule) for rule in rule_set):
        machine = automaton(rule_set.rules, stops=True)
        lines = lines_between(rule_set.rules)
        start = np.zeros(len(machine.following))
        start[0] = 1
        return from_chains(
            lambda value: Chain(
                moves=machine.moves(zone_probabilities(lines, value, scale)), start=start
            ),
            shift,
            chart="shewhart",
            method="markov chain",
            size=len(start),
            parameters=parameters,
            source=_CHAMP_WOODALL,
        )
    if _is_limit_alone(rule_set):
        return _autocorrelated_limits(rule_set.rules[0].zone, shift, parameters)
    check_integer("n_simulations", n_simulations, least=100)
    generator = np.random.default_rng(random_state)

    def simulated(value: float) -> tuple[float, float, float, NDArray[np.float64]]:
        runs = simulate(rule_set, (value, scale, autocorrelation), n_simulations, generator)
        deviation = float(runs.std(ddof=1))
        spread = np.quantile(runs, LEVELS, method="inverted_cdf").astype(float)
        return float(runs.mean()), deviation, deviation / np.sqrt(len(runs)), spread

    return from_answers(
        simulated,
        shift,
        chart="shewhart",
        method="simulation",
        size=n_simulations,
        parameters=parameters,
        source="simulation of independent runs",
    )


def _is_limit_alone(rules: RuleSet) -> bool:
    rule = rules.rules[0]
    alone = len(rules.rules) == 1 and rule.window == 1 and rule.zone > 0
    return alone and rule.pattern in {"beyond", "outside"} and rule.sides == "either"


def _autocorrelated_limits(
    limit: float, shift: ArrayLike, parameters: dict[str, Any]
) -> RunLength:
    """Return the run length of two limits under autocorrelation, by the integral equation."""
    scale, correlation = parameters["scale"], parameters["autocorrelation"]
    noise = scale * np.sqrt(1 - correlation**2)
    n = max(24, 2 * int(np.ceil(1.7 * limit / noise + 8)))
    nodes, weights = gauss_legendre(n)
    points = limit * nodes

    def make(value: float) -> Chain:
        centers = value + correlation * (points - value)
        moves = np.zeros((n + 1, n + 1))
        moves[0, 1:] = normal_density((points - value) / scale) / scale
        moves[1:, 1:] = normal_density((points - centers[:, None]) / noise) / noise
        moves[:, 1:] *= limit * weights
        return Chain(moves=moves, start=np.eye(n + 1)[0])

    return from_chains(
        make,
        shift,
        chart="shewhart",
        method="integral equation",
        size=n,
        parameters=parameters,
        source=_SCHMID,
    )


def as_rules(rules: Rules) -> RuleSet:
    """Return a set of rules; a number is a limit."""
    if isinstance(rules, int | float | np.number):
        limit = check_real("rules", rules, above=0)
        single = Rule(name=f"limit {limit:g}", pattern="beyond", zone=limit, severity="action")
        return as_rule_set(single)
    return as_rule_set(rules)


def simulate(
    rules: RuleSet,
    point: tuple[float, float, float],
    n_simulations: int,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Return simulated run lengths of normal points with a shift, scale and autocorrelation."""
    from pharmaq.spc.run_length._kernels import simulate_run_lengths

    runs = np.empty(n_simulations, np.int64)
    # one run first: rules that hardly ever signal would never come to an end
    simulate_run_lengths(generator, *point, _LONGEST, *rule_codes(rules), runs[:1])
    if runs[0] < _LONGEST:
        simulate_run_lengths(generator, *point, _LONGEST, *rule_codes(rules), runs)
    if runs.max() >= _LONGEST or runs[0] >= _LONGEST:
        msg = f"rules {rules.name!r} do not signal within {_LONGEST} points; simulate them less"
        raise InputError(msg)
    return runs
