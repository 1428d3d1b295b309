from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from pharmaq.chemometrics import (
    MCRALS,
    ConcentrationConstraints,
    evolving_factor_analysis,
    rotational_ambiguity,
    simplisma,
)
from pharmaq.chemometrics.mcr import plots
from pharmaq.spectra import as_spectra


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    mpl.use("Agg")
    yield
    plt.close("all")


@pytest.fixture
def model() -> MCRALS:
    rng = np.random.default_rng(0)
    X = rng.random((15, 3)) @ rng.random((3, 12)) + 0.01 * rng.random((15, 12))
    return MCRALS(3).fit(as_spectra(X, axis=1100 + 5.0 * np.arange(12)))


def test_profiles_are_drawn_with_their_fit(model: MCRALS) -> None:
    upper, lower = model.profiles().plot()
    assert [line.get_label() for line in upper.lines] == [
        "component0",
        "component1",
        "component2",
    ]
    np.testing.assert_array_equal(upper.lines[1].get_ydata(), model.spectra_[1])
    np.testing.assert_array_equal(lower.lines[2].get_ydata(), model.concentrations_[:, 2])
    assert upper.get_xlabel() == "wavelength / nm"
    assert upper.get_title(loc="left").startswith(
        f"lack of fit {model.lack_of_fit_:.3g} % after"
    )


def test_what_sets_a_scale_is_named() -> None:
    rng = np.random.default_rng(0)
    X = rng.random((15, 2)) @ rng.random((2, 12))
    closed = ConcentrationConstraints(closure=1.0)
    resolved = MCRALS(2, concentrations=closed, initial=X[:2]).fit(X).profiles()
    ax = plots.plot_resolved_spectra(resolved, ax=plt.subplots()[1])
    assert ax.lines[0].get_label() == "component0 (closure)"
    assert ax.get_xlabel() == "point"
    assert plots.plot_concentrations(resolved).get_ylabel() == "concentration"


def test_names_of_samples_stand_at_the_axis() -> None:
    X = as_spectra(np.random.default_rng(0).random((4, 6)), axis=np.arange(1100, 1130, 5))
    named = X.assign_coords(sample=["first sample", "b", "c", "d"])
    resolved = MCRALS(2, max_iter=5000).fit(named).profiles()
    ax = plots.plot_concentrations(resolved)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["first sample", "b", "c", "d"]


def test_bands_show_both_extremes(model: MCRALS) -> None:
    bounds = rotational_ambiguity(model)
    upper, lower = bounds.plot(axes=tuple(plt.subplots(2, 1)[1]))
    assert len(upper.lines) == len(lower.lines) == 6
    np.testing.assert_array_equal(upper.lines[0].get_ydata(), bounds.lower_spectra[0])
    np.testing.assert_array_equal(lower.lines[1].get_ydata(), bounds.upper_concentrations[:, 0])


def test_evolving_factors_have_curves_in_both_directions() -> None:
    factors = evolving_factor_analysis(np.random.default_rng(0).random((8, 5)), n_factors=3)
    ax = factors.plot()
    assert [line.get_linestyle() for line in ax.lines] == ["-"] * 3 + ["--"] * 3
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), factors.forward[:, 1])
    assert ax.get_yscale() == "log"


def test_purity_marks_what_was_chosen() -> None:
    purest = simplisma(np.random.default_rng(0).random((8, 6)), 2)
    ax = purest.plot()
    assert len(ax.lines) == 4
    assert list(ax.lines[1].get_xdata()) == [purest.positions[0]]
