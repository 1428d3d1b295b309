"""Random batches, significant change and limits at release."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import (
    random_batch_shelf_life,
    release_limit,
    shelf_life,
    significant_change,
    tolerance_factor,
)

MONTHS = [0.0, 3, 6, 9, 12, 18, 24]


def study(
    batches: int = 6, level: float = 0.8, slope: float = 0.02, seed: int = 3
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(batches):
        a, b = 100 + level * rng.standard_normal(), -0.12 + slope * rng.standard_normal()
        rows += [(f"B{i}", t, a + b * t + 0.25 * rng.standard_normal()) for t in MONTHS]
    return pd.DataFrame(rows, columns=["batch", "time", "value"])


# statsmodels MixedLM by REML; unequal numbers of results
@pytest.mark.parametrize("drop", [(), (3, 12, 13, 25)])
def test_mixed_model_equals_statsmodels(drop: tuple[int, ...]) -> None:
    frame = study().drop(index=list(drop))
    found = random_batch_shelf_life(frame, lsl=95)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = smf.mixedlm(
            "value ~ time", frame, groups=frame["batch"], re_formula="~time"
        ).fit(reml=True, method=["lbfgs", "powell"])
    assert [found.intercept, found.slope] == pytest.approx(model.fe_params.tolist(), abs=2e-4)
    assert found.sigma**2 == pytest.approx(model.scale, rel=2e-3)
    assert found.between == pytest.approx(model.cov_re.to_numpy(), rel=0.02, abs=2e-4)


def test_known_batch_means_have_an_exact_tolerance_bound() -> None:
    rng = np.random.default_rng(5)
    levels = 100 + rng.standard_normal(8)
    t = np.tile([0.0, 12, 24], 8)
    batch = np.repeat(np.arange(8), 3)
    values = levels[batch] - 0.1 * t + 1e-3 * rng.standard_normal(24)
    found = random_batch_shelf_life(
        pd.DataFrame({"batch": batch, "time": t, "value": values}), lsl=92, coverage=0.9
    )
    k = tolerance_factor(8, coverage=0.9, confidence=0.95, sides="one")
    expected = (levels.mean() - k * levels.std(ddof=1) - 92) / 0.1
    assert found.shelf_life == pytest.approx(expected, rel=1e-3)


def test_more_coverage_means_less_shelf_life() -> None:
    frame = study()
    half, most = (random_batch_shelf_life(frame, lsl=95, coverage=c) for c in (0.5, 0.95))
    assert most.shelf_life < half.shelf_life
    assert most.to_frame()["sd_intercept"].item() > 0.3
    # the mean bound has q of Student's t
    x = np.array([1.0, half.shelf_life])
    bound = x @ [half.intercept, half.slope] - stats.t.ppf(0.95, 5) * math.sqrt(
        x @ half.covariance @ x
    )
    assert bound == pytest.approx(95, abs=1e-6)
    known = random_batch_shelf_life(frame, lsl=95, bound="plug_in")
    assert most.shelf_life <= known.shelf_life <= half.shelf_life
    mirrored = random_batch_shelf_life(frame.assign(value=-frame["value"]), usl=-95)
    assert mirrored.shelf_life == pytest.approx(most.shelf_life, rel=1e-4)
    assert mirrored.limiting == "usl"


def test_batches_alike_are_marked_and_limits_that_are_never_met() -> None:
    frame = study(level=0.0, slope=0.0, seed=1)
    found = random_batch_shelf_life(frame, lsl=95)
    assert found.shelf_life > 0
    rules = {f.rule for f in found.findings}
    assert rules <= {"no_batch_variance"}
    assert random_batch_shelf_life(frame, lsl=101).shelf_life == 0
    rising = random_batch_shelf_life(frame.assign(value=frame["value"] + frame["time"]), lsl=95)
    assert (rising.shelf_life, rising.limiting) == (math.inf, "")
    log = random_batch_shelf_life(frame, lsl=95, transform="log")
    assert log.shelf_life == pytest.approx(found.shelf_life, rel=0.1)
    for bad, message in (
        ({"lsl": None}, "lsl or usl"),
        ({"coverage": 0.3}, "coverage"),
        ({"bound": "exact"}, "bound"),
    ):
        with pytest.raises(InputError, match=message):
            random_batch_shelf_life(frame, **{"lsl": 95, **bad})
    with pytest.raises(InputError, match="3 batches"):
        random_batch_shelf_life(frame.iloc[:14], lsl=95)


# ICH Q1A(R2), 2.2.7.1: a change of 5 % from the initial value; 5 % loss of water
@pytest.mark.parametrize(
    ("values", "options", "when"),
    [
        ([100, 99, 95.1], {}, "none"),
        ([100.1, 99, 95.1], {}, "after_3_months"),
        ([100, 95, 96], {}, "within_3_months"),
        ([100, 105, 96], {}, "within_3_months"),
        ([98, 97, 94.9], {"lsl": 95}, "after_3_months"),
        ([0.1, 0.2, 0.31], {"rule": "criterion", "usl": 0.3}, "after_3_months"),
        ([0.1, 0.2, 0.3], {"rule": "criterion", "usl": 0.3}, "none"),
        ([10.0, 9.8, 9.5], {"rule": "water_loss"}, "after_3_months"),
        ([10.0, 10.8, 9.51], {"rule": "water_loss"}, "none"),
        (["<0.05", 0.2, 0.31], {"rule": "criterion", "usl": 0.3, "censored": "half"}, None),
    ],
)
def test_significant_change_follows_the_rules(values: list, options: dict, when: Any) -> None:
    found = significant_change(values, time=[0, 3, 6], batch=None, **options)
    assert found.when == (when or "after_3_months")
    assert bool(found.findings) == (found.when != "none")


def test_each_batch_has_its_first_time() -> None:
    frame = pd.DataFrame(
        {
            "batch": list("AAABBBC"),
            "time": [0, 3, 6, 0, 3, 9, 0],
            "value": [100, 98, 93, 100, 99, 90, 100.0],
        }
    )
    found = significant_change(frame)
    assert found.table["first"].tolist() == pytest.approx([6, math.nan, math.nan], nan_ok=True)
    assert [f.rule for f in found.findings] == [
        "significant_change",
        "short_study",
        "short_study",
    ]
    assert found.to_frame()["largest"].tolist() == [-7, -1, 0]
    year = significant_change(frame, months=12)
    assert year.table["first"].tolist()[1] == 9
    with pytest.raises(InputError, match="no result at time 0"):
        significant_change(frame.iloc[1:])
    with pytest.raises(InputError, match="needs lsl or usl"):
        significant_change(frame, rule="criterion")


def test_release_limit_is_its_formula() -> None:
    result = shelf_life(study(), lsl=95, usl=105, model="common_slope")
    limit = release_limit(result, months=24, n_release=2)
    row = result.lines.iloc[0]
    t = stats.t.ppf(0.95, row["dof"])
    margin = t * math.sqrt((24 * row["slope_se"]) ** 2 + row["rmse"] ** 2 / 2)
    assert limit.lower == pytest.approx(95 - 24 * row["slope"] + margin)
    assert limit.upper == pytest.approx(105 - margin)
    assert limit.batch == ""
    apart = shelf_life(study(), usl=105, model="separate", mse="individual")
    strict = release_limit(apart, months=24)
    assert strict.lower is None
    assert strict.batch in set(apart.lines["batch"])
    assert strict.to_frame()["months"].item() == 24
    with pytest.raises(InputError, match="transform"):
        release_limit(shelf_life(study(), lsl=95, transform="log"), months=24)
