"""Pictures of scores, loadings and coefficients."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from pharmaq import _style, datasets
from pharmaq.chemometrics import (
    OPLS,
    PCA,
    PLS,
    PLSDA,
    SNV,
    jackknife,
    plots,
    selectivity_ratio,
    vip,
)
from pharmaq.errors import InputError


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def tablets() -> xr.DataArray:
    return datasets.tablets(n_batches=4, tablets_per_batch=6, random_state=3).spectra


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    height = rng.normal(175, 9, size=30)
    weight = height - 100 + rng.normal(0, 8, size=30)
    return pd.DataFrame({"height": height, "weight": weight, "age": rng.normal(40, 9, size=30)})


def legend_of(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def drawn_points(ax: Axes) -> np.ndarray:
    return np.concatenate([np.asarray(part.get_offsets()) for part in ax.collections])


# NIST/SEMATECH e-Handbook, 1.3.6.7.3: F(0.95; 2, 52) is 3.175
def test_half_axes_follow_from_the_table_of_f() -> None:
    X = np.random.default_rng(0).normal(size=(54, 4)) * [4, 3, 2, 1]
    model = PCA(3).fit(X)
    half_axes = model.score_limits(components=(1, 3))
    expected = 2 * (54**2 - 1) / (54 * 52) * 3.175
    assert half_axes**2 / model.score_variances_[[0, 2]] == pytest.approx(expected, rel=3e-4)


def test_samples_on_the_ellipse_have_the_limit_of_t2() -> None:
    X = np.random.default_rng(0).normal(size=(40, 4)) * [4, 3, 2, 1]
    model = PCA(2).fit(X)
    ax = model.plot_scores(X, alpha=0.1)
    around = np.column_stack(ax.lines[2].get_data())
    assert model.t2_of_scores(around) == pytest.approx(model.t2_limit(alpha=0.1))


def test_the_ellipse_holds_the_share_it_promises() -> None:
    rng = np.random.default_rng(2)
    model = PCA(2).fit(rng.normal(size=(200, 3)) * [3, 2, 1])
    new = model.transform(rng.normal(size=(20_000, 3)) * [3, 2, 1])
    outside = np.sum((new / model.score_limits(alpha=0.05)) ** 2, axis=1) > 1
    # 200 calibration samples leave some spread in the variances
    assert outside.mean() == pytest.approx(0.05, abs=0.02)


def test_scores_are_drawn_by_batch_with_their_shares(tablets: xr.DataArray) -> None:
    model = PCA(2).fit(tablets)
    ax = model.plot_scores(tablets)
    assert np.sort(drawn_points(ax), axis=0) == pytest.approx(np.sort(model.x_scores_, axis=0))
    assert set(legend_of(ax)) == {"Hotelling T², 95 % (f)", "B01", "B02", "B03", "B04"}
    assert ax.get_xlabel() == f"t1 ({100 * model.explained_variance_ratio_[0]:.3g} % of X)"


def test_groups_differ_by_their_marks_too(tablets: xr.DataArray) -> None:
    ax = PCA(2).fit(tablets).plot_scores(tablets)
    marks = {part.get_paths()[0].vertices.tobytes() for part in ax.collections}
    assert len(marks) == 4


def test_many_groups_have_their_names_beside_the_points() -> None:
    spectra = datasets.tablets(n_batches=9, tablets_per_batch=3, random_state=1).spectra
    ax = PCA(2).fit(spectra).plot_scores(spectra, alpha=1e-6)
    assert legend_of(ax) == ["Hotelling T², 99.9999 % (f)"]
    assert {text.get_text() for text in ax.texts} <= set(spectra["batch"].to_numpy())
    assert len(ax.texts) > 4


def test_samples_outside_the_ellipse_are_named(tablets: xr.DataArray) -> None:
    model = PCA(2).fit(tablets)
    ax = model.plot_scores(tablets, alpha=0.2)
    outside = np.sum((model.x_scores_ / model.score_limits(alpha=0.2)) ** 2, axis=1) > 1
    named = {text.get_text() for text in ax.texts}
    assert named
    assert named <= set(tablets["sample"].to_numpy()[outside])


def test_a_number_colours_samples_by_a_scale(tablets: xr.DataArray) -> None:
    ax = PCA(3).fit(tablets).plot_scores(tablets, components=(2, 3), color_by="api")
    assert ax.figure.axes[1].get_ylabel() == "api"
    assert len(drawn_points(ax)) == len(tablets)


def test_a_missing_number_leaves_its_sample_grey(tablets: xr.DataArray) -> None:
    numbers = tablets["api"].to_numpy().copy()
    numbers[5] = np.nan
    ax = PCA(2).fit(tablets).plot_scores(tablets, color_by=numbers)
    colors = [to_hex(color) for color in ax.collections[0].get_facecolors()]
    assert [i for i, color in enumerate(colors) if color == _style.MUTED] == [5]


def test_times_and_many_whole_numbers_give_a_scale(tablets: xr.DataArray) -> None:
    model = PCA(2).fit(tablets)
    times = np.datetime64("2026-01-01") + np.arange(len(tablets)).astype("timedelta64[h]")
    dated = tablets.assign_coords(time=("sample", times))
    scale = model.plot_scores(dated, color_by="time").figure.axes[1]
    assert scale.get_ylabel() == "time"
    assert any(":" in text.get_text() for text in scale.get_yticklabels())
    many = np.vstack([tablets, tablets])
    ax = model.plot_scores(many, color_by=np.arange(len(many)))
    assert len(ax.figure.axes) == 2


def test_scores_of_calibration_samples_have_the_limit_for_them(tablets: xr.DataArray) -> None:
    model = PLS(2).fit(tablets, tablets["api"])
    assert legend_of(model.plot_scores()) == ["Hotelling T², 95 % (beta)"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"components": (1, 1)}, "components must be two different"),
        ({"components": (1, 4)}, "components"),
        ({"color_by": "colour"}, "color_by = 'colour' is no sample coordinate"),
        ({"color_by": [1.0, 2.0]}, "color_by"),
        ({"alpha": 2}, "alpha"),
    ],
)
def test_scores_refuse_bad_options(
    tablets: xr.DataArray, options: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        PCA(3).fit(tablets).plot_scores(tablets, **options)


def test_one_component_has_no_plane(tablets: xr.DataArray) -> None:
    with pytest.raises(InputError, match="one component"):
        PCA(1).fit(tablets).plot_scores(tablets)


def test_loadings_are_lines_along_an_axis(tablets: xr.DataArray) -> None:
    model = PCA(3).fit(tablets)
    ax = model.plot_loadings(components=(1, 3))
    for line, loading in zip(ax.lines[1:], model.x_loadings_[:, [0, 2]].T, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), loading)
    assert legend_of(ax) == ["p1", "p3"]
    assert len({line.get_linestyle() for line in ax.lines[1:]}) == 2
    assert ax.get_xlabel() == "wavelength / nm"


def test_loadings_of_named_variables_are_bars(people: pd.DataFrame) -> None:
    model = PCA(2, scale=True).fit(people)
    ax = model.plot_loadings()
    heights = [bar.get_height() for bar in ax.patches]
    assert heights == pytest.approx(model.x_loadings_.T.ravel())
    assert [text.get_text() for text in ax.get_xticklabels()] == list(people.columns)


def test_the_first_component_alone_is_drawn_where_there_is_one(people: pd.DataFrame) -> None:
    assert len(PCA(1).fit(people).plot_loadings().patches) == 3


def test_biplot_points_from_the_origin_along_the_loadings(people: pd.DataFrame) -> None:
    model = PCA(2, scale=True).fit(people)
    ax = model.plot_biplot(people)
    arrows = [text for text in ax.texts if text.arrow_patch is not None]
    ends = np.array([arrow.xy for arrow in arrows])
    stretch = ends / model.x_loadings_
    assert stretch == pytest.approx(np.full((3, 2), stretch[0, 0]))
    assert {text.get_text() for text in ax.texts} == {"", *people.columns}


def test_biplot_of_spectra_draws_loadings_as_a_line(tablets: xr.DataArray) -> None:
    model = PCA(2).fit(tablets)
    ax = model.plot_biplot(tablets)
    drawn = np.column_stack(ax.lines[2].get_data())
    ratio = drawn / model.x_loadings_
    assert ratio == pytest.approx(np.full(ratio.shape, ratio[0, 0]))
    positions = {f"{value:g}" for value in tablets["wavelength"].to_numpy()}
    names = {text.get_text() for text in ax.texts}
    assert names
    assert names <= positions


def test_coefficients_of_fewer_components_are_drawn(tablets: xr.DataArray) -> None:
    model = PLS(3).fit(tablets, tablets["api"])
    ax = model.plot_coefficients(n_components=2)
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), model.coef_path_[1, 0])
    with pytest.raises(InputError, match="n_components"):
        model.plot_coefficients(n_components=4)


def test_opls_has_coefficients_for_all_components_only(tablets: xr.DataArray) -> None:
    model = OPLS(1).fit(tablets, tablets["api"])
    np.testing.assert_array_equal(
        model.plot_coefficients().lines[1].get_ydata(), model.coef_[0]
    )
    with pytest.raises(InputError, match="n_components = 1: OPLS"):
        model.plot_coefficients(n_components=1)


def test_each_class_has_its_coefficients(tablets: xr.DataArray) -> None:
    model = PLSDA(2).fit(tablets, tablets["batch"])
    assert legend_of(model.plot_coefficients()) == ["B01", "B02", "B03", "B04"]


def test_coefficients_of_named_variables_are_bars(people: pd.DataFrame) -> None:
    model = PLS(1, scale=True).fit(people[["height", "age"]], people["weight"])
    heights = [bar.get_height() for bar in model.plot_coefficients().patches]
    assert heights == pytest.approx(model.coef_[0])
    assert len(plots.plot_vip(model, vip(model)).patches) == 2


def test_selectivity_ratio_leaves_infinite_points_open(tablets: xr.DataArray) -> None:
    model = PLS(2).fit(tablets, tablets["api"])
    values = selectivity_ratio(model, tablets)
    values[3] = np.inf
    drawn = np.asarray(plots.plot_selectivity_ratio(model, values).lines[0].get_ydata())
    assert np.isnan(drawn[3])
    np.testing.assert_array_equal(np.delete(drawn, 3), np.delete(values, 3))


def test_jackknife_has_a_band_of_two_standard_errors(tablets: xr.DataArray) -> None:
    X = SNV().fit_transform(tablets)
    result = jackknife(PLS(2), X, tablets["api"])
    ax = result.plot()
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), result.coefficients)
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    top = result.coefficients + 2 * result.standard_errors
    assert band.max() == pytest.approx(top.max())
    assert ax.get_xlabel() == "wavelength / nm"


def test_models_draw_on_the_axes_that_are_given(tablets: xr.DataArray) -> None:
    model = PLS(2).fit(tablets, tablets["api"])
    ax = plt.subplots()[1]
    assert model.plot_scores(tablets, ax=ax) is ax
    assert model.plot_loadings(ax=ax) is ax
    assert model.plot_biplot(tablets, ax=ax) is ax
    assert model.plot_coefficients(ax=ax) is ax
