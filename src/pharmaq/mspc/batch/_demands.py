"""What batches have to have before a monitor can learn from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pharmaq._checks import as_float, check_finite
from pharmaq.errors import InputError, InputTypeError
from pharmaq.mspc.batch._model import still_variables

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.mspc.batch._data import Batches


def refuse_aligned(batches: Any) -> None:
    """Raise for batches that are aligned already where the monitor aligns them."""
    if isinstance(batches, xr.Dataset):
        msg = (
            "batches must be those before alignment (as_batches, or a long frame), for this "
            "monitor aligns them; got a Dataset, for which score_aligned is meant"
        )
        raise InputTypeError(msg)


def check_variables(data: Batches) -> None:
    """Raise for variables that are constant or empty, and for empty batches."""
    empty = np.flatnonzero(np.isnan(data.values).all(axis=(0, 1)))
    if empty.size:
        msg = f"variable {data.variables[empty[0]]!r} has no observed value; leave it out"
        raise InputError(msg)
    still = still_variables(data.values)
    if still.size:
        msg = (
            f"variable {data.variables[still[0]]!r} is constant in all batches: nothing can be "
            "said about what it is normally allowed to do; leave it out and hold it against a "
            "fixed limit"
        )
        raise InputError(msg)
    nothing = np.flatnonzero(np.isnan(data.values).all(axis=(1, 2)))
    if nothing.size:
        msg = f"batch {str(data.batch[nothing[0]])!r} has no observed value; leave it out"
        raise InputError(msg)


def check_columns(
    values: NDArray[np.float64], data: Batches, place: tuple[str, int, int]
) -> None:
    few = np.argwhere((~np.isnan(values)).sum(axis=0) < 3)
    if few.size:
        k, j = few[0]
        msg = (
            f"{data.variables[j]!r} at time {data.time[place[1] + k]} was observed in fewer "
            f"than 3 batches ({len(few)} such columns); end the aligned time earlier, leave "
            "the variable out, or give more batches"
        )
        raise InputError(msg)


def check_quality(y: ArrayLike | None, n: int) -> NDArray[np.float64] | None:
    if y is None:
        return None
    quality = as_float("y", y)
    if quality.ndim not in (1, 2) or len(quality) != n:
        msg = f"y must have shape ({n},) or ({n}, n_responses), got {quality.shape}"
        raise InputError(msg)
    check_finite("y", quality)
    quality = quality.reshape(n, -1)
    if (np.ptp(quality, axis=0) == 0).any():
        msg = "y is constant; there is nothing to forecast"
        raise InputError(msg)
    return quality
