"""Results out of trend: `check_oot`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from pharmaq.errors import InputError, InputTypeError
from pharmaq.spc._columns import take_values
from pharmaq.spc.oot._core import (
    REASONS,
    Expected,
    Rows,
    by_time_point,
    from_own_line,
    from_parallel_lines,
    from_pooled_line,
    from_random_lines,
    of_slopes,
)
from pharmaq.spc.oot._frames import (
    Columns,
    check_apart,
    distinct_batches,
    group_codes,
    named_columns,
    places_of,
    rows_of,
    take_rows,
)
from pharmaq.spc.oot._limits import (
    Interval,
    Per,
    Side,
    Verdict,
    ewma_verdict,
    share_of,
    verdict,
)
from pharmaq.spc.oot._release import capability_limits, expected_of_groups, summarise
from pharmaq.spc.oot._result import OOTCheck
from pharmaq.spc.oot._settings import STABILITY, Basis, Method, Settings, checked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["check_oot", "expect", "judge"]

_LINES: dict[str, Callable[[Rows, Rows], Expected]] = {
    "pooled": from_pooled_line,
    "parallel": from_parallel_lines,
    "own": from_own_line,
    "random": from_random_lines,
}
_TITLES = {
    "regression": "regression control chart",
    "time_point": "by time point",
    "slope": "slope control chart",
    "ewma": "EWMA of deviations from the line",
    "control_chart": "control chart of release results",
    "historical": "range of historical release results",
    "capability": "capability of release results",
}
# standard deviations of a control chart's limits
_THREE = 3.0


def check_oot(  # noqa: PLR0913 - methods, risk and columns
    results: pd.DataFrame,
    *,
    history: pd.DataFrame | Literal["others", "same"],
    method: Method = "regression",
    basis: Basis = "parallel",
    by: str | Sequence[str] = (),
    alpha: float = 0.05,
    per: Per = "batch",
    planned: int | None = None,
    side: Side = "two",
    interval: Interval = "prediction",
    confidence: float = 0.95,
    weight: float = 0.2,
    lsl: float | None = None,
    usl: float | None = None,
    index: float = 1.0,
    batch: str = "batch",
    time: str = "time",
    value: str = "value",
    units: str = "",
) -> OOTCheck:
    """Find results out of trend [1]_ [2]_.

    Parameters
    ----------
    results : DataFrame
        Tested results, one a row; NaN raises.
    history : DataFrame, "others" or "same"
        Results of earlier batches with the same columns. ``"others"``: each batch is held
        against all others in `results` (methods of stability). ``"same"``: limits of phase 1,
        from the results themselves (methods of release).
    method : str, default "regression"
        For stability, where the time of storage counts: ``"regression"`` (regression control
        chart), ``"time_point"`` (by nominal month), ``"slope"`` (slope control chart),
        ``"ewma"`` of the deviations from the line. For release: ``"control_chart"`` (mean and
        three standard deviations from moving ranges), ``"historical"`` (interval from mean and
        s of all values), ``"capability"``.
    basis : {"parallel", "pooled", "own", "random"}, default "parallel"
        Line for ``"regression"`` and ``"ewma"``. ``"parallel"``: slope and error of the
        history with the level of the batch's own earlier results. ``"pooled"``: one line of
        all historical results, which is right only if batches do not differ. ``"own"``: the
        batch's own earlier results alone. ``"random"``: levels and slopes vary from batch to
        batch.
    by : str or sequence of str, default ()
        Columns that form groups with a history each, such as product and test.
    alpha : float, default 0.05
        Risk of a false alarm, for `per`.
    per : {"result", "batch", "table"}, default "batch"
        Whether `alpha` is the risk of one result, of a batch over its study, or of the table;
        shared out by Sidak's formula as if results were independent. For release "batch" is
        the same as "result".
    planned : int, optional
        Results of a batch that will be judged over its study; by default those in the table.
    side : {"two", "lower", "upper"}, default "two"
        Which direction is out of trend.
    interval : {"prediction", "tolerance"}, default "prediction"
        Of the next value, or of the share 1 - alpha of all values.
    confidence : float, default 0.95
        Of tolerance intervals.
    weight : float, default 0.2
        Of the newest deviation in the EWMA.
    lsl, usl : float, optional
        Specification; needed for ``"capability"`` only.
    index : float, default 1.0
        Least capability, for ``"capability"``.
    batch, time, value : str
        Columns. For release a column of times is optional and brings the history in order.
    units : str, default ""
        Of the results.

    Returns
    -------
    OOTCheck
        Limits and signals of every result, findings, picture.

    Raises
    ------
    InputError
        If a batch is tested against a history that it is part of, a column is missing or
        wrong, or a choice is unknown.

    Notes
    -----
    A result at time t is out of trend if it is outside center -+ t_quantile s sqrt(1 + v(t)),
    with v the variance of the center. Slopes up to each time are held against the slopes of
    historical batches up to the same time. ``"ewma"`` gives each deviation the normal score
    with its tail probability; with ``"parallel"`` and ``"own"`` these are recursive residuals,
    independent in a batch but for the shared estimates of the history. Capability:
    lsl + 3 index s and usl - 3 index s, the levels at which a process as variable as the
    history has that Ppk.

    What each method misses and how often it alarms depends on the history; see `oot_power`.

    References
    ----------
    .. [1] PhRMA CMC Statistics and Stability Expert Teams, Identification of out-of-trend
       stability results, Pharm. Technol. 27(4) (2003) 38-52.
    .. [2] ECA Analytical Quality Control Working Group, Laboratory Data Management Guidance:
       Out of Expectation and Out of Trend Results.

    Examples
    --------
    >>> import pandas as pd
    >>> months = [0, 3, 6, 9, 12]
    >>> old = pd.DataFrame(
    ...     {
    ...         "batch": ["A"] * 5 + ["B"] * 5 + ["C"] * 5,
    ...         "time": months * 3,
    ...         "value": [100.1, 99.8, 99.2, 98.9, 98.5, 100.5, 99.9, 99.7, 99.1, 98.9]
    ...         + [99.8, 99.5, 98.9, 98.7, 98.2],
    ...     }
    ... )
    >>> new = pd.DataFrame(
    ...     {"batch": "D", "time": months, "value": [100.2, 99.8, 99.3, 97.9, 98.6]}
    ... )
    >>> check = check_oot(new, history=old)
    >>> check.signals[["batch", "time", "value", "lower"]].round(2)
      batch  time  value  lower
    3     D   9.0   97.9  98.62
    """
    keys = (by,) if isinstance(by, str) else tuple(by)
    columns = Columns(keys, batch, time, value)
    chosen = checked(
        Settings(
            method,
            basis,
            alpha,
            per,
            planned,
            interval,
            confidence,
            side,
            weight,
            index,
            lsl,
            usl,
        )
    )
    if not isinstance(results, pd.DataFrame):
        msg = f"results must be a pandas DataFrame, got {type(results).__name__}"
        raise InputTypeError(msg)
    past = _history(results, history, method in STABILITY)
    if method in STABILITY:
        found = _stability(results, past, columns, chosen, others=isinstance(history, str))
    else:
        found = _release(results, past, columns, chosen)
    return _result(results, past, columns, chosen, found, units)


def judge(expected: Expected, rows: Rows, chosen: Settings, n_table: int) -> Verdict:
    """Return limits of tested results of one group from what is expected of them."""
    share = _share(expected, rows.batch, chosen, n_table)
    if chosen.method == "ewma":
        return ewma_verdict(
            expected, rows.batch, rows.time, share, side=_side(chosen), weight=chosen.weight
        )
    interval: Any = chosen.interval
    return verdict(
        expected, share, side=_side(chosen), interval=interval, confidence=chosen.confidence
    )


class _Found(NamedTuple):
    """Verdicts on all rows, reasons, the risk of a result."""

    verdict: Verdict
    reason: NDArray[np.intp]
    alpha_result: float


def _history(results: pd.DataFrame, history: Any, stability: bool) -> pd.DataFrame:
    if isinstance(history, pd.DataFrame):
        return history
    word = "others" if stability else "same"
    if not isinstance(history, str) or history != word:
        msg = f"history must be a DataFrame or {word!r} for this method, got {history!r}"
        raise InputError(msg)
    return results


def _stability(
    results: pd.DataFrame,
    past: pd.DataFrame,
    columns: Columns,
    chosen: Settings,
    *,
    others: bool,
) -> _Found:
    """Judge group by group, or each batch of a group against the rest of it."""
    group, past_group, n_groups = group_codes(results, past, columns.by)
    tested, names = rows_of(results, columns)
    known, known_names = rows_of(past, columns)
    if not others:
        check_apart(tested, names, known, known_names, (group, past_group))
    expected = _blank(tested.value)
    tested_places = places_of(group, n_groups)
    past_places = tested_places if others else places_of(past_group, n_groups)
    for rows, history in zip(tested_places, past_places, strict=True):
        if not rows.size:
            continue
        if others:
            _fill_against_others(expected, tested, rows, chosen)
        else:
            _fill(
                expected,
                rows,
                expect(take_rows(known, history), take_rows(tested, rows), chosen),
            )
    unique = Rows(distinct_batches(group, tested.batch), tested.time, tested.value)
    n_table = int((expected.reason == 0).sum())
    share = _share(expected, unique.batch, chosen, n_table)
    return _Found(judge(expected, unique, chosen, n_table), expected.reason, share)


def expect(history: Rows, tested: Rows, chosen: Settings) -> Expected:
    """Return what a stability method expects of tested results of one group."""
    if chosen.method == "time_point":
        return by_time_point(history, tested)
    if chosen.method == "slope":
        return of_slopes(history, tested)
    return _LINES[chosen.basis](history, tested)


def _fill_against_others(
    expected: Expected, tested: Rows, rows: NDArray[np.intp], chosen: Settings
) -> None:
    batch = tested.batch[rows]
    for one in np.unique(batch):
        own, rest = rows[batch == one], rows[batch != one]
        _fill(expected, own, expect(take_rows(tested, rest), take_rows(tested, own), chosen))


def _release(
    results: pd.DataFrame, past: pd.DataFrame, columns: Columns, chosen: Settings
) -> _Found:
    group, past_group, n_groups = group_codes(results, past, columns.by)
    value, known = take_values(results, columns.value), take_values(past, columns.value)
    if columns.time in past.columns:
        order = np.argsort(past[columns.time].to_numpy(), kind="stable")
        past_group, known = past_group[order], known[order]
    history = summarise(past_group, known, n_groups)
    within = chosen.method == "control_chart"
    expected = expected_of_groups(history, group, value, within=within)
    n_table = int((expected.reason == 0).sum())
    share = _share(expected, np.arange(len(value)), chosen, n_table)
    if chosen.method == "historical":
        rows = Rows(np.arange(len(value)), np.zeros(len(value)), value)
        return _Found(judge(expected, rows, chosen, n_table), expected.reason, share)
    if within:
        half = _THREE * expected.sd
        low, high, share = expected.center - half, expected.center + half, math.nan
    else:
        low, high = capability_limits(expected, chosen.lsl, chosen.usl, chosen.least)
        share = math.nan
    low = low if chosen.side != "upper" else np.where(np.isnan(low), np.nan, -math.inf)
    high = high if chosen.side != "lower" else np.where(np.isnan(high), np.nan, math.inf)
    with np.errstate(invalid="ignore"):
        signal = (value < low) | (value > high)
    return _Found(Verdict(value, expected.center, low, high, signal), expected.reason, share)


def _result(
    results: pd.DataFrame,
    past: pd.DataFrame,
    columns: Columns,
    chosen: Settings,
    found: _Found,
    units: str,
) -> OOTCheck:
    limits, reason = found.verdict, found.reason
    judged = int((reason == 0).sum())
    release = chosen.method not in STABILITY
    words = {"per": chosen.per, "side": chosen.side, "interval": chosen.interval}
    if chosen.method in {"regression", "ewma"}:
        words["basis"] = chosen.basis
    table = named_columns(results, columns, optional_time=release)
    return OOTCheck(
        method=chosen.method,
        title=_TITLES[chosen.method] + (f", {words['basis']}" if "basis" in words else ""),
        table=table.assign(
            statistic=limits.statistic,
            center=limits.center,
            lower=limits.lower,
            upper=limits.upper,
            signal=limits.signal,
            reason=pd.Categorical(
                np.array(REASONS, dtype=object)[reason], categories=list(REASONS)
            ),
        ),
        history=results.iloc[:0]
        if past is results
        else named_columns(past, columns, optional_time=release),
        by=columns.by,
        conventions=words,
        alpha=math.nan if math.isnan(found.alpha_result) else chosen.alpha,
        alpha_result=found.alpha_result,
        n_judged=judged,
        n_unjudged=len(reason) - judged,
        expected_false_alarms=judged * found.alpha_result,
        units=units,
    )


def _side(chosen: Settings) -> Side:
    return chosen.side  # type: ignore[return-value]


def _share(
    expected: Expected, batch: NDArray[np.intp], chosen: Settings, n_table: int
) -> float:
    counts = np.bincount(batch[expected.reason == 0]) if n_table else np.ones(1, dtype=int)
    planned = chosen.planned or int(counts.max())
    return share_of(chosen.alpha, chosen.per, planned, n_table)  # type: ignore[arg-type]


def _blank(value: NDArray[np.float64]) -> Expected:
    a, b, c, d, e, f = (np.full(len(value), np.nan) for _ in range(6))
    return Expected(a, b, c, d, e, f, np.zeros(len(value), dtype=np.intp))


def _fill(target: Expected, rows: NDArray[np.intp], part: Expected) -> None:
    for whole, piece in zip(target, part, strict=True):
        whole[rows] = piece
