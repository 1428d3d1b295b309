"""Multivariate curve resolution: spectra and concentrations of components from mixtures."""

from pharmaq.chemometrics.mcr._ambiguity import RotationalAmbiguity, rotational_ambiguity
from pharmaq.chemometrics.mcr._constraints import ConcentrationConstraints, SpectrumConstraints
from pharmaq.chemometrics.mcr._estimator import MCRALS
from pharmaq.chemometrics.mcr._initial import (
    EvolvingFactors,
    PurestVariables,
    evolving_factor_analysis,
    simplisma,
)
from pharmaq.chemometrics.mcr._profiles import ResolvedProfiles
from pharmaq.chemometrics.mcr._solve import nonnegative_least_squares

__all__ = [
    "MCRALS",
    "ConcentrationConstraints",
    "EvolvingFactors",
    "PurestVariables",
    "ResolvedProfiles",
    "RotationalAmbiguity",
    "SpectrumConstraints",
    "evolving_factor_analysis",
    "nonnegative_least_squares",
    "rotational_ambiguity",
    "simplisma",
]
