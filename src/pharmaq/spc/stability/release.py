"""Limits at release that leave room for the change over the shelf life."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import pandas as pd
from scipy import stats

from pharmaq._checks import check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.results import Result

if TYPE_CHECKING:
    from pharmaq.spc.stability._result import ShelfLife

__all__ = ["ReleaseLimit", "release_limit"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class ReleaseLimit(Result):
    """Limits that a batch has to meet at release.

    Parameters
    ----------
    lower, upper : float or None
        On the scale of the results; None where there is no specification on that side.
    change, change_error : float
        Expected change over the shelf life and its standard error, per `batch`.
    batch : str
        Whose slope was taken: the one that leaves the least room.
    sigma, dof : float
        Standard deviation of a result and its degrees of freedom.
    months : float
        Shelf life.
    n_release : int
        Results that are averaged at release.
    confidence : float
        One-sided.
    """

    lower: float | None
    upper: float | None
    change: float
    change_error: float
    batch: str
    sigma: float
    dof: float
    months: float
    n_release: int
    confidence: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row."""
        return pd.DataFrame([self._fields()])


def release_limit(
    study: ShelfLife, *, months: float, n_release: int = 1, confidence: float = 0.95
) -> ReleaseLimit:
    """Return limits at release from the slope of a stability study [1]_.

    Parameters
    ----------
    study : ShelfLife
        From `shelf_life`, without transformation.
    months : float
        Shelf life to be kept.
    n_release : int, default 1
        Results whose mean is held against the limit.
    confidence : float, default 0.95
        One-sided, that a batch released at the limit has its mean within the specification at
        the end.

    Returns
    -------
    ReleaseLimit
        Lower and upper limit.

    Raises
    ------
    InputError
        If the study is on another scale.

    Notes
    -----
    Lower limit: lsl - change + t sqrt((months se_slope)^2 + s^2 / n_release), change = slope
    months if it is a loss, 0 otherwise: a gain is not counted on. Mirrored for the upper one.
    With separate lines each batch gives a limit, and the strictest holds. Slope and s come from
    the same fit, so that t has its degrees of freedom.

    References
    ----------
    .. [1] P. V. Allen, G. R. Dukes, M. E. Gerger, Pharm. Res. 8 (1991) 1210-1213.

    Examples
    --------
    >>> from pharmaq.spc import shelf_life
    >>> study = shelf_life(
    ...     [100.2, 99.1, 98.2, 97.1, 96.1], time=[0, 6, 12, 18, 24], batch=None, lsl=95
    ... )
    >>> round(release_limit(study, months=24).lower, 2)
    99.28
    """
    months = check_real("months", months, above=0)
    n = check_integer("n_release", n_release, least=1)
    confidence = check_real("confidence", confidence, above=0.5, below=1)
    if study.conventions["transform"] != "none":
        msg = 'release limits need a study with transform="none"'
        raise InputError(msg)
    rows = []
    for row in study.lines.to_dict("records"):
        change, error = row["slope"] * months, row["slope_se"] * months
        t = float(stats.t.ppf(confidence, row["dof"]))
        margin = t * math.sqrt(error**2 + row["rmse"] ** 2 / n)
        loss, gain = min(change, 0.0), max(change, 0.0)
        rows.append((margin - loss, margin + gain, change, error, row))
    below = max(rows, key=lambda r: r[0])
    above = max(rows, key=lambda r: r[1])
    worst = above if study.lsl is None else below
    return ReleaseLimit(
        lower=None if study.lsl is None else study.lsl + below[0],
        upper=None if study.usl is None else study.usl - above[1],
        change=worst[2],
        change_error=worst[3],
        batch="" if study.model != "separate" else str(worst[4]["batch"]),
        sigma=float(worst[4]["rmse"]),
        dof=float(worst[4]["dof"]),
        months=months,
        n_release=n,
        confidence=confidence,
    )
