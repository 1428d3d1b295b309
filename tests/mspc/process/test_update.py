"""A monitor that learns from normal rows, and forgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from simulated_process import process

from pharmaq.errors import InputError
from pharmaq.mspc import ProcessMonitor

if TYPE_CHECKING:
    from pathlib import Path


def test_without_forgetting_the_model_becomes_that_of_all_normal_rows() -> None:
    X, new = process(100), process(40, seed=1)
    monitor = ProcessMonitor(2, alpha=1e-6).fit(X)
    update = monitor.update(new)
    assert update.learned.all()
    whole = ProcessMonitor(2, alpha=1e-6).fit(np.vstack([X, new]))
    np.testing.assert_allclose(monitor.model_.x_mean_, whole.model_.x_mean_)
    np.testing.assert_allclose(monitor.model_.x_scale_, whole.model_.x_scale_)
    np.testing.assert_allclose(monitor.model_.x_loadings_, whole.model_.x_loadings_, atol=1e-9)
    np.testing.assert_allclose(monitor.model_.score_variances_, whole.model_.score_variances_)
    one, other = monitor.score(new), whole.score(new)
    np.testing.assert_allclose(one.t2, other.t2)
    assert one.t2_limit == pytest.approx(other.t2_limit)
    assert one.spe_limit == pytest.approx(other.spe_limit)
    assert monitor.n_samples_ == update.n_samples == pytest.approx(140)
    assert monitor.n_updates_ == 40


def test_with_forgetting_weights_fall_geometrically() -> None:
    X, new = process(50), process(30, seed=1)
    monitor = ProcessMonitor(2, forgetting=0.9, alpha=1e-9).fit(X)
    update = monitor.update(new)
    w = np.concatenate([np.full(50, 0.9**30), 0.9 ** np.arange(29, -1, -1)])
    rows = np.vstack([X, new])
    mean = w @ rows / w.sum()
    S = (rows - mean).T @ ((rows - mean) * w[:, None]) / (w.sum() - (w**2).sum() / w.sum())
    np.testing.assert_allclose(monitor.model_.x_mean_, mean)
    np.testing.assert_allclose(monitor.model_.x_scale_, np.sqrt(np.diag(S)))
    assert update.n_samples == pytest.approx(w.sum() ** 2 / (w**2).sum())
    scale = np.sqrt(np.diag(S))
    values = np.linalg.eigvalsh(S / np.outer(scale, scale))[::-1]
    np.testing.assert_allclose(monitor.model_.score_variances_, values[:2])


def test_alarming_and_incomplete_rows_change_nothing() -> None:
    monitor = ProcessMonitor(2, missing="tsr").fit(process(100))
    faulty = process(5, seed=1) + 20
    faulty[2, 3] = np.nan
    before = monitor.model_.x_mean_.copy()
    update = monitor.update(faulty)
    assert not update.learned.any()
    assert update.alarms.tolist() == [True, True, False, True, True]
    assert np.isnan(update.spe[2])
    np.testing.assert_array_equal(monitor.model_.x_mean_, before)
    table = update.to_frame()
    assert list(table.columns) == ["label", "t2", "spe", "t2_limit", "spe_limit", "learned"]


def test_the_limits_follow_the_effective_number_of_rows() -> None:
    X = process(500)
    monitor = ProcessMonitor(2, forgetting=0.95).fit(X)
    wide = monitor.score(X).t2_limit
    monitor.update(process(200, seed=1))
    # sum of geometric weights: (1 + f) / (1 - f) rows in the long run
    assert monitor.n_samples_ == pytest.approx(39, rel=0.01)
    assert monitor.score(X).t2_limit > wide


@pytest.mark.slow
def test_a_drifting_process_is_followed_and_a_fault_is_not() -> None:
    n = 600
    drift = np.linspace(0, 6, n)[:, None] * np.array([1, 0, 0, 0, 0, 0, 0, 0])
    rows = process(n, seed=3) + drift
    rows[550:, 5] += 8
    fixed = ProcessMonitor(2).fit(process(300))
    following = ProcessMonitor(2, forgetting=0.98).fit(process(300))
    still = fixed.score(rows).alarms
    update = following.update(rows)
    assert still[300:550].mean() > 0.8
    assert update.alarms[:550].mean() < 0.08
    assert update.alarms[550:].all()


def test_a_monitor_that_learned_can_be_saved_and_goes_on(tmp_path: Path) -> None:
    first, second = process(20, seed=1), process(20, seed=2)
    monitor = ProcessMonitor(2, forgetting=0.97, lags=1).fit(process(100))
    monitor.update(first)
    monitor.save(tmp_path / "monitor.pqm")
    back = ProcessMonitor.load(tmp_path / "monitor.pqm")
    one, other = monitor.update(second), back.update(second)
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())
    assert back.n_updates_ == monitor.n_updates_


def test_monitors_that_cannot_learn_say_so() -> None:
    X = process(200)
    with pytest.raises(InputError, match="method='pca'"):
        ProcessMonitor(2, method="pls").fit(X, X[:, 0]).update(X)
    holes = X.copy()
    holes[3, 3] = np.nan
    with pytest.raises(InputError, match="without missing values"):
        ProcessMonitor(2, missing="tsr").fit(holes).update(X)
    with pytest.raises(InputError, match=r"that of spe is by\s*'cross-validated'"):
        ProcessMonitor(2, spe_limit="cross-validated").fit(X).update(X)
    with pytest.raises(InputError, match="that of t2 is by 'held-out'"):
        ProcessMonitor(2).fit(X).recalibrate(process(200, 4)).update(X)
    with pytest.raises(InputError, match="forget more slowly"):
        ProcessMonitor(4, forgetting=0.5, alpha=1e-9).fit(X).update(X)
