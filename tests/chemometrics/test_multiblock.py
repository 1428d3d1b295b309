"""Multi-block PLS with deflation by super scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import process_improve.multivariate.methods as peer
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.cross_decomposition import PLSRegression
from sklearn.model_selection import cross_val_predict
from sklearn.utils.estimator_checks import check_estimator

import naive_multiblock as naive
from pharmaq.chemometrics import PLS, MultiBlockPLS, cross_validate
from pharmaq.errors import AxisError, InputError, InputTypeError
from pharmaq.spectra import as_spectra

seeds = st.integers(0, 10_000)
Blocks = dict[str, Any]


def simulated(seed: int, *, n_responses: int = 1) -> tuple[Blocks, np.ndarray]:
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(30, 4)) * [3.0, 2.0, 1.0, 0.5]
    widths = {"feed": 3, "nir": 20, "oven": 5}
    blocks = {
        name: 5 * latent @ rng.normal(size=(4, width)) + rng.normal(size=(30, width))
        for name, width in widths.items()
    }
    Y = latent[:, :3] @ rng.normal(size=(3, n_responses)) + 0.1 * rng.normal(
        size=(30, n_responses)
    )
    return blocks, Y[:, 0] if n_responses == 1 else Y


@pytest.fixture
def plant(shared: Path) -> tuple[Blocks, pd.DataFrame]:
    """Six blocks of a process and four properties of its product, complete rows only."""
    table = pd.read_csv(shared / "data" / "multiblock" / "mbpls.csv", index_col=0).dropna()
    names = sorted({column.split(".")[0] for column in table.columns})
    blocks = {
        name: table.loc[:, [c for c in table.columns if c.startswith(f"{name}.")]]
        for name in names
    }
    return blocks, blocks.pop("Y")


# process-improve 2.2 on the example of pyphi (S. Garcia-Munoz): six blocks, four responses
def test_plant_agrees_with_process_improve(plant: Any) -> None:
    blocks, Y = plant
    other = peer.MBPLS(n_components=3, tol=1e-13, max_iter=5000).fit(blocks, Y)
    model = MultiBlockPLS(3, block_scaling="size").fit(blocks, Y)
    signs = np.sign(np.sum(model.x_scores_ * other.super_scores_.to_numpy(), axis=0))
    np.testing.assert_allclose(model.x_scores_ * signs, other.super_scores_, atol=1e-6)
    np.testing.assert_allclose(model.super_weights_, np.abs(other.super_weights_), atol=1e-6)
    np.testing.assert_allclose(model.block_importance_, other.super_vip_, atol=1e-6)
    np.testing.assert_allclose(
        model.explained_blocks_, other.r2_x_per_block_per_component_, atol=1e-6
    )
    np.testing.assert_allclose(model.predict(blocks), other.predictions_, rtol=1e-6)
    for b, name in enumerate(blocks):
        rows = model.block_of_point_ == b
        theirs = other.block_scores_[name].to_numpy()
        np.testing.assert_allclose(model.block_scores_[b] * signs, theirs, atol=1e-6)
        weights = other.block_weights_[name].to_numpy()
        np.testing.assert_allclose(model.block_weights_[rows] * signs, weights, atol=1e-6)


@given(seeds, st.integers(1, 2), st.integers(1, 4))
def test_all_parts_equal_the_slow_twin(seed: int, n_responses: int, count: int) -> None:
    blocks, y = simulated(seed, n_responses=n_responses)
    model = MultiBlockPLS(count, scale=False, block_scaling="size").fit(blocks, y)
    Y = y.reshape(30, -1)
    centered = [block - block.mean(axis=0) for block in blocks.values()]
    found = naive.super_score_mbpls(centered, Y - Y.mean(axis=0), count)
    signs = np.sign(np.sum(model.x_scores_ * found["ts"], axis=0))
    close = {"rtol": 1e-6, "atol": 1e-7}
    np.testing.assert_allclose(model.x_scores_ * signs, found["ts"], **close)
    np.testing.assert_allclose(model.super_weights_, found["ws"], **close)
    np.testing.assert_allclose(model.block_weights_ * signs, found["wb"], **close)
    np.testing.assert_allclose(model.x_loadings_ * signs, found["pb"], **close)
    np.testing.assert_allclose(model.y_loadings_ * signs, found["q"], **close)
    scores = model.block_scores_ * signs
    np.testing.assert_allclose(scores.transpose(1, 0, 2), found["tb"], **close)
    spe = np.column_stack([np.sum(part**2, axis=1) for part in found["rest"]])
    np.testing.assert_allclose(model.block_spe_, spe, rtol=1e-6, atol=1e-9)


# J. A. Westerhuis, T. Kourti, J. F. MacGregor, J. Chemom. 12 (1998) 301-321
@given(seeds, st.booleans(), st.sampled_from(["variance", "size", "none"]), st.integers(1, 2))
def test_super_scores_are_those_of_pls_on_scaled_blocks_side_by_side(
    seed: int, scale: bool, scaling: Any, n_responses: int
) -> None:
    blocks, y = simulated(seed, n_responses=n_responses)
    model = MultiBlockPLS(3, scale=scale, block_scaling=scaling).fit(blocks, y)
    parts = []
    for block in blocks.values():
        part = block - block.mean(axis=0)
        part = part / part.std(axis=0, ddof=1) if scale else part
        by = {"variance": part.var(axis=0, ddof=1).sum(), "size": part.shape[1], "none": 1.0}
        parts.append(part / np.sqrt(by[scaling]))
    joined = np.hstack(parts)
    Y = y.reshape(30, -1)
    Y = (Y - Y.mean(axis=0)) / (Y.std(axis=0, ddof=1) if scale else 1.0)
    pls = PLSRegression(3, scale=False, max_iter=20_000, tol=1e-22).fit(joined, Y)
    signs = np.sign(np.sum(pls.x_scores_ * model.x_scores_, axis=0))
    np.testing.assert_allclose(model.x_scores_ * signs, pls.x_scores_, rtol=1e-5, atol=1e-6)
    ours = PLS(3).fit(joined, Y)
    np.testing.assert_allclose(model.x_scores_, ours.x_scores_, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(model.spe(blocks), ours.spe(joined), rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(model.t2(blocks), ours.t2(joined), rtol=1e-7)


def test_one_block_is_pls() -> None:
    blocks, y = simulated(0)
    X = np.hstack(list(blocks.values()))
    one, two = MultiBlockPLS(3).fit(X, y), PLS(3, scale=True).fit(X, y)
    np.testing.assert_allclose(one.predict(X), two.predict(X), rtol=1e-10)
    np.testing.assert_allclose(one.coef_, two.coef_, rtol=1e-9)
    assert one.block_names_ == ["X"]
    np.testing.assert_allclose(one.block_importance_, 1.0)


@given(seeds, st.integers(1, 4))
def test_blocks_add_up(seed: int, count: int) -> None:
    blocks, y = simulated(seed)
    model = MultiBlockPLS(count).fit(blocks, y)
    np.testing.assert_allclose(np.sum(model.super_weights_**2, axis=0), 1.0)
    np.testing.assert_allclose(np.mean(model.block_importance_**2), 1.0)
    np.testing.assert_allclose(model.block_spe(blocks).sum(axis=1), model.spe(blocks))
    np.testing.assert_allclose(model.t2_by_block(blocks).sum(axis=1), model.t2(blocks))
    np.testing.assert_allclose(model.block_spe(blocks), model.block_spe_, atol=1e-10)
    np.testing.assert_allclose(model.block_scores(blocks), model.block_scores_, atol=1e-9)
    together = np.einsum("ba,bna->na", model.super_weights_, model.block_scores_)
    np.testing.assert_allclose(together, model.x_scores_, atol=1e-9)
    # blocks have the same variance here
    np.testing.assert_allclose(model.explained_blocks_.mean(axis=0), model.explained_x_)


@given(seeds)
def test_mean_t2_of_a_block_is_its_rank(seed: int) -> None:
    blocks, y = simulated(seed)
    model = MultiBlockPLS(3).fit(blocks, y)
    # sum over samples of t'C^-1 t with C = T'T / (n - 1): the rank times (n - 1)
    expected = model.block_ranks_ * 29 / 30
    np.testing.assert_allclose(model.block_t2(blocks).mean(axis=0), expected)


def test_limits_hold_about_their_share_of_new_samples() -> None:
    rng = np.random.default_rng(0)
    loadings = {name: rng.normal(size=(3, width)) for name, width in [("a", 6), ("b", 9)]}

    def drawn(n: int) -> tuple[Blocks, np.ndarray]:
        latent = rng.normal(size=(n, 3))
        noise = {name: 0.3 * rng.normal(size=(n, P.shape[1])) for name, P in loadings.items()}
        return {k: latent @ P + noise[k] for k, P in loadings.items()}, latent.sum(axis=1)

    model = MultiBlockPLS(3).fit(*drawn(300))
    new, _ = drawn(20_000)
    beyond_t2 = (model.block_t2(new) > model.block_t2_limit(alpha=0.05)).mean(axis=0)
    np.testing.assert_allclose(beyond_t2, 0.05, atol=0.015)
    for method in ("jackson", "box", "robust"):
        limit = model.block_spe_limit(alpha=0.05, method=method)
        beyond = (model.block_spe(new) > limit).mean(axis=0)
        np.testing.assert_allclose(beyond, 0.05, atol=0.02)


def test_a_planted_fault_is_found_in_its_block() -> None:
    blocks, y = simulated(0)
    model = MultiBlockPLS(4).fit(blocks, y)
    odd = {name: block[:1].copy() for name, block in blocks.items()}
    odd["oven"][0, 2] += 60.0
    share = model.block_spe(odd)[0] / model.block_spe_limit(alpha=0.01, method="box")
    assert share.argmax() == 2
    assert share[2] > 3


def test_columns_of_one_matrix_are_shared_out_by_place_and_by_name() -> None:
    blocks, y = simulated(1)
    mapped = MultiBlockPLS(3).fit(blocks, y)
    X = np.hstack(list(blocks.values()))
    places = {"feed": range(3), "nir": range(3, 23), "oven": range(23, 28)}
    model = MultiBlockPLS(3, blocks=places).fit(X, y)
    np.testing.assert_allclose(model.super_weights_, mapped.super_weights_, rtol=1e-12)
    np.testing.assert_allclose(model.predict(X), mapped.predict(blocks), rtol=1e-12)
    names = [f"c{i}" for i in range(28)]
    frame = pd.DataFrame(X, columns=names)
    order = np.random.default_rng(0).permutation(28)
    named = {name: [names[i] for i in columns] for name, columns in places.items()}
    shuffled = MultiBlockPLS(3, blocks=named).fit(frame.iloc[:, order], y)
    np.testing.assert_allclose(shuffled.super_weights_, mapped.super_weights_, rtol=1e-9)


def test_it_works_inside_scikit_learn_and_cross_validation() -> None:
    blocks, y = simulated(2)
    X = np.hstack(list(blocks.values()))
    model = MultiBlockPLS(2, blocks={"feed": range(3), "rest": range(3, 28)})
    predicted = cross_val_predict(model, X, y, cv=5)
    assert np.corrcoef(predicted, y)[0, 1] > 0.9
    result = cross_validate(model, X, y, cv=5)
    assert result.rmsecv[-1] < result.rmsecv_null


def test_weights_count_samples() -> None:
    blocks, y = simulated(3)
    weights = np.r_[2.0, 0.0, np.ones(28)]
    model = MultiBlockPLS(2).fit(blocks, y, weights)
    rows = np.r_[0, 0, 2:30]
    repeated = MultiBlockPLS(2).fit({k: b[rows] for k, b in blocks.items()}, y[rows])
    for name in ("super_weights_", "explained_blocks_", "block_importance_", "block_scale_"):
        np.testing.assert_allclose(getattr(model, name), getattr(repeated, name), rtol=1e-9)
    np.testing.assert_allclose(model.block_t2(blocks), repeated.block_t2(blocks), rtol=1e-7)
    np.testing.assert_allclose(model.block_spe_limit(), repeated.block_spe_limit(), rtol=1e-7)


def test_labels_of_the_first_block_survive() -> None:
    blocks, y = simulated(0)
    index = [f"lot{i}" for i in range(30)]
    frames = {name: pd.DataFrame(block, index=index) for name, block in blocks.items()}
    frames = {n: f.rename(columns="v{}".format) for n, f in frames.items()}
    model = MultiBlockPLS(2).fit(frames, y)
    spe = model.block_spe(frames)
    assert list(spe.columns) == ["feed", "nir", "oven"]
    assert list(spe.index) == list(model.t2(frames).index) == index
    assert list(model.predict(frames).index) == index
    axis = np.arange(1100.0, 1200.0, 5.0)
    spectra = as_spectra(blocks["nir"], axis=axis, coords={"batch": np.arange(30) // 5})
    mixed = {"nir": spectra, "oven": blocks["oven"]}
    out = MultiBlockPLS(2).fit(mixed, y).block_t2(mixed)
    assert isinstance(out, xr.DataArray)
    assert out.dims == ("sample", "block")
    assert out.batch.values.tolist() == spectra.batch.values.tolist()


def test_a_shifted_axis_of_a_block_is_refused() -> None:
    blocks, y = simulated(0)
    axis = np.arange(1100.0, 1200.0, 5.0)
    spectra = as_spectra(blocks["nir"], axis=axis)
    oven = {"oven": blocks["oven"]}
    model = MultiBlockPLS(2).fit({"nir": spectra} | oven, y)
    shifted = spectra.assign_coords(wavelength=axis + 5.0)
    with pytest.raises(AxisError, match=r"block 'nir' has another axis .*mean shift \+5"):
        model.predict({"nir": shifted} | oven)
    with pytest.raises(AxisError, match="wavenumber instead of wavelength"):
        model.predict({"nir": as_spectra(blocks["nir"], axis=axis, kind="wavenumber")} | oven)


def test_frames_say_what_blocks_do() -> None:
    blocks, y = simulated(0)
    model = MultiBlockPLS(2).fit(blocks, y)
    table = model.block_frame()
    assert table["block"].tolist() == ["feed", "nir", "oven"]
    assert table["n_points"].tolist() == [3, 20, 5]
    np.testing.assert_array_equal(table["importance"], model.block_importance_)
    long = model.component_frame()
    assert long.shape == (6, 4)
    assert long.groupby("component")["super_weight"].apply(lambda w: (w**2).sum()).tolist() == (
        pytest.approx([1.0, 1.0])
    )


def rows(blocks: Blocks, n: int) -> Blocks:
    return {name: block[:n] for name, block in blocks.items()}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda _: {}, InputError, "X has no blocks"),
        (lambda b: {1: b["feed"]}, InputTypeError, "names of blocks must be text, got 1"),
        (lambda b: b | {"nir": b["nir"][:9]}, InputError, "'feed' has 30 and 'nir' 9"),
        (lambda b: b | {"nir": b["nir"][:, 0]}, InputError, r"block 'nir' must have shape"),
        (lambda b: b | {"oven": [["a"]] * 30}, InputError, "block 'oven' must hold numbers"),
        (lambda b: b | {"oven": np.ones((30, 2))}, InputError, "block 'oven' does not vary"),
        (
            lambda b: b | {"oven": np.where(b["oven"] > 9, np.nan, b["oven"])},
            InputError,
            r"block 'oven'\[\d+, \d\] is NaN",
        ),
        (
            lambda b: {
                "one": pd.DataFrame(b["feed"]),
                "two": pd.DataFrame(b["oven"][::-1], index=range(29, -1, -1)),
            },
            InputError,
            "the labels of 'two' are not those of 'one'",
        ),
    ],
)
def test_blocks_that_do_not_go_together_are_refused(
    change: Any, error: Any, message: str
) -> None:
    blocks, y = simulated(0)
    with pytest.raises(error, match=message):
        MultiBlockPLS(2, scale=False).fit(change(blocks), y)


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ({"a": [0, 1], "b": [1, 2]}, "column 1 of X is in two blocks, 'a' and 'b'"),
        ({"a": [0, 1]}, r"column 2 of X is in no block \(1 such columns\)"),
        ({"a": [0, 1, 2, 7]}, "names the column 7, which X has not"),
        ({"a": [0, 1, 2], "b": []}, r"blocks\['b'\] has no columns"),
    ],
)
def test_columns_that_cannot_be_shared_out_are_named(blocks: Any, message: str) -> None:
    X = np.random.default_rng(0).normal(size=(9, 3))
    with pytest.raises(InputError, match=message):
        MultiBlockPLS(1, blocks=blocks).fit(X, X[:, 0])


def test_a_constant_column_is_named_with_its_block() -> None:
    blocks, y = simulated(0)
    blocks["oven"][:, 3] = 7.0
    with pytest.raises(InputError, match="column 3 of block 'oven' is constant"):
        MultiBlockPLS(2).fit(blocks, y)
    assert MultiBlockPLS(2, scale=False).fit(blocks, y).block_weights_[26].tolist() == [0, 0]


def test_new_samples_need_the_blocks_of_fit() -> None:
    blocks, y = simulated(0)
    model = MultiBlockPLS(2).fit(blocks, y)
    with pytest.raises(InputError, match="X must have the blocks of fit in their order"):
        model.predict({name: blocks[name] for name in ("nir", "feed", "oven")})
    with pytest.raises(InputError, match="block 'nir' has 19 columns, but 20 when"):
        model.predict(blocks | {"nir": blocks["nir"][:, 1:]})
    with pytest.raises(InputError, match="blocks must be None where X is a dictionary"):
        MultiBlockPLS(2, blocks={"a": [0]}).fit(blocks, y)
    with pytest.raises(InputError, match="block_scaling must be one of"):
        MultiBlockPLS(2, block_scaling="pareto").fit(blocks, y)


def test_a_sample_gets_the_same_bits_alone_and_among_others() -> None:
    blocks, y = simulated(4)
    model = MultiBlockPLS(3).fit(blocks, y)
    for name in ("predict", "t2", "spe", "block_t2", "block_spe", "t2_by_block"):
        method = getattr(model, name)
        whole = method(blocks)
        for i in range(30):
            one = {name: block[i : i + 1] for name, block in blocks.items()}
            assert method(one)[0].tolist() == whole[i].tolist()


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator",
    [
        # some checks hold data in which scaled columns share one component with y
        MultiBlockPLS(1),
        MultiBlockPLS(scale=False),
        MultiBlockPLS(scale=False, block_scaling="none"),
    ],
    ids=repr,
)
def test_scikit_learn_accepts_the_estimator(estimator: Any) -> None:
    check_estimator(clone(estimator), on_skip=None)
