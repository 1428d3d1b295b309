"""Arithmetic on the raw values of a historian, by OPC UA Part 13."""

from pharmaq.io.aggregates._aggregate import Aggregate, aggregate
from pharmaq.io.aggregates._result import Aggregates

__all__ = ["Aggregate", "Aggregates", "aggregate"]
