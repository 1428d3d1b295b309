"""Control charts, run rules, capability, tolerance intervals and measurement systems."""

from pharmaq.spc.charts import (
    ChartOptions,
    ControlChart,
    Exclusion,
    c_chart,
    cusum_chart,
    ewma_chart,
    g_chart,
    individuals_chart,
    laney_p_chart,
    laney_u_chart,
    np_chart,
    p_chart,
    residual_chart,
    short_run_chart,
    t_chart,
    three_way_chart,
    u_chart,
    xbar_r_chart,
    xbar_s_chart,
)
from pharmaq.spc.constants import c4, d2, d3
from pharmaq.spc.sigma import SigmaEstimate, sigma_of_individuals, sigma_of_subgroups
from pharmaq.spc.subgroups import Subgroups, as_subgroups
from pharmaq.spc.weighted import cusum, ewma

__all__ = [
    "ChartOptions",
    "ControlChart",
    "Exclusion",
    "SigmaEstimate",
    "Subgroups",
    "as_subgroups",
    "c4",
    "c_chart",
    "cusum",
    "cusum_chart",
    "d2",
    "d3",
    "ewma",
    "ewma_chart",
    "g_chart",
    "individuals_chart",
    "laney_p_chart",
    "laney_u_chart",
    "np_chart",
    "p_chart",
    "residual_chart",
    "short_run_chart",
    "sigma_of_individuals",
    "sigma_of_subgroups",
    "t_chart",
    "three_way_chart",
    "u_chart",
    "xbar_r_chart",
    "xbar_s_chart",
]
