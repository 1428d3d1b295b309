"""How well a process meets its specification, and how surely that is known."""

from pharmaq.spc.capability._between import BetweenWithin
from pharmaq.spc.capability._capability import capability
from pharmaq.spc.capability._result import Capability, CapabilityIndex
from pharmaq.spc.capability._stability import LastingShift
from pharmaq.spc.capability._stages import (
    CapabilityOptions,
    StagedCapability,
    capability_by_stage,
)

__all__ = [
    "BetweenWithin",
    "Capability",
    "CapabilityIndex",
    "CapabilityOptions",
    "LastingShift",
    "StagedCapability",
    "capability",
    "capability_by_stage",
]
