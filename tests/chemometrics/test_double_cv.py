from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from pharmaq.chemometrics import (
    MSC,
    PLS,
    SNV,
    RandomSubsets,
    cross_validate,
    select_n_components,
)
from pharmaq.chemometrics.double_cv import permutation_test, repeated_double_cv
from pharmaq.errors import InputError, InputTypeError


def simulated(seed: int, *, n: int = 30, p: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = 3.0 + rng.normal(size=(n, 5)) @ rng.normal(size=(5, p)) + 0.1 * rng.normal(size=(n, p))
    return X, X[:, 0] - X[:, 5] + 0.3 * rng.normal(size=n)


# P. Filzmoser et al., J. Chemom. 23 (2009) 160: the two loops written out
@pytest.mark.parametrize("steps", [[], [SNV()], [MSC()]], ids=["none", "snv", "msc"])
def test_both_loops_equal_the_plain_ones(steps: list[Any]) -> None:
    X, y = simulated(0)
    outer = RandomSubsets(5, n_repeats=2, random_state=3)
    estimator = make_pipeline(*steps, PLS(6))
    result = repeated_double_cv(estimator, X, y, outer=outer, cv="venetian(4)")
    expected, chosen = np.empty((2, 30)), []
    for number, (train, test) in enumerate(outer.split(X)):
        inner = cross_validate(estimator, X[train], y[train], cv="venetian(4)")
        count = select_n_components(inner).n_components
        chosen.append(count)
        fitted = make_pipeline(*steps, PLS(max(count, 1))).fit(X[train], y[train])
        value = fitted.predict(X[test]) if count else y[train].mean()
        expected[number // 5, test] = value
    np.testing.assert_allclose(result.predictions, expected, rtol=1e-9)
    assert result.n_components.ravel().tolist() == chosen
    assert result.rmsep == pytest.approx(np.sqrt(np.mean((expected - y) ** 2, axis=1)))


def test_batches_are_left_out_whole() -> None:
    X, y = simulated(1)
    batch = np.repeat([f"b{i}" for i in range(10)], 3)
    result = repeated_double_cv(
        PLS(4), X, y, outer=RandomSubsets(10, random_state=0), cv="batch", groups=batch
    )
    name, rows = "b4", np.arange(12, 15)
    train = np.flatnonzero(batch != name)
    inner = cross_validate(PLS(4), X[train], y[train], cv="batch", groups=batch[train])
    count = select_n_components(inner).n_components
    model = PLS(count).fit(X[train], y[train])
    np.testing.assert_allclose(result.predictions[0, rows], model.predict(X[rows]), rtol=1e-9)


def test_noise_is_not_predicted_better_than_by_its_mean() -> None:
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(40, 60)), rng.normal(size=40)
    result = repeated_double_cv(PLS(8), X, y, outer="random(8,5)", cv="venetian(6)", rule="min")
    assert result.rmsep.mean() > 0.95 * y.std()
    assert result.most_frequent == 0


def test_every_repeat_has_its_row() -> None:
    X, y = simulated(2)
    frame = repeated_double_cv(PLS(5), X, y, outer="random(6,3)").to_frame()
    assert frame["repeat"].tolist() == [1, 2, 3]
    assert (frame["fewest_components"] <= frame["most_components"]).all()


def test_a_real_relation_is_never_matched_by_shuffles() -> None:
    X, y = simulated(3)
    test = permutation_test(PLS(4), X, y, n_permutations=39, cv="venetian(5)")
    assert test.p == pytest.approx(1 / 40)
    assert test.q2 > test.q2_shuffled.max()
    assert len(test.to_frame()) == 40


@pytest.mark.slow
def test_the_permutation_test_holds_its_level_on_noise() -> None:
    rng = np.random.default_rng(7)
    p = [
        permutation_test(
            PLS(3), rng.normal(size=(20, 6)), rng.normal(size=20), n_permutations=19, cv="loo"
        ).p
        for _ in range(100)
    ]
    # p <= 0.2 in one of five on average; four standard deviations of 100 draws
    assert np.mean(np.array(p) <= 0.2) == pytest.approx(0.2, abs=0.16)
    assert min(p) >= 0.05


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"outer": "venetian(5)"}, InputTypeError, "outer must be a RandomSubsets"),
        ({"outer": "random(40)"}, InputError, "n_splits = 40 is more than the 30 samples"),
        ({"groups": ["a"] * 5}, InputError, "X has 30, groups has 5"),
        ({"y": np.ones((30, 2))}, InputError, "constant"),
        ({"y": np.arange(60.0).reshape(30, 2)}, InputError, "y must be one response"),
        ({"rule": "akaike"}, InputError, "rule must be one of"),
    ],
)
def test_bad_arguments_are_named(arguments: Any, error: Any, message: str) -> None:
    X, y = simulated(0)
    with pytest.raises(error, match=message):
        repeated_double_cv(**({"estimator": PLS(2), "X": X, "y": y} | arguments))
