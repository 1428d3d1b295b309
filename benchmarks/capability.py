"""Bootstrap limits of Cpk beside scipy, 10 000 resamples of 500 values, in one thread.

Run ``python benchmarks/capability.py``. Limits are checked to agree within the noise of the
resampling before anything is timed. scipy resamples one index; ours is the whole study: eight
indices, the test of normality, stability. Ratios of medians are printed: absolute times depend
on the machine.
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
from typing import Literal

import numpy as np
from scipy import stats

from pharmaq.spc import Capability, capability

POINTS, RESAMPLES, ROUNDS = 500, 10_000, 9
LSL, USL = -4.0, 5.0


def cpk(x: np.ndarray, axis: int) -> np.ndarray:
    """Cpk with the standard deviation of all values, for every resample at once."""
    mean, sd = x.mean(axis=axis), x.std(axis=axis, ddof=1)
    return np.minimum(mean - LSL, USL - mean) / (3 * sd)


def by_scipy(x: np.ndarray, method: Literal["percentile", "BCa"]) -> tuple[float, float]:
    """Limits of scipy."""
    rng = np.random.default_rng(1)
    found = stats.bootstrap((x,), cpk, n_resamples=RESAMPLES, method=method, rng=rng)
    return found.confidence_interval.low, found.confidence_interval.high


def ours(x: np.ndarray, limits: Literal["analytic", "bootstrap", "bca"]) -> Capability:
    """The whole study."""
    return capability(x, lsl=LSL, usl=USL, estimator="overall", limits=limits, random_state=1)


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
    for limits, method in (("bootstrap", "percentile"), ("bca", "BCa")):
        index = ours(x, limits).indices["ppk"]
        np.testing.assert_allclose((index.lower, index.upper), by_scipy(x, method), atol=0.01)
    found = medians(
        {
            "percentile pharmaq": lambda: ours(x, "bootstrap"),
            "percentile scipy": lambda: by_scipy(x, "percentile"),
            "BCa pharmaq": lambda: ours(x, "bca"),
            "BCa scipy": lambda: by_scipy(x, "BCa"),
        }
    )
    print(", ".join(f"{p} {version(p)}" for p in ("pharmaq", "numpy", "scipy")))
    print(f"{RESAMPLES} resamples of {POINTS} values; CPU time")
    for name in ("percentile", "BCa"):
        mine, theirs = found[f"{name} pharmaq"], found[f"{name} scipy"]
        print(f"  {name:<12}{1e3 * mine:7.1f} ms  scipy {1e3 * theirs:7.1f} ms", end="")
        print(f"{theirs / mine:7.1f} x ours")


if __name__ == "__main__":
    main()
