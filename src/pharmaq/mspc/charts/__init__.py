"""Control charts of several variables at once: T2, MEWMA, MCUSUM, and their run lengths."""

from pharmaq.mspc.charts._mcusum_length import mcusum_limit, mcusum_run_length
from pharmaq.mspc.charts._mewma_length import mewma_limit, mewma_run_length
from pharmaq.mspc.charts._t2 import t2_chart
from pharmaq.mspc.charts._weighted import mcusum_chart, mewma_chart

__all__ = [
    "mcusum_chart",
    "mcusum_limit",
    "mcusum_run_length",
    "mewma_chart",
    "mewma_limit",
    "mewma_run_length",
    "t2_chart",
]
