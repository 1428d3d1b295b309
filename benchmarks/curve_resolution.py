"""Curve resolution beside pyMCR, in one process and one thread, by processor time.

Run ``python benchmarks/curve_resolution.py``; pyMCR (``python -m pip install pymcr``) is left
out with a note where it is absent. Both alternate non-negative least squares from the same
first spectra, for the same number of iterations; the lack of fit is checked to agree before
anything is timed. The compiled solver is also timed beside a loop over `scipy.optimize.nnls`.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import logging
import statistics
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from scipy.optimize import nnls
from sklearn.exceptions import ConvergenceWarning

from pharmaq.chemometrics import MCRALS, nonnegative_least_squares

try:
    from pymcr.mcr import McrAR
except ImportError:
    McrAR = None


def mixtures(n: int, p: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Mixtures of overlapping bands with noise, and a rough first estimate of the spectra."""
    rng = np.random.default_rng(0)
    points = np.linspace(0, 1, p)
    spectra = np.exp(-(((points - np.linspace(0.2, 0.8, k)[:, None]) / 0.15) ** 2))
    X = rng.dirichlet(np.ones(k), size=n) @ spectra + 0.01 * rng.normal(size=(n, p))
    return X, spectra + 0.3 * rng.random((k, p))


def ours(X: np.ndarray, first: np.ndarray, n_iter: int) -> float:
    """Lack of fit after so many iterations of pharmaq."""
    model = MCRALS(len(first), initial=first, max_iter=n_iter, tol=1e-15)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X).lack_of_fit_


def pymcr(X: np.ndarray, first: np.ndarray, n_iter: int) -> float:
    """Lack of fit after so many iterations of pyMCR, with its non-negative regressor."""
    model = McrAR(
        max_iter=n_iter,
        c_regr="NNLS",
        st_regr="NNLS",
        c_constraints=[],
        st_constraints=[],
        tol_increase=None,
        tol_n_increase=None,
        tol_n_above_min=None,
        tol_err_change=None,
    )
    model.fit(X, ST=first)
    # it solves for C first, so that its last C is not yet the one for its last spectra
    C, S = nonnegative_least_squares(X, model.ST_), model.ST_
    return float(100 * np.linalg.norm(X - C @ S) / np.linalg.norm(X))


def seconds(run: Callable[[], object], rounds: int) -> float:
    """Median processor time."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return statistics.median(times)


def main() -> None:
    """Compare on two shapes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    logging.getLogger("pymcr").setLevel(logging.ERROR)
    packages = ["pharmaq", "numpy", "scipy"] + (["pymcr"] if McrAR else [])
    print(", ".join(f"{name} {version(name)}" for name in packages), "- one thread")
    if McrAR is None:
        print("pyMCR is not installed and left out: python -m pip install pymcr")
    for n, p, k in ((21, 1401, 3), (200, 500, 4)):
        X, first = mixtures(n, p, k)
        C = nonnegative_least_squares(X, first)
        mine = seconds(lambda X=X, C=C: nonnegative_least_squares(X.T, C.T), rounds)
        loop = seconds(lambda X=X, C=C: [nnls(C, column) for column in X.T], rounds)
        print(f"{n} x {p}, {k} components")
        print(f"  solver: loop over scipy.optimize.nnls    {loop / mine:8.1f} x")
        fit = ours(X, first, 30)
        base = seconds(lambda X=X, S=first: ours(X, S, 30), rounds)
        print(f"  30 iterations of pharmaq                 {1e3 * base:8.1f} ms")
        if McrAR is not None:
            peer = pymcr(X, first, 30)
            if abs(peer / fit - 1) > 1e-3:
                msg = f"lack of fit differs: {fit:.6g} and {peer:.6g} %"
                raise SystemExit(msg)
            other = seconds(lambda X=X, S=first: pymcr(X, S, 30), rounds)
            print(f"  30 iterations of pyMCR                   {other / base:8.1f} x")


if __name__ == "__main__":
    main()
