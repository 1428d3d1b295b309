"""What the staged tests of the pharmacopoeias share: rounding, criteria, stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pharmaq.results import Finding
from pharmaq.spc.acceptance.rounding import round_half_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = [
    "Criterion",
    "as_reported",
    "criteria_frame",
    "decide",
    "no_hope",
    "not_met",
    "surplus",
    "tidy",
]

# differences of results are exact to this many decimals, whatever binary numbers make of them
_CLEAN = 9
_COLUMNS = ("stage", "criterion", "time", "value", "limit", "held")


class Criterion(NamedTuple):
    """One condition of a stage: what was found, the limit, whether it holds."""

    stage: str
    criterion: str
    time: float
    value: float
    limit: str
    held: bool


def criteria_frame(rows: Iterable[Criterion]) -> pd.DataFrame:
    """Return conditions as a frame, without the column of times where there are none."""
    frame = pd.DataFrame(list(rows), columns=list(_COLUMNS))
    return frame.drop(columns="time") if frame["time"].isna().all() else frame


def as_reported(values: Any, digits: int | None) -> NDArray[np.float64]:
    """Round half up to the digits that are reported, or not at all."""
    array = np.asarray(values, dtype=np.float64)
    return array if digits is None else round_half_up(tidy(array), digits)


def tidy(values: Any) -> NDArray[np.float64]:
    """Return differences free of what binary numbers leave in the last digits."""
    array: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    return array.round(_CLEAN)


def decide(passed: Sequence[bool], n_stages: int) -> tuple[int, str]:
    """Return the stage that decides, counted from 0, and what it says."""
    for i, held in enumerate(passed):
        if held:
            return i, "pass"
    last = len(passed) - 1
    return last, "fail" if len(passed) == n_stages else "continue"


def not_met(test: str, stage: str, outcome: str, failed: pd.DataFrame) -> Finding:
    """Return the finding of a stage that did not pass."""
    reasons = "; ".join(
        f"{row.criterion}: {row.value:g}, limit {row.limit}"
        for row in failed.itertuples(index=False)
    )
    known = outcome == "fail"
    word = "fails" if known else "is not met yet: test the next stage"
    return Finding(
        rule=test,
        severity="action" if known else "alert",
        subject=stage,
        message=f"stage {stage} {word} ({reasons})",
        value=float(failed["value"].iloc[0]),
    )


def no_hope(test: str, stage: str, reason: str) -> Finding:
    """Return the finding that no further unit can save the test."""
    return Finding(
        rule=test,
        severity="action",
        subject=stage,
        message=f"no later stage can be met any more: {reason}",
    )


def surplus(test: str, stage: str, used: int, given: int) -> Finding:
    """Return the finding that units were given which the decision did not need."""
    return Finding(
        rule=test,
        severity="alert",
        subject=stage,
        message=(
            f"stage {stage} is met by the first {used} units; the other {given - used} play no "
            "part in the decision"
        ),
        value=float(given),
        limit=float(used),
    )
