from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from pharmaq import datasets
from pharmaq.chemometrics import PCA, PLS, contributions, diagnose
from pharmaq.errors import InputError


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    mpl.use("Agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def tablets() -> xr.DataArray:
    return datasets.tablets(n_batches=10, tablets_per_batch=6, random_state=3).spectra


@pytest.mark.parametrize(("convention", "label"), [("pharmaq", "SPE"), ("simca", "DModX")])
def test_distances_show_every_sample_by_its_limits(
    tablets: xr.DataArray, convention: str, label: str
) -> None:
    model = PLS(3).fit(tablets, tablets.api)
    new = datasets.tablets(n_batches=3, n_foreign=2, random_state=9).spectra
    result = diagnose(model, new, convention=convention)
    ax = result.plot()
    assert sum(len(c.get_offsets()) for c in ax.collections) == len(new)
    assert ax.get_ylabel() == f"{label} / limit"
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names[-2:] == [
        f"T² limit, 95 %, {result.choices['t2 limit']}",
        f"{label} limit, 95 %, {result.choices[f'{label.lower()} limit']}",
    ]


def test_residuals_have_limits_on_both_sides(tablets: xr.DataArray) -> None:
    y = tablets.api.values.copy()
    y[7] += 15
    result = diagnose(PLS(3).fit(tablets, y), tablets, y, role="calibration")
    ax = result.plot(kind="residuals")
    drawn = np.concatenate([c.get_offsets() for c in ax.collections])
    assert sorted(drawn[:, 1]) == pytest.approx(sorted(result.residual))
    levels = {line.get_ydata()[0] for line in ax.lines}
    assert {result.limit("residual"), -result.limit("residual")} <= levels
    assert str(result.sample[7]) in [text.get_text() for text in ax.texts]


def test_residuals_need_y(tablets: xr.DataArray) -> None:
    result = diagnose(PCA(2).fit(tablets), tablets)
    with pytest.raises(InputError, match="give y to diagnose"):
        result.plot(kind="residuals")
    with pytest.raises(InputError, match="kind must be one of 'distances', 'residuals'"):
        result.plot(kind="all")


def test_contributions_are_drawn_along_the_axis(tablets: xr.DataArray) -> None:
    found = contributions(PCA(2).fit(tablets), tablets[:4], statistic="spe")
    ax = found.plot(sample=tablets["sample"].values[2])
    np.testing.assert_array_equal(ax.lines[-1].get_ydata(), found.values[2])
    assert ax.get_xlabel() == "wavelength / nm"
    assert ax.get_title(loc="left").startswith(f"{tablets['sample'].values[2]}: SPE = ")


def test_named_variables_are_drawn_as_bars_by_size() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(30, 20)), columns=[f"tag {i}" for i in range(20)])
    found = contributions(PCA(3).fit(frame), frame)
    ax = found.plot(top=5)
    row = int(found.total.argmax())
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == pytest.approx(
        found.to_frame(top=5).query(f"sample == {row}")["contribution"].tolist()
    )
    assert ax.get_xlabel() == "contribution to T², 15 smaller ones not shown"
    with pytest.raises(InputError, match="sample = 'x' is not in this result"):
        found.plot(sample="x")


def test_pictures_go_on_the_axes_that_are_given(tablets: xr.DataArray) -> None:
    ax = plt.subplots()[1]
    model = PLS(2).fit(tablets, tablets.api)
    assert diagnose(model, tablets).plot(ax=ax) is ax
    assert contributions(model, tablets[:1]).plot(ax=ax) is ax
