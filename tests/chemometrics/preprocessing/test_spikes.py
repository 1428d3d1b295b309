from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.utils.estimator_checks import check_estimator

from pharmaq.chemometrics.preprocessing import learns_from_samples
from pharmaq.chemometrics.preprocessing._spikes import Despike
from pharmaq.errors import AxisError, InputError, InputTypeError
from pharmaq.spectra import as_spectra

rows = arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(3, 40)),
    elements=st.integers(-1000, 1000).map(float),
)
BUMPY = [1.0, 2.0, 2.0, 3.0, 90.0, 3.0, 2.0, 1.0, 1.0]


def naive_despike(row: np.ndarray, threshold: float, window: int) -> np.ndarray:
    """Follow the definition point by point."""
    d = [row[t + 1] - row[t] for t in range(len(row) - 1)]
    size = [abs(v - np.median(d)) for v in d]
    sigma = np.median(size) / 0.6745 or np.mean(size) * math.sqrt(math.pi / 2)
    padded = np.pad(row, window, mode="reflect")
    off = [abs(row[j] - np.median(padded[j : j + 2 * window + 1])) for j in range(len(row))]
    marked = set()
    for t in range(len(d)):
        if sigma > 0 and size[t] / sigma > threshold:
            marked.add(t if off[t] > off[t + 1] else t + 1)
    out = row.copy()
    for j in marked:
        sound = [i for i in range(len(row)) if i not in marked]
        reach = max(window, min(abs(i - j) for i in sound))
        out[j] = np.mean([row[i] for i in sound if abs(i - j) <= reach])
    return out


# by hand after D. A. Whitaker, K. Hayes, Chemom. Intell. Lab. Syst. 179 (2018) 82: differences
# 1 0 1 87 -87 -1 -1 0 have the median 0 and the MAD 1, so that |z| is 0.6745 * 87 = 58.7 there;
# the neighbours 2 3 and 3 2 have the mean 2.5
def test_a_spike_is_found_and_replaced_as_worked_by_hand() -> None:
    step = Despike(58.6, window=2).fit([BUMPY])
    assert np.flatnonzero(step.spikes([BUMPY])).tolist() == [4]
    assert step.transform([BUMPY])[0].tolist() == [1, 2, 2, 3, 2.5, 3, 2, 1, 1]
    assert not step.set_params(threshold=58.7).spikes([BUMPY]).any()


# by hand: 19 differences of 0 and two of 30 have the MAD 0 and the mean deviation 60 / 21, so
# that |z| is 30 / (60 / 21 * sqrt(pi / 2)) = 8.38
def test_a_spike_on_a_flat_line_is_found_without_a_mad() -> None:
    line = np.full((1, 22), 5.0)
    line[0, 8] = 35.0
    assert np.flatnonzero(Despike(8.37).fit(line).spikes(line)).tolist() == [8]
    assert not Despike(8.38).fit(line).spikes(line).any()
    assert Despike().fit_transform(line)[0].tolist() == [5.0] * 22


@given(rows, st.sampled_from([1.0, 2.5, 7.0]), st.integers(1, 4))
def test_despike_equals_its_slow_twin(X: np.ndarray, threshold: float, window: int) -> None:
    expected = np.array([naive_despike(row, threshold, window) for row in X])
    out = Despike(threshold, window=window).fit_transform(X)
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-12)


@given(rows, st.floats(0.5, 20))
def test_what_is_not_marked_is_not_changed(X: np.ndarray, threshold: float) -> None:
    step = Despike(threshold).fit(X)
    marked = step.spikes(X)
    np.testing.assert_array_equal(step.transform(X)[~marked], X[~marked])


def test_spikes_of_two_points_and_at_the_ends_are_taken_off_whole() -> None:
    X = np.random.default_rng(0).normal(size=(1, 200))
    clean = X.copy()
    for place in (0, 50, 51, 120, 199):
        X[0, place] += 200.0 + place
    step = Despike().fit(X)
    assert np.flatnonzero(step.spikes(X)).tolist() == [0, 50, 51, 120, 199]
    np.testing.assert_allclose(step.transform(X), clean, atol=5)


def test_a_dip_is_a_spike_too() -> None:
    X = np.random.default_rng(1).normal(size=(1, 100))
    X[0, 40] -= 300.0
    assert np.flatnonzero(Despike().fit(X).spikes(X)).tolist() == [40]


# the bands of this spectrum are sharp: their z-scores reach 84
def test_cosmic_rays_on_a_raman_spectrum_are_found_above_its_bands(shared: Path) -> None:
    table = np.loadtxt(shared / "data" / "raman" / "paracetamol_raman.txt")
    spectrum = table[:, 1].copy()
    step = Despike(threshold=90).fit([spectrum])
    assert not step.spikes([spectrum]).any()
    places = [300, 1500, 2500, 3600]
    spectrum[places] += 60_000
    assert np.flatnonzero(step.spikes([spectrum])).tolist() == places


def test_a_constant_spectrum_has_no_spikes() -> None:
    assert Despike().fit_transform([[3.0] * 9]).tolist() == [[3.0] * 9]


def test_one_spectrum_gives_the_same_bits_alone_and_among_many() -> None:
    X = np.random.default_rng(2).standard_t(2, size=(50, 101))
    step = Despike(threshold=3).fit(X)
    np.testing.assert_array_equal(step.transform(X)[[31]], step.transform(X[[31]]))
    assert step.spikes(X)[31].any()


def test_labels_survive_and_marks_have_no_units() -> None:
    spectra = as_spectra(
        [BUMPY, BUMPY],
        axis=np.arange(9.0),
        kind="raman_shift",
        quantity="counts",
        coords={"batch": ["a", "b"]},
    )
    step = Despike(window=2).fit(spectra)
    out, marks = step.transform(spectra), step.spikes(spectra)
    assert out.batch.values.tolist() == marks.batch.values.tolist() == ["a", "b"]
    assert out.attrs["units"] == "counts"
    assert isinstance(marks, xr.DataArray)
    assert marks.dtype == bool
    assert marks.attrs == {}
    assert int(marks.sum()) == 2
    with pytest.raises(AxisError, match="mean shift"):
        step.spikes(spectra.assign_coords(raman_shift=spectra.raman_shift + 1))
    frame = pd.DataFrame(spectra.values, index=["x", "y"])
    table = step.fit(frame).transform(frame)
    assert list(table.index) == ["x", "y"]
    np.testing.assert_array_equal(table, out.values)
    assert step.spikes(frame).sum().sum() == 2


def test_transform_changes_neither_the_step_nor_its_argument() -> None:
    X = np.array([BUMPY])
    step = Despike().fit(X)
    before = dict(vars(step))
    step.transform(X)
    assert X.tolist() == [BUMPY]
    assert vars(step) == before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 0.0}, r"threshold must lie in \(0, inf\), got 0.0"),
        ({"window": 0}, "window must be at least 1, got 0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Despike(**settings).fit([BUMPY])  # type: ignore[arg-type]


def test_a_window_that_is_no_whole_number_is_refused() -> None:
    with pytest.raises(InputTypeError, match="window must be a whole number"):
        Despike(window=2.5).fit([BUMPY])  # type: ignore[arg-type]


def test_missing_values_are_named_by_place() -> None:
    with pytest.raises(InputError, match=r"X\[0, 1\] is NaN"):
        Despike().fit([[1.0, np.nan, 2.0]])


def test_despike_may_stand_before_cross_validation() -> None:
    assert not learns_from_samples(Despike())


@pytest.mark.slow
def test_scikit_learn_accepts_the_estimator() -> None:
    check_estimator(Despike(), on_skip=None)
