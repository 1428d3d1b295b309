"""SIMCA: one principal component model a class, and limits for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.chemometrics._base import fit_matrix, like_columns, like_rows, new_matrix
from pharmaq.chemometrics._pictures import colors_of, names_of
from pharmaq.chemometrics.limits import SPE_METHODS, SPEMethod
from pharmaq.chemometrics.pca import PCA
from pharmaq.chemometrics.plsda import check_labels, plain_label
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SIMCA"]


class SIMCA(ClassifierMixin, BaseEstimator):
    """Soft independent modelling of class analogies [1]_.

    Parameters
    ----------
    n_components : int or dict, default 2
        Number of components of every class, or a dictionary from label to number.
    scale : bool, default False
        Divide every column by its standard deviation (n - 1) within the class.
    alpha : float, default 0.05
        Share of members allowed above each limit.
    spe_method : {"jackson", "box", "robust"}, default "jackson"
        Limit of SPE, see `pharmaq.chemometrics.spe_limit`.
    rule : {"both", "combined"}, default "both"
        A sample is a member of a class if T2 and SPE are each within their limits, or if its
        distance (see Notes) is at most sqrt(2).

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.
    models_ : list of PCA
        The model of each class, in the order of ``classes_``.
    t2_limits_, spe_limits_ : ndarray of shape (n_classes,)
        Limits of the class models. The limit of SPE is infinite where the components of a class
        span all columns, so that nothing is left for SPE.
    axis_, axis_kind_, n_features_in_
        As in `PCA`.

    Notes
    -----
    The limit of T2 is that for new samples, A (N^2 - 1) / (N (N - A)) F(1 - alpha; A, N - A)
    with the N members of the class. The distance to a class is
    sqrt((T2 / limit of T2)^2 + (SPE / limit of SPE)^2); a sample at both limits has sqrt(2).
    `memberships` may name no class or several; `predict` names the nearest class always.

    References
    ----------
    .. [1] S. Wold, Pattern Recognit. 8 (1976) 127-139.

    Examples
    --------
    >>> X = [[1, 0], [2, 0.1], [3, -0.1], [4, 0.1], [0, 6], [0.1, 7], [-0.1, 8], [0.1, 9]]
    >>> model = SIMCA(n_components=1).fit(X, ["a"] * 4 + ["b"] * 4)
    >>> model.predict([[2.5, 0.0], [0.0, 7.5], [2.5, 4.0]]).tolist()
    ['a', 'b', 'b']
    >>> model.memberships([[2.5, 0.0], [0.0, 7.5], [2.5, 4.0]]).tolist()
    [[True, False], [False, True], [False, False]]
    """

    def __init__(
        self,
        n_components: int | dict[Any, int] = 2,
        *,
        scale: bool = False,
        alpha: float = 0.05,
        spe_method: SPEMethod = "jackson",
        rule: Literal["both", "combined"] = "both",
    ) -> None:
        self.n_components = n_components
        self.scale = scale
        self.alpha = alpha
        self.spe_method = spe_method
        self.rule = rule

    def fit(self, X: Any, y: Any) -> Self:
        """Fit one model a class.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples, at least n_components + 2 of each class; NaN raises.
        y : array-like, shape (n_samples,)
            Class labels: text or whole numbers; one class is enough.

        Returns
        -------
        SIMCA
            The fitted models.

        Raises
        ------
        InputError
            If a class has one member, too few for its components, or cannot be modelled; the
            message names the class.
        """
        values = fit_matrix(self, X, least=2)
        check_real("alpha", self.alpha, above=0, below=1)
        check_choice("spe_method", self.spe_method, SPE_METHODS)
        check_choice("rule", self.rule, ("both", "combined"))
        self.classes_, codes = check_labels(y, len(values))
        counts = self._counts(np.bincount(codes))
        self.models_ = []
        limits = []
        for k, label in enumerate(self.classes_):
            try:
                model = PCA(counts[k], scale=self.scale).fit(values[codes == k])
                limits.append(self._limits(model))
            except InputError as error:
                msg = f"class {plain_label(label)!r} cannot be modelled: {error}"
                raise InputError(msg) from None
            self.models_.append(model)
        self.t2_limits_, self.spe_limits_ = np.array(limits).T
        return self

    def predict(self, X: Any) -> Any:
        """Return the nearest class of samples, members of it or not.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.

        Returns
        -------
        array, Series or DataArray, shape (n_samples,)
            The class with the smallest distance; of equal ones the first.
        """
        nearest = self._distances(X).argmin(axis=1)
        return like_rows(X, self.classes_[nearest])

    def memberships(self, X: Any) -> Any:
        """Tell for each class whether samples are members of it.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.

        Returns
        -------
        array, DataFrame or DataArray of bool, shape (n_samples, n_classes)
            True where `rule` is met: for none, one or several classes.
        """
        t2, spe = self.ratios(X)
        if self.rule == "both":
            inside: Any = (t2 <= 1) & (spe <= 1)
        else:
            inside = np.hypot(t2, spe) <= np.sqrt(2)
        return like_columns(X, inside, self._names(), "class")

    def distances(self, X: Any) -> Any:
        """Return the distances of samples to the classes.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.

        Returns
        -------
        array, DataFrame or DataArray, shape (n_samples, n_classes)
            sqrt((T2 / limit)^2 + (SPE / limit)^2), in the container of `X`.
        """
        return like_columns(X, self._distances(X), self._names(), "class")

    def ratios(self, X: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return T2 and SPE of samples in units of the limits of each class.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.

        Returns
        -------
        t2, spe : ndarray of shape (n_samples, n_classes)
            1 at the limit. A sample gets the same bits alone and among others.
        """
        values = new_matrix(self, X)
        t2 = np.empty((len(values), len(self.models_)))
        spe = np.empty_like(t2)
        for k, model in enumerate(self.models_):
            scores, errors = model.project(values)
            t2[:, k] = model.t2_of_scores(scores) / self.t2_limits_[k]
            spe[:, k] = errors / self.spe_limits_[k]
        return t2, spe

    def plot_acceptance(
        self, X: Any, label: Any, *, color_by: Any = None, ax: Any = None
    ) -> Any:
        """Draw SPE over T2 of samples for one class, with its region of acceptance.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Samples on the fitted axis; NaN raises.
        label : object
            The class that is to accept them, one of ``classes_``.
        color_by : str or array-like of shape (n_samples,), optional
            Known class of each sample, or the name of a sample coordinate of `X`.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.chemometrics import plots

        t2, spe = self.ratios(X)
        known = [plain_label(each) for each in self.classes_]
        check_choice("label", label, known)
        place = known.index(label)
        colors = None if color_by is None else colors_of(X, color_by, len(t2))[0]
        return plots.plot_class_distances(
            t2[:, place],
            spe[:, place],
            label=label,
            rule=self.rule,
            alpha=self.alpha,
            color_by=colors,
            names=names_of(X, len(t2)),
            ax=ax,
        )

    def _distances(self, X: Any) -> NDArray[np.float64]:
        return np.hypot(*self.ratios(X))

    def _names(self) -> list[str]:
        return [str(label) for label in self.classes_]

    def _counts(self, members: NDArray[np.intp]) -> list[int]:
        """Return the number of components of each class, if its members can carry it."""
        labels = [plain_label(label) for label in self.classes_]
        counts = []
        for label, size in zip(labels, members.tolist(), strict=True):
            count = check_integer("n_components", self._count_of(label), least=1)
            if size < count + 2:
                have = "one member" if size == 1 else f"{size} members"
                msg = (
                    f"class {label!r} has {have}, too few for n_components = {count}: it needs "
                    f"at least {count + 2}; add members, lower n_components or leave it out"
                )
                raise InputError(msg)
            counts.append(count)
        return counts

    def _count_of(self, label: Any) -> Any:
        if not isinstance(self.n_components, dict):
            return self.n_components
        if label not in self.n_components:
            msg = f"n_components has no entry for class {label!r}: {self.n_components!r}"
            raise InputError(msg)
        return self.n_components[label]

    def _limits(self, model: PCA) -> tuple[float, float]:
        t2_limit = model.t2_limit(alpha=self.alpha)
        if model.n_components_ == model.n_features_in_:
            return t2_limit, np.inf
        left = float(model.residual_eigenvalues_.sum())
        # what rounding leaves of a matrix that the components reproduce
        rounding = (model.n_features_in_ * np.finfo(float).eps) ** 2
        if left <= rounding * float(model.eigenvalues_.sum()):
            msg = f"n_components = {model.n_components_} reproduce it exactly; lower it"
            raise InputError(msg)
        return t2_limit, model.spe_limit(alpha=self.alpha, method=self.spe_method)
