"""A fed-batch culture in a pilot vessel: the simulator behind `pharmaq.datasets.bioreactor`."""

from pharmaq.datasets._bioreactor._faults import BioreactorFault, FaultKind
from pharmaq.datasets._bioreactor._result import SimulatedBioreactor
from pharmaq.datasets._bioreactor._simulate import bioreactor

__all__ = ["BioreactorFault", "FaultKind", "SimulatedBioreactor", "bioreactor"]
