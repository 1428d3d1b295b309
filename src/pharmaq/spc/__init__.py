"""Control charts, run rules, capability, tolerance intervals and measurement systems."""

from pharmaq.spc.constants import c4, d2, d3

__all__ = ["c4", "d2", "d3"]
