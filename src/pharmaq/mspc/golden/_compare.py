"""Batches of sites, scales or campaigns: how much of their variation is between them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmaq.errors import InputError
from pharmaq.mspc.golden._data import Aligned, read_aligned
from pharmaq.results import Finding, Result
from pharmaq.spc import variance_components

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["GroupComparison", "compare_groups"]


_NUMBERS = ("sd", "percent", "lower", "upper", "f", "p")


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class GroupComparison(Result):
    """Variation of batches between and within groups.

    Parameters
    ----------
    table : DataFrame
        A row a variable: ``variable, units, between, within, percent_between, lower, upper, f,
        p, n``; between and within are standard deviations of the mean deviation of a batch from
        the mean trajectory, limits are of the one between.
    groups : list of str
        Names of the groups.
    sizes : dict of str to int
        Batches of each group.
    means : ndarray of shape (G, K, J)
        Mean trajectory of each group; NaN where it has no value.
    time : ndarray of shape (K,)
        Aligned times.
    time_units : str
        Their unit.
    alpha : float
        Level of the tests, by Bonferroni for all variables together.
    findings : tuple of Finding
        Variables that differ between groups; that do not vary.
    """

    table: pd.DataFrame
    groups: list[str]
    sizes: dict[str, int]
    means: Array
    time: Array
    time_units: str
    alpha: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table.copy()

    def plot(self, *, variable: str | None = None, ax: Any = None) -> Any:
        """Draw the mean trajectories of the groups.

        Parameters
        ----------
        variable : str, optional
            Which; by default the one with the largest share between groups.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.mspc.golden import plots

        return plots.plot_groups(self, variable=variable, ax=ax)


def compare_groups(
    batches: xr.Dataset, groups: Mapping[Any, str] | pd.Series, *, alpha: float = 0.05
) -> GroupComparison:
    """Split the variation of batches into between and within sites, scales or campaigns.

    Parameters
    ----------
    batches : Dataset, dims ("batch", "time")
        Aligned; NaN is left out.
    groups : mapping or Series
        The group of each batch.
    alpha : float, default 0.05
        Chance of any finding where groups do not differ, by Bonferroni over the variables.

    Returns
    -------
    GroupComparison
        Components by variable, mean trajectories, findings.

    Raises
    ------
    InputError
        If a batch has no group, there are fewer than two groups, or no group has two batches.

    Notes
    -----
    For each variable a batch is one number: the mean over time of its deviation from the mean
    trajectory of all batches. Of these numbers `pharmaq.spc.variance_components` splits the
    variance; F tests the groups. Differences in shape that cancel over time are seen in the
    picture of mean trajectories, or in a `BatchMonitor`.

    Examples
    --------
    >>> import xarray as xr
    >>> values = np.random.default_rng(2).normal(size=(12, 30))
    >>> values[6:] += 3.0
    >>> batches = xr.Dataset(
    ...     {"pH": (("batch", "time"), values)},
    ...     coords={"batch": np.arange(12), "time": np.arange(30.0)},
    ... )
    >>> site = {batch: "north" if batch < 6 else "south" for batch in range(12)}
    >>> [finding.message for finding in compare_groups(batches, site).findings]
    ['pH differs between groups: 99 % of the variance']
    """
    data = read_aligned(batches)
    named = {str(key): str(value) for key, value in dict(groups).items()}
    lacking = [batch for batch in data.batch if str(batch) not in named]
    if lacking:
        msg = f"groups must name a group for every batch; {lacking[:5]!r} have none"
        raise InputError(msg)
    group = np.array([named[str(batch)] for batch in data.batch])
    names = list(dict.fromkeys(group))
    deviations = _mean_deviations(data)
    rows, findings = [], []
    for j, variable in enumerate(data.variables):
        row, found = _variable(deviations[:, j], group, variable, alpha / len(data.variables))
        rows.append({"variable": variable, "units": data.units[j]} | row)
        findings.extend(found)
    return GroupComparison(
        table=pd.DataFrame(rows),
        groups=names,
        sizes={name: int((group == name).sum()) for name in names},
        means=np.array([_mean(data.values[group == name]) for name in names]),
        time=data.time,
        time_units=data.time_units,
        alpha=alpha,
        findings=tuple(findings),
    )


def _mean(values: Array) -> Array:
    """Return the mean over the first axis of what was measured."""
    known = ~np.isnan(values)
    total, number = np.where(known, values, 0.0).sum(axis=0), known.sum(axis=0)
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)


def _mean_deviations(data: Aligned) -> Array:
    """Return the mean over time of the deviations from the mean trajectory, (n, J)."""
    deviations = data.values - _mean(data.values)
    return _mean(np.moveaxis(deviations, 1, 0))


def _variable(
    values: Array, group: NDArray[Any], variable: str, alpha: float
) -> tuple[dict[str, float], list[Finding]]:
    known = ~np.isnan(values)
    frame = pd.DataFrame({"group": group[known], "value": values[known]})
    if frame["value"].nunique() < 2:
        row = dict.fromkeys(("between", "within", "percent_between"), 0.0)
        row |= dict.fromkeys(("lower", "upper", "f", "p"), np.nan) | {"n": float(known.sum())}
        message = f"{variable} does not vary between batches"
        return row, [
            Finding(rule="constant", severity="info", subject=variable, message=message)
        ]
    # the first row is the groups, the second what is within
    table = variance_components(frame, "group").table
    numbers = {name: table[name].to_numpy(dtype=float) for name in _NUMBERS}
    row = {
        "between": float(numbers["sd"][0]),
        "within": float(numbers["sd"][1]),
        "percent_between": float(numbers["percent"][0]),
        "lower": float(np.sqrt(numbers["lower"][0])),
        "upper": float(np.sqrt(numbers["upper"][0])),
        "f": float(numbers["f"][0]),
        "p": float(numbers["p"][0]),
        "n": float(known.sum()),
    }
    if not row["p"] < alpha:
        return row, []
    percent = row["percent_between"]
    finding = Finding(
        rule="groups_differ",
        severity="alert",
        subject=variable,
        value=row["p"],
        limit=alpha,
        message=f"{variable} differs between groups: {percent:.0f} % of the variance",
    )
    return row, [finding]
