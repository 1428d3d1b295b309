"""Continuous processes: T2 and SPE of latent-variable models, with limits that hold."""

from pharmaq.mspc.process._components import ComponentChoice
from pharmaq.mspc.process._update import MonitorUpdate
from pharmaq.mspc.process.limits import MonitorLimit
from pharmaq.mspc.process.monitor import ProcessMonitor
from pharmaq.mspc.process.scores import Observation, ProcessScores

__all__ = [
    "ComponentChoice",
    "MonitorLimit",
    "MonitorUpdate",
    "Observation",
    "ProcessMonitor",
    "ProcessScores",
]
