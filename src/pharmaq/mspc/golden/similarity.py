"""How near batches are to a golden batch."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmaq.results import Finding, Result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pharmaq.mspc.golden._data import Aligned
    from pharmaq.mspc.golden.envelope import GoldenBatch

    Array = NDArray[np.float64]

__all__ = ["Similarity"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class Similarity(Result):
    """Batches held against the envelope of a golden batch.

    Parameters
    ----------
    batch : ndarray of shape (n,)
        Names.
    inside : ndarray of shape (n,)
        Share of the measured points inside the envelope.
    distance : ndarray of shape (n,)
        Root mean square of the deviations from the centre, in spreads; about 1 for a good
        batch.
    inside_by_variable, distance_by_variable : ndarray of shape (n, J)
        The same for each variable; NaN where a batch has no value of it.
    n_points : ndarray of shape (n,)
        Points that were measured where there is an envelope.
    n_left_out : ndarray of shape (n,)
        Points without a value, an envelope or a spread.
    values : ndarray of shape (n, K, J)
        The batches.
    golden : GoldenBatch
        What they were held against.
    findings : tuple of Finding
        Variables that are inside the envelope less often than in any of the golden batches.
    """

    batch: NDArray[Any]
    inside: Array
    distance: Array
    inside_by_variable: Array
    distance_by_variable: Array
    n_points: NDArray[np.intp]
    n_left_out: NDArray[np.intp]
    values: Array
    golden: GoldenBatch
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a row a batch, the most similar first."""
        table = pd.DataFrame(
            {
                "batch": self.batch,
                "inside": self.inside,
                "distance": self.distance,
                "points": self.n_points,
                "left_out": self.n_left_out,
            }
        )
        names = self.golden.variables_
        by_variable = pd.DataFrame(
            self.distance_by_variable, columns=[f"distance {name}" for name in names]
        )
        together = pd.concat([table, by_variable], axis=1)
        return together.sort_values("distance", kind="stable", ignore_index=True)

    def to_dict(self) -> dict[str, Any]:
        """Return the frame and findings as plain Python that `json` can write."""
        return {
            "method": self.golden.method,
            "coverage": self.golden.coverage,
            "batches": self.to_frame().to_dict("records"),
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def plot(self, *, batch: Any = None, variable: str | None = None, ax: Any = None) -> Any:
        """Draw the envelope of a variable with a batch in focus.

        Parameters
        ----------
        batch : object, optional
            Which; the least similar one by default.
        variable : str, optional
            Which; by default the one in which that batch is farthest away.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.mspc.golden import plots

        return plots.plot_similarity(self, batch=batch, variable=variable, ax=ax)


def score_batches(golden: GoldenBatch, data: Aligned) -> Similarity:
    """Return how near batches are to a fitted golden batch."""
    deviation = data.values - golden.center_
    spread = np.where(golden.spread_ > 0, golden.spread_, np.nan)
    scaled = deviation / spread
    known = ~np.isnan(scaled)
    within = (data.values >= golden.lower_) & (data.values <= golden.upper_) & known
    squares = np.where(known, scaled, 0.0) ** 2
    points = known.sum(axis=(1, 2))
    by_variable = known.sum(axis=1)
    inside = _share(within.sum(axis=1), by_variable)
    distance = np.sqrt(_share(squares.sum(axis=1), by_variable))
    n, K, J = data.values.shape
    return Similarity(
        batch=data.batch,
        inside=_share(within.sum(axis=(1, 2)), points),
        distance=np.sqrt(_share(squares.sum(axis=(1, 2)), points)),
        inside_by_variable=inside,
        distance_by_variable=distance,
        n_points=points,
        n_left_out=np.full(n, K * J) - points,
        values=data.values,
        golden=golden,
        findings=tuple(_findings(golden, data, inside, distance)),
    )


def _share(part: Any, whole: NDArray[np.intp]) -> Array:
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)


def _findings(
    golden: GoldenBatch, data: Aligned, inside: Array, distance: Array
) -> Iterator[Finding]:
    for b, j in np.argwhere(inside < golden.least_inside_):
        name, batch = data.variables[j], str(data.batch[b])
        yield Finding(
            rule="outside_envelope",
            severity="alert",
            subject=batch,
            value=float(inside[b, j]),
            limit=float(golden.least_inside_[j]),
            message=(
                f"{name} of batch {batch} is inside the envelope in "
                f"{100 * inside[b, j]:.0f} % of its points, less than any golden batch, and "
                f"{distance[b, j]:.2g} spreads from the centre on average"
            ),
        )
    for b, j in np.argwhere(np.isnan(inside)):
        name, batch = data.variables[j], str(data.batch[b])
        yield Finding(
            rule="no_values",
            severity="alert",
            subject=batch,
            message=f"batch {batch} has no value of {name} where there is an envelope",
        )
