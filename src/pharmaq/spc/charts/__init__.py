"""Control charts: limits from phase 1, signals in phase 2."""

from pharmaq.spc.charts._attributes import (
    c_chart,
    laney_p_chart,
    laney_u_chart,
    np_chart,
    p_chart,
    u_chart,
)
from pharmaq.spc.charts._build import (
    ChartOptions,
    build,
    read_options,
    stage_masks,
)
from pharmaq.spc.charts._chart import (
    ControlChart,
    Exclusion,
    as_labels,
)
from pharmaq.spc.charts._multivariate import (
    Vectors,
    read_vectors,
)
from pharmaq.spc.charts._nonnormal import (
    nonnormal_chart,
)
from pharmaq.spc.charts._rare_events import (
    g_chart,
    t_chart,
)
from pharmaq.spc.charts._special import (
    residual_chart,
    short_run_chart,
    three_way_chart,
)
from pharmaq.spc.charts._variables import (
    individuals_chart,
    xbar_r_chart,
    xbar_s_chart,
)
from pharmaq.spc.charts._weighted import (
    cusum_chart,
    ewma_chart,
)

__all__ = [
    "ChartOptions",
    "ControlChart",
    "Exclusion",
    "Vectors",
    "as_labels",
    "build",
    "c_chart",
    "cusum_chart",
    "ewma_chart",
    "g_chart",
    "individuals_chart",
    "laney_p_chart",
    "laney_u_chart",
    "nonnormal_chart",
    "np_chart",
    "p_chart",
    "read_options",
    "read_vectors",
    "residual_chart",
    "short_run_chart",
    "stage_masks",
    "t_chart",
    "three_way_chart",
    "u_chart",
    "xbar_r_chart",
    "xbar_s_chart",
]
