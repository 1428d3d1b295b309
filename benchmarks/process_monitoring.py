"""One observation against a process model: T2, SPE and contributions, in one thread.

Run ``python benchmarks/process_monitoring.py``. A PCA with 10 components of 200 variables
judges one row, as a control system would ask for it: pharmaq's `ProcessMonitor.score_one`,
pyphi (package pyphi-mvda; left out with a note if it is not installed) and scikit-learn with
numpy as a user would write it. All numbers are checked to agree before anything is timed. Then
the same for 10 000 rows at once, and what the fit with its limits costs.
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
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from pharmaq.mspc import ProcessMonitor

ROWS, VARIABLES, COMPONENTS = 1000, 200, 10


def process(n: int, seed: int) -> np.ndarray:
    """Ten latent variables behind two hundred measured ones, and noise."""
    rng = np.random.default_rng(seed)
    loadings = np.random.default_rng(0).normal(size=(COMPONENTS, VARIABLES))
    return rng.normal(size=(n, COMPONENTS)) @ loadings + rng.normal(size=(n, VARIABLES))


def median_seconds(run: Callable[[], object], rounds: int) -> float:
    """Median of CPU time a call, over batches of calls, after a warm-up."""
    run()
    times = []
    for _ in range(9):
        start = time.process_time()
        for _ in range(rounds):
            run()
        times.append((time.process_time() - start) / rounds)
    return statistics.median(times)


class Sklearn:
    """What a user writes with scikit-learn and numpy."""

    def __init__(self, X: np.ndarray) -> None:
        # scikit-learn divides by n, pharmaq by n - 1
        self.scaler = StandardScaler().fit(X)
        self.scaler.scale_ = X.std(axis=0, ddof=1)
        self.pca = PCA(COMPONENTS).fit(self.scaler.transform(X))

    def __call__(self, rows: np.ndarray) -> tuple[np.ndarray, ...]:
        z = self.scaler.transform(rows)
        scores = self.pca.transform(z)
        residuals = z - self.pca.inverse_transform(scores)
        weighted = scores / self.pca.explained_variance_
        t2, spe = (scores * weighted).sum(axis=1), (residuals**2).sum(axis=1)
        return t2, spe, z * (weighted @ self.pca.components_), np.sign(residuals) * residuals**2


class Pyphi:
    """The same by pyphi; its T2 divides by n."""

    def __init__(self, X: np.ndarray) -> None:
        import pyphi.calc

        self.calc: Any = pyphi.calc
        self.model = self.calc.pca(X, COMPONENTS, shush=True, force_nipals=False)

    def __call__(self, rows: np.ndarray) -> tuple[np.ndarray, ...]:
        found = self.calc.pca_pred(rows, self.model)
        if len(rows) > 1:
            # its contributions are those of the mean of all rows
            return found["T2"], found["speX"].ravel()
        t2 = self.calc.contributions(self.model, rows, "ht2", to_obs=0)
        spe = self.calc.contributions(self.model, rows, "spe", to_obs=0)
        return found["T2"], found["speX"].ravel(), t2, spe


def peers(X: np.ndarray) -> dict[str, Callable[[np.ndarray], tuple[np.ndarray, ...]]]:
    found: dict[str, Any] = {"scikit-learn and numpy": Sklearn(X)}
    try:
        found["pyphi"] = Pyphi(X)
    except ImportError:
        print("pyphi is not installed (pyphi-mvda): left out")
    return found


def main() -> None:
    """Fit all, check that they agree, time them and print the ratios."""
    X, new = process(ROWS, 1), process(10_000, 2)
    monitor = ProcessMonitor(COMPONENTS, cv=None).fit(X)
    row = new[0]
    one = monitor.score_one(row)
    others = peers(X)
    for name, run in others.items():
        t2, spe, *_ = run(row[None])
        divisor = ROWS / (ROWS - 1) if name == "pyphi" else 1.0
        np.testing.assert_allclose(t2[0] / divisor, one.t2, rtol=1e-5, err_msg=name)
        np.testing.assert_allclose(spe[0], one.spe, rtol=1e-5, err_msg=name)
    shares = others["scikit-learn and numpy"](row[None])[2:]
    np.testing.assert_allclose(shares[0][0], one.t2_contributions, atol=1e-8)
    np.testing.assert_allclose(shares[1][0], one.spe_contributions, atol=1e-8)

    packages = ["pharmaq", "scikit-learn", "numpy", "numba", "pyphi-mvda"]
    for package in packages:
        try:
            print(package, version(package), end="  ")
        except PackageNotFoundError:
            continue
    print(f"\n{VARIABLES} variables, {COMPONENTS} components, T2 + SPE + contributions")
    base = median_seconds(lambda: monitor.score_one(row), 5000)
    print(f"one row: pharmaq {1e6 * base:.1f} us")
    for name, run in others.items():
        print(f"  {name:<28}{median_seconds(lambda r=run: r(row[None]), 200) / base:8.1f} x")
    many = median_seconds(lambda: monitor.score(new), 1)
    print(
        f"{len(new)} rows: pharmaq {1e3 * many:.0f} ms, with findings (pyphi: no contributions)"
    )
    for name, run in others.items():
        print(f"  {name:<28}{median_seconds(lambda r=run: r(new), 1) / many:8.1f} x")
    for cv in (None, 10):
        seconds = median_seconds(lambda c=cv: ProcessMonitor(COMPONENTS, cv=c).fit(X), 1)
        print(f"fit of {ROWS} rows, cv={cv}: {1e3 * seconds:.0f} ms")


if __name__ == "__main__":
    main()
