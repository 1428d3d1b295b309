"""Which batches are golden: chosen by their quality."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmaq._checks import as_float, check_integer
from pharmaq.errors import InputError, InputTypeError
from pharmaq.results import Finding, Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["GoldenSelection", "select_golden"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class GoldenSelection(Result):
    """Batches ranked by quality.

    Parameters
    ----------
    table : DataFrame
        A row a batch, the best first: ``batch, score, accepted, golden``, then the quality.
    chosen : list
        Names of the golden batches, the best first.
    n_missing : int
        Batches left out for want of a value.
    findings : tuple of Finding
        Batches outside the limits, or without a value.
    """

    table: pd.DataFrame
    chosen: list[Any]
    n_missing: int
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table.copy()


def select_golden(
    quality: pd.DataFrame | pd.Series,
    *,
    limits: Mapping[str, tuple[float | None, float | None]] | None = None,
    targets: Mapping[str, float] | None = None,
    most: int | None = None,
) -> GoldenSelection:
    """Choose golden batches by their quality.

    Parameters
    ----------
    quality : DataFrame or Series
        A row a batch, named by the index; a column a quality attribute. A batch with NaN is
        left out and counted.
    limits : mapping of str to (low, high), optional
        Acceptance limits; None for an open side. Batches outside are not golden.
    targets : mapping of str to float, optional
        Best value of an attribute; by default the middle of its limits where both are given,
        otherwise its median.
    most : int, optional
        Number of golden batches; by default half of the accepted ones, rounded up.

    Returns
    -------
    GoldenSelection
        Ranked batches and the chosen ones.

    Raises
    ------
    InputError
        If an attribute is unknown, limits are crossed, a batch stands twice, or no batch is
        accepted.

    Notes
    -----
    The score is the root mean square over attributes of (value - target) / sd, with the
    standard deviation (n - 1) of the batches that have all values; an attribute that does not
    vary counts nothing. A score of 0 is on target in everything.

    Examples
    --------
    >>> quality = pd.Series([99.0, 101.0, 95.0, 100.5], index=list("ABCD"), name="assay")
    >>> select_golden(quality, limits={"assay": (97.0, 103.0)}, most=2).chosen
    ['D', 'A']
    """
    frame = _checked(quality)
    names = list(frame.columns)
    values = np.column_stack([as_float(str(name), frame[name]) for name in names])
    low, high = _limits(names, limits)
    known: NDArray[np.bool_] = np.all(~np.isnan(values), axis=1)
    if known.sum() < 2:
        msg = f"quality must have two batches or more with all values, got {int(known.sum())}"
        raise InputError(msg)
    center = _targets(names, targets, low, high, values[known])
    score = _scores(values, center, values[known].std(axis=0, ddof=1))
    accepted: NDArray[np.bool_] = known & np.all((values >= low) & (values <= high), axis=1)
    if not accepted.any():
        msg = "no batch is within all limits; there is none to be golden"
        raise InputError(msg)
    half = (int(accepted.sum()) + 1) // 2
    count = half if most is None else check_integer("most", most, least=1)
    order = np.lexsort((np.where(known, score, np.inf), ~accepted))
    golden = np.zeros(len(values), dtype=bool)
    golden[order[: min(count, int(accepted.sum()))]] = True
    ranks: dict[str, Any] = {
        "batch": frame.index,
        "score": np.where(known, score, np.nan),
        "accepted": accepted,
        "golden": golden,
    }
    table = pd.DataFrame(ranks | {str(name): values[:, j] for j, name in enumerate(names)})
    table = table.iloc[order].reset_index(drop=True)
    return GoldenSelection(
        table=table,
        chosen=list(table["batch"][table["golden"]]),
        n_missing=int((~known).sum()),
        findings=tuple(_findings(list(frame.index), accepted, known)),
    )


def _checked(quality: Any) -> pd.DataFrame:
    frame = quality.to_frame() if isinstance(quality, pd.Series) else quality
    if not isinstance(frame, pd.DataFrame) or not frame.size:
        got = type(quality).__name__
        msg = f"quality must be a frame or Series with a row a batch, got {got}"
        raise InputTypeError(msg)
    if frame.index.has_duplicates or frame.columns.has_duplicates:
        msg = "quality must name each batch and each attribute once"
        raise InputError(msg)
    return frame


def _scores(
    values: NDArray[np.float64], center: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    usable = spread > 0
    if not usable.any():
        return np.zeros(len(values))
    scaled = (values - center)[:, usable] / spread[usable]
    return np.sqrt(np.mean(scaled**2, axis=1))


def _limits(
    names: list[Any], limits: Mapping[str, tuple[float | None, float | None]] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    given = dict(limits or {})
    _check_known("limits", given, names)
    low, high = np.full(len(names), -np.inf), np.full(len(names), np.inf)
    for j, name in enumerate(names):
        lower, upper = given.get(name, (None, None))
        low[j] = -np.inf if lower is None else float(lower)
        high[j] = np.inf if upper is None else float(upper)
        if not low[j] < high[j]:
            msg = f"limits of {name!r} must rise, got {given[name]!r}"
            raise InputError(msg)
    return low, high


def _targets(
    names: list[Any],
    targets: Mapping[str, float] | None,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    values: NDArray[np.float64],
) -> NDArray[np.float64]:
    given = dict(targets or {})
    _check_known("targets", given, names)
    center = np.median(values, axis=0)
    both = np.isfinite(low) & np.isfinite(high)
    center[both] = (low[both] + high[both]) / 2
    for name, target in given.items():
        center[names.index(name)] = float(target)
    return center


def _check_known(argument: str, given: dict[str, Any], names: list[Any]) -> None:
    unknown = [name for name in given if name not in names]
    if unknown:
        msg = f"{argument} name {unknown!r}, which quality does not have; it has {names!r}"
        raise InputError(msg)


def _findings(
    names: list[Any], accepted: NDArray[np.bool_], known: NDArray[np.bool_]
) -> list[Finding]:
    found = []
    for name, good, complete in zip(names, accepted, known, strict=True):
        if not complete:
            message = f"batch {name} lacks a quality value and is not ranked"
            found.append(
                Finding(
                    rule="missing_quality", severity="alert", subject=str(name), message=message
                )
            )
        elif not good:
            message = f"batch {name} is outside the limits of its quality"
            found.append(
                Finding(
                    rule="outside_limits", severity="action", subject=str(name), message=message
                )
            )
    return found
