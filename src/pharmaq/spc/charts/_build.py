"""From measurements of phase 1 to a chart: stages, exclusions, labels."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

import numpy as np
import pandas as pd

from pharmaq._checks import check_integer, check_real
from pharmaq.errors import InputError, InputTypeError
from pharmaq.spc.charts._chart import ControlChart, Exclusion, as_labels
from pharmaq.spc.charts._procedures import Counts, Points, ShortRun, compute
from pharmaq.spc.subgroups import Subgroups

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Mask = NDArray[np.bool_]
    Estimate = Callable[[Any, Mask], dict[str, Any]]


class ChartOptions(TypedDict, total=False):
    """What every chart function takes beside its measurements, as keywords.

    ``labels``: time or name of each point. ``stages``: period of each point; limits are
    estimated in each. ``exclude``: position (from 0) and reason of points that are left out of
    the estimation. ``target``, ``lsl``, ``usl``: drawn, never used for limits. ``units``.
    """

    labels: ArrayLike | None
    stages: ArrayLike | None
    exclude: Mapping[int, str] | None
    target: float | None
    lsl: float | None
    usl: float | None
    units: str


class Frame(NamedTuple):
    """`ChartOptions` with their defaults."""

    labels: ArrayLike | None = None
    stages: ArrayLike | None = None
    exclude: Mapping[int, str] | None = None
    target: float | None = None
    lsl: float | None = None
    usl: float | None = None
    units: str = ""


def read_options(options: ChartOptions, values: Any = None) -> Frame:
    """Return the options; raise for a keyword that no chart knows.

    The index of a Series of single values or counts names the points, unless it only counts.
    """
    unknown = sorted(set(options) - set(Frame._fields))
    if unknown:
        msg = f"unknown option {unknown[0]!r}; charts take {', '.join(Frame._fields)}"
        raise InputTypeError(msg)
    frame = Frame(**options)
    named = isinstance(values, pd.Series) and not isinstance(values.index, pd.RangeIndex)
    if frame.labels is None and named:
        return frame._replace(labels=values.index)
    return frame


def build(
    kind: str, data: Any, estimate: Estimate, frame: Frame, *, drop: int = 0, **words: Any
) -> ControlChart:
    """Estimate parameters in each stage, compute its points and join them to one chart.

    `estimate` gets the data of a stage and which of its points count; `drop` is the number of
    first points that a stage has no statistic for; `words` are title, method and source.
    """
    n = _length(data)
    excluded = _exclusions(frame.exclude, n)
    keep = np.ones(n, dtype=bool)
    keep[[e.position for e in excluded]] = False
    parts: list[Points] = []
    parameters: dict[str, Any] = {}
    for where in stage_masks(frame.stages, n):
        _require_some(keep[where], frame.stages)
        stage = take(data, where)
        parameters = estimate(stage, keep[where])
        parts.append(compute(kind, parameters, stage))
    lsl, usl = _specification(frame.lsl, frame.usl)
    kept = _points_left(frame.stages, n, drop)
    joined = _joined(parts)
    return ControlChart(
        kind=kind,
        statistic=joined.statistic,
        center=joined.center,
        lower=joined.lower,
        upper=joined.upper,
        sigma=joined.sigma,
        n_phase1=len(joined.statistic),
        labels=_labels(frame.labels, data, n)[kept],
        stages=None if frame.stages is None else as_labels(frame.stages)[kept],
        excluded=_moved(excluded, kept),
        parameters=parameters,
        components=joined.components,
        state=joined.state,
        units=frame.units,
        target=_optional("target", frame.target),
        lsl=lsl,
        usl=usl,
        **words,
    )


def of_spread(frame: Frame) -> Frame:
    """Return the options of a companion: target and specification belong to the location."""
    return frame._replace(target=None, lsl=None, usl=None)


def take(data: Any, chosen: Mask) -> Any:
    """Return the chosen points of any form of measurements."""
    if isinstance(data, Subgroups):
        return data.take(chosen)
    if isinstance(data, Counts):
        return Counts(data.counts[chosen], data.sizes[chosen])
    if isinstance(data, ShortRun):
        return ShortRun(data.values[chosen], data.parts[chosen])
    return data[chosen]


def given_or(
    name: str,
    given: float | None,
    estimate: Callable[[], float],
    *,
    above: float | None = None,
) -> float:
    """Return a known value, checked, or its estimate."""
    return estimate() if given is None else check_real(name, given, above=above)


def check_width(n_sigma: float) -> float:
    """Return the distance of limits in standard deviations."""
    return check_real("n_sigma", n_sigma, above=0)


def _length(data: Any) -> int:
    if isinstance(data, Subgroups):
        return len(data.sizes)
    return len(data[0] if isinstance(data, Counts | ShortRun) else data)


def _exclusions(exclude: Mapping[int, str] | None, n: int) -> tuple[Exclusion, ...]:
    if exclude is not None and not isinstance(exclude, Mapping):
        msg = f"exclude must be a dictionary of position and reason, got {exclude!r}"
        raise InputTypeError(msg)
    found = []
    for position, reason in (exclude or {}).items():
        at = check_integer("exclude", position, least=0, most=n - 1)
        if not isinstance(reason, str) or not reason.strip():
            msg = f"exclude[{at}] must be the reason in words, got {reason!r}"
            raise InputTypeError(msg)
        found.append(Exclusion(position=at, reason=reason))
    return tuple(found)


def stage_masks(stages: ArrayLike | None, n: int) -> list[Mask]:
    """Return which of n points belong to each period, in order of time."""
    if stages is None:
        return [np.ones(n, dtype=bool)]
    names = as_labels(stages)
    if names.shape != (n,):
        msg = f"stages has shape {names.shape}, but there are {n} points"
        raise InputError(msg)
    starts = np.concatenate([[0], np.flatnonzero(names[1:] != names[:-1]) + 1, [n]])
    first = names[starts[:-1]]
    if len(set(first.tolist())) < len(first):
        msg = (
            f"stages must be periods in time order, but a stage comes back after another: "
            f"{first.tolist()}; give the later period a name of its own"
        )
        raise InputError(msg)
    place = np.arange(n)
    return [(place >= low) & (place < high) for low, high in pairwise(starts)]


def _require_some(keep: Mask, stages: ArrayLike | None) -> None:
    if not keep.any():
        where = "all points" if stages is None else "all points of a stage"
        msg = f"exclude leaves out {where}; nothing is left to estimate limits from"
        raise InputError(msg)


def _points_left(stages: ArrayLike | None, n: int, drop: int) -> NDArray[np.intp]:
    kept = [np.flatnonzero(where)[drop:] for where in stage_masks(stages, n)]
    return np.concatenate(kept)


def _moved(excluded: tuple[Exclusion, ...], kept: NDArray[np.intp]) -> tuple[Exclusion, ...]:
    place = {int(old): new for new, old in enumerate(kept)}
    return tuple(
        Exclusion(position=place[e.position], reason=e.reason)
        for e in excluded
        if e.position in place
    )


def _joined(parts: list[Points]) -> Points:
    if len(parts) == 1:
        return parts[0]
    sizes = [len(part.statistic) for part in parts]

    def spread(name: str) -> Any:
        series = [getattr(part, name) for part in parts]
        if any(one is None for one in series):
            return None
        return np.concatenate(
            [np.broadcast_to(one, n) for one, n in zip(series, sizes, strict=True)]
        )

    return Points(
        statistic=spread("statistic"),
        center=spread("center"),
        lower=spread("lower"),
        upper=spread("upper"),
        sigma=spread("sigma"),
        components={
            name: np.concatenate([part.components[name] for part in parts])
            for name in parts[0].components
        },
        state=parts[-1].state,
    )


def _labels(labels: ArrayLike | None, data: Any, n: int) -> NDArray[Any]:
    if labels is None:
        return as_labels(data.labels) if isinstance(data, Subgroups) else np.arange(1, n + 1)
    names = as_labels(labels)
    if names.shape != (n,):
        msg = f"labels has shape {names.shape}, but there are {n} points"
        raise InputError(msg)
    return names


def _optional(name: str, value: float | None) -> float | None:
    return None if value is None else check_real(name, value)


def _specification(lsl: float | None, usl: float | None) -> tuple[float | None, float | None]:
    low, high = _optional("lsl", lsl), _optional("usl", usl)
    if low is not None and high is not None and not low < high:
        msg = f"lsl must lie below usl, got lsl = {low:g} and usl = {high:g}"
        raise InputError(msg)
    return low, high
