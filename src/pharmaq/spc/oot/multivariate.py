"""Several tests together: a batch out of trend by T2 that no single test shows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import linalg, stats

from pharmaq._checks import check_choice, check_real
from pharmaq.errors import InputError
from pharmaq.spc._columns import check_distinct, take_values
from pharmaq.spc.oot._core import REASONS
from pharmaq.spc.oot._limits import share_of
from pharmaq.spc.oot._result import OOTCheck

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["check_oot_multivariate"]

# smaller shares of the largest eigenvalue are no direction of their own
_SINGULAR = 1e-10


def check_oot_multivariate(
    results: pd.DataFrame,
    *,
    history: pd.DataFrame,
    tests: Sequence[str],
    alpha: float = 0.05,
    per: Literal["result", "table"] = "result",
    batch: str = "batch",
) -> OOTCheck:
    """Find batches whose tests do not go together as they used to, by Hotelling's T2 [1]_.

    Parameters
    ----------
    results : DataFrame
        A row a tested batch, a column a test; NaN raises.
    history : DataFrame
        Earlier batches with the same columns, more of them than tests; none of the tested ones.
    tests : sequence of str
        Columns of related tests, at least two.
    alpha : float, default 0.05
        Risk of a false alarm, for `per`.
    per : {"result", "table"}, default "result"
        Whether `alpha` is the risk of a batch or of the table, shared out by Sidak's formula.
    batch : str, default "batch"
        Column of names; the index is taken if there is none.

    Returns
    -------
    OOTCheck
        T2 of each batch against its limit; ``contributions`` has the part of each test, which
        sum to T2.

    Raises
    ------
    InputError
        If there are too few batches, or tests depend on each other exactly.

    Notes
    -----
    T2 = (x - m)' S^-1 (x - m) against p (N + 1) (N - 1) / (N (N - p)) F(p, N - p) of N
    historical batches, which is exact for a new one [2]_. The part of a test is
    (x - m)_j (S^-1 (x - m))_j; it can be negative.

    References
    ----------
    .. [1] H. Hotelling, in Techniques of Statistical Analysis, McGraw-Hill, 1947.
    .. [2] N. D. Tracy, J. C. Young, R. L. Mason, J. Qual. Technol. 24 (1992) 88-95.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> assay = rng.normal(100, 1, 30)
    >>> old = pd.DataFrame({"assay": assay, "uniformity": assay + rng.normal(0, 0.2, 30)})
    >>> new = pd.DataFrame({"assay": [101.0, 101.0], "uniformity": [101.1, 99.5]})
    >>> found = check_oot_multivariate(new, history=old, tests=["assay", "uniformity"])
    >>> found.table["signal"].tolist()
    [False, True]
    """
    names = list(tests)
    if len(names) < 2:
        msg = f"tests must name two columns at least, got {names!r}"
        raise InputError(msg)
    check_distinct(**{f"tests[{i}]": name for i, name in enumerate(names)})
    alpha = check_real("alpha", alpha, above=0, below=1)
    check_choice("per", per, ("result", "table"))
    X = np.column_stack([take_values(history, name) for name in names])
    new = np.column_stack([take_values(results, name) for name in names])
    subjects = results[batch] if batch in results.columns else results.index.to_series()
    if batch in results.columns and batch in history.columns:
        shared = sorted(set(map(str, results[batch])) & set(map(str, history[batch])))
        if shared:
            msg = f"batch {shared[0]!r} is in results and history, of which it must stay out"
            raise InputError(msg)
    N, p = X.shape
    deviations, weights = _weights(X, new, names)
    parts = deviations * weights
    t2 = parts.sum(axis=1)
    share = share_of(alpha, per, 1, len(new))
    limit = p * (N + 1) * (N - 1) / (N * (N - p)) * float(stats.f.isf(share, p, N - p))
    table = pd.DataFrame(
        {
            "batch": subjects.to_numpy(),
            "value": t2,
            "statistic": t2,
            "center": float(p),
            "lower": -math.inf,
            "upper": limit,
            "signal": t2 > limit,
            "reason": pd.Categorical([""] * len(t2), categories=list(REASONS)),
        },
        index=results.index,
    )
    return OOTCheck(
        method="t2",
        title=f"T2 of {', '.join(names)}",
        table=table,
        history=table.iloc[:0],
        by=(),
        conventions={"per": per, "limit": "F, new batch"},
        alpha=alpha,
        alpha_result=share,
        n_judged=len(t2),
        n_unjudged=0,
        expected_false_alarms=len(t2) * share,
        contributions=pd.DataFrame(parts, columns=names, index=results.index),
    )


def _weights(X: Floats, new: Floats, names: list[str]) -> tuple[Floats, Floats]:
    """Return deviations from the mean, and S^-1 times them."""
    N, p = X.shape
    if p + 2 > N:
        msg = f"history must hold {p + 2} batches at least for {p} tests, got {N}"
        raise InputError(msg)
    mean, sd = X.mean(axis=0), X.std(axis=0, ddof=1)
    flat = np.flatnonzero(sd == 0)
    if flat.size:
        msg = f"test {names[int(flat[0])]!r} does not vary in the history; leave it out"
        raise InputError(msg)
    R = np.asarray(np.corrcoef(X, rowvar=False), dtype=np.float64).reshape(p, p)
    smallest = float(linalg.eigvalsh(R)[0])
    if smallest < _SINGULAR:
        msg = "tests depend on each other exactly in the history; leave one out"
        raise InputError(msg)
    z = (new - mean) / sd
    return z, np.asarray(linalg.solve(R, z.T, assume_a="pos"), dtype=np.float64).T
