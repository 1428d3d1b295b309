"""Capability of each period on its own."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np
import pandas as pd

from pharmaq._checks import check_vector
from pharmaq.errors import InputError
from pharmaq.results import Result
from pharmaq.spc.capability._capability import capability
from pharmaq.spc.charts import stage_masks
from pharmaq.spc.subgroups import as_subgroups, holds_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from pharmaq.results import Finding
    from pharmaq.spc.capability._capability import Distribution, Limits, Variation
    from pharmaq.spc.capability._result import Capability
    from pharmaq.spc.sigma import MovingRangeEstimator, SubgroupEstimator

__all__ = ["CapabilityOptions", "StagedCapability", "capability_by_stage"]


class CapabilityOptions(TypedDict, total=False):
    """What `capability` takes beside values and subgroups, as keywords."""

    lsl: float | None
    usl: float | None
    target: float | None
    estimator: SubgroupEstimator | MovingRangeEstimator | None
    variation: Variation
    between_estimator: MovingRangeEstimator
    distribution: Distribution
    confidence: float
    limits: Limits
    n_resamples: int
    random_state: int | np.random.Generator | None
    units: str


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class StagedCapability(Result):
    """A capability study of each stage, for one specification.

    Parameters
    ----------
    stages : dict of str to Capability
        Studies by the names of their stages, in order of time.
    """

    stages: dict[str, Capability]

    @property
    def valid(self) -> bool:
        """Whether all stages are."""
        return all(one.valid for one in self.stages.values())

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Why indices may not be used; the subject is the stage."""
        return tuple(
            dataclasses.replace(finding, subject=name)
            for name, one in self.stages.items()
            for finding in one.findings
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row a stage: numbers, indices with limits, ppm, and what is wrong."""
        return pd.DataFrame(
            [_row(one) for one in self.stages.values()],
            index=pd.Index(list(self.stages), name="stage"),
        )

    def plot(self, *, ax: Any = None) -> Any:
        """Draw Cpk and Ppk of each stage with their limits.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture; open marks are not valid.
        """
        from pharmaq.spc.capability import plots

        return plots.plot_stages(self, ax=ax)


def capability_by_stage(
    values: Any,
    stages: ArrayLike,
    *,
    subgroups: ArrayLike | int | None = None,
    **options: Unpack[CapabilityOptions],
) -> StagedCapability:
    """Judge each period of a process on its own: before and after a change, by campaign.

    Parameters
    ----------
    values : array-like, shape (n,) or (m, n)
        Single values in time order, or a subgroup a row, any unit; NaN raises.
    stages : array-like, shape (n,) or (m,)
        Period of each value, or of each subgroup; the values of one stand together.
    subgroups : array-like or int, optional
        For one column of values in subgroups, see `as_subgroups`; no subgroup lies in two
        stages.
    **options : CapabilityOptions
        Specification and everything else as in `capability`, the same for all stages.

    Returns
    -------
    StagedCapability
        A study a stage, their table and their picture.

    Raises
    ------
    InputError
        If a stage comes back after another, a subgroup lies in two, or the study of a stage is
        not possible; the message names the stage.

    Examples
    --------
    >>> assay = [99.6, 100.4, 99.9, 101.3, 99.8, 100.2, 100.6, 99.4, 100.9, 100.1]
    >>> moved = assay + [x - 2 for x in assay]
    >>> found = capability_by_stage(moved, ["A"] * 10 + ["B"] * 10, lsl=95.0, usl=105.0)
    >>> found.to_frame()[["n", "mean", "ppk"]].round(2)
            n    mean   ppk
    stage
    A      10  100.22  2.69
    B      10   98.22  1.81
    """
    studies = {}
    for name, study in _split(values, stages, subgroups):
        try:
            studies[name] = study(options)
        except InputError as error:
            msg = f"stage {name!r}: {error}"
            raise InputError(msg) from None
    return StagedCapability(stages=studies)


def _split(
    values: Any, stages: ArrayLike, subgroups: ArrayLike | int | None
) -> list[tuple[str, Callable[[Any], Capability]]]:
    """Return the name of each stage and how to study it."""
    names = _named(stages)
    if subgroups is None and not holds_rows(values):
        x = check_vector("values", values)
        return [
            (str(names[where][0]), _of_values(x[where])) for where in stage_masks(names, x.size)
        ]
    grouped = as_subgroups(values, subgroups=subgroups)
    names = _of_subgroups(names, grouped.sizes, grouped.labels)
    found: list[tuple[str, Callable[[Any], Capability]]] = []
    for where in stage_masks(names, grouped.sizes.size):
        one = grouped.take(where)
        labels = np.repeat(one.labels, one.sizes)
        found.append((str(names[where][0]), _of_values(one.values, labels)))
    return found


def _named(stages: ArrayLike) -> NDArray[Any]:
    names = np.asarray(stages)
    missing = np.flatnonzero(pd.isna(names))
    if missing.size:
        msg = f"stages must name a period everywhere, but stages[{missing[0]}] is missing"
        raise InputError(msg)
    return names


def _of_values(x: NDArray[Any], labels: Any = None) -> Callable[[Any], Capability]:
    return lambda options: capability(x, subgroups=labels, **options)


def _of_subgroups(
    stages: NDArray[Any], sizes: NDArray[np.intp], labels: NDArray[Any]
) -> NDArray[Any]:
    """Return the stage of each subgroup, where it may be given for each value."""
    if stages.shape != (int(sizes.sum()),):
        return stages
    of_first = stages[np.cumsum(sizes) - sizes]
    torn = np.flatnonzero(stages != np.repeat(of_first, sizes))
    if torn.size:
        label = np.repeat(labels, sizes)[torn[0]]
        msg = f"stages must not divide a subgroup, but subgroup {label} lies in two of them"
        raise InputError(msg)
    return of_first


def _row(one: Capability) -> dict[str, Any]:
    row: dict[str, Any] = {"n": one.n_values, "mean": one.mean, "sd": one.sd}
    if one.between is not None:
        row["sigma_short"] = one.between.sigma_total
    elif one.within is not None:
        row["sigma_short"] = one.within.value
    for index in one.indices.values():
        row[index.name] = index.value
        row[f"{index.name}_lower"], row[f"{index.name}_upper"] = index.lower, index.upper
    row |= {f"ppm_{name}": rate["total"] for name, rate in one.ppm.items()}
    row["findings"] = ", ".join(finding.rule for finding in one.findings)
    return row
