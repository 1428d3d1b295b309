from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

import naive_mcr
from pharmaq.chemometrics import MCRALS, ConcentrationConstraints, nonnegative_least_squares
from pharmaq.chemometrics.mcr import _kernels
from pharmaq.chemometrics.mcr._solve import Limits, solve_rows
from pharmaq.errors import InputError
from pharmaq.spectra import as_spectra

seeds = st.integers(0, 2**32 - 1)


# R. Bro, S. de Jong, J. Chemom. 11 (1997) 393: example; without bounds 1.123, 0.917, -2.068
def test_amounts_match_bro_and_de_jong() -> None:
    Z = np.array([[73, 71, 52], [87, 74, 46], [72, 2, 7], [80, 89, 71]], dtype=float)
    amounts = nonnegative_least_squares([[49, 67, 68, 20]], Z.T)
    assert amounts[0] == pytest.approx([0.650, 0, 0], abs=5e-4)


# MathWorks, documentation of lsqnonneg: compare unconstrained and non-negative solutions
def test_amounts_match_matlab() -> None:
    spectra = [[0.0372, 0.6861, 0.6233, 0.6344], [0.2869, 0.7071, 0.6245, 0.6170]]
    mixture = np.array([0.8587, 0.1781, 0.0747, 0.8405])
    amounts = nonnegative_least_squares([mixture], spectra)
    assert amounts[0] == pytest.approx([0, 0.6929], abs=5e-5)
    assert np.linalg.norm(mixture - amounts @ spectra) == pytest.approx(0.9118, abs=5e-5)


@given(seeds)
def test_amounts_equal_lawson_and_hanson(seed: int) -> None:
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 7))
    spectra, X = rng.normal(size=(k, k + 6)), rng.normal(size=(8, k + 6))
    expected = [nnls(spectra.T, row)[0] for row in X]
    np.testing.assert_allclose(nonnegative_least_squares(X, spectra), expected, atol=1e-8)


@given(seeds)
def test_constrained_rows_equal_their_slow_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 6))
    A = rng.normal(size=(k + 4, k)) * 10 ** rng.uniform(-2, 2, size=k)
    B = rng.normal(size=(5, k + 4))
    nonnegative, closed = rng.random(k) < 0.7, rng.random(k) < 0.6
    known = np.where(rng.random((5, k)) < 0.3, 0.1 * rng.random((5, k)), np.nan)
    # a sum needs a component that can take it
    known[~(np.isnan(known) & closed).any(axis=1)] = np.nan
    total = float(rng.uniform(0.6, 3)) if closed.any() else np.nan
    limits = Limits(nonnegative=nonnegative, known=known, closed=closed, total=total)
    expected = [
        naive_mcr.constrained_row(
            A,
            b,
            nonnegative=nonnegative,
            known=row,
            closed=closed,
            total=total,
        )
        for b, row in zip(B, known, strict=True)
    ]
    sizes = np.linalg.norm(A, axis=0)
    found = solve_rows(A.T, B, limits)
    np.testing.assert_allclose(found * sizes, np.array(expected) * sizes, atol=1e-7, rtol=1e-7)


def test_known_values_that_take_up_the_sum_leave_nothing_to_the_others() -> None:
    known = np.array([[1.0, np.nan, np.nan]])
    limits = Limits(
        nonnegative=np.ones(3, dtype=bool),
        known=known,
        closed=np.ones(3, dtype=bool),
        total=1.0,
    )
    spectra = np.random.default_rng(0).random((3, 5))
    assert solve_rows(spectra, spectra.sum(axis=0)[None], limits).tolist() == [[1, 0, 0]]


@given(seeds, st.booleans())
def test_unimodal_regression_equals_its_slow_twin(seed: int, nonnegative: bool) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=int(rng.integers(1, 15)))
    out = np.empty_like(values)
    error = _kernels.unimodal(values, 0.0 if nonnegative else -np.inf, out)
    expected = naive_mcr.unimodal(values, nonnegative=nonnegative)
    assert error == pytest.approx(np.sum((values - expected) ** 2), abs=1e-10)
    np.testing.assert_allclose(out, expected, atol=1e-10)


def test_a_mixture_gets_the_same_bits_alone_and_among_others() -> None:
    rng = np.random.default_rng(1)
    spectra, X = rng.random((3, 57)), rng.random((20, 57)) - 0.3
    together = nonnegative_least_squares(X, spectra)
    alone = np.vstack([nonnegative_least_squares(row[None], spectra) for row in X])
    np.testing.assert_array_equal(together, alone)


def test_labels_survive() -> None:
    rng = np.random.default_rng(0)
    spectra = as_spectra(
        rng.random((4, 6)), axis=np.arange(1100, 1130, 5), coords={"batch": list("abcd")}
    )
    out = nonnegative_least_squares(spectra, rng.random((2, 6)))
    assert isinstance(out, xr.DataArray)
    assert out.batch.values.tolist() == list("abcd")
    frame = pd.DataFrame(spectra.values, index=list("wxyz"))
    named = nonnegative_least_squares(frame, rng.random((2, 6)))
    assert list(named.index) == list("wxyz")
    assert list(named.columns) == ["component0", "component1"]


@pytest.mark.parametrize(
    ("X", "spectra", "message"),
    [
        ([[1.0, 2.0]], [[1.0, 2.0, 3.0]], r"same number of points, got shapes \(1, 2\)"),
        ([1.0, 2.0], [[1.0, 2.0]], "must be matrices"),
        ([[1.0, np.nan]], [[1.0, 2.0]], r"X\[0, 1\] is NaN"),
        ([[1.0, 2.0]], [[np.inf, 2.0]], r"spectra\[0, 0\] is inf"),
        ([[1.0, 2.0]], [[1.0, 2.0], [0.0, 0.0]], "component 1 is zero throughout"),
    ],
)
def test_bad_input_is_refused(X: list, spectra: list, message: str) -> None:
    with pytest.raises(InputError, match=message):
        nonnegative_least_squares(X, spectra)


def test_equal_spectra_share_the_amount_of_one() -> None:
    # bounded components that depend on each other: the second has nothing to add
    amounts = nonnegative_least_squares([[2.0, 4.0]], [[1.0, 2.0], [1.0, 2.0]])
    assert amounts.sum() == pytest.approx(2)


def test_unbounded_components_that_depend_on_each_other_are_refused() -> None:
    X = np.random.default_rng(0).random((5, 4))
    twice = np.vstack([X[0], X[0]])
    constraints = ConcentrationConstraints(nonnegative=False)
    with pytest.raises(InputError, match="the components depend on each other"):
        MCRALS(2, initial=twice, concentrations=constraints).fit(X)
