"""Rational subgroups: measurements taken together, in the order of time."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmaq._checks import as_float, check_finite, check_integer
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Subgroups", "as_subgroups", "holds_rows"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Subgroups:
    """Measurements in subgroups that may differ in size.

    Parameters
    ----------
    values : ndarray of shape (n,)
        All measurements, one subgroup after the other.
    sizes : ndarray of int, shape (m,)
        Number of measurements in each subgroup.
    labels : ndarray of shape (m,)
        Name of each subgroup: its time, its batch, or its number from 1.
    """

    values: NDArray[np.float64]
    sizes: NDArray[np.intp]
    labels: NDArray[Any]

    @property
    def starts(self) -> NDArray[np.intp]:
        """Position of the first measurement of each subgroup."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype(np.intp)

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean of each subgroup."""
        return np.add.reduceat(self.values, self.starts) / self.sizes

    @property
    def ranges(self) -> NDArray[np.float64]:
        """Largest minus smallest measurement of each subgroup."""
        largest = np.maximum.reduceat(self.values, self.starts)
        return largest - np.minimum.reduceat(self.values, self.starts)

    @property
    def deviations(self) -> NDArray[np.float64]:
        """Standard deviation of each subgroup, divisor n - 1; NaN for a subgroup of one."""
        centred = self.values - np.repeat(self.means, self.sizes)
        squares = np.add.reduceat(centred**2, self.starts)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sqrt(squares / (self.sizes - 1))

    def take(self, chosen: NDArray[np.bool_]) -> Subgroups:
        """Return the subgroups that are chosen."""
        return Subgroups(
            values=self.values[np.repeat(chosen, self.sizes)],
            sizes=self.sizes[chosen],
            labels=self.labels[chosen],
        )


def as_subgroups(
    values: Any, *, subgroups: ArrayLike | int | None = None, least: int = 2
) -> Subgroups:
    """Return measurements as subgroups in the order of time.

    Parameters
    ----------
    values : array-like of shape (m, n) or (n_values,), or sequence of m arrays
        A subgroup a row; arrays of different length where subgroups differ in size; or all
        measurements in one column, with `subgroups`. NaN raises.
    subgroups : array-like of shape (n_values,) or int, optional
        For one column: the subgroup of each measurement, equal labels together, or the
        constant size of consecutive subgroups.
    least : int, default 2
        Smallest size a subgroup may have.

    Returns
    -------
    Subgroups
        Sizes and labels beside the measurements.

    Raises
    ------
    InputError
        If a subgroup is too small, labels of one subgroup do not stand together, or
        measurements are missing.

    Examples
    --------
    >>> as_subgroups([4.9, 5.1, 5.0, 5.3], subgroups=2).means
    array([5.  , 5.15])
    """
    if subgroups is not None:
        found = _from_column(values, subgroups)
    elif isinstance(values, pd.DataFrame):
        found = _from_rows(list(as_float("values", values)), values.index.to_numpy())
    else:
        found = _from_rows(_rows(values), None)
    small = np.flatnonzero(found.sizes < least)
    if small.size:
        i = small[0]
        msg = (
            f"subgroups must hold at least {least} measurements, but subgroup "
            f"{found.labels[i]} holds {found.sizes[i]} ({small.size} of {len(found.sizes)} are "
            "too small); single measurements belong on an individuals chart"
        )
        raise InputError(msg)
    return found


def holds_rows(values: Any) -> bool:
    """Tell whether values come as a subgroup a row, and not in one column."""
    if isinstance(values, pd.DataFrame):
        return True
    if isinstance(values, list | tuple) or getattr(values, "dtype", None) == np.dtype(object):
        return len(values) > 0 and np.ndim(next(iter(values))) > 0
    return np.ndim(values) > 1


def _rows(values: Any) -> list[NDArray[np.float64]]:
    if not holds_rows(values):
        msg = (
            "values must hold a subgroup a row, shape (m, n); give subgroups= for "
            "measurements in one column"
        )
        raise InputError(msg)
    return [as_float("values", row) for row in values]


def _from_rows(rows: Sequence[NDArray[np.float64]], labels: Any) -> Subgroups:
    for i, row in enumerate(rows):
        if row.ndim != 1:
            msg = f"values must be two-dimensional, but values[{i}] has shape {row.shape}"
            raise InputError(msg)
        check_finite(f"values[{i}]", row)
    sizes = np.array([row.size for row in rows], dtype=np.intp)
    if not sizes.all():
        msg = f"subgroup {int(np.argmin(sizes)) + 1} of values is empty; leave it out"
        raise InputError(msg)
    names = np.arange(1, len(rows) + 1) if labels is None else labels
    return Subgroups(values=np.concatenate(rows), sizes=sizes, labels=names)


def _from_column(values: ArrayLike, subgroups: ArrayLike | int) -> Subgroups:
    column = as_float("values", values)
    if column.ndim != 1:
        msg = f"values must be one column where subgroups is given, got shape {column.shape}"
        raise InputError(msg)
    check_finite("values", column)
    if np.ndim(subgroups) == 0:
        return _consecutive(column, check_integer("subgroups", subgroups, least=1))
    names = np.asarray(subgroups)
    if names.shape != column.shape:
        msg = f"subgroups has shape {names.shape}, but values have shape {column.shape}"
        raise InputError(msg)
    starts = np.concatenate([[0], np.flatnonzero(names[1:] != names[:-1]) + 1])
    labels = names[starts]
    if len(pd.unique(labels)) < len(labels):
        again = labels[pd.Series(labels).duplicated().to_numpy()][0]
        msg = (
            f"subgroups must hold equal labels together, but {again!r} comes back after "
            "another; sort by time, or name subgroups so that no label comes twice"
        )
        raise InputError(msg)
    sizes = np.diff(np.append(starts, names.size))
    return Subgroups(values=column, sizes=sizes, labels=labels)


def _consecutive(column: NDArray[np.float64], size: int) -> Subgroups:
    count, rest = divmod(column.size, size)
    if rest or not count:
        msg = (
            f"values hold {column.size} measurements, which is no whole number of subgroups "
            f"of {size}; {rest} are left over"
        )
        raise InputError(msg)
    sizes = np.full(count, size, dtype=np.intp)
    return Subgroups(values=column, sizes=sizes, labels=np.arange(1, count + 1))
