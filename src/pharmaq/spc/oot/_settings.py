"""What is chosen for a search of results out of trend, checked."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.spc.oot._limits import Interval, Per, Side

__all__ = ["STABILITY", "Basis", "Method", "Settings", "checked"]

Method = Literal[
    "regression", "time_point", "slope", "ewma", "control_chart", "historical", "capability"
]
Basis = Literal["pooled", "parallel", "own", "random"]

STABILITY = ("regression", "time_point", "slope", "ewma")


class Settings(NamedTuple):
    """Everything that is chosen, checked."""

    method: str
    basis: str
    alpha: float
    per: str
    planned: int | None
    interval: str
    confidence: float
    side: str
    weight: float
    least: float
    lsl: float | None
    usl: float | None


def checked(given: Settings) -> Settings:
    """Return the settings; raise where one is out of range or does not go with another."""
    check_choice("method", given.method, get_args(Method))
    check_choice("basis", given.basis, get_args(Basis))
    check_choice("per", given.per, get_args(Per))
    check_choice("side", given.side, get_args(Side))
    check_choice("interval", given.interval, get_args(Interval))
    check_real("alpha", given.alpha, above=0, below=1)
    check_real("confidence", given.confidence, above=0, below=1)
    check_real("weight", given.weight, above=0, below=1 + 1e-12)
    check_real("index", given.least, above=0)
    if given.planned is not None:
        check_integer("planned", given.planned, least=1)
    if given.method == "capability" and given.lsl is None and given.usl is None:
        msg = 'method="capability" needs lsl or usl'
        raise InputError(msg)
    own_level = given.method == "regression" and given.basis in {"parallel", "own"}
    if given.interval == "tolerance" and own_level:
        msg = 'interval="tolerance" goes with basis="pooled" or "random"'
        raise InputError(msg)
    return given
