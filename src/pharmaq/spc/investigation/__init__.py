"""Aids to investigations of results out of specification: outliers, retests, causes."""

from pharmaq.spc.investigation.causes import CauseSearch, find_causes
from pharmaq.spc.investigation.outliers import OutlierInvestigation, investigate_outliers
from pharmaq.spc.investigation.retest import (
    RetestEvaluation,
    RetestPlan,
    evaluate_retests,
    retest_plan,
)

__all__ = [
    "CauseSearch",
    "OutlierInvestigation",
    "RetestEvaluation",
    "RetestPlan",
    "evaluate_retests",
    "find_causes",
    "investigate_outliers",
    "retest_plan",
]
