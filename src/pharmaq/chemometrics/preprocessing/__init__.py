"""Preprocessing of spectra: scatter correction, derivatives, choice of a range."""

from pharmaq.chemometrics.preprocessing._baseline import Baseline, BaselineFit
from pharmaq.chemometrics.preprocessing._convert import Convert
from pharmaq.chemometrics.preprocessing._detrend import Detrend
from pharmaq.chemometrics.preprocessing._emsc import EMSC
from pharmaq.chemometrics.preprocessing._filters import SavitzkyGolay
from pharmaq.chemometrics.preprocessing._gap import NorrisWilliams
from pharmaq.chemometrics.preprocessing._normalize import Normalize
from pharmaq.chemometrics.preprocessing._orthogonal import (
    EPO,
    GLSW,
    within_group_differences,
)
from pharmaq.chemometrics.preprocessing._osc import OSC
from pharmaq.chemometrics.preprocessing._ranges import SelectRange
from pharmaq.chemometrics.preprocessing._resample import Resample
from pharmaq.chemometrics.preprocessing._scale import Scale
from pharmaq.chemometrics.preprocessing._scatter import MSC, SNV
from pharmaq.chemometrics.preprocessing._shared import (
    DegenerateSpectrumWarning,
    learns_from_samples,
)
from pharmaq.chemometrics.preprocessing._shift import ShiftCorrection, ShiftLimitWarning
from pharmaq.chemometrics.preprocessing._spikes import Despike

__all__ = [
    "EMSC",
    "EPO",
    "GLSW",
    "MSC",
    "OSC",
    "SNV",
    "Baseline",
    "BaselineFit",
    "Convert",
    "DegenerateSpectrumWarning",
    "Despike",
    "Detrend",
    "Normalize",
    "NorrisWilliams",
    "Resample",
    "SavitzkyGolay",
    "Scale",
    "SelectRange",
    "ShiftCorrection",
    "ShiftLimitWarning",
    "learns_from_samples",
    "within_group_differences",
]
