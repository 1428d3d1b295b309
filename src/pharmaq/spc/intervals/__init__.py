"""Tolerance and prediction intervals, and the sample sizes they need."""

from pharmaq.spc.intervals._batch_sizes import batch_tolerance_sample_size
from pharmaq.spc.intervals._batches import (
    BatchInterval,
    batch_prediction_interval,
    batch_tolerance_interval,
)
from pharmaq.spc.intervals._factors import tolerance_factor
from pharmaq.spc.intervals._interval import (
    StatisticalInterval,
    prediction_interval,
    tolerance_interval,
)
from pharmaq.spc.intervals._sizes import prediction_sample_size, tolerance_sample_size

__all__ = [
    "BatchInterval",
    "StatisticalInterval",
    "batch_prediction_interval",
    "batch_tolerance_interval",
    "batch_tolerance_sample_size",
    "prediction_interval",
    "prediction_sample_size",
    "tolerance_factor",
    "tolerance_interval",
    "tolerance_sample_size",
]
