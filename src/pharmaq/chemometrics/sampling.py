"""Choice of samples that cover a population: Kennard-Stone, duplex and SPXY."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from pharmaq._checks import check_choice, check_integer
from pharmaq.chemometrics._base import check_response, fit_matrix
from pharmaq.chemometrics.pca import PCA
from pharmaq.errors import InputError
from pharmaq.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Metric", "SampleSelection", "SampleSplit", "duplex", "kennard_stone", "spxy"]

Metric = Literal["euclidean", "mahalanobis"]

# radii carry rounding errors: pairs this close to the bound are measured all the same
SLACK = 1e-9


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class SampleSelection(Result):
    """Samples chosen so that they cover all others.

    Parameters
    ----------
    selected : ndarray of int
        Row numbers from 0, in order of selection.
    remaining : ndarray of int
        The other row numbers, ascending.
    distance : ndarray of float, shape (n_selected,)
        Distance of each sample to the nearest one selected before it; that of the farthest
        pair for its two samples, NaN for a first sample without a partner.
    method, metric, start : str
        What was chosen by.
    n_components : int or None
        Principal components that distances were measured on; None for all points.
    """

    selected: NDArray[np.intp]
    remaining: NDArray[np.intp]
    distance: NDArray[np.float64]
    method: str
    metric: str
    n_components: int | None
    start: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row a selected sample, in order of selection."""
        order = np.arange(1, len(self.selected) + 1)
        return pd.DataFrame({"order": order, "row": self.selected, "distance": self.distance})

    def plot(self, *, ax: Any = None) -> Any:
        """Draw how far each sample was from those selected before it.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.chemometrics import plots

        return plots.plot_sample_selection(self, ax=ax)


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class SampleSplit(Result):
    """Two sets of samples that cover the same region.

    Parameters
    ----------
    calibration, test : ndarray of int
        Row numbers from 0, in order of selection.
    remaining : ndarray of int
        Rows in neither set, ascending.
    method, metric, n_components
        As in `SampleSelection`.
    """

    calibration: NDArray[np.intp]
    test: NDArray[np.intp]
    remaining: NDArray[np.intp]
    method: str
    metric: str
    n_components: int | None

    def to_frame(self) -> pd.DataFrame:
        """Return one row a sample in either set, with its order of selection there."""
        sets = {"calibration": self.calibration, "test": self.test}
        rows = [(name, i + 1, row) for name in sets for i, row in enumerate(sets[name])]
        return pd.DataFrame(rows, columns=["set", "order", "row"])


def kennard_stone(
    X: Any,
    n_samples: int,
    *,
    metric: Metric = "euclidean",
    n_components: int | None = None,
    start: Literal["farthest", "center"] = "farthest",
) -> SampleSelection:
    """Choose samples that spread evenly over all spectra [1]_.

    Parameters
    ----------
    X : array-like, DataFrame or DataArray, shape (n, n_points)
        Spectra, not all the same; NaN raises.
    n_samples : int
        Number of samples to choose, 2 to n.
    metric : {"euclidean", "mahalanobis"}, default "euclidean"
        ``"mahalanobis"`` divides every principal component score by its standard deviation.
    n_components : int, optional
        Measure distances on so many principal components of the centred spectra; on all points
        by default. Mahalanobis distances need it where there are fewer samples than points.
    start : {"farthest", "center"}, default "farthest"
        Begin with the two samples farthest apart, or with the one nearest to the mean.

    Returns
    -------
    SampleSelection
        Row numbers in order of selection, and the remaining ones.

    Raises
    ------
    InputError
        If all samples are the same, or if the distances have no meaning.

    Notes
    -----
    Each further sample is the one whose distance to the nearest sample selected before is the
    largest; of equal ones the first row. Which sample of the farthest pair comes first is
    arbitrary: here it is the later row, as in the R package prospectr. Memory grows with n,
    time with n times `n_samples`; the farthest pair is found without measuring all pairs.

    References
    ----------
    .. [1] R. W. Kennard, L. A. Stone, Technometrics 11 (1969) 137-148.

    Examples
    --------
    >>> kennard_stone([[0.0], [1.0], [5.0], [9.0], [10.0]], 3).selected
    array([4, 0, 2])
    """
    check_choice("start", start, ("farthest", "center"))
    space = _Space((_points(X, metric, n_components),), (1.0,))
    covering = _covering(space, n_samples, start)
    return SampleSelection(
        **covering, method="kennard_stone", metric=metric, n_components=n_components
    )


def spxy(
    X: Any,
    y: ArrayLike,
    n_samples: int,
    *,
    metric: Metric = "euclidean",
    n_components: int | None = None,
) -> SampleSelection:
    """Choose samples that spread evenly over spectra and reference values alike [1]_.

    Parameters
    ----------
    X : array-like, DataFrame or DataArray, shape (n, n_points)
        Spectra, as in `kennard_stone`.
    y : array-like, shape (n,) or (n, n_responses)
        Reference values, not constant; several are used as they are, unscaled. NaN raises.
    n_samples : int
        Number of samples to choose, 2 to n.
    metric, n_components
        Distance between two spectra, as in `kennard_stone`.

    Returns
    -------
    SampleSelection
        As from `kennard_stone`.

    Raises
    ------
    InputError
        If all spectra or all reference values are the same.

    Notes
    -----
    Kennard-Stone with the distance d(i, j) = d_x(i, j) / max d_x + d_y(i, j) / max d_y, where
    both maxima run over all pairs, so that X and y have the same weight.

    References
    ----------
    .. [1] R. K. H. Galvao, M. C. U. Araujo, G. E. Jose, M. J. C. Pontes, E. C. Silva,
       T. C. B. Saldanha, Talanta 67 (2005) 736-740.

    Examples
    --------
    >>> spxy([[0.0], [1.0], [2.0], [4.0]], [0.0, 3.0, 1.0, 2.0], 3).selected
    array([3, 0, 1])
    """
    points = _points(X, metric, n_components)
    response = check_response(y, len(points)).reshape(len(points), -1)
    parts = (points, response)
    widths = tuple(_farthest_pair(_Space((part,), (1.0,)))[1] for part in parts)
    covering = _covering(_Space(parts, widths), n_samples, "farthest")
    return SampleSelection(**covering, method="spxy", metric=metric, n_components=n_components)


def duplex(
    X: Any,
    n_samples: int,
    *,
    n_test: int | None = None,
    metric: Metric = "euclidean",
    n_components: int | None = None,
) -> SampleSplit:
    """Split samples into a calibration and a test set that cover the same region [1]_.

    Parameters
    ----------
    X : array-like, DataFrame or DataArray, shape (n, n_points)
        Spectra, not all the same; NaN raises.
    n_samples : int
        Number of calibration samples, at least 2.
    n_test : int, optional
        Number of test samples, at least 2; as many as calibration samples by default.
    metric, n_components
        Distance between two spectra, as in `kennard_stone`. The original standardises and
        rotates the variables first, which is ``"mahalanobis"``.

    Returns
    -------
    SampleSplit
        Row numbers of both sets in order of selection, and those in neither.

    Raises
    ------
    InputError
        If there are too few samples for both sets, or if all samples are the same.

    Notes
    -----
    The farthest pair goes to calibration, the farthest pair of the others to test. Then both
    sets take turns, each with the sample whose distance to the nearest one of its own set is
    the largest, until one is full; the other then goes on alone. Ties as in `kennard_stone`.

    References
    ----------
    .. [1] R. D. Snee, Technometrics 19 (1977) 415-428.

    Examples
    --------
    >>> split = duplex([[0.0], [1.0], [4.0], [6.0], [9.0], [10.0]], 3)
    >>> split.calibration, split.test
    (array([5, 0, 2]), array([4, 1, 3]))
    """
    space = _Space((_points(X, metric, n_components),), (1.0,))
    sizes = (n_samples, n_samples if n_test is None else n_test)
    check_integer("n_samples", n_samples, least=2, most=space.size - 2)
    check_integer("n_test", sizes[1], least=2, most=space.size - n_samples)
    calibration, test = _alternating(space, sizes)
    return SampleSplit(
        calibration=calibration,
        test=test,
        remaining=_others(space.size, [*calibration, *test]),
        method="duplex",
        metric=metric,
        n_components=n_components,
    )


@dataclasses.dataclass(frozen=True)
class _Space:
    """Samples whose distance is the sum of Euclidean distances in parts, each by its width."""

    parts: tuple[NDArray[np.float64], ...]
    widths: tuple[float, ...]

    @property
    def size(self) -> int:
        return len(self.parts[0])

    def take(self, rows: NDArray[np.intp]) -> _Space:
        return _Space(tuple(part[rows] for part in self.parts), self.widths)

    def distances(self, row: int) -> NDArray[np.float64]:
        """Return the distance of every sample to one of them."""
        return self._to([part[[row]] for part in self.parts])

    def radii(self) -> NDArray[np.float64]:
        """Return the distance of every sample to the mean."""
        return self._to([part.mean(axis=0)[None] for part in self.parts])

    def _to(self, targets: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        total = np.zeros(self.size)
        for part, target, width in zip(self.parts, targets, self.widths, strict=True):
            total += cdist(part, target)[:, 0] / width
        return total


def _points(X: Any, metric: str, n_components: int | None) -> NDArray[np.float64]:
    """Return coordinates whose Euclidean distance is the distance asked for."""
    check_choice("metric", metric, ("euclidean", "mahalanobis"))
    values = fit_matrix(PCA(), X, least=2)
    if not np.ptp(values, axis=0).any():
        msg = f"all {len(values)} samples of X are the same; there is nothing to choose by"
        raise InputError(msg)
    if metric == "euclidean" and n_components is None:
        return values
    count = _full_rank(values) if n_components is None else n_components
    model = PCA(count).fit(values)
    scales = np.sqrt(model.score_variances_) if metric == "mahalanobis" else 1.0
    return np.ascontiguousarray(model.x_scores_ / scales)


def _full_rank(values: NDArray[np.float64]) -> int:
    rank = int(np.linalg.matrix_rank(values - values.mean(axis=0)))
    if rank >= len(values) - 1:
        msg = (
            f"n_components is missing: on all {rank} components every two of the {len(values)} "
            "samples have the same Mahalanobis distance; give a smaller number"
        )
        raise InputError(msg)
    return rank


def _covering(space: _Space, n_samples: int, start: str) -> dict[str, Any]:
    """Return rows in order of selection, the others, and the distances of the former."""
    check_integer("n_samples", n_samples, least=2, most=space.size)
    if start == "center":
        selected, distance = [int(space.radii().argmin())], [np.nan]
    else:
        pair, width = _farthest_pair(space)
        selected, distance = list(pair), [width, width]
    nearest = _nearest(space, selected)
    while len(selected) < n_samples:
        row = int(nearest.argmax())
        selected.append(row)
        distance.append(float(nearest[row]))
        np.minimum(nearest, space.distances(row), out=nearest)
        nearest[row] = -1.0
    return {
        "selected": np.array(selected),
        "remaining": _others(space.size, selected),
        "distance": np.array(distance),
        "start": start,
    }


def _alternating(space: _Space, sizes: tuple[int, int]) -> list[NDArray[np.intp]]:
    first, _ = _farthest_pair(space)
    rest = _others(space.size, first)
    second, _ = _farthest_pair(space.take(rest))
    sets = [list(first), [int(rest[i]) for i in second]]
    nearest = [_nearest(space, rows) for rows in sets]
    for own, other in ((0, 1), (1, 0)):
        nearest[own][sets[other]] = -1.0
    while any(len(rows) < size for rows, size in zip(sets, sizes, strict=True)):
        for rows, size, near in zip(sets, sizes, nearest, strict=True):
            if len(rows) < size:
                row = int(near.argmax())
                rows.append(row)
                np.minimum(near, space.distances(row), out=near)
                for each in nearest:
                    each[row] = -1.0
    return [np.array(rows) for rows in sets]


def _nearest(space: _Space, rows: list[int]) -> NDArray[np.float64]:
    """Return the distance of every sample to the nearest of some, which get -1."""
    nearest = np.full(space.size, np.inf)
    for row in rows:
        np.minimum(nearest, space.distances(row), out=nearest)
    nearest[rows] = -1.0
    return nearest


def _farthest_pair(space: _Space) -> tuple[tuple[int, int], float]:
    """Return the two samples farthest apart, the later row first, and their distance.

    Two samples are no farther apart than the sum of their distances to the mean. From outside
    in, this soon leaves no pair that could still be the farthest.
    """
    radii = space.radii()
    order = np.argsort(-radii, kind="stable")
    sorted_space, radii = space.take(order), radii[order]
    width, pair = -1.0, (space.size, space.size)
    for i in range(space.size - 1):
        # radii descend, so that only the samples up to some place can be far enough
        stop = int(np.searchsorted(-radii, -(width * (1 - SLACK) - radii[i]), side="right"))
        if stop <= i + 1:
            break
        distances = sorted_space.take(np.arange(i, stop)).distances(0)[1:]
        farthest = float(distances.max())
        if farthest < width:
            continue
        ties = np.sort(order[i + 1 + np.flatnonzero(distances == farthest)])
        found = min((min(order[i], j), max(order[i], j)) for j in ties)
        pair = min(pair, found) if farthest == width else found
        width = farthest
    return (int(pair[1]), int(pair[0])), width


def _others(size: int, rows: Sequence[int]) -> NDArray[np.intp]:
    return np.setdiff1d(np.arange(size), rows)
