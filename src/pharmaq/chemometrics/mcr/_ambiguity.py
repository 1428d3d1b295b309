"""How far non-negative factors are determined by the data: rotational ambiguity."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.spatial import ConvexHull, QhullError

from pharmaq.chemometrics._base import require_fitted
from pharmaq.chemometrics.mcr._constraints import ConcentrationConstraints, SpectrumConstraints
from pharmaq.errors import InputError
from pharmaq.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.chemometrics.mcr._estimator import MCRALS

__all__ = ["RotationalAmbiguity", "rotational_ambiguity"]

# more dimensions make a hull dearer than the constraints that it saves
MOST_HULL_COMPONENTS = 5
# what a solution may lie outside of, relative to the largest value of its profile
FEASIBLE = 1e-7


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class RotationalAmbiguity(Result):
    """Extreme non-negative solutions that fit data exactly as well as a resolved one.

    Parameters
    ----------
    contribution : ndarray of shape (n_components,)
        Relative signal of each component as resolved.
    lower, upper : ndarray of shape (n_components,)
        Smallest and largest relative signal found.
    lower_spectra, upper_spectra : ndarray of shape (n_components, n_points)
        Spectrum of each component where its signal is smallest and largest; largest value 1.
    lower_concentrations, upper_concentrations : ndarray of shape (n_samples, n_components)
        Concentrations that go with these spectra.
    axis : ndarray of shape (n_points,)
        Positions of the points; numbers from 0 for data without an axis.
    axis_kind : str
        Kind of the axis; ``"point"`` for data without one.
    labels : ndarray of shape (n_samples,)
        Label of each sample.
    label_name : str
        What the labels are.
    """

    contribution: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    lower_spectra: NDArray[np.float64]
    upper_spectra: NDArray[np.float64]
    lower_concentrations: NDArray[np.float64]
    upper_concentrations: NDArray[np.float64]
    axis: NDArray[np.float64]
    axis_kind: str
    labels: NDArray[Any]
    label_name: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row a component: signal as resolved, its bounds, and their distance."""
        return pd.DataFrame(
            {
                "component": np.arange(len(self.lower)),
                "contribution": self.contribution,
                "lower": self.lower,
                "upper": self.upper,
                "width": self.upper - self.lower,
            }
        )

    def plot(self, *, axes: Any = None) -> Any:
        """Draw the extreme spectra and concentrations; see `plots.plot_ambiguity`."""
        from pharmaq.chemometrics.mcr.plots import plot_ambiguity

        return plot_ambiguity(self, axes=axes)


def rotational_ambiguity(model: MCRALS, *, max_iter: int = 200) -> RotationalAmbiguity:
    """Find how far the profiles of a model could be others with the same fit [1]_ [2]_.

    Parameters
    ----------
    model : MCRALS
        A fitted model whose components are all non-negative in both factors.
    max_iter : int, default 200
        Largest number of iterations of each search.

    Returns
    -------
    RotationalAmbiguity
        Bounds of the relative signal of each component, and the profiles that reach them.

    Raises
    ------
    InputError
        If a component of the model may be negative.

    Notes
    -----
    Any T that keeps C T^-1 and T S non-negative gives factors with the same product, and so
    the same fit. For every component, the relative signal norm(c s) / norm(C S) (Frobenius) is
    made as small and as large as such T allow. Where both are the same, the data and
    non-negativity determine the component; where they differ, no number of iterations and no
    small lack of fit makes its profile the true one.

    Bounds are those of non-negativity. Closure, unimodality and known values, if the model
    has them, are not used; they can only narrow them. The search (sequential quadratic
    programming from several starts) finds local extremes: signals can vary at least as far as
    the bounds say. Points of zero in noisy spectra hold T tightly, as in every method of this
    kind: narrow bounds of noisy data tell of the noise, too.

    References
    ----------
    .. [1] P. J. Gemperline, Anal. Chem. 71 (1999) 5398-5404.
    .. [2] R. Tauler, J. Chemom. 15 (2001) 627-646.

    Examples
    --------
    >>> from pharmaq.chemometrics import MCRALS
    >>> pure = np.array([[4.0, 2.0, 0.0], [0.0, 1.0, 2.0]])
    >>> model = MCRALS(2).fit([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]] @ pure)
    >>> rotational_ambiguity(model).to_frame()["width"].round(6).tolist()
    [0.0, 0.0]
    """
    require_fitted(model)
    _require_nonnegative(model)
    search = _Search(model.concentrations_, model.spectra_, max_iter)
    found = search.extremes()
    lower = [search.profiles(turn, a) for a, (turn, _) in enumerate(found)]
    upper = [search.profiles(turn, a) for a, (_, turn) in enumerate(found)]
    resolved = model.profiles()
    count = model.n_components_
    return RotationalAmbiguity(
        contribution=np.array([search.signal(np.eye(count), a) for a in range(count)]),
        lower=np.array([search.signal(turn, a) for a, (turn, _) in enumerate(found)]),
        upper=np.array([search.signal(turn, a) for a, (_, turn) in enumerate(found)]),
        lower_spectra=np.array([spectrum for _, spectrum in lower]),
        upper_spectra=np.array([spectrum for _, spectrum in upper]),
        lower_concentrations=np.column_stack([amounts for amounts, _ in lower]),
        upper_concentrations=np.column_stack([amounts for amounts, _ in upper]),
        axis=resolved.axis,
        axis_kind=resolved.axis_kind,
        labels=resolved.labels,
        label_name=resolved.label_name,
    )


class _Search:
    """Feasible transformations T of a pair of factors; T has a diagonal of ones."""

    def __init__(
        self, concentrations: NDArray[np.float64], spectra: NDArray[np.float64], max_iter: int
    ) -> None:
        # signals do not depend on scale: concentrations and spectra of unit length
        self.c_size = np.linalg.norm(concentrations, axis=0)
        self.s_size = np.linalg.norm(spectra, axis=1)
        sizes = np.sqrt(self.c_size * self.s_size)
        self.C = concentrations / self.c_size * sizes
        self.S = spectra / self.s_size[:, None] * sizes[:, None]
        self.c_gram, self.s_gram = self.C.T @ self.C, self.S @ self.S.T
        self.whole = float(np.sqrt(np.sum(self.c_gram * self.s_gram)))
        self.c_rays, self.s_rays = _rays(self.C), _rays(self.S.T)
        self.k = len(spectra)
        self.off = np.nonzero(~np.eye(self.k, dtype=bool))
        self.max_iter = max_iter

    def extremes(self) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Return for each component the T with its smallest and its largest signal."""
        pool = [np.eye(self.k)]
        # what one component found is a start for all: a second round is for the first ones
        for _ in range(2):
            for a in range(self.k):
                for sign in (1.0, -1.0):
                    starts = [np.eye(self.k), self._best(pool, a, sign)]
                    pool += [
                        t for t in (self._optimum(s, a, sign) for s in starts) if self._fits(t)
                    ]
        return [(self._best(pool, a, 1.0), self._best(pool, a, -1.0)) for a in range(self.k)]

    def signal(self, turn: NDArray[np.float64], a: int) -> float:
        """Return the relative signal of component a after T."""
        c, s = np.linalg.inv(turn)[:, a], turn[a]
        return float(np.sqrt((c @ self.c_gram @ c) * (s @ self.s_gram @ s)) / self.whole)

    def profiles(
        self, turn: NDArray[np.float64], a: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return concentrations and spectrum, of largest value 1, of a component after T."""
        spectrum, amounts = turn[a] @ self.S, self.C @ np.linalg.inv(turn)[:, a]
        largest = spectrum.max()
        return amounts * largest, spectrum / largest

    def _best(
        self, pool: list[NDArray[np.float64]], a: int, sign: float
    ) -> NDArray[np.float64]:
        return min(pool, key=lambda turn: sign * self.signal(turn, a))

    def _optimum(self, first: NDArray[np.float64], a: int, sign: float) -> NDArray[np.float64]:
        room = {
            "type": "ineq",
            "fun": lambda x: self._room(self._turn(x)),
            "jac": lambda x: self._room_slope(self._turn(x)),
        }
        found: Any = minimize(  # type: ignore[call-overload]
            lambda x: sign * self.signal(self._turn(x), a),
            first[self.off],
            jac=lambda x: sign * self._slope(self._turn(x), a),
            constraints=[room],
            method="SLSQP",
            options={"maxiter": self.max_iter, "ftol": 1e-12},
        )
        return self._turn(found.x)

    def _turn(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        turn = np.eye(self.k)
        turn[self.off] = x
        return turn

    def _slope(self, turn: NDArray[np.float64], a: int) -> NDArray[np.float64]:
        inverse = np.linalg.inv(turn)
        c, s = inverse[:, a], turn[a]
        Gc, Gs = self.c_gram @ c, self.s_gram @ s
        # log of the signal: half the logs of both squares; d inv(T) = -inv(T) dT inv(T)
        out = -np.outer(Gc @ inverse, c) / (c @ Gc)
        out[a] += Gs / (s @ Gs)
        return out[self.off] * self.signal(turn, a)

    def _room(self, turn: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values that must not be negative, of extreme samples and points."""
        return np.concatenate(
            [(self.c_rays @ np.linalg.inv(turn)).ravel(), (self.s_rays @ turn.T).ravel()]
        )

    def _room_slope(self, turn: NDArray[np.float64]) -> NDArray[np.float64]:
        inverse = np.linalg.inv(turn)
        c = self.c_rays @ inverse
        eye = np.eye(self.k)
        c_part = -np.einsum("ni,jb->nbij", c, inverse)
        s_part = np.einsum("nj,ib->nbij", self.s_rays, eye)
        both = np.concatenate([c_part, s_part]).reshape(-1, self.k, self.k)
        return both[:, self.off[0], self.off[1]]

    def _fits(self, turn: NDArray[np.float64]) -> bool:
        if not np.isfinite(turn).all() or np.linalg.cond(turn) > 1 / FEASIBLE:
            return False
        amounts, spectra = self.C @ np.linalg.inv(turn), turn @ self.S
        least = min(
            float((amounts.min(axis=0) / amounts.max(axis=0)).min()),
            float((spectra.min(axis=1) / spectra.max(axis=1)).min()),
        )
        return bool(amounts.max(axis=0).min() > 0 and least >= -FEASIBLE)


def _rays(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rows, of sum 1, that all others are non-negative combinations of."""
    sums = rows.sum(axis=1)
    points = rows[sums > 0] / sums[sums > 0, None]
    k = points.shape[1]
    if k <= 2:
        return points[[points[:, 0].argmin(), points[:, 0].argmax()]]
    if k > MOST_HULL_COMPONENTS or len(points) <= k:
        return points
    try:
        return points[ConvexHull(points[:, 1:]).vertices]
    except QhullError:
        # points in a plane have no hull; all of them say the same
        return points


def _require_nonnegative(model: MCRALS) -> None:
    for given in (
        model.concentrations or ConcentrationConstraints(),
        model.spectra or SpectrumConstraints(),
    ):
        flag = given.nonnegative
        every = flag if isinstance(flag, bool) else len(set(flag)) == model.n_components_
        if not every:
            msg = (
                "rotational ambiguity is bounded by non-negativity, but a component of the "
                "model may be negative; fit it with all components nonnegative"
            )
            raise InputError(msg)
