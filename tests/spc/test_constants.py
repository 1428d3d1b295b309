"""Moments of range and standard deviation of normal samples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pharmaq.errors import InputError
from pharmaq.spc import c4, d2, d3

# D. C. Montgomery, Introduction to Statistical Quality Control, appendix VI
SIZES = (2, 3, 4, 5, 6, 7, 8, 9, 10)
PRINTED = {
    d2: (1.128, 1.693, 2.059, 2.326, 2.534, 2.704, 2.847, 2.970, 3.078),
    d3: (0.853, 0.888, 0.880, 0.864, 0.848, 0.833, 0.820, 0.808, 0.797),
    c4: (0.7979, 0.8862, 0.9213, 0.9400, 0.9515, 0.9594, 0.9650, 0.9693, 0.9727),
}


@pytest.mark.parametrize("constant", PRINTED, ids=lambda f: f.__name__)
def test_constants_round_to_the_printed_table(constant) -> None:
    digits = 4 if constant is c4 else 3
    found = [constant(n) for n in SIZES]
    # 0.8525 and 0.8480 stand in the middle of two printed digits
    np.testing.assert_allclose(found, PRINTED[constant], atol=0.51 * 10**-digits)


def test_small_samples_have_closed_forms() -> None:
    assert d2(2) == pytest.approx(2 / math.sqrt(math.pi), rel=1e-11)
    assert d2(3) == pytest.approx(3 / math.sqrt(math.pi), rel=1e-11)
    assert d3(2) == pytest.approx(math.sqrt(2 - 4 / math.pi), rel=1e-10)
    assert c4(2) == pytest.approx(math.sqrt(2 / math.pi), rel=1e-14)
    assert c4(3) == pytest.approx(math.sqrt(math.pi) / 2, rel=1e-14)


@pytest.mark.parametrize("n", [4, 25])
def test_constants_equal_simulated_moments(n: int) -> None:
    samples = np.random.default_rng(1).standard_normal((200_000, n))
    ranges, deviations = np.ptp(samples, axis=1), samples.std(axis=1, ddof=1)
    # five standard errors of 200 000 samples
    assert d2(n) == pytest.approx(ranges.mean(), abs=5 * ranges.std() / 447)
    assert d3(n) == pytest.approx(ranges.std(), abs=5 * ranges.std() / 632)
    assert c4(n) == pytest.approx(deviations.mean(), abs=5 * deviations.std() / 447)


@pytest.mark.parametrize("constant", PRINTED, ids=lambda f: f.__name__)
@pytest.mark.parametrize("bad", [1, 0, -3])
def test_a_sample_of_one_has_no_spread(constant, bad: int) -> None:
    with pytest.raises(InputError, match="n must be at least 2"):
        constant(bad)
