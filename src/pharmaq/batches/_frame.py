"""The long frame of batches: checked, in one form, with what was found."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from pharmaq.batches._columns import (
    batch_codes,
    check_roles,
    column_units,
    phase_labels,
    value_columns,
)
from pharmaq.batches._findings import batch_findings, repair_findings
from pharmaq.batches._time import check_repairs, elapsed_time, repair_times
from pharmaq.errors import InputError, InputTypeError
from pharmaq.results import Finding, Result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pharmaq.batches._time import Repair

__all__ = ["Batches", "Trace", "as_batches"]


class Trace(NamedTuple):
    """One batch: its times, its values (a column a variable), the phase of each row."""

    time: NDArray[np.float64]
    values: NDArray[np.float64]
    phase: NDArray[Any] | None


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class Batches(Result):
    """Batches of any length, not yet aligned, with what was found in them.

    Parameters
    ----------
    frame : DataFrame
        Columns ``batch, time``, then ``phase`` where phases are known, then the variables;
        the rows of each batch stand together in order of time.
    units : dict of str to str
        Unit of each variable; empty text where it is not known.
    time_units : str
        Unit of the time; empty text where it is not known.
    starts : Series
        By batch, when time 0 was; empty where time was given as numbers.
    findings : tuple of Finding
        What was missing, constant, short, late or merged.
    """

    frame: pd.DataFrame
    units: dict[str, str]
    time_units: str
    starts: pd.Series
    findings: tuple[Finding, ...]

    @property
    def ids(self) -> list[Any]:
        """Names of the batches, in order of appearance."""
        return list(self.frame["batch"].unique())

    @property
    def variables(self) -> list[str]:
        """Names of the variables."""
        return list(self.units)

    @property
    def phases(self) -> list[str]:
        """Names of the phases, in order of appearance; empty where none are known."""
        return list(self.frame["phase"].unique()) if "phase" in self.frame else []

    def to_frame(self) -> pd.DataFrame:
        """Return the long frame."""
        return self.frame.copy()

    def traces(self) -> dict[Any, Trace]:
        """Return the times, values and phases of each batch.

        Returns
        -------
        dict of batch to Trace
            Times of shape (n,), values of shape (n, n_variables), phases of shape (n,) or
            None.
        """
        batch = self.frame["batch"].to_numpy()
        edges = np.flatnonzero(batch[1:] != batch[:-1]) + 1
        time = self.frame["time"].to_numpy()
        values = self.frame[self.variables].to_numpy(dtype=np.float64)
        phase = self.frame["phase"].to_numpy(dtype=object) if self.phases else None
        bounds = zip([0, *edges], [*edges, len(batch)], strict=True)
        return {
            batch[a]: Trace(time[a:b], values[a:b], None if phase is None else phase[a:b])
            for a, b in bounds
        }

    def select(self, ids: Sequence[Any]) -> Batches:
        """Return some of the batches.

        Parameters
        ----------
        ids : sequence
            Names of batches; their order here does not matter.

        Returns
        -------
        Batches
            The same with fewer batches.

        Raises
        ------
        InputError
            If a name is none of a batch, or none is given.
        """
        wanted = list(ids)
        unknown = [name for name in wanted if name not in self.ids]
        if unknown or not wanted:
            msg = (
                f"ids must name batches, got {unknown or wanted!r}; known are {self.ids[:10]!r}"
            )
            raise InputError(msg)
        rows = self.frame["batch"].isin(wanted)
        return dataclasses.replace(
            self,
            frame=self.frame[rows].reset_index(drop=True),
            starts=self.starts[self.starts.index.isin(wanted)],
            findings=tuple(f for f in self.findings if f.subject in {*map(str, wanted)}),
        )

    def ordered(self, variables: Sequence[str]) -> Batches:
        """Return the same with the variables in another order.

        Parameters
        ----------
        variables : sequence of str
            All of them, or some: the others are left out.

        Returns
        -------
        Batches
            With these variables.

        Raises
        ------
        InputError
            If a name is none of a variable.
        """
        unknown = [name for name in variables if name not in self.units]
        if unknown or not len(variables):
            msg = f"variables must be some of {self.variables}, got {list(variables)!r}"
            raise InputError(msg)
        roles = ["batch", "time", *["phase"] * bool(self.phases)]
        return dataclasses.replace(
            self,
            frame=self.frame[[*roles, *variables]],
            units={name: self.units[name] for name in variables},
        )

    def phase_table(self) -> pd.DataFrame:
        """Return when each phase ran in each batch.

        Returns
        -------
        DataFrame
            A row an uninterrupted run of a phase: ``batch, phase, start, end, duration, rows``;
            the end is the time of its last row.
        """
        columns = ["batch", "phase", "start", "end", "duration", "rows"]
        if not self.phases:
            return pd.DataFrame(columns=columns)
        key = self.frame[["batch", "phase"]]
        run = (key != key.shift()).any(axis=1).cumsum()
        table = self.frame.groupby(run, sort=False).agg(
            batch=("batch", "first"),
            phase=("phase", "first"),
            start=("time", "first"),
            end=("time", "last"),
            rows=("time", "size"),
        )
        table["duration"] = table["end"] - table["start"]
        return table[columns].reset_index(drop=True)

    def to_dataset(self) -> xr.Dataset:
        """Lay batches side by side on the times that any of them has; nothing is filled in.

        Returns
        -------
        Dataset, dims ("batch", "time")
            NaN where a batch has no row at a time. This aligns nothing: use it where batches
            are on one clock, or to look at them.
        """
        index = self.frame.set_index(["batch", "time"])
        grid = pd.MultiIndex.from_product([self.ids, np.unique(self.frame["time"])])
        full = index.reindex(grid)
        shape = (len(self.ids), -1)
        variables: dict[str, Any] = {
            name: (("batch", "time"), full[name].to_numpy().reshape(shape), {"units": unit})
            for name, unit in self.units.items()
        }
        coords: dict[str, Any] = {
            "batch": self.ids,
            "time": ("time", grid.levels[1].to_numpy(), {"units": self.time_units}),
        }
        if self.phases:
            phase = full["phase"].fillna("").to_numpy(dtype=object).reshape(shape)
            coords["phase"] = (("batch", "time"), phase.astype(str))
        return xr.Dataset(variables, coords=coords)


def as_batches(
    data: pd.DataFrame | xr.Dataset | Batches,
    *,
    batch: str = "batch",
    time: str = "time",
    phase: str | None = None,
    variables: Sequence[str] | None = None,
    units: Mapping[str, str] | None = None,
    time_units: str | None = None,
    repair: Repair | Sequence[Repair] = (),
) -> Batches:
    """Check batch data and bring them into one form.

    Parameters
    ----------
    data : DataFrame, Dataset or Batches
        A long frame, a row a batch and time; or a Dataset with dimensions ("batch", "time"),
        whose rows without any value are left out. Rows of different batches may be mixed.
    batch, time : str
        Columns with the name of the batch and the time: numbers, durations, or times with a
        time zone, which become the time since the first row of the batch.
    phase : str, optional
        Column with the phase; by default ``"phase"`` where there is one.
    variables : sequence of str, optional
        Columns to take; by default all others, which then have to be numbers. NaN is a value
        that was not measured: it is counted and stays.
    units : mapping of str to str, optional
        Unit of each variable. A column named ``"temperature [degC]"`` carries its own.
    time_units : str, optional
        Unit of times that are numbers; or the unit into which durations and times are
        brought, hours by default.
    repair : {"sort", "mean", "last"} or sequence of them, optional
        What may be done to times, counted in a finding: rows whose time goes backwards within a
        batch are sorted; of several rows of a batch at one time the mean or the last is kept.
        By default both are errors.

    Returns
    -------
    Batches
        The frame, units and findings.

    Raises
    ------
    InputError
        If a column is missing, a batch or a time is missing, time goes backwards within a
        batch or is repeated and no repair is named, a variable is infinite or has no value in
        any batch.
    InputTypeError
        If `data` is no frame or Dataset.

    Examples
    --------
    >>> frame = pd.DataFrame(
    ...     {
    ...         "batch": ["A", "A", "A", "B", "B"],
    ...         "time": [0.0, 1.0, 2.0, 0.0, 1.0],
    ...         "pH [1]": [7.0, 6.9, 6.8, 7.1, None],
    ...     }
    ... )
    >>> batches = as_batches(frame, time_units="h")
    >>> batches.ids, batches.units
    (['A', 'B'], {'pH': '1'})
    >>> [(finding.rule, finding.value) for finding in batches.findings]
    [('missing_values', 1.0)]
    """
    if isinstance(data, Batches):
        return data
    repairs = check_repairs(repair)
    if isinstance(data, xr.Dataset):
        data, units, time_units = _from_dataset(data, units, time_units)
        batch, time = "batch", "time"
    if not isinstance(data, pd.DataFrame):
        msg = (
            "data must be a long DataFrame with a row a batch and time, or a Dataset with "
            f"dimensions ('batch', 'time'), got {type(data).__name__}"
        )
        raise InputTypeError(msg)
    phase = check_roles(data, batch, time, phase)
    table = value_columns(data, variables, {batch, time, phase})
    known = column_units(table, units)
    codes, names = batch_codes(data, batch)
    clock = elapsed_time(data[time], codes, names, time_units)
    parts: dict[str, Any] = {"batch": pd.Series(names).take(codes), "time": clock.elapsed}
    if phase is not None:
        parts["phase"] = phase_labels(data, phase)
    columns = dict(zip(known, table.values(), strict=True))
    frame = pd.DataFrame({k: np.asarray(v) for k, v in (parts | columns).items()})
    frame = frame.iloc[np.argsort(codes, kind="stable")].reset_index(drop=True)
    repaired = repair_times(frame, repairs)
    return Batches(
        frame=repaired.frame,
        units=known,
        time_units=clock.units,
        starts=clock.starts,
        findings=(*repair_findings(repaired), *batch_findings(repaired.frame, list(known))),
    )


def _from_dataset(
    data: xr.Dataset, units: Mapping[str, str] | None, time_units: str | None
) -> tuple[pd.DataFrame, dict[str, str], str | None]:
    """Return a Dataset as a long frame, without the rows that hold nothing."""
    if set(data.dims) != {"batch", "time"}:
        msg = f"data must have the dimensions 'batch' and 'time', got {tuple(data.dims)}"
        raise InputError(msg)
    keep = [
        str(name)
        for name, column in data.data_vars.items()
        if set(column.dims) == {"batch", "time"}
    ]
    plain = data[keep].transpose("batch", "time")
    if "phase" in plain.coords:
        plain = plain.reset_coords("phase")
    plain = plain.drop_vars([c for c in plain.coords if c not in {"batch", "time"}])
    frame = plain.to_dataframe(dim_order=["batch", "time"]).reset_index()
    empty = frame[keep].isna().all(axis=1)
    stored = {name: str(data[name].attrs.get("units", "")) for name in keep}
    clock = time_units or str(data["time"].attrs.get("units", "")) or None
    return frame[~empty].reset_index(drop=True), stored | dict(units or {}), clock
