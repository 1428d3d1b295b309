"""Control charts of several variables at once: T2, MEWMA, MCUSUM, and their run lengths."""

from pharmaq.mspc.charts._t2 import t2_chart

__all__ = ["t2_chart"]
