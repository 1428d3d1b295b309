"""Measurement systems: gage studies, bias, linearity and agreement of attributes."""

from pharmaq.spc.measurement.agreement import AttributeAgreement, attribute_agreement
from pharmaq.spc.measurement.gage import GageRR, gage_rr
from pharmaq.spc.measurement.kappa import Kappa, cohen_kappa, fleiss_kappa
from pharmaq.spc.measurement.linearity import GageLinearity, gage_linearity
from pharmaq.spc.measurement.single import GageBias, GageType1, gage_bias, gage_type1

__all__ = [
    "AttributeAgreement",
    "GageBias",
    "GageLinearity",
    "GageRR",
    "GageType1",
    "Kappa",
    "attribute_agreement",
    "cohen_kappa",
    "fleiss_kappa",
    "gage_bias",
    "gage_linearity",
    "gage_rr",
    "gage_type1",
]
