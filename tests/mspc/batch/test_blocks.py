"""Quality from initial conditions and trajectories, block by block."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from naive_batches import dataset, simulate
from pharmaq.chemometrics import MultiBlockPLS
from pharmaq.errors import InputError
from pharmaq.mspc import BatchBlocks

PHASE = ("time", ["a"] * 4 + ["b"] * 4)


def process(n: int, seed: int = 0) -> tuple[xr.Dataset, pd.DataFrame, np.ndarray]:
    """Batches, two initial conditions, and quality that follows from both."""
    rng = np.random.default_rng(seed + 1000)
    values = simulate(n, 8, 3, seed=seed, noise=0.1)
    names = [f"B{i:02}" for i in range(n)]
    initial = pd.DataFrame(rng.normal(size=(n, 2)), index=names, columns=["purity", "water"])
    quality = initial["purity"].to_numpy() + values[:, :, 0].mean(axis=1)
    return dataset(values, phase=PHASE), initial, quality + 0.05 * rng.normal(size=n)


# J. A. Westerhuis, T. Kourti, J. F. MacGregor, J. Chemom. 12 (1998) 301-321, as
# MultiBlockPLS has it, which agrees with process-improve 2.2.0
@pytest.mark.parametrize("blocks", ["variable", "phase", "whole"])
def test_model_is_multi_block_pls_of_scaled_blocks(blocks: Any) -> None:
    batches, initial, quality = process(20)
    values = np.stack([batches[name].to_numpy() for name in batches.data_vars], axis=2)
    scaled = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    parts: dict[str, Any] = {"initial": (initial - initial.mean()) / initial.std()}
    if blocks == "variable":
        parts |= {f"v{j}": scaled[:, :, j] for j in range(3)}
    elif blocks == "phase":
        parts |= {"a": scaled[:, :4].reshape(20, -1), "b": scaled[:, 4:].reshape(20, -1)}
    else:
        parts |= {"trajectories": scaled.reshape(20, -1)}
    parts = {name: np.asarray(block) for name, block in parts.items()}
    expected = MultiBlockPLS(2, scale=False).fit(parts, quality)
    model = BatchBlocks(2, blocks=blocks).fit(batches, quality, initial)
    assert model.block_names_ == list(parts)
    found = model.score(batches, initial)
    np.testing.assert_allclose(found.quality[:, 0], expected.predict(parts), rtol=1e-8)
    np.testing.assert_allclose(found.t2, expected.t2(parts), rtol=1e-8)
    np.testing.assert_allclose(found.block_spe, expected.block_spe(parts), rtol=1e-7)
    np.testing.assert_allclose(found.t2_by_block.sum(axis=1), found.t2, rtol=1e-8)
    np.testing.assert_allclose(found.block_spe.sum(axis=1), found.spe, rtol=1e-8)
    frame = model.predict(batches, initial)
    np.testing.assert_array_equal(frame["quality_1"], found.quality[:, 0])
    assert frame.index.tolist() == list(initial.index)


def test_error_is_that_of_batches_left_out() -> None:
    batches, initial, quality = process(20)
    model = BatchBlocks(2).fit(batches, np.column_stack([quality, -2 * quality]), initial)
    errors = []
    for i in range(20):
        others = np.arange(20) != i
        rest = batches.isel(batch=others)
        part = BatchBlocks(2).fit(rest, quality[others], initial[others])
        own = part.predict(batches.isel(batch=[i]), initial.iloc[[i]])
        errors.append(float(own["quality_1"].iloc[0]) - quality[i])
    expected = np.sqrt(np.mean(np.square(errors)))
    np.testing.assert_allclose(model.rmsecv_, [expected, 2 * expected], rtol=1e-6)


def test_initial_conditions_improve_what_trajectories_cannot_tell() -> None:
    batches, initial, quality = process(40)
    both = BatchBlocks(2).fit(batches, quality, initial)
    alone = BatchBlocks(2).fit(batches, quality)
    assert alone.block_names_ == ["v0", "v1", "v2"]
    assert both.rmsecv_[0] < 0.5 * alone.rmsecv_[0]


def test_fault_is_found_in_its_block() -> None:
    batches, initial, quality = process(40)
    model = BatchBlocks(2).fit(batches, quality, initial)
    new, own, _ = process(10, seed=5)
    new["v1"][3, 4:] += 5.0
    result = model.score(new, own)
    mine = {f.rule: f.severity for f in result.findings if f.subject == "B03"}
    assert mine["spe"] == "action"
    assert mine["block_spe"] == "alert"
    part = result.block_spe[3] / result.block_spe_limit
    assert result.block[int(part.argmax())] == "v1"
    assert "block v1 of batch B03" in " ".join(f.message for f in result.findings)
    assert result.block_frame().shape == (40, 7)
    assert result.to_frame().columns[:2].tolist() == ["batch", "quality_1"]
    assert "findings" in result.to_dict()


def test_limits_hold_for_new_batches() -> None:
    batches, initial, quality = process(150)
    new, own, _ = process(500, seed=5)
    result = BatchBlocks(2).fit(batches, quality, initial).score(new, own, alpha=0.05)
    assert np.mean(result.t2 > result.t2_limit) == pytest.approx(0.05, abs=0.03)
    assert np.mean(result.spe > result.spe_limit) == pytest.approx(0.05, abs=0.03)


def test_rows_of_a_frame_are_found_by_the_name_of_the_batch() -> None:
    batches, initial, quality = process(20)
    model = BatchBlocks(2).fit(batches, quality, initial)
    turned = initial.iloc[::-1][["water", "purity"]]
    expected = model.predict(batches, initial)
    pd.testing.assert_frame_equal(model.predict(batches, turned), expected)
    plain = {name: initial[name].to_numpy() for name in initial}
    pd.testing.assert_frame_equal(model.predict(batches, plain), expected)


def test_blocks_that_do_not_go_together_are_errors() -> None:
    batches, initial, quality = process(20)
    model = BatchBlocks(2)
    with pytest.raises(InputError, match="not fitted"):
        model.predict(batches)
    with pytest.raises(InputError, match="y is missing"):
        model.fit(batches, None)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"no row for batches \['B00'\]"):
        model.fit(batches, quality, initial.iloc[1:])
    with pytest.raises(InputError, match="19 rows"):
        model.fit(batches, quality, initial.reset_index(drop=True).iloc[1:])
    with pytest.raises(InputError, match="'water' is constant"):
        model.fit(batches, quality, initial.assign(water=1.0))
    with pytest.raises(InputError, match="initial must be finite"):
        model.fit(batches, quality, initial.assign(water=np.nan))
    with pytest.raises(InputError, match="blocks must be one of"):
        BatchBlocks(2, blocks="time").fit(batches, quality)  # type: ignore[arg-type]
    model.fit(batches, quality, initial)
    with pytest.raises(InputError, match="initial must be given as in fit"):
        model.predict(batches)
    with pytest.raises(InputError, match="was fitted on"):
        model.predict(batches, initial.rename(columns={"water": "salt"}))
    batches["v0"][2, 3] = np.nan
    with pytest.raises(InputError, match=r"'v0' of batch 'B02' is missing at time 3\.0"):
        model.predict(batches, initial)
