from __future__ import annotations

import numpy as np
import pytest

from pharmaq.chemometrics import MCRALS, ConcentrationConstraints, rotational_ambiguity
from pharmaq.errors import InputError


# two components, after W. H. Lawton, E. A. Sylvestre, Technometrics 13 (1971) 617: s1 + a s2
# and c1 - b c2 (and the other way round) stay non-negative for -1/3 <= a, b <= 1/3;
# |C S|^2 = 272, and the corners of that square have the signals 6.4, 13.6 and sqrt(136)
def test_bounds_of_two_components_match_hand_calculation() -> None:
    factors = np.array([[3.0, 1.0], [1.0, 3.0]])
    model = MCRALS(2, initial=factors).fit(factors @ factors)
    bounds = rotational_ambiguity(model)
    assert bounds.lower == pytest.approx([6.4 / np.sqrt(272)] * 2, abs=1e-6)
    assert bounds.upper == pytest.approx([13.6 / np.sqrt(272)] * 2, abs=1e-6)
    assert bounds.to_frame()["width"].tolist() == pytest.approx([7.2 / np.sqrt(272)] * 2)
    # the smallest signal has the purest profiles, (8/3, 0) for both factors
    np.testing.assert_allclose(bounds.lower_spectra[0], [1, 0], atol=1e-6)
    np.testing.assert_allclose(bounds.upper_spectra[0], [1, 0.6], atol=1e-6)


def test_pure_points_and_samples_leave_no_ambiguity() -> None:
    C = np.vstack([np.eye(3), np.random.default_rng(0).random((6, 3))])
    S = np.hstack([np.eye(3), np.random.default_rng(1).random((3, 5))])
    bounds = rotational_ambiguity(MCRALS(3, initial=S).fit(C @ S))
    assert bounds.upper - bounds.lower == pytest.approx([0, 0, 0], abs=1e-6)
    assert bounds.contribution == pytest.approx(bounds.lower, abs=1e-6)


def test_no_feasible_solution_lies_outside_of_the_bounds() -> None:
    rng = np.random.default_rng(2)
    C, S = rng.random((20, 3)) + 0.1, rng.random((3, 15)) + 0.1
    X = C @ S
    bounds = rotational_ambiguity(MCRALS(3, initial=S).fit(X))
    seen = []
    for _ in range(4000):
        turn = np.eye(3) + 0.3 * rng.uniform(-1, 1, size=(3, 3)) * ~np.eye(3, dtype=bool)
        amounts, spectra = C @ np.linalg.inv(turn), turn @ S
        if (amounts >= 0).all() and (spectra >= 0).all():
            sizes = np.linalg.norm(amounts, axis=0) * np.linalg.norm(spectra, axis=1)
            seen.append(sizes / np.linalg.norm(X))
    assert len(seen) > 20
    assert (np.min(seen, axis=0) >= bounds.lower - 1e-7).all()
    assert (np.max(seen, axis=0) <= bounds.upper + 1e-7).all()


def test_extreme_profiles_are_not_negative() -> None:
    rng = np.random.default_rng(2)
    C, S = rng.random((20, 3)) + 0.1, rng.random((3, 15)) + 0.1
    bounds = rotational_ambiguity(MCRALS(3, initial=S).fit(C @ S))
    for profiles in (
        bounds.lower_spectra,
        bounds.upper_spectra,
        bounds.lower_concentrations,
        bounds.upper_concentrations,
    ):
        assert profiles.min() >= -1e-6
    assert (bounds.lower <= bounds.contribution).all()
    assert (bounds.contribution <= bounds.upper).all()


def test_signed_components_are_refused() -> None:
    X = np.random.default_rng(0).random((6, 5))
    constraints = ConcentrationConstraints(nonnegative=[0])
    model = MCRALS(2, initial=X[:2], concentrations=constraints).fit(X)
    with pytest.raises(InputError, match="fit it with all components nonnegative"):
        rotational_ambiguity(model)
