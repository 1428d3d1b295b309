"""Batches unfolded by variable: observations against maturity, and scores of whole batches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression

from naive_batches import dataset, simulate
from pharmaq.errors import InputError
from pharmaq.mspc import BatchLimits, BatchMonitor

TRAINING = BatchLimits(values="training")
NAMES = ["v0", "v1", "v2"]


def growing(n: int, K: int = 12, seed: int = 0, noise: float = 0.1) -> np.ndarray:
    """Three variables that follow maturity, at a pace of their own in each batch."""
    rng = np.random.default_rng(seed)
    u = np.linspace(0, 1, K) + 0.05 * rng.normal(size=(n, 1))
    curves = np.stack([u, u**2, np.sin(2 * u)], axis=2)
    return curves * [10.0, 5.0, 3.0] + noise * rng.normal(size=curves.shape)


def monitor(**options: Any) -> BatchMonitor:
    return BatchMonitor(2, unfolding="variable", **({"limits": TRAINING} | options))


def walk(session: Any, values: np.ndarray) -> list[Any]:
    return [
        session.update(float(k), dict(zip(NAMES, row, strict=True)))
        for k, row in enumerate(values)
        if not np.isnan(row).all()
    ]


# S. Wold et al., Chemom. Intell. Lab. Syst. 44 (1998) 331-340: PLS of single observations on
# maturity, scores held against those of good batches at that time; components by scikit-learn
def test_scores_t2_and_spe_follow_from_pls_on_maturity() -> None:
    train, new = growing(15), growing(1, seed=5)[0]
    n, K, J = train.shape
    rows = train.reshape(-1, J)
    mean, scale = rows.mean(axis=0), rows.std(axis=0, ddof=1)
    maturity = np.tile(np.linspace(0, 1, K), n)
    pls = PLSRegression(2, scale=False).fit((rows - mean) / scale, maturity)
    R, P = pls.x_rotations_, pls.x_loadings_
    result = monitor().fit(dataset(train)).score(dataset(new[None]))
    for k in range(K):
        scores = (new[k] - mean) / scale @ R
        others = (train[:, k] - mean) / scale @ R
        apart = scores - others.mean(axis=0)
        t2 = apart @ np.linalg.solve(np.cov(others.T), apart)
        rest = (new[k] - mean) / scale - scores @ P.T
        np.testing.assert_allclose(np.abs(result.scores[0, k]), np.abs(scores), rtol=1e-8)
        assert result.t2[0, k] == pytest.approx(t2, rel=1e-8)
        assert result.spe[0, k] == pytest.approx(rest @ rest, rel=1e-7)
    expected = pls.predict((new - mean) / scale).ravel()
    np.testing.assert_allclose(result.maturity[0], expected, rtol=1e-8)


def test_whole_batches_are_a_monitor_of_the_scores() -> None:
    train, new = dataset(growing(15)), dataset(growing(3, seed=5))
    fitted = monitor().fit(train)
    result = fitted.score(new)
    level = BatchMonitor(2, limits=TRAINING)
    level.fit(fitted.batch_level_data(fitted.score(train).scores, train["batch"].to_numpy()))
    expected = level.score(fitted.batch_level_data(result.scores, result.batch)).to_frame()
    names = ["t2", "t2_limit", "spe", "spe_limit"]
    np.testing.assert_allclose(result.to_frame()[names], expected[names], rtol=1e-9)
    for method in ("f", "beta"):
        limit = fitted.end_limit("t2", method=method)
        assert limit == level.end_limit("t2", method=method)


def holes(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values[3:6, 1] = np.nan
    values[8] = np.nan
    return values


@pytest.mark.parametrize("lose", [lambda v: v, holes])
@pytest.mark.parametrize("phases", ["whole", "each"])
def test_live_is_what_score_says_afterwards(lose: Any, phases: Any) -> None:
    phase = ("time", ["a"] * 5 + ["b"] * 7)
    fitted = monitor(phases=phases).fit(dataset(growing(15), phase=phase), np.arange(15.0))
    values = lose(growing(1, seed=5)[0])
    session = fitted.start("B00")
    moments = walk(session, values)
    result = fitted.score(dataset(values[None]))
    for moment in moments:
        for name in ("t2", "spe", "spe_cumulative"):
            expected = getattr(result, name)[0, moment.position]
            assert getattr(moment, name) == pytest.approx(expected, rel=1e-9)
        level = result.batch_level
        assert moment.batch_level.t2 == pytest.approx(level.t2[0, moment.position], rel=1e-6)
        assert moment.t2_contributions.sum() == pytest.approx(moment.t2, rel=1e-8)
        assert np.abs(moment.spe_contributions).sum() == pytest.approx(moment.spe, rel=1e-8)
    shares = result.t2_contributions[0].sum(axis=1)
    np.testing.assert_allclose(shares, result.t2[0], rtol=1e-8)
    state = json.loads(json.dumps(session.to_dict()))
    again = fitted.resume(state)
    assert again.forecast().to_dict() == session.forecast().to_dict()


def test_rest_of_the_trajectory_and_quality_are_forecast() -> None:
    train, new = growing(40, noise=0.02), growing(1, seed=5, noise=0.02)[0]
    fitted = BatchMonitor(2, unfolding="variable").fit(dataset(train), train[:, -1, 0])
    session = fitted.start("x")
    walk(session, new[:6])
    forecast = session.forecast()
    assert forecast.variables == tuple(NAMES)
    assert np.abs(forecast.trajectory - new[6:]).max() < 0.5
    assert forecast.lower[0] < new[-1, 0] < forecast.upper[0]
    assert fitted.score(dataset(new[None])).batch_level.quality.shape == (1, 12, 1)


def test_saved_monitor_gives_the_same_bits(tmp_path: Path) -> None:
    fitted = monitor().fit(dataset(growing(15)))
    fitted.save(tmp_path / "monitor.pqm")
    loaded = BatchMonitor.load(tmp_path / "monitor.pqm")
    assert loaded.fingerprint() == fitted.fingerprint()
    new = dataset(holes(growing(1, seed=5)[0])[None])
    assert loaded.score(new).to_dict() == fitted.score(new).to_dict()


def test_fault_is_found_live_and_in_whole_batches() -> None:
    fitted = BatchMonitor(2, unfolding="variable").fit(dataset(growing(40)))
    values = growing(1, seed=5)[0]
    values[6:, 2] += 2.0
    moments = walk(fitted.start("x"), values)
    assert not any(f.rule == "spe" for m in moments[:6] for f in m.findings)
    assert any(f.rule == "spe" for f in moments[6].findings)
    rules = {f.rule for f in fitted.score(dataset(values[None])).findings}
    assert {"spe", "batch_level_spe_cumulative"} <= rules


def test_limits_from_batches_left_out_hold_for_new_batches() -> None:
    fitted = BatchMonitor(2, unfolding="variable").fit(dataset(growing(120)))
    result = fitted.score(dataset(growing(400, seed=5)))
    for name in ("t2", "spe"):
        limit = getattr(result, f"{name}_limit")[:, None, :]
        shares = np.mean(getattr(result, name) > limit, axis=(1, 2))
        assert shares[0] == pytest.approx(0.05, abs=0.02)
        assert shares[1] == pytest.approx(0.01, abs=0.008)
    assert fitted.false_alarms().n_batches == 120


def test_missing_values_in_fit_change_the_model_little() -> None:
    values = growing(40)
    gaps = values.copy()
    gaps[np.random.default_rng(0).random(gaps.shape) < 0.03] = np.nan
    gaps[7, 8:] = np.nan
    new = dataset(growing(5, seed=5))
    whole, part = (monitor().fit(dataset(v)).score(new) for v in (values, gaps))
    np.testing.assert_allclose(part.t2, whole.t2, atol=0.3 * whole.t2.max())
    np.testing.assert_allclose(part.maturity, whole.maturity, atol=0.02)


def test_what_cannot_be_unfolded_by_variable_is_an_error() -> None:
    with pytest.raises(InputError, match="needs two times or more"):
        monitor().fit(dataset(simulate(12, 1, 3)))
    with pytest.raises(InputError, match="unfolding must be one of"):
        monitor().set_params(unfolding="time").fit(dataset(growing(15)))
    with pytest.raises(InputError, match="n_components"):
        BatchMonitor(5, unfolding="variable").fit(dataset(growing(15)))
