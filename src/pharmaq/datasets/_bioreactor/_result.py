"""What the simulator of a bioreactor returns: data, quality, spectra, and the truth."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from pharmaq.results import Result, json_safe

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["SimulatedBioreactor"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class SimulatedBioreactor(Result):
    """Simulated fed-batch cultures: what the plant records, and what only we know.

    Parameters
    ----------
    data : DataFrame
        What the sensors recorded, one row a batch and time: ``batch``, ``time`` (h after
        inoculation), ``phase`` (``batch``, ``fed_batch``, ``production``, ``harvest``), then
        the measured variables.
    units : dict of str to str
        Unit of each measured variable.
    conditions : DataFrame
        By batch, what is known before it starts, each with an error of 1 %: ``inoculum`` and
        ``initial_glucose`` (g/L), ``feed_glucose`` (g/L), and ``medium``, an index of the lot
        of raw material.
    quality : DataFrame
        By batch, what the laboratory found at the end: ``titre`` (g/L), ``purity`` (%) and
        ``product_mass`` (g); ``duration`` in h.
    spectra : DataArray, dims (sample, raman_shift), or None
        Raman spectra in counts, with sample coordinates ``batch``, ``time``, ``phase`` and the
        laboratory's values of ``glucose``, ``acetate``, ``biomass`` and ``product`` (g/L).
    states : DataFrame
        Truth: the states of the culture at the times of `data`, without any error.
    faults : DataFrame
        Truth: one row a fault, with ``start``, ``end``, ``size`` and ``causes``, the measured
        variables in which the cause shows.
    levels : DataFrame
        Truth: by batch, what differed from one to the next, and the true ``titre`` and
        ``purity``.
    parameters : dict
        The settings of the simulation.
    """

    data: pd.DataFrame
    units: dict[str, str]
    conditions: pd.DataFrame
    quality: pd.DataFrame
    spectra: xr.DataArray | None
    states: pd.DataFrame
    faults: pd.DataFrame
    levels: pd.DataFrame
    parameters: dict[str, Any]

    def to_frame(self) -> pd.DataFrame:
        """Return `data`.

        Returns
        -------
        pandas.DataFrame
            One row a batch and time.
        """
        return self.data

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain Python that `json` can write.

        Returns
        -------
        dict
            A key per field; frames become lists of rows, with the batch in each, and the
            spectra what ``xarray.DataArray.from_dict`` reads.
        """
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        for name in ("conditions", "quality", "levels"):
            fields[name] = fields[name].reset_index()
        if self.spectra is not None:
            fields["spectra"] = self.spectra.to_dict()
        return json_safe(fields)

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        n_batches, n_variables = len(self.quality), len(self.units)
        return (
            f"SimulatedBioreactor({n_batches} batches, {len(self.data)} times of {n_variables} "
            f"variables, {len(self.faults)} faults, {settings})"
        )

    def _repr_html_(self) -> str:
        return f"<p><b>SimulatedBioreactor</b></p>{self.data.to_html(max_rows=12)}"
