"""Acceptance limits of ASTM E2810 beside the obvious program: n = 30, 95 % sure of 50 %.

Run ``python benchmarks/acceptance_limits.py``. The obvious program integrates by adaptive
quadrature of scipy and searches each limit by Brent's method; it does five means only, ours the
whole table of 299. Limits are checked to agree before anything is timed. Times a limit and
their ratio are printed: absolute times depend on the machine.
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

import itertools
import math
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from scipy import integrate, optimize, special

from pharmaq.spc import UniformityTest, acceptance_limits

N, CONFIDENCE, PROBABILITY = 30, 0.95, 0.5
MEANS = [92.0, 95.0, 98.0, 100.0, 103.0]
ROUNDS = 3


def within_l1(mean: float, sd: float, n: int, k: float) -> float:
    """Chance that the acceptance value of n units is at most 15."""
    error = sd / math.sqrt(n)

    def part(x: float) -> float:
        room = 15 - abs(min(max(x, 98.5), 101.5) - x)
        z = (x - mean) / error
        held = special.gammainc((n - 1) / 2, (n - 1) * (room / (k * sd)) ** 2 / 2)
        return held * math.exp(-0.5 * z * z) / (error * math.sqrt(2 * math.pi))

    edges = np.clip((83.5, 98.5, 101.5, 116.5), mean - 8.5 * error, mean + 8.5 * error)
    return sum(integrate.quad(part, a, b)[0] for a, b in itertools.pairwise(edges))


def bound(mean: float, sd: float) -> float:
    """Lower bound of the chance of passing USP <905>."""
    inside = special.ndtr((123.125 - mean) / sd) - special.ndtr((76.125 - mean) / sd)
    second = within_l1(mean, sd, 30, 2.0) + max(inside, 0) ** 30 - 1
    return max(within_l1(mean, sd, 10, 2.4), second)


def naive(mean: float) -> float:
    """Largest standard deviation of the sample, one mean."""
    each = math.sqrt(CONFIDENCE)
    z = special.ndtri((1 + each) / 2) / math.sqrt(N)
    inflation = math.sqrt((N - 1) / special.chdtri(N - 1, each))

    def excess(sd: float) -> float:
        return min(bound(mean - z * sd, sd), bound(mean + z * sd, sd)) - PROBABILITY

    return float(optimize.brentq(excess, 1e-2, 20, xtol=1e-9)) / inflation


def median(run: Callable[[], object]) -> float:
    """Median CPU time after a first run."""
    times = []
    for _ in range(ROUNDS + 1):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return statistics.median(times[1:])


def main() -> None:
    """Check, time and print."""
    options = {"probability": PROBABILITY, "confidence": CONFIDENCE}
    ours = acceptance_limits(N, UniformityTest(), means=MEANS, **options).sd_limit
    np.testing.assert_allclose(ours, [naive(mean) for mean in MEANS], rtol=1e-7)
    table = median(lambda: acceptance_limits(N, UniformityTest(), **options))
    loop = median(lambda: [naive(mean) for mean in MEANS])
    print(", ".join(f"{p} {version(p)}" for p in ("pharmaq", "numpy", "scipy")))
    print(f"pharmaq  table of 299 means {table:6.3f} s, {1e3 * table / 299:8.3f} ms a limit")
    each = loop / len(MEANS)
    print(f"obvious  {len(MEANS)} means            {loop:6.3f} s, {1e3 * each:8.3f} ms a limit")
    print(f"ratio a limit: {each / (table / 299):.0f}")


if __name__ == "__main__":
    main()
