"""PCA of a matrix with 5 % missing values, beside other libraries, in one thread.

Run ``python benchmarks/missing_data.py``. A 500 x 200 matrix of five components and noise is
fitted by pharmaq (NIPALS and trimmed score regression), process-improve (the same two),
statsmodels (``missing="fill-em"``) and pyphi-mvda (NIPALS), where they are installed. CPU time,
medians; runs are interleaved. Loadings are checked to agree before anything is timed: NIPALS
with NIPALS, trimmed scores with trimmed scores, to what each program's tolerance allows.
statsmodels fills in by the model, which is another method, so it is timed only.
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

import contextlib
import io
import statistics
import time
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pandas as pd

from pharmaq.chemometrics import PCA

SHAPE, SHARE = (500, 200), 0.05
# rounds of the quick and of the slow ones
ROUNDS, SLOW = 9, 1


def data() -> np.ndarray:
    """Five components, noise, and missing values at random."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(SHAPE[0], 5)) * [5.0, 4.0, 3.0, 2.0, 1.5]
    loadings = np.linalg.qr(rng.normal(size=(SHAPE[1], 5)))[0]
    X = scores @ loadings.T + 0.1 * rng.normal(size=SHAPE)
    X[rng.random(SHAPE) < SHARE] = np.nan
    return X


def peers(X: np.ndarray, count: int) -> dict[str, tuple[str, Callable[[], np.ndarray], int]]:
    """Return name -> (method, fit that gives loadings, rounds) of what is installed."""
    centered = pd.DataFrame(X - np.nanmean(X, axis=0))
    found = {}
    with contextlib.suppress(ImportError):
        import process_improve.multivariate.methods as other

        def fit(algorithm: str) -> np.ndarray:
            model = other.PCA(n_components=count, algorithm=algorithm, max_iter=5000)
            return np.asarray(model.fit(centered).loadings_)

        name = f"process-improve {version('process-improve')}"
        if count == 5:
            # with components of noise it takes a minute
            found[f"{name} nipals"] = ("nipals", lambda: fit("nipals"), SLOW)
        found[f"{name} tsr"] = ("tsr", lambda: fit("tsr"), SLOW)
    with contextlib.suppress(ImportError):
        from statsmodels.multivariate import pca

        def filled() -> np.ndarray:
            kind = {"standardize": False, "demean": True, "missing": "fill-em"}
            return pca.PCA(X, count, **kind).loadings

        found[f"statsmodels {version('statsmodels')}"] = ("fill-em", filled, ROUNDS)
    with contextlib.suppress(ImportError, PackageNotFoundError):
        import pyphi.calc as phi

        def nipals() -> np.ndarray:
            return phi.pca(X, count, mcs="center", shush=True)["P"]

        found[f"pyphi-mvda {version('pyphi-mvda')}"] = ("nipals", nipals, ROUNDS)
    return found


def cpu(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def compare(count: int) -> None:
    """Check that loadings agree, then time all of them and print the ratios."""
    X = data()
    ours = {m: PCA(count, missing=m).fit(X).x_loadings_ for m in ("nipals", "tsr")}
    others = peers(X, count)
    runs: dict[str, tuple[Callable[[], object], int]] = {
        f"pharmaq {m}": (lambda m=m: PCA(count, missing=m).fit(X), ROUNDS) for m in ours
    }
    for name, (method, run, rounds) in others.items():
        P = run()
        if method in ours and count == 5:
            P = P * np.sign(np.sum(P * ours[method], axis=0))
            print(f"{name}: loadings differ by at most {abs(P - ours[method]).max():.1e}")
            np.testing.assert_allclose(P, ours[method], atol=1e-4)
        runs[name] = (run, rounds)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for i in range(ROUNDS):
        for name, (run, rounds) in runs.items():
            if i < rounds:
                times[name].append(cpu(run))
    median = {name: statistics.median(values) for name, values in times.items()}
    print(f"\n{SHAPE[0]} x {SHAPE[1]}, {SHARE:.0%} missing, {count} components")
    for name, seconds in median.items():
        ratios = [f"{seconds / median[f'pharmaq {m}']:8.1f} x {m}" for m in ours]
        print(f"{name:32} {seconds * 1e3:9.1f} ms {' '.join(ratios)}")


def main() -> None:
    """Compare with five components, all of them signal, and with ten, half of them noise."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        # others report on their own ways of stopping
        warnings.simplefilter("ignore")
        for count in (5, 10):
            compare(count)


if __name__ == "__main__":
    main()
