"""Tolerance and prediction intervals, and the sample sizes they need."""

from pharmaq.spc.intervals._batches import (
    BatchInterval,
    batch_prediction_interval,
    batch_tolerance_interval,
)
from pharmaq.spc.intervals._factors import tolerance_factor, tolerance_sample_size
from pharmaq.spc.intervals._interval import (
    StatisticalInterval,
    prediction_interval,
    tolerance_interval,
)

__all__ = [
    "BatchInterval",
    "StatisticalInterval",
    "batch_prediction_interval",
    "batch_tolerance_interval",
    "prediction_interval",
    "tolerance_factor",
    "tolerance_interval",
    "tolerance_sample_size",
]
