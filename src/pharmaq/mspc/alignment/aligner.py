"""The aligner: learns a common clock from batches and brings others onto it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator

from pharmaq._checks import check_choice, check_real
from pharmaq.batches import as_batches
from pharmaq.chemometrics._base import require_fitted
from pharmaq.errors import InputError, UnitsError
from pharmaq.mspc.alignment._apply import apply_plans
from pharmaq.mspc.alignment._dtw import DTW
from pharmaq.mspc.alignment._fit import fit_plans
from pharmaq.mspc.alignment._plan import Plan, Settings
from pharmaq.mspc.alignment._segments import WHOLE, phase_order
from pharmaq.mspc.alignment.session import AlignmentSession
from pharmaq.results import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import xarray as xr

    from pharmaq.batches import Batches
    from pharmaq.mspc.alignment.result import Alignment

__all__ = ["BatchAligner"]

Method = Literal["resample", "maturity", "indicator", "dtw"]
METHODS = ("resample", "maturity", "indicator", "dtw")


class BatchAligner(BaseEstimator):
    """Bring batches of unequal length onto one clock.

    Parameters
    ----------
    method : {"dtw", "resample", "maturity", "indicator"}, default "dtw"
        ``"resample"``: the clock is elapsed time, which only brings batches onto the same
        times. ``"maturity"``: the share of the duration of a batch. ``"indicator"``: how far
        a variable has come from its start to its end; it must not turn back. ``"dtw"``:
        dynamic time warping onto a reference, see `DTW`.
    n_points : int or mapping of phase to int, optional
        Points of the grid; by default the median number of rows, or with ``"dtw"`` the rows of
        the reference.
    phases : {"whole", "each"}, default "whole"
        One clock for the whole batch, or one for each phase, after one another.
    indicator : str, optional
        The variable, for ``"indicator"``.
    repair : {"raise", "running", "isotonic"}, default "raise"
        What is done with an indicator that turns back: refused; its running extreme taken; or
        the nearest curve that does not turn back (least squares; the running extreme while a
        batch runs). Rows that this changes are counted.
    max_gap : float, optional
        Missing values between rows not farther apart than this time are bridged by a line, and
        counted; not with ``"dtw"``. By default none is.
    dtw : DTW, optional
        Options of ``"dtw"``.
    add_warping : bool, default False
        Make the time of each batch a variable of the result, ``warping``, so that models see
        how fast a batch ran.

    Attributes
    ----------
    time_ : ndarray of shape (K,)
        Aligned times: elapsed time, for ``"dtw"`` that of the reference, or maturity 0 to 1.
    time_units_ : str
        Unit of `time_`, ``"1"`` for maturity.
    phase_ : ndarray of shape (K,) or None
        Phase of each aligned time.
    plans_ : list of Plan
        What is kept of each phase: positions, reference, scale and weights as plain arrays.
    variables_, units_ : list of str
        Variables and their units.
    reference_ : object
        Name of the reference batch, for ``"dtw"``.
    weights_history_ : dict of str to ndarray
        Weights of the variables, round by round, by phase.
    findings_ : tuple of Finding
        What was done to the reference.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> parts = [
    ...     pd.DataFrame(
    ...         {"batch": f"B{n}", "time": np.arange(n), "x": np.linspace(0, 1, n) ** 2}
    ...     )
    ...     for n in (8, 10, 12)
    ... ]
    >>> aligned = BatchAligner("maturity", n_points=5).fit_transform(pd.concat(parts))
    >>> aligned["x"].sel(batch="B10").to_numpy().round(3)
    array([0.   , 0.065, 0.253, 0.565, 1.   ])
    >>> aligned["warping"].sel(batch="B12").to_numpy()
    array([ 0.  ,  2.75,  5.5 ,  8.25, 11.  ])
    """

    def __init__(
        self,
        method: Method = "dtw",
        *,
        n_points: int | Mapping[str, int] | None = None,
        phases: Literal["whole", "each"] = "whole",
        indicator: str | None = None,
        repair: Literal["raise", "running", "isotonic"] = "raise",
        max_gap: float | None = None,
        dtw: DTW | None = None,
        add_warping: bool = False,
    ) -> None:
        self.method = method
        self.n_points = n_points
        self.phases = phases
        self.indicator = indicator
        self.repair = repair
        self.max_gap = max_gap
        self.dtw = dtw
        self.add_warping = add_warping

    def fit(self, batches: Batches | pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002
        """Learn the clock.

        Parameters
        ----------
        batches : Batches or DataFrame
            Complete batches as from `pharmaq.batches.as_batches`, or a long frame for it. NaN
            is a value that was not measured. Parts with a single row teach nothing.
        y : object
            Not used.

        Returns
        -------
        BatchAligner
            Fitted.

        Raises
        ------
        InputError
            If phases are unknown or interrupted, the indicator is missing, ends where it
            starts or turns back, no variable varies, or no path leads to the reference.

        Warns
        -----
        ConvergenceWarning
            If the weights do not settle.
        """
        data = as_batches(batches)
        options = self._options()
        self.variables_ = data.variables
        self.units_ = list(data.units.values())
        settings = self.settings()
        names = [WHOLE] if self.phases == "whole" else phase_order(data)
        fitted = fit_plans(data, names, settings, options, self.n_points)
        self.plans_ = fitted.plans
        self.reference_ = fitted.reference
        self.weights_history_ = fitted.history
        self.findings_ = tuple(fitted.findings)
        self.batch_time_units_ = data.time_units
        self._set_grid()
        return self

    def transform(
        self,
        batches: Batches | pd.DataFrame,
        *,
        unfinished: Sequence[Any] | Literal["all"] = (),
    ) -> xr.Dataset:
        """Bring batches onto the fitted clock.

        Parameters
        ----------
        batches : Batches or DataFrame
            With the variables and units of the fitted ones.
        unfinished : sequence of batches, or "all", optional
            Batches that were aborted or still run: with ``"dtw"`` their end may lie anywhere on
            the reference, with ``"maturity"`` they get the median duration of the fitted ones.

        Returns
        -------
        Dataset, dims ("batch", "time")
            NaN where a batch has no data. Coordinates ``warping``: the batch's own time at each
            aligned one; ``interpolated``: whether the point lies between samples, or for
            ``"dtw"`` takes a sample that another point takes too; ``phase`` where phases are
            aligned.

        Raises
        ------
        InputError
            If variables are missing or new, or a batch cannot be aligned.
        UnitsError
            If units are not those of the fitted batches.
        """
        return self.align(batches, unfinished=unfinished).batches

    def fit_transform(
        self, batches: Batches | pd.DataFrame, y: Any = None, **options: Any
    ) -> xr.Dataset:
        """Learn the clock and bring the same batches onto it; see `fit` and `transform`."""
        return self.fit(batches, y).transform(batches, **options)

    def align(
        self,
        batches: Batches | pd.DataFrame,
        *,
        unfinished: Sequence[Any] | Literal["all"] = (),
    ) -> Alignment:
        """Bring batches onto the fitted clock and say what that took; see `transform`.

        Returns
        -------
        Alignment
            The aligned batches with counts and findings.
        """
        require_fitted(self)
        data = self._same_variables(as_batches(batches))
        opened = data.ids if isinstance(unfinished, str) else list(unfinished)
        strange = [name for name in opened if name not in data.ids]
        if strange or (isinstance(unfinished, str) and unfinished != "all"):
            msg = f"unfinished must name batches or be 'all', got {strange or unfinished!r}"
            raise InputError(msg)
        return apply_plans(self, data, self.settings(), opened)

    def start(self, batch: Any) -> AlignmentSession:
        """Follow a batch while it runs.

        Parameters
        ----------
        batch : object
            Name of the batch.

        Returns
        -------
        AlignmentSession
            `AlignmentSession.update` tells where the batch stands.
        """
        require_fitted(self)
        return AlignmentSession(self, batch)

    def resume(self, state: dict[str, Any]) -> AlignmentSession:
        """Go on with a batch from the state that `AlignmentSession.to_state` gave."""
        session = self.start(state["batch"])
        session.restore(state)
        return session

    def to_state(self) -> dict[str, Any]:
        """Return all that alignment needs, as plain values and arrays for a model file."""
        require_fitted(self)
        options = self._options()
        given = options.weights
        dtw = {f: getattr(options, f) for f in options.__dataclass_fields__}
        dtw["weights"] = given if isinstance(given, str) else dict(given)
        counts = self.n_points
        return {
            "params": {
                "method": self.method,
                "n_points": dict(counts) if isinstance(counts, Mapping) else counts,
                "phases": self.phases,
                "indicator": self.indicator,
                "repair": self.repair,
                "max_gap": self.max_gap,
                "add_warping": self.add_warping,
            },
            "dtw": dtw,
            "plans": [plan._asdict() for plan in self.plans_],
            "variables": self.variables_,
            "units": self.units_,
            "batch_time_units": self.batch_time_units_,
            "reference": self.reference_,
            "weights_history": self.weights_history_,
            "findings": [finding.to_dict() for finding in self.findings_],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the fitted aligner that `to_state` described."""
        aligner = cls(**state["params"], dtw=DTW(**state["dtw"]))
        aligner.plans_ = [Plan(**plan) for plan in state["plans"]]
        aligner.variables_, aligner.units_ = list(state["variables"]), list(state["units"])
        aligner.batch_time_units_ = state["batch_time_units"]
        aligner.reference_ = state["reference"]
        aligner.weights_history_ = dict(state["weights_history"])
        aligner.findings_ = tuple(Finding(**finding) for finding in state["findings"])
        aligner._set_grid()
        return aligner

    def _set_grid(self) -> None:
        self.time_ = np.concatenate([plan.time for plan in self.plans_])
        mature = self.method in {"maturity", "indicator"}
        self.time_units_ = "1" if mature else self.batch_time_units_
        names = [np.full(len(plan.time), plan.name) for plan in self.plans_]
        self.phase_ = None if self.phases == "whole" else np.concatenate(names)

    def _options(self) -> DTW:
        return DTW() if self.dtw is None else self.dtw

    def settings(self) -> Settings:
        """Return what the methods need to know, checked."""
        check_choice("method", self.method, METHODS)
        check_choice("phases", self.phases, ("whole", "each"))
        check_choice("repair", self.repair, ("raise", "running", "isotonic"))
        if self.max_gap is not None:
            check_real("max_gap", self.max_gap, above=0)
        column = -1
        if self.method == "indicator":
            if self.indicator not in self.variables_:
                msg = f"indicator must be one of {self.variables_}, got {self.indicator!r}"
                raise InputError(msg)
            column = self.variables_.index(self.indicator)
        return Settings(
            method=self.method,
            phases=self.phases,
            indicator=self.indicator,
            column=column,
            repair=self.repair,
            max_gap=self.max_gap,
            steps=self._options().steps,
        )

    def _same_variables(self, data: Batches) -> Batches:
        missing = [name for name in self.variables_ if name not in data.variables]
        extra = [name for name in data.variables if name not in self.variables_]
        if missing or extra:
            msg = (
                f"batches lack {missing} and have {extra} beyond the fitted {self.variables_}; "
                "a sensor that failed is a column of NaN beside the others"
            )
            raise InputError(msg)
        for name, unit in zip(self.variables_, self.units_, strict=True):
            if data.units[name] != unit:
                msg = (
                    f"{name} is in {data.units[name] or 'no unit'!r}, but the aligner was "
                    f"fitted on {unit or 'no unit'!r}; convert it first (pharmaq.units.convert)"
                )
                raise UnitsError(msg)
        if data.time_units != self.batch_time_units_:
            msg = (
                f"time is in {data.time_units or 'no unit'!r}, but the aligner was fitted on "
                f"{self.batch_time_units_ or 'no unit'!r}; give time_units in as_batches"
            )
            raise UnitsError(msg)
        return data.ordered(self.variables_)
