"""Tests of data: normality, outliers, trend, change, equivalence, variance components."""

from pharmaq.spc.inference.autocorrelation import Autocorrelation, autocorrelation
from pharmaq.spc.inference.change import ChangePoint, change_point
from pharmaq.spc.inference.compare import BeforeAfter, compare_before_after
from pharmaq.spc.inference.components import VarianceComponents, variance_components
from pharmaq.spc.inference.equivalence import EquivalenceTest, equivalence
from pharmaq.spc.inference.mls import (
    mls_limits,
    mls_ratio_limits,
    satterthwaite_limits,
    wald_limits,
)
from pharmaq.spc.inference.multiplicity import adjust_p
from pharmaq.spc.inference.normality import NormalityTest, anderson_darling, shapiro_wilk
from pharmaq.spc.inference.outliers import OutlierTest, dixon, generalized_esd, grubbs, hampel
from pharmaq.spc.inference.pareto import Pareto, pareto
from pharmaq.spc.inference.trend import TrendTest, mann_kendall

__all__ = [
    "Autocorrelation",
    "BeforeAfter",
    "ChangePoint",
    "EquivalenceTest",
    "NormalityTest",
    "OutlierTest",
    "Pareto",
    "TrendTest",
    "VarianceComponents",
    "adjust_p",
    "anderson_darling",
    "autocorrelation",
    "change_point",
    "compare_before_after",
    "dixon",
    "equivalence",
    "generalized_esd",
    "grubbs",
    "hampel",
    "mann_kendall",
    "mls_limits",
    "mls_ratio_limits",
    "pareto",
    "satterthwaite_limits",
    "shapiro_wilk",
    "variance_components",
    "wald_limits",
]
