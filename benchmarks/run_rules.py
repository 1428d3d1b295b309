"""Nelson's eight tests over ten million points, beside numpy and packages, in one thread.

Run ``python benchmarks/run_rules.py``. Numpy does the work in two ways: with cumulative sums of
the flags of each window, as it is usually written, and with flags of one byte that are combined
to windows by doubling, the fastest way found without compiling. Packages run on fewer points,
and their time is scaled by the number of points, for all are linear in it. Signals of numpy are
checked to agree before anything is timed, those of packages are counted: mfgqc lets a last
point on the other side complete two of three. A package that is not installed is skipped.
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

import importlib
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np

from pharmaq.spc import NELSON, find_violations, mark_violations, run_rules

N = 10_000_000
N_PACKAGE = 20_000
ROUNDS = 3


def counted(flags: np.ndarray, window: int) -> np.ndarray:
    """Number of flags in each full window, at its last point."""
    sums = np.cumsum(flags, dtype=np.int32)
    sums[window:] = sums[window:] - sums[:-window]
    return sums


def summed(flags: np.ndarray, window: int) -> np.ndarray:
    """Whether all points of a window are flagged, by cumulative sums."""
    return counted(flags, window) == window


def doubled(flags: np.ndarray, window: int) -> np.ndarray:
    """Whether all points of a window are flagged, by doubling of shifted copies."""
    out, done = flags.copy(), 1
    while done < window:
        step = min(done, window - done)
        shifted = np.zeros_like(out)
        shifted[step:] = out[:-step]
        out &= shifted
        done += step
    return out


def by_numpy(
    z: np.ndarray, in_a_row: Callable[[np.ndarray, int], np.ndarray] = doubled
) -> np.ndarray:
    """All eight tests, one bit each."""
    out = (np.abs(z) > 3).astype(np.uint8)
    rises = np.concatenate([[False], z[1:] > z[:-1]])
    falls = np.concatenate([[False], z[1:] < z[:-1]])
    turns = np.zeros(len(z), bool)
    turns[1:] = (rises[1:] & falls[:-1]) | (falls[1:] & rises[:-1])
    above1, below1 = z > 1, z < -1
    out |= (in_a_row(z > 0, 9) | in_a_row(z < 0, 9)).astype(np.uint8) << 1
    out |= (in_a_row(rises, 5) | in_a_row(falls, 5)).astype(np.uint8) << 2
    out |= in_a_row(turns, 12).astype(np.uint8) << 3
    for bit, line, count, window in ((4, 2.0, 2, 3), (5, 1.0, 4, 5)):
        for flags in (z > line, z < -line):
            out |= (flags & (counted(flags, window) >= count)).astype(np.uint8) << bit
    out |= in_a_row(np.abs(z) < 1, 15).astype(np.uint8) << 6
    one_side = in_a_row(above1, 8) | in_a_row(below1, 8)
    out |= (in_a_row(above1 | below1, 8) & ~one_side).astype(np.uint8) << 7
    return out


def by_mfgqc(z: np.ndarray) -> np.ndarray:
    """Points with a signal; it tells one rule a point."""
    rules = importlib.import_module("mfgqc.control_charts")
    found = rules._apply_rules(z, 0.0, 1.0, "nelson", "individuals")
    return np.array([v.point - 1 for v in found])


def by_capstat(z: np.ndarray) -> np.ndarray:
    """Points with a signal."""
    package = importlib.import_module("capstat_core")
    chart = package.i_mr_chart(z, center=0.0, sigma=1.0)
    chart = next(
        getattr(chart, name) for name in ("location", "individuals") if hasattr(chart, name)
    )
    return np.unique([v.point for v in package.nelson_rules(chart)])


def by_spc_lib(z: np.ndarray) -> np.ndarray:
    """Points of windows with a signal, the first ones included."""
    rules = importlib.import_module("spc_lib.rules.western_electric")
    return np.unique(
        np.concatenate(list(rules._WesternElectricRules(z, 0.0, 1.0).check().values()))
    )


def median_seconds(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median processor time after a warm-up."""
    run()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return statistics.median(times)


def main() -> None:
    """Check that all find the same signals, time them and print the ratios."""
    z = np.random.default_rng(1).standard_normal(N)
    for way in (summed, doubled):
        np.testing.assert_array_equal(by_numpy(z[:200_000], way), mark_violations(z[:200_000]))
    print(f"pharmaq {version('pharmaq')}, numpy {np.__version__}, numba {version('numba')}")
    base = median_seconds(lambda: mark_violations(z))
    print(f"eight tests, {N} points: {base:.3f} s, {1e9 * base / N:.1f} ns a point")
    other = run_rules("nelson", ties="skipped", last_point=False)
    rows = [
        ("a copy of the points", median_seconds(z.copy)),
        (
            "with other conventions (general pass)",
            median_seconds(lambda: mark_violations(z, rules=other)),
        ),
        (
            "every signal described (find_violations)",
            median_seconds(lambda: find_violations(z), 1),
        ),
        ("numpy, cumulative sums", median_seconds(lambda: by_numpy(z, summed))),
        ("numpy, doubling", median_seconds(lambda: by_numpy(z))),
    ]
    short = z[:N_PACKAGE]
    expected = find_violations(short, rules=NELSON).signals
    either = find_violations(short, rules="minitab").signals
    for name, run, same in (
        ("mfgqc", by_mfgqc, either),
        ("capstat-core", by_capstat, expected),
        ("spc-lib", by_spc_lib, None),
    ):
        try:
            found = run(short)
        except ImportError:
            print(f"  {name} is not installed: skipped")
            continue
        seconds = median_seconds(lambda run=run: run(short), 1) * N / N_PACKAGE
        rows.append((f"{name} {version(name)}, {N_PACKAGE} points, scaled", seconds))
        if same is not None:
            differ = len(np.setxor1d(found, same))
            print(f"  {name}: {differ} of {len(same)} points with a signal differ from ours")
    for label, seconds in rows:
        print(f"  {label:<48}{seconds:10.3f} s{seconds / base:10.1f} x")


if __name__ == "__main__":
    main()
