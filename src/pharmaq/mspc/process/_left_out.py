"""T2 and SPE of rows that the model has not seen: blocks of rows left out in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq.chemometrics import ContiguousBlocks
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def blocks(n: int, cv: int) -> list[NDArray[np.intp]]:
    """Return blocks of neighbouring rows, at most one a row."""
    splits = ContiguousBlocks(min(cv, n)).split(np.empty((n, 1)))
    return [np.asarray(rows) for _, rows in splits]


def left_out_statistics(
    values: Array,
    y: Array | None,
    make_model: Callable[[], Any],
    cv: int,
    variables: tuple[str, ...],
) -> tuple[Array, Array]:
    """Return T2 and SPE of each row by a model of the rows outside its block.

    Centre, scale and components are all of the other rows.
    """
    n, n_components = len(values), make_model().n_components
    t2, spe = np.empty(n), np.empty(n)
    for rows in blocks(n, cv):
        kept = np.delete(values, rows, axis=0)
        if len(kept) <= n_components + 1:
            msg = (
                f"X has too few rows to leave out blocks of {len(rows)}: {len(kept)} are left "
                f"for {n_components} components; set a larger cv, or cv=None"
            )
            raise InputError(msg)
        _refuse_still(kept, variables)
        model = make_model()
        if y is None:
            model.fit(kept)
        else:
            model.fit(kept, np.delete(y, rows, axis=0))
        scores, spe[rows] = model.project_array(np.ascontiguousarray(values[rows]))
        t2[rows] = model.t2_of_scores(scores)
    return t2, spe


def _refuse_still(kept: Array, variables: tuple[str, ...]) -> None:
    """Raise if a variable does not vary outside a block: its scale would be unknown."""
    still = np.flatnonzero((kept == kept[0]).all(axis=0))
    if still.size:
        msg = (
            f"variable {variables[still[0]]!r} varies within one block of X only; leave it "
            "out, choose other blocks with cv, or set cv=None and a limit that needs none"
        )
        raise InputError(msg)
