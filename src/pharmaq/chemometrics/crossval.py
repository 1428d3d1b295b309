"""Cross-validation of calibrations: predictions for every number of components."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from pharmaq._checks import check_choice, check_integer, check_same_length
from pharmaq.chemometrics._base import check_response, fit_matrix
from pharmaq.chemometrics._folds import Folds, fold_paths, rows_of
from pharmaq.chemometrics.preprocessing import learns_from_samples
from pharmaq.chemometrics.preprocessing._one_pass import in_one_pass
from pharmaq.chemometrics.score_regression import ScoreRegression
from pharmaq.chemometrics.splitters import (
    LeaveBatchOut,
    VenetianBlinds,
    make_splitter,
    splitter_text,
)
from pharmaq.errors import InputError, InputTypeError
from pharmaq.results import Finding, Result

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["CrossValidation", "cross_validate"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class CrossValidation(Result):
    """Predictions of left-out samples with 1 to A components, and their errors.

    Parameters
    ----------
    rmsecv : ndarray of shape (A,) or (A, n_responses)
        Root mean square error of cross-validation; divides by the number of predictions.
    rmsecv_null : float or ndarray of shape (n_responses,)
        The same for the mean of the training samples as prediction: zero components.
    predictions_null : ndarray of shape (n_samples,) or (n_samples, n_responses)
        Predictions of the null model.
    predictions : DataArray
        Dimensions ``("n_components", "sample")`` and ``"response"`` for several responses; the
        mean where a sample was left out several times, NaN where it never was.
    reference : ndarray of shape (n_samples,) or (n_samples, n_responses)
        The reference values.
    fold_mse : ndarray of shape (n_folds, A) or (n_folds, A, n_responses)
        Mean squared error in each fold.
    n_predictions : ndarray of shape (n_samples,)
        How often each sample was left out.
    cv : str
        The splitter.
    algorithm : str
        How the numbers were computed.
    findings : tuple of Finding
        What had to be noted on the way.
    """

    rmsecv: NDArray[np.float64]
    rmsecv_null: NDArray[np.float64]
    predictions_null: NDArray[np.float64]
    predictions: xr.DataArray
    reference: NDArray[np.float64]
    fold_mse: NDArray[np.float64]
    n_predictions: NDArray[np.intp]
    cv: str
    algorithm: str
    findings: tuple[Finding, ...] = ()

    @property
    def residuals(self) -> xr.DataArray:
        """Predicted minus reference, with the dimensions of `predictions`."""
        return self.predictions - self.reference

    @property
    def q2(self) -> NDArray[np.float64]:
        """Share of the squared error of the null model that is explained, by component."""
        return 1 - (self.rmsecv / self.rmsecv_null) ** 2

    def to_frame(self) -> pd.DataFrame:
        """Return one row a number of components, from 0: RMSECV (a column a response)."""
        table = np.vstack([np.atleast_1d(self.rmsecv_null), self.rmsecv.reshape(self.size, -1)])
        names = ["rmsecv"] if self.rmsecv.ndim == 1 else list(self.predictions.response.values)
        frame = pd.DataFrame(table, columns=names)
        frame.insert(0, "n_components", np.arange(self.size + 1))
        return frame

    @property
    def size(self) -> int:
        """Largest number of components."""
        return len(self.rmsecv)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw RMSECV over the number of components.

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

        return plots.plot_rmsecv(self, ax=ax)

    def plot_predicted(self, n_components: int, *, units: str = "", ax: Any = None) -> Any:
        """Draw predictions of left-out samples over their reference values.

        Parameters
        ----------
        n_components : int
            Number of components.
        units : str, default ""
            Units of the response.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture, with limits at two RMSECV.
        """
        from pharmaq.chemometrics import plots

        reference, predicted, rmse = self._left_out(n_components)
        return plots.plot_predicted(
            reference, predicted, rmse=rmse, label="left out", units=units, ax=ax
        )

    def plot_errors(
        self,
        n_components: int,
        *,
        batch: ArrayLike | None = None,
        units: str = "",
        ax: Any = None,
    ) -> Any:
        """Draw errors of left-out samples over the reference value, or batch by batch.

        Parameters
        ----------
        n_components : int
            Number of components.
        batch : array-like of shape (n_samples,), optional
            Batch of each sample.
        units : str, default ""
            Units of the response.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture, with lines at two RMSECV.
        """
        from pharmaq.chemometrics import plots

        reference, predicted, rmse = self._left_out(n_components)
        if batch is not None:
            check_same_length(batch=np.asarray(batch), reference=self.reference)
            batch = np.asarray(batch)[self.n_predictions > 0]
        return plots.plot_errors(
            predicted - reference, at=reference, batch=batch, units=units, rmse=rmse, ax=ax
        )

    def _left_out(
        self, n_components: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Return reference and prediction of the samples that were left out, and RMSECV."""
        check_integer("n_components", n_components, least=1, most=self.size)
        if self.reference.ndim != 1:
            msg = "the picture is of one response; cross-validate each response alone"
            raise InputError(msg)
        judged = self.n_predictions > 0
        predicted = self.predictions.to_numpy()[n_components - 1, judged]
        return self.reference[judged], predicted, float(self.rmsecv[n_components - 1])


def cross_validate(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    cv: Any = None,
    groups: ArrayLike | None = None,
    excess: Literal["raise", "trim"] = "raise",
    progress: bool = False,
) -> CrossValidation:
    """Cross-validate PLS or PCR, or a pipeline that ends in one, at every component count.

    Parameters
    ----------
    estimator : PLS, PCR or Pipeline
        Cloned, never changed. Its `n_components` is the largest number tried.
    X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
        Spectra; NaN raises, unless the estimator's `missing` says what to do.
    y : array-like, shape (n_samples,) or (n_samples, n_responses)
        Reference values; NaN raises.
    cv : cross-validator, str or int, optional
        A splitter, its short name (see `make_splitter`) or a number of venetian blinds. By
        default batches are left out where they are known, and 10 venetian blinds used if not.
    groups : array-like, shape (n_samples,), optional
        Batch of each sample; by default the coordinate ``batch`` of `X`.
    excess : {"raise", "trim"}, default "raise"
        What to do with an `n_components` beyond what the smallest fold allows: refuse it, or
        try as many as there can be and say so in a finding.
    progress : bool, default False
        Show a progress bar on a terminal.

    Returns
    -------
    CrossValidation
        Predictions and errors for 1 to `n_components` components.

    Raises
    ------
    InputError
        If data cannot be modelled, or a fold is too small for `n_components`.

    Notes
    -----
    Centring, scaling and every step that learns from samples (such as `MSC`) are fitted anew in
    each fold, from its training samples only. Steps that treat each spectrum by itself are
    applied once: the result is the same. RMSECV = sqrt(sum of squared errors / number of
    predictions), pooled over all folds.

    Examples
    --------
    >>> import numpy as np
    >>> from pharmaq.chemometrics import PLS
    >>> X = np.array([[1.0, 0.2], [2.0, 0.1], [3.0, 0.4], [4.0, 0.3], [5.0, 0.1], [6.0, 0.3]])
    >>> result = cross_validate(PLS(n_components=1), X, X[:, 0] + X[:, 1], cv="venetian(3)")
    >>> result.rmsecv
    array([0.15795264])
    """
    steps, model = split_pipeline(estimator)
    groups = groups_of(X, groups)
    splitter = splitter_of(cv, groups)
    X, steps = apply_row_wise(steps, X, model)
    check_same_length(X=X, y=np.asarray(y))
    response = check_response(y, len(X))
    folds = folds_of(splitter, len(X), response, groups)
    check_choice("excess", excess, ("raise", "trim"))
    model, trimmed = _sized(model, steps, X, response, folds, trim=excess == "trim")
    paths, usable, algorithm = fold_paths(steps, model, X, response, folds, progress)
    result = _assemble(response, folds, paths, usable)
    return dataclasses.replace(
        result,
        cv=splitter_text(splitter),
        algorithm=algorithm,
        findings=(*trimmed, *result.findings),
    )


def split_pipeline(estimator: Any) -> tuple[list[Any], Any]:
    """Return the preprocessing steps and the regression of an estimator."""
    steps = [estimator]
    if isinstance(estimator, Pipeline):
        steps = [step for _, step in estimator.steps]
    flat: list[Any] = []
    for step in steps[:-1]:
        nested = [part for _, part in step.steps] if isinstance(step, Pipeline) else [step]
        flat += [part for part in nested if part is not None and part != "passthrough"]
    if not isinstance(steps[-1], ScoreRegression):
        msg = f"estimator must be PLS, PCR or a pipeline that ends in one, got {estimator!r}"
        raise InputTypeError(msg)
    if steps[-1].get_metadata_routing().fit.requests.get("sample_weight"):
        msg = (
            "estimator asks for sample_weight in fit, but samples count once in "
            "cross-validation; call set_fit_request(sample_weight=False) to have it so"
        )
        raise InputError(msg)
    return flat, steps[-1]


def groups_of(X: Any, groups: ArrayLike | None) -> NDArray[Any] | None:
    """Return the groups given, or else the coordinate ``batch`` of labelled spectra."""
    if groups is None and isinstance(X, xr.DataArray) and "batch" in X.coords:
        return np.asarray(X["batch"].values)
    return None if groups is None else np.asarray(groups)


def splitter_of(cv: Any, groups: NDArray[Any] | None) -> Any:
    """Return a splitter from what `cv` may be; batches are left out where they are known."""
    if cv is None:
        return LeaveBatchOut() if groups is not None else VenetianBlinds(10)
    if isinstance(cv, str):
        return make_splitter(cv)
    if isinstance(cv, int):
        return VenetianBlinds(check_integer("cv", cv, least=2))
    if not hasattr(cv, "split"):
        msg = f"cv must be a splitter, its short name or a number of folds, got {cv!r}"
        raise InputTypeError(msg)
    return cv


def apply_row_wise(steps: list[Any], X: Any, model: Any) -> tuple[Any, list[Any]]:
    """Apply the leading steps that learn nothing from samples; return the rest."""
    first = next((i for i, s in enumerate(steps) if learns_from_samples(s)), len(steps))
    for step in in_one_pass([clone(step) for step in steps[:first]]):
        X = step.fit_transform(X)
    # with steps left the container still matters: they may need the axis
    return (X if steps[first:] else fit_matrix(clone(model), X, least=2)), steps[first:]


def folds_of(splitter: Any, n_samples: int, y: NDArray[np.float64], groups: Any) -> Folds:
    """Return training and test rows; groups go to splitters that ask for them."""
    if groups is not None:
        check_same_length(X=range(n_samples), groups=groups)
    used = groups if _takes_groups(splitter) else None
    folds = Folds.of_splitter(splitter, n_samples, y, used)
    if not folds:
        msg = "cv gives no fold"
        raise InputError(msg)
    return folds


def _takes_groups(splitter: Any) -> bool:
    """Tell whether a splitter asks for groups; scikit-learn's others warn when given them."""
    if not hasattr(splitter, "get_metadata_routing"):
        return True
    return bool(splitter.get_metadata_routing().split.requests.get("groups"))


def _sized(
    model: Any,
    steps: list[Any],
    X: Any,
    y: NDArray[np.float64],
    folds: Folds,
    *,
    trim: bool,
) -> tuple[Any, list[Finding]]:
    """Return the model with a number of components that every fold can carry."""
    wanted = check_integer("n_components", model.n_components, least=1)
    train, _ = folds[int(folds.train_sizes().argmin())]
    part = rows_of(X, train)
    for step in steps:
        part = clone(step).fit_transform(part, y[train])
    n_points = np.shape(part)[1]
    most = min(len(train) - 1, n_points)
    if wanted <= most:
        return model, []
    rule = (
        f"the smallest training set has {len(train)} samples of {n_points} points, which allow "
        f"{most} components"
    )
    if not trim or most < 1:
        msg = f"n_components = {wanted} is too many for cross-validation: {rule}"
        raise InputError(msg)
    finding = Finding(
        rule="components_trimmed",
        severity="info",
        subject="cross-validation",
        message=f"{wanted} components were asked for, {most} tried: {rule}",
        value=float(wanted),
        limit=float(most),
    )
    return clone(model).set_params(n_components=most), [finding]


def _assemble(
    y: NDArray[np.float64],
    folds: Folds,
    paths: list[NDArray[np.float64]],
    usable: NDArray[np.intp],
) -> CrossValidation:
    A = len(paths[0])
    tests, values = np.concatenate(folds.tests), np.concatenate(paths, axis=1)
    squares = (values - y[tests]) ** 2
    sizes = np.array([len(test) for test in folds.tests])
    starts = np.cumsum(sizes) - sizes
    shape = (-1, *[1] * y.ndim)
    fold_mse = np.add.reduceat(np.moveaxis(squares, 1, 0), starts) / sizes.reshape(shape)
    means_of_folds = np.repeat(folds.train_means(y), sizes, axis=0)
    null = ((means_of_folds - y[tests]) ** 2).sum(axis=0)
    count = np.bincount(tests, minlength=len(y))
    total = np.zeros((len(y), A + 1, *y.shape[1:]))
    both = np.concatenate([means_of_folds[None], values])
    np.add.at(total, tests, np.moveaxis(both, 1, 0))
    with np.errstate(invalid="ignore"):
        average = np.moveaxis(total / count.reshape(shape), 0, 1)
    means_null, means = average[0], average[1:]
    dims = ("n_components", "sample", "response")[: means.ndim]
    labels = {"n_components": np.arange(1, A + 1), "sample": np.arange(len(y))}
    if y.ndim == 2:
        labels["response"] = np.array([f"y{i}" for i in range(y.shape[1])])
    return CrossValidation(
        rmsecv=np.sqrt(squares.sum(axis=1) / count.sum()),
        rmsecv_null=np.sqrt(null / count.sum()),
        predictions_null=means_null,
        predictions=xr.DataArray(means, dims=dims, coords=labels),
        reference=y,
        fold_mse=fold_mse,
        n_predictions=count,
        cv="",
        algorithm="",
        findings=tuple(_findings(count, usable, A)),
    )


def _findings(
    count: NDArray[np.intp], usable: NDArray[np.intp], n_components: int
) -> list[Finding]:
    findings = []
    if (count == 0).any():
        never = int((count == 0).sum())
        findings.append(
            Finding(
                rule="never_left_out",
                severity="alert",
                subject="cross-validation",
                message=f"{never} of {len(count)} samples were never left out and not judged",
                value=float(never),
            )
        )
    if (usable < n_components).any():
        least = int(usable.min())
        findings.append(
            Finding(
                rule="components_exhausted",
                severity="info",
                subject="cross-validation",
                message=f"{int((usable < n_components).sum())} of {len(usable)} folds carry "
                f"fewer than {n_components} components (the poorest {least}); their "
                "predictions do not change beyond",
                value=float(least),
                limit=float(n_components),
            )
        )
    return findings
