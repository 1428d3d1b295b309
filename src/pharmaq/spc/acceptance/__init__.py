"""Limits of acceptance: specifications, rounding, results out of specification."""

from pharmaq.spc.acceptance.balance import MassBalance, mass_balance
from pharmaq.spc.acceptance.excursions import ExcursionCheck, check_excursions
from pharmaq.spc.acceptance.ooe import ExpectationCheck, check_ooe, check_replicates
from pharmaq.spc.acceptance.oos import AcceptanceCheck, check_oos
from pharmaq.spc.acceptance.ranges import AcceptanceRange, parse_range
from pharmaq.spc.acceptance.review import ResultsReview, review_results
from pharmaq.spc.acceptance.rounding import round_half_up, round_significant
from pharmaq.spc.acceptance.severity import DEFAULT_ROUTES, RoutedFindings, SeverityTable
from pharmaq.spc.acceptance.specification import Specification
from pharmaq.spc.acceptance.specifications import Specifications
from pharmaq.spc.acceptance.weighing import (
    RequiredAmount,
    WeighingCheck,
    check_weighing,
    required_amount,
)

__all__ = [
    "DEFAULT_ROUTES",
    "AcceptanceCheck",
    "AcceptanceRange",
    "ExcursionCheck",
    "ExpectationCheck",
    "MassBalance",
    "RequiredAmount",
    "ResultsReview",
    "RoutedFindings",
    "SeverityTable",
    "Specification",
    "Specifications",
    "WeighingCheck",
    "check_excursions",
    "check_ooe",
    "check_oos",
    "check_replicates",
    "check_weighing",
    "mass_balance",
    "parse_range",
    "required_amount",
    "review_results",
    "round_half_up",
    "round_significant",
]
