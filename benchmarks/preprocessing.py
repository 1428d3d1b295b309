"""Preprocessing of many spectra beside chemotools, pybaselines, scipy and numpy, in one thread.

Run ``python benchmarks/preprocessing.py``; an argument below 1 shrinks the number of spectra.
Values are checked to agree before anything is timed. Ours and the peers run in turn; ratios
are those of the medians. Every call returns a new array, as users call it: SNV, MSC, EMSC and
filters of 10 000 spectra of 2000 points, baselines of 200. Peers that are not installed are
left out with a note.
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
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from scipy.signal import savgol_filter

from pharmaq.chemometrics import EMSC, MSC, SNV, Baseline, SavitzkyGolay, make_recipe

Run = Callable[[], np.ndarray]

ROUNDS = 5
POINTS = 2000


def smooth_spectra(n: int, seed: int = 0) -> np.ndarray:
    """Spectra with ten bands each on a bent baseline, scattered in offset and slope."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0.0, 1.0, POINTS)
    shapes = np.exp(-(((x - rng.uniform(size=(30, 1))) / 0.015) ** 2))
    spectra = 2.0 + np.sin(3.0 * x * rng.uniform(0.5, 1.5, (n, 1)))
    spectra += rng.uniform(0.0, 0.7, (n, 30)) @ shapes
    return spectra * rng.uniform(0.8, 1.2, (n, 1)) + 0.01 * rng.normal(size=(n, POINTS))


def snv(X: np.ndarray) -> np.ndarray:
    """Standard normal variate as a user writes it."""
    return (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, ddof=1, keepdims=True)


def msc(X: np.ndarray) -> np.ndarray:
    """Multiplicative scatter correction as a user writes it."""
    reference = X.mean(axis=0)
    design = np.column_stack([np.ones(POINTS), reference])
    offset, slope = np.linalg.lstsq(design, X.T, rcond=None)[0]
    return (X - offset[:, None]) / slope[:, None]


def derivative(X: np.ndarray) -> np.ndarray:
    """First derivative by scipy."""
    return savgol_filter(X, 15, 2, deriv=1, axis=1)


def installed(name: str) -> bool:
    """Tell whether a peer is there, and say so where it is not."""
    try:
        version(name)
    except PackageNotFoundError:
        print(f"{name} is not installed and left out")
        return False
    return True


def chemotools_runs(X: np.ndarray) -> dict[str, Run]:
    """Return the same steps by chemotools."""
    from chemotools import derivative as filters
    from chemotools import scatter

    filter_ = filters.SavitzkyGolay(15, 2, 1, mode="interp").fit(X)
    steps = {
        "SNV": scatter.StandardNormalVariate().fit(X),
        "MSC": scatter.MultiplicativeScatterCorrection().fit(X),
        "EMSC": scatter.ExtendedMultiplicativeScatterCorrection(order=2).fit(X),
        "SG": filter_,
    }
    runs: dict[str, Run] = {name: lambda s=step: s.transform(X) for name, step in steps.items()}
    runs["SNV + SG"] = lambda: filter_.transform(steps["SNV"].transform(X))
    return runs


def baseline_runs(X: np.ndarray) -> list[tuple[str, Run, dict[str, Run], float]]:
    """Return baselines of ours and of the peers."""
    cases = []
    for method, lam in (("asls", 1e5), ("arpls", 1e5), ("airpls", 1e5)):
        step = Baseline(method, lam=lam).fit(X)
        peers: dict[str, Run] = {}
        if installed("pybaselines"):
            from pybaselines import Baseline as Peer

            fit = getattr(Peer(np.arange(float(POINTS))), method)
            peers["pybaselines"] = lambda f=fit, k=lam: np.array(
                [r - f(r, lam=k)[0] for r in X]
            )
        # both are some 1e-9 off from 80-bit arithmetic: weights stand in sums with 6 lam
        cases.append((method, lambda s=step: s.transform(X), peers, 1e-7))
    return cases


def chemotools_baseline(method: str, X: np.ndarray) -> Run:
    """Return a baseline by chemotools, which stops by another rule: timed, not compared."""
    from chemotools import baseline

    peers = {
        "asls": lambda: baseline.AsLs(lam=1e5, penalty=0.01),
        "arpls": lambda: baseline.ArPls(lam=1e5, ratio=1e-3),
        "airpls": lambda: baseline.AirPls(lam=1e5),
    }
    step = peers[method]().fit(X)
    return lambda: step.transform(X)


def medians(runs: dict[str, Run]) -> dict[str, float]:
    """Time all in turn; CPU time, for other processes may share the machine."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            start = time.process_time()
            run()
            times[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def report(
    label: str, ours: Run, peers: dict[str, Run], factors: dict[str, float], tol: float
) -> None:
    """Check that values agree up to known factors, then print how long each peer takes."""
    expected = ours()
    for name, factor in factors.items():
        np.testing.assert_allclose(peers[name]() * factor, expected, rtol=0, atol=tol)
    seconds = medians({"pharmaq": ours, **peers})
    base = seconds.pop("pharmaq")
    ratios = ", ".join(f"{name} {t / base:.1f} x" for name, t in seconds.items())
    print(f"  {label:<10} {1e3 * base:7.1f} ms   {ratios}", flush=True)


def main() -> None:
    """Print the ratios."""
    share = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    warnings.simplefilter("ignore")
    names = ("pharmaq", "numpy", "scipy", "chemotools", "pybaselines")
    chemotools = installed("chemotools")
    print(", ".join(f"{name} {version(name)}" for name in names if installed(name)))
    X = smooth_spectra(int(10_000 * share))
    print(f"{len(X)} spectra of {POINTS} points, {ROUNDS} rounds")
    theirs = chemotools_runs(X) if chemotools else {}
    steps = {
        "SNV": (SNV().fit(X), {"numpy": lambda: snv(X)}),
        "MSC": (MSC().fit(X), {"numpy": lambda: msc(X)}),
        "EMSC": (EMSC(degree=2).fit(X), {}),
        "SG": (SavitzkyGolay(15, 2, 1).fit(X), {"scipy": lambda: derivative(X)}),
        "SNV + SG": (
            make_recipe("snv, sg(15,2,1)").fit(X),
            {"numpy + scipy": lambda: derivative(snv(X))},
        ),
    }
    copy = statistics.median(medians({"copy": X.copy}).values())
    print(f"  {'a copy':<10} {1e3 * copy:7.1f} ms")
    for label, (step, plain) in steps.items():
        peers = plain | ({"chemotools": theirs[label]} if label in theirs else {})
        factors = dict.fromkeys(peers, 1.0)
        if label.startswith("SNV") and label in theirs:
            # chemotools divides by the number of points, we by one less
            factors["chemotools"] = np.sqrt((POINTS - 1) / POINTS)
        report(label, lambda s=step: s.transform(X), peers, factors, 1e-9)
    few = smooth_spectra(max(16, int(200 * share)))
    print(f"{len(few)} spectra of {POINTS} points, lam = 1e5")
    for method, ours, peers, tol in baseline_runs(few):
        compared = dict.fromkeys(peers, 1.0)
        if chemotools:
            peers["chemotools"] = chemotools_baseline(method, few)
        report(method, ours, peers, compared, tol)


if __name__ == "__main__":
    main()
