"""Staged tests as functions of mean and standard deviation: chances of passing."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import pandas as pd
from scipy import special

from pharmaq._checks import as_float, check_choice, check_finite, check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.results import Result

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = [
    "DissolutionTest",
    "PassProbability",
    "StagedTest",
    "UniformityTest",
    "pass_probability",
]

_LOW, _HIGH = 98.5, 101.5
# beyond so many standard errors a mean has a chance of 2e-17
_REACH = 8.5
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
# units simulated at a time
_CHUNK = 20_000


class StagedTest(Protocol):
    """What a staged test has to tell: a bound for each stage, and a decision on units."""

    @property
    def n_units(self) -> int:
        """Return the units of all stages."""
        ...

    @property
    def limited_above(self) -> bool:
        """Return whether a mean can be too high."""
        ...

    def stage_bounds(self, mean: Array, sd: Array) -> tuple[Array, ...]:
        """Return a lower bound of the chance that each stage is met."""
        ...

    def stages_met(self, units: Array) -> tuple[NDArray[np.bool_], ...]:
        """Return which rows of units meet each stage."""
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UniformityTest:
    """Uniformity of dosage units by content, USP <905> and Ph. Eur. 2.9.40.

    Parameters
    ----------
    target : float, default 100
        T, % of label claim.
    l1, l2 : float, default 15 and 25
        Limits of the acceptance value and of single units.
    """

    target: float = 100.0
    l1: float = 15.0
    l2: float = 25.0

    def __post_init__(self) -> None:
        check_real("target", self.target, above=0)
        check_real("l1", self.l1, above=0)
        check_real("l2", self.l2, above=0, below=100)

    @property
    def n_units(self) -> int:
        """Return the units of both stages."""
        return 30

    @property
    def limited_above(self) -> bool:
        """Return whether a mean can be too high."""
        return True

    def stage_bounds(self, mean: Array, sd: Array) -> tuple[Array, ...]:
        """Return P(AV of 10 <= L1), and the bound P(AV of 30 <= L1) + P(units) - 1.

        Units have to lie within the limits of every M that is possible.
        """
        low, high = (1 - 0.01 * self.l2) * self._top, (1 + 0.01 * self.l2) * _LOW
        inside = special.ndtr((high - mean) / sd) - special.ndtr((low - mean) / sd)
        second = self._within_l1(mean, sd, 30, 2.0) + np.maximum(inside, 0) ** 30 - 1
        return self._within_l1(mean, sd, 10, 2.4), np.maximum(second, 0)

    def stages_met(self, units: Array) -> tuple[NDArray[np.bool_], ...]:
        """Return which rows meet stage 1 with 10 units, and stage 2 with 30."""
        first, _ = self._acceptance(units[:, :10], 2.4)
        both, reference = self._acceptance(units, 2.0)
        away = np.abs(units - reference[:, None]).max(axis=1)
        return first <= self.l1, (both <= self.l1) & (away <= 0.01 * self.l2 * reference)

    @property
    def _top(self) -> float:
        return max(self.target, _HIGH)

    def _acceptance(self, units: Array, k: float) -> tuple[Array, Array]:
        mean = units.mean(axis=1)
        reference = np.clip(mean, _LOW, self._top)
        return np.abs(reference - mean) + k * units.std(axis=1, ddof=1), reference

    def _within_l1(self, mean: Array, sd: Array, n: int, k: float) -> Array:
        """Return P(AV <= L1): chi-square of s given the mean, over the mean."""
        error = sd / np.sqrt(n)
        total = np.zeros(np.broadcast(mean, sd).shape)
        edges = (_LOW - self.l1, _LOW, self._top, self._top + self.l1)
        for start, stop in itertools.pairwise(edges):
            low = np.clip(start, mean - _REACH * error, mean + _REACH * error)
            high = np.clip(stop, mean - _REACH * error, mean + _REACH * error)
            half = (high - low)[..., None] / 2
            at = low[..., None] + half * (1 + _NODES)
            room = np.maximum(self.l1 - np.abs(np.clip(at, _LOW, self._top) - at), 0)
            ratio = room / (k * sd[..., None])
            density = np.exp(-0.5 * ((at - mean[..., None]) / error[..., None]) ** 2)
            held = special.gammainc((n - 1) / 2, (n - 1) * ratio**2 / 2)
            total += (held * density * half * _WEIGHTS).sum(axis=-1)
        return np.minimum(total / (error * np.sqrt(2 * np.pi)), 1.0)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DissolutionTest:
    """Dissolution of immediate release at one time, USP <711> stages S1 to S3.

    Parameters
    ----------
    q : float
        Q, % of label claim.
    """

    q: float

    def __post_init__(self) -> None:
        check_real("q", self.q, above=0, below=200)

    @property
    def n_units(self) -> int:
        """Return the units of all three stages."""
        return 24

    @property
    def limited_above(self) -> bool:
        """Return whether a mean can be too high."""
        return False

    def stage_bounds(self, mean: Array, sd: Array) -> tuple[Array, ...]:
        """Return P(S1), and the bounds P(mean) + P(units) - 1 of S2 and S3."""
        above = (mean - self.q) / sd

        def share(margin: float) -> Array:
            return special.ndtr(above + margin / sd)

        good, far = share(15), share(25)
        low = np.maximum(far - good, 0)
        few = good**24 + 24 * good**23 * low + 276 * good**22 * low**2
        second = special.ndtr(above * np.sqrt(12)) + good**12 - 1
        third = special.ndtr(above * np.sqrt(24)) + few - 1
        return share(-5) ** 6, np.maximum(second, 0), np.maximum(third, 0)

    def stages_met(self, units: Array) -> tuple[NDArray[np.bool_], ...]:
        """Return which rows meet S1 with 6 units, S2 with 12, S3 with 24."""
        x = units - self.q
        first = x[:, :6].min(axis=1) >= 5
        second = (x[:, :12].mean(axis=1) >= 0) & (x[:, :12].min(axis=1) >= -15)
        third = (x.mean(axis=1) >= 0) & ((x < -15).sum(axis=1) <= 2) & (x.min(axis=1) >= -25)
        return first, second, third


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class PassProbability(Result):
    """Chance of passing a staged test, for known mean and standard deviation.

    Parameters
    ----------
    mean, sd : ndarray
        Parameters of the batch, % of label claim.
    probability : ndarray
        Chance of passing the test, or its lower bound.
    stages : tuple of ndarray
        Chance of meeting each stage by itself, or its lower bound.
    standard_error : ndarray
        Of a simulation; 0 of a bound.
    method : {"bound", "simulation"}
        How it was found.
    n_simulations : int
        Simulated tests; 0 for a bound.
    """

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    probability: NDArray[np.float64]
    stages: tuple[NDArray[np.float64], ...]
    standard_error: NDArray[np.float64]
    method: str
    n_simulations: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row a pair of mean and standard deviation."""
        table = {"mean": self.mean, "sd": self.sd}
        table |= {f"stage_{i + 1}": stage for i, stage in enumerate(self.stages)}
        table |= {"probability": self.probability, "standard_error": self.standard_error}
        return pd.DataFrame({name: np.ravel(values) for name, values in table.items()})

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the probability over the standard deviation, a line a mean.

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

        return plots.plot_pass_probability(self, ax=ax)


def pass_probability(
    mean: ArrayLike,
    sd: ArrayLike,
    test: StagedTest,
    *,
    method: Literal["bound", "simulation"] = "bound",
    n_simulations: int = 100_000,
    random_state: int | np.random.Generator | None = None,
) -> PassProbability:
    """Return the chance of passing a staged test if units are normal [1]_.

    Parameters
    ----------
    mean, sd : array-like
        Mean and standard deviation of the units of a batch; broadcast.
    test : UniformityTest or DissolutionTest
        The test.
    method : {"bound", "simulation"}, default "bound"
        A lower bound, computed without chance; or a simulation of the whole test.
    n_simulations : int, default 100000
        Simulated tests for each pair.
    random_state : int or numpy.random.Generator, optional
        Seed of the simulation.

    Returns
    -------
    PassProbability
        Probability, and that of each stage.

    Raises
    ------
    InputError
        If a standard deviation is not above 0.

    Notes
    -----
    The bound is the largest of the stages' bounds, each P(A and B) >= P(A) + P(B) - 1. That of
    stage 1 is exact: of units above Q + 5, or of AV by quadrature.

    References
    ----------
    .. [1] J. S. Bergum, H. Li, Pharm. Technol. 31 (10) (2007); ASTM E2709.

    Examples
    --------
    >>> found = pass_probability([100, 97], 5.0, UniformityTest())
    >>> found.stages[0].round(4).tolist()
    [0.8551, 0.7143]
    """
    check_choice("method", method, ("bound", "simulation"))
    m, s = _parameters(mean, sd)
    if method == "bound":
        stages = test.stage_bounds(m, s)
        probability = np.max(np.stack(stages), axis=0)
        error, n_simulations = np.zeros(m.shape), 0
    else:
        n_simulations = check_integer("n_simulations", n_simulations, least=100)
        rng = np.random.default_rng(random_state)
        pairs = zip(m.flat, s.flat, strict=True)
        met = [_simulate(test, a, b, n_simulations, rng) for a, b in pairs]
        shares = np.array(met).reshape(*m.shape, -1)
        stages = tuple(shares[..., i] for i in range(shares.shape[-1] - 1))
        probability = shares[..., -1]
        error = np.sqrt(probability * (1 - probability) / n_simulations)
    return PassProbability(
        mean=m,
        sd=s,
        probability=probability,
        stages=stages,
        standard_error=error,
        method=method,
        n_simulations=n_simulations,
    )


def _parameters(mean: ArrayLike, sd: ArrayLike) -> tuple[Array, Array]:
    a, b = as_float("mean", mean), as_float("sd", sd)
    check_finite("mean", a)
    check_finite("sd", b)
    if np.any(b <= 0):
        msg = f"sd must be above 0, got {b.min():g}"
        raise InputError(msg)
    try:
        m, s = np.broadcast_arrays(a, b)
    except ValueError as error:
        msg = f"mean and sd must fit together, got shapes {a.shape} and {b.shape}"
        raise InputError(msg) from error
    return m, s


def _simulate(
    test: StagedTest, mean: float, sd: float, n: int, rng: np.random.Generator
) -> list[float]:
    """Return the share that meets each stage, and the share that meets any."""
    counts: NDArray[np.int64] | None = None
    for start in range(0, n, _CHUNK):
        units = rng.normal(mean, sd, (min(_CHUNK, n - start), test.n_units))
        met = np.stack(test.stages_met(units))
        new = np.append(met.sum(axis=1), met.any(axis=0).sum())
        counts = new if counts is None else counts + new
    return [] if counts is None else (counts / n).tolist()
