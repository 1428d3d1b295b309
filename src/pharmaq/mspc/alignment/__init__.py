"""Batches of unequal length on one clock: by time, maturity, an indicator, or warping."""

from pharmaq.mspc.alignment._dtw import DTW
from pharmaq.mspc.alignment._function import AlignerOptions, align
from pharmaq.mspc.alignment.aligner import BatchAligner
from pharmaq.mspc.alignment.result import Alignment
from pharmaq.mspc.alignment.session import AlignmentSession

__all__ = ["DTW", "AlignerOptions", "Alignment", "AlignmentSession", "BatchAligner", "align"]
