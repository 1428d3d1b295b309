"""Monitoring of many variables at once: continuous processes, batches, charts of vectors."""

from pharmaq.mspc.alignment import DTW, Alignment, AlignmentSession, BatchAligner, align
from pharmaq.mspc.batch import (
    BatchForecast,
    BatchLimits,
    BatchMoment,
    BatchMonitor,
    BatchScores,
    BatchSession,
    FalseAlarms,
    fold,
    unfold,
)
from pharmaq.mspc.charts import (
    mcusum_chart,
    mcusum_limit,
    mcusum_run_length,
    mewma_chart,
    mewma_limit,
    mewma_run_length,
    t2_chart,
)
from pharmaq.mspc.process import (
    ComponentChoice,
    MonitorLimit,
    MonitorUpdate,
    Observation,
    ProcessMonitor,
    ProcessScores,
)

__all__ = [
    "DTW",
    "Alignment",
    "AlignmentSession",
    "BatchAligner",
    "BatchForecast",
    "BatchLimits",
    "BatchMoment",
    "BatchMonitor",
    "BatchScores",
    "BatchSession",
    "ComponentChoice",
    "FalseAlarms",
    "MonitorLimit",
    "MonitorUpdate",
    "Observation",
    "ProcessMonitor",
    "ProcessScores",
    "align",
    "fold",
    "mcusum_chart",
    "mcusum_limit",
    "mcusum_run_length",
    "mewma_chart",
    "mewma_limit",
    "mewma_run_length",
    "t2_chart",
    "unfold",
]
