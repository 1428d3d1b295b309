"""Batches against the batches that went well: while they run, and afterwards."""

from pharmaq.mspc.batch.limits import BatchLimits, FalseAlarms
from pharmaq.mspc.batch.moment import BatchForecast, BatchMoment
from pharmaq.mspc.batch.monitor import BatchMonitor
from pharmaq.mspc.batch.scores import BatchScores
from pharmaq.mspc.batch.session import BatchSession
from pharmaq.mspc.batch.unfolding import fold, unfold

__all__ = [
    "BatchForecast",
    "BatchLimits",
    "BatchMoment",
    "BatchMonitor",
    "BatchScores",
    "BatchSession",
    "FalseAlarms",
    "fold",
    "unfold",
]
