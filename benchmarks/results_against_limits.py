"""A million results against their limits, history and ranges, beside one result at a time.

Run `python benchmarks/results_against_limits.py`; under a minute. The other side is what a
laboratory's script does: decimal arithmetic a row, here in plain Python.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import statistics
import time
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pandas as pd

from pharmaq.spc import (
    Specification,
    Specifications,
    check_excursions,
    check_ooe,
    check_oos,
)

N, N_TESTS, N_SLOW = 1_000_000, 20, 50_000


def seconds(work: Callable[[], Any], repeats: int = 3) -> float:
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def row_by_row(frame: pd.DataFrame) -> int:
    low, high = Decimal("95.0"), Decimal("105.0")
    failed = 0
    for value in frame["value"].tolist():
        rounded = Decimal(repr(value)).quantize(low, rounding=ROUND_HALF_UP)
        failed += not low <= rounded <= high
    return failed


def main() -> None:
    rng = np.random.default_rng(0)
    names = [f"test {i}" for i in range(N_TESTS)]
    frame = pd.DataFrame(
        {
            "batch": np.arange(N) // N_TESTS,
            "test": np.resize(names, N),
            "value": rng.normal(100, 2, N).round(2),
            "units": "%",
        }
    )
    limits = Specifications([Specification(name, "95.0-105.0 %") for name in names])
    part = frame[:N_SLOW]
    ours = check_oos(part, limits)
    assert ours.counts["oos"] == row_by_row(part)
    slow = seconds(lambda: row_by_row(part)) * N / N_SLOW
    fast = seconds(lambda: check_oos(frame, limits))
    print(f"check_oos, {N:,} results, {ours.counts['oos'] / N_SLOW:.1%} out: {fast:.2f} s")
    print(f"  decimal arithmetic a row: {slow:.2f} s, {slow / fast:.1f} times as long")
    texts = frame.assign(value=frame["value"].astype(str).mask(np.arange(N) % 50 == 0, "<0.05"))
    print(f"check_oos, text, 2 % censored: {seconds(lambda: check_oos(texts, limits)):.2f} s")
    history = frame[:2000]
    print(f"check_ooe: {seconds(lambda: check_ooe(frame, history, alpha=0.001)):.2f} s")
    series = pd.DataFrame(
        {"time": np.arange(N, dtype=float), "x": np.cumsum(rng.normal(0, 1, N)) % 40}
    )
    spec = Specification("x", "NMT 35")
    taken = seconds(lambda: check_excursions(series, spec))
    print(f"check_excursions, {N:,} points: {taken:.2f} s")


if __name__ == "__main__":
    main()
