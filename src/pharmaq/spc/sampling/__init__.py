"""Acceptance sampling of lots: plans by attributes and by variables, with their curves."""

from pharmaq.spc.sampling.attributes import AttributePlan, attribute_plan, sampling_plan
from pharmaq.spc.sampling.standard import StandardPlan, standard_plan
from pharmaq.spc.sampling.variables import LotDecision, VariablesPlan, variables_plan

__all__ = [
    "AttributePlan",
    "LotDecision",
    "StandardPlan",
    "VariablesPlan",
    "attribute_plan",
    "sampling_plan",
    "standard_plan",
    "variables_plan",
]
