"""The noncentral t against SciPy where it has an answer, and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pharmaq.spc.noncentral import noncentral_t


@pytest.mark.parametrize("freedom", [1.0, 3.7, 60.08, 500.0])
@pytest.mark.parametrize("noncentrality", [0.0, 0.5, 3.0, 20.0])
@pytest.mark.parametrize("quantile", [0.01, 0.5, 0.99])
def test_probability_equals_that_of_scipy(freedom, noncentrality, quantile) -> None:
    t = stats.nct.ppf(quantile, freedom, noncentrality)
    expected = stats.nct.cdf(t, freedom, noncentrality)
    assert noncentral_t(t, freedom, noncentrality) == pytest.approx(expected, abs=1e-10)


def test_probability_far_out_is_a_number() -> None:
    # where a series in the tail may give NaN
    assert noncentral_t(21.0, 5.65, -14.8) == pytest.approx(1.0)
    assert noncentral_t(-21.0, 5.65, 14.8) == pytest.approx(0.0)


def test_probability_equals_simulation() -> None:
    rng = np.random.default_rng(4)
    drawn = (rng.standard_normal(200_000) - 1.5) / np.sqrt(rng.chisquare(2.5, 200_000) / 2.5)
    # five standard errors
    assert noncentral_t(-1.0, 2.5, -1.5) == pytest.approx(np.mean(drawn <= -1), abs=0.0056)
