"""Results out of trend and shelf lives: time of a million results, and against statsmodels.

Run it as ``python benchmarks/out_of_trend.py``; it takes about a minute.
"""

from __future__ import annotations

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}

import time
from statistics import median

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

from pharmaq.spc import check_oot, shelf_life

MONTHS = [0.0, 3, 6, 9, 12, 18, 24, 36]
N = 1_000_000


def seconds(task, repeats: int = 3) -> float:
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        task()
        taken.append(time.process_time() - start)
    return median(taken)


def release(rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "product": rng.choice([f"P{i}" for i in range(50)], N),
            "test": rng.choice(["assay", "dissolution", "water", "impurity"], N),
            "batch": np.arange(N),
            "value": rng.standard_normal(N),
        }
    )


def stability(rng: np.random.Generator, batches: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "product": np.repeat(np.arange(batches) // 625, 8),
            "batch": np.repeat(np.arange(batches), 8),
            "time": np.tile(MONTHS, batches),
            "value": rng.standard_normal(8 * batches),
        }
    )


def by_statsmodels(history: pd.DataFrame, tested: pd.DataFrame) -> None:
    """Limits of a pooled regression chart, group by group."""
    for product, rows in tested.groupby("product"):
        fitted = smf.ols("value ~ time", history[history["product"] == product]).fit()
        fitted.get_prediction(rows[["time"]]).summary_frame(alpha=0.05)


def main() -> None:
    rng = np.random.default_rng(0)
    frame = release(rng)
    for method in ("control_chart", "historical"):
        taken = seconds(
            lambda method=method: check_oot(
                frame, history=frame.iloc[:100_000], by=["product", "test"], method=method
            )
        )
        print(f"release, {method}: {N} results in {taken:.2f} s")
    study = stability(rng, N // 8)
    history = study[study["batch"] % 625 < 10].assign(batch=lambda x: -x["batch"] - 1)
    for method, basis in (
        ("regression", "parallel"),
        ("time_point", "pooled"),
        ("ewma", "own"),
    ):
        taken = seconds(
            lambda m=method, b=basis: check_oot(
                study, history=history, by="product", method=m, basis=b
            )
        )
        print(f"stability, {method} {basis}: {N} results in {taken:.2f} s")
    few = study[study["product"] < 20]
    past = history[history["product"] < 20]
    ours = seconds(lambda: check_oot(few, history=past, by="product", basis="pooled"))
    theirs = seconds(lambda: by_statsmodels(past, few))
    print(
        f"pooled lines, {len(few)} results: statsmodels takes {theirs / ours:.1f} times as long"
    )
    one = stability(rng, 3).assign(value=lambda x: 100 + 0.2 * x["value"] - 0.1 * x["time"])
    ours = seconds(lambda: shelf_life(one, lsl=95), 20)
    print(f"shelf life of three batches: {1000 * ours:.1f} ms")


if __name__ == "__main__":
    main()
