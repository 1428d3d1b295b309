"""Validation free of selection bias: repeated double cross-validation, permutation test."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from tqdm import tqdm

from pharmaq._checks import check_integer, check_same_length
from pharmaq.chemometrics._base import check_response
from pharmaq.chemometrics._folds import predict_fold, rows_of
from pharmaq.chemometrics.crossval import (
    apply_row_wise,
    cross_validate,
    groups_of,
    split_pipeline,
)
from pharmaq.chemometrics.merit import figures_of_merit
from pharmaq.chemometrics.selection import ComponentRule, select_n_components
from pharmaq.chemometrics.splitters import RandomSubsets, make_splitter
from pharmaq.errors import InputError, InputTypeError
from pharmaq.results import Result

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "DoubleCrossValidation",
    "PermutationTest",
    "permutation_test",
    "repeated_double_cv",
]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class DoubleCrossValidation(Result):
    """Predictions of samples that took no part in fitting or in choosing components.

    Parameters
    ----------
    rmsep : ndarray of shape (n_repeats,)
        Root mean square error of each repeat; divisor n.
    predictions : ndarray of shape (n_repeats, n_samples)
        Prediction of each sample while it was left out of everything.
    reference : ndarray of shape (n_samples,)
        Reference values.
    n_components : ndarray of shape (n_repeats, n_outer)
        Number of components that the inner cross-validation chose; 0 is the mean.
    most_frequent : int
        The number chosen most often, the smaller one where two are equal.
    rule : str
        The rule of choice.
    """

    rmsep: NDArray[np.float64]
    predictions: NDArray[np.float64]
    reference: NDArray[np.float64]
    n_components: NDArray[np.intp]
    most_frequent: int
    rule: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row a repeat: RMSEP, SEP, bias, smallest and largest number chosen."""
        merits = [figures_of_merit(self.reference, row) for row in self.predictions]
        return pd.DataFrame(
            {
                "repeat": np.arange(1, len(merits) + 1),
                "rmsep": self.rmsep,
                "sep": [merit.sep for merit in merits],
                "bias": [merit.bias for merit in merits],
                "fewest_components": self.n_components.min(axis=1),
                "most_components": self.n_components.max(axis=1),
            }
        )

    def plot(self, *, ax: Any = None) -> Any:
        """Draw how RMSEP differs from repeat to repeat.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.chemometrics import plots

        return plots.plot_double_cv(self, ax=ax)

    def plot_components(self, *, ax: Any = None) -> Any:
        """Draw how often each number of components was chosen.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.chemometrics import plots

        return plots.plot_component_counts(self, ax=ax)


def repeated_double_cv(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    outer: RandomSubsets | str = "random(10,10)",
    cv: Any = None,
    groups: ArrayLike | None = None,
    rule: ComponentRule = "1se",
    progress: bool = False,
) -> DoubleCrossValidation:
    """Estimate the error of a calibration together with the choice of its components [1]_.

    Parameters
    ----------
    estimator : PLS, PCR or Pipeline
        As in `cross_validate`; `n_components` is the largest number tried.
    X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
        Spectra; NaN raises.
    y : array-like, shape (n_samples,)
        Reference values of one response; NaN raises.
    outer : RandomSubsets or str, default "random(10,10)"
        Segments and repeats of the outer loop; whole batches are left out where they are
        known.
    cv : cross-validator, str or int, optional
        Inner splitter, as in `cross_validate`.
    groups : array-like, shape (n_samples,), optional
        Batch of each sample; by default the coordinate ``batch`` of `X`.
    rule : str, default "1se"
        As in `select_n_components`.
    progress : bool, default False
        Show a progress bar on a terminal.

    Returns
    -------
    DoubleCrossValidation
        Predictions, errors and choices of each repeat.

    References
    ----------
    .. [1] P. Filzmoser, B. Liebmann, K. Varmuza, J. Chemom. 23 (2009) 160-171.

    Examples
    --------
    >>> from pharmaq.chemometrics import PLS
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> y = X[:, 0] + 0.1 * rng.normal(size=40)
    >>> result = repeated_double_cv(PLS(3), X, y, outer="random(5,2)")
    >>> result.n_components.shape
    (2, 5)
    """
    steps, model, X, response, batches = prepared(estimator, X, y, groups)
    folds = outer_folds(outer, len(response), batches)
    repeats, segments = len(folds), len(folds[0])
    predictions = np.empty((repeats, len(response)))
    chosen = np.empty((repeats, segments), dtype=np.intp)
    shown = None if progress else True
    with tqdm(total=chosen.size, desc="double cross-validation", disable=shown) as bar:
        for repeat, number in np.ndindex(chosen.shape):
            train, test = folds[repeat][number]
            inner = inner_validation(steps, model, X, response, batches, train, cv)
            count = select_n_components(inner, rule=rule).n_components
            chosen[repeat, number] = count
            predictions[repeat, test] = predicted_with(
                count, steps, model, X, response, train, test
            )
            bar.update()
    counts = np.bincount(chosen.ravel())
    return DoubleCrossValidation(
        rmsep=np.sqrt(np.mean((predictions - response) ** 2, axis=1)),
        predictions=predictions,
        reference=response,
        n_components=chosen,
        most_frequent=int(counts.argmax()),
        rule=rule,
    )


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class PermutationTest(Result):
    """How often shuffled reference values are predicted as well as the real ones.

    Parameters
    ----------
    p : float
        (1 + number of shuffles that do as well) / (1 + number of shuffles).
    q2 : float
        Largest Q2 of cross-validation with the real reference values.
    q2_shuffled : ndarray of shape (n_permutations,)
        The same for each shuffle.
    """

    p: float
    q2: float
    q2_shuffled: NDArray[np.float64]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a shuffle, the real order first."""
        values = np.concatenate([[self.q2], self.q2_shuffled])
        return pd.DataFrame({"shuffled": np.arange(len(values)) > 0, "q2": values})

    def plot(self, *, ax: Any = None) -> Any:
        """Draw Q2 with shuffled values beside Q2 with the real ones.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.chemometrics import plots

        return plots.plot_permutation_test(self, ax=ax)


def permutation_test(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    n_permutations: int = 199,
    cv: Any = None,
    groups: ArrayLike | None = None,
    random_state: int = 0,
    progress: bool = False,
) -> PermutationTest:
    """Test whether spectra tell anything about the response.

    Parameters
    ----------
    estimator : PLS, PCR or Pipeline
        As in `cross_validate`.
    X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
        Spectra; NaN raises.
    y : array-like, shape (n_samples,)
        Reference values of one response; NaN raises.
    n_permutations : int, default 199
        Number of shuffles; the smallest p that can come out is 1 / (1 + n_permutations).
    cv : cross-validator, str or int, optional
        As in `cross_validate`.
    groups : array-like, shape (n_samples,), optional
        Batch of each sample. Values are shuffled over all samples: where the samples of a batch
        are more alike than others, p comes out too small.
    random_state : int, default 0
        Seed of the shuffles.
    progress : bool, default False
        Show a progress bar on a terminal.

    Returns
    -------
    PermutationTest
        The probability, and Q2 = 1 - (RMSECV / RMSECV of the mean)^2 at its largest over the
        numbers of components, with the real and with shuffled values: the choice of components
        is part of what is tested.

    Notes
    -----
    1 is added above and below, for the real order is one of all orders: B. Phipson, G. K.
    Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010) article 39.

    Examples
    --------
    >>> from pharmaq.chemometrics import PLS
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(30, 5))
    >>> permutation_test(PLS(2), X, X[:, 0], n_permutations=19).p
    0.05
    """
    steps, model, X, response, batches = prepared(estimator, X, y, groups)
    draws = check_integer("n_permutations", n_permutations, least=1)
    generator = np.random.default_rng(check_integer("random_state", random_state, least=0))
    rows = np.arange(len(response))

    def best(values: NDArray[np.float64]) -> float:
        return float(inner_validation(steps, model, X, values, batches, rows, cv).q2.max())

    real = best(response)
    bar = tqdm(range(draws), desc="permutations", disable=None if progress else True)
    shuffled = np.array([best(generator.permutation(response)) for _ in bar])
    return PermutationTest(
        p=float((1 + np.sum(shuffled >= real)) / (1 + draws)), q2=real, q2_shuffled=shuffled
    )


def prepared(
    estimator: Any, X: Any, y: ArrayLike, groups: ArrayLike | None
) -> tuple[list[Any], Any, Any, NDArray[np.float64], NDArray[Any] | None]:
    """Return steps to refit, model, spectra after row-wise steps, response and batches."""
    steps, model = split_pipeline(estimator)
    batches = groups_of(X, groups)
    X, steps = apply_row_wise(steps, X, model)
    check_same_length(X=X, y=np.asarray(y))
    response = check_response(y, len(X))
    if response.ndim != 1:
        msg = f"y must be one response, shape (n_samples,), got {response.shape}"
        raise InputError(msg)
    if batches is not None:
        check_same_length(X=X, groups=batches)
    return steps, model, X, response, batches


def outer_folds(
    outer: RandomSubsets | str, n_samples: int, batches: NDArray[Any] | None
) -> list[list[tuple[NDArray[np.intp], NDArray[np.intp]]]]:
    """Return training and test rows, by repeat and segment; whole batches where known."""
    splitter = make_splitter(outer) if isinstance(outer, str) else outer
    if not isinstance(splitter, RandomSubsets):
        msg = f"outer must be a RandomSubsets or its short name 'random(10,10)', got {outer!r}"
        raise InputTypeError(msg)
    unit = np.arange(n_samples)
    if batches is not None:
        unit = np.unique(np.asarray(batches).astype(str), return_inverse=True)[1].ravel()
    folds = [
        (np.flatnonzero(np.isin(unit, train)), np.flatnonzero(np.isin(unit, test)))
        for train, test in splitter.split(np.empty((unit.max() + 1, 1)))
    ]
    n = splitter.n_splits
    return [folds[start : start + n] for start in range(0, len(folds), n)]


def inner_validation(
    steps: list[Any],
    model: Any,
    X: Any,
    y: NDArray[np.float64],
    batches: NDArray[Any] | None,
    train: NDArray[np.intp],
    cv: Any,
) -> Any:
    """Cross-validate on the training rows only."""
    return cross_validate(
        make_pipeline(*steps, model),
        rows_of(X, train),
        y[train],
        cv=cv,
        groups=None if batches is None else batches[train],
        excess="trim",
    )


def predicted_with(
    n_components: int,
    steps: list[Any],
    model: Any,
    X: Any,
    y: NDArray[np.float64],
    train: NDArray[np.intp],
    test: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Fit on the training rows with so many components, 0 for their mean, and predict."""
    if n_components == 0:
        return np.full(len(test), y[train].mean())
    sized = clone(model).set_params(n_components=n_components)
    return predict_fold(steps, sized, X, y, train, test)[0][-1]
