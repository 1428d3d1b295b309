"""Single plans of MIL-STD-105E, with ISO 2859-1 and ANSI/ASQ Z1.4, by size of the lot."""

from __future__ import annotations

import bisect
import dataclasses
from typing import TYPE_CHECKING, Literal, get_args

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.results import Result
from pharmaq.spc.sampling.attributes import AttributePlan, attribute_plan

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["StandardPlan", "standard_plan"]

Level = Literal["S-1", "S-2", "S-3", "S-4", "I", "II", "III"]
Inspection = Literal["normal", "tightened"]

LETTERS = "ABCDEFGHJKLMNPQR"
SIZES = (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000)
AQLS = (
    0.01,
    0.015,
    0.025,
    0.04,
    0.065,
    0.1,
    0.15,
    0.25,
    0.4,
    0.65,
    1.0,
    1.5,
    2.5,
    4.0,
    6.5,
    10,
)
# table I: the largest lot of each row, and its letters at the levels in order
_LARGEST = (8, 15, 25, 50, 90, 150, 280, 500, 1200, 3200, 10000, 35000, 150000, 500000)
_ROWS = {
    "S-1": "AAAABBBBCCCCDDD",
    "S-2": "AAABBBCCCDDDEEE",
    "S-3": "AABBCCDDEEFFGGH",
    "S-4": "AABCCDEEFGGHJJK",
    "I": "AABCCDEFGHJKLMN",
    "II": "ABCDEFGHJKLMNPQ",
    "III": "BCDEFGHJKLMNPQR",
}
# tables II-A and II-B: size times AQL is the same along a diagonal, and so is the acceptance
# number; between 0 and 1 an arrow leads to the diagonal of the one or the other
_UP, _DOWN = -1, -2
_DIAGONALS = {
    "normal": (14, (0, _UP, _DOWN, 1, 2, 3, 5, 7, 10, 14, 21)),
    "tightened": (15, (0, _DOWN, _DOWN, 1, 2, 3, 5, 8, 12, 18)),
}


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class StandardPlan(Result):
    """A single plan of the standard, and how it was found.

    Parameters
    ----------
    lot_size : int
        Units in the lot.
    level : str
        Inspection level.
    inspection : {"normal", "tightened"}
        Severity of inspection.
    aql : float
        In per cent nonconforming.
    code_letter : str
        Letter of the lot size and level.
    plan_letter : str
        Letter of the plan, another one where an arrow leads there.
    n, accept, reject : int
        Size of the sample; the lot is accepted up to `accept` nonconforming units.
    inspect_all : bool
        Whether the sample is as large as the lot: then every unit is inspected.
    plan : AttributePlan
        The plan with its operating characteristic, for units from a process.
    """

    lot_size: int
    level: str
    inspection: str
    aql: float
    code_letter: str
    plan_letter: str
    n: int
    accept: int
    reject: int
    inspect_all: bool
    plan: AttributePlan

    def to_frame(self) -> pd.DataFrame:
        """Return the operating characteristic, a row a fraction."""
        return self.plan.to_frame()


def standard_plan(
    lot_size: int,
    aql: float,
    *,
    level: Level = "II",
    inspection: Inspection = "normal",
) -> StandardPlan:
    """Return the single sampling plan by attributes of MIL-STD-105E [1]_.

    Parameters
    ----------
    lot_size : int
        Units in the lot, 2 or more.
    aql : float
        Acceptable quality level in **per cent** nonconforming, one of the standard's up to 10:
        0.010, 0.015, 0.025, 0.040, 0.065, 0.10, 0.15, ... 4.0, 6.5, 10.
    level : {"S-1", "S-2", "S-3", "S-4", "I", "II", "III"}, default "II"
        Inspection level.
    inspection : {"normal", "tightened"}, default "normal"
        Tightened after two of five lots in a row were rejected; normal again after five lots in
        a row were accepted.

    Returns
    -------
    StandardPlan
        Size of the sample, acceptance number, and the curve.

    Raises
    ------
    InputError
        If the AQL is none of the standard's, or the table has no plan there.

    Notes
    -----
    MIL-STD-105E is in the public domain; its single plans for an AQL up to 10 % are those
    of ISO 2859-1 and ANSI/ASQ Z1.4 but for small changes of the latest editions of ISO
    2859-1. Where the sample would be the whole lot, all units are inspected.

    References
    ----------
    .. [1] MIL-STD-105E, Sampling Procedures and Tables for Inspection by Attributes, 1989,
           tables I, II-A and II-B.

    Examples
    --------
    >>> found = standard_plan(2000, 1.0)
    >>> found.code_letter, found.n, found.accept
    ('K', 125, 3)
    >>> found.plan.decide([4])
    'reject'
    """
    size = check_integer("lot_size", lot_size, least=2)
    check_choice("level", level, get_args(Level))
    check_choice("inspection", inspection, get_args(Inspection))
    column = _column(aql)
    letter = _ROWS[level][bisect.bisect_left(_LARGEST, size)]
    row, accept = _follow(LETTERS.index(letter), column, inspection)
    inspect_all = SIZES[row] >= size
    n = min(SIZES[row], size)
    accept = min(accept, n)
    return StandardPlan(
        lot_size=size,
        level=level,
        inspection=inspection,
        aql=AQLS[column],
        code_letter=letter,
        plan_letter=LETTERS[row],
        n=n,
        accept=accept,
        reject=accept + 1,
        inspect_all=inspect_all,
        plan=attribute_plan(n, accept, aql=AQLS[column] / 100, alpha=0.5),
    )


def _column(aql: float) -> int:
    percent = check_real("aql", aql, above=0)
    for i, known in enumerate(AQLS):
        if abs(percent - known) <= 1e-9 * known:
            return i
    nearest = min(AQLS, key=lambda known: abs(known - percent))
    msg = (
        f"aql must be one of the standard's, in per cent, got {aql!r}; the nearest is "
        f"{nearest:g}; `sampling_plan` computes a plan for any"
    )
    raise InputError(msg)


def _follow(row: int, column: int, inspection: str) -> tuple[int, int]:
    """Return the row of the plan and its acceptance number, along the arrows."""
    first, cells = _DIAGONALS[inspection]
    while 0 <= row < len(LETTERS):
        place = row + column - first
        # left of all plans the sample grows, right of them it shrinks
        cell = _DOWN if place < 0 else _UP if place >= len(cells) else cells[place]
        if cell >= 0:
            return row, cell
        row += 1 if cell == _DOWN else -1
    msg = f"the table has no {inspection} plan for an AQL of {AQLS[column]:g} % and this lot"
    raise InputError(msg)
