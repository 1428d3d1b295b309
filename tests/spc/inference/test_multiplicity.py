"""Adjusted probabilities: the example of Benjamini and Hochberg, and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from pharmaq.errors import InputError
from pharmaq.spc import adjust_p

# Benjamini and Hochberg (1995), section 4.1: 15 probabilities of a clinical trial
TRIAL = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
    0.5719, 0.6528, 0.7590, 1.0000,
]  # fmt: skip


# as the paper says: four are rejected at a false discovery rate of 5 %, three by Bonferroni
@pytest.mark.parametrize(("method", "rejected"), [("bh", 4), ("bonferroni", 3), ("none", 9)])
def test_rejections_are_those_of_the_paper(method, rejected) -> None:
    assert int((adjust_p(TRIAL, method=method) <= 0.05).sum()) == rejected


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
@pytest.mark.parametrize(
    ("method", "name"),
    [("holm", "holm"), ("bh", "fdr_bh"), ("by", "fdr_by"), ("bonferroni", "bonferroni")],
)
def test_adjustment_equals_statsmodels(method, name, p) -> None:
    wanted = multipletests(p, method=name)[1]
    assert np.allclose(adjust_p(p, method=method), wanted, rtol=1e-12, atol=0)


def test_a_test_that_was_not_made_does_not_count() -> None:
    assert adjust_p([0.02, np.nan, 0.03]).tolist()[::2] == [0.04, 0.04]
    assert np.isnan(adjust_p([0.02, np.nan])[1])
    assert adjust_p([]).size == 0


def test_what_is_no_probability_is_named() -> None:
    with pytest.raises(InputError, match=r"p\[1\] is 1.5"):
        adjust_p([0.5, 1.5])
    with pytest.raises(InputError, match="one-dimensional"):
        adjust_p([[0.5]])
    with pytest.raises(InputError, match="method"):
        adjust_p([0.5], method="sidak")
