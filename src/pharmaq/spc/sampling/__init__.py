"""Acceptance sampling of lots: plans by attributes and by variables, with their curves."""

from pharmaq.spc.sampling.attributes import AttributePlan, attribute_plan, sampling_plan
from pharmaq.spc.sampling.variables import LotDecision, VariablesPlan, variables_plan

__all__ = [
    "AttributePlan",
    "LotDecision",
    "VariablesPlan",
    "attribute_plan",
    "sampling_plan",
    "variables_plan",
]
