"""Preprocessing of spectra: scatter correction, derivatives, choice of a range."""

from pharmaq.chemometrics.preprocessing._filters import SavitzkyGolay
from pharmaq.chemometrics.preprocessing._ranges import SelectRange
from pharmaq.chemometrics.preprocessing._scatter import MSC, SNV, DegenerateSpectrumWarning
from pharmaq.chemometrics.preprocessing._shared import learns_from_samples

__all__ = [
    "MSC",
    "SNV",
    "DegenerateSpectrumWarning",
    "SavitzkyGolay",
    "SelectRange",
    "learns_from_samples",
]
