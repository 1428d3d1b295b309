"""Cross-validation of PLS1 beside scikit-learn and ikpls, in one process and one thread.

Run ``python benchmarks/pls_crossvalidation.py``; ikpls comes with ``pharmaq[bench]``. Every
form predicts each left-out sample with 1 to 20 components. Before anything is timed, all forms
are checked to give the same RMSECV. Ratios of medians are printed: absolute times depend on the
machine.
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
import contextlib
import io
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from sklearn.cross_decomposition import PLSRegression
from sklearn.model_selection import KFold, LeaveOneOut

from pharmaq.chemometrics import PLS, cross_validate

try:
    from ikpls.fast_cross_validation import numpy as ikpls
except ImportError:
    ikpls = None

Fold = tuple[np.ndarray, np.ndarray]
Form = Callable[[], np.ndarray]


def spectra_like(n: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping bands of 40 ingredients, an offset, noise; y is one of the ingredients."""
    rng = np.random.default_rng(0)
    points = np.arange(p)
    centers = np.linspace(0, p, 40)
    bands = np.exp(-(((points[:, None] - centers) / (p / 30)) ** 2))
    content = rng.uniform(size=(n, 40))
    X = content @ bands.T + rng.uniform(size=(n, 1)) + 2e-3 * rng.normal(size=(n, p))
    return X, content[:, 7] + 0.02 * rng.normal(size=n)


def rmse(predictions: np.ndarray, y: np.ndarray) -> np.ndarray:
    """RMSECV for each number of components from predictions of shape (A, n)."""
    return np.sqrt(np.mean((predictions - y) ** 2, axis=1))


def ours(X: np.ndarray, y: np.ndarray, folds: list[Fold], A: int) -> Form:
    """cross_validate of pharmaq."""
    splitter = type("Folds", (), {"split": lambda *_: iter(folds)})()
    return lambda: cross_validate(PLS(A), X, y, cv=splitter).rmsecv


def sklearn_once(X: np.ndarray, y: np.ndarray, folds: list[Fold], A: int) -> Form:
    """One fit of scikit-learn a fold; smaller models from its rotations and loadings.

    That is less work than the loop a user would write, which fits every number of components.
    """

    def run() -> np.ndarray:
        out = np.empty((A, len(y)))
        for train, test in folds:
            model = PLSRegression(A, scale=False).fit(X[train], y[train])
            scores = (X[test] - X[train].mean(axis=0)) @ model.x_rotations_
            out[:, test] = np.cumsum(scores * model.y_loadings_[0], axis=1).T + y[train].mean()
        return rmse(out, y)

    return run


def sklearn_loop(X: np.ndarray, y: np.ndarray, folds: list[Fold], A: int) -> Form:
    """The loop a user writes: a fit of scikit-learn for every fold and number of components."""

    def run() -> np.ndarray:
        out = np.empty((A, len(y)))
        for train, test in folds:
            for a in range(1, A + 1):
                model = PLSRegression(a, scale=False).fit(X[train], y[train])
                out[a - 1, test] = model.predict(X[test]).ravel()
        return rmse(out, y)

    return run


def ikpls_fast(algorithm: int) -> Callable[[np.ndarray, np.ndarray, list[Fold], int], Form]:
    """The fast cross-validation of ikpls."""

    def make(X: np.ndarray, y: np.ndarray, folds: list[Fold], A: int) -> Form:
        labels = np.empty(len(y), dtype=int)
        for number, (_, test) in enumerate(folds):
            labels[test] = number

        def squares(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
            return np.sum((predicted - truth) ** 2, axis=(1, 2))

        def run() -> np.ndarray:
            model = ikpls.PLS(
                algorithm=algorithm,
                center_X=True,
                center_Y=True,
                scale_X=False,
                scale_Y=False,
            )
            # it reports its progress even where it is told not to
            with contextlib.redirect_stdout(io.StringIO()):
                parts = model.cross_validate(
                    X,
                    y[:, None],
                    A,
                    folds=labels,
                    metric_function=squares,
                    n_jobs=1,
                    verbose=0,
                )
            return np.sqrt(np.sum(list(parts.values()), axis=0) / len(y))

        return run

    return make


def compare(
    name: str, folds: list[Fold], X: np.ndarray, y: np.ndarray, A: int, rounds: int
) -> None:
    """Check that all forms agree, time them in turn, and print their ratios to ours."""
    forms = {"pharmaq": ours, "scikit-learn, one fit a fold": sklearn_once}
    if len(folds) <= 10:
        forms["scikit-learn, a fit for every count"] = sklearn_loop
    if ikpls is not None:
        forms |= {f"ikpls fast, algorithm {k}": ikpls_fast(k) for k in (1, 2)}
    ready = {label: make(X, y, folds, A) for label, make in forms.items()}
    expected = ready["scikit-learn, one fit a fold"]()
    for label, run in ready.items():
        worst = float(np.abs(run() / expected - 1).max())
        if worst > 1e-6:
            msg = f"{label} differs from scikit-learn by {worst:.2g} in RMSECV"
            raise SystemExit(msg)
    times: dict[str, list[float]] = {label: [] for label in ready}
    for _ in range(rounds):
        for label, run in ready.items():
            start = time.perf_counter()
            run()
            times[label].append(time.perf_counter() - start)
    base = statistics.median(times["pharmaq"])
    print(f"{name}: {X.shape[0]} x {X.shape[1]}, {A} components, {len(folds)} folds")
    for label, values in times.items():
        print(f"  {label:<38}{statistics.median(values) / base:9.1f} x")


def main() -> None:
    """Run both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    packages = ["pharmaq", "numpy", "scikit-learn"] + (["ikpls"] if ikpls else [])
    print(", ".join(f"{name} {version(name)}" for name in packages), "- one thread")
    if ikpls is None:
        print('ikpls is not installed and left out: python -m pip install "pharmaq[bench]"')
    X, y = spectra_like(500, 500)
    compare("10-fold", list(KFold(10).split(X)), X, y, 20, rounds)
    compare("leave-one-out", list(LeaveOneOut().split(X)), X, y, 20, rounds)


if __name__ == "__main__":
    main()
