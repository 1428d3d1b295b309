"""Monitoring of many variables at once: continuous processes, batches, charts of vectors."""

from pharmaq.mspc.batch import BatchLimits, BatchMonitor, BatchScores, FalseAlarms, fold, unfold
from pharmaq.mspc.charts import t2_chart

__all__ = [
    "BatchLimits",
    "BatchMonitor",
    "BatchScores",
    "FalseAlarms",
    "fold",
    "t2_chart",
    "unfold",
]
