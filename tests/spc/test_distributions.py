"""Fitted distributions against textbooks, scipy and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import capability, fit_distribution
from pharmaq.spc.johnson import johnson_by_quantiles

NAMES = ("normal", "lognormal", "weibull", "gamma", "boxcox", "johnson")

# J. Lieblein, M. Zelen, J. Res. Natl. Bur. Stand. 57 (1956) 273-316: millions of revolutions
BEARINGS = np.array(
    [
        *(17.88, 28.92, 33.00, 41.52, 42.12, 45.60, 48.48, 51.84, 51.96, 54.12, 55.56, 67.80),
        *(68.64, 68.64, 68.88, 84.12, 93.12, 98.64, 105.12, 105.84, 127.92, 128.04, 173.40),
    ]
)


# J. F. Lawless, Statistical Models and Methods for Lifetime Data, Wiley, 1982
def test_weibull_of_ball_bearings_is_the_printed_one() -> None:
    found = fit_distribution(BEARINGS, "weibull").parameters
    assert found["shape"] == pytest.approx(2.10, abs=5e-3)
    assert found["scale"] == pytest.approx(81.88, abs=5e-3)


def test_fits_of_maximum_likelihood_are_those_of_scipy() -> None:
    shape, _, scale = stats.weibull_min.fit(BEARINGS, floc=0)
    found = fit_distribution(BEARINGS, "weibull").parameters
    assert (found["shape"], found["scale"]) == pytest.approx((shape, scale), rel=1e-4)
    shape, _, scale = stats.gamma.fit(BEARINGS, floc=0)
    found = fit_distribution(BEARINGS, "gamma").parameters
    assert (found["shape"], found["scale"]) == pytest.approx((shape, scale), rel=1e-6)
    power = stats.boxcox(BEARINGS)[1]
    found = fit_distribution(BEARINGS, "boxcox").parameters
    assert found["power"] == pytest.approx(power, abs=1e-6)


# J. F. Slifker, S. S. Shapiro, Technometrics 22 (1980): exact quantiles give exact parameters
@pytest.mark.parametrize(
    ("family", "gamma", "eta"),
    [("SU", 1.2, 1.7), ("SU", -0.7, 1.1), ("SB", 1.2, 1.7), ("SB", -0.5, 0.9)],
)
@pytest.mark.parametrize("z", [0.3, 0.524, 0.9])
def test_quantiles_of_johnson_give_its_parameters(family, gamma, eta, z) -> None:
    oracle = {"SU": stats.johnsonsu, "SB": stats.johnsonsb}[family]
    n = 20_000
    x = oracle(gamma, eta, loc=3, scale=2).ppf((np.arange(n) + 0.5) / n)
    found = johnson_by_quantiles(x, z)
    assert found["family"] == family
    values = [found[name] for name in ("gamma", "eta", "epsilon", "lambda")]
    np.testing.assert_allclose(values, [gamma, eta, 3, 2], rtol=1e-4)


def test_johnson_of_a_shifted_lognormal_is_it() -> None:
    n = 20_000
    x = stats.lognorm(0.4, loc=1, scale=3).ppf((np.arange(n) + 0.5) / n)
    found = johnson_by_quantiles(x, 0.524)
    assert found["family"] == "SL"
    assert found["epsilon"] == pytest.approx(1, abs=1e-4)
    # z = (ln(x - 1) - ln 3) / 0.4
    assert (found["eta"], found["gamma"]) == pytest.approx((2.5, -np.log(3) / 0.4), rel=1e-4)


@pytest.mark.parametrize(
    ("name", "frozen"),
    [
        ("weibull", lambda p: stats.weibull_min(p["shape"], scale=p["scale"])),
        ("gamma", lambda p: stats.gamma(p["shape"], scale=p["scale"])),
        ("lognormal", lambda p: stats.lognorm(p["sd"], scale=np.exp(p["mean"]))),
        ("normal", lambda p: stats.norm(p["mean"], p["sd"])),
    ],
    ids=["weibull", "gamma", "lognormal", "normal"],
)
def test_quantiles_and_probabilities_are_those_of_scipy(name, frozen) -> None:
    found = fit_distribution(BEARINGS, name)
    oracle = frozen(found.parameters)
    shares = np.array([1e-9, 0.00135, 0.2, 0.5, 0.99865, 1 - 1e-9])
    np.testing.assert_allclose(found.quantile(shares), oracle.ppf(shares), rtol=1e-7)
    x = np.array([1.0, 40.0, 150.0])
    np.testing.assert_allclose(found.cdf(x), oracle.cdf(x), rtol=1e-9)


@pytest.mark.parametrize("name", NAMES)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
def test_quantile_inverts_probability(name, seed: int, share: float) -> None:
    x = np.random.default_rng(seed).gamma(3.0, 2.0, 40)
    found = fit_distribution(x, name)
    assert found.cdf(found.quantile([share]))[0] == pytest.approx(share, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("weibull", lambda rng: rng.weibull(1.7, 50)),
        ("gamma", lambda rng: rng.gamma(1.0, 1.0, 50)),
        ("gamma", lambda rng: rng.gamma(6.0, 1.0, 50)),
    ],
    ids=["weibull", "exponential", "gamma"],
)
def test_test_of_fit_has_its_level(name, draw) -> None:
    rng, runs = np.random.default_rng(3), 2000
    p = np.array([fit_distribution(draw(rng), name).p for _ in range(runs)])
    for level in (0.10, 0.05):
        noise = 4 * np.sqrt(level * (1 - level) / runs)
        assert np.mean(p < level) == pytest.approx(level, abs=noise)


def test_percentile_indices_follow_the_fitted_quantiles() -> None:
    found = capability(BEARINGS, lsl=2.0, usl=250.0, distribution="weibull")
    shape, scale = found.fit.parameters["shape"], found.fit.parameters["scale"]
    oracle = stats.weibull_min(shape, scale=scale)
    low, middle, high = oracle.ppf(stats.norm.cdf([-3, 0, 3]))
    assert found.pp == pytest.approx(248 / (high - low))
    assert found.ppl == pytest.approx((middle - 2) / (middle - low))
    assert found.ppk == pytest.approx(min(found.ppl, found.ppu))
    assert found.ppm["overall"]["above"] == pytest.approx(1e6 * oracle.sf(250.0), rel=1e-6)
    assert found.cp is None


def test_best_is_the_one_of_smallest_a2_and_names_all() -> None:
    found = capability(BEARINGS, lsl=2.0, usl=250.0, distribution="best")
    assert {fit.name for fit in found.candidates} | set(found.not_fitted) == set(NAMES)
    a2 = [fit.a2 for fit in found.candidates]
    assert a2 == sorted(a2)
    assert found.distribution == found.fit.name == found.candidates[0].name
    assert found.normality_a2 == a2[0]


def test_best_says_why_a_distribution_was_not_fitted() -> None:
    x = np.random.default_rng(2).standard_normal(40)
    found = capability(x, lsl=-4, usl=4, distribution="best")
    assert {"lognormal", "weibull", "gamma", "boxcox"} <= set(found.not_fitted)
    assert "above 0" in found.not_fitted["weibull"]


@pytest.mark.parametrize(
    ("values", "name", "match"),
    [
        (BEARINGS, "cauchy", "name must be one of"),
        ([1.0, -2.0, 3.0], "weibull", r"values\[1\] is -2"),
        ([1.0, 1.0, 1.0], "gamma", "values"),
        ([1.0, 2.0, 3.0], "johnson", "at least 8"),
        (np.arange(30) % 2.0, "johnson", "no Johnson distribution"),
        ([1.0, float("nan")], "normal", r"values\[1\] is NaN"),
    ],
)
def test_bad_input_names_the_argument(values, name, match: str) -> None:
    with pytest.raises(InputError, match=match):
        fit_distribution(values, name)


def test_resampling_is_refused_where_it_has_no_closed_form() -> None:
    with pytest.raises(InputError, match="'weibull'"):
        capability(BEARINGS, lsl=1.0, distribution="weibull", limits="bootstrap")
