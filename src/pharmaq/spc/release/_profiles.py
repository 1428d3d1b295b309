"""Two sets of dissolution profiles, the points a rule takes of them, and its conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pharmaq._checks import as_float, check_choice, check_finite, check_vector
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["RULES", "Profiles", "conditions", "enough_dissolved", "take_profiles", "very_rapid"]

_ENOUGH = 85.0
_LEAST_POINTS, _LEAST_UNITS = 3, 12
_RAPID_MINUTES = 15.0
# early points may vary by 20 %, later ones by 10 %
_EARLY_CV, _LATE_CV = 20.0, 10.0


class Rule(NamedTuple):
    """Whose means end the comparison above 85 %, and until when a point is early (minutes)."""

    ends_with: str
    early: float | None


RULES = {
    "ema": Rule("any", None),
    "fda": Rule("both", 15.0),
    "who": Rule("reference", 10.0),
    "all": Rule("none", None),
}


class Profiles(NamedTuple):
    """Units by times of both products, and which times the rule takes."""

    test: Array
    reference: Array
    times: Array
    timed: bool
    used: NDArray[np.bool_]
    means_only: bool

    def chosen(self) -> tuple[Array, Array]:
        """Return both products at the times the rule takes."""
        return self.test[:, self.used], self.reference[:, self.used]


def take_profiles(
    test: ArrayLike, reference: ArrayLike, times: Sequence[float] | None, rule: str
) -> Profiles:
    """Return checked profiles, with the points that `rule` takes."""
    check_choice("rule", rule, RULES)
    t, r = _units("test", test), _units("reference", reference)
    if t.shape[1] != r.shape[1]:
        msg = (
            "test and reference must have the same times, got "
            f"{t.shape[1]} and {r.shape[1]} of them"
        )
        raise InputError(msg)
    at, timed = _times(test, reference, times, t.shape[1])
    if RULES[rule].early is not None and not timed:
        msg = f"times (minutes) are needed for rule={rule!r}, or columns that name them"
        raise InputError(msg)
    ends = enough_dissolved(t.mean(axis=0)[None], r.mean(axis=0)[None], rule)[0]
    used = (np.arange(t.shape[1]) <= ends) & (at > 0)
    if not used.any():
        msg = "times must hold a point after 0"
        raise InputError(msg)
    return Profiles(t, r, at, timed, used, len(t) == 1 or len(r) == 1)


def enough_dissolved(test: Array, reference: Array, rule: str) -> NDArray[np.intp]:
    """Return the last point that a rule takes, for each row of means."""
    over_t, over_r = test > _ENOUGH, reference > _ENOUGH
    whose = RULES[rule].ends_with
    over = {"any": over_t | over_r, "both": over_t & over_r, "reference": over_r}.get(
        whose, np.zeros_like(over_t)
    )
    return np.where(over.any(axis=1), over.argmax(axis=1), over.shape[1] - 1)


def conditions(profiles: Profiles, rule: str, *, averaged: bool) -> pd.DataFrame:
    """Return the conditions of a comparison: ``condition, value, limit, held, needed``."""
    points = int(profiles.used.sum())
    rows: list[tuple[Any, ...]] = [
        ("time points", points, f">= {_LEAST_POINTS}", points >= _LEAST_POINTS, True)
    ]
    for name, units in (("test", profiles.test), ("reference", profiles.reference)):
        n = len(units)
        if profiles.means_only:
            rows.append((f"units of {name}", np.nan, f">= {_LEAST_UNITS}", False, True))
            continue
        rows.append((f"units of {name}", n, f">= {_LEAST_UNITS}", n >= _LEAST_UNITS, True))
        for when, late in (("early", False), ("later", True)):
            cv = _largest_cv(units, profiles, rule, late=late)
            if not np.isnan(cv):
                limit = _LATE_CV if late else _EARLY_CV
                text = f"CV of {name}, {when} points / %"
                rows.append((text, cv, f"<= {limit:g}", cv <= limit, averaged))
    return pd.DataFrame(rows, columns=["condition", "value", "limit", "held", "needed"])


def very_rapid(profiles: Profiles) -> bool:
    """Return whether both products dissolve to more than 85 % in 15 minutes."""
    early = profiles.times <= _RAPID_MINUTES
    if not profiles.timed or not early.any():
        return False
    means = (units.mean(axis=0)[early] for units in (profiles.test, profiles.reference))
    return all(bool(np.any(mean > _ENOUGH)) for mean in means)


def _largest_cv(units: Array, profiles: Profiles, rule: str, *, late: bool) -> float:
    times = profiles.times[profiles.used]
    until = RULES[rule].early
    early = times <= (times[0] if until is None else until)
    picked = units[:, profiles.used][:, ~early if late else early]
    if not picked.size:
        return np.nan
    mean = picked.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        cv = 100 * picked.std(axis=0, ddof=1) / mean
    return float(np.max(np.where(mean > 0, cv, np.inf)))


def _units(name: str, values: ArrayLike) -> Array:
    array = np.atleast_2d(as_float(name, values))
    if array.ndim != 2 or not array.size:
        msg = f"{name} must have a row a unit and a column a time, got shape {array.shape}"
        raise InputError(msg)
    check_finite(name, array)
    return array


def _times(
    test: Any, reference: Any, times: Sequence[float] | None, n: int
) -> tuple[Array, bool]:
    found = None if times is None else check_vector("times", times)
    if found is None:
        of_test, of_reference = _named_times(test), _named_times(reference)
        if of_test is not None and of_reference is not None:
            if not np.array_equal(of_test, of_reference):
                msg = f"columns of test and reference differ: {of_test} and {of_reference}"
                raise InputError(msg)
            found = of_test
    if found is None:
        return np.arange(1.0, n + 1), False
    if len(found) != n or np.any(np.diff(found) <= 0) or found[0] < 0:
        msg = f"times must rise from 0 or more, one a column ({n}), got {list(found)}"
        raise InputError(msg)
    return found, True


def _named_times(values: Any) -> Array | None:
    """Return the times that the columns of a frame name, if they are numbers."""
    if not isinstance(values, pd.DataFrame):
        return None
    numbers = pd.to_numeric(pd.Series(list(values.columns), dtype=object), errors="coerce")
    return None if numbers.isna().any() else numbers.to_numpy(dtype=np.float64)
