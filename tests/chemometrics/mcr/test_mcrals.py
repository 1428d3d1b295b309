from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator

import naive_mcr
from pharmaq.chemometrics import MCRALS, ConcentrationConstraints, SpectrumConstraints
from pharmaq.errors import AxisError, InputError, InputTypeError, PharmaqError
from pharmaq.spectra import as_spectra

Mixtures = tuple[np.ndarray, np.ndarray, np.ndarray]
seeds = st.integers(0, 2**32 - 1)


def mixtures(seed: int, *, noise: float = 0.02) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.random((15, 3)) @ rng.random((3, 12)) + noise * rng.random((15, 12))


def congruence(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Tucker's coefficient of every found with every true profile, a profile a row."""
    sizes = np.outer(np.linalg.norm(found, axis=1), np.linalg.norm(true, axis=1))
    return found @ true.T / sizes


# Raman mixtures of known content made for R package mdatools (spectra of the SPECARB library)
def test_carbohydrates_are_recovered(carbs: Mixtures) -> None:
    X, C, S = carbs
    model = MCRALS(3).fit(X)
    spectra = congruence(model.spectra_, S)
    order = spectra.argmax(axis=1)
    assert sorted(order) == [0, 1, 2]
    r = [np.corrcoef(model.concentrations_[:, j], C[:, i])[0, 1] for j, i in enumerate(order)]
    assert min(r) > 0.99
    assert spectra.max(axis=1).min() > 0.98
    # noise is all that is left: no model of three components leaves less
    assert model.lack_of_fit_ == pytest.approx(model.least_lack_of_fit_, rel=1e-3)
    assert model.converged_


def test_a_known_spectrum_gives_the_contents_of_all(carbs: Mixtures) -> None:
    X, C, S = carbs
    known = np.full_like(S, np.nan)
    known[0] = S[0]
    model = MCRALS(3, spectra=SpectrumConstraints(known=known)).fit(X)
    np.testing.assert_array_equal(model.spectra_[0], S[0])
    assert model.scaled_by_.tolist() == ["known spectrum", "max", "max"]
    r = np.corrcoef(model.concentrations_.T, C.T)[:3, 3:]
    assert r.argmax(axis=1)[0] == 0
    assert r.max(axis=1).min() > 0.99


def test_known_spectra_set_the_scale(reaction: Mixtures) -> None:
    X, C, S = reaction
    known = np.full_like(S, np.nan)
    # the first estimate finds it as another component: estimates are put in the order known
    known[0], known[2, :25] = S[2], S[0, :25]
    model = MCRALS(3, spectra=SpectrumConstraints(known=known), max_iter=5000).fit(X)
    np.testing.assert_array_equal(model.spectra_[2, :25], S[0, :25])
    assert congruence(model.spectra_, S)[[0, 2], [2, 0]].min() > 0.999
    np.testing.assert_allclose(model.concentrations_[:, 0], C[:, 2], atol=0.15)


@pytest.mark.parametrize("initial", ["simplisma", "efa"])
def test_mixtures_with_pure_points_and_samples_are_resolved_exactly(initial: str) -> None:
    time = np.linspace(0, 1, 40)
    C = np.maximum(0, 1 - np.abs(time[:, None] - [0.25, 0.5, 0.75]) / 0.2)
    S = np.array([[2, 0, 0, 1, 1], [0, 4, 0, 1, 2], [0, 0, 1, 0.5, 0.5]])
    model = MCRALS(3, initial=initial, max_iter=5000, tol=1e-9).fit(C @ S)
    order = congruence(model.spectra_, S).argmax(axis=1)
    expected = S[order] / S[order].max(axis=1, keepdims=True)
    np.testing.assert_allclose(model.spectra_, expected, atol=1e-4)
    np.testing.assert_allclose(
        model.concentrations_, C[:, order] * S[order].max(axis=1), atol=1e-3
    )


def test_iterations_equal_their_slow_twin() -> None:
    X = mixtures(3)
    first = X[:3]
    with pytest.warns(ConvergenceWarning):
        model = MCRALS(3, initial=first, max_iter=6, tol=1e-15).fit(X)
    C, S, history = naive_mcr.alternate(X, first, 6)
    np.testing.assert_allclose(model.history_, history, rtol=1e-8)
    np.testing.assert_allclose(model.spectra_, S, atol=1e-8)
    np.testing.assert_allclose(model.concentrations_, C, atol=1e-8)


CONSTRAINTS = [
    ConcentrationConstraints(),
    ConcentrationConstraints(closure=1.0),
    ConcentrationConstraints(closure=2.0, closed=[0, 2], unimodal=[1]),
    ConcentrationConstraints(unimodal=True),
    ConcentrationConstraints(nonnegative=[0]),
]


@pytest.mark.parametrize("constraints", CONSTRAINTS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@given(seeds)
def test_constraints_hold_and_the_lack_of_fit_never_grows(
    constraints: ConcentrationConstraints, seed: int
) -> None:
    X = mixtures(seed)
    # concentrations of X itself: a first estimate that no constraint has to throw away
    model = MCRALS(3, initial=X[:3], concentrations=constraints, max_iter=25)
    try:
        model.fit(X)
    except InputError as error:
        # random data need not hold a component that the constraints leave
        assert "zero throughout" in str(error)  # noqa: PT017
        return
    C = model.concentrations_
    assert (model.spectra_ >= 0).all()
    signed = [] if constraints.nonnegative is True else [1, 2]
    assert (np.delete(C, signed, axis=1) >= 0).all()
    if constraints.closure is not None:
        members = range(3) if constraints.closed is True else list(constraints.closed)
        np.testing.assert_allclose(C[:, members].sum(axis=1), constraints.closure, rtol=1e-9)
    unimodal = constraints.unimodal
    for j in range(3 * int(unimodal)) if isinstance(unimodal, bool) else unimodal:
        steps = np.sign(np.diff(C[:, j]))
        assert (np.diff(steps[steps != 0]) <= 0).all()
    assert (np.diff(model.history_) <= 1e-9 * model.history_[:-1]).all()


@given(seeds, st.floats(1e-3, 1e3))
def test_concentrations_follow_the_scale_of_the_data(seed: int, scale: float) -> None:
    X = mixtures(seed)
    one = MCRALS(3, initial=X[:3], tol=1e-2).fit(X)
    other = MCRALS(3, initial=X[:3], tol=1e-2).fit(scale * X)
    np.testing.assert_allclose(other.spectra_, one.spectra_, atol=1e-6)
    np.testing.assert_allclose(other.concentrations_ / scale, one.concentrations_, atol=1e-6)
    assert other.lack_of_fit_ == pytest.approx(one.lack_of_fit_)


@given(seeds)
def test_the_order_of_samples_and_points_does_not_matter(seed: int) -> None:
    X = mixtures(seed)
    rng = np.random.default_rng(seed)
    rows, points = rng.permutation(15), rng.permutation(12)
    one = MCRALS(3, initial=X[:3], tol=1e-2).fit(X)
    other = MCRALS(3, initial=X[:3, points], tol=1e-2).fit(X[np.ix_(rows, points)])
    np.testing.assert_allclose(other.spectra_, one.spectra_[:, points], atol=1e-6)
    np.testing.assert_allclose(other.concentrations_, one.concentrations_[rows], atol=1e-6)


@pytest.mark.parametrize(
    ("normalization", "size"),
    [
        ("max", lambda s: s.max(axis=1)),
        ("area", lambda s: np.trapezoid(s, dx=5.0, axis=1)),
        ("l2", lambda s: np.linalg.norm(s, axis=1)),
    ],
)
def test_spectra_have_the_scale_that_is_named(normalization: Any, size: Any) -> None:
    X = as_spectra(mixtures(1), axis=1100 + 5.0 * np.arange(12))
    model = MCRALS(3, normalization=normalization).fit(X)
    assert size(model.spectra_) == pytest.approx([1, 1, 1])
    plain = MCRALS(3, normalization="none").fit(X)
    assert plain.lack_of_fit_ == pytest.approx(model.lack_of_fit_, rel=1e-3)


def test_closure_gives_true_concentrations_of_a_reaction(reaction: Mixtures) -> None:
    X, C, S = reaction
    closed = ConcentrationConstraints(closure=2.0)
    model = MCRALS(3, initial=7 * S, concentrations=closed).fit(X)
    # the first estimate is on another scale: closure finds the right one
    np.testing.assert_allclose(model.concentrations_, C, atol=1e-6)
    np.testing.assert_allclose(model.spectra_, S, atol=1e-6)
    assert model.scaled_by_.tolist() == ["closure"] * 3


def test_known_concentrations_are_kept_and_matched(reaction: Mixtures) -> None:
    X, C, _ = reaction
    known = np.full_like(C, np.nan)
    # the last component is the one that starts: estimates are put in this order
    known[::4] = C[::4, ::-1]
    fixed = ConcentrationConstraints(known=known)
    model = MCRALS(3, concentrations=fixed, max_iter=5000).fit(X)
    np.testing.assert_array_equal(model.concentrations_[::4], known[::4])
    assert set(model.scaled_by_) == {"known concentrations"}
    r = np.corrcoef(model.concentrations_.T, C[:, ::-1].T)[:3, 3:]
    assert r.diagonal().min() > 0.95


def test_known_zeros_leave_the_peak_where_it_may_be() -> None:
    X = mixtures(2)
    known = np.full((15, 3), np.nan)
    known[[0, 4, 5], 1] = 0.0
    model = MCRALS(
        3,
        initial=X[:3],
        concentrations=ConcentrationConstraints(unimodal=[1], known=known),
        tol=1e-3,
    ).fit(X)
    profile = model.concentrations_[:, 1]
    assert (profile[[0, 4, 5]] == 0).all()
    # one peak: on one side of the zeros there is nothing
    assert (profile[:5] == 0).all() or (profile[4:] == 0).all()
    assert model.scaled_by_[1] == "max"


def test_transform_gives_the_concentrations_of_the_fit() -> None:
    X = mixtures(4)
    model = MCRALS(3).fit(X)
    np.testing.assert_allclose(model.transform(X), model.concentrations_, atol=1e-10)
    closed = MCRALS(3, concentrations=ConcentrationConstraints(closure=1.0)).fit(X)
    np.testing.assert_allclose(closed.transform(2 * X[:4]).sum(axis=1), 1)
    alone = np.vstack([model.transform(row[None]) for row in X])
    np.testing.assert_array_equal(alone, model.transform(X))


def test_lack_of_fit_of_samples_tells_the_unknown() -> None:
    X = mixtures(4, noise=0.0)
    model = MCRALS(3, tol=1e-10, max_iter=5000).fit(X)
    strange = np.vstack([X[0], X[0], np.zeros(12)])
    strange[1, ::2] += 1
    known, unknown, empty = model.lack_of_fit(strange)
    assert known < 0.1 < 5 < unknown
    assert np.isnan(empty)


def test_figures_of_merit_belong_together() -> None:
    X = mixtures(5)
    model = MCRALS(2).fit(X)
    left = X - model.concentrations_ @ model.spectra_
    share = np.sum(left**2) / np.sum(X**2)
    assert model.lack_of_fit_ == pytest.approx(100 * np.sqrt(share))
    assert model.explained_variance_ == pytest.approx(100 * (1 - share))
    singular = np.linalg.svd(X, compute_uv=False) ** 2
    least = 100 * np.sqrt(singular[2:].sum() / singular.sum())
    assert model.least_lack_of_fit_ == pytest.approx(least)
    assert model.least_lack_of_fit_ <= model.lack_of_fit_
    assert (model.history_[-1], len(model.history_)) == (model.lack_of_fit_, model.n_iter_)


def test_too_few_iterations_are_told() -> None:
    with pytest.warns(ConvergenceWarning, match="no convergence in 2 iterations.*history_"):
        model = MCRALS(3, max_iter=2, tol=1e-12).fit(mixtures(1))
    assert not model.converged_
    assert not model.profiles().converged


def test_labels_are_kept() -> None:
    time = pd.date_range("2026-01-01", periods=15, freq="min")
    X = as_spectra(mixtures(1), axis=1100 + 5.0 * np.arange(12), coords={"time": time})
    model = MCRALS(3).fit(X)
    out = model.transform(X)
    assert isinstance(out, xr.DataArray)
    assert out.component.values.tolist() == ["mcrals0", "mcrals1", "mcrals2"]
    profiles = model.profiles()
    assert (profiles.to_frame().index == time).all()
    frame = profiles.spectra_frame()
    assert frame.index.name == "wavelength"
    assert frame.index.tolist() == X.wavelength.values.tolist()
    np.testing.assert_array_equal(frame["component1"], model.spectra_[1])
    with pytest.raises(AxisError, match="mean shift"):
        model.transform(X.assign_coords(wavelength=X.wavelength + 5.0))
    table = pd.DataFrame(X.values, index=[f"s{i}" for i in range(15)])
    assert MCRALS(3).fit(table).profiles().to_frame().index[3] == "s3"


@pytest.mark.parametrize("role", ["initial", "known"])
def test_given_spectra_on_another_axis_are_refused(role: str) -> None:
    X = as_spectra(mixtures(1), axis=1100 + 5.0 * np.arange(12))
    given_ = X[:3].assign_coords(wavelength=X.wavelength + 5.0)
    settings: dict[str, Any] = {"initial": given_}
    if role == "known":
        settings = {"spectra": SpectrumConstraints(known=given_)}
    with pytest.raises(AxisError, match=f"{role}.* have another axis than X: .*resample"):
        MCRALS(3, **settings).fit(X)


def rows(**settings: Any) -> dict[str, Any]:
    return {"concentrations": ConcentrationConstraints(**settings)}


def known(value: float, *places: tuple[int, int]) -> np.ndarray:
    out = np.full((15, 3), np.nan)
    for place in places:
        out[place] = value
    return out


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_components": 0}, "n_components must be at least 1"),
        ({"n_components": 13}, "n_components = 13 is too many for n_samples = 15 and n_feat"),
        ({"initial": "random"}, "initial must be one of 'simplisma', 'efa'"),
        (
            {"initial": np.ones((2, 12))},
            r"shape \(3, 12\) or conc.*got shape \(2, 12",
        ),
        ({"initial": np.full((3, 12), np.nan)}, r"initial\[0, 0\] is NaN"),
        ({"initial": np.zeros((3, 12))}, "component 0 is zero throughout"),
        ({"normalization": "sum"}, "normalization must be one of 'max'"),
        ({"max_iter": 0}, "max_iter must be at least 1"),
        ({"tol": 0.0}, r"tol must lie in \(0, 1\)"),
        (rows(closure=-1.0), r"closure must lie in \(0, inf\)"),
        (rows(closure=1.0, closed=False), "closed names no component"),
        (rows(closure=1.0, closed=[3]), "closed must be from 0 to 2, got 3"),
        (rows(closure=1.0, unimodal=[1]), "component 1 is both closed and unimodal"),
        (rows(known=np.ones((3, 3))), r"known concentrations must have shape \(15, 3\)"),
        (rows(known=known(-1, (2, 1))), r"concentrations\[2, 1\] is -1, but .*not be negative"),
        (rows(known=known(np.inf, (2, 1))), r"known concentrations\[2, 1\] is inf"),
        (rows(closure=1.0, known=known(0.7, (4, 0), (4, 1))), "sample 4 add up to 1.4"),
        (rows(unimodal=[0], known=known(1, (3, 0))), "component 0 is unimodal and has known"),
        (rows(unimodal=[0], nonnegative=[1], known=known(0, (3, 0))), "has known zeros"),
        (
            {"spectra": SpectrumConstraints(known=np.ones((12, 3)))},
            r"known spectra must have shape \(3, 12\)",
        ),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        MCRALS(**{"n_components": 3, **settings}).fit(mixtures(1))


def test_constraints_of_another_type_are_refused() -> None:
    with pytest.raises(InputTypeError, match="concentrations must be a ConcentrationConst"):
        MCRALS(2, concentrations={"closure": 1.0}).fit(mixtures(1))
    with pytest.raises(InputTypeError, match="unimodal must be True, False or a list"):
        MCRALS(2, **rows(unimodal="yes")).fit(mixtures(1))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones((1, 4)), r"X holds 1 sample\(s\)"),
        (np.zeros((3, 4)), "X is zero throughout"),
        (np.outer([1, 2, 3], [1, 2, 3, 4]), "n_components = 2 exceeds the rank 1 of X"),
        (np.array([[1, 2], [3, np.nan]]), r"X\[1, 1\] is NaN"),
        (-mixtures(1), "Negative values in data"),
    ],
)
def test_bad_data_are_refused(X: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        MCRALS(2).fit(X)


def test_small_negative_values_are_data_like_any_other() -> None:
    X = mixtures(1) - 0.02
    X[:, 0] -= X[:, 0].min() + 0.01
    assert X.min() < 0
    model = MCRALS(3).fit(X)
    assert model.spectra_.min() >= 0
    assert model.lack_of_fit_ > model.least_lack_of_fit_


def test_an_unfitted_model_says_so() -> None:
    with pytest.raises(PharmaqError, match="not fitted"):
        MCRALS().profiles()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "estimator",
    [
        MCRALS(),
        MCRALS(normalization="l2"),
        MCRALS(
            initial="efa",
            concentrations=ConcentrationConstraints(nonnegative=False),
            spectra=SpectrumConstraints(nonnegative=False),
        ),
    ],
    ids=["default", "l2", "unbounded"],
)
def test_scikit_learn_accepts_the_estimator(estimator: MCRALS) -> None:
    check_estimator(estimator, on_skip=None)
