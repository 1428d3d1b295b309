"""Batch data as a checked long frame: a row a batch and time, phases, a column a variable."""

from pharmaq.batches._frame import Batches, Trace, as_batches
from pharmaq.batches._phases import PhaseRule, phases_from_events, phases_from_rules

__all__ = [
    "Batches",
    "PhaseRule",
    "Trace",
    "as_batches",
    "phases_from_events",
    "phases_from_rules",
]
