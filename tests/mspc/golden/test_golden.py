"""Golden batches: envelopes, similarity, choice, comparison of groups."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from pharmaq import modelfile
from pharmaq.batches import as_batches
from pharmaq.errors import InputError, InputTypeError, UnitsError
from pharmaq.mspc import GoldenBatch, align, compare_groups, select_golden

# O. L. Davies, P. L. Goldsmith, Statistical Methods in Research and Production, 4th ed. (1972):
# yield of dyestuff from six batches of an intermediate, as in R's lme4
DYESTUFF = {
    "A": [1545, 1440, 1440, 1520, 1580],
    "B": [1540, 1555, 1490, 1560, 1495],
    "C": [1595, 1550, 1605, 1510, 1560],
    "D": [1445, 1440, 1595, 1465, 1545],
    "E": [1595, 1630, 1515, 1635, 1625],
    "F": [1520, 1455, 1450, 1480, 1445],
}


def aligned(**variables: Any) -> xr.Dataset:
    arrays = {name: np.asarray(values, dtype=float) for name, values in variables.items()}
    n, K = next(iter(arrays.values())).shape
    return xr.Dataset(
        {name: (("batch", "time"), v, {"units": "g"}) for name, v in arrays.items()},
        coords={
            "batch": [f"b{i}" for i in range(n)],
            "time": ("time", np.arange(float(K)), {"units": "h"}),
        },
    )


def noise(n: int = 30, K: int = 40, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, K)) + np.arange(K) / 4


# Hahn and Meeker, Statistical Intervals (1991), sec. 4: five values, interval of one more
def test_prediction_interval_matches_hahn_and_meeker() -> None:
    batches = aligned(x=np.array([51.4, 49.5, 48.7, 49.3, 51.6])[:, None])
    golden = GoldenBatch("prediction").fit(batches)
    assert golden.center_[0, 0] == pytest.approx(50.10, abs=0.005)
    assert golden.spread_[0, 0] == pytest.approx(1.31, abs=0.005)
    assert (golden.lower_[0, 0], golden.upper_[0, 0]) == pytest.approx((46.1, 54.1), abs=0.05)


# R, help of quantile, type 7: of 1 to 10 they are 1 + 9 p
def test_quantiles_are_those_of_type_7() -> None:
    golden = GoldenBatch(coverage=0.5).fit(aligned(x=np.arange(1.0, 11)[:, None]))
    assert golden.center_[0, 0] == 5.5
    assert (golden.lower_[0, 0], golden.upper_[0, 0]) == pytest.approx((3.25, 7.75))
    assert golden.spread_[0, 0] == pytest.approx(2.25 / stats.norm.ppf(0.75))


# lme4, Dyestuff: variances 1764 between and 2451 within
def test_components_of_dyestuff_are_those_of_davies() -> None:
    values = np.concatenate(list(DYESTUFF.values()))[:, None] + np.zeros(3)
    batches = aligned(grams=values)
    group = {f"b{i}": name for i, name in enumerate(np.repeat(list(DYESTUFF), 5))}
    result = compare_groups(batches, group)
    row = result.table.iloc[0]
    assert row["between"] ** 2 == pytest.approx(1764.05, abs=0.01)
    assert row["within"] ** 2 == pytest.approx(2451.25, abs=0.01)
    assert result.sizes == dict.fromkeys(DYESTUFF, 5)
    assert [f.rule for f in result.findings] == ["groups_differ"]


@pytest.mark.parametrize("method", ["quantile", "prediction"])
def test_new_good_batches_are_inside_as_often_as_said(method: Any) -> None:
    golden = GoldenBatch(method, coverage=0.9).fit(aligned(x=noise(200, 50)))
    result = golden.score(aligned(x=noise(200, 50, seed=1)))
    assert result.inside.mean() == pytest.approx(0.9, abs=0.02)
    assert result.distance.mean() == pytest.approx(1.0, abs=0.05)


def test_the_batch_that_differs_is_found_with_its_variable() -> None:
    golden = GoldenBatch().fit(aligned(x=noise(), y=noise(seed=1)))
    others = noise(5, seed=2)
    others[3, 20:] += 6
    result = golden.score(aligned(x=noise(5, seed=3), y=others))
    table = result.to_frame()
    assert table["batch"].iloc[-1] == "b3"
    assert np.all(np.diff(table["distance"]) >= 0)
    worst = min(result.findings, key=lambda finding: finding.value)
    assert (worst.rule, worst.subject) == ("outside_envelope", "b3")
    assert "y of batch b3" in worst.message
    assert worst.limit == golden.least_inside_[1]
    # the golden batches themselves are as usual
    assert golden.score(aligned(x=noise(), y=noise(seed=1))).findings == ()


def test_missing_values_are_left_out_and_counted() -> None:
    good = noise()
    good[:27, 0] = np.nan
    golden = GoldenBatch().fit(aligned(x=good))
    assert (golden.n_[0, 0], golden.n_short_) == (3, 1)
    assert np.isnan(golden.upper_[0, 0])
    new = noise(2, seed=5)
    new[0, 30:] = np.nan
    new[1] = np.nan
    result = golden.score(aligned(x=new))
    assert result.n_points.tolist() == [29, 0]
    assert result.n_left_out.tolist() == [11, 40]
    assert np.isnan(result.distance[1])
    assert "no_values" in {f.rule for f in result.findings if f.subject == "b1"}


def test_a_point_without_spread_is_left_out() -> None:
    good = noise()
    good[:, 0] = 7.0
    result = GoldenBatch().fit(aligned(x=good)).score(aligned(x=noise(3, seed=1)))
    assert result.n_left_out.tolist() == [1, 1, 1]


@given(st.integers(0, 100), st.floats(0.1, 50.0), st.floats(-100, 100))
def test_units_do_not_matter(seed: int, scale: float, shift: float) -> None:
    good, new = noise(12, 6, seed), noise(3, 6, seed + 1)
    one = GoldenBatch("prediction").fit(aligned(x=good)).score(aligned(x=new))
    other = (
        GoldenBatch("prediction")
        .fit(aligned(x=scale * good + shift))
        .score(aligned(x=scale * new + shift))
    )
    np.testing.assert_allclose(other.distance, one.distance, rtol=1e-9)


def test_a_golden_batch_survives_a_model_file(tmp_path: Path) -> None:
    golden = GoldenBatch(coverage=0.8).fit(aligned(x=noise()))
    modelfile.save(tmp_path / "g.pqm", "golden", golden.to_state())
    back = GoldenBatch.from_state(modelfile.load(tmp_path / "g.pqm", "golden")[0])
    new = aligned(x=noise(4, seed=1))
    np.testing.assert_array_equal(back.score(new).distance, golden.score(new).distance)
    assert clone(golden).get_params() == back.get_params()


def test_film_coating_has_a_golden_batch(shared: Path) -> None:
    data = pd.read_csv(shared / "data" / "batch" / "film_coating.csv")
    batches = as_batches(
        data, batch="BATCH NUMBER", time="Time (min)", phase="PHASE", time_units="min"
    )
    result = align(batches, method="maturity", phases="each", n_points=100)
    golden = GoldenBatch().fit(result.batches)
    table = golden.score(result.batches).to_frame()
    assert len(table) == 17
    # good batches are inside most of the time
    assert table["inside"].median() > 0.9


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"method": "mean"}, "method must be one of"),
        ({"coverage": 1.0}, "coverage must lie in"),
        ({"least": 2}, "least must be at least 3"),
        ({"least": 31}, "batches must be at least 31"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        GoldenBatch(**options).fit(aligned(x=noise()))


def test_other_batches_are_refused() -> None:
    golden = GoldenBatch().fit(aligned(x=noise()))
    with pytest.raises(InputError, match="envelope is of"):
        golden.score(aligned(y=noise()))
    with pytest.raises(InputError, match="the envelope has 40 others"):
        golden.score(aligned(x=noise(5, 30)))
    wrong = aligned(x=noise())
    wrong["x"].attrs["units"] = "kg"
    with pytest.raises(UnitsError, match="units are"):
        golden.score(wrong)
    with pytest.raises(NotFittedError):
        GoldenBatch().score(wrong)
    with pytest.raises(InputTypeError, match="align the batches first"):
        golden.fit(noise())
    with pytest.raises(InputError, match="infinite"):
        golden.fit(aligned(x=np.full((6, 2), np.inf)))
    with pytest.raises(InputError, match="must have dimensions"):
        golden.fit(aligned(x=noise()).assign(z=("time", np.zeros(40))))
    with pytest.raises(InputError, match="at least one variable"):
        golden.fit(aligned(x=noise()).drop_vars("x"))


# by hand: targets 100 and 5, standard deviations of the four complete batches
def test_selection_ranks_by_distance_from_target() -> None:
    quality = pd.DataFrame(
        {"assay": [99.0, 101.0, 96.0, 100.0, np.nan], "water": [5.0, 5.0, 5.0, 6.0, 5.0]},
        index=list("ABCDE"),
    )
    limits = {"assay": (97.0, 103.0), "water": (None, 7.0)}
    result = select_golden(quality, limits=limits, targets={"water": 5.0})
    sd = np.std([99, 101, 96, 100], ddof=1), np.std([5, 5, 5, 6], ddof=1)
    scores = dict(zip(result.table["batch"], result.table["score"], strict=True))
    assert scores["A"] == pytest.approx(np.sqrt((1 / sd[0]) ** 2 / 2))
    assert scores["D"] == pytest.approx(np.sqrt((1 / sd[1]) ** 2 / 2))
    assert result.chosen == ["A", "B"]
    assert result.n_missing == 1
    assert [(f.rule, f.subject) for f in result.findings] == [
        ("outside_limits", "C"),
        ("missing_quality", "E"),
    ]
    assert select_golden(quality, limits=limits, most=9).chosen == ["A", "B", "D"]
    assert list(result.to_frame()["batch"])[:2] == ["A", "B"]


def test_without_limits_the_median_is_the_target() -> None:
    values = pd.Series([1.0, 2.0, 3.0, 10.0], index=list("abcd"), name="x")
    assert select_golden(values, most=2).chosen == ["b", "c"]
    constant = pd.Series([1.0, 1.0, 1.0], index=list("abc"), name="x")
    assert select_golden(constant).chosen == ["a", "b"]


@pytest.mark.parametrize(
    ("quality", "options", "match"),
    [
        (pd.Series([1.0, 2.0]), {"limits": {"z": (0, 1)}}, "limits name"),
        (pd.Series([1.0, 2.0], name="x"), {"targets": {"z": 1}}, "targets name"),
        (pd.Series([1.0, 2.0], name="x"), {"limits": {"x": (2, 1)}}, "must rise"),
        (pd.Series([1.0, 2.0], name="x"), {"limits": {"x": (5, 6)}}, "no batch is within"),
        (pd.Series([1.0, 2.0], index=["a", "a"]), {}, "each batch"),
        (pd.Series([1.0, np.nan]), {}, "two batches or more"),
        (pd.DataFrame(), {}, "row a batch"),
        (pd.Series([1.0, 2.0]), {"most": 0}, "most"),
    ],
)
def test_bad_quality_is_named(quality: Any, options: dict[str, Any], match: str) -> None:
    with pytest.raises((InputError, InputTypeError), match=match):
        select_golden(quality, **options)


def test_groups_without_a_difference_are_not_found() -> None:
    batches = aligned(x=noise(40, 20), y=np.full((40, 20), 3.0))
    group = pd.Series(np.repeat(["lab", "plant"], 20), index=[f"b{i}" for i in range(40)])
    result = compare_groups(batches, group)
    assert [f.rule for f in result.findings] == ["constant"]
    assert result.table["p"][0] > 0.025
    assert result.means.shape == (2, 20, 2)


def test_bad_groups_are_named() -> None:
    batches = aligned(x=noise(4, 5))
    with pytest.raises(InputError, match="have none"):
        compare_groups(batches, {"b0": "a"})
    with pytest.raises(InputError, match="group"):
        compare_groups(batches, dict.fromkeys(["b0", "b1", "b2", "b3"], "a"))


def test_results_are_frames_and_dictionaries() -> None:
    golden = GoldenBatch().fit(aligned(x=noise(), y=noise(seed=1)))
    assert len(golden.to_frame()) == 80
    result = golden.score(aligned(x=noise(3, seed=2), y=noise(3, seed=3)))
    assert len(json.loads(json.dumps(result.to_dict()))["batches"]) == 3
    assert "Similarity(" in repr(result)


def test_pictures_show_envelope_batch_and_groups() -> None:
    golden = GoldenBatch().fit(aligned(x=noise(), y=noise(seed=1)))
    new = noise(3, seed=2)
    new[1] += 4
    result = golden.score(aligned(x=noise(3, seed=3), y=new))
    ax = result.plot()
    assert ax.get_ylabel() == "y / g"
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), new[1])
    outside = ((new[1] < golden.lower_[:, 1]) | (new[1] > golden.upper_[:, 1])).sum()
    assert len(ax.collections[-1].get_offsets()) == outside
    assert ax.get_xlabel() == "aligned time / h"
    other = result.plot(batch="b0", variable="x")
    assert other.get_ylabel() == "x / g"
    with pytest.raises(InputError, match="batch must be one of"):
        result.plot(batch="z")
    ax = golden.plot(ax=ax)
    assert ax.get_ylabel() == "x / g"
    with pytest.raises(InputError, match="variable must be one of"):
        golden.plot(variable="z")
    groups = compare_groups(aligned(x=noise()), {f"b{i}": "ab"[i % 2] for i in range(30)})
    ax = groups.plot()
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), groups.means[0, :, 0])
    assert ax.lines[1].get_label() == "b, 15 batches"
    assert groups.to_frame()["variable"].tolist() == ["x"]
    plt.close("all")
