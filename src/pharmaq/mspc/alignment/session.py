"""A batch that runs: where it stands on the clock of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq._checks import check_real
from pharmaq.batches import Trace
from pharmaq.errors import InputError
from pharmaq.mspc.alignment._distance import local_distances
from pharmaq.mspc.alignment._patterns import step_pattern
from pharmaq.mspc.alignment._plan import positions
from pharmaq.mspc.alignment._warp import best_end

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pharmaq.mspc.alignment.aligner import BatchAligner

    Array = NDArray[np.float64]

__all__ = ["AlignmentSession"]

# rows of distances that the longest production of a step pattern looks back
_KEPT = 3


class AlignmentSession:
    """Where a running batch stands, sample by sample; made by `BatchAligner.start`.

    Parameters
    ----------
    aligner : BatchAligner
        Fitted.
    batch : object
        Name of the batch.

    Attributes
    ----------
    position : float
        Aligned time that the batch has reached, NaN before the first update.
    index : int
        The last point of the grid that it has reached, -1 before the first.
    n_updates, n_missing, n_held, n_at_end : int
        Updates; values missing in them; updates at which the batch would have stepped back and
        was held where it stood; updates at the end of the grid of a phase or after it.

    Notes
    -----
    ``"resample"`` takes elapsed time, ``"maturity"`` the share of the median duration of the
    fitted batches, ``"indicator"`` the running extreme of the indicator. ``"dtw"`` ends the
    path where its sum of weighted distances, divided by its length, is least (open end), over
    the points from the position on: a batch does not go back. The band of `DTW` is not used,
    for the end of the batch is not known.
    """

    def __init__(self, aligner: BatchAligner, batch: Any) -> None:
        self._aligner = aligner
        self._settings = aligner.settings()._replace(repair="running")
        self.batch = batch
        self.position = np.nan
        self.index = -1
        self.n_updates = self.n_missing = self.n_held = self.n_at_end = 0
        self._time = -np.inf
        self._phase = self._count = self._rows = 0
        self._reached = self._phase_start = 0.0
        self._cost, self._total = np.empty((0, 0)), np.empty((0, 0))
        self._reference = aligner.plans_[0].scaled_reference
        self._begin_phase(0)

    def update(
        self, time: float, values: Mapping[str, float], *, phase: str | None = None
    ) -> float:
        """Take the next sample.

        Parameters
        ----------
        time : float
            Elapsed time, in the unit of the fitted batches; later than the one before.
        values : mapping of str to float
            Variables by name; those that are not named, None or NaN are missing.
        phase : str, optional
            Where phases are aligned: the phase at this time; by default the one before.

        Returns
        -------
        float
            The aligned time that the batch has reached.

        Raises
        ------
        InputError
            If time does not go on, a variable or phase is unknown, or a phase comes back.
        """
        time = check_real("time", time)
        if time <= self._time:
            msg = (
                f"time must go on, but {time:g} follows {self._time:g} in batch {self.batch!r}"
            )
            raise InputError(msg)
        sample = self._sample(values)
        self._enter(phase)
        if self._count == 0:
            self._phase_start = time
        plan = self._aligner.plans_[self._phase]
        if self._settings.method == "dtw":
            k = float(self._follow(sample / plan.divisor))
        else:
            k = self._point_of(time, sample)
        first = sum(len(p.time) for p in self._aligner.plans_[: self._phase])
        self._time = time
        self._count += 1
        self.n_updates += 1
        self.n_missing += int(np.isnan(sample).sum())
        self.index = first + int(np.floor(k + 1e-9))
        self.position = float(np.interp(k, np.arange(len(plan.time)), plan.time))
        return self.position

    def to_state(self) -> dict[str, Any]:
        """Return all that `BatchAligner.resume` needs, as plain Python for `json`."""
        return {
            "batch": self.batch,
            "time": None if np.isinf(self._time) else self._time,
            "position": None if np.isnan(self.position) else self.position,
            "index": self.index,
            "counts": [self.n_updates, self.n_missing, self.n_held, self.n_at_end],
            "phase": self._phase,
            "phase_start": self._phase_start,
            "count": self._count,
            "rows": self._rows,
            "reached": self._reached,
            "cost": self._cost.tolist(),
            # JSON has no infinity
            "total": [
                [None if np.isinf(v) else v for v in row] for row in self._total.tolist()
            ],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a state that `to_state` gave."""
        self.batch = state["batch"]
        self._time = -np.inf if state["time"] is None else float(state["time"])
        self.position = np.nan if state["position"] is None else float(state["position"])
        self.index = int(state["index"])
        self.n_updates, self.n_missing, self.n_held, self.n_at_end = state["counts"]
        self._begin_phase(int(state["phase"]))
        self._phase_start = float(state["phase_start"])
        self._count, self._rows = int(state["count"]), int(state["rows"])
        self._reached = float(state["reached"])
        self._cost = np.array(state["cost"], dtype=float).reshape(self._cost.shape)
        total = [[np.inf if v is None else v for v in row] for row in state["total"]]
        self._total = np.array(total, dtype=float).reshape(self._total.shape)

    def _begin_phase(self, number: int) -> None:
        plan = self._aligner.plans_[number]
        self._phase, self._count, self._rows = number, 0, 0
        self._reached = self._phase_start = 0.0
        shape = (_KEPT, len(plan.grid) if self._settings.method == "dtw" else 0)
        self._reference = plan.scaled_reference
        self._cost, self._total = np.zeros(shape), np.full(shape, np.inf)

    def _enter(self, phase: str | None) -> None:
        names = [plan.name for plan in self._aligner.plans_]
        if phase is None or self._aligner.phases == "whole":
            return
        if phase not in names or names.index(phase) < self._phase:
            msg = f"phase must be one of {names} and not come back, got {phase!r}"
            raise InputError(msg)
        if names.index(phase) > self._phase:
            self._begin_phase(names.index(phase))

    def _sample(self, values: Mapping[str, float]) -> Array:
        variables = self._aligner.variables_
        unknown = [name for name in values if name not in variables]
        if unknown:
            msg = f"values name {unknown!r}; the aligner was fitted on {variables!r}"
            raise InputError(msg)
        given = [values.get(name) for name in variables]
        sample = np.array([np.nan if v is None else float(v) for v in given])
        if np.isinf(sample).any():
            msg = f"values must be finite or missing, got {dict(values)!r}"
            raise InputError(msg)
        return sample

    def _point_of(self, time: float, sample: Array) -> float:
        """Return the point of the grid that a position stands for, in between too."""
        plan, settings = self._aligner.plans_[self._phase], self._settings
        if settings.method == "indicator":
            value = sample[settings.column]
            width = plan.bounds[1] - plan.bounds[0]
            raw = (value - plan.bounds[0]) / width
            here = self._reached if np.isnan(raw) else float(raw)
        else:
            # the start of the phase stands in front, for positions count from there
            rows = np.array([self._phase_start, time])
            part = Trace(rows, np.empty((2, 0)), None)
            here = float(positions(part, plan, settings, self.batch, ended=False)[0][1])
        if self._count and here < self._reached:
            self.n_held += 1
            here = self._reached
        self._reached = here
        self.n_at_end += int(here >= plan.grid[-1])
        return float(np.interp(here, plan.grid, np.arange(len(plan.grid))))

    def _follow(self, sample: Array) -> int:
        """Go on with the sums of distances by one sample, return the point of the open end."""
        from pharmaq.mspc.alignment._kernels import fill

        plan, steps = self._aligner.plans_[self._phase], self._settings.steps
        if np.isnan(sample[plan.weights > 0]).all():
            return int(self._reached)
        K = len(plan.grid)
        cost = np.vstack([self._cost, local_distances(sample[None], self._reference)])
        total = np.vstack([self._total, np.full((1, K), np.inf)])
        low, high = np.zeros(_KEPT + 1, dtype=np.int64), np.full(_KEPT + 1, K - 1)
        if self._rows == 0:
            total[-1, 0], low[-1] = steps.diagonal * cost[-1, 0], 1
        pattern = step_pattern(steps.slope, steps.diagonal)
        choice = np.zeros(cost.shape, dtype=np.uint8)
        fill(cost, total, choice, pattern.arrays, (_KEPT, low, high))
        self._cost, self._total = cost[1:], total[1:]
        self._rows += 1
        sums = total[-1]
        if not np.isfinite(sums).any():
            # the first samples of a steep batch reach no point that the slope allows
            return int(self._reached)
        end = best_end(sums, self._rows, steps.diagonal)
        if end < self._reached:
            self.n_held += 1
            ahead = sums.copy()
            ahead[: int(self._reached)] = np.inf
            end = best_end(ahead, self._rows, steps.diagonal)
            end = end if np.isfinite(ahead[end]) else int(self._reached)
        self._reached = float(end)
        self.n_at_end += int(end == K - 1)
        return end
