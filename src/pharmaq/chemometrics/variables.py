"""Choice of the points that a calibration uses: interval PLS and CARS."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice, check_integer
from pharmaq.chemometrics._base import check_response, fit_matrix
from pharmaq.chemometrics.crossval import CrossValidation, cross_validate, groups_of
from pharmaq.chemometrics.pls import PLS
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["IntervalSelection", "VariableSelection", "cars", "interval_pls"]

# share of the samples that each run of CARS draws, as in the original
DRAWN = 0.8


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class IntervalSelection(Result):
    """Intervals of the axis that predict best together.

    Parameters
    ----------
    intervals : ndarray of shape (n_intervals, 2)
        First and last point of every interval, in axis units or point numbers.
    chosen : tuple of int
        Numbers of the chosen intervals, ascending.
    selected : ndarray of int
        Indices of the points in them.
    steps : tuple of int
        Numbers of the intervals added or removed, in order.
    rmsecv_path, n_components_path : ndarray of shape (n_steps,)
        Smallest RMSECV after each step, and the number of components that gives it.
    rmsecv, rmsecv_full : float
        Smallest RMSECV of the chosen intervals, and of all points.
    n_components, n_components_full : int
        Numbers of components that give them.
    rmsecv_first : ndarray of shape (n_intervals,)
        Smallest RMSECV of each trial of the first step: that of the interval alone (forward),
        or of all others (backward).
    axis, mean : ndarray of shape (n_points,)
        Axis of the points, or their numbers, and the mean spectrum.
    axis_kind : str or None
        ``"wavelength"``, ``"wavenumber"``, ``"raman_shift"``; None where there is no axis.
    direction : str
        ``"forward"`` or ``"backward"``.
    findings : tuple of Finding
        What to keep in mind: RMSECV of chosen points is optimistic.
    """

    intervals: NDArray[np.float64]
    chosen: tuple[int, ...]
    selected: NDArray[np.intp]
    steps: tuple[int, ...]
    rmsecv_path: NDArray[np.float64]
    n_components_path: NDArray[np.intp]
    rmsecv: float
    rmsecv_full: float
    n_components: int
    n_components_full: int
    rmsecv_first: NDArray[np.float64]
    axis: NDArray[Any]
    mean: NDArray[np.float64]
    axis_kind: str | None
    direction: str
    findings: tuple[Finding, ...]

    @property
    def ranges(self) -> list[tuple[float, float]]:
        """Ends of the chosen intervals, as `SelectRange` takes them."""
        return [(float(low), float(high)) for low, high in self.intervals[list(self.chosen)]]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a step: the interval added or removed, and RMSECV after it."""
        low, high = self.intervals[list(self.steps)].T
        frame = pd.DataFrame({"interval": self.steps, "low": low, "high": high})
        return frame.assign(rmsecv=self.rmsecv_path, n_components=self.n_components_path)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw RMSECV of each interval over the mean spectrum.

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

        return plots.plot_intervals(self, ax=ax)


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class VariableSelection(Result):
    """Points that predict best, and the path that led to them.

    Parameters
    ----------
    selected : ndarray of int
        Indices of the chosen points, ascending.
    axis : ndarray of shape (n_selected,)
        The same in axis units, or the indices where there is no axis.
    n_variables, rmsecv, n_components : ndarray of shape (n_runs,)
        Points left after each run, their smallest RMSECV and the components that give it.
    best_run : int
        The run, from 0, that was chosen: smallest RMSECV, fewest points.
    rmsecv_full, n_components_full : float, int
        The same for all points.
    method, random_state : str, int
        ``"cars"``, and its seed.
    findings : tuple of Finding
        What to keep in mind: RMSECV of chosen points is optimistic.
    """

    selected: NDArray[np.intp]
    axis: NDArray[Any]
    n_variables: NDArray[np.intp]
    rmsecv: NDArray[np.float64]
    n_components: NDArray[np.intp]
    best_run: int
    rmsecv_full: float
    n_components_full: int
    method: str
    random_state: int
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a run, with the chosen one marked."""
        runs = np.arange(len(self.rmsecv))
        frame = pd.DataFrame({"run": runs, "n_variables": self.n_variables})
        frame = frame.assign(rmsecv=self.rmsecv, n_components=self.n_components)
        return frame.assign(chosen=runs == self.best_run)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw RMSECV over the number of points that each run left.

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

        return plots.plot_variable_runs(self, ax=ax)


def interval_pls(
    X: Any,
    y: ArrayLike,
    *,
    n_intervals: int = 20,
    direction: Literal["forward", "backward"] = "forward",
    n_components: int = 10,
    scale: bool = False,
    cv: Any = None,
    groups: ArrayLike | None = None,
) -> IntervalSelection:
    """Choose intervals of the axis, one at a time, by cross-validation [1]_.

    Parameters
    ----------
    X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
        Spectra, preprocessed by steps that treat each one by itself; NaN raises.
    y : array-like, shape (n_samples,)
        Reference values of one response; NaN raises.
    n_intervals : int, default 20
        Number of intervals of equal length; the first ones are longer by one point where the
        points do not divide evenly.
    direction : {"forward", "backward"}, default "forward"
        Add intervals to none, or take them away from all.
    n_components : int, default 10
        Largest number of components tried.
    scale : bool, default False
        Divide every point by its standard deviation in each fold.
    cv, groups
        As in `cross_validate`. A splitter that shuffles anew at every call compares intervals
        on different folds.

    Returns
    -------
    IntervalSelection
        The intervals, with RMSECV after each step.

    Raises
    ------
    InputError
        If there are several responses, or more intervals than points.

    Notes
    -----
    Every step tries each interval and takes the one that gives the smallest RMSECV over 1 to
    `n_components` components; it ends where none makes it smaller. The samples that choose
    the intervals also judge them, so that the RMSECV is optimistic, the more so the more
    intervals there are: judge the choice on samples that had no part in it.

    References
    ----------
    .. [1] L. Norgaard, A. Saudland, J. Wagner, J. P. Nielsen, L. Munck, S. B. Engelsen,
       Appl. Spectrosc. 54 (2000) 413-419.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(30, 12))
    >>> interval_pls(X, X[:, 4] - X[:, 5], n_intervals=6, n_components=2).ranges
    [(4.0, 5.0)]
    """
    check_choice("direction", direction, ("forward", "backward"))
    trial = _Trial.of(X, y, n_components, scale, cv, groups)
    n_points = trial.X.shape[1]
    check_integer("n_intervals", n_intervals, least=1, most=n_points)
    parts = np.array_split(np.arange(n_points), n_intervals)
    ends = np.array([(trial.axis[part[0]], trial.axis[part[-1]]) for part in parts], float)
    whole = trial.judge(np.arange(n_points))
    chosen, best, steps, first = _stepwise(trial, parts, direction, whole)
    return IntervalSelection(
        intervals=ends,
        chosen=tuple(chosen),
        selected=np.concatenate([parts[i] for i in chosen]),
        steps=tuple(interval for interval, _, _ in steps),
        rmsecv_path=np.array([error for _, error, _ in steps]),
        n_components_path=np.array([count for _, _, count in steps], dtype=np.intp),
        rmsecv=best[0],
        rmsecv_full=whole[0],
        n_components=best[1],
        n_components_full=whole[1],
        rmsecv_first=first,
        axis=trial.axis,
        mean=trial.X.mean(axis=0),
        axis_kind=trial.axis_kind,
        direction=direction,
        findings=_findings("interval PLS", best[0], whole[0]),
    )


def cars(
    X: Any,
    y: ArrayLike,
    *,
    n_components: int = 10,
    n_runs: int = 50,
    scale: bool = False,
    cv: Any = None,
    groups: ArrayLike | None = None,
    random_state: int = 0,
) -> VariableSelection:
    """Choose points by competitive adaptive reweighted sampling [1]_.

    Parameters
    ----------
    X, y
        As in `interval_pls`; at least 3 points.
    n_components : int, default 10
        Largest number of components.
    n_runs : int, default 50
        Number of runs N, at least 2, over which the points decrease from all to 2.
    scale : bool, default False
        Divide every point by its standard deviation, in each model.
    cv, groups
        As in `cross_validate`; for RMSECV only.
    random_state : int, default 0
        Seed; the same seed gives the same points.

    Returns
    -------
    VariableSelection
        The points of the run with the smallest RMSECV, and the path of all runs.

    Raises
    ------
    InputError
        If there are several responses, or fewer than 3 points.

    Notes
    -----
    Run i = 1 to N fits PLS to a random 80% of the samples and to the points left, and weighs
    every point by its |coefficient|. Of p points, the a exp(-k i) p heaviest stay, with
    a = (p / 2)^(1 / (N - 1)) and k = ln(p / 2) / (N - 1). Of these, p are drawn with
    replacement and probabilities by weight; the points drawn at least once are left for the
    next run, and their RMSECV over all samples is found. As in `interval_pls`, the RMSECV
    of the points chosen is optimistic. Other seeds give other points of much the same RMSECV.

    References
    ----------
    .. [1] H. Li, Y. Liang, Q. Xu, D. Cao, Anal. Chim. Acta 648 (2009) 77-84.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(30, 12))
    >>> cars(X, X[:, 4] - X[:, 5], n_components=2, n_runs=10).selected
    array([4, 5])
    """
    trial = _Trial.of(X, y, n_components, scale, cv, groups)
    n_points = trial.X.shape[1]
    check_integer("n_runs", n_runs, least=2)
    seed = check_integer("random_state", random_state, least=0)
    if n_points < 3:
        msg = f"X must have at least 3 points to choose from, got {n_points}"
        raise InputError(msg)
    subsets = _competition(trial, n_runs, np.random.default_rng(seed))
    judged = [trial.judge(subset) for subset in subsets]
    sizes = np.array([len(subset) for subset in subsets])
    rmsecv = np.array([error for error, _ in judged])
    best = int(np.lexsort((sizes, rmsecv))[0])
    whole = trial.judge(np.arange(n_points))
    return VariableSelection(
        selected=subsets[best],
        axis=trial.axis[subsets[best]],
        n_variables=sizes,
        rmsecv=rmsecv,
        n_components=np.array([count for _, count in judged]),
        best_run=best,
        rmsecv_full=whole[0],
        n_components_full=whole[1],
        method="cars",
        random_state=seed,
        findings=_findings("CARS", rmsecv[best], whole[0]),
    )


@dataclasses.dataclass(frozen=True)
class _Trial:
    """The data and the way in which any choice of points is judged."""

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    axis: NDArray[Any]
    axis_kind: str | None
    model: PLS
    cv: Any
    groups: Any

    @classmethod
    def of(
        cls, X: Any, y: ArrayLike, n_components: int, scale: bool, cv: Any, groups: Any
    ) -> _Trial:
        check_integer("n_components", n_components, least=1)
        model = PLS(n_components, scale=scale)
        values = fit_matrix(model, X, least=2)
        response = check_response(y, len(values))
        if response.ndim > 1:
            msg = f"y must hold one response, got shape {response.shape}; choose for each alone"
            raise InputError(msg)
        groups = groups_of(X, groups)
        axis = np.arange(values.shape[1]) if model.axis_ is None else model.axis_
        plain = PLS(n_components, scale=scale)
        return cls(values, response, axis, model.axis_kind_, plain, cv, groups)

    def judge(self, points: NDArray[np.intp]) -> tuple[float, int]:
        """Return the smallest RMSECV of some points and its number of components."""
        result: CrossValidation = cross_validate(
            self.model, self.X[:, points], self.y, cv=self.cv, groups=self.groups, excess="trim"
        )
        best = int(result.rmsecv.argmin())
        return float(result.rmsecv[best]), best + 1


def _stepwise(
    trial: _Trial, parts: list[NDArray[np.intp]], direction: str, whole: tuple[float, int]
) -> tuple[list[int], tuple[float, int], list[tuple[int, float, int]], NDArray[np.float64]]:
    """Return intervals in use, RMSECV and components, the steps, RMSECV of the first trials."""
    forward = direction == "forward"
    used: list[int] = [] if forward else list(range(len(parts)))
    best = (np.inf, 0) if forward else whole
    steps: list[tuple[int, float, int]] = []
    first = np.full(len(parts), np.nan)
    while len(used) < len(parts) if forward else len(used) > 1:
        open_ = [i for i in range(len(parts)) if (i in used) != forward]
        sets = [sorted({*used} ^ {i}) for i in open_]
        judged = [trial.judge(np.concatenate([parts[j] for j in each])) for each in sets]
        if not steps:
            first[open_] = [error for error, _ in judged]
        place = min(range(len(judged)), key=lambda i: judged[i][0])
        if judged[place][0] >= best[0]:
            break
        used, best = sets[place], judged[place]
        steps.append((open_[place], *best))
    return used, best, steps, first


def _competition(
    trial: _Trial, n_runs: int, generator: np.random.Generator
) -> list[NDArray[np.intp]]:
    """Return the points left after each run."""
    n_samples, n_points = trial.X.shape
    drawn = max(2, round(DRAWN * n_samples))
    decay = np.log(n_points / 2) / (n_runs - 1)
    left = np.arange(n_points)
    subsets = []
    for run in range(n_runs):
        rows = np.sort(generator.choice(n_samples, drawn, replace=False))
        weights = _weights(trial.model, trial.X[np.ix_(rows, left)], trial.y[rows])
        keep = min(len(left), max(2, round(n_points * np.exp(-decay * run))))
        heaviest = np.sort(np.argsort(-weights, kind="stable")[:keep])
        share = weights[heaviest] / weights[heaviest].sum()
        left = np.unique(left[generator.choice(heaviest, n_points, p=share)])
        subsets.append(left)
    return subsets


def _weights(model: PLS, X: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return |coefficients| in the units of the model, with as many components as X carries."""
    count = min(model.n_components, len(X) - 1, X.shape[1])
    try:
        fitted = PLS(count, scale=model.scale).fit(X, y)
    except InputError:
        if count == 1:
            raise
        # few points can be exhausted early; fewer components then say the same
        return _weights(PLS(count - 1, scale=model.scale), X, y)
    return np.abs(fitted.coef_[0] * fitted.x_scale_)


def _findings(method: str, rmsecv: float, whole: float) -> tuple[Finding, ...]:
    text = "RMSECV is optimistic, for the same samples chose the points and judged them; "
    finding = Finding(
        rule="optimistic_rmsecv",
        severity="alert",
        subject=method,
        message=text + "validate the choice on samples that had no part in it",
        value=rmsecv,
    )
    if rmsecv < whole:
        return (finding,)
    worse = Finding(
        rule="no_better_than_all_points",
        severity="info",
        subject=method,
        message="the chosen points predict no better than all points; keep all of them",
        value=rmsecv,
        limit=whole,
    )
    return finding, worse
