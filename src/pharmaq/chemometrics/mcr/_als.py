"""Alternating least squares: one factor is solved while the other is held, in turn."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.linalg import svd
from scipy.optimize import linear_sum_assignment

from pharmaq.chemometrics.mcr._solve import Limits, require_nonzero, solve_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Normalization",
    "Problem",
    "Resolution",
    "lack_of_fit",
    "matched",
    "principal_part",
    "resolve",
]

Normalization = Literal["max", "area", "l2", "none"]

# percent of the data: below this, nothing is left to fit
EXACT = 1e-6


@dataclasses.dataclass(kw_only=True)
class Resolution:
    """Factors of the data, and the way there.

    Parameters
    ----------
    concentrations : ndarray of shape (n_samples, n_components)
        Solved for `spectra`.
    spectra : ndarray of shape (n_components, n_points)
        Normalised.
    history : list of float
        Lack of fit after each iteration, in percent.
    converged : bool
        Whether the last step was small enough.
    """

    concentrations: NDArray[np.float64]
    spectra: NDArray[np.float64]
    history: list[float] = dataclasses.field(default_factory=list)
    converged: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Problem:
    """Data with everything that their factors have to keep to.

    Parameters
    ----------
    data : ndarray of shape (n_samples, n_points)
        Spectra of mixtures.
    rows : Limits
        Of the concentrations.
    points : Limits
        Of the spectra.
    unimodal : ndarray of bool, shape (n_components,)
        Components with one peak along the samples.
    normalization : str
        Scale convention of the spectra.
    positions : ndarray of shape (n_points,)
        Axis over which areas are taken.
    """

    data: NDArray[np.float64]
    rows: Limits
    points: Limits
    unimodal: NDArray[np.bool_]
    normalization: Normalization
    positions: NDArray[np.float64]

    @property
    def spectrum_scaled(self) -> NDArray[np.bool_]:
        """Components whose known spectrum sets their scale."""
        return _anywhere(self.points.known, len(self.unimodal))

    @property
    def scaled_by(self) -> NDArray[np.str_]:
        """What sets the scale of each component."""
        names = np.full(len(self.unimodal), str(self.normalization), dtype="U20")
        if self.rows.closed is not None:
            names[self.rows.closed] = "closure"
        names[_anywhere(self.rows.known, len(names))] = "known concentrations"
        names[self.spectrum_scaled] = "known spectrum"
        return names

    def normalized(
        self, spectra: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bring spectra to their scale convention, where nothing else sets the scale.

        Parameters
        ----------
        spectra : ndarray of shape (n_components, n_points)
            Spectra of any scale.

        Returns
        -------
        spectra : ndarray
            Spectra divided by their sizes.
        sizes : ndarray of shape (n_components,)
            Divisors; 1 where something else sets the scale.
        """
        if self.normalization == "max":
            sizes = np.abs(spectra).max(axis=1)
        elif self.normalization == "area":
            sizes = np.abs(np.trapezoid(np.abs(spectra), self.positions, axis=1))
        else:
            sizes = np.linalg.norm(spectra, axis=1)
        free = (self.scaled_by == self.normalization) & (sizes > 0)
        sizes = np.where(free & (self.normalization != "none"), sizes, 1.0)
        return spectra / sizes[:, None], sizes


def resolve(
    problem: Problem, spectra: NDArray[np.float64], *, max_iter: int, tol: float
) -> Resolution:
    """Alternate from a first estimate of spectra until the lack of fit stands still.

    Parameters
    ----------
    problem : Problem
        Data and constraints.
    spectra : ndarray of shape (n_components, n_points)
        First estimate.
    max_iter : int
        Largest number of iterations.
    tol : float
        Relative change of the lack of fit that ends them.

    Returns
    -------
    Resolution
        Factors and history.
    """
    spectra = _with_known_spectra(spectra, problem.points)
    amounts = _first_concentrations(problem, spectra)
    state = Resolution(concentrations=amounts, spectra=spectra)
    for _ in range(max_iter):
        solved = solve_rows(state.concentrations.T, problem.data.T, problem.points).T
        state.spectra, sizes = problem.normalized(solved)
        state.concentrations = _concentrations(
            problem, state.spectra, state.concentrations * sizes
        )
        fit = lack_of_fit(problem.data, state.concentrations, state.spectra)
        last = state.history[-1] if state.history else np.inf
        state.history.append(fit)
        state.converged = bool(fit <= EXACT or abs(last - fit) <= tol * fit)
        if state.converged:
            break
    return state


def lack_of_fit(
    data: NDArray[np.float64], concentrations: NDArray[np.float64], spectra: NDArray[np.float64]
) -> float:
    """Return what a model leaves of data, in percent of their root sum of squares.

    Parameters
    ----------
    data : ndarray of shape (n_samples, n_points)
        Data, not all 0.
    concentrations, spectra : ndarray
        The model.

    Returns
    -------
    float
        100 sqrt(sum (d - c s)^2 / sum d^2).
    """
    return float(100 * np.linalg.norm(data - concentrations @ spectra) / np.linalg.norm(data))


def principal_part(
    data: NDArray[np.float64], n_components: int
) -> tuple[NDArray[np.float64], int]:
    """Return the best approximation of data by so many components, and the rank of data.

    Parameters
    ----------
    data : ndarray of shape (n_samples, n_points)
        Data; they are not centred.
    n_components : int
        Number of components.

    Returns
    -------
    approximation : ndarray of shape (n_samples, n_points)
        Truncated singular value decomposition.
    rank : int
        Number of singular values above rounding.
    """
    left, singular, right = svd(data, full_matrices=False)
    # the usual bound for the numerical rank, as in numpy.linalg.matrix_rank
    rank = int(np.sum(singular > singular[0] * max(data.shape) * np.finfo(float).eps))
    kept = slice(n_components)
    return (left[:, kept] * singular[kept]) @ right[kept], rank


def _with_known_spectra(spectra: NDArray[np.float64], points: Limits) -> NDArray[np.float64]:
    if points.known is None:
        return spectra
    return np.where(np.isnan(points.known.T), spectra, points.known.T)


def matched(
    spectra: NDArray[np.float64], concentrations: NDArray[np.float64], problem: Problem
) -> NDArray[np.intp]:
    """Return the order of first estimates that fits known spectra and concentrations best.

    Parameters
    ----------
    spectra, concentrations : ndarray
        First estimates, in an order of their own.
    problem : Problem
        Holds what is known, in the order of the user.

    Returns
    -------
    ndarray of int, shape (n_components,)
        Estimate for each component: the assignment with the largest sum of cosines between
        estimates and known values.
    """
    likeness = np.zeros((len(spectra), len(spectra)))
    for known, estimates in (
        (problem.points.known, spectra.T),
        (problem.rows.known, concentrations),
    ):
        if known is not None:
            likeness += _cosines(known, estimates)
    return np.asarray(linear_sum_assignment(-likeness)[1], dtype=np.intp)


def _cosines(known: NDArray[np.float64], estimates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return cosines of every known column with every estimate, over the known values."""
    there = ~np.isnan(known)
    values = np.where(there, known, 0.0)
    sizes = np.sqrt(there.T.astype(float) @ estimates**2)
    sizes *= np.linalg.norm(values, axis=0)[:, None]
    shared = values.T @ estimates
    # known zeros say where a component is not: the share of an estimate that lies elsewhere
    outside = 1 - (there.T.astype(float) @ estimates**2) / (estimates**2).sum(axis=0)
    return np.where(sizes > 0, shared / np.where(sizes > 0, sizes, 1.0), outside)


def _first_concentrations(
    problem: Problem, spectra: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return concentrations for a first estimate of spectra, on the scale that is known."""
    rows = problem.rows
    amounts = solve_rows(spectra, problem.data, Limits(nonnegative=rows.nonnegative))
    if rows.known is not None:
        amounts *= _scales_of_known(amounts, rows.known, ~problem.spectrum_scaled)
        amounts = np.where(np.isnan(rows.known), amounts, rows.known)
    members = problem.scaled_by == "closure"
    if members.any():
        amounts[:, members] *= _scales_of_closure(amounts, rows, members)
    return amounts


def _scales_of_known(
    amounts: NDArray[np.float64], known: NDArray[np.float64], movable: NDArray[np.bool_]
) -> NDArray[np.float64]:
    there = ~np.isnan(known)
    shared = np.sum(amounts * np.where(there, known, 0.0), axis=0)
    squares = np.sum(np.where(there, amounts, 0.0) ** 2, axis=0)
    scales = np.divide(shared, squares, out=np.ones_like(shared), where=squares > 0)
    return np.where(movable & (scales > 0), scales, 1.0)


def _scales_of_closure(
    amounts: NDArray[np.float64], rows: Limits, members: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return factors of the members for which the sums come nearest to the closure."""
    fixed = rows.closed & ~members if rows.closed is not None else ~members
    left = rows.total - amounts[:, fixed].sum(axis=1)
    inside = amounts[:, members]
    bounded = Limits(nonnegative=np.ones(inside.shape[1], dtype=bool))
    scales = solve_rows(np.ascontiguousarray(inside.T), left[None], bounded)[0]
    # a component that closure would switch off starts as large as the others make it
    return np.where(scales > 0, scales, rows.total / np.abs(inside).sum(axis=1).mean())


def _concentrations(
    problem: Problem, spectra: NDArray[np.float64], before: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the concentrations for spectra; unimodal ones are solved one after another."""
    if not problem.unimodal.any():
        return solve_rows(spectra, problem.data, problem.rows)
    require_nonzero(spectra)
    amounts = before.copy()
    gram, right = spectra @ spectra.T, problem.data @ spectra.T
    others = ~problem.unimodal
    for j in np.flatnonzero(problem.unimodal):
        rest = right[:, j] - amounts @ gram[j] + amounts[:, j] * gram[j, j]
        amounts[:, j] = _peak(rest / gram[j, j], problem.rows, int(j))
    if others.any():
        known = (
            np.full(amounts.shape, np.nan) if problem.rows.known is None else problem.rows.known
        )
        held = np.where(problem.unimodal, amounts, known)
        amounts = solve_rows(
            spectra, problem.data, dataclasses.replace(problem.rows, known=held)
        )
    return amounts


def _peak(target: NDArray[np.float64], rows: Limits, component: int) -> NDArray[np.float64]:
    """Return the unimodal profile nearest to the target, 0 where that is known."""
    from pharmaq.chemometrics.mcr import _kernels

    floor = 0.0 if rows.nonnegative[component] else -np.inf
    if rows.known is None or np.isnan(rows.known[:, component]).all():
        out = np.empty_like(target)
        _kernels.unimodal(target, floor, out)
        return out
    out = np.zeros_like(target)
    best = 0.0
    # one peak between known zeros: the stretch where it explains most
    free = np.flatnonzero(np.isnan(rows.known[:, component]))
    for stretch in np.split(free, np.flatnonzero(np.diff(free) > 1) + 1):
        if stretch.size:
            profile = np.empty(stretch.size)
            error = _kernels.unimodal(target[stretch], floor, profile)
            gain = float(np.sum(target[stretch] ** 2)) - error
            if gain > best:
                best, out = gain, np.zeros_like(target)
                out[stretch] = profile
    return out


def _anywhere(known: NDArray[np.float64] | None, count: int) -> NDArray[np.bool_]:
    """Return for which columns a value other than 0 is known: it fixes their scale."""
    if known is None:
        return np.zeros(count, dtype=bool)
    return (np.nan_to_num(known) != 0).any(axis=0)
