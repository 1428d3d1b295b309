"""Pictures of results out of trend; they draw what a result holds and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

from pharmaq import _style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from pharmaq.spc.oot._result import OOTCheck
    from pharmaq.spc.oot.power import OOTPower

__all__ = ["plot_oot", "plot_power"]

_MANY = 400
_NAMED = 12
_NAMES = {"slope": "slope", "ewma": "EWMA of normal scores", "t2": "T²"}


def plot_oot(
    found: OOTCheck, rows: pd.DataFrame, history: pd.DataFrame, *, ax: Axes | None = None
) -> Axes:
    """Draw the results of one group with their limits.

    Parameters
    ----------
    found : OOTCheck
        What they belong to.
    rows, history : DataFrame
        Tested results of the group, and its history.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(7.6, 4.2), layout="constrained")
    if found.method in {"regression", "time_point", "slope", "ewma"}:
        _draw_study(found, rows, history, ax)
        ax.set_xlabel("time (months)")
    else:
        _draw_sequence(rows, ax)
        ax.set_xlabel("result")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    _mark(found, rows, ax)
    if found.method == "slope" and rows["statistic"].notna().any():
        # limits of slopes over the first months would leave no room for the others
        low, high = rows["statistic"].min(), rows["statistic"].max()
        ax.set_ylim(2 * low - high - 1e-9, 2 * high - low + 1e-9)
    ax.set_ylabel(_NAMES.get(found.method, found.units or "result"))
    ax.set_title(_title(found, rows), loc="left", fontsize=9)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.13),
            frameon=False,
            fontsize="small",
            ncols=6,
        )
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_power(found: OOTPower, *, ax: Axes | None = None) -> Axes:
    """Draw the share of batches with an alarm, by method and kind of batch.

    Parameters
    ----------
    found : OOTPower
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
    y = np.arange(len(found.table))[::-1]
    kinds = {
        "level": "level",
        "slope": "slope",
        "single": "one result",
        "false_alarm": "false alarm",
    }
    for (kind, label), (shape, color) in zip(
        kinds.items(), (*_style.GROUP_MARKS[2::-1], ("x", _style.ACTION)), strict=True
    ):
        ax.scatter(
            found.table[kind],
            y,
            marker=shape,
            color=color,
            s=_style.MARK_SIZE * 1.4,
            label=label,
        )
    ax.axvline(
        found.design["alpha"], color=_style.LIMIT, linestyle="--", linewidth=_style.THIN_LINE
    )
    ax.set_yticks(y, found.table["method"])
    ax.grid(axis="y", color=_style.GRID)
    ax.set_xlim(-0.02, 1.02)
    ax.set_xlabel("share of batches with an alarm")
    ax.set_title(
        f"{found.design['n_history']} historical batches, {len(found.design['time'])} times",
        loc="left",
        fontsize=9,
    )
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.13),
        frameon=False,
        fontsize="small",
        ncols=4,
    )
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _draw_study(found: OOTCheck, rows: pd.DataFrame, history: pd.DataFrame, ax: Axes) -> None:
    if len(history) and found.method in {"regression", "time_point"}:
        label = f"history, {history['batch'].nunique()} batches"
        for _, batch in history.groupby("batch", sort=False):
            ax.plot(
                batch["time"],
                batch["value"],
                color=_style.MUTED,
                linewidth=_style.THIN_LINE,
                marker=".",
                markersize=4,
                alpha=0.6,
                label=label,
            )
            label = ""
    ordered = rows.sort_values("time", kind="stable")
    for i, (name, batch) in enumerate(ordered.groupby("batch", sort=False)):
        shape, color = _style.GROUP_MARKS[i % len(_style.GROUP_MARKS)]
        ax.plot(
            batch["time"],
            batch["statistic"],
            color=color,
            marker=shape,
            markersize=5,
            linewidth=_style.LINE_WIDTH * 0.7,
            label=str(name) if i < _NAMED else "",
        )
        limits = "limits" if i == 0 else ""
        for side in ("lower", "upper"):
            ax.plot(
                batch["time"],
                np.where(np.isfinite(batch[side]), batch[side], np.nan),
                color=_style.LIMIT,
                linestyle="--",
                marker="_",
                linewidth=_style.LINE_WIDTH * 0.8,
                label=limits,
            )
            limits = ""


def _draw_sequence(rows: pd.DataFrame, ax: Axes) -> None:
    x = np.arange(1, len(rows) + 1)
    mark: dict[str, Any] = {"marker": "o", "markersize": 3.5} if len(rows) <= _MANY else {}
    ax.plot(
        x, rows["statistic"], color=_style.PRIMARY, linewidth=_style.LINE_WIDTH * 0.7, **mark
    )
    for name, color, dash in (
        ("center", _style.INK, "-"),
        ("lower", _style.LIMIT, "--"),
        ("upper", _style.LIMIT, "--"),
    ):
        level = np.where(np.isfinite(rows[name]), rows[name], np.nan)
        if np.isfinite(level).any():
            ax.plot(x, level, color=color, linestyle=dash, linewidth=_style.THIN_LINE * 1.5)


def _mark(found: OOTCheck, rows: pd.DataFrame, ax: Axes) -> None:
    """Ring what is out of trend and name it while there is room."""
    hit = rows["signal"].to_numpy()
    study = found.method in {"regression", "time_point", "slope", "ewma"}
    x = rows["time"].to_numpy() if study else np.arange(1, len(rows) + 1)
    ax.scatter(
        x[hit],
        rows["statistic"].to_numpy()[hit],
        s=_style.MARK_SIZE * 4,
        facecolors="none",
        edgecolors=_style.ACTION,
        linewidths=1.6,
        zorder=4,
        label="out of trend" if hit.any() else "",
    )
    if int(hit.sum()) > _NAMED:
        return
    for i in np.flatnonzero(hit):
        ax.annotate(
            str(rows["batch"].iloc[i]),
            (float(x[i]), float(rows["statistic"].iloc[i])),
            xytext=(7, 5),
            textcoords="offset points",
            fontsize="small",
            color=_style.ACTION,
        )


def _title(found: OOTCheck, rows: pd.DataFrame) -> str:
    group = ", ".join(str(rows[column].iloc[0]) for column in found.by) if len(rows) else ""
    n, out = len(rows), int(rows["signal"].sum())
    text = f"{found.title}: {out} of {n} results out of trend"
    return f"{group}: {text}" if group else text
