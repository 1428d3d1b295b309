from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from pybaselines import Baseline as PyBaseline
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator

from pharmaq.chemometrics import Baseline, Calibration
from pharmaq.chemometrics.preprocessing import learns_from_samples
from pharmaq.errors import AxisError, InputError, InputTypeError
from pharmaq.spectra import as_spectra

N = 240
AXIS = np.linspace(1100.0, 2056.0, N)
PENALISED = ("asls", "arpls", "airpls")


def bands(n: int, seed: int = 0) -> np.ndarray:
    """Spectra with three bands on a bent baseline, and a little noise."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 1, N)
    place, height = rng.uniform(0.1, 0.9, (3, n, 1)), rng.uniform(0.2, 2, (3, n, 1))
    peaks = (height * np.exp(-(((x - place) / 0.02) ** 2))).sum(axis=0)
    bent = 2 + np.sin(3 * x * rng.uniform(0.5, 1.5, (n, 1)))
    return peaks + bent + 0.01 * rng.normal(size=(n, N))


def naive_weights(method: str, r: np.ndarray, fit: int, p: float) -> np.ndarray:
    negative = r[r < 0]
    if method == "asls":
        return np.where(r > 0, p, 1 - p)
    if method == "arpls":
        m, s = negative.mean(), negative.std(ddof=1)
        # beyond 700 the weight is zero for all that matters
        return 1 / (1 + np.exp(np.minimum(2 * (r - (2 * s - m)) / s, 700.0)))
    return np.where(r < 0, np.exp(fit * r / negative.sum()), 0.0)


def naive_baseline(
    x: np.ndarray, method: str, lam: float, p: float, tol: float
) -> tuple[np.ndarray, int]:
    """Follow the definition with full matrices."""
    D = np.diff(np.eye(len(x)), n=2, axis=0)
    w = np.ones(len(x))
    for fit in range(1, 52):
        z = np.linalg.solve(np.diag(w) + lam * D.T @ D, w * x)
        new = naive_weights(method, x - z, fit, p)
        change = np.linalg.norm(new - w) / np.linalg.norm(w)
        if method == "airpls":
            change = -(x - z)[x < z].sum() / np.abs(x).sum()
        if change < tol:
            break
        w = new
    return z, fit


# by hand, P. H. C. Eilers, H. F. M. Boelens 2005: with weights and lam of 1, (I + D'D) z = x
# has the solution x - D'(1 + DD')^-1 D x, for x = 0 1 0 that is 2/7 3/7 2/7
@pytest.mark.parametrize("method", PENALISED)
def test_the_first_fit_to_three_points_is_as_worked_by_hand(method: str) -> None:
    step = Baseline(method, lam=1.0, tol=1e6).fit([[0.0, 1.0, 0.0]])
    out = step.baselines([[0.0, 1.0, 0.0]])
    np.testing.assert_allclose(out.baselines, [[2 / 7, 3 / 7, 2 / 7]], atol=1e-15)
    assert out.iterations.tolist() == [1]


# by hand, C. A. Lieber, A. Mahadevan-Jansen 2003: the mean of 0 0 0 4 is 1; cut to it, the
# spectrum is 0 0 0 1 with the mean 1/4, a change of 3/4; the next mean is 1/16
def test_a_modified_polynomial_of_degree_0_is_as_worked_by_hand() -> None:
    step = Baseline("modpoly", degree=0, max_iter=2).fit([[0.0, 0.0, 0.0, 4.0]])
    out = step.baselines([[0.0, 0.0, 0.0, 4.0]])
    np.testing.assert_allclose(out.baselines, np.full((1, 4), 1 / 16), atol=1e-15)
    np.testing.assert_allclose(out.history, [[0.75, 0.75]], atol=1e-15)
    assert not out.converged.any()


@pytest.mark.parametrize("method", PENALISED)
@pytest.mark.parametrize("lam", [10.0, 1e4])
def test_baselines_equal_their_slow_twin(method: str, lam: float) -> None:
    X = bands(3)
    out = Baseline(method, lam=lam, p=0.02).fit(X).baselines(X)
    for i, row in enumerate(X):
        expected, fits = naive_baseline(row, method, lam, 0.02, 1e-3)
        np.testing.assert_allclose(out.baselines[i], expected, rtol=0, atol=1e-9)
        assert out.iterations[i] == fits


# the same definitions, tolerance and count of fits as pybaselines 1.2
@pytest.mark.parametrize("method", PENALISED)
def test_baselines_and_their_histories_equal_those_of_another_program(method: str) -> None:
    X = bands(40, seed=1)
    out = Baseline(method, lam=1e4).fit(X).baselines(X)
    for i, row in enumerate(X):
        expected, facts = getattr(PyBaseline(), method)(row, lam=1e4)
        np.testing.assert_allclose(out.baselines[i], expected, rtol=0, atol=1e-9)
        history = facts["tol_history"]
        assert out.iterations[i] == len(history)
        np.testing.assert_allclose(out.history[i, : len(history)], history, atol=1e-9)
        assert np.isnan(out.history[i, len(history) :]).all()


def exact_fit(w: np.ndarray, x: np.ndarray, lam: float) -> np.ndarray:
    """Solve (W + lam D'D) z = W x by elimination in the arithmetic of its arguments."""
    n = len(x)
    D = np.diff(np.eye(n, dtype=w.dtype), n=2, axis=0)
    A, z = np.diag(w) + w.dtype.type(lam) * D.T @ D, w * x
    for i in range(n):
        rows = slice(i + 1, min(i + 3, n))
        factor = A[rows, i] / A[i, i]
        z[rows] -= factor * z[i]
        A[rows, i : i + 3] -= factor[:, None] * A[i, i : i + 3]
    for i in range(n - 1, -1, -1):
        z[i] = (z[i] - A[i, i + 1 : i + 3] @ z[i + 1 : i + 3]) / A[i, i]
    return z


# a weight stands in a sum with up to 6 lam, whose rounding moves a weight of 0.01 by
# 6 lam eps / 0.01 of itself, and the baseline of values up to 4 by about as much
@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="no 80-bit arithmetic here")
@pytest.mark.parametrize("lam", [1e2, 1e4, 1e6])
def test_rounding_is_what_the_sum_of_weight_and_stiffness_leaves(lam: float) -> None:
    X, rounding = bands(3, seed=6), 4 * 6 * lam * 2.2e-16 / 0.01
    out = Baseline("asls", lam=lam).fit(X).baselines(X)
    for i, row in enumerate(X.astype(np.longdouble)):
        w = np.ones(N, dtype=np.longdouble)
        for _ in range(out.iterations[i]):
            z = exact_fit(w, row, lam)
            w = np.where(row > z, np.longdouble(0.01), np.longdouble(0.99))
        np.testing.assert_allclose(out.baselines[i], z.astype(float), rtol=0, atol=rounding)


def test_modified_polynomials_equal_those_of_another_program() -> None:
    X, axis = bands(10, seed=2), AXIS + 0.2 * np.sin(AXIS)
    spectra = as_spectra(X, axis=axis, kind="wavelength")
    out = Baseline("modpoly", degree=3).fit(spectra).baselines(spectra)
    for i, row in enumerate(X):
        expected, facts = PyBaseline(axis).modpoly(row, poly_order=3, use_original=True)
        np.testing.assert_allclose(out.baselines[i], expected, rtol=0, atol=1e-9)
        assert out.iterations[i] == len(facts["tol_history"])


# a measured spectrum: Raman of paracetamol, from the package hyperSpec
@pytest.mark.parametrize("method", PENALISED)
def test_a_measured_raman_spectrum_has_the_baseline_of_another_program(
    shared: Path, method: str
) -> None:
    shift, counts = np.loadtxt(shared / "data" / "raman" / "paracetamol_raman.txt").T
    out = Baseline(method, lam=1e4).fit(counts[None]).baselines(counts[None])
    expected, facts = getattr(PyBaseline(), method)(counts, lam=1e4)
    np.testing.assert_allclose(out.baselines[0] / expected, 1.0, atol=1e-9)
    assert out.iterations[0] == len(facts["tol_history"])
    assert shift.size == counts.size


# lanes are filled anew as spectra converge, which they do after different numbers of fits
@pytest.mark.parametrize("method", [*PENALISED, "modpoly"])
def test_one_spectrum_has_the_same_bits_alone_and_among_others(method: str) -> None:
    X = bands(50, seed=3)
    step = Baseline(method).fit(X)
    together = step.baselines(X)
    assert len(set(together.iterations.tolist())) > 1
    for i in (0, 15, 16, 33, 49):
        alone = step.baselines(X[i : i + 1])
        np.testing.assert_array_equal(alone.baselines[0], together.baselines[i])
        assert alone.iterations[0] == together.iterations[i]


@pytest.mark.parametrize("method", [*PENALISED, "modpoly"])
def test_scale_and_a_straight_line_pass_through(method: str) -> None:
    X = bands(4, seed=4)
    step = Baseline(method).fit(X)
    plain = step.transform(X)
    np.testing.assert_allclose(step.transform(8.0 * X), 8.0 * plain, rtol=0, atol=1e-6)
    if method in {"asls", "arpls"}:
        line = X + 0.5 + 0.01 * np.arange(N)
        np.testing.assert_allclose(step.transform(line), plain, rtol=0, atol=1e-6)


def test_spectra_that_do_not_converge_are_counted_and_named() -> None:
    X = bands(6)
    X[0] = 0.0
    step = Baseline("asls", max_iter=1, tol=1e-6).fit(X)
    with pytest.warns(
        ConvergenceWarning, match=r"spectrum 1 has a asls.*in 2 fits.*5 of 6 spectra"
    ):
        step.transform(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = step.baselines(X)
    assert out.converged.tolist() == [True] + [False] * 5
    frame = out.to_frame()
    assert frame.columns.tolist() == ["iterations", "change", "converged"]
    assert (frame["change"][1:] > 1e-6).all()


def test_too_few_points_below_the_baseline_end_the_iterations() -> None:
    out = Baseline("arpls").fit(np.zeros((1, 9))).baselines(np.zeros((1, 9)))
    assert (out.baselines == 0).all()
    assert not out.converged[0]
    assert out.iterations.tolist() == [1]


def test_labels_and_units_survive() -> None:
    spectra = as_spectra(bands(3), axis=AXIS, kind="wavelength", quantity="absorbance")
    step = Baseline("arpls").fit(spectra)
    out = step.transform(spectra)
    assert isinstance(out, xr.DataArray)
    assert out.attrs["quantity"] == "absorbance"
    assert isinstance(step.baselines(spectra).baselines, xr.DataArray)
    frame = pd.DataFrame(spectra.values, columns=AXIS, index=list("abc"))
    table = Baseline("arpls").fit(frame).transform(frame)
    assert list(table.index) == ["a", "b", "c"]
    np.testing.assert_array_equal(table.to_numpy(), out.values)
    shifted = spectra.assign_coords(wavelength=spectra.wavelength + 5)
    with pytest.raises(AxisError, match="another axis"):
        step.transform(shifted)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"method": "snip"}, InputError, "method must be one of 'asls'"),
        ({"lam": 0.0}, InputError, "lam must lie in"),
        ({"lam": "a"}, InputTypeError, "lam must be a real number"),
        ({"p": 1.0}, InputError, "p must lie in"),
        ({"tol": 0.0}, InputError, "tol must lie in"),
        ({"max_iter": 0}, InputError, "max_iter must be at least 1"),
        ({"method": "modpoly", "degree": 9}, InputError, "degree must be at most 8"),
    ],
)
def test_impossible_settings_are_refused(
    settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Baseline(**settings).fit(np.ones((2, 10)))


def test_missing_values_are_named_by_place() -> None:
    X = bands(3)
    step = Baseline().fit(X)
    X[1, 7] = np.nan
    with pytest.raises(InputError, match=r"X\[1, 7\] is NaN"):
        step.transform(X)


@pytest.mark.parametrize("text", ["asls(1e5,0.001)", "arpls(1e5)", "airpls(1e5)", "poly(3)"])
def test_a_model_file_holds_it(text: str, tmp_path: Path) -> None:
    X = bands(30, seed=5)
    y = X[:, 60] - X[:, 100]
    fitted = Calibration(text, n_components=2).fit(X, y)
    fitted.save(tmp_path / "model.pqm")
    again = Calibration.load(tmp_path / "model.pqm")
    assert str(again.recipe_) == text
    np.testing.assert_array_equal(again.predict(X).value, fitted.predict(X).value)


def test_it_does_not_learn_from_samples() -> None:
    assert not learns_from_samples(Baseline())


@pytest.mark.slow
@pytest.mark.parametrize("method", [*PENALISED, "modpoly"])
def test_scikit_learn_accepts_the_estimator(method: Any) -> None:
    with warnings.catch_warnings():
        # the data of some checks are so few points that no baseline lies below them
        warnings.simplefilter("ignore", ConvergenceWarning)
        check_estimator(Baseline(method), on_skip=None)
