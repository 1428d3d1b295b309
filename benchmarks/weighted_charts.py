"""EWMA and CUSUM over ten million points beside scipy, pandas and a copy, in one thread.

Run ``python benchmarks/weighted_charts.py``. All values are checked to agree before anything is
timed; ours includes the check that every value is finite. Ratios of medians are printed:
absolute times depend on the machine.
"""

from __future__ import annotations

import os

for _name in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
):
    os.environ[_name] = "1"

import statistics
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from pharmaq.spc import cusum, ewma

POINTS, ROUNDS = 10_000_000, 7


def scipy_ewma(x: np.ndarray) -> np.ndarray:
    """The same average as a linear filter, started at 0."""
    return lfilter([0.2], [1.0, -0.8], x)


def pandas_ewma(x: np.ndarray) -> np.ndarray:
    """The same average by pandas, which starts at the first value."""
    return pd.Series(x).ewm(alpha=0.2, adjust=False).mean().to_numpy()


def numpy_cusum(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both sums as a walk minus its running minimum."""
    found = []
    for step in (x - 0.5, -x - 0.5):
        walk = np.cumsum(step)
        found.append(walk - np.minimum(np.minimum.accumulate(walk), 0.0))
    return found[0], found[1]


def medians(runs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median CPU time of each, all in turn so that a busy moment hits everyone."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(ROUNDS + 1):
        for name, run in runs.items():
            start = time.process_time()
            run()
            if turn:
                times[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Check, time and print ratios."""
    x = np.random.default_rng(1).normal(size=POINTS)
    np.testing.assert_allclose(ewma(x, lam=0.2, start=0.0), scipy_ewma(x), atol=1e-9)
    later = pandas_ewma(x)[1000:]
    np.testing.assert_allclose(ewma(x, lam=0.2, start=0.0)[1000:], later, atol=1e-9)
    for ours, peer in zip(cusum(x, k=0.5), numpy_cusum(x), strict=True):
        # a walk of ten million steps keeps fewer digits than sums that start again at zero
        np.testing.assert_allclose(ours, peer, atol=1e-5)
    room = np.empty((2, POINTS))
    found = medians(
        {
            "copy": x.copy,
            "EWMA pharmaq": lambda: ewma(x, lam=0.2, start=0.0),
            "EWMA pharmaq, out=": lambda: ewma(x, lam=0.2, start=0.0, out=room[0]),
            "EWMA scipy lfilter": lambda: scipy_ewma(x),
            "EWMA pandas": lambda: pandas_ewma(x),
            "CUSUM pharmaq": lambda: cusum(x, k=0.5),
            "CUSUM pharmaq, out=": lambda: cusum(x, k=0.5, out=room),
            "two arrays filled": lambda: np.empty((2, POINTS)).fill(1.0),
            "CUSUM numpy": lambda: numpy_cusum(x),
        }
    )
    print(", ".join(f"{p} {version(p)}" for p in ("pharmaq", "numpy", "scipy", "pandas")))
    print(f"{POINTS} points; copy {found['copy']:.3f} s of CPU time")
    for name, seconds in found.items():
        ours = found.get(f"{name.split()[0]} pharmaq")
        ratio = f"{seconds / ours:8.2f} x ours" if ours else ""
        print(f"  {name:<22}{seconds / found['copy']:6.2f} copies{ratio}")


if __name__ == "__main__":
    main()
