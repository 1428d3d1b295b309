"""Results out of trend: methods for stability and release, and how well they work."""

from pharmaq.spc.oot._check import check_oot
from pharmaq.spc.oot._result import OOTCheck
from pharmaq.spc.oot.multivariate import check_oot_multivariate
from pharmaq.spc.oot.power import OOTPower, oot_power

__all__ = ["OOTCheck", "OOTPower", "check_oot", "check_oot_multivariate", "oot_power"]
