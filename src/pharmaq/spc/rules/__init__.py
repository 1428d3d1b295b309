"""Run rules: declared patterns, published sets, and where they signal."""

from pharmaq.spc.rules._charts import ApplicableRules, applicable_rules
from pharmaq.spc.rules._rule import Rule, RuleSet
from pharmaq.spc.rules._runs import RunsAnalysis, runs_analysis
from pharmaq.spc.rules._sets import (
    AIAG,
    MINITAB,
    MONTGOMERY,
    NELSON,
    WESTERN_ELECTRIC,
    WESTGARD,
    as_rule_set,
    run_rules,
)
from pharmaq.spc.rules._violations import (
    Violation,
    Violations,
    find_violations,
    mark_violations,
)

__all__ = [
    "AIAG",
    "MINITAB",
    "MONTGOMERY",
    "NELSON",
    "WESTERN_ELECTRIC",
    "WESTGARD",
    "ApplicableRules",
    "Rule",
    "RuleSet",
    "RunsAnalysis",
    "Violation",
    "Violations",
    "applicable_rules",
    "as_rule_set",
    "find_violations",
    "mark_violations",
    "run_rules",
    "runs_analysis",
]
