"""What a batch monitor says about whole batches."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from pharmaq._checks import check_choice, check_integer
from pharmaq.chemometrics import t2_limit
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.mspc.batch.limits import BatchLimits

__all__ = ["BatchScores"]

STATISTICS = ("t2", "spe", "spe_cumulative", "spe_hindsight")


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class BatchScores(Result):
    """Batches against the model of good batches, over time and at their end.

    Parameters
    ----------
    batch : ndarray of shape (n,)
        Names of the batches.
    time : ndarray of shape (K,)
        Aligned times.
    variables, units : tuple of str
        The J process variables and their units.
    phase : ndarray of shape (K,)
        Model that each time belongs to; ``"whole"`` where there is one.
    scores : ndarray of shape (n, K, A)
        Scores with what was known at each time; NaN where a batch has no value.
    t2, spe, spe_cumulative : ndarray of shape (n, K)
        T2, SPE of this time and SPE of all times of the phase so far, as a session would have
        seen them while the batch ran. The last ones are those of the whole batch.
    spe_hindsight : ndarray of shape (n, K)
        SPE of each time with the scores that the batch had at its end.
    t2_limit, spe_limit, spe_cumulative_limit, spe_hindsight_limit : ndarray of shape \
(n_alphas, K)
        Limits, the widest last.
    score_center, score_covariance : ndarray of shape (K, A), (K, A, A)
        Middle and covariance of the scores of the fitted batches at each time.
    t2_contributions : ndarray of shape (n, K, J)
        What each value contributes to T2 at the end of its phase; they sum to it. Unfolded by
        variable, to T2 of its own time.
    spe_contributions : ndarray of shape (n, K, J)
        Squared residuals with their sign, at the scores of the end of the phase; for batches
        without missing values their sizes sum to the last `spe_cumulative`.
    quality : ndarray of shape (n, K, M)
        Quality forecast at each time, in the units of `y`; M is 0 without quality.
    n_reference : int
        Number of fitted batches.
    infill : str
        What scores of an unfinished batch assume.
    limits : BatchLimits
        How limits were set.
    n_missing : ndarray of shape (n,)
        Number of values of each batch that were not observed.
    maturity : ndarray of shape (n, K)
        Where observations are unfolded by variable, maturity by PLS, 0 to 1 in each phase;
        shape (n, 0) otherwise.
    batch_level : BatchScores or None
        Where observations are unfolded by variable, the scores of whole batches against the
        model of unfolded scores.
    findings : tuple of Finding
        ``"action"`` for three times in a row above the widest limit and for cumulative SPE at
        the end, ``"alert"`` for fewer, ``"info"`` for what was missing.
    """

    batch: NDArray[Any]
    time: NDArray[Any]
    variables: tuple[str, ...]
    units: tuple[str, ...]
    phase: NDArray[Any]
    scores: NDArray[np.float64]
    t2: NDArray[np.float64]
    spe: NDArray[np.float64]
    spe_cumulative: NDArray[np.float64]
    spe_hindsight: NDArray[np.float64]
    t2_limit: NDArray[np.float64]
    spe_limit: NDArray[np.float64]
    spe_cumulative_limit: NDArray[np.float64]
    spe_hindsight_limit: NDArray[np.float64]
    score_center: NDArray[np.float64]
    score_covariance: NDArray[np.float64]
    t2_contributions: NDArray[np.float64]
    spe_contributions: NDArray[np.float64]
    quality: NDArray[np.float64]
    n_reference: int
    infill: str
    limits: BatchLimits
    n_missing: NDArray[np.intp]
    maturity: NDArray[np.float64]
    batch_level: BatchScores | None
    findings: tuple[Finding, ...]

    def phase_spans(self) -> dict[str, slice]:
        """Return the positions of the times of each phase."""
        cuts = np.flatnonzero(self.phase[1:] != self.phase[:-1]) + 1
        edges = [0, *cuts.tolist(), len(self.phase)]
        return {str(self.phase[a]): slice(a, b) for a, b in pairwise(edges)}

    def with_findings(self, findings: tuple[Finding, ...]) -> BatchScores:
        """Return the same result with these findings."""
        return dataclasses.replace(self, findings=findings)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a batch and phase: T2 and SPE where it ended, with their limits.

        Returns
        -------
        pandas.DataFrame
            Columns ``batch, phase, last_time, complete, t2, t2_limit, spe, spe_limit, n_times,
            n_t2_above, n_spe_above``; SPE is that of all times of the phase, limits are the
            widest, counts are times above them. NaN where a phase did not start. Where
            observations are unfolded by variable, T2 and SPE are those of the batch level.
        """
        rows = [
            self._row(i, name, span)
            for i in range(len(self.batch))
            for name, span in self.phase_spans().items()
        ]
        frame = pd.DataFrame(rows)
        if self.batch_level is not None:
            names = ["t2", "t2_limit", "spe", "spe_limit"]
            frame[names] = self.batch_level.to_frame()[names]
        return frame

    def trajectory_frame(self, batch: Any = None) -> pd.DataFrame:
        """Return one row a batch and time: statistics, scores and the widest limits.

        Parameters
        ----------
        batch : label, optional
            One batch only; all of them by default.

        Returns
        -------
        pandas.DataFrame
            Columns ``batch, time, phase``, each statistic and its limit, ``score_1`` and so on.
        """
        rows = range(len(self.batch)) if batch is None else [self.position(batch)]
        return pd.concat([self._trajectory(i) for i in rows], ignore_index=True)

    def to_dataset(self) -> xr.Dataset:
        """Return trajectories, limits and contributions as one labelled Dataset."""
        points: dict[str, Any] = {
            name: (("batch", "time"), getattr(self, name)) for name in STATISTICS
        }
        points |= {
            f"{name}_limit": (("alpha", "time"), getattr(self, f"{name}_limit"))
            for name in STATISTICS
        }
        points |= {
            f"{name}_contributions": (
                ("batch", "time", "variable"),
                getattr(self, f"{name}_contributions"),
            )
            for name in ("t2", "spe")
        }
        points["scores"] = (("batch", "time", "component"), self.scores)
        coords = {
            "batch": self.batch,
            "time": self.time,
            "phase": ("time", self.phase),
            "alpha": list(self.limits.alphas),
            "variable": list(self.variables),
            "units": ("variable", list(self.units)),
            "component": np.arange(1, self.scores.shape[2] + 1),
        }
        return xr.Dataset(points, coords=coords)

    def contributions(
        self,
        batch: Any,
        *,
        statistic: Literal["t2", "spe"] = "spe",
        by: Literal["variable", "time", "both"] = "variable",
    ) -> pd.DataFrame:
        """Return what made T2 or SPE of a batch.

        Parameters
        ----------
        batch : label
            Which batch.
        statistic : {"t2", "spe"}, default "spe"
            T2 of the end of each phase, or the squared residuals.
        by : {"variable", "time", "both"}, default "variable"
            Sums over the batch for each variable, over variables for each time, or a row for
            each time and a column for each variable.

        Returns
        -------
        pandas.DataFrame
            For ``"variable"`` columns ``variable, contribution``, largest first, SPE without
            signs; for ``"time"`` columns ``time, contribution``.

        Notes
        -----
        A fault in one variable smears over others that the model ties to it: contributions show
        where to look, not what is the cause.
        """
        check_choice("statistic", statistic, ("t2", "spe"))
        check_choice("by", by, ("variable", "time", "both"))
        values = getattr(self, f"{statistic}_contributions")[self.position(batch)]
        if by == "both":
            return pd.DataFrame(
                values, index=pd.Index(self.time, name="time"), columns=list(self.variables)
            )
        sizes = np.abs(values) if statistic == "spe" else values
        if by == "time":
            return pd.DataFrame({"time": self.time, "contribution": np.nansum(sizes, axis=1)})
        total = np.nansum(sizes, axis=0)
        order = np.argsort(-np.abs(total), kind="stable")
        names = np.array(self.variables)[order]
        return pd.DataFrame({"variable": names, "contribution": total[order]})

    def last_scores(self) -> NDArray[np.float64]:
        """Return the scores of each batch at its last observed time, shape (n, A)."""
        seen = ~np.isnan(self.spe)
        last = seen.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1)
        return np.take_along_axis(self.scores, last[:, None, None], axis=1)[:, 0]

    def ellipse(
        self, components: tuple[int, int] = (1, 2), *, alpha: float = 0.05, time: int = -1
    ) -> NDArray[np.float64]:
        """Return the ellipse that holds scores of good batches.

        Parameters
        ----------
        components : tuple of int, default (1, 2)
            Which two, from 1.
        alpha : float, default 0.05
            Share of new good batches outside.
        time : int, default -1
            Position of the aligned time; the last by default.

        Returns
        -------
        ndarray of shape (200, 2)
            Points where T2 of the two scores is the limit by F for new batches.
        """
        A = self.scores.shape[2]
        both = [check_integer("components", c, least=1, most=A) - 1 for c in components]
        covariance = self.score_covariance[time][np.ix_(both, both)]
        limit = t2_limit(self.n_reference, 2, alpha=alpha)
        values, vectors = np.linalg.eigh(covariance)
        angle = np.linspace(0, 2 * np.pi, 200)
        circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        axes = vectors * np.sqrt(np.clip(values, 0, None) * limit)
        return np.asarray(self.score_center[time][both] + circle @ axes.T)

    def plot(
        self,
        *,
        kind: Literal[
            "trajectory", "scores", "contributions", "heat_map", "batches"
        ] = "trajectory",
        statistic: Literal["t2", "spe", "spe_cumulative", "spe_hindsight"] = "spe",
        batch: Any = None,
        components: tuple[int, int] = (1, 2),
        ax: Any = None,
    ) -> Any:
        """Draw the batches.

        Parameters
        ----------
        kind : str, default "trajectory"
            ``"trajectory"``: the statistic over time with its limits. ``"scores"``: last scores
            with the ellipse of good batches. ``"contributions"``: of each variable, for one
            batch. ``"heat_map"``: of each variable at each time, for one batch.
            ``"batches"``: the statistic of all batches at all times, divided by its limit.
        statistic : str, default "spe"
            What to draw; contributions are those of ``"t2"`` or ``"spe"``.
        batch : label, optional
            The batch in focus; by default the one farthest above the limit.
        components : tuple of int, default (1, 2)
            For ``"scores"``.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.mspc.batch import plots

        kinds = ("trajectory", "scores", "contributions", "heat_map", "batches")
        check_choice("kind", kind, kinds)
        check_choice("statistic", statistic, STATISTICS)
        row = self._farthest(statistic) if batch is None else self.position(batch)
        if kind == "scores":
            return plots.plot_scores(self, components, row, ax=ax)
        if kind == "batches":
            return plots.plot_batches(self, statistic, ax=ax)
        if kind == "trajectory":
            return plots.plot_trajectory(self, statistic, row, ax=ax)
        check_choice("statistic", statistic, ("t2", "spe"))
        draw = plots.plot_heat_map if kind == "heat_map" else plots.plot_contributions
        return draw(self, statistic, row, ax=ax)

    def _farthest(self, statistic: str) -> int:
        ratio = getattr(self, statistic) / getattr(self, f"{statistic}_limit")[-1]
        return int(np.argmax(np.nanmax(np.nan_to_num(ratio), axis=1)))

    def position(self, batch: Any) -> int:
        """Return the row of a batch.

        Parameters
        ----------
        batch : label
            Its name.

        Returns
        -------
        int
            Position in `batch`, from 0.
        """
        rows = np.flatnonzero(self.batch == batch)
        if not rows.size:
            known = ", ".join(map(repr, self.batch[:5].tolist()))
            msg = f"batch = {batch!r} is not in this result, which starts with {known}"
            raise InputError(msg)
        return int(rows[0])

    def _fields(self) -> dict[str, Any]:
        # a mixin of a slotted dataclass has no super() without names
        return Result._fields(self) | {"limits": dataclasses.asdict(self.limits)}

    def _row(self, i: int, name: str, span: slice) -> dict[str, Any]:
        t2, spe = self.t2[i, span], self.spe[i, span]
        seen = np.flatnonzero(~np.isnan(spe))
        end = int(seen[-1]) if seen.size else -1
        limits = {s: getattr(self, f"{s}_limit")[-1, span] for s in STATISTICS}
        cumulative = self.spe_cumulative[i, span]
        return {
            "batch": self.batch[i],
            "phase": name,
            "last_time": self.time[span][end] if seen.size else None,
            "complete": bool(seen.size) and end == len(spe) - 1,
            "t2": t2[end] if seen.size else np.nan,
            "t2_limit": limits["t2"][end] if seen.size else np.nan,
            "spe": cumulative[end] if seen.size else np.nan,
            "spe_limit": limits["spe_cumulative"][end] if seen.size else np.nan,
            "n_times": len(seen),
            "n_t2_above": int(np.sum(t2[seen] > limits["t2"][seen])),
            "n_spe_above": int(np.sum(spe[seen] > limits["spe"][seen])),
        }

    def _trajectory(self, i: int) -> pd.DataFrame:
        columns: dict[str, Any] = {
            "batch": np.repeat(self.batch[i : i + 1], len(self.time)),
            "time": self.time,
            "phase": self.phase,
        }
        for name in STATISTICS:
            columns[name] = getattr(self, name)[i]
            columns[f"{name}_limit"] = getattr(self, f"{name}_limit")[-1]
        scores = {f"score_{a + 1}": t for a, t in enumerate(self.scores[i].T)}
        return pd.DataFrame(columns | scores)
