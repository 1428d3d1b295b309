"""Aligned batches, with what it took to align them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from pharmaq.results import Finding, Result

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from pharmaq.batches import Batches
    from pharmaq.mspc.alignment.aligner import BatchAligner

__all__ = ["Alignment"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class Alignment(Result):
    """Batches on one clock.

    Parameters
    ----------
    batches : Dataset, dims ("batch", "time")
        Aligned, as from `BatchAligner.transform`.
    method : str
        Method of the alignment.
    summary : DataFrame
        A row a batch: ``rows`` it had; points that are ``interpolated`` (or, warped, take a
        sample again), ``without_data`` and ``filled`` over gaps; rows ``beyond`` the grid,
        ``repaired`` in the indicator, ``empty`` of values to warp by, ``outside`` all phases;
        ``distance`` to the reference: the weighted sum along the path, with diagonal steps of
        weight 2 divided by the number of rows and points, summed over phases.
    raw : Batches
        As they were.
    aligner : BatchAligner
        The fitted aligner.
    findings : tuple of Finding
        Batches that start late, end early, were stretched or repaired.
    """

    batches: xr.Dataset
    method: str
    summary: pd.DataFrame
    raw: Batches
    aligner: BatchAligner
    findings: tuple[Finding, ...]

    @property
    def warping(self) -> xr.DataArray:
        """The time of each batch itself at each aligned time."""
        return self.batches["warping"]

    def to_frame(self) -> pd.DataFrame:
        """Return the summary."""
        return self.summary.copy()

    def to_dict(self) -> dict[str, Any]:
        """Return method, summary and findings as plain Python that `json` can write."""
        return {
            "method": self.method,
            "summary": self.summary.to_dict("records"),
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def plot(self, *, variable: str | None = None, batch: Any = None, ax: Any = None) -> Any:
        """Draw a variable of all batches before and after alignment.

        Parameters
        ----------
        variable : str, optional
            Which; the first by default.
        batch : object, optional
            A batch to be drawn in colour.
        ax : sequence of two matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        ndarray of matplotlib Axes
            Before and after.
        """
        from pharmaq.mspc.alignment import plots

        return plots.plot_alignment(self, variable=variable, batch=batch, ax=ax)

    def plot_warping(self, *, batch: Any = None, ax: Any = None) -> Any:
        """Draw the time of each batch over the aligned time.

        Parameters
        ----------
        batch : object, optional
            A batch to be drawn in colour.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.mspc.alignment import plots

        return plots.plot_warping(self, batch=batch, ax=ax)
