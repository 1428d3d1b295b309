"""Pictures of validation, selection and classification."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes

from pharmaq import datasets
from pharmaq.chemometrics import (
    DDSIMCA,
    PLS,
    PLSDA,
    SIMCA,
    SNV,
    Calibration,
    cars,
    cross_validate,
    interval_pls,
    kennard_stone,
    permutation_test,
    repeated_double_cv,
    search_recipes,
    select_n_components,
)
from pharmaq.errors import InputError


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def tablets() -> xr.DataArray:
    spectra = datasets.tablets(n_batches=5, tablets_per_batch=5, random_state=3).spectra
    return SNV().fit_transform(spectra)


@pytest.fixture(scope="module")
def calibration(tablets: xr.DataArray) -> Calibration:
    return Calibration(max_components=4, units="% w/w").fit(tablets, "api")


@pytest.fixture(scope="module")
def classes() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    centers = np.repeat([[0.0, 0, 0, 0], [4, 0, 0, 1], [0, 4, 1, 0]], 12, axis=0)
    return centers + rng.normal(size=centers.shape), np.repeat(["a", "b", "c"], 12)


def legend_of(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def drawn_points(ax: Axes) -> np.ndarray:
    return np.concatenate([np.asarray(part.get_offsets()) for part in ax.collections])


def test_component_choice_shows_what_the_rule_accepts(tablets: xr.DataArray) -> None:
    choice = select_n_components(cross_validate(PLS(5), tablets, tablets["api"]))
    ax = choice.plot()
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), choice.mse)
    assert list(ax.lines[1].get_ydata()) == [choice.threshold] * 2
    assert legend_of(ax)[1] == f"chosen: {choice.n_components}"
    assert list(ax.lines[2].get_xdata()) == [choice.n_components]


def test_recipe_search_shows_every_model_and_marks_the_choice(tablets: xr.DataArray) -> None:
    result = search_recipes(tablets, tablets["api"], ["none", "sg(7,2,1)"], model=PLS(4))
    # what the table says of each recipe is on the surface too
    at_choice = result.rmsecv[np.arange(2), result.table["n_components"]]
    assert at_choice == pytest.approx(result.table["rmsecv"].to_numpy())
    equivalent = (result.rmsecv <= result.threshold).any(axis=1)
    assert equivalent.tolist() == result.table["equivalent"].tolist()
    ax = result.plot()
    names = [text.get_text() for text in ax.get_yticklabels()]
    shades = np.asarray(ax.images[0].get_array())
    for name, row in zip(names, shades, strict=True):
        np.testing.assert_array_equal(row, result.rmsecv[result.table["recipe"] == name][0])
    dots = np.column_stack(ax.lines[0].get_data())
    assert len(dots) == np.sum(result.rmsecv <= result.threshold)
    (x,), (y,) = ax.lines[1].get_data()
    assert (x, names[int(y)]) == (result.n_components, result.recipe)


def test_recipes_that_carry_fewer_components_leave_a_gap(tablets: xr.DataArray) -> None:
    few = tablets[:, :3]
    result = search_recipes(few, few["api"], ["none", "range(1100-1105)"], model=PLS(3))
    assert np.isnan(result.rmsecv).tolist()[1] == [False, False, False, True]
    assert result.plot().images[0].get_array().mask.sum() == 1


def test_double_cv_shows_each_repeat_and_each_choice(tablets: xr.DataArray) -> None:
    result = repeated_double_cv(PLS(3), tablets, tablets["api"], outer="random(5,4)")
    ax = result.plot()
    assert sum(bar.get_height() for bar in ax.patches) == 4
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), result.rmsep)
    assert legend_of(ax)[1] == f"median {np.median(result.rmsep):.3g}"
    ax = result.plot_components()
    drawn = {round(bar.get_x() + 0.4): bar.get_height() for bar in ax.patches}
    assert drawn == {n: int(np.sum(result.n_components == n)) for n in drawn}
    assert sum(drawn.values()) == 20
    assert legend_of(ax) == [f"most frequent: {result.most_frequent}"]


def test_permutation_test_shows_the_real_order_among_shuffles(tablets: xr.DataArray) -> None:
    result = permutation_test(PLS(2), tablets, tablets["api"], n_permutations=19)
    ax = result.plot()
    assert sum(bar.get_height() for bar in ax.patches) == 19
    assert list(ax.lines[0].get_xdata()) == [result.q2] * 2
    assert legend_of(ax) == ["19 shuffles", f"real order: {result.q2:.3f} (p = 0.05)"]


def test_sample_selection_shows_its_distances(tablets: xr.DataArray) -> None:
    result = kennard_stone(tablets, 8)
    ax = result.plot()
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), result.distance)
    assert ax.get_ylabel() == "euclidean distance to the nearest"


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_intervals_show_the_first_step(tablets: xr.DataArray, direction: str) -> None:
    options = {"n_intervals": 4, "n_components": 2, "direction": direction}
    result = interval_pls(tablets, tablets["api"], **options)
    ax = result.plot()
    assert [bar.get_height() for bar in ax.patches] == pytest.approx(result.rmsecv_first)
    hatched = [i for i, bar in enumerate(ax.patches) if bar.get_hatch()]
    assert tuple(hatched) == result.chosen
    mean = ax.figure.axes[1].lines[0].get_ydata()
    np.testing.assert_allclose(mean, tablets.mean("sample"))
    assert ax.get_xlabel() == "wavelength / nm"


def test_the_first_step_is_cross_validation_of_each_interval(tablets: xr.DataArray) -> None:
    result = interval_pls(tablets, tablets["api"], n_intervals=3, n_components=2)
    parts = np.array_split(np.arange(tablets.shape[1]), 3)
    alone = [
        cross_validate(PLS(2), tablets[:, part], tablets["api"]).rmsecv.min() for part in parts
    ]
    assert result.rmsecv_first == pytest.approx(alone)


def test_variable_selection_shows_every_run(tablets: xr.DataArray) -> None:
    result = cars(tablets, tablets["api"], n_components=2, n_runs=8)
    ax = result.plot()
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), result.n_variables)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), result.rmsecv)
    assert legend_of(ax)[0].startswith(f"{len(result.selected)} points")


def test_calibration_draws_what_it_validated(calibration: Calibration) -> None:
    validation = calibration.cross_validation_
    left_out = validation.predictions.sel(n_components=calibration.n_components_)
    ax = calibration.plot_predicted()
    assert drawn_points(ax)[:, 1] == pytest.approx(left_out.to_numpy())
    assert ax.get_ylabel() == "predicted / % w/w"
    ax = calibration.plot_errors()
    assert drawn_points(ax)[:, 1] == pytest.approx(left_out.to_numpy() - validation.reference)
    text = calibration.plot_rmsecv().texts[0].get_text()
    assert text.startswith(f"{calibration.n_components_} components: ")
    assert calibration.plot_vip().get_ylabel() == "VIP"
    assert calibration.plot_coefficients().get_ylabel() == "coefficient"


def test_errors_stand_by_batch_with_their_mean(
    calibration: Calibration, tablets: xr.DataArray
) -> None:
    batch = tablets["batch"].to_numpy()
    ax = calibration.plot_errors(batch=batch)
    errors = calibration.cross_validation_.residuals.sel(n_components=calibration.n_components_)
    means = [errors.to_numpy()[batch == name].mean() for name in np.unique(batch)]
    (marked,) = [line for line in ax.lines if line.get_label() == "mean"]
    assert marked.get_ydata() == pytest.approx(means)
    assert [text.get_text() for text in ax.get_xticklabels()] == np.unique(batch).tolist()
    with pytest.raises(InputError, match="batch"):
        calibration.plot_errors(batch=batch[1:])


def test_scores_of_a_calibration_are_those_of_its_model(
    calibration: Calibration, tablets: xr.DataArray
) -> None:
    points = drawn_points(calibration.plot_scores(tablets))
    scores = calibration.pls_.x_scores_[:, :2]
    assert np.sort(points, axis=0) == pytest.approx(np.sort(scores, axis=0))


def test_a_calibration_from_a_file_has_no_validation(
    calibration: Calibration, tmp_path: Path
) -> None:
    calibration.save(tmp_path / "api.pqm")
    again = Calibration.load(tmp_path / "api.pqm")
    assert again.plot_coefficients().get_ylabel() == "coefficient"
    with pytest.raises(InputError, match="was read from a file"):
        again.plot_predicted()


def test_several_responses_have_no_common_errors(tablets: xr.DataArray) -> None:
    y = np.column_stack([tablets["api"], tablets["api"] ** 2])
    with pytest.raises(InputError, match="one response"):
        cross_validate(PLS(1), tablets, y).plot_errors(1)


def test_values_stand_at_their_time_with_interval_and_reference(
    calibration: Calibration, tablets: xr.DataArray
) -> None:
    prediction = calibration.predict(tablets)
    hours = np.arange(len(tablets)) / 2
    ax = prediction.plot_values(at=hours, label="time / h", reference=([1.0], [20.0]))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time / h", "api / % w/w")
    assert "interval, 95 %" in legend_of(ax)
    *values, reference = [np.column_stack(line.get_data()) for line in ax.lines]
    drawn = np.concatenate(values)
    assert drawn[np.argsort(drawn[:, 0]), 1] == pytest.approx(prediction.value)
    assert reference.tolist() == [[1.0, 20.0]]


def test_ddsimca_draws_the_lines_of_its_limits(classes: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = classes
    model = DDSIMCA(2).fit(X[y == "a"])
    ax = model.plot_acceptance(X)
    limits = model.acceptance_limits()
    for line, distance in zip(ax.lines, (limits.extreme, limits.outlier), strict=True):
        x, y_line = line.get_data()
        along = limits.t2_dof * np.asarray(x) + limits.spe_dof * np.asarray(y_line)
        assert along == pytest.approx(distance)
    statuses = model.statuses(X)
    texts = [f"{name} ({np.sum(statuses == name)})" for name in np.unique(statuses)]
    assert set(texts) <= set(legend_of(ax))
    assert len(drawn_points(ax)) == len(X)


def test_ddsimca_draws_its_own_samples(classes: tuple[np.ndarray, np.ndarray]) -> None:
    X = classes[0][:12]
    model = DDSIMCA(2).fit(X)
    own, given = model.plot_acceptance(), model.plot_acceptance(X)
    assert drawn_points(own) == pytest.approx(drawn_points(given))


def test_ddsimca_without_residuals_draws_t2_only(
    classes: tuple[np.ndarray, np.ndarray],
) -> None:
    ax = DDSIMCA(4).fit(classes[0][:12]).plot_acceptance()
    assert ax.get_ylabel() == "SPE does not count"


@pytest.mark.parametrize("rule", ["both", "combined"])
def test_simca_draws_the_region_of_its_rule(
    classes: tuple[np.ndarray, np.ndarray], rule: str
) -> None:
    X, y = classes
    model = SIMCA(2, rule=rule).fit(X, y)
    ax = model.plot_acceptance(X, "b", color_by=y)
    x, edge = (np.asarray(part) for part in ax.lines[0].get_data())
    on_edge = np.hypot(x, edge) if rule == "combined" else np.maximum(x, edge)
    assert on_edge == pytest.approx(np.sqrt(2) if rule == "combined" else 1, rel=1e-4)
    t2, spe = model.ratios(X)
    points = drawn_points(ax)
    assert points == pytest.approx(np.column_stack([t2[:, 1], spe[:, 1]]))
    assert set(legend_of(ax)[1:]) == {"a", "b", "c"}


def test_simca_names_what_it_rejects(classes: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = classes
    model = SIMCA(2).fit(X, y)
    named = {int(text.get_text()) for text in model.plot_acceptance(X, "a").texts}
    assert named
    assert named <= set(np.flatnonzero(~model.memberships(X)[:, 0]))
    with pytest.raises(InputError, match="label"):
        model.plot_acceptance(X, "d")


def test_plsda_draws_memberships_and_threshold(classes: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = classes
    model = PLSDA(2).fit(X, y)
    ax = model.plot_memberships(X, y, label="c")
    assert drawn_points(ax)[:, 1] == pytest.approx(model.memberships(X)[:, 2])
    assert list(ax.lines[-1].get_ydata()) == [model.thresholds_[2]] * 2
    assert ax.get_ylabel() == "predicted membership of c"
    with pytest.raises(InputError, match="label"):
        model.plot_memberships(X, y)


def test_two_classes_have_one_membership(classes: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = classes[0][:24], classes[1][:24]
    ax = PLSDA(1).fit(X, y).plot_memberships(X, y)
    assert ax.get_ylabel() == "predicted membership of b"


def test_confusion_counts_known_against_predicted(
    classes: tuple[np.ndarray, np.ndarray],
) -> None:
    X, y = classes
    model = PLSDA(1).fit(X, y)
    ax = model.plot_confusion(X, y)
    predicted = model.predict(X)
    expected = [
        str(np.sum((y == known) & (predicted == other)))
        for known in model.classes_
        for other in model.classes_
    ]
    assert [text.get_text() for text in ax.texts] == expected
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a", "b", "c"]
    with pytest.raises(InputError, match="class 'd'"):
        model.plot_confusion(X, np.where(y == "a", "d", y))
