"""Several blocks of columns as one matrix, and which column belongs to which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from pharmaq._checks import as_float, check_finite
from pharmaq.chemometrics._base import like_columns, split_container
from pharmaq.errors import AxisError, InputError, InputTypeError
from pharmaq.spectra import axis_difference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Axes = dict[str, tuple[NDArray[np.float64], str]]


def join_blocks(X: dict[str, Any]) -> tuple[Any, dict[str, int], Axes]:
    """Return the blocks side by side, their widths, and the axes of those that have one."""
    if not X:
        msg = "X has no blocks; give at least one, as {name: values}"
        raise InputError(msg)
    values, axes, names = {}, {}, []
    for name, block in X.items():
        if not isinstance(name, str):
            msg = f"names of blocks must be text, got {name!r}"
            raise InputTypeError(msg)
        raw, axis, kind = split_container(block)
        array = as_float(f"block {name!r}", raw)
        if array.ndim != 2:
            msg = f"block {name!r} must have shape (n_samples, n_points), got {array.shape}"
            raise InputError(msg)
        check_finite(f"block {name!r}", array)
        if axis is not None:
            axes[name] = (axis, str(kind))
        values[name] = array
        columns = block.columns if isinstance(block, pd.DataFrame) else range(array.shape[1])
        names += [f"{name}.{column}" for column in columns]
    _require_same_rows(X, {name: len(array) for name, array in values.items()})
    joined = np.hstack(list(values.values()))
    widths = {name: array.shape[1] for name, array in values.items()}
    return like_columns(X, joined, names, "point"), widths, axes


def require_same_blocks(
    widths: dict[str, int], axes: Axes, names: list[str], fitted: Axes, points: NDArray[np.intp]
) -> None:
    """Raise if blocks are not those of `fit`: names in their order, widths, axes."""
    if list(widths) != names:
        msg = f"X must have the blocks of fit in their order, {names}, got {list(widths)}"
        raise InputError(msg)
    for b, (name, width) in enumerate(widths.items()):
        if width != np.sum(points == b):
            msg = (
                f"block {name!r} has {width} columns, but {np.sum(points == b)} when the model "
                "was fitted"
            )
            raise InputError(msg)
        if name not in axes or name not in fitted:
            continue
        (axis, kind), (known, known_kind) = axes[name], fitted[name]
        other = f"{kind} instead of {known_kind}" if kind != known_kind else ""
        problem = other or axis_difference(known, axis)
        if problem:
            msg = (
                f"block {name!r} has another axis than when the model was fitted: {problem}; "
                "bring it onto the fitted axis first"
            )
            raise AxisError(msg)


def share_out(
    blocks: dict[str, Any] | None, names: list[str], n_points: int
) -> tuple[list[str], NDArray[np.intp]]:
    """Return the names of the blocks, and the number of the block of each column of X.

    Columns are named, or go by their positions.
    """
    if blocks is None:
        return ["X"], np.zeros(n_points, dtype=np.intp)
    columns: list[Any] = names or list(range(n_points))
    place: dict[Any, int] = {column: i for i, column in enumerate(columns)}
    place |= {i: i for i in range(n_points)}
    owner = np.full(n_points, -1, dtype=np.intp)
    for b, (name, wanted) in enumerate(blocks.items()):
        for column in wanted:
            i = place.get(column, -1)
            if i < 0:
                msg = f"blocks[{name!r}] names the column {column!r}, which X has not"
                raise InputError(msg)
            if owner[i] >= 0:
                other = list(blocks)[owner[i]]
                msg = f"column {column!r} of X is in two blocks, {other!r} and {name!r}"
                raise InputError(msg)
            owner[i] = b
    _require_all(list(blocks), owner, columns)
    return [str(name) for name in blocks], owner


def _require_all(names: list[Any], owner: NDArray[np.intp], columns: list[Any]) -> None:
    left = np.flatnonzero(owner < 0)
    if left.size:
        msg = (
            f"column {columns[left[0]]!r} of X is in no block ({left.size} such columns); put "
            "it into one, or take it out of X"
        )
        raise InputError(msg)
    empty = sorted(set(range(len(names))) - set(owner.tolist()))
    if empty:
        msg = f"blocks[{names[empty[0]]!r}] has no columns"
        raise InputError(msg)


def _require_same_rows(X: dict[str, Any], lengths: dict[str, int]) -> None:
    first, *others = X
    for name in others:
        if lengths[name] != lengths[first]:
            msg = (
                f"blocks must have the same rows, but {first!r} has {lengths[first]} and "
                f"{name!r} {lengths[name]}"
            )
            raise InputError(msg)
        one, two = _row_labels(X[first]), _row_labels(X[name])
        if one is not None and two is not None and not one.equals(two):
            msg = (
                f"blocks must have the same rows, but the labels of {name!r} are not those of "
                f"{first!r}; bring them into one order first"
            )
            raise InputError(msg)


def _row_labels(block: Any) -> pd.Index | None:
    if isinstance(block, pd.DataFrame):
        return block.index
    if isinstance(block, xr.DataArray) and "sample" in block.coords:
        return pd.Index(block["sample"].values)
    return None
