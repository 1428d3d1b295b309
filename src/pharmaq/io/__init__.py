"""Files and historians of plant and laboratory, read into the forms that pharmaq works with."""

from pharmaq.io._read_spectra import read_spectra
from pharmaq.io.aggregates import Aggregates, aggregate

__all__ = ["Aggregates", "aggregate", "read_spectra"]
