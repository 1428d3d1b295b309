"""Monitoring of many variables at once: continuous processes, batches, charts of vectors."""

from pharmaq.mspc.charts import t2_chart

__all__ = ["t2_chart"]
