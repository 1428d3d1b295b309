"""Run length: how long a chart runs until it signals, and limits for a wanted run length."""

from pharmaq.spc.run_length._average import average_run_length
from pharmaq.spc.run_length._chain import Chain
from pharmaq.spc.run_length._counts import count_run_length
from pharmaq.spc.run_length._cusum import cusum_run_length, poisson_cusum_run_length
from pharmaq.spc.run_length._design import ChartDesign, design_chart
from pharmaq.spc.run_length._estimated import EstimatedRunLength, estimated_limits
from pharmaq.spc.run_length._ewma import (
    ewma_arl,
    ewma_run_length,
    gauss_legendre,
    normal_density,
)
from pharmaq.spc.run_length._false_alarms import FalseAlarms, false_alarms
from pharmaq.spc.run_length._joint import individuals_run_length, xbar_s_run_length
from pharmaq.spc.run_length._result import RunLength, from_answers, from_chains
from pharmaq.spc.run_length._shewhart import shewhart_run_length
from pharmaq.spc.run_length._variance import s2_cusum_run_length, s2_ewma_run_length

__all__ = [
    "Chain",
    "ChartDesign",
    "EstimatedRunLength",
    "FalseAlarms",
    "RunLength",
    "average_run_length",
    "count_run_length",
    "cusum_run_length",
    "design_chart",
    "estimated_limits",
    "ewma_arl",
    "ewma_run_length",
    "false_alarms",
    "from_answers",
    "from_chains",
    "gauss_legendre",
    "individuals_run_length",
    "normal_density",
    "poisson_cusum_run_length",
    "s2_cusum_run_length",
    "s2_ewma_run_length",
    "shewhart_run_length",
    "xbar_s_run_length",
]
