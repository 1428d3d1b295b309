"""What `diagnose` returns."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice
from pharmaq.chemometrics.diagnostics._limits import DiagnosticLimit
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Diagnostics"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class Diagnostics(Result):
    """How far samples are from a model, in every way that can be told, with limits.

    Parameters
    ----------
    sample : ndarray of shape (n,)
        Label of each sample.
    role : str
        ``"calibration"`` or ``"new"``.
    convention : str
        Whose formulas were used.
    choices : dict of str to str
        What that means, formula by formula.
    n_samples, n_components, n_variables : int
        Sizes N, A and K of the calibration.
    alpha, gamma : float
        Share of good samples allowed above each limit; chance of any one of N samples above
        the limits called "outlier".
    scores : ndarray of shape (n, A)
        Scores.
    loadings : ndarray of shape (K, A)
        Loadings.
    t2, spe : ndarray of shape (n,)
        Hotelling's T2 and squared prediction error.
    dmodx : ndarray of shape (n,)
        Normalised distance to the model; NaN where the components span all variables.
    leverage : ndarray of shape (n,)
        Leverage against the calibration.
    nearest_neighbor : ndarray of shape (n,)
        Mahalanobis distance in the space of scores to the nearest calibration sample; of a
        calibration sample, to the nearest other one.
    distance : ndarray of shape (n,) or None
        Full distance of data-driven SIMCA, where its limits are judged.
    residual : ndarray of shape (n,) or (n, n_responses), or None
        Studentised residual of y, predicted minus reference; None without `y`.
    residual_method : str or None
        How it was studentised.
    vip : ndarray of shape (K,) or None
        Variable importance; None for a model without y.
    limits : tuple of DiagnosticLimit
        Limits of each statistic by each method; those that were judged are marked.
    findings : tuple of Finding
        One for each sample outside each judged limit.
    """

    sample: NDArray[Any]
    role: str
    convention: str
    choices: dict[str, str]
    n_samples: int
    n_components: int
    n_variables: int
    alpha: float
    gamma: float
    scores: NDArray[np.float64]
    loadings: NDArray[np.float64]
    t2: NDArray[np.float64]
    spe: NDArray[np.float64]
    dmodx: NDArray[np.float64]
    leverage: NDArray[np.float64]
    nearest_neighbor: NDArray[np.float64]
    distance: NDArray[np.float64] | None
    residual: NDArray[np.float64] | None
    residual_method: str | None
    vip: NDArray[np.float64] | None
    limits: tuple[DiagnosticLimit, ...]
    findings: tuple[Finding, ...]

    def limit(self, statistic: str, method: str | None = None) -> float:
        """Return a limit.

        Parameters
        ----------
        statistic : str
            ``"t2"``, ``"spe"``, ``"dmodx"``, ``"leverage"``, ``"residual"``,
            ``"nearest_neighbor"`` or ``"distance"``.
        method : str, optional
            Name of the method; by default the one of `convention`.

        Returns
        -------
        float
            The limit; NaN where the method has none for these data.
        """
        named = [row for row in self.limits if row.statistic == statistic]
        for row in named:
            if row.method == (method or self.choices.get(f"{statistic} limit")):
                return row.value
        known = ", ".join(row.method for row in named) or "none"
        msg = f"there is no limit of {statistic!r} by method = {method!r}; there are: {known}"
        raise InputError(msg)

    def outside(self, statistic: str) -> NDArray[np.bool_]:
        """Return which samples are beyond the limit of a statistic, by the default method.

        Parameters
        ----------
        statistic : str
            As in `limit`.

        Returns
        -------
        ndarray of bool, shape (n,)
            Residuals count on both sides, and for any of several responses.
        """
        values = getattr(self, statistic, None)
        if values is None:
            msg = f"there is no {statistic!r} in this result"
            raise InputError(msg)
        beyond = np.abs(values) > self.limit(statistic)
        return beyond.reshape(len(self.sample), -1).any(axis=1)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a sample: every statistic, and the rules that found it outside."""
        columns: dict[str, Any] = {"sample": self.sample}
        names = ("t2", "spe", "dmodx", "leverage", "nearest_neighbor", "distance", "residual")
        for name in names:
            values = getattr(self, name)
            if values is not None and values.ndim == 1:
                columns[name] = values
            elif values is not None:
                columns |= {f"{name}_y{i}": column for i, column in enumerate(values.T)}
        outside = [""] * len(self.sample)
        for statistic in self._judged():
            for i in np.flatnonzero(self.outside(statistic)):
                outside[i] += f", {statistic}" if outside[i] else statistic
        return pd.DataFrame(columns | {"outside": outside})

    def limits_frame(self) -> pd.DataFrame:
        """Return one row a limit, with the number of samples above it and the number expected.

        Returns
        -------
        pandas.DataFrame
            Columns ``statistic, method, alpha, value, judged, n_outside, n_expected``; the last
            is n alpha, what limits that hold let through.
        """
        frame = pd.DataFrame(self.limits, columns=list(DiagnosticLimit._fields))
        counts = []
        for row in self.limits:
            values = getattr(self, row.statistic)
            count = None if values is None else int(np.sum(np.abs(values) > row.value))
            counts.append(count)
        frame["n_outside"] = pd.array(counts, dtype="Int64")
        frame["n_expected"] = frame["alpha"] * len(self.sample)
        return frame

    def plot(
        self, *, kind: Literal["distances", "residuals"] = "distances", ax: Any = None
    ) -> Any:
        """Draw distances to the model, or residuals over leverage.

        Parameters
        ----------
        kind : {"distances", "residuals"}, default "distances"
            SPE (DModX for ``"simca"``) over T2, each divided by its limit; or studentised
            residuals over leverage.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.chemometrics.diagnostics import plots

        check_choice("kind", kind, ("distances", "residuals"))
        if kind == "distances":
            return plots.plot_distances(self, ax=ax)
        if self.residual is None:
            msg = "kind = 'residuals' needs residuals: give y to diagnose"
            raise InputError(msg)
        return plots.plot_residuals(self, ax=ax)

    def _judged(self) -> list[str]:
        return list(dict.fromkeys(row.statistic for row in self.limits if row.judged))
