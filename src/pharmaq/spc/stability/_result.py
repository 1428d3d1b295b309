"""What an evaluation of stability data found."""

from __future__ import annotations

import dataclasses
import html
from typing import TYPE_CHECKING, Any

from pharmaq.results import Result

if TYPE_CHECKING:
    import pandas as pd

    from pharmaq.results import Finding
    from pharmaq.spc.stability.extrapolation import ExtrapolationLimit

__all__ = ["ShelfLife"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class ShelfLife(Result):
    """A shelf life and every step that led to it.

    Parameters
    ----------
    shelf_life : float
        Time at which the bound of the worst batch meets the limit, in the unit of the data's
        times; 0 if it is beyond it at the start, infinite if it never meets it.
    months : float
        The same, rounded down to whole ones.
    proposed : float
        The smaller of `months` and what may be extrapolated; `months` without such a limit.
    worst_batch : str
        Which batch decides; empty where all share one line.
    limiting : str
        ``"lsl"`` or ``"usl"``; empty if neither is met.
    model : {"common", "common_slope", "separate"}
        What the batches share.
    steps : tuple of str
        The decisions, in order.
    anova : DataFrame
        Source, df, ss, ms, f and p of time, batch and batch x time.
    lines : DataFrame
        A row a batch: intercept, slope, their standard errors, rmse, dof, crossing, limiting.
    alternatives : DataFrame
        Shelf life under each model and convention of the error variance.
    data : DataFrame
        The results used: batch, time, value.
    curves : DataFrame
        Line and bounds of each batch over time, on the scale of the results.
    lsl, usl : float or None
        Specification as given.
    confidence, pool_alpha, coverage : float
        Of the bound, of the tests, and of tolerance bounds.
    conventions : dict of str to str
        Words that were chosen: sides, mse, f_denominator, bound, transform, replicates,
        censored, limit.
    extrapolation : ExtrapolationLimit or None
        How far beyond the data one may go.
    n_censored, n_replicated : int
        Results that were below a limit of quantitation; times with several results of a batch.
    units : str
        Of the results.
    findings : tuple of Finding
        What a reader has to know.
    """

    shelf_life: float
    months: float
    proposed: float
    worst_batch: str
    limiting: str
    model: str
    steps: tuple[str, ...]
    anova: pd.DataFrame
    lines: pd.DataFrame
    alternatives: pd.DataFrame
    data: pd.DataFrame
    curves: pd.DataFrame
    lsl: float | None
    usl: float | None
    confidence: float
    pool_alpha: float
    coverage: float
    conventions: dict[str, str]
    extrapolation: ExtrapolationLimit | None
    n_censored: int
    n_replicated: int
    units: str
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a row a batch: line, standard errors, crossing."""
        return self.lines.copy()

    def plot(self, *, ax: Any = None) -> Any:
        """Draw results, lines, bounds, specification and shelf life.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.stability import plots

        return plots.plot_shelf_life(self, ax=ax)

    def _fields(self) -> dict[str, Any]:
        fields = Result._fields(self)
        return fields | {"anova": self.anova.reset_index()}

    def _repr_html_(self) -> str:
        steps = "".join(f"<li>{html.escape(step)}</li>" for step in self.steps)
        return (
            f"<p><b>Shelf life {self.shelf_life:.4g}, proposed {self.proposed:g}</b></p>"
            f"<ol>{steps}</ol>{self.anova.to_html()}{self.lines.to_html()}"
        )
