"""Autocorrelation, and sums that keep their digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.stats.diagnostic import acorr_ljungbox

from pharmaq.errors import InputError
from pharmaq.spc import autocorrelation, c4, individuals_chart, sigma_of_individuals

if TYPE_CHECKING:
    from pathlib import Path


def alternating(first: float, low: float, high: float) -> np.ndarray:
    return np.array([first, *[low, high] * 500])


# NIST StRD, univariate summary statistics, certified values: mean, standard deviation, lag-1
# autocorrelation; and the digits that the rounding of such data to 53 bits leaves
NUMACC = {
    "NumAcc1": (np.array([10000001.0, 10000003.0, 10000002.0]), 10000002.0, 1.0, -0.5, 15),
    "NumAcc2": (alternating(1.2, 1.1, 1.3), 1.2, 0.1, -0.999, 14),
    "NumAcc3": (alternating(1000000.2, 1000000.1, 1000000.3), 1000000.2, 0.1, -0.999, 9),
    "NumAcc4": (alternating(10000000.2, 10000000.1, 10000000.3), 10000000.2, 0.1, -0.999, 8),
}


@pytest.mark.parametrize("name", NUMACC)
def test_certified_values_of_nist_hold(name: str) -> None:
    x, mean, sd, r1, digits = NUMACC[name]
    found = autocorrelation(x, n_lags=1)
    assert found.mean == pytest.approx(mean, rel=1e-15)
    assert found.sd == pytest.approx(sd, rel=10.0**-digits)
    assert found.coefficients[0] == pytest.approx(r1, rel=10.0**-digits)
    # the same standard deviation stands behind the limits of a chart
    overall = sigma_of_individuals(x, estimator="overall").value * c4(len(x))
    assert overall == pytest.approx(sd, rel=10.0**-digits)
    assert individuals_chart(x).center == pytest.approx(mean, rel=1e-15)


@pytest.mark.parametrize("name", ["Lew", "Mavro"])
def test_certified_values_of_measured_data_hold(name: str, shared: Path) -> None:
    lines = (shared / "data" / "quality" / "nist_strd" / f"{name}.dat").read_text().splitlines()
    certified = [float(line.split(":")[1].split()[0]) for line in lines[40:43]]
    x = np.array([float(line) for line in lines[60:] if line.strip()])
    found = autocorrelation(x, n_lags=1)
    numbers = (found.mean, found.sd, found.coefficients[0])
    assert numbers == pytest.approx(certified, rel=1e-9)


def test_ljung_box_equals_statsmodels() -> None:
    x = np.random.default_rng(1).normal(size=80).cumsum()
    found = autocorrelation(x, n_lags=5)
    peer = acorr_ljungbox(x, lags=[5])
    assert (found.q, found.p) == pytest.approx(
        (peer["lb_stat"].iloc[0], peer["lb_pvalue"].iloc[0]), rel=1e-9
    )
    assert found.findings[0].rule == "autocorrelation"


def test_independent_values_are_called_dependent_as_often_as_stated() -> None:
    rng = np.random.default_rng(2)
    alarms = sum(bool(autocorrelation(rng.normal(size=200)).findings) for _ in range(600))
    # four standard errors of 600 trials at 5 %
    assert alarms / 600 == pytest.approx(0.05, abs=0.036)


@given(
    arrays(float, 12, elements=st.floats(-5, 5).map(lambda v: round(v, 3))), st.floats(-9, 9)
)
def test_coefficients_do_not_depend_on_shift_and_scale(x: np.ndarray, shift: float) -> None:
    if np.ptp(x) < 0.1:
        return
    one, two = autocorrelation(x), autocorrelation(-3 * x + shift)
    np.testing.assert_allclose(one.coefficients, two.coefficients, atol=1e-9)
    assert np.abs(one.coefficients).max() <= 1


def test_coefficients_are_drawn_with_their_limits() -> None:
    found = autocorrelation(np.random.default_rng(3).normal(size=50), n_lags=6)
    ax = found.plot()
    assert len(ax.collections[0].get_segments()) == 6
    levels = {round(float(line.get_ydata()[0]), 6) for line in ax.lines}
    assert {round(found.limit, 6), round(-found.limit, 6)} <= levels
    assert len(found.to_frame()) == 6


BAD = {
    "NaN": (lambda: autocorrelation([1.0, np.nan, 2.0]), r"values\[1\] is NaN"),
    "few": (lambda: autocorrelation([1.0, 2.0]), "at least 3"),
    "constant": (lambda: autocorrelation([1.0, 1.0, 1.0]), "values"),
    "lags": (lambda: autocorrelation([1.0, 2.0, 4.0], n_lags=3), "n_lags must be from 1 to 2"),
    "alpha": (lambda: autocorrelation([1.0, 2.0, 4.0], alpha=2), "alpha must"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case: str) -> None:
    make, message = BAD[case]
    with pytest.raises(InputError, match=message):
        make()
