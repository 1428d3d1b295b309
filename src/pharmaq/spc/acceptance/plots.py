"""Pictures of results and their limits: each takes `ax`, draws what the result holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from pharmaq import _style
from pharmaq.errors import InputError
from pharmaq.spc.inference.plots import finish, new_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from pharmaq.spc.acceptance.oos import AcceptanceCheck
    from pharmaq.spc.acceptance.review import ResultsReview

__all__ = ["plot_results", "plot_review"]

# outcome -> mark, colour, words; told apart in grey by the marks
_MARKS = {
    "pass": ("o", _style.PRIMARY, "within limits"),
    "alert": ("D", _style.ALERT, "beyond alert limit"),
    "action": ("^", _style.ALERT, "beyond action limit"),
    "undecided": ("P", _style.LIMIT, "undecided"),
    "oos": ("s", _style.ACTION, "out of specification"),
}
_VALID = ((True, "o", "stable and normal"), (False, "D", "not shown to be"))
_LIMIT: dict[str, Any] = {"color": _style.LIMIT, "linestyle": "--", "linewidth": 1.2}


def plot_results(
    result: AcceptanceCheck,
    *,
    ax: Axes | None = None,
    test: str | None = None,
    product: str | None = None,
) -> Axes:
    """Draw the results of one test of one product in order, outcomes marked."""
    ax = new_axes(ax)
    table = _picked(result.table, test, product)
    timed = (
        "time" in table and table["time"].dtype.kind in "fiuM" and table["time"].notna().all()
    )
    table = table.sort_values("time", kind="stable") if timed else table
    x = table["time"].to_numpy() if timed else np.arange(1, len(table) + 1)
    y = table["reported"].where(table["reported"].notna(), table["number"]).to_numpy()
    for outcome, (mark, color, words) in _MARKS.items():
        here = (table["outcome"] == outcome).to_numpy()
        if here.any():
            n = int(here.sum())
            kind: dict[str, Any] = {"marker": mark, "color": color, "s": _style.MARK_SIZE}
            kind |= {"edgecolors": _style.SURFACE, "linewidths": 0.4, "zorder": 3}
            ax.scatter(x[here], y[here], label=f"{words} ({n})", **kind)
    for side in ("lsl", "usl"):
        for k, limit in enumerate(table[side].dropna().unique()):
            ax.axhline(limit, label=side if k == 0 else None, **_LIMIT)
    if not timed:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.margins(y=0.12)
    ax.legend(frameon=False, fontsize="small")
    ax.set_title(_title(table), loc="left", fontsize="medium")
    units: Any = table["units"].dropna().unique() if "units" in table else []
    label = f"result / {units[0]}" if len(units) == 1 and result.n_converted == 0 else "result"
    return finish(ax, "time" if timed else "result", label)


def plot_review(result: ResultsReview, *, ax: Axes | None = None) -> Axes:
    """Draw Ppk with its confidence limits, a line a test of each product."""
    ax = new_axes(ax)
    table = result.table[result.table["ppk"].notna()].iloc[::-1].reset_index(drop=True)
    y = np.arange(len(table))
    low = result.least_ppk
    for valid, mark, words in (
        (True, "o", "stable and normal"),
        (False, "D", "not shown to be"),
    ):
        here = (table["valid"].astype(bool) == valid).to_numpy()
        if not here.any():
            continue
        x, bad = table["ppk"].to_numpy(float)[here], table["ppk"].to_numpy(float)[here] < low
        spans = np.abs(table.loc[here, ["ppk_lower", "ppk_upper"]].to_numpy(float).T - x)
        ax.errorbar(x, y[here], xerr=spans, fmt="none", ecolor=_style.MUTED, elinewidth=1)
        colors = np.where(bad, _style.ACTION, _style.PRIMARY)
        ax.scatter(x, y[here], c=list(colors), marker=mark, s=_style.MARK_SIZE, zorder=3)
        ax.scatter([], [], color=_style.PRIMARY, marker=mark, s=_style.MARK_SIZE, label=words)
    ax.axvline(low, label=f"least Ppk {low:g}", **_LIMIT)
    keys = [name for name in ("product", "test", "stage") if name in table]
    ax.set_yticks(
        y,
        [", ".join(str(word) for word in row if word != "") for row in table[keys].to_numpy()],
    )
    ax.legend(frameon=False, fontsize="small")
    return finish(ax, f"Ppk with {100 * result.confidence:g} % limits", "")


def _is_timed(table: pd.DataFrame) -> bool:
    if "time" not in table:
        return False
    return table["time"].dtype.kind in "fiuM" and bool(table["time"].notna().all())


def _picked(table: pd.DataFrame, test: str | None, product: str | None) -> pd.DataFrame:
    """Return the rows of a test and product; by default those with most failures."""
    for name, asked in (("product", product), ("test", test)):
        if name not in table:
            continue
        wanted: Any = asked
        if asked is None:
            failed = (table["outcome"] == "oos").groupby(table[name], sort=False).sum()
            wanted = failed.idxmax()
        rows = table[table[name] == wanted]
        if not len(rows):
            msg = f"no result has the {name} {wanted!r}; there are {list(table[name].unique())}"
            raise InputError(msg)
        table = rows
    return table


def _title(table: pd.DataFrame) -> str:
    words = [str(table[name].iloc[0]) for name in ("product", "test") if name in table]
    return ", ".join(words)
