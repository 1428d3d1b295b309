"""First estimates for curve resolution: the purest variables, and evolving factors."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.linalg import svdvals
from sklearn.base import BaseEstimator

from pharmaq._checks import check_integer, check_real
from pharmaq.chemometrics._base import fit_matrix
from pharmaq.chemometrics.mcr._labels import sample_labels
from pharmaq.errors import InputError
from pharmaq.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "EvolvingFactors",
    "PurestVariables",
    "check_component_count",
    "evolving_factor_analysis",
    "simplisma",
]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class PurestVariables(Result):
    """Points of the axis where single components stand out, one a component.

    Parameters
    ----------
    variables : ndarray of int, shape (n_components,)
        Column numbers from 0, in order of selection.
    positions : ndarray of shape (n_components,)
        Their places on the axis; column numbers for data without one.
    purity : ndarray of shape (n_components, n_points)
        Purity of every point before each selection.
    concentrations : ndarray of shape (n_samples, n_components)
        Columns of the data at the selected points: a first estimate of concentrations.
    noise : float
        Share of the largest mean that damps the purity of weak points.
    axis : ndarray of shape (n_points,)
        Positions of all points.
    axis_kind : str
        Kind of the axis; ``"point"`` for data without one.
    """

    variables: NDArray[np.intp]
    positions: NDArray[np.float64]
    purity: NDArray[np.float64]
    concentrations: NDArray[np.float64]
    noise: float
    axis: NDArray[np.float64]
    axis_kind: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row a component: column number, position and purity of its variable."""
        order = np.arange(len(self.variables))
        return pd.DataFrame(
            {
                "component": order,
                "variable": self.variables,
                "position": self.positions,
                "purity": self.purity[order, self.variables],
            }
        )

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the purity of all points before each selection; see `plots.plot_purity`."""
        from pharmaq.chemometrics.mcr.plots import plot_purity

        return plot_purity(self, ax=ax)


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class EvolvingFactors(Result):
    """Eigenvalues of the first and of the last samples, as they grow in number.

    Parameters
    ----------
    forward : ndarray of shape (n_samples, n_factors)
        Row i: largest eigenvalues of X'X for samples 0 to i; NaN where there are fewer samples.
    backward : ndarray of shape (n_samples, n_factors)
        Row i: the same for samples i to the last.
    labels : ndarray of shape (n_samples,)
        Label of each sample.
    label_name : str
        What the labels are, such as ``"sample"`` or ``"time"``.
    """

    forward: NDArray[np.float64]
    backward: NDArray[np.float64]
    labels: NDArray[Any]
    label_name: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row a sample with columns ``forward1``, ..., ``backward1``, ..."""
        columns = {
            f"{name}{j + 1}": values[:, j]
            for name, values in (("forward", self.forward), ("backward", self.backward))
            for j in range(values.shape[1])
        }
        return pd.DataFrame(columns, index=pd.Index(self.labels, name=self.label_name))

    def windows(self, n_components: int) -> NDArray[np.float64]:
        """Return a first estimate of concentrations for components that go as they came.

        Parameters
        ----------
        n_components : int
            Number of components, at most the number of factors.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Component j appears with forward factor j and vanishes with backward factor
            n_components - 1 - j: the smaller of the two singular values.
        """
        count = check_integer("n_components", n_components, least=1, most=self.forward.shape[1])
        rise = np.nan_to_num(self.forward[:, :count])
        fall = np.nan_to_num(self.backward[:, :count])[:, ::-1]
        return np.sqrt(np.minimum(rise, fall))

    def plot(self, *, ax: Any = None) -> Any:
        """Draw both sets of curves; see `plots.plot_evolving_factors`."""
        from pharmaq.chemometrics.mcr.plots import plot_evolving_factors

        return plot_evolving_factors(self, ax=ax)


def simplisma(X: Any, n_components: int, *, noise: float = 0.1) -> PurestVariables:
    """Find the purest variables of mixtures, one a component [1]_.

    Parameters
    ----------
    X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
        Spectra of mixtures, at least two. Negative values are data like any other, but every
        mean must be above ``-noise`` times the largest mean; NaN raises.
    n_components : int
        Number of variables to find, at most the rank of `X`.
    noise : float, default 0.1
        Share of the largest mean, 0 to below 1, that is added where purity divides by a mean:
        the larger, the less weak and noisy points count. 0.01 to 0.15 is usual.

    Returns
    -------
    PurestVariables
        The variables, purity spectra, and the columns of `X` as first concentrations.

    Raises
    ------
    InputError
        If a mean is too negative, or `X` has not the rank for that many components.

    Notes
    -----
    With mean m_j and standard deviation s_j (divisor n) of point j and a = noise max(m), the
    purity is w_j s_j / (m_j + a). For the first variable w_j = (m_j^2 + s_j^2) / l_j^2 with
    l_j^2 = m_j^2 + (s_j + a)^2; for later ones w_j is the determinant of C = Y'Y / n over the
    variables found and j, with columns y_j = x_j / l_j, which is 0 for what the variables found
    explain. It is computed by orthogonalisation. Equal purities: the first point wins.

    References
    ----------
    .. [1] W. Windig, J. Guilment, Anal. Chem. 63 (1991) 1425-1432.

    Examples
    --------
    >>> X = [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
    >>> simplisma(X, 2, noise=0.0).variables
    array([0, 1])
    """
    holder = _Holder()
    values = fit_matrix(holder, X, least=2)
    count = check_component_count(n_components, *values.shape)
    share = check_real("noise", noise, below=1)
    if share < 0:
        msg = f"noise must lie in [0, 1), got {noise!r}"
        raise InputError(msg)
    purity, variables = _purest(values, count, share)
    named = holder.axis_ is not None
    axis = holder.axis_ if named else np.arange(values.shape[1], dtype=float)
    return PurestVariables(
        variables=variables,
        positions=axis[variables],
        purity=purity,
        concentrations=values[:, variables],
        noise=share,
        axis=axis,
        axis_kind=str(holder.axis_kind_) if named else "point",
    )


def evolving_factor_analysis(X: Any, *, n_factors: int | None = None) -> EvolvingFactors:
    """Follow the number of components from the first sample on and the last one back [1]_ [2]_.

    Parameters
    ----------
    X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
        Spectra of an evolving mixture in the order of time or elution, at least two; NaN
        raises.
    n_factors : int, optional
        Number of eigenvalues to keep; by default 10, or as many as there can be.

    Returns
    -------
    EvolvingFactors
        Forward and backward eigenvalues of every sample, of data that are not centred.

    Raises
    ------
    InputError
        If there cannot be that many factors.

    Notes
    -----
    An eigenvalue of X'X is a squared singular value of X. Singular values are taken of the
    triangular factor of X, once for each sample and direction, so that small ones keep their
    digits; the effort grows as the fourth power of the number of samples.

    References
    ----------
    .. [1] M. Maeder, Anal. Chem. 59 (1987) 527-530.
    .. [2] H. R. Keller, D. L. Massart, Chemom. Intell. Lab. Syst. 12 (1992) 209-224.

    Examples
    --------
    >>> factors = evolving_factor_analysis([[3.0, 0.0], [0.0, 4.0]])
    >>> factors.forward.round(6)
    array([[ 9., nan],
           [16.,  9.]])
    """
    values = fit_matrix(_Holder(), X, least=2)
    most = min(values.shape)
    count = min(10, most)
    if n_factors is not None:
        count = check_integer("n_factors", n_factors, least=1, most=most)
    labels, name = sample_labels(X, len(values))
    return EvolvingFactors(
        forward=_growing_eigenvalues(values, count),
        backward=_growing_eigenvalues(values[::-1], count)[::-1],
        labels=labels,
        label_name=name,
    )


class _Holder(BaseEstimator):
    """Takes the axis of spectra, as an estimator would."""


def check_component_count(n_components: Any, n_samples: int, n_points: int) -> int:
    """Return the number of components if that many samples and points can carry it.

    Parameters
    ----------
    n_components : int
        As the user gave it.
    n_samples, n_points : int
        Shape of the data.

    Returns
    -------
    int
        The number.
    """
    count = check_integer("n_components", n_components, least=1)
    if count > min(n_samples, n_points):
        msg = (
            f"n_components = {count} is too many for n_samples = {n_samples} and n_features = "
            f"{n_points}: there cannot be more components than either; lower n_components"
        )
        raise InputError(msg)
    return count


def _purest(
    values: NDArray[np.float64], count: int, noise: float
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    mean, spread = values.mean(axis=0), values.std(axis=0)
    offset = noise * mean.max()
    wrong = np.flatnonzero(mean + offset < 0)
    if wrong.size or mean.max() <= 0:
        worst = int(np.argmin(mean))
        msg = (
            f"Negative values in data: the mean of X at point {worst} is {mean[worst]:g}, and "
            f"purity needs means above -noise times the largest mean ({-offset:g}); take off "
            "the baseline, leave the point out, or give an initial estimate of your own"
        )
        raise InputError(msg)
    length = np.sqrt(mean**2 + (spread + offset) ** 2)
    # a point without signal or noise is not pure in anything
    length[length == 0] = np.inf
    ratio = np.divide(spread, mean + offset, out=np.zeros_like(mean), where=mean + offset > 0)
    left = values / length / np.sqrt(len(values))
    purity, variables = np.empty((count, len(mean))), np.empty(count, dtype=np.intp)
    # determinant of the variables found and one more: times its squared distance from them
    determinant = 1.0
    for a in range(count):
        squares = np.einsum("ij,ij->j", left, left)
        purity[a] = determinant * squares * ratio
        variables[a] = np.argmax(purity[a])
        distance = float(squares[variables[a]])
        if purity[a, variables[a]] <= 0 or distance <= len(mean) * np.finfo(float).eps ** 2:
            msg = (
                f"n_components = {count} is too many: only {a} variables of X differ in what "
                "they hold; lower n_components"
            )
            raise InputError(msg)
        direction = left[:, variables[a]] / np.sqrt(distance)
        # twice, for once leaves what rounding made of near-equal columns
        for _ in range(2):
            left = left - np.outer(direction, direction @ left)
        determinant *= distance
    return purity, variables


def _growing_eigenvalues(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return the largest squared singular values of the first 1, 2, ... rows."""
    # rows of L have the scalar products of the samples; the first i use i columns only
    lower = np.asarray(np.linalg.qr(values.T, mode="r")).T
    out = np.full((len(values), count), np.nan)
    for i in range(len(values)):
        singular = svdvals(lower[: i + 1, : i + 1])[:count]
        out[i, : len(singular)] = singular**2
    return out
