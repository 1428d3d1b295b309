"""Tolerance and prediction intervals, and the sample sizes they need."""

from pharmaq.spc.intervals._factors import tolerance_factor, tolerance_sample_size
from pharmaq.spc.intervals._interval import (
    StatisticalInterval,
    prediction_interval,
    tolerance_interval,
)

__all__ = [
    "StatisticalInterval",
    "prediction_interval",
    "tolerance_factor",
    "tolerance_interval",
    "tolerance_sample_size",
]
