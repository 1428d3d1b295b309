"""Monitoring of batches against the batches that went well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import xarray as xr
from sklearn.base import BaseEstimator, clone

from pharmaq import modelfile
from pharmaq._checks import check_choice, check_integer
from pharmaq.chemometrics import spe_limit, t2_limit
from pharmaq.errors import FormatError, InputError, InputTypeError
from pharmaq.mspc.batch._data import Batches, read_batches, same_grid, same_variables
from pharmaq.mspc.batch._demands import check_quality, check_variables, refuse_aligned
from pharmaq.mspc.batch._fitting import find_places, fit_place, with_values
from pharmaq.mspc.batch._infill import INFILLS
from pharmaq.mspc.batch._model import SCALINGS
from pharmaq.mspc.batch._scoring import score_batches
from pharmaq.mspc.batch._storage import KIND, fingerprint, monitor_content, restore_monitor
from pharmaq.mspc.batch.limits import BatchLimits, FalseAlarms, count_alarms
from pharmaq.mspc.batch.session import BatchSession

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from pharmaq.mspc.alignment import BatchAligner
    from pharmaq.mspc.batch.scores import BatchScores

__all__ = ["BatchMonitor"]

Infill = Literal["zero", "current", "pmp", "tsr", "conditional"]


class BatchMonitor(BaseEstimator):
    """T2 and SPE of batches against batches that went well, while they run and afterwards.

    Parameters
    ----------
    n_components : int, default 3
        Number of components of each phase.
    unfolding : {"batch", "variable"}, default "batch"
        ``"batch"``: a row a batch [1]_. ``"variable"``: a row an observation, PLS on maturity,
        and a model of the scores of whole batches above it [5]_; see Notes.
    phases : {"whole", "each"}, default "whole"
        One model for the whole batch, or one for each phase that the coordinate ``phase``
        names.
    scaling : {"column", "variable", "center"}, default "column"
        The mean trajectory is always taken off. ``"column"`` divides each variable at each time
        by its standard deviation there, so that every column weighs the same [1]_;
        ``"variable"`` divides each variable by its own over all times, so that times with more
        variation weigh more; ``"center"`` leaves units as they are.
    infill : {"tsr", "zero", "current", "pmp", "conditional"}, default "tsr"
        What the scores of an unfinished batch assume of the times to come, see Notes.
    alignment : BatchAligner, optional
        Brings batches onto one clock, in `fit`, in `score` and live: then `batches` are those
        before alignment, as `pharmaq.batches.as_batches` takes them. By default they are
        aligned already. Batches are left out of the model, not of the alignment.
    limits : BatchLimits, optional
        How limits are set; `BatchLimits()` by default, from batches left out of the model.

    Attributes
    ----------
    variables_, units_ : list of str
        Process variables and their units.
    time_ : ndarray of shape (K,)
        Aligned times.
    batch_ : ndarray of shape (N,)
        Names of the fitted batches.
    phase_names_ : list of str
        Phases with a model of their own, in order; ``["whole"]`` where there is one.
    aligner_ : BatchAligner or None
        The fitted aligner.
    batch_level_ : BatchMonitor or None
        Model of the scores of whole batches, where observations are unfolded by variable.
    n_missing_ : int
        Values that were missing in the fitted batches.
    n_left_out_ : dict of str to int
        Batches without any value in a phase, which its model could not use.
    n_pooled_scales_ : int
        Columns that did not vary, which got the scale of their variable.
    explained_ : dict of str to ndarray
        Share of the variance that each component of a phase explains.

    Notes
    -----
    Batches are unfolded by batch [1]_: a row holds all variables at all times. With z what is
    scaled of the values until time k, P and R the rows of loadings and rotations that belong to
    them, and t* = R'z, the scores at time k are [2]_ [3]_

    - ``"zero"``: t*; the rest of the batch runs along the mean.
    - ``"current"``: as if the deviations of time k stayed until the end.
    - ``"pmp"``: (P'R)^-1 t*, projection to the model plane; NaN where its condition number is
      above 1e8.
    - ``"tsr"``: trimmed score regression, the scores of the fitted batches regressed on their
      own t* of that time.
    - ``"conditional"``: (P'P + s^2 L^-1)^-1 P'z, the conditional mean with score variances L
      and residuals of variance s^2 that do not depend on each other [4]_.

    Values missing before time k are treated in the same way, with what was observed; for
    ``"current"`` a missing value keeps the last deviation of its variable. T2 is t'S^-1 t with
    S the covariance of the scores of the fitted batches at that time. SPE is the sum of
    squared residuals of time k (or of all times so far, cumulative), with the scores of time k;
    where sensors are missing, it is divided by the share of SPE expected of those that are not.

    Unfolded by variable [5]_, no mean trajectory is taken off: variables are centred and scaled
    over all observations, and PLS on maturity (0 to 1 in each phase) gives scores of each
    observation by itself. T2 is (t - m)'S^-1 (t - m) with mean m and covariance S of the scores
    of the fitted batches at that time; a missing sensor is regressed on the others. Scores,
    unfolded by batch, are then a monitor of their own, `batch_level_`, to which `infill`,
    `scaling`, `y` and forecasts apply.

    References
    ----------
    .. [1] P. Nomikos, J. F. MacGregor, Technometrics 37 (1995) 41-59.
    .. [2] F. Arteaga, A. Ferrer, J. Chemom. 16 (2002) 408-418.
    .. [3] S. Garcia-Munoz, T. Kourti, J. F. MacGregor, Ind. Eng. Chem. Res. 43 (2004)
           5929-5941.
    .. [4] M. E. Tipping, C. M. Bishop, J. R. Stat. Soc. B 61 (1999) 611-622.
    .. [5] S. Wold, N. Kettaneh, H. Friden, A. Holmberg, Chemom. Intell. Lab. Syst. 44 (1998)
           331-340.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> rng = np.random.default_rng(0)
    >>> heat = rng.normal(size=(20, 1)) + np.sin(np.linspace(0, 3, 30))
    >>> batches = xr.Dataset(
    ...     {
    ...         "temperature": (("batch", "time"), heat + 0.1 * rng.normal(size=heat.shape)),
    ...         "pressure": (("batch", "time"), 2 * heat + 0.1 * rng.normal(size=heat.shape)),
    ...     },
    ...     coords={"batch": [f"B{i:02}" for i in range(20)], "time": np.arange(30.0)},
    ... )
    >>> monitor = BatchMonitor(n_components=1).fit(batches)
    >>> drifting = batches.isel(batch=[0]).assign_coords(batch=["new"]).copy(deep=True)
    >>> drifting["pressure"][0, 15:] += 1.0
    >>> monitor.score(drifting).findings[-1].rule
    'spe_cumulative'
    """

    def __init__(
        self,
        n_components: int = 3,
        *,
        unfolding: Literal["batch", "variable"] = "batch",
        phases: Literal["whole", "each"] = "whole",
        scaling: Literal["column", "variable", "center"] = "column",
        infill: Infill = "tsr",
        alignment: BatchAligner | None = None,
        limits: BatchLimits | None = None,
    ) -> None:
        self.n_components = n_components
        self.unfolding = unfolding
        self.phases = phases
        self.scaling = scaling
        self.infill = infill
        self.alignment = alignment
        self.limits = limits

    def fit(self, batches: Any, y: ArrayLike | None = None) -> Self:
        """Learn what good batches look like.

        Parameters
        ----------
        batches : Dataset, dims ("batch", "time"), or Batches or long frame with `alignment`
            Aligned batches that went well, one variable for each process variable with its unit
            in ``attrs["units"]``. NaN is a value that was not observed: sensors that failed,
            batches that ended early.
        y : array-like, shape (N,) or (N, M), optional
            Quality of each batch: components are then those of PLS, and sessions forecast it.
            NaN raises.

        Returns
        -------
        BatchMonitor
            The fitted monitor.

        Raises
        ------
        InputError
            If a variable is constant or never observed, if there are too few batches for that
            many components, or if `batches` is not aligned.
        """
        limits, options = self._checked_options()
        self.aligner_ = None
        if self.alignment is not None:
            refuse_aligned(batches)
            self.aligner_ = clone(self.alignment)
            batches = self.aligner_.fit_transform(batches)
        data = read_batches(batches)
        check_variables(data)
        quality = check_quality(y, len(data.batch))
        self.limits_ = limits
        self.variables_, self.units_ = data.variables, data.units
        self.time_, self.batch_ = data.time, data.batch
        self.n_missing_ = int(np.isnan(data.values).sum())
        places = find_places(data, self.phases)
        self.n_left_out_ = {p[0]: int(np.sum(~with_values(data, p))) for p in places}
        self.phases_ = [fit_place(data, quality, p, options, limits) for p in places]
        self.phase_names_ = [phase.name for phase in self.phases_]
        self.n_pooled_scales_ = sum(getattr(p.model, "n_pooled", 0) for p in self.phases_)
        self.explained_ = {phase.name: phase.model.explained for phase in self.phases_}
        self.batch_level_ = self._fit_batch_level(data, y)
        return self

    def score(self, batches: Any, *, unfinished: Sequence[Any] = ()) -> BatchScores:
        """Judge batches, finished or not.

        Parameters
        ----------
        batches : Dataset, dims ("batch", "time"), or Batches or long frame with `alignment`
            Batches with the fitted variables, units and aligned times; NaN is a value that was
            not observed. What is NaN to the end has not happened.
        unfinished : sequence of batches, optional
            With `alignment`: batches that were aborted or still run.

        Returns
        -------
        BatchScores
            T2 and SPE at the end and over time, with limits, contributions and findings.

        Raises
        ------
        InputError
            If variables, units or times are not the fitted ones.
        """
        self._require_fitted()
        if self.aligner_ is not None:
            refuse_aligned(batches)
            batches = self.aligner_.transform(batches, unfinished=unfinished)
        return self.score_aligned(batches)

    def score_aligned(self, batches: xr.Dataset) -> BatchScores:
        """Judge batches that are aligned already; see `score`.

        Parameters
        ----------
        batches : Dataset, dims ("batch", "time")
            On the fitted times.

        Returns
        -------
        BatchScores
            As from `score`.
        """
        self._require_fitted()
        data = same_variables(read_batches(batches), self.variables_, self.units_)
        same_grid(data, self.time_)
        return score_batches(self, data)

    def end_limit(
        self,
        statistic: Literal["t2", "spe"],
        *,
        alpha: float = 0.05,
        method: str,
        phase: str | None = None,
    ) -> float:
        """Return a limit for finished batches by a method of `pharmaq.chemometrics`.

        Parameters
        ----------
        statistic : {"t2", "spe"}
            What the limit is for.
        alpha : float, default 0.05
            Share of good batches allowed above it.
        method : str
            As in `pharmaq.chemometrics.t2_limit` or `pharmaq.chemometrics.spe_limit`, from the
            fitted batches. They are narrower than limits from batches left out.
        phase : str, optional
            Which phase, where each has a model.

        Returns
        -------
        float
            The limit.
        """
        self._require_fitted()
        check_choice("statistic", statistic, ("t2", "spe"))
        if self.batch_level_ is not None:
            return self.batch_level_.end_limit(
                statistic, alpha=alpha, method=method, phase=phase
            )
        model: Any = self._phase(phase).model
        n, A = model.scores.shape
        name: Any = method
        if statistic == "t2":
            return t2_limit(n, A, alpha=alpha, method=name)
        modelled = model.scores @ model.loadings.reshape(-1, A).T
        return spe_limit(model.train.reshape(n, -1) - modelled, alpha=alpha, method=name)

    def false_alarms(self, phase: str | None = None) -> FalseAlarms:
        """Return how often the reference batches pass the limits, by point and by batch.

        Parameters
        ----------
        phase : str, optional
            Which phase, where each has a model.

        Returns
        -------
        FalseAlarms
            Rates of T2, SPE and cumulative SPE for each alpha. With cross-validated limits each
            batch was left out of the model that judges it; its values took part in the limits
            by "moments" and "empirical".
        """
        self._require_fitted()
        found = self._phase(phase)
        names = ("t2", "spe", "spe_cumulative")
        references = {name: found.references[name] for name in names}
        return count_alarms(references, found.limits, self.limits_.alphas, self.limits_.values)

    def start(self, batch: str) -> BatchSession:
        """Begin to monitor a batch that runs.

        Parameters
        ----------
        batch : str
            Its name.

        Returns
        -------
        BatchSession
            To be fed by `BatchSession.update`.
        """
        self._require_fitted()
        return BatchSession(self, batch)

    def resume(self, state: Mapping[str, Any]) -> BatchSession:
        """Go on with a session that was saved.

        Parameters
        ----------
        state : mapping
            What `BatchSession.to_dict` returned, or JSON of it read back.

        Returns
        -------
        BatchSession
            It gives the same numbers as one that was never interrupted.

        Raises
        ------
        InputError
            If it is no such state, or belongs to another monitor.
        """
        self._require_fitted()
        session = BatchSession(self, str(state.get("batch")))
        session.replay(state)
        return session

    def save(self, path: str | Path) -> str:
        """Write the fitted monitor to a sealed file.

        Parameters
        ----------
        path : str or Path
            By custom with the ending ``.pqm``; replaced in one step if it exists.

        Returns
        -------
        str
            The seal, a SHA-256.
        """
        self._require_fitted()
        return modelfile.save(path, KIND, monitor_content(self))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a monitor back and check its seal.

        Parameters
        ----------
        path : str or Path
            A file that `save` wrote.

        Returns
        -------
        BatchMonitor
            It gives the same numbers to the bit.

        Raises
        ------
        FormatError
            If the file is damaged or changed, or holds something else.
        """
        content, _ = modelfile.load(path, KIND)
        monitor = cls()
        try:
            restore_monitor(monitor, content)
        except (KeyError, TypeError) as error:
            msg = f"{path} does not hold a batch monitor of this version: {error}"
            raise FormatError(msg) from None
        return monitor

    def fingerprint(self) -> str:
        """Return the SHA-256 of what was fitted, by which a saved session knows its monitor."""
        self._require_fitted()
        return fingerprint(self)

    def _checked_options(self) -> tuple[BatchLimits, dict[str, Any]]:
        check_integer("n_components", self.n_components, least=1)
        check_choice("unfolding", self.unfolding, ("batch", "variable"))
        check_choice("phases", self.phases, ("whole", "each"))
        check_choice("scaling", self.scaling, SCALINGS)
        check_choice("infill", self.infill, INFILLS)
        limits = BatchLimits() if self.limits is None else self.limits
        if not isinstance(limits, BatchLimits):
            msg = f"limits must be a BatchLimits, got {limits!r}"
            raise InputTypeError(msg)
        names = ("n_components", "unfolding", "scaling", "infill")
        return limits, {name: getattr(self, name) for name in names}

    def batch_level_data(self, scores: NDArray[np.float64], batch: NDArray[Any]) -> xr.Dataset:
        """Return scores of observations as batches, for `batch_level_`.

        Parameters
        ----------
        scores : ndarray of shape (n, K, A)
            As in `BatchScores`.
        batch : ndarray of shape (n,)
            Names of the batches.

        Returns
        -------
        Dataset, dims ("batch", "time")
            A variable for each component.
        """
        sizes = [phase.stop - phase.start for phase in self.phases_]
        coords = {
            "batch": batch,
            "time": self.time_,
            "phase": ("time", np.repeat([phase.name for phase in self.phases_], sizes)),
        }
        names = range(scores.shape[2])
        return xr.Dataset(
            {f"score_{a + 1}": (("batch", "time"), scores[:, :, a]) for a in names},
            coords=coords,
        )

    def _fit_batch_level(self, data: Batches, y: Any) -> BatchMonitor | None:
        """Fit a monitor of the scores of observations, unfolded by batch."""
        if self.unfolding == "batch":
            return None
        parts = [p.follow(data.values[:, p.start : p.stop]).scores for p in self.phases_]
        level = clone(self).set_params(unfolding="batch", alignment=None)
        return level.fit(self.batch_level_data(np.concatenate(parts, axis=1), data.batch), y)

    def _phase(self, name: str | None) -> Any:
        if name is None and len(self.phases_) == 1:
            return self.phases_[0]
        check_choice("phase", name, self.phase_names_)
        return self.phases_[self.phase_names_.index(str(name))]

    def _require_fitted(self) -> None:
        if not hasattr(self, "phases_"):
            msg = "this BatchMonitor is not fitted yet; call fit before using it"
            raise InputError(msg)
