"""Multivariate curve resolution as an estimator."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Self, get_args

import numpy as np
import xarray as xr
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning

from pharmaq._checks import as_float, check_choice, check_finite, check_integer, check_real
from pharmaq.chemometrics._base import (
    difference_of_axes,
    fit_matrix,
    like_columns,
    like_rows,
    new_matrix,
    require_fitted,
)
from pharmaq.chemometrics.mcr._als import (
    Normalization,
    Problem,
    lack_of_fit,
    matched,
    principal_part,
    resolve,
)
from pharmaq.chemometrics.mcr._constraints import (
    ConcentrationConstraints,
    SpectrumConstraints,
    concentration_limits,
    spectrum_limits,
    unimodal_components,
)
from pharmaq.chemometrics.mcr._initial import (
    check_component_count,
    evolving_factor_analysis,
    simplisma,
)
from pharmaq.chemometrics.mcr._labels import sample_labels
from pharmaq.chemometrics.mcr._profiles import ResolvedProfiles
from pharmaq.chemometrics.mcr._solve import Limits, solve_rows
from pharmaq.errors import AxisError, InputError, InputTypeError
from pharmaq.spectra import AXIS_UNITS, axis_kind, axis_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MCRALS"]


class MCRALS(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Multivariate curve resolution by alternating least squares [1]_ [2]_.

    Resolves spectra of mixtures into spectra of components and their concentrations,
    X = C S + E, by what is known of both: that they are not negative, at least.

    Parameters
    ----------
    n_components : int, default 2
        Number of components; more than the rank of `X` is an error.
    initial : {"simplisma", "efa"} or array-like, default "simplisma"
        First estimate: the purest variables; evolving factors, for samples in the order of
        time; or values of your own, spectra of shape (n_components, n_points) or
        concentrations of shape (n_samples, n_components). Spectra as DataArray must be on the
        axis of `X`.
    concentrations : ConcentrationConstraints, optional
        What concentrations have to keep to; by default they are not negative.
    spectra : SpectrumConstraints, optional
        What spectra have to keep to; by default they are not negative.
    normalization : {"max", "area", "l2", "none"}, default "max"
        Scale of the spectra of components whose scale nothing else sets: the largest absolute
        value, the area under it (trapezoids, in axis units) or the root sum of squares is 1.
        Closure and known values other than 0 set the scale of their components themselves.
    max_iter : int, default 500
        Largest number of iterations.
    tol : float, default 1e-6
        Relative change of the lack of fit in one iteration at which they end.

    Attributes
    ----------
    spectra_ : ndarray of shape (n_components, n_points)
        Resolved spectra.
    concentrations_ : ndarray of shape (n_samples, n_components)
        Resolved concentrations of the fitted samples.
    lack_of_fit_ : float
        100 sqrt(sum (x - c s)^2 / sum x^2), in percent of the data.
    lack_of_fit_pca_ : float
        The same with the best approximation of `X` by as many principal components in place
        of `X`: what the constraints cost.
    least_lack_of_fit_ : float
        Lack of fit of that approximation: no model of so many components has less.
    explained_variance_ : float
        100 (1 - sum (x - c s)^2 / sum x^2), in percent; data are not centred.
    history_ : ndarray of shape (n_iterations,)
        Lack of fit after each iteration.
    converged_ : bool
        Whether the iterations ended by `tol`.
    n_iter_ : int
        Number of iterations.
    scaled_by_ : ndarray of str, shape (n_components,)
        What sets the scale of each component: the normalisation, ``"closure"``,
        ``"known concentrations"`` or ``"known spectrum"``.
    initial_spectra_ : ndarray of shape (n_components, n_points)
        Spectra of the first estimate.
    sample_labels_, sample_label_name_
        Labels of the fitted samples (times where they have them), and what they are.
    n_samples_, n_components_, n_features_in_ : int
        Sizes.
    axis_, axis_kind_
        Axis of the fitted spectra, where they had one.

    Notes
    -----
    One iteration solves for the spectra and then for the concentrations, each exactly:
    non-negativity, closure and known values by an active set (Bro and de Jong, Van Benthem and
    Keenan), unimodal profiles one after another by least-squares unimodal regression (Bro and
    Sidiropoulos). The lack of fit therefore never grows from one iteration to the next.

    First estimates are put in the order that fits known spectra and concentrations best;
    without such, the order of components is that of the estimate.

    Negative values in `X` are data like any other. Non-negative factors cannot fit them: what
    they add to the lack of fit shows in `lack_of_fit_pca_`. Spectra whose means are clearly
    negative, such as derivatives, need ``SpectrumConstraints(nonnegative=False)`` and an
    initial estimate. NaN raises.

    The result need not be the only one that fits as well (rotational ambiguity), however small
    the lack of fit; see `rotational_ambiguity`.

    References
    ----------
    .. [1] R. Tauler, Chemom. Intell. Lab. Syst. 30 (1995) 133-146.
    .. [2] J. Jaumot, A. de Juan, R. Tauler, Chemom. Intell. Lab. Syst. 140 (2015) 1-12.

    Examples
    --------
    >>> pure = np.array([[4.0, 2.0, 0.0], [0.0, 1.0, 2.0]])
    >>> mixtures = [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]] @ pure
    >>> model = MCRALS(2).fit(mixtures)
    >>> model.spectra_.round(4)
    array([[1. , 0.5, 0. ],
           [0. , 0.5, 1. ]])
    >>> model.transform([[2.0, 2.0, 2.0]]).round(4)
    array([[2., 2.]])
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        initial: Any = "simplisma",
        concentrations: ConcentrationConstraints | None = None,
        spectra: SpectrumConstraints | None = None,
        normalization: Normalization = "max",
        max_iter: int = 500,
        tol: float = 1e-6,
    ) -> None:
        self.n_components = n_components
        self.initial = initial
        self.concentrations = concentrations
        self.spectra = spectra
        self.normalization = normalization
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Resolve mixtures.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra of mixtures, at least two; in the order of time for ``"efa"`` and unimodal
            profiles. NaN raises.
        y : object
            Not used.

        Returns
        -------
        MCRALS
            The fitted model.

        Raises
        ------
        InputError
            If `X` has not the rank for that many components, constraints contradict each
            other, or a component vanishes or becomes a mixture of others on the way.
        AxisError
            If given spectra are labelled with another axis than `X`.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` iterations were not enough; `converged_` is then False.
        """
        values = fit_matrix(self, X, least=2)
        max_iter = check_integer("max_iter", self.max_iter, least=1)
        tol = check_real("tol", self.tol, above=0, below=1)
        self.n_samples_ = len(values)
        self.n_components_ = check_component_count(self.n_components, *values.shape)
        self.sample_labels_, self.sample_label_name_ = sample_labels(X, len(values))
        problem = self._problem(values)
        best, rank = principal_part(values, self.n_components_)
        _require_signal(values, self.n_components_, rank)
        self.initial_spectra_ = self._first_spectra(problem)
        state = resolve(problem, self.initial_spectra_, max_iter=max_iter, tol=tol)
        self.spectra_, self.concentrations_ = state.spectra, state.concentrations
        self.scaled_by_ = problem.scaled_by
        self.history_ = np.array(state.history)
        self.converged_, self.n_iter_ = state.converged, len(state.history)
        self.lack_of_fit_ = state.history[-1]
        self.lack_of_fit_pca_ = lack_of_fit(best, self.concentrations_, self.spectra_)
        self.least_lack_of_fit_ = float(
            100 * np.linalg.norm(values - best) / np.linalg.norm(values)
        )
        self.explained_variance_ = 100 - self.lack_of_fit_**2 / 100
        self._warn_unless_converged()
        return self

    def transform(self, X: Any) -> Any:
        """Return the concentrations of samples for the resolved spectra.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis; NaN raises.

        Returns
        -------
        array, DataFrame or DataArray, shape (n_samples, n_components)
            Concentrations, in the container of `X`. Non-negativity and closure are kept;
            unimodality and known concentrations belong to the fitted samples and are not. A
            sample gets the same bits alone and among others.
        """
        names = [str(name) for name in self.get_feature_names_out()]
        return like_columns(X, self._amounts(new_matrix(self, X)), names, "component")

    def lack_of_fit(self, X: Any) -> Any:
        """Return what the resolved spectra leave of each sample: does the model know it.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis; NaN raises.

        Returns
        -------
        array, Series or DataArray, shape (n_samples,)
            100 sqrt(sum (x - c s)^2 / sum x^2) over the points of each sample, in percent; NaN
            for a sample that is zero throughout.
        """
        values = new_matrix(self, X)
        left = values - self._amounts(values) @ self.spectra_
        size = np.linalg.norm(values, axis=1)
        share = np.full(len(values), np.nan)
        np.divide(100 * np.linalg.norm(left, axis=1), size, out=share, where=size > 0)
        return like_rows(X, share)

    def profiles(self) -> ResolvedProfiles:
        """Return spectra and concentrations with their labels and figures of merit.

        Returns
        -------
        ResolvedProfiles
            Frames, and pictures by its `plot`.
        """
        require_fitted(self)
        named = self.axis_ is not None
        return ResolvedProfiles(
            spectra=self.spectra_,
            concentrations=self.concentrations_,
            axis=self.axis_ if named else np.arange(self.n_features_in_, dtype=float),
            axis_kind=str(self.axis_kind_) if named else "point",
            labels=self.sample_labels_,
            label_name=self.sample_label_name_,
            scaled_by=self.scaled_by_,
            lack_of_fit=self.lack_of_fit_,
            lack_of_fit_pca=self.lack_of_fit_pca_,
            explained_variance=self.explained_variance_,
            converged=self.converged_,
            n_iter=self.n_iter_,
        )

    def _amounts(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        constraints = self.concentrations or ConcentrationConstraints()
        rows = concentration_limits(constraints, self.n_samples_, self.n_components_)
        limits = Limits(nonnegative=rows.nonnegative, closed=rows.closed, total=rows.total)
        return solve_rows(self.spectra_, values, limits, exact=True)

    def _problem(self, values: NDArray[np.float64]) -> Problem:
        check_choice("normalization", self.normalization, get_args(Normalization))
        rows = _instance("concentrations", self.concentrations, ConcentrationConstraints)
        points = _instance("spectra", self.spectra, SpectrumConstraints)
        n_samples, n_points = values.shape
        known = self._on_axis("known spectra", points.known)
        return Problem(
            data=values,
            rows=concentration_limits(rows, n_samples, self.n_components_),
            points=spectrum_limits(points, known, n_points, self.n_components_),
            unimodal=unimodal_components(rows, self.n_components_),
            normalization=self.normalization,
            positions=np.arange(n_points, dtype=float) if self.axis_ is None else self.axis_,
        )

    def _first_spectra(self, problem: Problem) -> NDArray[np.float64]:
        """Return the first estimate of spectra, in the order of what is known."""
        given = not isinstance(self.initial, str)
        if given:
            estimate = self._given_estimate(problem.data.shape)
        elif check_choice("initial", self.initial, ("simplisma", "efa")) == "simplisma":
            estimate = simplisma(problem.data, self.n_components_).concentrations
        else:
            factors = evolving_factor_analysis(problem.data, n_factors=self.n_components_)
            estimate = factors.windows(self.n_components_)
        bounded = Limits(nonnegative=problem.points.nonnegative)
        if given and estimate.shape == (self.n_components_, problem.data.shape[1]):
            return estimate
        spectra = solve_rows(estimate.T, problem.data.T, bounded).T
        order = slice(None) if given else matched(spectra, estimate, problem)
        return spectra[order]

    def _given_estimate(self, shape: tuple[int, int]) -> NDArray[np.float64]:
        estimate = as_float("initial", self._on_axis("initial", self.initial))
        wanted = (self.n_components_, shape[1]), (shape[0], self.n_components_)
        if estimate.shape not in wanted:
            msg = (
                f"initial must be spectra of shape {wanted[0]} or concentrations of shape "
                f"{wanted[1]}, got shape {estimate.shape}"
            )
            raise InputError(msg)
        check_finite("initial", estimate)
        return estimate

    def _on_axis(self, name: str, given: Any) -> Any:
        """Refuse labelled spectra on another axis; return them with their points last."""
        if not isinstance(given, xr.DataArray) or not set(given.dims) & set(AXIS_UNITS):
            return given
        kind = axis_kind(given)
        if self.axis_ is not None:
            problem = difference_of_axes(self, axis_values(given), kind)
            if problem:
                msg = f"{name} have another axis than X: {problem}; resample them first"
                raise AxisError(msg)
        return given.transpose(..., kind)

    def _warn_unless_converged(self) -> None:
        if not self.converged_:
            last = self.history_[-2:]
            msg = (
                f"no convergence in {self.n_iter_} iterations: the lack of fit is "
                f"{last[-1]:.6g} % and was {last[0]:.6g} % one before; raise max_iter, or look "
                "at history_ and accept a larger tol"
            )
            warnings.warn(msg, ConvergenceWarning, stacklevel=3)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # SIMPLISMA refuses what is negative on the whole
        tags.input_tags.positive_only = isinstance(self.initial, str) and (
            self.initial == "simplisma"
        )
        return tags

    @property
    def _n_features_out(self) -> int:
        return int(self.n_components_)


def _instance(name: str, given: Any, kind: type) -> Any:
    if given is None:
        return kind()
    if not isinstance(given, kind):
        msg = f"{name} must be a {kind.__name__} or None, got {type(given).__name__}"
        raise InputTypeError(msg)
    return given


def _require_signal(values: NDArray[np.float64], n_components: int, rank: int) -> None:
    if not values.any():
        msg = "X is zero throughout; there is nothing to resolve"
        raise InputError(msg)
    if n_components > rank:
        msg = f"n_components = {n_components} exceeds the rank {rank} of X; lower n_components"
        raise InputError(msg)
