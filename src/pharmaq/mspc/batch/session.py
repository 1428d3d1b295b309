"""A batch that runs, fed one observation at a time."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr
from scipy import stats

from pharmaq._checks import check_real
from pharmaq.errors import InputError
from pharmaq.mspc.batch._evolution import EvolutionPhase
from pharmaq.mspc.batch._findings import NAMES, RUN, of_batch_level, said
from pharmaq.mspc.batch._updates import nearest, read_row
from pharmaq.mspc.batch.moment import BatchForecast, BatchMoment
from pharmaq.results import Finding, json_safe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pharmaq.mspc.batch._evolution import RunningEvolution
    from pharmaq.mspc.batch._now import Now
    from pharmaq.mspc.batch._phase import FittedPhase
    from pharmaq.mspc.batch._running import RunningPhase
    from pharmaq.mspc.batch.scores import BatchScores

__all__ = ["BatchSession"]

Quality = Literal["good", "uncertain", "bad"]
_STATE = "pharmaq-batch-session"
_COUNTS = (
    "used",
    "duplicate",
    "late",
    "before_start",
    "after_end",
    "empty",
    "skipped_times",
    "interpolated_times",
    "missing_values",
    "bad_values",
    "uncertain_values",
)
_WHY = {
    "duplicate": "its aligned time has its values already; the first ones stay",
    "late": "later times were judged already; it is not used",
    "before_start": "it lies before the first aligned time",
    "after_end": "it lies after the last aligned time",
    "empty": "no variable has a usable value",
}


class BatchSession:
    """A batch that runs, as `BatchMonitor.start` begins it.

    Parameters
    ----------
    monitor : BatchMonitor
        Fitted.
    batch : str
        Name of the batch.

    Attributes
    ----------
    batch : str
        Name of the batch.
    position : int
        Aligned time of the last update that was used, from 0; -1 before the first.
    counts : dict of str to int
        Updates that were used or, by reason, were not; aligned times that were skipped; values
        that were missing, of bad quality (not used), or of uncertain quality (used).

    Notes
    -----
    Without alignment an update belongs to the nearest aligned time, at most half a step away.
    With it, to the last aligned time that the batch has reached by then: of several updates at
    one aligned time the first one counts, and aligned times between two updates get values on
    the line between theirs, as `BatchAligner.transform` does it (``interpolated_times``).
    The first update of an aligned time counts; a second is a ``"duplicate"``, one of an earlier
    time is ``"late"``: neither changes anything, for what was reported stays reported. Aligned
    times that were passed over are missing values.
    """

    def __init__(self, monitor: Any, batch: str) -> None:
        self._monitor = monitor
        self._known = frozenset(monitor.variables_)
        self.batch = str(batch)
        self.position = -1
        self.counts = dict.fromkeys(_COUNTS, 0)
        self._taken: dict[int, NDArray[np.float64]] = {}
        self._running: dict[int, RunningPhase | RunningEvolution] = {}
        aligner = monitor.aligner_
        self._clock = None if aligner is None else aligner.start(self.batch)
        self._time = -math.inf
        level = monitor.batch_level_
        self._level = None if level is None else BatchSession(level, batch)
        self._above = dict.fromkeys(NAMES, 0)
        self._lost: set[str] = set()

    def update(
        self,
        time: Any,
        values: Mapping[str, float | None],
        *,
        quality: Quality | Mapping[str, Quality] = "good",
    ) -> BatchMoment:
        """Take one observation and judge the batch by what is known now.

        Parameters
        ----------
        time : float, datetime64 or whatever the aligned time is
            When the values were measured, since the start of the batch.
        values : mapping of str to float
            Value of each process variable, in its fitted unit. One that is left out, None or
            NaN is missing; infinity counts as bad quality.
        quality : {"good", "uncertain", "bad"} or mapping of str to these, default "good"
            Of all values, or of single ones (others are good). Bad values are not used.

        Returns
        -------
        BatchMoment
            Statistics, limits, contributions and findings of this moment.

        Raises
        ------
        InputError
            For a variable that was not fitted, or an unknown quality.
        InputTypeError
            For a value that is no number.
        """
        names = self._monitor.variables_
        row, counts = read_row(names, self._known, values, quality)
        missing = self._missing(row)
        position, status = self._place(time, row)
        for name, count in counts.items():
            self.counts[name] += count
        if status == "used" and len(missing) == len(names):
            status = "empty"
        self.counts[status] += 1
        if status != "used":
            return self._unused(time, position, status, missing)
        self._pass_over(position, row)
        return self._moment(time, position, row, missing)

    def forecast(self, *, alpha: float = 0.05) -> BatchForecast:
        """Forecast quality at the end, and the trajectories until then.

        Parameters
        ----------
        alpha : float, default 0.05
            Chance of quality outside the interval.

        Returns
        -------
        BatchForecast
            Expected quality y_mean + t q, plus and minus t(1 - alpha / 2; N - 1) times the root
            mean square error of such forecasts at this time for batches left out of the model;
            and mean trajectory plus what the scores say. Both are of the phase that runs.

        Raises
        ------
        InputError
            Before the first update.
        """
        check_real("alpha", alpha, above=0, below=1)
        if self.position < 0:
            msg = f"batch {self.batch!r} has no values yet; call update first"
            raise InputError(msg)
        phase = self._phase_at(self.position)
        if isinstance(phase, EvolutionPhase):
            return self._level_forecast(phase, alpha)
        model, k = phase.model, self.position - phase.start
        rest = phase.modelled(self._scores)[k + 1 :]
        error = phase.quality_errors[k]
        expected = model.quality(self._scores)
        half = float(stats.t.isf(alpha / 2, len(model.scores) - 1)) * error
        return BatchForecast(
            batch=self.batch,
            position=self.position,
            quality=expected,
            lower=expected - half,
            upper=expected + half,
            alpha=alpha,
            rmsecv=error,
            time=self._monitor.time_[self.position + 1 : phase.stop],
            variables=tuple(self._monitor.variables_),
            trajectory=rest,
        )

    def _level_forecast(self, phase: EvolutionPhase, alpha: float) -> BatchForecast:
        """Return the forecast of the batch level, with scores turned into variables."""
        level: Any = self._level
        found = level.forecast(alpha=alpha)
        return dataclasses.replace(
            found,
            variables=tuple(self._monitor.variables_),
            trajectory=phase.modelled(found.trajectory),
        )

    def result(self) -> BatchScores:
        """Return what `BatchMonitor.score` says about the batch so far."""
        table = np.full((1, len(self._monitor.time_), len(self._monitor.variables_)), np.nan)
        for position, row in self._taken.items():
            table[0, position] = row
        labels = zip(self._monitor.variables_, self._monitor.units_, strict=True)
        variables: dict[str, Any] = {
            name: (("batch", "time"), table[:, :, j], {"units": unit})
            for j, (name, unit) in enumerate(labels)
        }
        coords = {"batch": [self.batch], "time": self._monitor.time_}
        return self._monitor.score_aligned(xr.Dataset(variables, coords=coords))

    def to_dict(self) -> dict[str, Any]:
        """Return the state as plain Python that `json` can write.

        Returns
        -------
        dict
            For `BatchMonitor.resume` of the same monitor: the values that were used, with their
            aligned times, and the counts.
        """
        return {
            "format": _STATE,
            "version": 1,
            "monitor": self._monitor.fingerprint(),
            "batch": self.batch,
            "counts": dict(self.counts),
            "clock": None if self._clock is None else self._clock.to_state(),
            "updates": [[position, json_safe(row)] for position, row in self._taken.items()],
        }

    def replay(self, state: Mapping[str, Any]) -> None:
        """Take over the state of another session of the same batch and monitor.

        Parameters
        ----------
        state : mapping
            From `to_dict`, or JSON of it.

        Raises
        ------
        InputError
            If it is no such state, or belongs to another monitor.
        """
        if state.get("format") != _STATE or state.get("version") != 1:
            msg = "state must be what BatchSession.to_dict returned in this version"
            raise InputError(msg)
        if state["monitor"] != self._monitor.fingerprint():
            msg = (
                f"the state of batch {state['batch']!r} belongs to another monitor; load the "
                "one the session was started with"
            )
            raise InputError(msg)
        for position, row in state["updates"]:
            values = np.array([np.nan if v is None else v for v in row], dtype=np.float64)
            self._moment(None, int(position), values, self._missing(values))
        self.counts = {name: int(state["counts"][name]) for name in _COUNTS}
        if self._clock is not None:
            self._clock.restore(state["clock"])
            self._time = -math.inf if state["clock"]["time"] is None else state["clock"]["time"]

    def _missing(self, row: NDArray[np.float64]) -> tuple[str, ...]:
        """Return the names of variables without a value."""
        return tuple(self._monitor.variables_[j] for j in np.flatnonzero(np.isnan(row)))

    def _place(self, time: Any, row: NDArray[np.float64]) -> tuple[int, str]:
        """Return the aligned time of an update, and what becomes of it."""
        if self._clock is not None:
            return self._aligned(time, row)
        position = nearest(self._monitor.time_, time)
        if position < 0:
            return -1, "before_start"
        if position >= len(self._monitor.time_):
            return -1, "after_end"
        return self._new(position)

    def _aligned(self, time: Any, row: NDArray[np.float64]) -> tuple[int, str]:
        clock: Any = self._clock
        if check_real("time", time) <= self._time:
            return self.position, "late" if time < self._time else "duplicate"
        names = self._monitor.variables_
        clock.update(time, dict(zip(names, row.tolist(), strict=True)))
        self._time = float(time)
        return self._new(clock.index)

    def _pass_over(self, position: int, row: NDArray[np.float64]) -> None:
        """Deal with the aligned times between the last update and this one."""
        before, between = self.position, range(self.position + 1, position)
        if self._clock is None or before < 0:
            self.counts["skipped_times"] += len(between)
            return
        last = self._taken[before]
        for k in between:
            # what alignment does with finished batches
            part = last + (row - last) * ((k - before) / (position - before))
            self.counts["interpolated_times"] += 1
            self._moment(None, k, part, self._missing(part))

    def _new(self, position: int) -> tuple[int, str]:
        if position in self._taken:
            return position, "duplicate"
        return position, "late" if position < self.position else "used"

    def _phase_at(self, position: int) -> FittedPhase | EvolutionPhase:
        return next(p for p in self._monitor.phases_ if p.start <= position < p.stop)

    def _moment(
        self, time: Any, position: int, row: NDArray[np.float64], missing: tuple[str, ...]
    ) -> BatchMoment:
        phase = self._phase_at(position)
        if phase.start not in self._running:
            self._running[phase.start] = phase.running()
        k = position - phase.start
        now = self._running[phase.start].take(k, row)
        self._scores = now.scores
        self.position = position
        self._taken[position] = row
        level = None
        if self._level is not None:
            level = self._level._moment(time, position, now.scores, ())
        limits = {name: phase.limits[name][:, k] for name in NAMES}
        findings = [*self._lost_sensors(missing), *self._judge(now, limits, time)]
        findings += of_batch_level(() if level is None else level.findings)
        return BatchMoment(
            batch=self.batch,
            time=time,
            status="used",
            position=position,
            phase=phase.name,
            alphas=self._monitor.limits_.alphas,
            variables=tuple(self._monitor.variables_),
            missing=missing,
            findings=tuple(findings),
            batch_level=level,
            t2_limit=limits["t2"],
            spe_limit=limits["spe"],
            spe_cumulative_limit=limits["spe_cumulative"],
            **now._asdict(),
        )

    def _unused(
        self, time: Any, position: int, status: str, missing: tuple[str, ...]
    ) -> BatchMoment:
        monitor = self._monitor
        limit = np.full(len(monitor.limits_.alphas), np.nan)
        share = np.full(len(monitor.variables_), np.nan)
        finding = Finding(
            rule=status,
            severity="info",
            subject=self.batch,
            message=f"update of batch {self.batch} at time {time} was not used: {_WHY[status]}",
        )
        return BatchMoment(
            batch=self.batch,
            time=time,
            status=status,
            position=position,
            phase="" if position < 0 else self._phase_at(position).name,
            scores=np.full(monitor.n_components, np.nan),
            t2=np.nan,
            spe=np.nan,
            spe_cumulative=np.nan,
            alphas=monitor.limits_.alphas,
            t2_limit=limit,
            spe_limit=limit,
            spe_cumulative_limit=limit,
            variables=tuple(monitor.variables_),
            t2_contributions=share,
            spe_contributions=share,
            missing=missing,
            findings=(finding,),
            batch_level=None,
        )

    def _lost_sensors(self, missing: tuple[str, ...]) -> list[Finding]:
        """Report a sensor when it stops, not at each time that it is gone."""
        new = [name for name in missing if name not in self._lost]
        self._lost = set(missing)
        return [
            Finding(
                rule="missing_values",
                severity="info",
                subject=self.batch,
                message=f"{name} of batch {self.batch} has no usable value; judged without it",
            )
            for name in new
        ]

    def _judge(
        self, now: Now, limits: dict[str, NDArray[np.float64]], time: Any
    ) -> list[Finding]:
        findings = []
        for name, text in NAMES.items():
            value, limit = getattr(now, name), float(limits[name][-1])
            self._above[name] = self._above[name] + 1 if value > limit else 0
            if self._above[name]:
                count = self._above[name]
                # a sum keeps one odd hour for long: a run of it proves nothing new
                lasts = count >= RUN and name != "spe_cumulative"
                level = f"{100 * (1 - self._monitor.limits_.alphas[-1]):g} %"
                findings.append(
                    Finding(
                        rule=name,
                        severity="action" if lasts else "alert",
                        subject=self.batch,
                        message=f"{text} of batch {self.batch} at time {said(time)} is "
                        f"{value:.4g}, above its {level} limit {limit:.4g}, {count} in a row",
                        value=value,
                        limit=limit,
                    )
                )
        return findings
