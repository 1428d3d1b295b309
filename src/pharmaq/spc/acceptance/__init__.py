"""Limits of acceptance: specifications, rounding, results out of specification."""

from pharmaq.spc.acceptance.oos import AcceptanceCheck, check_oos
from pharmaq.spc.acceptance.ranges import AcceptanceRange, parse_range
from pharmaq.spc.acceptance.review import ResultsReview, review_results
from pharmaq.spc.acceptance.rounding import round_half_up, round_significant
from pharmaq.spc.acceptance.specification import Specification, Specifications

__all__ = [
    "AcceptanceCheck",
    "AcceptanceRange",
    "ResultsReview",
    "Specification",
    "Specifications",
    "check_oos",
    "parse_range",
    "review_results",
    "round_half_up",
    "round_significant",
]
