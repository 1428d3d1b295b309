"""Discriminant analysis by partial least squares on class membership."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.special import expit, log_expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, column_or_1d

from pharmaq._checks import as_float, check_choice, check_finite
from pharmaq.chemometrics._base import (
    as_pharmaq_errors,
    fit_matrix,
    like_columns,
    like_rows,
    require_fitted,
)
from pharmaq.chemometrics._pictures import RegressionPictures
from pharmaq.chemometrics.latent import LatentVariableModel, check_n_components
from pharmaq.chemometrics.pls import PLS
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["PLSDA"]

# membership is coded 0 and 1; a spread below this is what rounding leaves of an exact fit
LEAST_SPREAD = float(np.sqrt(np.finfo(float).eps))


class PLSDA(RegressionPictures, ClassifierMixin, LatentVariableModel):
    """Discriminant analysis by partial least squares [1]_.

    Parameters
    ----------
    n_components : int, default 2
        Number of latent variables. Where fewer already explain all of the classes that `X`
        can explain, the model has those, and a `ConvergenceWarning` says so.
    scale : bool, default False
        Divide every column of `X`, and of the coded membership, by its standard deviation
        (n - 1).
    priors : array-like of shape (n_classes,), optional
        Probability of each class before anything is measured, in the order of ``classes_``
        (sorted labels), summing to 1. By default each class weighs as much as all others
        together, 1/2 and 1/2, whatever the sizes of the classes in the calibration.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.
    thresholds_ : ndarray of shape (n_responses,)
        Predicted membership above which a sample more likely belongs to the class than not. For
        two classes there is one response, membership of ``classes_[1]``; for more there is one
        a class. Minus or plus infinity where one side is the more likely everywhere.
    member_means_, member_sds_, other_means_, other_sds_ : ndarray of shape (n_responses,)
        Mean and standard deviation (n - 1) of the predicted membership of the calibration
        samples of the class, and of all others.
    priors_ : ndarray of shape (n_responses,)
        Prior probability of membership in use for each response.
    coef_, intercept_, x_weights_, x_loadings_, x_scores_, y_loadings_, spe_, axis_
        The regression; these and its other attributes are as in `PLS`.

    Notes
    -----
    Membership, 1 or 0, is regressed on X: PLS1 for two classes, PLS2 for more. The predicted
    membership y of members and of all others is taken as normal, N(m1, s1) and N(m0, s0), and
    the threshold is where the two densities, times their priors, cross with members gaining the
    upper hand [2]_. For s1 = s0 = s it is (m0 + m1) / 2 + s^2 ln(p0 / p1) / (m1 - m0).

    The probability of membership is p1 N(y; m1, s1) over the sum of both terms. For unequal
    spreads this would turn back far out, in favour of the wider class; beyond its extreme it is
    held constant, so that probability never falls as y rises. Standard deviations below 1.5e-8
    are rounding and taken as that. For more than two classes the probabilities of membership
    are divided by their sum; the predicted class is the most probable one.

    References
    ----------
    .. [1] M. Barker, W. Rayens, J. Chemom. 17 (2003) 166-173.
    .. [2] R. O. Duda, P. E. Hart, D. G. Stork, Pattern Classification, 2nd ed., Wiley, 2001,
       chapter 2.

    Examples
    --------
    >>> X = [[1.0, 0.2], [1.2, 0.1], [0.9, 0.3], [2.1, 0.9], [1.9, 1.1], [2.2, 1.0]]
    >>> model = PLSDA(n_components=1).fit(X, ["a", "a", "a", "b", "b", "b"])
    >>> model.predict([[1.1, 0.2], [2.0, 1.0]]).tolist()
    ['a', 'b']
    >>> model.thresholds_.round(3)
    array([0.401])
    """

    def __init__(
        self, n_components: int = 2, *, scale: bool = False, priors: ArrayLike | None = None
    ) -> None:
        self.n_components = n_components
        self.scale = scale
        self.priors = priors

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the regression and the thresholds.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples, at least two of each class; NaN raises.
        y : array-like, shape (n_samples,)
            Class labels: text or whole numbers, at least two different ones.

        Returns
        -------
        PLSDA
            The fitted model.

        Raises
        ------
        InputError
            If there is one class only, a class has one member, or the number of components
            cannot be fitted or tells nothing of a class.
        """
        values = fit_matrix(self, X, least=2)
        self.classes_, codes = check_labels(y, len(values))
        _require_members(self.classes_, codes)
        self.priors_ = self._priors()
        member = codes[:, None] == np.arange(len(self.classes_))
        if len(self.classes_) == 2:
            member = member[:, 1:]
        count = check_n_components(self.n_components, *values.shape)
        model = _regression(values, member.astype(float), count, scale=self.scale)
        # the model is this estimator's own, but for the axis, which X brought
        learned = {k: v for k, v in vars(model).items() if k.endswith("_")}
        self.__dict__.update({k: v for k, v in learned.items() if not k.startswith("axis_")})
        self._set_densities(self._memberships(model.x_scores_), member)
        self._set_thresholds()
        return self

    def predict(self, X: Any) -> Any:
        """Predict the class of samples.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.

        Returns
        -------
        array, Series or DataArray, shape (n_samples,)
            The most probable class. A sample gets the same class alone and among others.
        """
        best = self._probabilities(X).argmax(axis=1)
        return like_rows(X, self.classes_[best])

    def predict_proba(self, X: Any) -> Any:
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.

        Returns
        -------
        array, DataFrame or DataArray, shape (n_samples, n_classes)
            Probabilities that sum to 1 over the classes, in the order of ``classes_``. They
            hold for samples of these classes; T2 and SPE tell whether a sample is one.
        """
        return like_columns(X, self._probabilities(X), self._names(), "class")

    def memberships(self, X: Any) -> Any:
        """Return the predicted memberships, which the thresholds are held against.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.

        Returns
        -------
        array, DataFrame or DataArray, shape (n_samples, n_responses)
            About 1 for members and about 0 for others; for two classes one column, membership
            of ``classes_[1]``.
        """
        scores, _ = self.project(X)
        names = self._names()
        columns = names[1:] if len(names) == 2 else names
        return like_columns(X, self._memberships(scores), columns, "class")

    def plot_memberships(self, X: Any, y: Any, *, label: Any = None, ax: Any = None) -> Any:
        """Draw the predicted membership of one class by known class, with its threshold.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.
        y : array-like, shape (n_samples,)
            Known class of each sample; other classes than the fitted ones may be among them.
        label : object, optional
            The class; of two classes by default the one that ``thresholds_`` belongs to.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.chemometrics import plots

        scores, _ = self.project(X)
        known = check_labels(y, len(scores))
        labels = [plain_label(each) for each in self.classes_]
        columns = labels[1:] if len(labels) == 2 else labels
        label = columns[0] if label is None and len(columns) == 1 else label
        check_choice("label", label, columns)
        place = columns.index(label)
        return plots.plot_memberships(
            self._memberships(scores)[:, place],
            known[0][known[1]],
            label=label,
            threshold=float(self.thresholds_[place]),
            ax=ax,
        )

    def plot_confusion(self, X: Any, y: Any, *, ax: Any = None) -> Any:
        """Draw how many samples of each class are predicted to be in each.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.
        y : array-like, shape (n_samples,)
            Known class of each sample, one of ``classes_``.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture: rows are known classes, columns predicted ones.
        """
        from pharmaq.chemometrics import plots

        predicted = self._probabilities(X).argmax(axis=1)
        labels, codes = check_labels(y, len(predicted))
        unknown = np.setdiff1d(labels, self.classes_)
        if unknown.size:
            msg = f"y holds class {plain_label(unknown[0])!r}, which the model does not know"
            raise InputError(msg)
        counts = np.zeros((len(self.classes_), len(self.classes_)), dtype=int)
        np.add.at(counts, (np.searchsorted(self.classes_, labels)[codes], predicted), 1)
        return plots.plot_confusion(counts, self.classes_, ax=ax)

    def _priors(self) -> NDArray[np.float64]:
        """Return the prior of membership for each response."""
        count = len(self.classes_)
        if self.priors is None:
            return np.full(count if count > 2 else 1, 0.5)
        priors = as_float("priors", self.priors)
        if priors.shape != (count,):
            msg = f"priors must have shape ({count},), one a class, got {priors.shape}"
            raise InputError(msg)
        check_finite("priors", priors)
        if priors.min() <= 0 or abs(priors.sum() - 1) > 1e-9:
            msg = f"priors must be above 0 and sum to 1, got {priors.tolist()}"
            raise InputError(msg)
        return priors if count > 2 else priors[1:]

    def _memberships(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        fitted = np.zeros((len(scores), len(self.y_loadings_)))
        # component by component: a matrix product may round by the number of rows
        for score, loading in zip(scores.T, self.y_loadings_.T, strict=True):
            fitted += score[:, None] * loading
        return fitted * self.y_scale_ + self.y_mean_

    def _set_densities(self, fitted: NDArray[np.float64], member: NDArray[np.bool_]) -> None:
        inside = [column[is_in] for column, is_in in zip(fitted.T, member.T, strict=True)]
        outside = [column[~is_in] for column, is_in in zip(fitted.T, member.T, strict=True)]
        self.member_means_ = np.array([part.mean() for part in inside])
        self.other_means_ = np.array([part.mean() for part in outside])
        self.member_sds_ = np.array([_spread(part) for part in inside])
        self.other_sds_ = np.array([_spread(part) for part in outside])
        useless = np.flatnonzero(self.member_means_ - self.other_means_ <= LEAST_SPREAD)
        if useless.size:
            label = self.classes_[-1] if len(self.classes_) == 2 else self.classes_[useless[0]]
            msg = (
                f"n_components = {self.n_components_} tell nothing of class "
                f"{plain_label(label)!r}: its members are predicted like all others; use more "
                "components"
            )
            raise InputError(msg)

    def _set_thresholds(self) -> None:
        center, a, b, c = self._log_odds_terms()
        square = b**2 - 4 * a * c
        root = np.sqrt(np.clip(square, 0, None))
        # of the two crossings this is the one where the odds rise; b is positive
        crossing = center - 2 * c / (b + root)
        self.thresholds_ = np.where(square >= 0, crossing, np.where(c > 0, -np.inf, np.inf))

    def _log_odds_terms(self) -> tuple[NDArray[np.float64], ...]:
        """Return centre and terms of the log odds a (y - centre)^2 + b (y - centre) + c."""
        inside, outside = self.member_sds_**-2.0, self.other_sds_**-2.0
        center = (self.member_means_ + self.other_means_) / 2
        half = (self.member_means_ - self.other_means_) / 2
        a = (outside - inside) / 2
        b = half * (outside + inside)
        prior = np.log(self.priors_ / (1 - self.priors_))
        c = a * half**2 + np.log(self.other_sds_ / self.member_sds_) + prior
        return center, a, b, c

    def _log_odds(self, fitted: NDArray[np.float64]) -> NDArray[np.float64]:
        center, a, b, c = self._log_odds_terms()
        with np.errstate(divide="ignore"):
            turn = -b / (2 * a)
        step = fitted - center
        step = np.where(a > 0, np.maximum(step, turn), step)
        step = np.where(a < 0, np.minimum(step, turn), step)
        return (a * step + b) * step + c

    def _probabilities(self, X: Any) -> NDArray[np.float64]:
        scores, _ = self.project(X)
        odds = self._log_odds(self._memberships(scores))
        if len(self.classes_) == 2:
            return np.column_stack([expit(-odds[:, 0]), expit(odds[:, 0])])
        # from logarithms: far from all classes every probability underflows
        return np.asarray(softmax(log_expit(odds), axis=1))

    def _names(self) -> list[str]:
        require_fitted(self)
        return [str(label) for label in self.classes_]


def check_labels(y: Any, n_samples: int) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the sorted classes and the number of the class of each sample."""
    if y is None:
        msg = "y is missing: this estimator requires y to be passed, but the target y is None"
        raise InputError(msg)
    with as_pharmaq_errors():
        labels = column_or_1d(np.asarray(y), warn=True)
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
        classes, codes = np.unique(labels, return_inverse=True)
    if len(labels) != n_samples:
        msg = f"y must have one label for each of the {n_samples} rows of X, got {len(labels)}"
        raise InputError(msg)
    return classes, codes


def plain_label(label: Any) -> Any:
    """Return a label as Python shows it to people: 'a' and 3, not np.str_('a')."""
    return label.item() if isinstance(label, np.generic) else label


def _require_members(classes: NDArray[Any], codes: NDArray[np.intp]) -> None:
    if len(classes) < 2:
        msg = (
            f"y holds one class only, {plain_label(classes[0])!r}; discrimination needs two "
            "or more classes (DDSIMCA models one)"
        )
        raise InputError(msg)
    alone = np.flatnonzero(np.bincount(codes) < 2)
    if alone.size:
        msg = (
            f"class {plain_label(classes[alone[0]])!r} has one member, which tells nothing of "
            "its spread; add members or leave the class out"
        )
        raise InputError(msg)


def _regression(
    values: NDArray[np.float64], member: NDArray[np.float64], n_components: int, *, scale: bool
) -> PLS:
    """Fit with as many components as membership can carry, which may be fewer."""
    for count in range(n_components, 1, -1):
        try:
            model = PLS(count, scale=scale).fit(values, member)
        except InputError:
            continue
        _warn_of_fewer(n_components, count)
        return model
    model = PLS(1, scale=scale).fit(values, member)
    _warn_of_fewer(n_components, 1)
    return model


def _warn_of_fewer(asked: int, fitted: int) -> None:
    if fitted < asked:
        msg = (
            f"n_components = {asked} is more than X and the classes have in common; the model "
            f"has {fitted}, which explain all that X can"
        )
        warnings.warn(msg, ConvergenceWarning, stacklevel=4)


def _spread(values: NDArray[np.float64]) -> float:
    return max(float(values.std(ddof=1)), LEAST_SPREAD)
