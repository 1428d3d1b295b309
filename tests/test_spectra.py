"""Spectra keep their labels through any container, and an axis is never guessed in silence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pharmaq.errors import AxisError, InputError, InputTypeError
from pharmaq.spectra import (
    as_spectra,
    axis_difference,
    axis_kind,
    axis_values,
    convert_axis,
    header_number,
    range_mask,
    recognise_axis,
    same_axis,
    select_range,
)

NM = [1100.0, 1102.0, 1104.0]


@st.composite
def axes(draw: st.DrawFn, low: float = 190.0) -> np.ndarray:
    """Strictly monotonic positions from `low` on, at least 0.01 apart, up or down."""
    steps = draw(st.lists(st.floats(0.01, 50.0), min_size=1, max_size=12))
    positions = low + np.cumsum([draw(st.floats(0.0, 900.0)), *steps])
    return positions[::-1] if draw(st.booleans()) else positions


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Values, a wavelength axis and a label for each spectrum."""
    axis = draw(axes())
    n_samples = draw(st.integers(1, 4))
    numbers = st.floats(-1e6, 1e6, width=32)
    values = draw(arrays(np.float64, (n_samples, axis.size), elements=numbers))
    labels = draw(st.lists(st.text(max_size=4), min_size=n_samples, max_size=n_samples))
    return values, axis, labels


@pytest.fixture
def spectra() -> xr.DataArray:
    return as_spectra(
        [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]],
        axis=NM,
        kind="wavelength",
        quantity="absorbance",
        coords={"sample": ["T1", "T2"], "batch": ["A", "B"]},
    )


# --- building ------------------------------------------------------------------------------


def test_spectra_have_named_dimensions_and_units(spectra: xr.DataArray) -> None:
    assert spectra.dims == ("sample", "wavelength")
    assert spectra.dtype == np.float64
    assert spectra.attrs == {"quantity": "absorbance", "units": "1", "axis_source": "given"}
    assert spectra.wavelength.attrs == {"units": "nm"}
    assert spectra.sel(sample="T2", wavelength=1102.0).item() == 0.5


@given(tables())
def test_any_container_gives_the_same_spectra(
    table: tuple[np.ndarray, np.ndarray, list[str]],
) -> None:
    values, axis, labels = table
    names = [f"T{i}" for i in range(len(values))]
    frame = pd.DataFrame(values, index=names, columns=axis)
    frame.insert(0, "batch", labels)
    array = xr.DataArray(
        values.T,
        dims=("wavelength", "sample"),
        coords={"wavelength": axis, "sample": names, "batch": ("sample", labels)},
    )
    from_values = as_spectra(
        values.tolist(), axis=axis, kind="wavelength", coords={"sample": names, "batch": labels}
    )
    for data in (frame, array):
        xr.testing.assert_identical(as_spectra(data, kind="wavelength"), from_values)
    np.testing.assert_array_equal(from_values.values, values)
    np.testing.assert_array_equal(from_values.wavelength, axis)
    assert from_values.batch.values.tolist() == labels
    assert from_values.sample.values.tolist() == names


@given(tables())
def test_building_twice_changes_nothing(
    table: tuple[np.ndarray, np.ndarray, list[str]],
) -> None:
    values, axis, labels = table
    once = as_spectra(values, axis=axis, kind="raman_shift", coords={"batch": labels})
    xr.testing.assert_identical(as_spectra(once), once)


def test_a_single_spectrum_may_be_one_dimensional() -> None:
    assert as_spectra([0.1, 0.2, 0.3], axis=NM).shape == (1, 3)


def test_one_spectrum_taken_from_many_keeps_its_labels(spectra: xr.DataArray) -> None:
    again = as_spectra(spectra.isel(sample=1))
    xr.testing.assert_identical(again, spectra.isel(sample=[1]))


def test_a_label_without_dimension_holds_for_every_spectrum(spectra: xr.DataArray) -> None:
    out = as_spectra(spectra.assign_coords(instrument="NIR 1"))
    assert out.instrument.values.tolist() == ["NIR 1", "NIR 1"]


def test_samples_are_numbered_where_nothing_names_them() -> None:
    assert as_spectra([[1, 2], [3, 4]], axis=[1100, 1102]).sample.values.tolist() == [0, 1]


def test_a_frame_with_a_sample_column_is_named_by_it() -> None:
    frame = pd.DataFrame({"sample": ["x", "y"], 1100: [1.0, 2.0], 1102: [1.0, 2.0]})
    assert as_spectra(frame).sample.values.tolist() == ["x", "y"]


def test_a_frame_keeps_its_index_where_the_axis_is_given() -> None:
    frame = pd.DataFrame([[1.0, 2.0]], index=["T7"], columns=["a", "b"])
    out = as_spectra(frame, axis=[1100, 1102])
    assert out.sample.values.tolist() == ["T7"]
    assert axis_values(out).tolist() == [1100.0, 1102.0]


@pytest.mark.parametrize(
    ("headers", "kind", "axis"),
    [
        (["1100", "1102.5"], "wavelength", [1100.0, 1102.5]),
        (["1100,5 nm", "1102nm"], "wavelength", [1100.5, 1102.0]),
        (["800 cm-1", "790 cm-1"], "wavenumber", [800.0, 790.0]),
        ([12500, 4000], "wavenumber", [12500.0, 4000.0]),
    ],
)
def test_the_headers_of_a_frame_are_the_axis(
    headers: list[Any], kind: str, axis: list[float]
) -> None:
    frame = pd.DataFrame([["a", 1.0, 2.0]], columns=["api", *headers])
    out = as_spectra(frame)
    assert axis_kind(out) == kind
    assert axis_values(out).tolist() == axis
    assert out.api.values.tolist() == ["a"]


def test_times_keep_their_zone() -> None:
    times = pd.Series(pd.to_datetime(["2026-01-02 03:04"]).tz_localize("Europe/Berlin"))
    out = as_spectra([[1.0, 2.0]], axis=[1100, 1102], coords={"time": times})
    assert out.time.values[0] == pd.Timestamp("2026-01-02 02:04", tz="UTC")
    assert as_spectra(out).time.values[0].tzinfo is not None


def test_columns_of_pandas_become_plain_arrays() -> None:
    columns = {
        "batch": pd.Series(["a", "b"]),
        "line": pd.Categorical(["x", "y"]),
        "mass": pd.array([250, None], dtype="Int64"),
    }
    out = as_spectra([[1.0, 2.0], [3.0, 4.0]], axis=[1100, 1102], coords=columns)
    assert all(type(out[name].data) is np.ndarray for name in columns)
    assert out.line.values.tolist() == ["x", "y"]


def test_given_coordinates_replace_those_of_the_data(spectra: xr.DataArray) -> None:
    out = as_spectra(spectra, coords={"batch": ["C", "D"]})
    assert out.batch.values.tolist() == ["C", "D"]


def test_data_and_their_attributes_are_not_changed(spectra: xr.DataArray) -> None:
    before = spectra.copy(deep=True)
    as_spectra(spectra, quantity="reflectance", coords={"batch": ["C", "D"]})
    xr.testing.assert_identical(spectra, before)


@pytest.mark.parametrize(
    ("quantity", "attrs", "expected"),
    [
        (None, {}, ("unknown", "1")),
        ("counts", {}, ("counts", "counts")),
        (None, {"quantity": "counts", "units": "counts"}, ("counts", "counts")),
        ("absorbance", {"quantity": "counts", "units": "counts"}, ("absorbance", "1")),
        ("reflectance", {"units": "percent"}, ("reflectance", "percent")),
        (None, {"quantity": "reflectance", "units": "percent"}, ("reflectance", "percent")),
    ],
)
def test_units_of_the_values_are_kept_and_never_guessed(
    quantity: Any, attrs: dict[str, str], expected: tuple[str, str]
) -> None:
    coords = {"wavelength": NM}
    data = xr.DataArray([[1.0, 2.0, 3.0]], coords, dims=("sample", "wavelength"), attrs=attrs)
    out = as_spectra(data, quantity=quantity)
    assert (out.attrs["quantity"], out.attrs["units"]) == expected


VALUES = [[0.1, 0.2, 0.3]]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, AxisError, "axis is missing: give the position of each point"),
        ({"axis": [1, 2, 3]}, AxisError, "from 1 to 3 cannot be recognised; give kind"),
        ({"axis": [1100, 1102]}, AxisError, "axis has 2 positions, .* 3 points"),
        ({"axis": [NM]}, AxisError, r"axis must be one-dimensional .*\(1, 3\)"),
        ({"axis": []}, AxisError, r"axis must be .*not empty, got shape \(0,\)"),
        ({"axis": ["a", "b", "c"]}, AxisError, "axis must hold numbers only: .*'a'"),
        ({"axis": [1100, math.nan, 1104]}, AxisError, r"axis\[1\] is nan"),
        ({"axis": [1100, 1102, math.inf]}, AxisError, r"axis\[2\] is inf"),
        ({"axis": [1100, 1104, 1102]}, AxisError, "1102 follows 1104 at point 2; sort"),
        ({"axis": [1104, 1100, 1102]}, AxisError, "1100 follows 1104 at point 1; sort"),
        ({"axis": [1100, 1100, 1102]}, AxisError, "position 1100 is duplicated"),
        ({"axis": [1100, 1102, 1100]}, AxisError, "position 1100 is duplicated"),
        ({"axis": [1100, 1100, 1100]}, AxisError, "position 1100 is duplicated"),
        ({"axis": NM, "kind": "frequency"}, InputError, "kind must be one of 'wavelength'"),
        ({"axis": NM, "quantity": "colour"}, InputError, "quantity must be one of"),
        ({"axis": NM, "quantity": ""}, InputError, "quantity must be one of"),
        ({"axis": NM, "coords": {"api": [1, 2]}}, InputError, r"'api' has shape \(2,\)"),
        ({"axis": NM, "coords": {"api": 1.0}}, InputError, "'api' .*one value a spectrum"),
        ({"axis": NM, "coords": {"wavelength": [5]}}, InputError, "called 'wavelength'"),
        ({"axis": NM, "coords": {"raman_shift": [5]}}, InputError, "called 'raman_shift'"),
    ],
)
def test_an_argument_that_breaks_a_rule_is_refused_in_one_line(
    arguments: dict[str, Any], error: type[InputError], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        as_spectra(VALUES, **arguments)
    assert "\n" not in str(caught.value)


def test_the_step_against_the_direction_of_the_others_is_named() -> None:
    for axis in ([6.0, 7.0, 8.0, 9.0, 1.0, 2.0], [4.0, 3.0, 9.0, 8.0, 7.0, 6.0]):
        jump = next(i for i in range(1, 6) if abs(axis[i] - axis[i - 1]) > 1)
        message = f"{axis[jump]:g} follows {axis[jump - 1]:g} at point {jump}; sort"
        with pytest.raises(AxisError, match=message):
            as_spectra(np.zeros(6), axis=axis, kind="raman_shift")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[0.1, math.nan, 0.3]], r"spectra\[0, 1\] is NaN .*remove or replace"),
        ([[0.1, 0.2, -math.inf]], r"spectra\[0, 2\] is -inf"),
        ([["low", 0.2, 0.3]], "spectra must hold numbers only: .*'low'"),
        ([[0.1, 0.2], [0.3]], "spectra must hold numbers only"),
        (np.array([[1j, 1, 1]]), "spectra must hold numbers only: got complex"),
        ([[[0.1, 0.2, 0.3]]], r"spectra must have shape .* got \(1, 1, 3\); give one"),
        (0.1, r"spectra must have shape .* got \(\)"),
        (None, r"spectra must have shape .* got \(\)"),
        ([], r"spectra must not be empty, got shape \(1, 0\)"),
        (np.empty((0, 3)), r"spectra must not be empty, got shape \(0, 3\)"),
    ],
)
def test_values_that_break_a_rule_are_refused(values: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_spectra(values, axis=NM, kind="wavelength")


@pytest.mark.parametrize(
    ("frame", "arguments", "message"),
    [
        (pd.DataFrame({"a": [1.0]}), {}, "no header of the frame is a number; rename"),
        (
            pd.DataFrame([[1.0, 2.0, 3.0]], columns=["1100 nm", "800 cm-1", "1102"]),
            {},
            "headers of the frame mix 1/cm and nm and no unit; write the same unit",
        ),
        (
            pd.DataFrame([[1.0, 2.0]], columns=["1100", "1100 "]),
            {},
            "position 1100 is duplicated",
        ),
        (
            pd.DataFrame([["a", "b", 1.0]], columns=["batch", "batch", "1100"]),
            {},
            "column 'batch' stands twice; remove one",
        ),
        (
            pd.DataFrame([[1.0, 2.0]], columns=["1100 nm", "1102 nm"]),
            {"kind": "wavenumber"},
            "kind is 'wavenumber', which is in 1/cm, but the unit of the axis is nm; correct",
        ),
        (
            pd.DataFrame([[1.0, 2.0]], columns=["800 cm-1", "802 cm-1"]),
            {"kind": "wavelength"},
            "kind is 'wavelength', which is in nm, but the unit of the axis is 1/cm",
        ),
        (
            pd.DataFrame([[1.0, 2.0, 5.0]], columns=["1100", "1102", "wavelength"]),
            {},
            "a sample coordinate cannot be called 'wavelength'",
        ),
        (
            pd.DataFrame([[1.0, 2.0]], columns=["1100", math.nan]),
            {},
            r"axis must be finite, but axis\[1\] is nan",
        ),
        (
            pd.DataFrame([["T1", 1.0]], columns=["name", "1100"]),
            {"axis": [1100, 1102]},
            "spectra must hold numbers only: .*'T1'",
        ),
    ],
    ids=str,
)
def test_a_frame_that_breaks_a_rule_is_refused(
    frame: pd.DataFrame, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        as_spectra(frame, **arguments)


def test_another_kind_than_that_of_the_spectra_is_refused(spectra: xr.DataArray) -> None:
    with pytest.raises(AxisError, match=r"kind is 'wavenumber', .* use convert_axis"):
        as_spectra(spectra, kind="wavenumber")


def test_the_axis_of_labelled_spectra_cannot_be_replaced(spectra: xr.DataArray) -> None:
    with pytest.raises(InputError, match=r"axis cannot be given .*assign_coords"):
        as_spectra(spectra, axis=[1, 2, 3])


def test_another_dimension_is_refused(spectra: xr.DataArray) -> None:
    with pytest.raises(AxisError, match=r"need the dimensions .*'row'.*rename"):
        as_spectra(spectra.rename(sample="row"))


@pytest.mark.parametrize("function", [axis_kind, axis_values, as_spectra])
@pytest.mark.parametrize("dims", [("sample", "x"), ("wavelength", "raman_shift")])
def test_spectra_have_exactly_one_axis(function: Any, dims: tuple[str, str]) -> None:
    with pytest.raises(AxisError, match="spectra need one dimension out of wavelength"):
        function(xr.DataArray([[1.0]], dims=dims))


@pytest.mark.parametrize("function", [axis_values, as_spectra])
def test_an_axis_without_positions_is_refused(function: Any) -> None:
    with pytest.raises(AxisError, match="lack the coordinate 'wavelength'; assign"):
        function(xr.DataArray([[1.0, 2.0]], dims=("sample", "wavelength")))


@pytest.mark.parametrize("function", [axis_values, as_spectra])
@pytest.mark.parametrize(("kind", "unit"), [("wavelength", "um"), ("wavenumber", "nm")])
def test_an_axis_in_other_units_is_refused(function: Any, kind: str, unit: str) -> None:
    axis = (kind, [1.1, 1.2], {"units": unit})
    data = xr.DataArray([[1.0, 2.0]], dims=("sample", kind), coords={kind: axis})
    with pytest.raises(AxisError, match=f"{kind} must be in .* units of the axis are '{unit}'"):
        function(data)


def test_an_axis_of_words_is_refused() -> None:
    coords = {"wavelength": ["red", "blue"]}
    data = xr.DataArray([[1.0, 2.0]], dims=("sample", "wavelength"), coords=coords)
    with pytest.raises(AxisError, match=r"axis must hold numbers only: .*red"):
        axis_values(data)


@pytest.mark.parametrize("unit", ["cm-1", "cm^-1", "cm⁻¹", "1/cm"])
def test_all_spellings_of_the_unit_are_the_same(unit: str) -> None:
    axis = ("raman_shift", [200.0, 210.0], {"units": unit})
    data = xr.DataArray(
        [[1.0, 2.0]], dims=("sample", "raman_shift"), coords={"raman_shift": axis}
    )
    assert as_spectra(data).raman_shift.attrs == {"units": "1/cm"}


# --- recognising ---------------------------------------------------------------------------


# ranges of instruments: Foss NIRSystems 6500 400 to 2498 nm; FT-NIR 12500 to 4000 1/cm; a
# diode array in the ultraviolet from 190 nm
@pytest.mark.parametrize(
    ("axis", "kind"),
    [
        ([400, 2498], "wavelength"),
        ([190, 1100], "wavelength"),
        ([2700, 190], "wavelength"),
        ([12500, 4000], "wavenumber"),
        ([400, 4000], "wavenumber"),
        ([16000, 3301], "wavenumber"),
    ],
)
def test_the_range_of_a_near_infrared_axis_tells_its_kind(axis: list[int], kind: str) -> None:
    found, source = recognise_axis(axis)
    assert found == kind
    assert source.startswith(f"recognised from its range {min(axis)} to {max(axis)} as ")


@pytest.mark.parametrize(
    "axis", [[189, 1100], [1100, 2701], [200, 3300], [0, 4000], [-5, 4000], [4000, 16001], [1]]
)
def test_an_ambiguous_range_is_refused(axis: list[int]) -> None:
    with pytest.raises(
        AxisError, match=r"cannot be recognised; give kind as one of wavelength"
    ):
        recognise_axis(axis)


@pytest.mark.parametrize(
    ("unit", "kind"),
    [("nm", "wavelength"), ("1/cm", "wavenumber"), ("cm-1", "wavenumber")],
)
def test_the_unit_goes_before_the_range(unit: str, kind: str) -> None:
    assert recognise_axis([5, 6], unit=unit) == (kind, f"unit {unit} in the header")


@pytest.mark.parametrize(
    ("kind", "unit"),
    [
        ("raman_shift", None),
        ("raman_shift", "1/cm"),
        ("wavenumber", "cm-1"),
        ("wavelength", "nm"),
    ],
)
def test_the_kind_goes_before_all_where_the_unit_agrees(kind: str, unit: str | None) -> None:
    assert recognise_axis([1100, 1102], kind=kind, unit=unit) == (kind, "given")


@pytest.mark.parametrize(
    ("kind", "unit"), [("wavelength", "1/cm"), ("wavenumber", "nm"), ("raman_shift", "nm")]
)
def test_a_unit_that_contradicts_the_kind_is_refused(kind: str, unit: str) -> None:
    with pytest.raises(AxisError, match=rf"kind is '{kind}', .* unit of the axis is {unit};"):
        recognise_axis([1100, 1102], kind=kind, unit=unit)


@pytest.mark.parametrize("unit", ["um", "cm", ""])
@pytest.mark.parametrize("kind", [None, "wavelength"])
def test_a_unit_of_no_spectral_axis_is_refused(unit: str, kind: str | None) -> None:
    with pytest.raises(AxisError, match=f"unit '{unit}' is none of a spectral axis; use 'nm'"):
        recognise_axis([1100, 1102], kind=kind, unit=unit)


@pytest.mark.parametrize("axis", [[], ["a"], [[1100.0]], 1100.0])
def test_what_is_no_axis_is_not_recognised(axis: Any) -> None:
    with pytest.raises(AxisError, match="axis must "):
        recognise_axis(axis)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (1100, (1100.0, None)),
        (np.float32(1100.5), (1100.5, None)),
        ("1100", (1100.0, None)),
        (" 1100,5 ", (1100.5, None)),
        ("1.1e3 nm", (1100.0, "nm")),
        ("7398.3cm-1", (7398.3, "1/cm")),
        ("7398.3 cm^-1", (7398.3, "1/cm")),
        ("7398.3 cm⁻¹", (7398.3, "1/cm")),
        ("-20 1/cm", (-20.0, "1/cm")),
        ("batch", None),
        ("", None),
        ("1100 um", None),
        ("T1100", None),
        ("1,100.5", None),
        ("2026-01-02", None),
        (True, None),
        (None, None),
        (pd.Timestamp("2026-01-02"), None),
    ],
)
def test_a_header_is_read_as_position_and_unit(header: Any, expected: Any) -> None:
    assert header_number(header) == expected


@given(st.floats(-1e6, 1e6), st.sampled_from(["", " nm"]))
def test_any_number_is_read_from_its_own_text(number: float, unit: str) -> None:
    assert header_number(f"{number!r}{unit}") == (number, unit.strip() or None)


# --- converting ----------------------------------------------------------------------------


# silicon at 520.7 1/cm with a laser of 532 nm: 10^7 / 532 - 520.7 = 18276.2925 1/cm, and
# 10^7 / 18276.2925 = 547.1569 nm
def test_silicon_scatters_532_nm_to_547_nm() -> None:
    silicon = as_spectra([[1.0]], axis=[520.7], kind="raman_shift")
    wavelength = convert_axis(silicon, "wavelength", laser=532)
    wavenumber = convert_axis(silicon, "wavenumber", laser=532)
    assert axis_values(wavelength) == pytest.approx([547.1569], abs=5e-5)
    assert axis_values(wavenumber) == pytest.approx([18276.2925], abs=5e-5)
    back = convert_axis(wavelength, "raman_shift", laser=532)
    assert axis_values(back) == pytest.approx([520.7], abs=1e-9)


# 10^7 / nm; the last is the helium-neon laser in air
@pytest.mark.parametrize(("nm", "per_cm"), [(1000, 10000), (2500, 4000), (632.8, 15802.78)])
def test_wavelength_and_wavenumber_are_reciprocal(nm: float, per_cm: float) -> None:
    one = convert_axis(as_spectra([[1.0]], axis=[nm], kind="wavelength"), "wavenumber")
    two = convert_axis(as_spectra([[1.0]], axis=[per_cm], kind="wavenumber"), "wavelength")
    assert axis_values(one) == pytest.approx([per_cm], abs=5e-3)
    assert axis_values(two) == pytest.approx([nm], abs=5e-3)


def test_an_anti_stokes_line_has_a_negative_shift() -> None:
    line = as_spectra([[1.0]], axis=[500.0], kind="wavelength")
    shift = convert_axis(line, "raman_shift", laser=532)
    assert axis_values(shift) == pytest.approx([1e7 / 532 - 20000])


@given(tables(), st.sampled_from(["wavenumber", "raman_shift"]), st.floats(200, 1100))
def test_there_and_back_is_the_same_axis(
    table: tuple[np.ndarray, np.ndarray, list[str]], kind: Any, laser: float
) -> None:
    values, axis, labels = table
    spectra = as_spectra(values, axis=axis, kind="wavelength", coords={"batch": labels})
    other = convert_axis(spectra, kind, laser=laser)
    back = convert_axis(other, "wavelength", laser=laser)
    assert other.dims == ("sample", kind)
    assert other[kind].attrs == {"units": "1/cm"}
    np.testing.assert_array_equal(other.values, values)
    np.testing.assert_allclose(axis_values(back), axis, rtol=1e-9)
    xr.testing.assert_identical(back.assign_coords(wavelength=spectra.wavelength), spectra)


@given(axes())
def test_ascending_nm_are_descending_wavenumbers(axis: np.ndarray) -> None:
    spectra = as_spectra(np.zeros((1, axis.size)), axis=axis, kind="wavelength")
    up = np.diff(axis_values(convert_axis(spectra, "wavenumber"))) > 0
    assert np.array_equal(up, np.diff(axis) < 0)


def test_the_same_kind_is_no_conversion(spectra: xr.DataArray) -> None:
    assert convert_axis(spectra, "wavelength") is spectra


def test_converting_leaves_the_spectra_as_they_are(spectra: xr.DataArray) -> None:
    before = spectra.copy(deep=True)
    convert_axis(spectra, "wavenumber")
    xr.testing.assert_identical(spectra, before)


@pytest.mark.parametrize(
    ("kind", "axis", "to", "arguments", "message"),
    [
        ("wavelength", NM, "raman_shift", {}, "laser is missing: .* nm"),
        ("raman_shift", NM, "wavelength", {}, "laser is missing"),
        ("raman_shift", NM, "wavenumber", {"laser": 0}, r"laser must lie in \(0, inf\), got 0"),
        ("wavelength", NM, "raman_shift", {"laser": -532}, "laser must lie in .*got -532"),
        ("wavelength", NM, "raman_shift", {"laser": math.nan}, "laser must lie in .*got nan"),
        ("wavelength", [-5, 0, 5], "wavenumber", {}, "wavelength must be positive .*got -5"),
        ("wavenumber", [0, 5, 9], "wavelength", {}, "wavenumber must be positive .*got 0"),
        (
            "raman_shift",
            [10, 18800],
            "wavelength",
            {"laser": 532},
            "raman_shift reaches beyond",
        ),
        ("wavelength", [1e20, 2e20], "raman_shift", {"laser": 532}, "is duplicated"),
        ("wavelength", NM, "frequency", {}, "to must be one of 'wavelength'"),
        ("wavelength", NM, None, {}, "to must be one of 'wavelength'"),
    ],
)
def test_what_cannot_be_converted_is_refused(
    kind: Any, axis: list[float], to: Any, arguments: dict[str, Any], message: str
) -> None:
    spectra = as_spectra(np.zeros((1, len(axis))), axis=axis, kind=kind)
    with pytest.raises(InputError, match=message):
        convert_axis(spectra, to, **arguments)


def test_a_laser_that_is_no_number_is_a_type_error(spectra: xr.DataArray) -> None:
    with pytest.raises(InputTypeError, match="laser must be a real number, got '532'"):
        convert_axis(spectra, "raman_shift", laser="532")  # type: ignore[arg-type]


# --- selecting -----------------------------------------------------------------------------


def test_ends_of_a_range_are_included_in_any_order(spectra: xr.DataArray) -> None:
    assert select_range(spectra, (1102, 1100)).wavelength.values.tolist() == [1100.0, 1102.0]


@given(axes(), st.data())
def test_points_in_one_of_the_ranges_are_kept_in_order(
    axis: np.ndarray, data: st.DataObject
) -> None:
    pairs = st.tuples(st.sampled_from(axis.tolist()), st.sampled_from(axis.tolist()))
    ranges = data.draw(st.lists(pairs, min_size=1, max_size=3))
    spectra = as_spectra(np.zeros((1, axis.size)), axis=axis, kind="wavelength")
    kept = [x for x in axis if any(min(ends) <= x <= max(ends) for ends in ranges)]
    assert axis_values(select_range(spectra, *ranges)).tolist() == kept
    assert range_mask(axis, ranges).sum() == len(kept)


@pytest.mark.parametrize(
    ("ranges", "error", "message"),
    [
        ([], InputError, "ranges are missing; give one or more pairs"),
        ([(1150, 1160)], AxisError, "range 1150 to 1160 holds no point .*1100 to 1104"),
        ([(1100, 1102), (1, 2)], AxisError, "range 1 to 2 holds no point"),
        ([1100, 1102], InputError, r"must be a pair of ends, such as \(1100, 1300\), got 1100"),
        ([(1100, 1102, 1104)], InputError, "must be a pair of ends"),
        (["ab"], InputError, "must be a pair of ends"),
        ([slice(1100, 1104)], InputError, "must be a pair of ends"),
        ([(1100, math.nan)], InputError, "range must be finite, got nan"),
        ([(1100, math.inf)], InputError, "range must be finite, got inf"),
        ([("1100", 1102)], InputTypeError, "range must be a real number, got '1100'"),
        ([(None, 1102)], InputTypeError, "range must be a real number, got None"),
    ],
)
def test_a_range_that_breaks_a_rule_is_refused(
    spectra: xr.DataArray, ranges: list[Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        select_range(spectra, *ranges)


# --- comparing -----------------------------------------------------------------------------


@given(axes(), st.floats(-0.009, 0.009))
def test_rounding_leaves_an_axis_the_same(axis: np.ndarray, share: float) -> None:
    spacing = np.abs(np.diff(axis)).min()
    assert same_axis(axis, axis + share * spacing)


@given(axes(), st.sampled_from([-1.0, -0.1, 0.1, 1.0]))
def test_a_shift_by_a_tenth_of_a_point_is_another_axis(axis: np.ndarray, share: float) -> None:
    spacing = np.abs(np.diff(axis)).min()
    assert not same_axis(axis, axis + share * spacing)


def test_a_shift_by_one_point_is_said_in_words() -> None:
    axis = np.arange(1100.0, 1200.0, 2.0)
    said = axis_difference(axis, axis + 2.0)
    assert said == "1102 instead of 1100 at point 0 (mean shift +2, spacing 2)"


def test_a_single_wrong_point_is_said_in_words() -> None:
    said = axis_difference([12345.67, 12346.67, 12347.67], [12345.67, 12346.69, 12347.67])
    assert said == ("12346.69 instead of 12346.67 at point 1 (mean shift +0.006667, spacing 1)")


@given(axes())
def test_the_reverse_order_is_said_in_words(axis: np.ndarray) -> None:
    assert axis_difference(axis, axis[::-1]) == "the same points in reverse order"


def test_another_length_is_said_in_words() -> None:
    said = axis_difference([1100, 1102, 1104], [1100, 1104])
    assert said == "2 points from 1100 to 1104 instead of 3 points from 1100 to 1104"


def test_a_position_that_is_nan_is_a_difference() -> None:
    assert axis_difference(NM, [1100.0, math.nan, 1104.0]).startswith("nan instead of 1102 ")


def test_one_point_is_compared_to_a_hundredth_of_a_unit() -> None:
    assert same_axis([520.7], [520.709])
    assert not same_axis([520.7], [520.72])


@pytest.mark.parametrize(("tolerance", "same"), [(0, False), (0.1, True)])
def test_the_tolerance_is_a_share_of_the_spacing(tolerance: float, same: bool) -> None:
    shifted = [x + 0.1 for x in NM]
    assert same_axis(NM, shifted, tolerance=tolerance) is same
    assert same_axis(NM, NM, tolerance=tolerance)


@pytest.mark.parametrize("axis", [[], 5.0, [[1.0, 2.0]], ["a"], None])
def test_what_is_no_axis_cannot_be_compared(axis: Any) -> None:
    with pytest.raises(AxisError, match=r"^second must "):
        axis_difference(NM, axis)
    with pytest.raises(AxisError, match=r"^first must "):
        same_axis(axis, NM)


@pytest.mark.parametrize(
    ("tolerance", "message"),
    [
        (-0.1, "tolerance must not be negative, got -0.1"),
        (math.nan, "tolerance must be finite"),
    ],
)
def test_a_tolerance_that_breaks_a_rule_is_refused(tolerance: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        same_axis(NM, NM, tolerance=tolerance)
