from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest

from pharmaq.chemometrics import PLS, CrossValidation, cross_validate, select_n_components
from pharmaq.errors import InputError, InputTypeError


def result_with(null: float, curve: list[float], fold_mse: Any) -> CrossValidation:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 6))
    base = cross_validate(PLS(len(curve)), X, rng.normal(size=12), cv="venetian(3)")
    return dataclasses.replace(
        base,
        rmsecv=np.sqrt(curve),
        rmsecv_null=np.array(np.sqrt(null)),
        fold_mse=np.asarray(fold_mse, dtype=float),
    )


# Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, chapter 7; worked by hand:
# folds 1, 2, 3 at the minimum have s = 1 and a standard error of 1 / sqrt(3) = 0.577
def test_one_standard_error_takes_the_simplest_model_within_it() -> None:
    folds = np.column_stack([[2.2, 2.6, 3.0], [2.0, 2.5, 3.0], [1.0, 2.0, 3.0]])
    result = result_with(9.0, [2.6, 2.5, 2.0], folds)
    choice = select_n_components(result)
    assert choice.n_components == 2
    assert choice.threshold == pytest.approx(2.0 + 1 / np.sqrt(3))
    assert (
        "within one standard error (0.5774, from 3 folds) of the smallest (2 at 3)"
        in choice.reason
    )


def test_min_takes_the_smallest_error() -> None:
    result = result_with(9.0, [2.6, 2.0, 2.5], np.ones((3, 3)))
    assert select_n_components(result, rule="min").n_components == 2


def test_zero_components_can_be_chosen() -> None:
    result = result_with(1.0, [1.2, 1.3], np.ones((3, 2)))
    choice = select_n_components(result)
    assert choice.n_components == 0
    assert choice.to_frame()["chosen"].tolist() == [True, False, False]


def test_noise_without_signal_chooses_zero() -> None:
    rng = np.random.default_rng(4)
    result = cross_validate(PLS(5), rng.normal(size=(40, 60)), rng.normal(size=40), cv="loo")
    assert select_n_components(result).n_components == 0


def test_several_responses_weigh_the_same() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 4)) @ rng.normal(size=(4, 20)) + 0.01 * rng.normal(size=(30, 20))
    Y = np.column_stack([X[:, 0], 1e6 * X[:, 1]])
    choice = select_n_components(cross_validate(PLS(6), X, Y, cv="venetian(5)"))
    assert 1 <= choice.n_components <= 6
    assert choice.mse[0] == pytest.approx(1.0)


def test_bad_arguments_are_named() -> None:
    result = result_with(1.0, [1.2, 1.3], np.ones((3, 2)))
    with pytest.raises(InputError, match="rule must be one of 'min', '1se', 'wold_r'"):
        select_n_components(result, rule="akaike")
    with pytest.raises(InputTypeError, match="result must be a CrossValidation"):
        select_n_components([1.0, 2.0])


# S. Wold, Technometrics 20 (1978) 397: worked by hand, ratios 0.5, 0.8, 0.975, 0.97
def test_wold_r_stops_where_the_error_hardly_falls() -> None:
    result = result_with(10.0, [5.0, 4.0, 3.9, 3.783], np.ones((3, 4)))
    choice = select_n_components(result, rule="wold_r")
    assert choice.n_components == 2
    assert "ratio 0.975" in choice.reason
    assert select_n_components(result, rule="wold_r", threshold=1.0).n_components == 4


# D. M. Haaland, E. V. Thomas, Anal. Chem. 60 (1988) 1193: F(0.25; 12, 12) = 1.49 in tables
def test_press_f_takes_the_fewest_within_the_f_ratio() -> None:
    result = result_with(9.0, [1.55, 1.48, 1.2, 1.0], np.ones((3, 4)))
    choice = select_n_components(result, rule="press_f")
    assert choice.n_components == 2
    assert choice.threshold == pytest.approx(1.49, abs=5e-3)


# H. van der Voet, Chemom. Intell. Lab. Syst. 25 (1994) 313: all signs enumerated
def test_randomization_equals_the_full_enumeration() -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(12, 5))
    y = X @ [1.0, 0.6, 0.3, 0.0, 0.0] + 0.5 * rng.normal(size=12)
    result = cross_validate(PLS(4), X, y, cv="loo")
    squares = (np.vstack([result.predictions_null, result.predictions.values]) - y) ** 2
    best = int(squares.mean(axis=1).argmin())
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=12)))
    exact = [
        np.mean(signs @ (squares[a] - squares[best]) >= (squares[a] - squares[best]).sum())
        for a in range(best + 1)
    ]
    for alpha in (0.01, 0.05, 0.2):
        expected = next(a for a, p in enumerate(exact) if p > alpha)
        choice = select_n_components(
            result, rule="randomization", alpha=alpha, n_permutations=20_000
        )
        assert choice.n_components == expected


def test_randomization_depends_on_its_seed_only() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(30, 10))
    result = cross_validate(PLS(5), X, X[:, 0] + rng.normal(size=30), cv="venetian(5)")
    reasons = {select_n_components(result, rule="randomization").reason for _ in range(2)}
    assert len(reasons) == 1
