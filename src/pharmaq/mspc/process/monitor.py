"""Monitoring of a continuous process by latent variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from pharmaq import modelfile
from pharmaq._checks import check_choice
from pharmaq.errors import FormatError, InputError
from pharmaq.mspc.process._fit import fit_monitor
from pharmaq.mspc.process._score import prepare, require_fitted, score_table
from pharmaq.mspc.process._storage import monitor_content, restore
from pharmaq.mspc.process._table import check_same_units, read_table, with_lags
from pharmaq.mspc.process._update import MonitorUpdate, update_monitor
from pharmaq.mspc.process.limits import (
    METHODS,
    MonitorLimit,
    combined_index,
    limit_from_values,
    one_limit,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import ArrayLike

    from pharmaq.mspc.process._components import Rule
    from pharmaq.mspc.process._table import Table
    from pharmaq.mspc.process.limits import CombinedLimit, SPELimit, T2Limit
    from pharmaq.mspc.process.scores import Observation, ProcessScores

__all__ = ["ProcessMonitor"]

Phase = Literal["phase1", "phase2"]
Contributions = Literal["complete", "reconstruction", "none"]

_STATISTICS = ("t2", "spe", "combined")


class ProcessMonitor(BaseEstimator):
    """Monitor many variables of a continuous process by T2 and SPE of a latent-variable model.

    Parameters
    ----------
    n_components : int or {"parallel analysis", "cross-validation", "explained variance"}, \
default "parallel analysis"
        Number of components, or the rule that chooses it: eigenvalues above those of
        independent variables [1]_; the smallest error of values that are foretold from the
        other variables of rows left out [2]_ (of y, with PLS); or a share of variance.
    method : {"pca", "pls"}, default "pca"
        Latent variables of X alone, or of X for responses y.
    scaling : {"autoscale", "center"}, default "autoscale"
        Divide each variable by its standard deviation, or leave it in its unit.
    lags : int, default 0
        Number of rows before each row that the model sees beside it: dynamic PCA [3]_.
    missing : {"raise", "nipals", "tsr"}, default "raise"
        What to do with NaN, in `fit` and in use: refuse it, or fit by NIPALS or by trimmed
        score regression, see `pharmaq.chemometrics.PCA`; scores of incomplete rows are by
        trimmed score regression.
    alpha : float, default 0.01
        Share of normal rows that may lie above each limit.
    t2_limit : {"f", "beta", "simca", "chi2", "empirical", "cross-validated"}, default "f"
        See `pharmaq.chemometrics.t2_limit` and Notes.
    spe_limit : {"jackson", "box", "box_eigenvalues", "imhof", "robust", "empirical", \
"cross-validated"}, default "jackson"
        See `pharmaq.chemometrics.spe_limit` and Notes.
    combined_limit : {"box_eigenvalues", "imhof", "empirical", "cross-validated"}, \
default "box_eigenvalues"
        Scaled chi2 [4]_ or exact limit from all eigenvalues; and Notes.
    explained : float, default 0.9
        Share for ``n_components="explained variance"``.
    cv : int or None, default 10
        Number of blocks of neighbouring rows that are left out in turn; None leaves out none.
    forgetting : float, default 1.0
        Weight of the past at each updating row, in (0, 1]; see `update`.
    random_state : int, default 0
        Seed of the parallel analysis.

    Attributes
    ----------
    model_ : PCA or PLS
        The fitted model of `lags` + 1 rows side by side.
    variables_ : tuple of str
        Variables, ``x1`` to ``xK`` where they had no names.
    units_ : dict of str to str
        Their units, as far as they were given.
    component_choice_ : ComponentChoice
        How the number of components was found.
    limits_ : tuple of MonitorLimit
        Limits of both phases, with the false alarms that left-out rows show.
    findings_ : tuple of Finding
        Limits whose false alarms are not what `alpha` says, and what was missing.
    n_samples_ : float
        Rows that the model stands for.
    n_updates_ : int
        Rows that `update` took in.
    n_missing_ : int
        Missing values in the rows of the fit.
    provenance_ : Provenance
        Parameters, versions and hash of the data.

    Notes
    -----
    The combined index is T2 / its limit + SPE / its limit [4]_.

    Limits of phase 1 are for the rows of the fit, those of phase 2 for later ones; ``"f"``
    becomes ``"beta"`` in phase 1. ``"empirical"`` is a quantile of the statistic over the rows
    of the fit; it is too small for later rows, which did not shape the model.
    ``"cross-validated"`` is the quantile over rows that were left out, the k-th smallest of n
    with k = (n + 1) (1 - alpha) rounded up: later rows that are like them exceed it with
    probability (n + 1 - k) / (n + 1). Limits from theory take rows as independent and normal;
    `limits_` and `compare_limits` tell how often they alarm on rows that were left out.

    References
    ----------
    .. [1] J. L. Horn, Psychometrika 30 (1965) 179-185.
    .. [2] R. Bro, K. Kjeldahl, A. K. Smilde, H. A. L. Kiers, Anal. Bioanal. Chem. 390 (2008)
           1241-1251.
    .. [3] W. Ku, R. H. Storer, C. Georgakis, Chemom. Intell. Lab. Syst. 30 (1995) 179-196.
    .. [4] H. H. Yue, S. J. Qin, Ind. Eng. Chem. Res. 40 (2001) 4403-4414.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> load = rng.normal(size=(300, 2))
    >>> normal = load @ rng.normal(size=(2, 6)) + 0.2 * rng.normal(size=(300, 6))
    >>> monitor = ProcessMonitor(n_components=2, alpha=0.01).fit(normal)
    >>> later = normal[:3].copy()
    >>> later[2, 4] += 2.0
    >>> result = monitor.score(later)
    >>> result.alarms
    array([False, False,  True])
    >>> result.contributions(top=1)["variable"].item()
    'x5'
    """

    def __init__(  # noqa: PLR0913 - the choices that make a monitor
        self,
        n_components: int | Rule = "parallel analysis",
        *,
        method: Literal["pca", "pls"] = "pca",
        scaling: Literal["autoscale", "center"] = "autoscale",
        lags: int = 0,
        missing: Literal["raise", "nipals", "tsr"] = "raise",
        alpha: float = 0.01,
        t2_limit: T2Limit = "f",
        spe_limit: SPELimit = "jackson",
        combined_limit: CombinedLimit = "box_eigenvalues",
        explained: float = 0.9,
        cv: int | None = 10,
        forgetting: float = 1.0,
        random_state: int = 0,
    ) -> None:
        self.n_components = n_components
        self.method = method
        self.scaling = scaling
        self.lags = lags
        self.missing = missing
        self.alpha = alpha
        self.t2_limit = t2_limit
        self.spe_limit = spe_limit
        self.combined_limit = combined_limit
        self.explained = explained
        self.cv = cv
        self.forgetting = forgetting
        self.random_state = random_state

    def fit(
        self, X: Any, y: ArrayLike | None = None, *, units: Mapping[str, str] | None = None
    ) -> Self:
        """Fit the model of normal operation, and its limits.

        Parameters
        ----------
        X : array-like or DataFrame, shape (n_rows, n_variables)
            Normal operation in time order. Units may stand in ``X.attrs["units"]``. NaN raises,
            unless `missing` says what to do.
        y : array-like, shape (n_rows,) or (n_rows, n_responses), optional
            Responses, for ``method="pls"`` only; NaN raises.
        units : dict of str to str, optional
            Unit of each variable, in place of those of `X`.

        Returns
        -------
        ProcessMonitor
            The fitted monitor.

        Raises
        ------
        InputError
            If a variable is constant or empty, there are too few rows for the components or
            for a limit, or time goes backwards.
        """
        fit_monitor(self, read_table(X, units=units), y)
        return self

    def score(
        self, X: Any, *, phase: Phase = "phase2", contributions: Contributions = "complete"
    ) -> ProcessScores:
        """Judge rows of process data.

        Parameters
        ----------
        X : array-like or DataFrame, shape (n_rows, n_variables)
            The fitted variables, by name in any order; in time order where the monitor has
            lags. NaN raises, unless `missing` says what to do.
        phase : {"phase1", "phase2"}, default "phase2"
            ``"phase1"`` for the rows of the fit, ``"phase2"`` for all others.
        contributions : {"complete", "reconstruction", "none"}, default "complete"
            ``"complete"``: shares that sum to the statistic. ``"reconstruction"``: what the
            statistic would fall by if a variable were where the others say it should be [1]_;
            for a fault of a single variable the largest is that variable's. ``"none"``: save
            the memory.

        Returns
        -------
        ProcessScores
            Statistics, limits, contributions and findings.

        Raises
        ------
        InputError
            If a variable is missing or was not fitted, or time goes backwards.
        UnitsError
            If `X` carries another unit than was fitted.

        References
        ----------
        .. [1] C. F. Alcala, S. J. Qin, Automatica 45 (2009) 1593-1600.
        """
        check_choice("phase", phase, ("phase1", "phase2"))
        check_choice("contributions", contributions, ("complete", "reconstruction", "none"))
        require_fitted(self)
        return score_table(self, self._read(X), phase, contributions)

    def score_one(self, values: ArrayLike) -> Observation:
        """Judge one row in a few microseconds, for programs that embed the monitor.

        Parameters
        ----------
        values : array-like, shape (n_variables,), or (lags + 1, n_variables)
            The variables in the order of `variables_`, and with lags the rows before it first.
            NaN raises, unless `missing` says what to do.

        Returns
        -------
        Observation
            T2, SPE, combined index, whether there is an alarm, and complete contributions.

        Raises
        ------
        InputError
            If the shape is another one, or a value is missing or infinite.
        """
        try:
            return self.fast_(values)
        except AttributeError:
            return prepare(self)(values)

    def update(self, X: Any) -> MonitorUpdate:
        """Judge rows one after the other, and let the model learn from the normal ones.

        Parameters
        ----------
        X : array-like or DataFrame, shape (n_rows, n_variables)
            Rows in time order, as for `score`.

        Returns
        -------
        MonitorUpdate
            Statistics and limits of each row before it was learned, and which rows were.

        Raises
        ------
        InputError
            If the monitor has ``method="pls"``, or limits that need the rows of the fit.

        Notes
        -----
        A row that exceeds the limit of T2 or SPE, or has a missing value, changes nothing. Each
        other row enters mean and covariance with weight 1, after the weights of all rows before
        it were multiplied by `forgetting` [1]_. Components are computed anew from the scaled
        covariance, as many as before; limits follow from the effective number of rows,
        N = (sum of weights)^2 / sum of squared weights. With ``forgetting=1`` nothing is
        forgotten, and the model becomes that of all normal rows.

        References
        ----------
        .. [1] W. Li, H. H. Yue, S. Valle-Cervantes, S. J. Qin, J. Process Control 10 (2000)
               471-486.
        """
        table = self._read(X)
        values, rows = with_lags(table, self.lags)
        return update_monitor(self, values, table.labels[rows])

    def recalibrate(self, X: Any) -> Self:
        """Set the limits of phase 2 by normal rows that the model was not fitted to.

        Parameters
        ----------
        X : array-like or DataFrame, shape (n_rows, n_variables)
            Normal operation, as for `score`; at least 1 / alpha - 1 rows.

        Returns
        -------
        ProcessMonitor
            Itself, with limits of phase 2 by the method ``"held-out"``: quantiles as for
            ``"cross-validated"``. The model stays.
        """
        result = self.score(X, contributions="none")
        rows = {"t2": result.t2, "spe": result.spe}
        limits = {}
        for name, values in rows.items():
            limits[name] = limit_from_values(
                values, self.alpha, f"the held-out limit of {name}"
            )
        weights = (limits["t2"][0], limits["spe"][0])
        both = combined_index(rows["t2"], rows["spe"], *weights)
        limits["combined"] = limit_from_values(both, self.alpha)
        kept: list[MonitorLimit] = [limit for limit in self.limits_ if limit.phase == "phase1"]
        new = [
            MonitorLimit(name, "phase2", "held-out", self.alpha, *limits[name])
            for name in _STATISTICS
        ]
        self.limits_: tuple[MonitorLimit, ...] = (*kept, *new)
        self.weights_ = weights
        prepare(self)
        return self

    def compare_limits(self) -> pd.DataFrame:
        """Return the limits by every method, with the false alarms left-out rows show.

        Returns
        -------
        pandas.DataFrame
            Columns of `MonitorLimit`; ``used`` marks those in use. A method that has no limit
            for these data has NaN.
        """
        require_fitted(self)
        rows = []
        used = {
            (limit.statistic, limit.method) for limit in self.limits_ if limit.phase == "phase2"
        }
        statistics = self.statistics_.with_combined(*self.weights_)
        for name, methods in METHODS.items():
            for method in methods:
                try:
                    limit = one_limit(
                        statistics, name, "phase2", method, self.alpha, self.weights_
                    )
                except InputError:
                    limit = MonitorLimit(name, "phase2", method, self.alpha, np.nan)
                rows.append((*limit, (name, method) in used))
        return pd.DataFrame(rows, columns=[*MonitorLimit._fields, "used"])

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
        require_fitted(self)
        return modelfile.save(path, "process_monitor", monitor_content(self))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a monitor back and check its seal.

        Parameters
        ----------
        path : str or Path
            A file that `save` wrote.

        Returns
        -------
        ProcessMonitor
            Ready to score; it gives the same bits as before.

        Raises
        ------
        FormatError
            If the file is damaged or changed.
        """
        content, _ = modelfile.load(path, "process_monitor")
        try:
            monitor = restore(cls, content)
        except (KeyError, TypeError) as error:
            msg = f"{path} does not hold a process monitor of this version: {error}"
            raise FormatError(msg) from None
        prepare(monitor)
        return monitor

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is made anew on first use."""
        state = dict(super().__getstate__())
        state.pop("fast_", None)
        return state

    def _read(self, X: Any) -> Table:
        require_fitted(self)
        table = read_table(X, variables=self.variables_, fitted_names=self.named_)
        check_same_units(table.units, self.units_)
        return table
