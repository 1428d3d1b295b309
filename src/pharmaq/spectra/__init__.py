"""Spectra as labelled arrays: one spectrum a row, a strictly monotonic axis with units."""

from pharmaq.spectra._axis import (
    AXIS_UNITS,
    AxisKind,
    axis_difference,
    header_number,
    range_mask,
    recognise_axis,
    same_axis,
)
from pharmaq.spectra._labelled import (
    Quantity,
    as_spectra,
    axis_kind,
    axis_values,
    convert_axis,
    select_range,
)

__all__ = [
    "AXIS_UNITS",
    "AxisKind",
    "Quantity",
    "as_spectra",
    "axis_difference",
    "axis_kind",
    "axis_values",
    "convert_axis",
    "header_number",
    "range_mask",
    "recognise_axis",
    "same_axis",
    "select_range",
]
