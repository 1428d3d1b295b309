"""Numbers of batches that tolerance intervals of values in batches need."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.spc.intervals._batch_limits import chi2_at
from pharmaq.spc.intervals._factors import half_widths, normal_nodes
from pharmaq.spc.intervals._sizes import check_excess, smallest

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["batch_tolerance_sample_size"]

_LARGEST = 100_000
# between these normal scores of the variance of means its limit is taken as straight: the
# probability is right to 1e-5
_SCORES = np.linspace(0.0, 9.0, 500)[1:]


def batch_tolerance_sample_size(
    n: int,
    *,
    ratio: float,
    coverage: float,
    confidence: float,
    sides: Literal["two", "one"] = "two",
    excess: float | None = None,
    risk: float = 0.05,
) -> int:
    """Return the smallest number of batches that a tolerance interval of them all needs.

    Parameters
    ----------
    n : int
        Number of values of each batch, at least 2.
    ratio : float
        Variance between batches over the variance within them, above 0.
    coverage : float
        Share of the values of all batches between the limits, in (0, 1).
    confidence : float
        Of the interval, in (0.5, 1).
    sides : {"two", "one"}, default "two"
        Two limits or one.
    excess : float, optional
        In (0, 1 - coverage); by default half of 1 - coverage.
    risk : float, default 0.05
        Largest probability that the interval holds more than coverage + excess.

    Returns
    -------
    int
        Number of batches, from which on the interval of method ``"mls"`` of
        `batch_tolerance_interval` is not wider than it should be.

    Raises
    ------
    InputError
        If an argument is out of range, or more than a hundred thousand batches are needed.

    Notes
    -----
    The criterion is that of Faulkenberry and Daly [1]_ for independent values. The probability
    follows from the independent chi-squares of the variance of means and within batches and
    the normal mean of means, by quadrature.

    References
    ----------
    .. [1] G. D. Faulkenberry, J. C. Daly, Technometrics 12 (1970) 813-821.

    Examples
    --------
    >>> batch_tolerance_sample_size(3, ratio=1, coverage=0.9, confidence=0.95)
    100
    """
    n = check_integer("n", n, least=2)
    ratio = check_real("ratio", ratio, above=0)
    coverage = check_real("coverage", coverage, above=0, below=1)
    confidence = check_real("confidence", confidence, above=0.5, below=1)
    check_choice("sides", sides, ("two", "one"))
    more = coverage + check_excess(excess, 1 - coverage)
    risk = check_real("risk", risk, above=0, below=1)
    exceeds = _two_exceed if sides == "two" else _one_exceeds
    return smallest(
        2,
        lambda k: exceeds(k, n, ratio, (coverage, more), confidence) <= risk,
        most=_LARGEST,
        what="batches",
    )


def _two_exceed(
    k: int, n: int, ratio: float, contents: tuple[float, float], confidence: float
) -> float:
    """Return the probability that two limits hold more than the second content."""
    of_means, within = _variances(n, ratio)
    nodes, weights = normal_nodes()
    scores = np.concatenate([-_SCORES[::-1], _SCORES])
    squares = (1 + 1 / k) * of_means * np.sort(chi2_at(k - 1, _SCORES)) / (k - 1)
    rest = within * chi2_at(k * (n - 1), nodes) / (k * (n - 1))
    z = float(special.ndtri((1 + contents[0]) / 2))
    half = z * np.sqrt(_upper(squares[:, None], rest, k, n, confidence))
    # the half-width that holds the second content about each mean, and its weight
    radius, of_mean = half_widths(k / of_means, contents[1])
    held = [special.ndtr(-np.interp(radius, one, scores)) @ of_mean for one in half.T]
    return float(np.concatenate([weights, weights]) / 2 @ held)


def _one_exceeds(
    k: int, n: int, ratio: float, contents: tuple[float, float], confidence: float
) -> float:
    """Return the probability that one limit holds more than the second content."""
    of_means, within = _variances(n, ratio)
    nodes, weights = normal_nodes()
    both = np.concatenate([weights, weights]) / 2
    squares = (of_means * chi2_at(k - 1, nodes) / (k - 1))[:, None]
    rest = within * chi2_at(k * (n - 1), nodes) / (k * (n - 1))
    z, t = float(special.ndtri(contents[0])), float(special.stdtrit(k - 1, confidence))
    sd = np.sqrt(squares + rest)
    far = np.sqrt(_upper(squares, rest, k, n, confidence)) - sd
    half = z * sd + np.hypot(t * np.sqrt(squares / k), z * far)
    beyond = half - float(special.ndtri(contents[1]))
    return float(both @ special.ndtr(beyond / math.sqrt(of_means / k)) @ both)


def _variances(n: int, ratio: float) -> tuple[float, float]:
    """Return that of means and (1 - 1 / n) that within, where a value has variance one."""
    return (ratio + 1 / n) / (ratio + 1), (1 - 1 / n) / (ratio + 1)


def _upper(
    squares: NDArray[np.float64],
    rest: NDArray[np.float64],
    k: int,
    n: int,
    confidence: float,
) -> NDArray[np.float64]:
    """Return the modified large-sample upper limit of a sum of two variances."""
    far, near = (
        dof / float(special.chdtri(dof, confidence)) - 1 for dof in (k - 1, k * (n - 1))
    )
    return squares + rest + np.hypot(far * squares, near * rest)
