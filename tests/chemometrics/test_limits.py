from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import naive
from pharmaq.chemometrics import PCA, spe_limit, t2_limit
from pharmaq.chemometrics.limits import spe_limit_from_eigenvalues, spe_limit_from_values
from pharmaq.errors import InputError


# SIMCA, LDPE data: 54 samples, 6 components; the last printed digit is cut off, not rounded
@pytest.mark.parametrize(("alpha", "published"), [(0.05, 15.2017), (0.01, 21.2239)])
def test_t2_limit_matches_simca(alpha: float, published: float) -> None:
    assert t2_limit(54, 6, alpha=alpha, method="simca") == pytest.approx(published, abs=1e-4)


@pytest.mark.parametrize("method", ["f", "beta", "simca", "chi2"])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_t2_limits_hold_their_error_rate(method: Any, alpha: float) -> None:
    rng = np.random.default_rng(1)
    N, A, repeats = (4000, 3, 200_000) if method == "chi2" else (20, 3, 200_000)
    if method == "beta":
        z = rng.normal(size=(repeats // N, N, A))
        z -= z.mean(axis=1, keepdims=True)
        cov = np.einsum("rna,rnb->rab", z, z) / (N - 1)
        t2 = np.einsum("rna,rab,rnb->rn", z, np.linalg.inv(cov), z).ravel()
    elif method == "chi2":
        t2 = np.sum(rng.normal(size=(repeats, A)) ** 2, axis=1)
    else:
        z = rng.normal(size=(repeats, N, A))
        mean = z.mean(axis=1)
        cov = np.einsum("rna,rnb->rab", z - mean[:, None], z - mean[:, None]) / (N - 1)
        d = rng.normal(size=(repeats, A)) - (mean if method == "f" else 0)
        t2 = np.einsum("ra,rab,rb->r", d, np.linalg.inv(cov), d)
    share = np.mean(t2 > t2_limit(N, A, alpha=alpha, method=method))
    # "simca" is exact where the centre is known, which the sample above takes it to be
    sampling = 4 * np.sqrt(alpha * (1 - alpha) / len(t2))
    assert share == pytest.approx(alpha, abs=sampling + (2e-3 if method == "beta" else 0))


@pytest.mark.parametrize(
    "eigenvalues", [np.ones(10), np.geomspace(1, 1e-3, 30), [1.0, 0.5, 0.2, 0.1]], ids=str
)
@pytest.mark.parametrize("method", ["jackson", "box"])
def test_spe_limits_hold_their_error_rate(eigenvalues: Any, method: str) -> None:
    rng = np.random.default_rng(2)
    spe = rng.normal(size=(200_000, len(eigenvalues))) ** 2 @ np.asarray(eigenvalues)
    if method == "box":
        limit = spe_limit_from_values(spe, alpha=0.05)
    else:
        limit = spe_limit_from_eigenvalues(eigenvalues, alpha=0.05)
    assert np.mean(spe > limit) == pytest.approx(0.05, abs=0.005)


def test_the_jackson_limit_turns_its_tail_where_h0_is_negative() -> None:
    # one eigenvalue beside many small ones: h0 = -1.6, where |h0| in place of h0 gives a limit
    # below the mean
    eigenvalues = np.array([1.0, *[0.05] * 100])
    rng = np.random.default_rng(3)
    spe = rng.normal(size=(100_000, 101)) ** 2 @ eigenvalues
    limit = spe_limit_from_eigenvalues(eigenvalues, alpha=0.05)
    assert limit > eigenvalues.sum()
    assert 0.02 < np.mean(spe > limit) < 0.06


def test_the_jackson_limit_refuses_where_it_has_no_value() -> None:
    with pytest.raises(InputError, match=r'alpha = 0\.0001 .*use method="imhof"'):
        spe_limit_from_eigenvalues([1.0, *[0.05] * 100], alpha=1e-4)


# Box (1954): equal eigenvalues make SPE an exact scaled chi2; chi2(0.95; 10) = 18.307 in tables
def test_equal_eigenvalues_give_a_chi2_limit() -> None:
    limit = spe_limit_from_eigenvalues(np.full(10, 2.0), alpha=0.05)
    assert limit == pytest.approx(2 * 18.307, rel=2e-3)


@given(
    st.integers(0, 1000),
    st.floats(0.01, 100),
    st.sampled_from(["jackson", "box", "robust", "imhof"]),
)
def test_spe_limit_follows_squared_units(seed: int, scale: float, method: Any) -> None:
    E = np.random.default_rng(seed).normal(size=(10, 6))
    plain = spe_limit(E, method=method)
    assert spe_limit(scale * E, method=method) == pytest.approx(scale**2 * plain, rel=1e-9)


def test_nothing_left_gives_a_limit_of_zero() -> None:
    for method in ("jackson", "imhof", "box_eigenvalues"):
        assert spe_limit_from_eigenvalues([0.0, 0.0], method=method) == 0.0
    assert spe_limit_from_values([0.0, 0.0]) == 0.0
    assert spe_limit_from_values([0.0, 0.0], robust=True) == 0.0


# R. W. Farebrother, Appl. Stat. 33 (1984) 332, table 1: weighted sums of squared normal values,
# chances printed to four decimals
Q1, Q2 = [0.6, 0.3, 0.1], [0.6, 0.6, 0.3, 0.3, 0.1, 0.1]
Q3 = [0.6] * 6 + [0.3] * 4 + [0.1] * 2


@pytest.mark.parametrize(
    ("eigenvalues", "value", "published"),
    [
        (Q1, 0.1, 0.0542),
        (Q1, 0.7, 0.4936),
        (Q1, 2.0, 0.8760),
        (Q2, 2.0, 0.6002),
        (Q2, 6.0, 0.9839),
        (Q3, 1.0, 0.0027),
        (Q3, 12.0, 0.9912),
    ],
)
def test_exact_chances_match_published_ones(
    eigenvalues: list[float], value: float, published: float
) -> None:
    near = [
        spe_limit_from_eigenvalues(eigenvalues, alpha=1 - published + error, method="imhof")
        for error in (5e-5, -5e-5)
    ]
    assert near[0] <= value <= near[1]


# 4e6 sums of squared normal values with these eigenvalues: limits at 1 % of the samples; h0 is
# 0.13 and -0.15. The tolerance is three standard errors of the quantile, with the density from
# the exponential tail 1 / (2 lambda_1)
@pytest.mark.parametrize(
    ("eigenvalues", "simulated"),
    [
        ([1.5, 0.8, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02], 12.595675529212244),
        ([4.0] + [0.05] * 60, 29.559712076185455),
    ],
)
def test_the_exact_limit_matches_simulation(eigenvalues: list[float], simulated: float) -> None:
    error = np.sqrt(0.01 * 0.99 / 4e6) / (0.01 / (2 * eigenvalues[0]))
    limit = spe_limit_from_eigenvalues(eigenvalues, alpha=0.01, method="imhof")
    assert limit == pytest.approx(simulated, abs=3 * error)
    others = [
        spe_limit_from_eigenvalues(eigenvalues, alpha=0.01, method=method)
        for method in ("jackson", "box_eigenvalues")
    ]
    assert min(abs(other - simulated) for other in others) > 20 * abs(limit - simulated)


# Box (1954) and Jackson and Mudholkar (1979) for the same eigenvalues, by separate code
@pytest.mark.parametrize(
    ("eigenvalues", "jackson", "box"),
    [
        ([1.5, 0.8, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02], 13.431752616127898, 11.968975254576277),
        ([4.0] + [0.05] * 60, 38.55923827080671, 26.33218879356728),
    ],
)
def test_approximations_match_separate_code(
    eigenvalues: list[float], jackson: float, box: float
) -> None:
    for method, expected in (("jackson", jackson), ("box_eigenvalues", box)):
        limit = spe_limit_from_eigenvalues(eigenvalues, alpha=0.01, method=method)
        assert limit == pytest.approx(expected, rel=1e-9)


# equal eigenvalues make SPE a scaled chi2 exactly
@pytest.mark.parametrize("count", [1, 2, 3, 30, 400])
@pytest.mark.parametrize("alpha", [0.9, 0.5, 0.05, 0.01, 1e-6])
def test_the_exact_limit_is_a_chi2_for_equal_eigenvalues(count: int, alpha: float) -> None:
    for method in ("imhof", "box_eigenvalues"):
        limit = spe_limit_from_eigenvalues(np.full(count, 3.0), alpha=alpha, method=method)
        assert limit == pytest.approx(3 * stats.chi2.isf(alpha, count), rel=1e-9)


@pytest.mark.parametrize("count", [8, 40])
def test_the_exact_limit_equals_its_slow_twin(count: int) -> None:
    eigenvalues = np.geomspace(1, 1e-3, count)
    limit = spe_limit_from_eigenvalues(eigenvalues, alpha=0.01, method="imhof")
    assert naive.imhof(eigenvalues, limit) == pytest.approx(0.01, abs=1e-7)


@given(st.integers(0, 10_000), st.integers(1, 60), st.floats(1e-4, 0.5))
def test_the_exact_limit_follows_scale_and_falls_with_alpha(
    seed: int, count: int, alpha: float
) -> None:
    values = np.random.default_rng(seed).lognormal(sigma=2, size=count)
    limit = spe_limit_from_eigenvalues(values, alpha=alpha, method="imhof")
    scaled = spe_limit_from_eigenvalues(1e-6 * values, alpha=alpha, method="imhof")
    assert scaled == pytest.approx(1e-6 * limit, rel=1e-9)
    assert spe_limit_from_eigenvalues(values, alpha=alpha / 2, method="imhof") > limit


# exact for equal eigenvalues, where SPE is a scaled chi2
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_the_robust_limit_holds_its_error_rate_for_a_scaled_chi2(alpha: float) -> None:
    spe = 0.3 * np.random.default_rng(5).chisquare(7, size=200_000)
    limit = spe_limit_from_values(spe, alpha=alpha, robust=True)
    assert np.mean(spe > limit) == pytest.approx(alpha, abs=0.002)


# R package mdatools 0.14.2, people, autoscaled, method "ddrobust": means and degrees of freedom
# of SPE for 1 to 5 components, there by an approximation and cut off to whole numbers
def test_robust_moments_match_mdatools(people: pd.DataFrame) -> None:
    for count, (mean, freedom) in enumerate(
        [(5.594, 18), (3.1441, 10), (1.6837, 6), (0.6346, 3), (0.3347, 4)], start=1
    ):
        model = PCA(count, scale=True).fit(people.to_numpy())
        limit = model.spe_limit(alpha=0.05, method="robust")
        expected = mean / freedom * stats.chi2.isf(0.05, freedom)
        assert limit == pytest.approx(expected, rel=0.05)


def test_one_outlier_moves_the_robust_limit_least() -> None:
    spe = np.random.default_rng(0).chisquare(8, size=100)
    with_outlier = np.append(spe, 500.0)
    box, robust = (
        spe_limit_from_values(with_outlier, robust=r) / spe_limit_from_values(spe, robust=r)
        for r in (False, True)
    )
    assert robust == pytest.approx(1.0, abs=0.05)
    assert box > 1.5


def test_values_that_no_chi2_fits_are_refused() -> None:
    with pytest.raises(InputError, match=r'varies too much .*use method="box"'):
        spe_limit_from_values([0.01, 0.02, 0.1, 30.0, 50.0], robust=True)


@given(st.floats(0.001, 0.2), st.sampled_from(["f", "beta", "simca", "chi2"]))
def test_a_smaller_error_rate_gives_a_wider_limit(alpha: float, method: Any) -> None:
    assert t2_limit(30, 3, alpha=alpha / 2, method=method) > t2_limit(
        30, 3, alpha=alpha, method=method
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_samples": 3, "n_components": 3}, "n_samples = 3 is too few .*n_components = 3"),
        ({"n_samples": 4, "n_components": 3, "method": "beta"}, "too few"),
        ({"n_samples": 9, "n_components": 3, "alpha": 0}, r"alpha must lie in \(0, 1\), got 0"),
        ({"n_samples": 9, "n_components": 3, "method": "z"}, "method must be one of 'f'"),
    ],
)
def test_bad_t2_arguments_are_named(arguments: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        t2_limit(**arguments)


@pytest.mark.parametrize(
    ("residuals", "message"),
    [
        ([1.0, 2.0], r"residuals must have shape \(n_samples >= 2, n_points\), got \(2,\)"),
        ([[1.0, np.nan], [0.0, 1.0]], r"residuals\[0, 1\] is NaN"),
    ],
)
def test_bad_residuals_are_named(residuals: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        spe_limit(residuals)


# nylon batches (Nomikos 1995), 57 of 100 times and nine variables that vary, scaled, three
# components, by separate code: h0 is -0.161, and |h0| gives 120; 553 was simulated there too
def test_limits_of_nylon_batches_match_separate_code(shared: Path) -> None:
    data = np.load(shared / "cases" / "spc_mspc" / "data" / "nylon_resampled.npz")["X"]
    unfolded = data.reshape(57, -1)
    model = PCA(3, scale=True).fit(unfolded[:, np.ptp(unfolded, axis=0) > 0])
    assert model.spe_[:2] == pytest.approx([441.4393053995146, 444.1113569434437])
    limits = {
        method: model.spe_limit(alpha=0.01, method=method)
        for method in ("jackson", "box", "imhof")
    }
    assert limits["jackson"] == pytest.approx(575.9867226116507, rel=1e-9)
    assert limits["box"] == pytest.approx(558.2003388594252, rel=1e-9)
    # simulated: sums of squared normal values with the residual eigenvalues
    rng = np.random.default_rng(0)
    spe = rng.normal(size=(200_000, 54)) ** 2 @ model.residual_eigenvalues_
    assert limits["imhof"] == pytest.approx(553, abs=0.5)
    share = np.mean(spe > limits["imhof"])
    assert share == pytest.approx(0.01, abs=4 * np.sqrt(0.01 / 200_000))
