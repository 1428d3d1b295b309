"""Files of plant and laboratory, read into the forms that pharmaq works with."""

from pharmaq.io._read_spectra import read_spectra

__all__ = ["read_spectra"]
