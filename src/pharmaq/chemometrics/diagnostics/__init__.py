"""How far samples are from a model, why, and by whose formulas."""

from pharmaq.chemometrics.diagnostics._contributions import Contributions, contributions
from pharmaq.chemometrics.diagnostics._diagnose import diagnose
from pharmaq.chemometrics.diagnostics._limits import DiagnosticLimit
from pharmaq.chemometrics.diagnostics._result import Diagnostics

__all__ = ["Contributions", "DiagnosticLimit", "Diagnostics", "contributions", "diagnose"]
