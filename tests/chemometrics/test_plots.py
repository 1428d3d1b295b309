from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes

from pharmaq import datasets
from pharmaq.chemometrics import PLS, Calibration, cross_validate, plots, vip
from pharmaq.spectra import as_spectra


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    mpl.use("Agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def simulated() -> datasets.SimulatedTablets:
    return datasets.tablets(n_batches=10, tablets_per_batch=6, random_state=3)


@pytest.fixture(scope="module")
def calibration(simulated: datasets.SimulatedTablets) -> Calibration:
    return Calibration("range(1100-1500, 1700-2100), snv").fit(simulated.spectra, "api")


def test_all_spectra_are_drawn(simulated: datasets.SimulatedTablets) -> None:
    ax = plots.plot_spectra(simulated.spectra, color_by=simulated.spectra.api)
    assert len(ax.lines) == 60
    np.testing.assert_array_equal(ax.lines[5].get_ydata(), simulated.spectra.values[5])
    assert ax.get_xlabel() == "wavelength / nm"
    assert ax.get_ylabel() == "absorbance"


def test_many_spectra_are_drawn_as_one_collection() -> None:
    spectra = as_spectra(np.random.default_rng(0).normal(size=(500, 5)), axis=range(1100, 1105))
    ax = plots.plot_spectra(spectra)
    assert len(ax.collections[0].get_segments()) == 500
    assert ax.get_ylabel() == "signal"


def test_a_descending_axis_is_drawn_as_it_comes() -> None:
    spectra = as_spectra([[1.0, 2.0, 3.0]], axis=[9000, 8000, 7000], kind="wavenumber")
    assert plots.plot_spectra(spectra).get_xlim() == (9000.0, 7000.0)


def test_rmsecv_marks_the_choice(calibration: Calibration) -> None:
    chosen = calibration.n_components_
    ax = plots.plot_rmsecv(calibration.cross_validation_, chosen=chosen)
    curve = ax.lines[0].get_ydata()
    assert curve[1:] == pytest.approx(calibration.rmsecv_)
    assert (
        ax.texts[0].get_text() == f"{chosen} components: {calibration.rmsecv_[chosen - 1]:.4g}"
    )


def test_several_responses_get_a_curve_each() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 8))
    result = cross_validate(PLS(2), X, X[:, :2], cv="loo")
    ax = result.plot()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["y0", "y1"]


def test_predicted_over_reference_has_identity_and_limits() -> None:
    ax = plots.plot_predicted([1, 2, 3], [1, 2, 3.2], rmse=0.1, other=([1], [1.1], "new"))
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["new", "identity", "identity ± 2 RMSE"]
    identity = ax.lines[0]
    np.testing.assert_allclose(identity.get_xdata(), identity.get_ydata())
    np.testing.assert_allclose(ax.lines[2].get_ydata() - ax.lines[2].get_xdata(), 0.2)


def test_t2_spe_shows_every_spectrum_by_status(calibration: Calibration) -> None:
    new = datasets.tablets(n_batches=2, n_foreign=2, random_state=9).spectra
    result = calibration.predict(new)
    ax = result.plot()
    assert sum(len(c.get_offsets()) for c in ax.collections) == len(new)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    counts = {status: int((result.status == status).sum()) for status in set(result.status)}
    assert set(labels[:-1]) == {f"{status} ({count})" for status, count in counts.items()}
    assert labels[-1] == "limit, 99 %"


def test_wrong_axes_leave_the_picture_empty(calibration: Calibration) -> None:
    new = datasets.tablets(n_batches=1, random_state=9).spectra
    shifted = calibration.predict(new.assign_coords(wavelength=new.wavelength + 4))
    assert len(shifted.plot().collections) == 0


def test_coefficients_break_where_points_were_left_out(calibration: Calibration) -> None:
    ax = plots.plot_coefficients(calibration)
    drawn = np.asarray(ax.lines[1].get_ydata())
    assert int(np.isnan(drawn).sum()) == 1
    assert drawn[~np.isnan(drawn)] == pytest.approx(calibration.pls_.coef_[0])
    assert ax.get_xlabel() == "wavelength / nm"


def test_vip_is_drawn_with_its_mean_level(calibration: Calibration) -> None:
    values = vip(calibration.pls_)
    ax = plots.plot_vip(calibration, values)
    assert list(ax.lines[0].get_ydata()) == [1, 1]
    assert np.nanmax(ax.lines[1].get_ydata()) == pytest.approx(values.max())


def test_data_without_axis_are_drawn_over_their_points() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 8))
    fitted = Calibration(n_components=1).fit(X, X[:, 0] + 0.1 * rng.normal(size=20))
    assert plots.plot_coefficients(fitted).get_xlabel() == "point"


def test_pictures_go_on_the_axes_that_are_given(calibration: Calibration) -> None:
    ax = plt.subplots()[1]
    assert calibration.cross_validation_.plot(ax=ax) is ax
    assert calibration.diagnostics_.plot(ax=ax) is ax
    assert isinstance(ax, Axes)
