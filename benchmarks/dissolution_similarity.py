"""Bootstrap limits of f2 beside scipy and plain numpy: 10 000 resamples, 12 units, 8 times.

Run ``python benchmarks/dissolution_similarity.py``. Limits are checked to agree within the
noise of the resampling before anything is timed. Ours is the whole study: conditions,
jackknife, findings. Ratios of medians are printed: absolute times depend on the machine.
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
from scipy import stats

from pharmaq.spc import BootstrapOptions, f2

RESAMPLES, ROUNDS = 10_000, 7
MEANS = np.array([12.0, 25, 38, 50, 61, 70, 78, 84])


def profiles(shift: float, seed: int) -> np.ndarray:
    """Twelve profiles of eight times."""
    rng = np.random.default_rng(seed)
    return MEANS + shift + rng.normal(0, 4, (12, 8)) + rng.normal(0, 3, (12, 1))


def ours(t: np.ndarray, r: np.ndarray) -> tuple[float, float]:
    """BCa limits of the whole study."""
    options = BootstrapOptions(n_resamples=RESAMPLES, random_state=1)
    found = f2(t, r, rule="all", interval="bca", bootstrap=options)
    assert found.lower is not None
    assert found.upper is not None
    return found.lower, found.upper


def by_numpy(t: np.ndarray, r: np.ndarray) -> tuple[float, float]:
    """Percentile limits by a loop over resamples, as most people write it."""
    rng = np.random.default_rng(1)
    values = np.empty(RESAMPLES)
    for b in range(RESAMPLES):
        a, c = t[rng.integers(0, 12, 12)], r[rng.integers(0, 12, 12)]
        d = a.mean(axis=0) - c.mean(axis=0)
        values[b] = 100 - 25 * np.log10(1 + np.mean(d**2))
    low, high = np.quantile(values, [0.05, 0.95])
    return float(low), float(high)


def by_scipy(t: np.ndarray, r: np.ndarray) -> tuple[float, float]:
    """BCa limits of scipy, whose resamples are vectorised over units."""

    def factor(i: np.ndarray, k: np.ndarray, axis: int = -1) -> np.ndarray:
        assert axis == -1
        d = t[i].mean(axis=-2) - r[k].mean(axis=-2)
        return 100 - 25 * np.log10(1 + np.mean(d**2, axis=-1))

    index = np.arange(12)
    found = stats.bootstrap(
        (index, index),
        factor,
        n_resamples=RESAMPLES,
        confidence_level=0.9,
        method="BCa",
        vectorized=True,
        rng=np.random.default_rng(1),
    ).confidence_interval
    return float(found.low), float(found.high)


def median(run: Callable[[], object]) -> float:
    """Median CPU time after a first run."""
    times = []
    for _ in range(ROUNDS + 1):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return statistics.median(times[1:])


def main() -> None:
    """Check, time and print ratios."""
    t, r = profiles(6.0, 1), profiles(0.0, 2)
    np.testing.assert_allclose(ours(t, r), by_scipy(t, r), atol=0.15)
    runs = {"pharmaq": ours, "scipy": by_scipy, "numpy loop": by_numpy}
    found = {name: median(lambda run=run: run(t, r)) for name, run in runs.items()}
    print(", ".join(f"{p} {version(p)}" for p in ("pharmaq", "numpy", "scipy")))
    for name, seconds in found.items():
        print(f"{name:12s} {seconds:7.3f} s  {seconds / found['pharmaq']:5.1f} x pharmaq")


if __name__ == "__main__":
    main()
