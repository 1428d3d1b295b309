"""Pictures of chemometric results: each takes `ax` and draws what it is given."""

from pharmaq.chemometrics.plots.calibration import (
    plot_errors,
    plot_predicted,
    plot_rmsecv,
    plot_spectra,
    plot_t2_spe,
    plot_values,
)
from pharmaq.chemometrics.plots.classes import (
    plot_acceptance,
    plot_class_distances,
    plot_confusion,
    plot_memberships,
)
from pharmaq.chemometrics.plots.latent import (
    plot_biplot,
    plot_loadings,
    plot_scores,
)
from pharmaq.chemometrics.plots.validation import (
    plot_component_choice,
    plot_component_counts,
    plot_double_cv,
    plot_permutation_test,
    plot_recipe_search,
    plot_sample_selection,
)
from pharmaq.chemometrics.plots.variables import (
    plot_coefficients,
    plot_intervals,
    plot_jackknife,
    plot_selectivity_ratio,
    plot_variable_runs,
    plot_vip,
)

__all__ = [
    "plot_acceptance",
    "plot_biplot",
    "plot_class_distances",
    "plot_coefficients",
    "plot_component_choice",
    "plot_component_counts",
    "plot_confusion",
    "plot_double_cv",
    "plot_errors",
    "plot_intervals",
    "plot_jackknife",
    "plot_loadings",
    "plot_memberships",
    "plot_permutation_test",
    "plot_predicted",
    "plot_recipe_search",
    "plot_rmsecv",
    "plot_sample_selection",
    "plot_scores",
    "plot_selectivity_ratio",
    "plot_spectra",
    "plot_t2_spe",
    "plot_values",
    "plot_variable_runs",
    "plot_vip",
]
