"""Agreement of ratings beyond chance: kappa of two raters and of several."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from pharmaq._checks import as_float, check_finite, check_real, check_same_length
from pharmaq.errors import InputError
from pharmaq.results import Result

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Kappa", "cohen_kappa", "fleiss_kappa"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class Kappa(Result):
    """Agreement beyond chance.

    Parameters
    ----------
    kind : {"cohen", "fleiss"}
        Which kappa.
    kappa : float
        (observed - expected) / (1 - expected); NaN where all ratings are the same.
    observed, expected : float
        Share of pairs that agree, found and by chance.
    standard_error, lower, upper : float
        Large-sample error, and limits kappa -+ z error, cut at -1 and 1.
    z, p : float
        One-sided test of no agreement beyond chance, with the error that holds then.
    n_subjects, n_ratings : int
        Subjects, and ratings of each.
    confidence : float
        Of the limits.
    """

    kind: str
    kappa: float
    observed: float
    expected: float
    standard_error: float
    lower: float
    upper: float
    z: float
    p: float
    n_subjects: int
    n_ratings: int
    confidence: float

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers as one row."""
        return pd.DataFrame([self.to_dict()])


def cohen_kappa(
    first: Iterable[Any],
    second: Iterable[Any],
    *,
    confidence: float = 0.95,
) -> Kappa:
    """Return Cohen's kappa of two raters [1]_.

    Parameters
    ----------
    first, second : sequence, length n
        Ratings of the same subjects in the same order; labels of any kind, none missing.
    confidence : float, default 0.95
        Of the limits.

    Returns
    -------
    Kappa
        Kappa, limits, test.

    Raises
    ------
    InputError
        If lengths differ, a rating is missing or there are fewer than two subjects.

    Notes
    -----
    Chance agreement is from the margins of each rater. Standard errors are those of Fleiss,
    Cohen and Everitt [2]_, which correct the ones of the first paper.

    References
    ----------
    .. [1] J. Cohen, Educ. Psychol. Meas. 20 (1960) 37-46.
    .. [2] J. L. Fleiss, J. Cohen, B. S. Everitt, Psychol. Bull. 72 (1969) 323-327.

    Examples
    --------
    >>> first = ["pass"] * 6 + ["fail"] * 4
    >>> second = ["pass"] * 5 + ["fail"] * 5
    >>> print(f"{cohen_kappa(first, second).kappa:.3f}")
    0.800
    """
    confidence = check_real("confidence", confidence, above=0, below=1)
    a, b = list(first), list(second)
    n = check_same_length(first=a, second=b)
    codes, levels = pd.factorize(pd.Series(a + b, dtype=object))
    _check_ratings(codes, n)
    table = np.zeros((len(levels), len(levels)))
    np.add.at(table, (codes[:n], codes[n:]), 1)
    share = table / n
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    observed, expected = float(np.trace(share)), float(rows @ columns)
    if expected >= 1:
        return _kappa("cohen", (observed, expected), (math.nan, math.nan), (n, 2), confidence)
    kappa = (observed - expected) / (1 - expected)
    # eqs. 13 and 14 of Fleiss, Cohen and Everitt
    sums = rows[None, :] + columns[:, None]
    diagonal = np.diag(share) @ (1 - (rows + columns) * (1 - kappa)) ** 2
    beside = (1 - kappa) ** 2 * (np.sum(share * sums**2) - np.diag(share) @ np.diag(sums) ** 2)
    variance = diagonal + beside - (kappa - expected * (1 - kappa)) ** 2
    null = expected + expected**2 - (rows * columns) @ (rows + columns)
    scale = (1 - expected) * math.sqrt(n)
    errors = math.sqrt(max(variance, 0.0)) / scale, math.sqrt(max(null, 0.0)) / scale
    return _kappa("cohen", (observed, expected), errors, (n, 2), confidence)


def fleiss_kappa(counts: ArrayLike, *, confidence: float = 0.95) -> Kappa:
    """Return Fleiss' kappa of several ratings a subject [1]_.

    Parameters
    ----------
    counts : array-like, shape (n_subjects, n_categories)
        How many ratings put a subject into a category; the same number for each subject.
    confidence : float, default 0.95
        Of the limits.

    Returns
    -------
    Kappa
        Kappa, limits, test.

    Raises
    ------
    InputError
        If counts are not whole numbers, rows have different sums, or there are too few.

    Notes
    -----
    Raters need not be the same persons for each subject; chance agreement is from all ratings
    together. The test uses the error under no agreement [2]_, the limits the error over
    subjects, linearised [3]_.

    References
    ----------
    .. [1] J. L. Fleiss, Psychol. Bull. 76 (1971) 378-382.
    .. [2] J. L. Fleiss, J. C. M. Nee, J. R. Landis, Psychol. Bull. 86 (1979) 974-977.
    .. [3] K. L. Gwet, Br. J. Math. Stat. Psychol. 61 (2008) 29-48.

    Examples
    --------
    >>> print(f"{fleiss_kappa([[3, 0], [2, 1], [0, 3], [0, 3]]).kappa:.3f}")
    0.657
    """
    confidence = check_real("confidence", confidence, above=0, below=1)
    table = _count_table(counts)
    n, m = len(table), int(table[0].sum())
    share = table.sum(axis=0) / (n * m)
    agree = (np.sum(table**2, axis=1) - m) / (m * (m - 1))
    observed, expected = float(agree.mean()), float(share @ share)
    if np.count_nonzero(share) == 1:
        return _kappa("fleiss", (observed, 1.0), (math.nan, math.nan), (n, m), confidence)
    kappa = (observed - expected) / (1 - expected)
    chance = table @ share / m
    each = (agree - expected) / (1 - expected)
    each -= 2 * (1 - kappa) * (chance - expected) / (1 - expected)
    error = float(np.sqrt(np.sum((each - kappa) ** 2) / (n * (n - 1))))
    spread = float(share @ (1 - share))
    inner = spread**2 - share @ ((1 - share) * (1 - 2 * share))
    null = math.sqrt(2 * max(inner, 0.0) / (n * m * (m - 1))) / spread
    return _kappa("fleiss", (observed, expected), (error, null), (n, m), confidence)


def _kappa(
    kind: str,
    agreement: tuple[float, float],
    errors: tuple[float, float],
    sizes: tuple[int, int],
    confidence: float,
) -> Kappa:
    observed, expected = agreement
    error, null = errors
    kappa = (observed - expected) / (1 - expected) if expected < 1 else math.nan
    half = float(stats.norm.isf((1 - confidence) / 2)) * error
    z = kappa / null if null > 0 else math.nan
    return Kappa(
        kind=kind,
        kappa=kappa,
        observed=observed,
        expected=expected,
        standard_error=error,
        lower=max(kappa - half, -1.0) if half >= 0 else math.nan,
        upper=min(kappa + half, 1.0) if half >= 0 else math.nan,
        z=z,
        p=float(stats.norm.sf(z)),
        n_subjects=sizes[0],
        n_ratings=sizes[1],
        confidence=confidence,
    )


def _check_ratings(codes: NDArray[np.intp], n: int) -> None:
    if n < 2:
        msg = f"first and second must hold at least 2 ratings, got {n}"
        raise InputError(msg)
    missing = np.flatnonzero(codes < 0)
    if missing.size:
        place = int(missing[0])
        name = f"first[{place}]" if place < n else f"second[{place - n}]"
        msg = f"ratings must not be missing, but {name} is ({missing.size} are)"
        raise InputError(msg)


def _count_table(counts: ArrayLike) -> NDArray[np.float64]:
    table = as_float("counts", counts)
    check_finite("counts", table)
    if table.ndim != 2 or len(table) < 2:
        msg = f"counts must have at least 2 rows and 2 dimensions, got shape {table.shape}"
        raise InputError(msg)
    if np.any(table < 0) or np.any(table != np.round(table)):
        msg = "counts must be whole numbers of ratings, 0 or more"
        raise InputError(msg)
    sums = table.sum(axis=1)
    odd = np.flatnonzero(sums != sums[0])
    if odd.size or sums[0] < 2:
        row = int(odd[0]) if odd.size else 0
        msg = (
            f"each row of counts must hold the same number of ratings, at least 2; row 0 holds "
            f"{sums[0]:g}, row {row} holds {sums[row]:g}"
        )
        raise InputError(msg)
    return table
