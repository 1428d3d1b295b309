"""Spectra to validated, deployable calibrations: preprocessing, PCA, PLS, validation."""

from pharmaq.chemometrics._recipe_order import RecipeOrderWarning
from pharmaq.chemometrics.calibration import Calibration
from pharmaq.chemometrics.crossval import CrossValidation, cross_validate
from pharmaq.chemometrics.ddsimca import DDSIMCA, AcceptanceLimits
from pharmaq.chemometrics.diagnostics import (
    Contributions,
    DiagnosticLimit,
    Diagnostics,
    contributions,
    diagnose,
)
from pharmaq.chemometrics.double_cv import (
    DoubleCrossValidation,
    PermutationTest,
    permutation_test,
    repeated_double_cv,
)
from pharmaq.chemometrics.importance import (
    JackknifeCoefficients,
    NetAnalyteSignal,
    jackknife,
    net_analyte_signal,
    selectivity_ratio,
)
from pharmaq.chemometrics.interpretation import vip
from pharmaq.chemometrics.limits import spe_limit, t2_limit
from pharmaq.chemometrics.local_pls import LocallyWeightedPLS
from pharmaq.chemometrics.mcr import (
    MCRALS,
    ConcentrationConstraints,
    EvolvingFactors,
    PurestVariables,
    ResolvedProfiles,
    RotationalAmbiguity,
    SpectrumConstraints,
    evolving_factor_analysis,
    nonnegative_least_squares,
    rotational_ambiguity,
    simplisma,
)
from pharmaq.chemometrics.merit import FiguresOfMerit, figures_of_merit
from pharmaq.chemometrics.multiblock import MultiBlockPLS
from pharmaq.chemometrics.opls import OPLS
from pharmaq.chemometrics.pca import PCA
from pharmaq.chemometrics.pcr import PCR
from pharmaq.chemometrics.pls import PLS
from pharmaq.chemometrics.plsda import PLSDA
from pharmaq.chemometrics.prediction import CalibrationPrediction, PredictedArrays
from pharmaq.chemometrics.preprocessing import (
    EMSC,
    EPO,
    GLSW,
    MSC,
    OSC,
    SNV,
    Baseline,
    BaselineFit,
    Convert,
    DegenerateSpectrumWarning,
    Despike,
    Detrend,
    Normalize,
    NorrisWilliams,
    Resample,
    SavitzkyGolay,
    Scale,
    SelectRange,
    ShiftCorrection,
    ShiftLimitWarning,
    within_group_differences,
)
from pharmaq.chemometrics.recipe import Recipe, make_recipe
from pharmaq.chemometrics.sampling import (
    SampleSelection,
    SampleSplit,
    duplex,
    kennard_stone,
    spxy,
)
from pharmaq.chemometrics.search import STANDARD_RECIPES, RecipeSearch, search_recipes
from pharmaq.chemometrics.selection import ComponentChoice, select_n_components
from pharmaq.chemometrics.simca import SIMCA
from pharmaq.chemometrics.splitters import (
    ContiguousBlocks,
    LeaveBatchOut,
    RandomSubsets,
    VenetianBlinds,
    make_splitter,
)
from pharmaq.chemometrics.variables import (
    IntervalSelection,
    VariableSelection,
    cars,
    interval_pls,
)

__all__ = [
    "DDSIMCA",
    "EMSC",
    "EPO",
    "GLSW",
    "MCRALS",
    "MSC",
    "OPLS",
    "OSC",
    "PCA",
    "PCR",
    "PLS",
    "PLSDA",
    "SIMCA",
    "SNV",
    "STANDARD_RECIPES",
    "AcceptanceLimits",
    "Baseline",
    "BaselineFit",
    "Calibration",
    "CalibrationPrediction",
    "ComponentChoice",
    "ConcentrationConstraints",
    "ContiguousBlocks",
    "Contributions",
    "Convert",
    "CrossValidation",
    "DegenerateSpectrumWarning",
    "Despike",
    "Detrend",
    "DiagnosticLimit",
    "Diagnostics",
    "DoubleCrossValidation",
    "EvolvingFactors",
    "FiguresOfMerit",
    "IntervalSelection",
    "JackknifeCoefficients",
    "LeaveBatchOut",
    "LocallyWeightedPLS",
    "MultiBlockPLS",
    "NetAnalyteSignal",
    "Normalize",
    "NorrisWilliams",
    "PermutationTest",
    "PredictedArrays",
    "PurestVariables",
    "RandomSubsets",
    "Recipe",
    "RecipeOrderWarning",
    "RecipeSearch",
    "Resample",
    "ResolvedProfiles",
    "RotationalAmbiguity",
    "SampleSelection",
    "SampleSplit",
    "SavitzkyGolay",
    "Scale",
    "SelectRange",
    "ShiftCorrection",
    "ShiftLimitWarning",
    "SpectrumConstraints",
    "VariableSelection",
    "VenetianBlinds",
    "cars",
    "contributions",
    "cross_validate",
    "diagnose",
    "duplex",
    "evolving_factor_analysis",
    "figures_of_merit",
    "interval_pls",
    "jackknife",
    "kennard_stone",
    "make_recipe",
    "make_splitter",
    "net_analyte_signal",
    "nonnegative_least_squares",
    "permutation_test",
    "repeated_double_cv",
    "rotational_ambiguity",
    "search_recipes",
    "select_n_components",
    "selectivity_ratio",
    "simplisma",
    "spe_limit",
    "spxy",
    "t2_limit",
    "vip",
    "within_group_differences",
]
