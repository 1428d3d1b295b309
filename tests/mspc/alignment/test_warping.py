"""Dynamic time warping: against its definition, against other programs, and its weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_alignment import distances, warp
from sklearn.exceptions import ConvergenceWarning

from pharmaq.batches import Batches, as_batches
from pharmaq.errors import InputError
from pharmaq.mspc.alignment import DTW, BatchAligner, align


def frame(*batches: Any) -> Batches:
    parts = []
    for number, values in enumerate(batches):
        table = np.asarray(values, dtype=float).reshape(len(values), -1)
        columns = {f"x{j}": table[:, j] for j in range(table.shape[1])}
        parts.append(
            pd.DataFrame({"batch": f"b{number}", "time": np.arange(len(table))} | columns)
        )
    return as_batches(pd.concat(parts, ignore_index=True))


def curves(lengths: list[int], variables: int = 3, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, variables)).cumsum(axis=0) for n in lengths]


def twin(batches: list[np.ndarray], b: int, options: dict[str, Any]) -> tuple[Any, Any]:
    """Sums and paths of the definition, of batch b onto the first."""
    spread = np.mean([np.nanmax(x, axis=0) - np.nanmin(x, axis=0) for x in batches], axis=0)
    cost = distances(batches[b] / spread, batches[0] / spread, np.ones(len(spread)))
    return warp(cost, **options)


# by hand: all that is not the peak is 0, so that the only path without distance joins the peaks
def test_a_peak_meets_a_peak() -> None:
    result = align(
        frame([0.0, 0, 1, 0, 0, 0], [0.0, 0, 0, 0, 1, 0]),
        dtw=DTW(weights="equal", reference="b0"),
    )
    np.testing.assert_array_equal(result.batches["x0"].sel(batch="b1"), [0, 0, 1, 0, 0, 0])
    assert result.warping.sel(batch="b1")[2] == 4
    assert result.summary["distance"].tolist() == [0, 0]


@pytest.mark.parametrize("diagonal", [1, 2])
@pytest.mark.parametrize("slope", [None, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("band", [None, 0.15])
def test_paths_are_those_of_the_definition(
    diagonal: float, slope: float | None, band: float | None
) -> None:
    batches = curves([20, 20, 17, 24, 22, 18, 21, 23, 19, 26])
    options = DTW(weights="equal", reference="b0", diagonal=diagonal, slope=slope, band=band)
    result = align(frame(*batches), dtw=options)
    for b, batch in enumerate(batches):
        total, paths = twin(batches, b, {"slope": slope, "diagonal": diagonal, "band": band})
        path = np.array(paths[len(batch) - 1, 19])
        length = len(batch) + 20 if diagonal == 2 else 1
        distance = result.summary["distance"][b]
        assert distance == pytest.approx(total[-1, -1] / length, abs=1e-12)
        when = [path[path[:, 1] == k, 0].mean() for k in range(20)]
        np.testing.assert_allclose(result.warping[b], when, atol=1e-12)
        values = [batch[path[path[:, 1] == k, 0], 1].mean() for k in range(20)]
        np.testing.assert_allclose(result.batches["x1"][b], values, atol=1e-12)


@given(st.integers(2, 30), st.integers(2, 30), st.integers(0, 1000))
def test_any_two_lengths_are_those_of_the_definition(n: int, K: int, seed: int) -> None:
    batches = curves([K, n], 2, seed)
    result = align(frame(*batches), dtw=DTW(weights="equal", reference="b0"))
    total, _ = twin(batches, 1, {})
    assert result.summary["distance"][1] == pytest.approx(total[-1, -1] / (n + K), abs=1e-12)
    assert np.all(np.diff(result.warping[1]) >= 0)
    # both ends meet
    assert result.warping[1, 0] < 1 or result.warping[1, 0] <= n - 1


def test_missing_values_count_with_those_that_are_there() -> None:
    first, third = curves([15, 16])
    # every other point lasts twice as long
    second = np.repeat(first, [1, 2] * 7 + [1], axis=0)[:18] + 0.001
    batches = [first, second, third]
    second[3, 1] = second[4, 1] = second[7, 0] = np.nan
    second[10] = np.nan
    result = align(frame(*batches), dtw=DTW(weights="equal", reference="b0"))
    # a row without any value is left out
    batches[1] = np.delete(batches[1], 10, axis=0)
    for b in (1, 2):
        total, _ = twin(batches, b, {})
        n = len(batches[b])
        assert result.summary["distance"][b] == pytest.approx(total[-1, -1] / (n + 15))
    assert [(f.rule, f.value) for f in result.findings] == [("empty_rows", 1)]
    # a point that met a missing value only stays without one
    assert np.flatnonzero(np.isnan(result.batches["x1"][1])).tolist() == [2]


def test_a_batch_that_runs_ends_where_the_sum_by_length_is_least() -> None:
    rng = np.random.default_rng(3)
    whole = rng.normal(size=(40, 2)).cumsum(axis=0)
    begun = whole[:25] + 0.01 * rng.normal(size=(25, 2))
    result = align(frame(whole, begun), dtw=DTW(weights="equal"), unfinished=["b1"])
    assert np.isfinite(result.warping[1]).sum() == 25
    assert np.isnan(result.batches["x0"][1, 25:]).all()
    (finding,) = result.findings
    assert (finding.rule, finding.subject, finding.value) == ("ends_early", "b1", 15)


def test_points_that_take_a_sample_again_are_marked() -> None:
    result = align(
        frame([0.0, 1, 1, 1, 2], [0.0, 1, 2]), dtw=DTW(weights="equal", reference="b0")
    )
    np.testing.assert_array_equal(result.batches["interpolated"][1], [0, 0, 1, 1, 0])
    assert result.summary["interpolated"].tolist() == [0, 2]


def shifted(seed: int = 0) -> list[np.ndarray]:
    """One variable of steps at other times in each batch, one of noise about nothing."""
    rng = np.random.default_rng(seed)
    batches = []
    for _ in range(6):
        n, late = 60, rng.integers(15, 35)
        steps = 10.0 * (np.arange(n) > late) + rng.normal(size=n) * 0.1
        batches.append(np.column_stack([steps, rng.normal(size=n)]))
    return batches


def kassidas(batches: list[np.ndarray], reference: int, rounds: int) -> np.ndarray:
    """The weights after some rounds, as A. Kassidas et al. describe them."""
    spread = np.mean([np.ptp(x, axis=0) for x in batches], axis=0)
    scaled = [x / spread for x in batches]
    weights, average = np.ones(batches[0].shape[1]), scaled[reference]
    for turn in range(rounds):
        target = average if turn >= 3 else scaled[reference]
        aligned = []
        for x in scaled:
            path = np.array(warp(distances(x, target, weights))[1][len(x) - 1, len(target) - 1])
            aligned.append(
                [x[path[path[:, 1] == k, 0]].mean(axis=0) for k in range(len(target))]
            )
        average = np.mean(aligned, axis=0)
        squares = ((np.array(aligned) - average) ** 2).sum(axis=(0, 1))
        weights = (1 / squares) / (1 / squares).sum() * len(weights)
    return weights


def test_weights_of_kassidas_are_those_of_the_paper() -> None:
    batches = [x[10:50] for x in shifted()]
    aligner = BatchAligner(dtw=DTW(reference="b2")).fit(frame(*batches))
    history = aligner.weights_history_["whole"]
    for rounds in (1, 2, 4):
        np.testing.assert_allclose(history[rounds], kassidas(batches, 2, rounds), rtol=1e-9)
    assert np.abs(history[-1] - history[-2]).max() <= 0.01
    assert history.sum(axis=1) == pytest.approx(2)


def test_weights_of_ramaker_are_those_of_the_paper() -> None:
    batches = [x[10:50] for x in shifted()]
    aligner = BatchAligner(dtw=DTW(weights="ramaker", reference="b2")).fit(frame(*batches))
    spread = np.mean([np.ptp(x, axis=0) for x in batches], axis=0)
    scaled = [x / spread for x in batches]
    ratios = np.full((6, 2), np.nan)
    for b, x in enumerate(scaled):
        path = np.array(warp(distances(x, scaled[2], np.ones(2)))[1][len(x) - 1, 39])
        on = np.zeros((len(x), 40), dtype=bool)
        on[path[:, 0], path[:, 1]] = True
        for j in range(2):
            local = (x[:, j][:, None] - scaled[2][:, j]) ** 2
            if b != 2:
                ratios[b, j] = local[~on].mean() / local[on].mean()
    mean = np.nanmean(ratios, axis=0)
    first = aligner.weights_history_["whole"][1]
    np.testing.assert_allclose(first, mean / mean.sum() * 2, rtol=1e-9)
    # steps tell times apart, noise does not
    assert first[0] > 1.5


def test_weights_that_are_given_are_normalised_and_used() -> None:
    batches = shifted()
    options = DTW(weights={"x0": 3.0, "x1": 0.0}, reference="b0")
    aligner = BatchAligner(dtw=options).fit(frame(*batches))
    np.testing.assert_array_equal(aligner.plans_[0].weights, [2, 0])
    assert [f.rule for f in aligner.findings_] == ["one_variable_steers"]
    alone = BatchAligner(dtw=DTW(weights="equal", reference="b0"))
    single = alone.fit_transform(frame(*[x[:, 0] for x in batches]))
    both = aligner.transform(frame(*batches))
    np.testing.assert_allclose(both["warping"], single["warping"], atol=1e-12)


def test_the_average_can_be_the_reference() -> None:
    batches = shifted()
    options = DTW(weights="equal", target="average", reference="b0")
    aligner = BatchAligner(dtw=options).fit(frame(*batches))
    onto_batch = align(frame(*batches), dtw=DTW(weights="equal", reference="b0")).batches
    for j in range(2):
        average = onto_batch[f"x{j}"].mean("batch")
        np.testing.assert_allclose(aligner.plans_[0].reference[:, j], average, atol=1e-12)


def test_a_reference_with_gaps_is_bridged_and_counted() -> None:
    batches = curves([12, 12])
    batches[0][5, 0] = np.nan
    aligner = BatchAligner(dtw=DTW(weights="equal", reference="b0")).fit(frame(*batches))
    assert [(f.rule, f.value) for f in aligner.findings_] == [("reference_filled", 1)]
    middle = (batches[0][4, 0] + batches[0][6, 0]) / 2
    assert aligner.plans_[0].reference[5, 0] == pytest.approx(middle)


def test_a_variable_that_never_changes_does_not_steer() -> None:
    batches = [np.column_stack([x[:, 0], np.full(len(x), 7.0)]) for x in curves([10, 12])]
    for weights in ("equal", "kassidas", "ramaker"):
        aligner = BatchAligner(dtw=DTW(weights=weights)).fit(frame(*batches))
        np.testing.assert_array_equal(aligner.plans_[0].weights, [2, 0])
    with pytest.raises(InputError, match="no variable changes"):
        align(frame(np.ones(4), np.ones(5)))


def test_identical_batches_have_no_distance() -> None:
    x = curves([20])[0]
    for weights in ("equal", "kassidas", "ramaker"):
        result = align(frame(x, x, x), dtw=DTW(weights=weights))
        np.testing.assert_allclose(result.summary["distance"], 0, atol=1e-14)
        np.testing.assert_array_equal(result.warping[1], np.arange(20))


def test_weights_that_do_not_settle_are_told() -> None:
    with pytest.warns(ConvergenceWarning, match="still change after 2 rounds"):
        BatchAligner(dtw=DTW(max_iterations=2)).fit(frame(*shifted()))


def test_a_slope_that_allows_no_path_names_the_batch() -> None:
    batches = frame(*curves([20, 21, 60]))
    options = DTW(weights="equal", reference="b0", slope=1.0)
    with pytest.raises(InputError, match=r"batch number 2, 60 rows.*2 times"):
        BatchAligner(dtw=DTW(slope=1.0, reference="b0")).fit(batches)
    aligner = BatchAligner(dtw=options).fit(batches.select(["b0", "b1"]))
    result = aligner.align(batches)
    assert np.isnan(result.warping[2]).all()
    assert [(f.rule, f.severity) for f in result.findings] == [("not_aligned", "action")]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"weights": "best"}, "weights must be one of"),
        ({"target": "mean"}, "target must be one of"),
        ({"band": 1.5}, "band must lie in"),
        ({"slope": 3}, "slope must be one of"),
        ({"diagonal": 3}, "diagonal must be 1 or 2"),
        ({"max_iterations": 0}, "max_iterations"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        DTW(**options)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"weights": {"x0": 1.0}}, "weights must name each"),
        ({"weights": {"x0": -1.0, "x1": 1.0, "x2": 1.0}}, "must not be negative"),
        ({"reference": "z"}, "reference must be a batch"),
    ],
)
def test_options_that_do_not_fit_the_batches_are_named(
    options: dict[str, Any], match: str
) -> None:
    with pytest.raises(InputError, match=match):
        align(frame(*curves([10, 12])), dtw=DTW(**options))


def test_variables_are_scaled_by_the_mean_of_their_ranges() -> None:
    batches = curves([10, 12])
    batches[1][:, 1] = np.nan
    aligner = BatchAligner(dtw=DTW(weights="equal", reference="b0")).fit(frame(*batches))
    # a batch without a value of a variable has no range of it
    assert aligner.plans_[0].scale[1] == pytest.approx(np.ptp(batches[0][:, 1]))


def test_a_reference_needs_all_phases() -> None:
    parts = [
        pd.DataFrame({"batch": "a", "time": range(4), "phase": "p", "x": range(4)}),
        pd.DataFrame({"batch": "b", "time": range(4), "phase": "q", "x": range(4)}),
    ]
    with pytest.raises(InputError, match="no batch has all phases"):
        align(pd.concat(parts, ignore_index=True), phases="each")


def test_the_reference_can_have_fewer_points() -> None:
    batches = frame(*curves([21, 25, 23]))
    options = DTW(weights="equal", reference="b0")
    aligner = BatchAligner(n_points=11, dtw=options).fit(batches)
    np.testing.assert_allclose(aligner.time_, np.arange(0, 21, 2))
    own = batches.traces()["b0"].values[::2]
    np.testing.assert_allclose(aligner.plans_[0].reference, own)
    assert dict(aligner.transform(batches).sizes) == {"batch": 3, "time": 11}
