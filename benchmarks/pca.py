"""PCA of large data beside scikit-learn's exact solvers, in one process and one thread.

Run ``python benchmarks/pca.py``. Ten components of tall data, plain and autoscaled, and of wide
data. scikit-learn has no scaling of its own: there the scaled matrix is made first, as a user
would, and counts. pharmaq computes scores and SPE of all samples, `fit_transform` of
scikit-learn scores. Variances are checked to agree. Forms take turns; ratios of median times of
the processor are printed, for absolute times depend on the machine.
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

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from sklearn import decomposition

from pharmaq.chemometrics import PCA

A = 10
Form = Callable[[], np.ndarray]


def spectra_like(n: int, p: int) -> np.ndarray:
    """Bands of 15 ingredients, an offset and noise."""
    rng = np.random.default_rng(0)
    bands = np.exp(-(((np.arange(p)[:, None] - np.linspace(0, p, 15)) / (p / 20)) ** 2))
    return rng.uniform(size=(n, 15)) @ bands.T + 1.0 + 1e-2 * rng.normal(size=(n, p))


def ours(X: np.ndarray, *, scale: bool) -> Form:
    """Fit of pharmaq; returns variances."""
    return lambda: PCA(A, scale=scale).fit(X).eigenvalues_


def scikit(X: np.ndarray, solver: str, *, scale: bool) -> Form:
    """Scores of scikit-learn; returns variances."""

    def run() -> np.ndarray:
        data = X / X.std(axis=0, ddof=1) if scale else X
        model = decomposition.PCA(A, svd_solver=solver)
        model.fit_transform(data)
        return model.explained_variance_

    return run


def compare(n: int, p: int, *, scale: bool, rounds: int) -> None:
    """Check that all forms agree, time them in turn, and print their ratios to ours."""
    X = spectra_like(n, p)
    forms = {"pharmaq": ours(X, scale=scale)}
    # the covariance of that many points would not fit
    solvers = ("full", "covariance_eigh") if p <= n else ("full",)
    forms |= {f"scikit-learn, {s}": scikit(X, s, scale=scale) for s in solvers}
    expected = forms["pharmaq"]()
    times: dict[str, list[float]] = {label: [] for label in forms}
    for _ in range(rounds):
        for label, run in forms.items():
            start = time.process_time()
            variances = run()
            times[label].append(time.process_time() - start)
            np.testing.assert_allclose(variances, expected, rtol=1e-9, err_msg=label)
    base = statistics.median(times["pharmaq"])
    print(f"{n} x {p}, {A} components{', autoscaled' if scale else ''}: {base:.3f} s")
    for label, run in forms.items():
        tracemalloc.start()
        run()
        memory = tracemalloc.get_traced_memory()[1] / X.nbytes
        tracemalloc.stop()
        ratio = statistics.median(times[label]) / base
        print(f"  {label:<32}{ratio:7.1f} x  memory {memory:.1f} X", flush=True)


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    packages = ("pharmaq", "numpy", "scikit-learn")
    print(", ".join(f"{name} {version(name)}" for name in packages), "- one thread")
    for n, p, scale in ((100_000, 200, False), (100_000, 200, True), (1000, 20_000, False)):
        compare(n, p, scale=scale, rounds=rounds)


if __name__ == "__main__":
    main()
