"""Cross-validation of PLS1 beside scikit-learn and ikpls, in one process and one thread.

Run ``python benchmarks/pls_crossvalidation.py``; ikpls comes with ``pharmaq[bench]``. Every
form predicts each left-out sample with 1 to 30 components. All forms are checked to give the
same RMSECV. They take turns; ratios of median processor times are printed, for absolute times
depend on the machine. Peers run once where every sample is left out: that takes long. Memory is
the peak of pharmaq, in multiples of X.
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
import tracemalloc
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from sklearn.cross_decomposition import PLSRegression
from sklearn.model_selection import KFold

from pharmaq.chemometrics import PLS, cross_validate

try:
    from ikpls import numpy as ikpls_refit
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
    cv = "loo" if len(folds) == len(y) else KFold(len(folds))
    return lambda: cross_validate(PLS(A), X, y, cv=cv).rmsecv


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


def ikpls_refits(X: np.ndarray, y: np.ndarray, folds: list[Fold], A: int) -> Form:
    """A fit of ikpls for every fold."""

    def run() -> np.ndarray:
        out = np.empty((A, len(y)))
        model = ikpls_refit.PLS(algorithm=1, scale_X=False, scale_Y=False)
        for train, test in folds:
            model.fit(X[train], y[train, None], A)
            out[:, test] = model.predict(X[test])[:, :, 0]
        return rmse(out, y)

    return run


def timed(run: Form) -> tuple[float, np.ndarray]:
    """Processor time of one call, and what it returned."""
    start = time.process_time()
    result = run()
    return time.process_time() - start, result


def peak_memory(run: Form) -> float:
    """Largest number of bytes allocated while it runs."""
    tracemalloc.start()
    run()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def forms_of(X: np.ndarray, y: np.ndarray, folds: list[Fold], A: int) -> dict[str, Form]:
    """All forms that take less than minutes."""
    forms = {"pharmaq": ours(X, y, folds, A)}
    by_folds = len(folds) < len(y)
    if by_folds:
        forms["scikit-learn, one fit a fold"] = sklearn_once(X, y, folds, A)
    if ikpls is not None:
        # the first algorithm copies the training samples of every fold
        algorithms = (1, 2) if by_folds or len(y) <= X.shape[1] else (2,)
        forms |= {
            f"ikpls fast, algorithm {k}": ikpls_fast(k)(X, y, folds, A) for k in algorithms
        }
        if by_folds:
            forms["ikpls, a fit in every fold"] = ikpls_refits(X, y, folds, A)
    return forms


def folds_of(n: int, n_folds: int) -> list[Fold]:
    """Contiguous folds."""
    rows = np.arange(n)
    if n_folds < n:
        return list(KFold(n_folds).split(rows))
    # forms for single samples never look at the training rows
    return [(rows, rows[i : i + 1]) for i in rows]


def checked(label: str, result: np.ndarray, expected: np.ndarray) -> None:
    """Stop if a form computes something else."""
    worst = float(np.abs(result / expected - 1).max())
    if worst > 1e-6:
        msg = f"{label} differs from pharmaq by {worst:.2g} in RMSECV"
        raise SystemExit(msg)


def compare(n: int, p: int, n_folds: int, A: int, rounds: int) -> None:
    """Time all forms in turn, check that they agree, and print their ratios to ours."""
    X, y = spectra_like(n, p)
    forms = forms_of(X, y, folds_of(n, n_folds), A)
    # the first call compiles, and is not timed
    expected = forms["pharmaq"]()
    times: dict[str, list[float]] = {label: [] for label in forms}
    for turn in range(rounds):
        for label, run in forms.items():
            if turn and n_folds == n and label != "pharmaq":
                continue
            seconds, result = timed(run)
            checked(label, result, expected)
            times[label].append(seconds)
    base = statistics.median(times["pharmaq"])
    share = peak_memory(forms["pharmaq"]) / X.nbytes
    cv = "loo" if n_folds == n else KFold(n_folds)
    algorithm = cross_validate(PLS(2), X, y, cv=cv).algorithm
    kind = "leave-one-out" if n_folds == n else f"{n_folds} folds"
    print(f"{n} x {p}, {A} components, {kind}: {base:.3f} s, memory {share:.1f} X")
    print(f"  by {algorithm}")
    for label, values in times.items():
        print(f"  {label:<38}{statistics.median(values) / base:9.1f} x", flush=True)


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    packages = ["pharmaq", "numpy", "scikit-learn"] + (["ikpls"] if ikpls else [])
    print(", ".join(f"{name} {version(name)}" for name in packages), "- one thread")
    if ikpls is None:
        print('ikpls is not installed and left out: python -m pip install "pharmaq[bench]"')
    for n, p, n_folds in (
        (500, 500, 10),
        (500, 2000, 10),
        (5000, 500, 10),
        (500, 500, 500),
        (500, 2000, 500),
        (5000, 500, 5000),
    ):
        compare(n, p, n_folds, 30, rounds)


if __name__ == "__main__":
    main()
