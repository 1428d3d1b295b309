from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from sklearn.pipeline import make_pipeline

from pharmaq import datasets
from pharmaq.chemometrics import OPLS, PCA, PCR, PLS, SNV, Calibration, contributions
from pharmaq.errors import AxisError, InputError

seeds = st.integers(0, 10_000)
MODELS = [PCA(3), PCA(3, scale=True), PLS(3, scale=True), PLS(2, algorithm="simpls"), PCR(2)]
MODELS += [OPLS(1)]


def simulated(seed: int, *, n: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) @ rng.normal(size=(3, 8)) + 0.1 * rng.normal(size=(n, 8))
    return X, X[:, 0] + 0.1 * rng.normal(size=n)


# by hand: a rectangle with variances 16/3 and 4/3, one component along the first variable
def test_a_rectangle_worked_by_hand() -> None:
    model = PCA(1).fit([[2.0, 1.0], [2.0, -1.0], [-2.0, 1.0], [-2.0, -1.0]])
    new = [[4.0, -3.0]]
    assert contributions(model, new).values[0] == pytest.approx([4 * 4 / (16 / 3), 0])
    # signed: the second variable is 3 below
    assert contributions(model, new, statistic="spe").values[0] == pytest.approx([0, -9])
    scores = contributions(model, new, statistic="scores", component=1)
    assert abs(scores.values[0]) == pytest.approx([4, 0])
    # from (2, 1) to (4, -3)
    shift = contributions(model, new, reference=[[2.0, 1.0]])
    assert shift.values[0] == pytest.approx([2 * 2 / (16 / 3), 0])
    residual = contributions(model, new, statistic="spe", reference=[[2.0, 1.0]])
    assert residual.values[0] == pytest.approx([0, -16])


# Westerhuis, Gurden and Smilde (2000), eq. 6: with all components T2 is that of the variables
def test_contributions_with_all_components_are_those_of_the_covariance() -> None:
    X, _ = simulated(0)
    d = X[4] - X.mean(axis=0)
    expected = d * np.linalg.solve(np.cov(X.T), d)
    found = contributions(PCA(8).fit(X), X[4:5])
    np.testing.assert_allclose(found.values[0], expected, rtol=1e-7)


@given(seeds, st.sampled_from(MODELS))
def test_contributions_sum_to_their_statistic(seed: int, model: Any) -> None:
    X, y = simulated(seed)
    fitted = model.fit(X, y)
    new = X[:6] + 0.5
    t2, spe = (contributions(fitted, new, statistic=s) for s in ("t2", "spe"))
    np.testing.assert_allclose(t2.values.sum(axis=1), fitted.t2(new), rtol=1e-8)
    np.testing.assert_allclose(t2.total, fitted.t2(new), rtol=1e-8)
    np.testing.assert_allclose(np.abs(spe.values).sum(axis=1), fitted.spe(new), rtol=1e-6)
    np.testing.assert_allclose(spe.total, fitted.spe(new), rtol=1e-6)
    for number in (1, 2):
        part = contributions(fitted, new, statistic="scores", component=number)
        scores = fitted.transform(new)[:, number - 1]
        np.testing.assert_allclose(part.values.sum(axis=1), scores, atol=1e-9)
        np.testing.assert_allclose(part.total, scores, atol=1e-9)


@given(seeds, st.sampled_from(MODELS))
def test_contributions_equal_their_slow_twins(seed: int, model: Any) -> None:
    X, y = simulated(seed)
    fitted = model.fit(X, y)
    R, P, s2 = fitted.x_rotations_, fitted.x_loadings_, fitted.score_variances_
    d = (X[3] + 1 - fitted.x_mean_) / fitted.x_scale_
    t = [sum(d[k] * R[k, a] for k in range(8)) for a in range(R.shape[1])]
    e = [d[k] - sum(t[a] * P[k, a] for a in range(len(t))) for k in range(8)]
    for k in range(8):
        c = d[k] * sum(t[a] / s2[a] * R[k, a] for a in range(len(t)))
        assert contributions(fitted, X[3:4] + 1).values[0, k] == pytest.approx(c, abs=1e-9)
        spe = contributions(fitted, X[3:4] + 1, statistic="spe").values[0, k]
        assert spe == pytest.approx(np.sign(e[k]) * e[k] ** 2, abs=1e-9)


@given(seeds)
def test_from_one_group_to_another_is_a_distance_of_scores(seed: int) -> None:
    X, y = simulated(seed)
    model = PLS(3, scale=True).fit(X, y)
    start, end = X[:10], X[10:25] + 0.3
    shift = model.transform(end).mean(axis=0) - model.transform(start).mean(axis=0)
    found = contributions(model, end, reference=start, of="mean")
    assert found.values.shape == (1, 8)
    assert found.values.sum() == pytest.approx(np.sum(shift**2 / model.score_variances_))
    assert found.origin == "mean of 10 reference samples"
    assert found.sample.tolist() == ["mean of 15 samples"]
    along = contributions(
        model, end, statistic="scores", component=2, reference=start, of="mean"
    )
    assert along.total[0] == pytest.approx(shift[1])
    back = contributions(model, start, reference=end, of="mean")
    np.testing.assert_allclose(back.values, found.values, rtol=1e-7, atol=1e-9)


def test_the_calibration_mean_as_reference_changes_nothing() -> None:
    X, y = simulated(0)
    model = PLS(2).fit(X, y)
    for statistic in ("t2", "spe"):
        plain = contributions(model, X[:3], statistic=statistic)
        given_mean = contributions(model, X[:3], statistic=statistic, reference=X)
        np.testing.assert_allclose(given_mean.values, plain.values, atol=1e-9)


def test_a_planted_fault_has_the_largest_contribution() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 20)) + 0.2 * rng.normal(size=(60, 20))
    frame = pd.DataFrame(X, columns=[f"tag {i}" for i in range(20)])
    model = PCA(3, scale=True).fit(frame)
    new = frame.iloc[:2].set_axis(["good", "bad"])
    new.loc["bad", "tag 5"] += 8
    top = contributions(model, new, statistic="spe").to_frame(top=2)
    assert top["sample"].tolist() == ["good", "good", "bad", "bad"]
    assert top["rank"].tolist() == [1, 2, 1, 2]
    worst = top.query("sample == 'bad' and rank == 1").iloc[0]
    assert worst["variable"] == "tag 5"
    assert worst["contribution"] > 0


@given(seeds, st.integers(1, 8))
def test_a_sample_contributes_the_same_alone_and_among_others(seed: int, size: int) -> None:
    X, y = simulated(seed)
    model = PLS(3).fit(X, y)
    for statistic in ("t2", "spe"):
        whole = contributions(model, X[10:], statistic=statistic)
        part = contributions(model, X[10:][:size], statistic=statistic)
        np.testing.assert_allclose(part.values, whole.values[:size], rtol=1e-12, atol=1e-14)


@pytest.fixture(scope="module")
def tablets() -> xr.DataArray:
    return datasets.tablets(n_batches=8, tablets_per_batch=5, random_state=3).spectra


def test_the_axis_survives(tablets: xr.DataArray) -> None:
    models = [
        PCA(2).fit(tablets),
        make_pipeline(SNV(), PCA(2)).fit(tablets),
        Calibration("snv", n_components=2).fit(tablets, "api"),
    ]
    for model in models:
        found = contributions(model, tablets[:2])
        assert found.variable.tolist() == tablets.wavelength.values.tolist()
        assert found.variable_kind == "wavelength"
        assert found.sample.tolist() == tablets["sample"].values[:2].tolist()
    frame = found.to_frame(top=None)
    assert len(frame) == 2 * tablets.sizes["wavelength"]


def test_a_range_keeps_its_own_axis(tablets: xr.DataArray) -> None:
    calibration = Calibration("range(1200-1400), snv", n_components=2).fit(tablets, "api")
    found = contributions(calibration, tablets[:1], statistic="spe")
    assert (found.variable.min(), found.variable.max()) == (1200, 1400)
    assert found.total == pytest.approx(calibration.predict(tablets[:1]).spe)


def test_columns_without_names_are_numbered() -> None:
    X, y = simulated(0)
    found = contributions(PLS(2).fit(X, y), X[:2])
    assert found.variable_kind == "point"
    assert found.variable.tolist() == list(range(8))
    assert found.to_dict()["formula"].endswith("sum to T2")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"statistic": "q"}, "statistic must be one of 't2', 'spe', 'scores', got 'q'"),
        ({"statistic": "scores"}, r"needs component, a number from 1 to 2"),
        ({"statistic": "scores", "component": 3}, "component must be from 1 to 2, got 3"),
        ({"component": 1}, "component = 1 goes with statistic='scores' only, got 't2'"),
        ({"of": "all"}, "of must be one of 'each', 'mean', got 'all'"),
        ({"reference": [[1.0, 2.0]]}, "X has 2 features"),
    ],
)
def test_bad_arguments_are_named(change: Any, message: str) -> None:
    X, y = simulated(0)
    with pytest.raises(InputError, match=message):
        contributions(PLS(2).fit(X, y), X, **change)


def test_bad_samples_are_named(tablets: xr.DataArray) -> None:
    X, y = simulated(0)
    X2 = X.copy()
    X2[1, 2] = np.nan
    with pytest.raises(InputError, match=r"X\[1, 2\] is NaN"):
        contributions(PLS(2).fit(X, y), X2)
    shifted = tablets.assign_coords(wavelength=tablets.wavelength + 4)
    with pytest.raises(AxisError, match="mean shift"):
        contributions(PCA(2).fit(tablets), shifted)
    with pytest.raises(InputError, match="top must be at least 1, got 0"):
        contributions(PLS(2).fit(X, y), X).to_frame(top=0)
