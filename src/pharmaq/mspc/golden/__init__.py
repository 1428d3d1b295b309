"""What good batches look like: envelopes, similarity, choice, comparison of groups."""

from pharmaq.mspc.golden._compare import GroupComparison, compare_groups
from pharmaq.mspc.golden._select import GoldenSelection, select_golden
from pharmaq.mspc.golden.envelope import GoldenBatch
from pharmaq.mspc.golden.similarity import Similarity

__all__ = [
    "GoldenBatch",
    "GoldenSelection",
    "GroupComparison",
    "Similarity",
    "compare_groups",
    "select_golden",
]
