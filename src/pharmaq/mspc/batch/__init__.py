"""Batches against the batches that went well: while they run, and afterwards."""

from pharmaq.mspc.batch.limits import BatchLimits, FalseAlarms
from pharmaq.mspc.batch.monitor import BatchMonitor
from pharmaq.mspc.batch.scores import BatchScores
from pharmaq.mspc.batch.unfolding import fold, unfold

__all__ = [
    "BatchLimits",
    "BatchMonitor",
    "BatchScores",
    "FalseAlarms",
    "fold",
    "unfold",
]
