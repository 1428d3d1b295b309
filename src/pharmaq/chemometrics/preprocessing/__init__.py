"""Preprocessing of spectra: scatter correction, derivatives, choice of a range."""

from pharmaq.chemometrics.preprocessing._convert import Convert
from pharmaq.chemometrics.preprocessing._filters import SavitzkyGolay
from pharmaq.chemometrics.preprocessing._orthogonal import (
    EPO,
    GLSW,
    within_group_differences,
)
from pharmaq.chemometrics.preprocessing._osc import OSC
from pharmaq.chemometrics.preprocessing._ranges import SelectRange
from pharmaq.chemometrics.preprocessing._scale import Scale
from pharmaq.chemometrics.preprocessing._scatter import MSC, SNV, DegenerateSpectrumWarning
from pharmaq.chemometrics.preprocessing._shared import learns_from_samples
from pharmaq.chemometrics.preprocessing._shift import ShiftCorrection, ShiftLimitWarning

__all__ = [
    "EPO",
    "GLSW",
    "MSC",
    "OSC",
    "SNV",
    "Convert",
    "DegenerateSpectrumWarning",
    "SavitzkyGolay",
    "Scale",
    "SelectRange",
    "ShiftCorrection",
    "ShiftLimitWarning",
    "learns_from_samples",
    "within_group_differences",
]
