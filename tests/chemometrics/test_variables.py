from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cross_decomposition import PLSRegression

from pharmaq.chemometrics import PLS, SelectRange, cross_validate
from pharmaq.chemometrics.variables import cars, interval_pls
from pharmaq.errors import InputError
from pharmaq.spectra import as_spectra

Data = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def moisture(corn: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    return corn.iloc[:, 5:], corn["Moisture"].to_numpy()


@pytest.fixture
def twelve() -> Data:
    """Random points of which the fifth and the sixth make the response, but for noise."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(30, 12))
    return X, X[:, 4] - X[:, 5] + generator.normal(scale=0.1, size=30)


def best_pair(X: np.ndarray, y: np.ndarray) -> list[int]:
    """Return the two columns whose least squares leave the least, from all correlations."""
    r = np.corrcoef(np.column_stack([X, y]).T)
    between, with_y = r[:-1, :-1], r[:-1, -1]
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = with_y[:, None] ** 2 + with_y**2 - 2 * np.outer(with_y, with_y) * between
        share = np.triu(explained / (1 - between**2), 1)
    return [int(i) for i in np.unravel_index(np.nanargmax(share), share.shape)]


# H. Li et al., Anal. Chim. Acta 648 (2009) 77: 1908 and 2108 nm for the moisture of corn. It
# is the best of all 244 650 pairs, too.
@pytest.mark.parametrize("seed", [0, 1])
def test_cars_finds_the_two_wavelengths_of_moisture(
    moisture: tuple[pd.DataFrame, np.ndarray], seed: int
) -> None:
    X, y = moisture
    assert best_pair(X.to_numpy(), y) == [404, 504]
    result = cars(X, y, n_components=6, random_state=seed)
    assert result.axis.tolist() == [1908.0, 2108.0]
    assert result.rmsecv[result.best_run] < 0.05 * result.rmsecv_full
    chosen = cross_validate(PLS(2), X[["1908", "2108"]].to_numpy(), y)
    assert result.rmsecv[result.best_run] == pytest.approx(chosen.rmsecv.min())


def sklearn_rmsecv(X: np.ndarray, y: np.ndarray, n_components: int, n_splits: int) -> float:
    segments = [np.arange(i, len(y), n_splits) for i in range(n_splits)]
    errors = []
    for count in range(1, min(n_components, X.shape[1]) + 1):
        squares = 0.0
        for test in segments:
            train = np.setdiff1d(np.arange(len(y)), test)
            fitted = PLSRegression(count, scale=False).fit(X[train], y[train])
            squares += float(np.sum((fitted.predict(X[test]).ravel() - y[test]) ** 2))
        errors.append(np.sqrt(squares / len(y)))
    return min(errors)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_interval_pls_equals_a_search_with_scikit_learn(direction: str, twelve: Data) -> None:
    X, y = twelve
    parts = np.array_split(np.arange(12), 4)
    used = set() if direction == "forward" else set(range(4))
    best = np.inf if direction == "forward" else sklearn_rmsecv(X, y, 2, 5)
    path: list[tuple[int, float]] = []
    while True:
        trials = {}
        for i in range(4):
            after = used ^ {i}
            if (i in used) != (direction == "forward") and after:
                columns = np.concatenate([parts[j] for j in sorted(after)])
                trials[i] = sklearn_rmsecv(X[:, columns], y, 2, 5)
        if not trials or min(trials.values()) >= best:
            break
        step = min(trials, key=trials.__getitem__)
        used, best = used ^ {step}, trials[step]
        path.append((step, best))
    result = interval_pls(
        X, y, n_intervals=4, direction=direction, n_components=2, cv="venetian(5)"
    )
    assert result.steps == tuple(step for step, _ in path)
    np.testing.assert_allclose(result.rmsecv_path, [error for _, error in path], rtol=1e-6)
    assert result.chosen == tuple(sorted(used))
    assert result.rmsecv_full == pytest.approx(sklearn_rmsecv(X, y, 2, 5), rel=1e-6)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_intervals_predict_corn_better_than_the_full_spectrum(
    direction: str, moisture: tuple[pd.DataFrame, np.ndarray]
) -> None:
    X, y = moisture
    result = interval_pls(X, y, n_intervals=10, direction=direction, n_components=6)
    assert result.rmsecv < 0.6 * result.rmsecv_full
    assert any(low <= 1908 <= high for low, high in result.ranges)
    judged = cross_validate(PLS(6), X.iloc[:, result.selected], y)
    assert result.rmsecv == pytest.approx(judged.rmsecv.min())


@pytest.mark.parametrize("seed", [0, 1])
def test_cars_predicts_gasoline_better_than_the_full_spectrum(
    gasoline: Data, seed: int
) -> None:
    result = cars(*gasoline, n_components=6, random_state=seed)
    assert result.rmsecv[result.best_run] < 0.9 * result.rmsecv_full
    assert len(result.selected) < 40


def test_the_chosen_ranges_select_the_chosen_points(gasoline: Data) -> None:
    X, y = gasoline
    labelled = as_spectra(X, axis=np.arange(900.0, 1702.0, 2.0))
    result = interval_pls(labelled, y, n_components=3)
    step = SelectRange(ranges=result.ranges).fit(labelled)
    assert step.support_.tolist() == sorted(result.selected.tolist())
    assert result.to_frame()["low"].tolist() == result.intervals[list(result.steps), 0].tolist()


def test_a_descending_axis_keeps_its_order(gasoline: Data) -> None:
    X, y = gasoline
    axis = np.arange(900.0, 1702.0, 2.0)
    down = as_spectra(X[:, ::-1], axis=axis[::-1])
    result = interval_pls(down, y, n_components=2, n_intervals=1)
    assert result.ranges == [(1700.0, 900.0)]
    assert result.rmsecv == result.rmsecv_full


def test_batches_of_labelled_spectra_are_left_out_together(twelve: Data) -> None:
    X, y = twelve
    batch = np.repeat(["a", "b", "c"], 10)
    labelled = as_spectra(X, axis=np.arange(1100.0, 1112.0), coords={"batch": batch})
    whole = cross_validate(PLS(2), X, y, groups=batch).rmsecv.min()
    assert interval_pls(labelled, y, n_components=2, n_intervals=3).rmsecv_full == whole
    assert cars(labelled, y, n_components=2, n_runs=3).rmsecv_full == whole
    given_groups = cars(X, y, n_components=2, n_runs=3, groups=batch)
    assert given_groups.rmsecv_full == whole


@given(st.integers(0, 500), st.integers(2, 12), st.booleans())
@settings(max_examples=15)
def test_the_points_of_cars_only_ever_decrease(seed: int, n_runs: int, scale: bool) -> None:
    X = np.random.default_rng(seed).normal(size=(20, 9))
    y = X[:, 0] + np.random.default_rng(seed + 1).normal(size=20)
    options: dict[str, Any] = {"n_components": 2, "n_runs": n_runs, "cv": 4, "scale": scale}
    result = cars(X, y, random_state=seed, **options)
    assert (np.diff(result.n_variables) <= 0).all()
    assert 1 <= result.n_variables[-1] <= 2
    assert result.rmsecv[result.best_run] == result.rmsecv.min()
    again = cars(X, y, random_state=seed, **options)
    np.testing.assert_array_equal(again.rmsecv, result.rmsecv)
    assert again.selected.tolist() == result.selected.tolist()


def test_cars_leaves_the_global_generator_alone(twelve: Data) -> None:
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    cars(*twelve, n_components=2, n_runs=3)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_scaled_choices_do_not_know_units(twelve: Data) -> None:
    X, y = twelve
    units = 10.0 ** np.arange(-3, 9)
    plain, mixed = (cars(Z, y, n_components=2, n_runs=8, scale=True) for Z in (X, X * units))
    assert plain.selected.tolist() == mixed.selected.tolist()
    assert mixed.rmsecv_full == pytest.approx(plain.rmsecv_full, rel=1e-6)


def test_points_that_say_the_same_twice_are_no_problem() -> None:
    x = np.random.default_rng(0).normal(size=(12, 2))
    result = cars(np.hstack([x, x]), x[:, 0], n_components=3, n_runs=5, cv=4)
    assert {0, 2} & set(result.selected.tolist())


def test_results_warn_of_their_optimism(twelve: Data) -> None:
    X, y = twelve
    for result in (
        interval_pls(X, y, n_intervals=6, n_components=2),
        cars(X, y, n_components=2, n_runs=6),
    ):
        rules = [finding.rule for finding in result.findings]
        assert rules == ["optimistic_rmsecv"]
        assert "had no part in it" in result.findings[0].message
        assert json.loads(json.dumps(result.to_dict()))["findings"][0]["severity"] == "alert"


def test_a_choice_that_gains_nothing_says_so(twelve: Data) -> None:
    X, y = twelve
    result = interval_pls(X[:, 4:6], y, n_intervals=2, direction="backward", n_components=2)
    assert result.chosen == (0, 1)
    assert len(result.to_frame()) == 0
    assert result.findings[1].rule == "no_better_than_all_points"


def test_the_path_of_cars_marks_the_chosen_run(twelve: Data) -> None:
    result = cars(*twelve, n_components=2, n_runs=10)
    frame = result.to_frame()
    assert frame["chosen"].sum() == 1
    assert frame["n_variables"][result.best_run] == len(result.selected)
    assert result.axis.tolist() == result.selected.tolist() == [4, 5]


@pytest.mark.parametrize("function", [interval_pls, cars])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": np.ones(30)}, "y is constant"),
        ({"y": np.ones((30, 2))}, "column 0 of y is constant"),
        ({"y": np.random.default_rng(0).normal(size=(30, 2))}, "y must hold one response"),
        ({"y": np.arange(5.0)}, r"y must have shape \(30,\)"),
        ({"X": np.full((30, 4), np.nan)}, r"X\[0, 0\] is NaN"),
        ({"X": np.ones((1, 4)), "y": [1.0]}, r"X holds 1 sample\(s\)"),
        ({"n_components": 0}, "n_components must be at least 1, got 0"),
        ({"cv": "often"}, "cv 'often' is unknown"),
    ],
)
def test_bad_data_are_refused(
    function: Any, arguments: dict[str, Any], message: str, twelve: Data
) -> None:
    X, y = twelve
    few = {"n_intervals": 4} if function is interval_pls else {}
    with pytest.raises(InputError, match=message):
        function(**({"X": X, "y": y} | few | arguments))


def test_bad_arguments_are_named(twelve: Data) -> None:
    X, y = twelve
    with pytest.raises(InputError, match="n_intervals must be from 1 to 12, got 13"):
        interval_pls(X, y, n_intervals=13)
    with pytest.raises(InputError, match="direction must be one of 'forward', 'backward'"):
        interval_pls(X, y, direction="both")
    with pytest.raises(InputError, match="n_runs must be at least 2, got 1"):
        cars(X, y, n_runs=1)
    with pytest.raises(InputError, match="random_state must be at least 0, got -1"):
        cars(X, y, random_state=-1)
    with pytest.raises(InputError, match="X must have at least 3 points to choose from, got 2"):
        cars(X[:, :2], y)
