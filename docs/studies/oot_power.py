"""Table of the page on results out of trend: false alarms and power, by simulation.

Run it as ``python docs/studies/oot_power.py``; it takes about three minutes.
"""

from __future__ import annotations

import sys

import pandas as pd

from pharmaq.spc import oot_power

MONTHS = [0, 3, 6, 9, 12, 18, 24, 36]
HISTORY = (3, 4, 5, 6, 8, 10)
# all batches alike; or levels as far apart as results, slopes so that lines part by one
# standard deviation of a result over three years
DESIGNS = {
    "batches alike": {"sigma_level": 0.0, "sigma_slope": 0.0},
    "batches differ": {"sigma_level": 1.0, "sigma_slope": 1 / 36},
}
N = 2000


def percent(value: float) -> str:
    return "-" if pd.isna(value) else f"{100 * value:.0f}"


def table(design: dict[str, float]) -> str:
    found = {
        k: oot_power(MONTHS, n_history=k, n_simulations=N, random_state=k, **design).table
        for k in HISTORY
    }
    head = ["method", *(str(k) for k in HISTORY)]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for i, method in enumerate(found[HISTORY[0]]["method"]):
        cells = [
            " / ".join(
                percent(found[k].loc[i, kind])
                for kind in ("false_alarm", "single", "slope", "level")
            )
            for k in HISTORY
        ]
        lines.append("| " + " | ".join([method, *cells]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    for name, design in DESIGNS.items():
        sys.stdout.write(f"{name}\n\n{table(design)}\n\n")
