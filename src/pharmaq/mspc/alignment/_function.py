"""Alignment of one set of batches in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from pharmaq.batches import as_batches
from pharmaq.mspc.alignment.aligner import BatchAligner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from pharmaq.batches import Batches
    from pharmaq.mspc.alignment._dtw import DTW
    from pharmaq.mspc.alignment.aligner import Method
    from pharmaq.mspc.alignment.result import Alignment

__all__ = ["AlignerOptions", "align"]


class AlignerOptions(TypedDict, total=False):
    """Options of an aligner besides its method, see `BatchAligner`."""

    n_points: int | Mapping[str, int] | None
    phases: Literal["whole", "each"]
    indicator: str | None
    repair: Literal["raise", "running", "isotonic"]
    max_gap: float | None
    dtw: DTW | None
    add_warping: bool


def align(
    batches: Batches | pd.DataFrame,
    *,
    method: Method = "dtw",
    unfinished: Sequence[Any] | Literal["all"] = (),
    **options: Unpack[AlignerOptions],
) -> Alignment:
    """Bring batches onto one clock, learned from those of them that are complete.

    Parameters
    ----------
    batches : Batches or DataFrame
        As from `pharmaq.batches.as_batches`, or a long frame for it; NaN is a value that was
        not measured.
    method : {"dtw", "resample", "maturity", "indicator"}, default "dtw"
        See `BatchAligner`.
    unfinished : sequence of batches, or "all", optional
        Batches that were aborted: they are aligned, but teach nothing. With ``"all"`` every
        batch teaches, and may end anywhere.
    **options : AlignerOptions
        Further options of `BatchAligner`.

    Returns
    -------
    Alignment
        Aligned batches, counts, findings, pictures.

    Raises
    ------
    InputError
        As `BatchAligner.fit` and `BatchAligner.transform`.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> parts = [
    ...     pd.DataFrame({"batch": n, "time": np.arange(n), "x": np.linspace(0, 6, n).round()})
    ...     for n in (12, 15, 20)
    ... ]
    >>> result = align(pd.concat(parts))
    >>> result.batches["x"].sel(batch=20).to_numpy()
    array([0., 0., 1., 1., 2., 2., 3., 3., 3., 4., 4., 5., 5., 6., 6.])
    """
    data = as_batches(batches)
    aborted = [] if isinstance(unfinished, str) else list(unfinished)
    complete = [name for name in data.ids if name not in aborted]
    aligner = BatchAligner(method, **options).fit(data.select(complete))
    return aligner.align(data, unfinished=unfinished)
