from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive_mcr
from pharmaq.chemometrics import evolving_factor_analysis, simplisma
from pharmaq.errors import InputError
from pharmaq.spectra import as_spectra

seeds = st.integers(0, 2**32 - 1)


# by hand, after W. Windig, J. Guilment, Anal. Chem. 63 (1991) 1425: means (1/2, 1/2, 1),
# deviations (1/2, 1/2, 0); the columns have length 1, and the third has half its square outside
# of the first
def test_purities_match_hand_calculation() -> None:
    X = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    purest = simplisma(X, 2, noise=0.0)
    assert purest.variables.tolist() == [0, 1]
    np.testing.assert_allclose(purest.purity, [[1, 1, 0], [0, 1, 0]], atol=1e-12)
    # noise 1/2 adds a = 1/2: w = (1/2) / (1/4 + 1) = 0.4 and purity 0.4 (1/2) / 1
    damped = simplisma(X, 1, noise=0.5)
    np.testing.assert_allclose(damped.purity, [[0.2, 0.2, 0]], atol=1e-12)


@given(seeds, st.sampled_from([0.0, 0.05, 0.3]))
def test_purities_equal_their_determinants(seed: int, noise: float) -> None:
    X = np.random.default_rng(seed).random((8, 6))
    purest = simplisma(X, 3, noise=noise)
    variables, purity = naive_mcr.simplisma(X, 3, noise)
    assert purest.variables.tolist() == variables
    np.testing.assert_allclose(purest.purity, purity, atol=1e-10)


@given(seeds, st.floats(0.01, 100))
def test_purities_do_not_depend_on_scale_or_order(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    X, order = rng.random((8, 6)), rng.permutation(8)
    np.testing.assert_allclose(
        simplisma(scale * X[order], 3).purity, simplisma(X, 3).purity, atol=1e-10
    )


def test_pure_points_are_found() -> None:
    rng = np.random.default_rng(0)
    C = rng.random((12, 3))
    spectra = np.array([[0, 3, 1, 1, 0], [0, 0, 2, 1, 4], [5, 0, 1, 2, 0]], dtype=float)
    axis = [1000.0, 1010.0, 1020.0, 1030.0, 1040.0]
    X = as_spectra(C @ spectra, axis=axis, kind="wavelength")
    purest = simplisma(X, 3)
    assert set(purest.positions) == {1000, 1010, 1040}
    np.testing.assert_array_equal(purest.concentrations, X.values[:, purest.variables])
    frame = purest.to_frame()
    assert list(frame.columns) == ["component", "variable", "position", "purity"]
    assert frame["purity"].tolist() == [
        purest.purity[j, v] for j, v in enumerate(purest.variables)
    ]


@pytest.mark.parametrize(
    ("X", "n_components", "noise", "message"),
    [
        (np.eye(3), 4, 0.1, "n_components = 4 is too many for n_samples = 3"),
        (np.eye(3), 2, -0.1, r"noise must lie in \[0, 1\), got -0.1"),
        (np.eye(3), 2, 1.0, "noise must lie in"),
        (-np.eye(3), 2, 0.1, "Negative values in data: the mean of X at point 0"),
        (np.ones((4, 3)), 1, 0.1, "n_components = 1 is too many: only 0 variables"),
        (np.outer([1, 2, 3], [1, 2, 3]), 2, 0.1, "only 1 variables of X differ"),
        (np.ones((1, 3)), 1, 0.1, "needs at least 2"),
        ([[1, 2], [np.nan, 1]], 1, 0.1, r"X\[1, 0\] is NaN"),
    ],
)
def test_data_without_purity_are_refused(
    X: np.ndarray, n_components: int, noise: float, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        simplisma(X, n_components, noise=noise)


# M. Maeder, Anal. Chem. 59 (1987) 527: a component adds an eigenvalue where it appears; here
# three components without overlap of spectra, whose eigenvalues are sums of squares
def test_eigenvalues_match_hand_calculation() -> None:
    C = np.array([[3, 0, 0], [4, 1, 0], [0, 2, 0], [0, 0, 6]], dtype=float)
    factors = evolving_factor_analysis(C @ np.eye(3, 5), n_factors=3)
    # first sample 9; then ((3, 0), (4, 1)): trace 26, determinant 9
    roots = 13 + np.array([1, -1]) * np.sqrt(169 - 9)
    np.testing.assert_allclose(factors.forward[0], [9, np.nan, np.nan])
    np.testing.assert_allclose(factors.forward[1, :2], roots)
    np.testing.assert_allclose(factors.backward[3], [36, np.nan, np.nan])
    np.testing.assert_allclose(factors.backward[2, :2], [36, 4])
    np.testing.assert_allclose(factors.forward[3], factors.backward[0], atol=1e-12)


@given(seeds)
def test_eigenvalues_equal_those_of_every_submatrix(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(int(rng.integers(2, 8)), int(rng.integers(2, 8))))
    factors = evolving_factor_analysis(X)
    for i in range(len(X)):
        for curve, part in ((factors.forward, X[: i + 1]), (factors.backward, X[i:])):
            expected = np.linalg.svd(part, compute_uv=False) ** 2
            np.testing.assert_allclose(curve[i, : len(expected)], expected, atol=1e-10)
            assert np.isnan(curve[i, len(expected) :]).all()


def test_windows_hold_components_where_they_are() -> None:
    time = np.linspace(0, 1, 30)
    C = np.exp(-(((time[:, None] - [0.2, 0.5, 0.8]) / 0.06) ** 2))
    factors = evolving_factor_analysis(C @ np.random.default_rng(0).random((3, 20)))
    windows = factors.windows(3)
    assert windows.argmax(axis=0) == pytest.approx(C.argmax(axis=0), abs=2)
    # the last component is not there before the second is over its peak
    assert windows[10, 2] < 1e-2 * windows[:, 2].max()


def test_labels_of_time_are_kept() -> None:
    time = pd.date_range("2026-01-01", periods=4, freq="h")
    X = as_spectra(np.eye(4, 6), axis=np.arange(1100, 1130, 5), coords={"time": time})
    frame = evolving_factor_analysis(X, n_factors=2).to_frame()
    assert frame.index.name == "time"
    assert list(frame.columns) == ["forward1", "forward2", "backward1", "backward2"]
    assert (frame.index == time).all()


@pytest.mark.parametrize("n_factors", [0, 5])
def test_impossible_numbers_of_factors_are_refused(n_factors: int) -> None:
    with pytest.raises(InputError, match="n_factors must be from 1 to 4"):
        evolving_factor_analysis(np.eye(4), n_factors=n_factors)
    with pytest.raises(InputError, match="n_components must be from 1 to 2"):
        evolving_factor_analysis(np.eye(4), n_factors=2).windows(3)
