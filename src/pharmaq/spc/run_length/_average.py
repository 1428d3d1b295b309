"""Run length of any chart by its name."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from pharmaq._checks import check_choice
from pharmaq.errors import InputError
from pharmaq.spc.run_length._counts import count_run_length
from pharmaq.spc.run_length._cusum import cusum_run_length, poisson_cusum_run_length
from pharmaq.spc.run_length._ewma import ewma_run_length
from pharmaq.spc.run_length._joint import individuals_run_length, xbar_s_run_length
from pharmaq.spc.run_length._shewhart import shewhart_run_length
from pharmaq.spc.run_length._variance import s2_cusum_run_length, s2_ewma_run_length

if TYPE_CHECKING:
    from collections.abc import Callable

    from pharmaq.spc.run_length._result import RunLength

__all__ = ["average_run_length"]

Chart = Literal[
    "shewhart",
    "ewma",
    "cusum",
    "individuals and moving range",
    "xbar-s ewma",
    "s2 ewma",
    "s2 cusum",
    "poisson cusum",
    "p",
    "np",
    "c",
    "u",
]

_CHARTS: dict[str, Callable[..., RunLength]] = {
    "shewhart": shewhart_run_length,
    "ewma": ewma_run_length,
    "cusum": cusum_run_length,
    "individuals and moving range": individuals_run_length,
    "xbar-s ewma": xbar_s_run_length,
    "s2 ewma": s2_ewma_run_length,
    "s2 cusum": s2_cusum_run_length,
    "poisson cusum": poisson_cusum_run_length,
    **{name: partial(count_run_length, name) for name in ("p", "np", "c", "u")},
}


def average_run_length(chart: Chart, **options: Any) -> RunLength:
    """Return how long a chart runs until it signals.

    Parameters
    ----------
    chart : str
        ``"shewhart"``, ``"ewma"``, ``"cusum"``; ``"individuals and moving range"`` and
        ``"xbar-s ewma"``, two charts together; ``"s2 ewma"``, ``"s2 cusum"``, of variances;
        ``"poisson cusum"``, ``"p"``, ``"np"``, ``"c"``, ``"u"``.
    **options
        Options of `shewhart_run_length`, `ewma_run_length`, `cusum_run_length`,
        `individuals_run_length`, `xbar_s_run_length`, `s2_ewma_run_length`,
        `s2_cusum_run_length`, `poisson_cusum_run_length` or `count_run_length`.

    Returns
    -------
    RunLength
        Mean, standard deviation and quantiles of the run length, with the method's name.

    Raises
    ------
    InputError
        If the chart has no such option, or needs one that is not given.

    Examples
    --------
    >>> average_run_length("shewhart", rules="western electric", shift=1).arl
    9.221...
    >>> average_run_length("ewma", lam=0.1, limit=2.7, shift=[0, 0.5, 1]).arl.round(2)
    array([368.99,  28.19,   9.73])
    >>> average_run_length("cusum", k=0.5, h=5, headstart=2.5).arl
    430.39...
    """
    run_length = _CHARTS[check_choice("chart", chart, _CHARTS)]
    try:
        inspect.signature(run_length).bind(**options)
    except TypeError as error:
        names = ", ".join(inspect.signature(run_length).parameters)
        msg = f"options of a {chart} chart are {names}; {error}, got {sorted(options)}"
        raise InputError(msg) from None
    return run_length(**options)
