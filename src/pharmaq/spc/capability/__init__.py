"""How well a process meets its specification, and how surely that is known."""

from pharmaq.spc.capability._capability import capability
from pharmaq.spc.capability._result import Capability, CapabilityIndex

__all__ = ["Capability", "CapabilityIndex", "capability"]
