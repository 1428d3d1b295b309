"""Prediction of one spectrum with T2 and SPE, beside scikit-learn's pipeline, in one thread.

Run ``python benchmarks/single_spectrum.py``. A fitted SNV + Savitzky-Golay + PLS calibration of
700 points predicts one spectrum; scikit-learn does the same with the same steps as plain numpy
functions, scipy's filter and `PLSRegression`, first the value alone, then with T2 and SPE by
numpy. All values are checked to agree before anything is timed.
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
from scipy.signal import savgol_filter
from sklearn.cross_decomposition import PLSRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from pharmaq.chemometrics import Calibration
from pharmaq.datasets import Spectrometer, tablets

ROUNDS = 2000


def snv(X: np.ndarray) -> np.ndarray:
    """Standard normal variate as a user writes it."""
    return (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, ddof=1, keepdims=True)


def derivative(delta: float) -> Callable[[np.ndarray], np.ndarray]:
    """First derivative by scipy."""
    return lambda X: savgol_filter(X, 15, 2, deriv=1, delta=delta, axis=1)


def median_seconds(run: Callable[[], object]) -> float:
    """Median over many calls, after a warm-up."""
    run()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Fit both, check that they agree, time them and print the ratios."""
    axis = np.linspace(1100.0, 2200.0, 700)
    spectra = tablets(spectrometer=Spectrometer(wavelength=axis), random_state=1).spectra
    X, y = spectra.values, spectra.api.values
    ours = Calibration("snv, sg(15,2,1)", n_components=4).fit(spectra, "api")
    steps = (FunctionTransformer(snv), FunctionTransformer(derivative(axis[1] - axis[0])))
    peer = make_pipeline(*steps, PLSRegression(4, scale=False)).fit(X, y)
    model = peer[-1]
    mean = peer[:-1].transform(X).mean(axis=0)
    variances = model.x_scores_.var(axis=0, ddof=1)

    def with_distances(row: np.ndarray) -> tuple[float, float, float]:
        z = peer[:-1].transform(row) - mean
        scores = z @ model.x_rotations_
        residual = z - scores @ model.x_loadings_.T
        value = model.predict(z + mean)
        return (
            float(value.ravel()[0]),
            float((scores**2 / variances).sum()),
            float((residual**2).sum()),
        )

    row = X[3:4].copy()
    short = ours.predict_arrays(row)
    np.testing.assert_allclose(
        [short.value[0], short.t2[0], short.spe[0]], with_distances(row), rtol=1e-6
    )
    base = median_seconds(lambda: ours.predict_arrays(row))
    print(", ".join(f"{p} {version(p)}" for p in ("pharmaq", "scikit-learn", "scipy")))
    print(f"700 points, 4 components, one spectrum; pharmaq {1e6 * base:.0f} us")
    for label, run in (
        ("scikit-learn pipeline, value only", lambda: peer.predict(row)),
        ("scikit-learn pipeline, with T2 and SPE", lambda: with_distances(row)),
        ("pharmaq, with labels, interval and status", lambda: ours.predict(row)),
    ):
        print(f"  {label:<44}{median_seconds(run) / base:8.1f} x")


if __name__ == "__main__":
    main()
