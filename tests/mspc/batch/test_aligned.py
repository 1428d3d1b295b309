"""Monitors that bring batches onto one clock themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from naive_batches import dataset
from pharmaq.errors import InputError, InputTypeError
from pharmaq.mspc import BatchLimits, BatchMonitor
from pharmaq.mspc.alignment import BatchAligner

TRAINING = BatchLimits(values="training")


def measured(n: int, seed: int = 0, step: float = 0.25) -> pd.DataFrame:
    """Batches of unequal length in a long frame."""
    rng = np.random.default_rng(seed)
    frames = []
    for i in range(n):
        length = 8 + rng.integers(0, 4)
        time = np.arange(0, length + 1e-9, step)
        size = 1 + 0.1 * rng.normal()
        u = time / length
        frame = {"batch": f"B{i:02}", "time": time}
        frame["heat"] = size * np.sin(2 * u) + 0.02 * rng.normal(size=len(u))
        frame["mass"] = size * u**2 + 0.02 * rng.normal(size=len(u))
        frames.append(pd.DataFrame(frame))
    return pd.concat(frames, ignore_index=True)


def monitor(method: Any = "maturity") -> BatchMonitor:
    aligner = BatchAligner(method, n_points=None if method == "dtw" else 15)
    return BatchMonitor(2, alignment=aligner, limits=TRAINING).fit(measured(15))


def feed(session: Any, frame: pd.DataFrame) -> list[Any]:
    return [
        session.update(row.time, {"heat": row.heat, "mass": row.mass})
        for row in frame.itertuples()
    ]


def test_batches_are_aligned_as_the_aligner_does_it() -> None:
    train, new = measured(15), measured(3, seed=5)
    aligner = BatchAligner("maturity", n_points=15)
    by_hand = BatchMonitor(2, limits=TRAINING).fit(aligner.fit_transform(train))
    own = BatchMonitor(2, alignment=BatchAligner("maturity", n_points=15), limits=TRAINING)
    found = own.fit(train).score(new)
    np.testing.assert_array_equal(found.t2, by_hand.score(aligner.transform(new)).t2)
    np.testing.assert_array_equal(found.t2, own.score_aligned(aligner.transform(new)).t2)
    part = own.score(new[new["time"] < 4], unfinished=["B00", "B01", "B02"])
    assert np.isnan(part.t2[:, -1]).all()


def test_live_is_close_to_what_alignment_makes_of_it_afterwards() -> None:
    aligner = BatchAligner("resample", n_points=15)
    fitted = BatchMonitor(2, alignment=aligner, limits=TRAINING).fit(measured(15))
    new = measured(1, seed=5, step=1.0)
    session = fitted.start("B00")
    feed(session, new)
    assert session.counts["interpolated_times"] > 0
    live, after = session.result(), fitted.score(new)
    both = ~np.isnan(live.t2[0]) & ~np.isnan(after.t2[0])
    assert both.sum() > 8
    np.testing.assert_allclose(live.spe[0, both][0], after.spe[0, both][0], rtol=1e-6)


@pytest.mark.parametrize("method", ["resample", "maturity", "dtw"])
def test_session_goes_on_after_a_restart(method: Any, tmp_path: Path) -> None:
    fitted, new = monitor(method), measured(1, seed=5)
    session = fitted.start("B00")
    feed(session, new[:15])
    fitted.save(tmp_path / "monitor.pqm")
    state = json.loads(json.dumps(session.to_dict()))
    loaded = BatchMonitor.load(tmp_path / "monitor.pqm")
    again = loaded.resume(state)
    for one, other in zip(feed(again, new[15:]), feed(session, new[15:]), strict=True):
        assert one.to_dict() == other.to_dict()
    assert again.counts == session.counts
    np.testing.assert_array_equal(loaded.score(new).t2, fitted.score(new).t2)
    unused = fitted.resume(fitted.start("x").to_dict())
    assert unused.position == -1


def test_updates_that_come_twice_or_late_are_not_used() -> None:
    session = monitor().start("x")
    row = {"heat": 0.5, "mass": 0.2}
    assert session.update(1.0, row).status == "used"
    assert session.update(1.0, row).status == "duplicate"
    assert session.update(0.5, row).status == "late"
    # a step on the clock of the batch that reaches no new aligned time
    assert session.update(1.01, row).status == "duplicate"


def test_aligned_and_measured_batches_are_told_apart() -> None:
    aligned = dataset(np.random.default_rng(0).normal(size=(12, 6, 2)))
    with pytest.raises(InputTypeError, match="before alignment"):
        BatchMonitor(2, alignment=BatchAligner("maturity")).fit(aligned)
    with pytest.raises(InputTypeError, match="before alignment"):
        monitor().score(aligned)
    with pytest.raises(InputError, match="time must"):
        monitor().start("x").update(float("nan"), {"heat": 0.5})
