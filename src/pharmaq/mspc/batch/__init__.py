"""Batches against the batches that went well: while they run, and afterwards."""

from pharmaq.mspc.batch.block_scores import BlockScores
from pharmaq.mspc.batch.blocks import BatchBlocks
from pharmaq.mspc.batch.limits import BatchLimits, FalseAlarms
from pharmaq.mspc.batch.moment import BatchForecast, BatchMoment
from pharmaq.mspc.batch.monitor import BatchMonitor
from pharmaq.mspc.batch.scores import BatchScores
from pharmaq.mspc.batch.session import BatchSession
from pharmaq.mspc.batch.unfolding import fold, unfold

__all__ = [
    "BatchBlocks",
    "BatchForecast",
    "BatchLimits",
    "BatchMoment",
    "BatchMonitor",
    "BatchScores",
    "BatchSession",
    "BlockScores",
    "FalseAlarms",
    "fold",
    "unfold",
]
