"""Filters that remove or down-weight what an outside influence does to spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
import xarray as xr
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from pharmaq._checks import as_float, check_finite, check_integer, check_real
from pharmaq.chemometrics._base import (
    difference_of_axes,
    fit_matrix,
    like_points,
    new_matrix,
)
from pharmaq.chemometrics.latent import fix_signs
from pharmaq.errors import AxisError, InputError
from pharmaq.spectra import axis_kind, axis_values

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class EPO(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """External parameter orthogonalisation: project an outside influence out of spectra [1]_.

    Parameters
    ----------
    n_components : int, default 1
        Number of directions to project out, at most the rank of `differences`.
    differences : array-like, DataFrame or DataArray of shape (k, n_points), optional
        What the influence does to a spectrum, one example a row: the same sample at two
        temperatures, on two instruments, at two humidities, one spectrum minus the other; or
        from `within_group_differences`. NaN raises. None: nothing is projected out.

    Attributes
    ----------
    directions_ : ndarray of shape (n_components, n_points)
        Orthonormal directions that are projected out, the strongest first; their largest
        element is positive. No row where `differences` is None.
    explained_ : ndarray of shape (n_components,)
        Share of the sum of squares of `differences` along each direction.
    axis_, axis_kind_, n_features_in_
        As in `SNV`.

    Notes
    -----
    X (I - P P'), with the columns of P the leading right singular vectors of the differences.
    The differences are not centred: a shift common to all of them is what is to be removed.
    X is not centred either, so that its mean loses its part along P too.

    The spectra given to `fit` only set the axis; all that is learned comes from `differences`.
    Where these are taken from calibration samples, cross-validation cannot see it: a sample
    left out still took part in its own correction.

    References
    ----------
    .. [1] J.-M. Roger, F. Chauchard, V. Bellon-Maurel, Chemom. Intell. Lab. Syst. 66 (2003)
       191-204.

    Examples
    --------
    >>> epo = EPO(differences=[[3.0, 0.0, 0.0]])
    >>> epo.fit_transform([[1.0, 2.0, 4.0], [5.0, 2.0, 4.0]])
    array([[0., 2., 4.],
           [0., 2., 4.]])
    """

    learns_from_samples: ClassVar[bool] = False

    def __init__(
        self,
        n_components: int = 1,
        *,
        differences: ArrayLike | pd.DataFrame | xr.DataArray | None = None,
    ) -> None:
        self.n_components = n_components
        self.differences = differences

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Remember the axis and find the directions in `differences`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra; only their axis matters.
        y : object
            Not used.

        Returns
        -------
        EPO
            The fitted transformer.

        Raises
        ------
        AxisError
            If `differences` have another axis than `X`.
        InputError
            If `differences` have another number of points, are all zero, or have a rank below
            `n_components`.
        """
        values = fit_matrix(self, X)
        count = check_integer("n_components", self.n_components, least=1)
        directions, variances = _directions(self, self.differences, values.shape[1])
        if self.differences is not None and count > len(variances):
            msg = (
                f"n_components = {count} is too many: the differences have rank "
                f"{len(variances)}; lower n_components or give more differences"
            )
            raise InputError(msg)
        self.directions_ = np.ascontiguousarray(directions[:count])
        self.explained_ = variances[:count] / variances.sum()
        return self

    def transform(self, X: Any) -> Any:
        """Return the projected spectra, in the container of `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis; NaN raises.

        Returns
        -------
        array, DataFrame or DataArray
            Same shape, labels and units as `X`; its quantity is "unknown".
        """
        values = new_matrix(self, X)
        out = remove_directions(values, self.directions_, self.directions_)
        return like_points(X, out, same_quantity=self.differences is None)


class GLSW(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Generalised least squares weighting: shrink spectra along an outside influence [1]_.

    Parameters
    ----------
    alpha : float, default 0.02
        Variance, in squared units of X, along which a direction shrinks to 1 / sqrt(2). Small
        values remove nearly everything that the differences show, large ones next to nothing;
        compare it with `variances_`.
    differences : array-like, DataFrame or DataArray of shape (k, n_points), optional
        As in `EPO`. None: nothing is shrunk.

    Attributes
    ----------
    directions_ : ndarray of shape (rank, n_points)
        Eigenvectors V of the covariance of the differences, the strongest first; their largest
        element is positive.
    variances_ : ndarray of shape (rank,)
        Eigenvalues S^2 of that covariance, in squared units of X.
    weights_ : ndarray of shape (rank,)
        Factor 1 / D by which spectra shrink along each direction; 1 everywhere else.
    axis_, axis_kind_, n_features_in_
        As in `SNV`.

    Notes
    -----
    X G with G = V D^-1 V' and D = sqrt(S^2 / alpha + 1), where V S^2 V' is the covariance
    C = E'E / k of the k differences E, not centred. Dividing by k keeps the meaning of `alpha`
    whatever the number of differences; programs that take C = E'E give the same filter with k
    times this alpha. Directions that the differences do not reach pass unchanged.

    What `EPO` says of differences taken from calibration samples holds here too.

    References
    ----------
    .. [1] H. Martens, M. Hoy, B. M. Wise, R. Bro, P. B. Brockhoff, J. Chemom. 17 (2003)
       153-165.

    Examples
    --------
    >>> glsw = GLSW(alpha=3.0, differences=[[3.0, 0.0, 0.0]])
    >>> glsw.fit_transform([[1.0, 2.0, 4.0]])
    array([[0.5, 2. , 4. ]])
    """

    learns_from_samples: ClassVar[bool] = False

    def __init__(
        self,
        alpha: float = 0.02,
        *,
        differences: ArrayLike | pd.DataFrame | xr.DataArray | None = None,
    ) -> None:
        self.alpha = alpha
        self.differences = differences

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Remember the axis and find the weights from `differences`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra; only their axis matters.
        y : object
            Not used.

        Returns
        -------
        GLSW
            The fitted transformer.

        Raises
        ------
        AxisError
            If `differences` have another axis than `X`.
        InputError
            If `alpha` is not positive, or `differences` have another number of points or are
            all zero.
        """
        values = fit_matrix(self, X)
        alpha = check_real("alpha", self.alpha, above=0)
        n_points = values.shape[1]
        self.directions_, self.variances_ = _directions(self, self.differences, n_points)
        self.weights_ = 1 / np.sqrt(self.variances_ / alpha + 1)
        return self

    def transform(self, X: Any) -> Any:
        """Return the weighted spectra, in the container of `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis; NaN raises.

        Returns
        -------
        array, DataFrame or DataArray
            Same shape, labels and units as `X`; its quantity is "unknown".
        """
        values = new_matrix(self, X)
        shares = (1 - self.weights_)[:, None] * self.directions_
        out = remove_directions(values, self.directions_, shares)
        return like_points(X, out, same_quantity=self.differences is None)


def within_group_differences(X: Any, groups: ArrayLike) -> Any:
    """Return spectra minus the mean of their group, as `EPO` and `GLSW` take them.

    Parameters
    ----------
    X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
        Repeat spectra of samples under the conditions that vary; NaN raises.
    groups : array-like, shape (n_samples,)
        Which sample each spectrum is of; every sample has at least two spectra.

    Returns
    -------
    array, DataFrame or DataArray
        Differences, with the shape and labels of `X`.

    Raises
    ------
    InputError
        If the lengths differ, or a group holds one spectrum only.

    Examples
    --------
    >>> within_group_differences([[1.0, 2.0], [3.0, 2.0]], ["lot 7", "lot 7"])
    array([[-1.,  0.],
           [ 1.,  0.]])
    """
    values = _matrix("X", X)
    labels = pd.Index(np.asarray(groups).ravel())
    if len(labels) != len(values):
        msg = f"groups must hold one label a spectrum, got {len(labels)} for {len(values)}"
        raise InputError(msg)
    if labels.hasnans:
        msg = "groups must not hold missing labels; name the sample of every spectrum"
        raise InputError(msg)
    codes, names = pd.factorize(labels)
    alone = np.flatnonzero(np.bincount(codes) < 2)
    if alone.size:
        msg = (
            f"group {names[alone[0]]!r} holds one spectrum, which has nothing to differ from "
            f"({alone.size} such groups); leave it out"
        )
        raise InputError(msg)
    means = np.array([values[codes == code].mean(axis=0) for code in range(len(names))])
    return like_points(X, values - means[codes], same_quantity=False)


def remove_directions(
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    loadings: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return rows minus their scores on `weights` times `loadings`, one direction a row each.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_points)
        Spectra.
    weights, loadings : ndarray of shape (n_directions, n_points)
        Scores are x . weights; scores . loadings are taken off.

    Returns
    -------
    ndarray of shape (n_samples, n_points)
        A new array.
    """
    out = np.empty_like(values)
    # row by row, for the order of sums in a product of matrices depends on their size
    for i, row in enumerate(values):
        out[i] = row - (weights @ row) @ loadings
    return out


def _directions(
    estimator: Any, differences: Any, n_points: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return eigenvectors of the covariance E'E / k, one a row, and its eigenvalues."""
    if differences is None:
        return np.empty((0, n_points)), np.empty(0)
    E = _checked_differences(estimator, differences, n_points)
    _, singular, vectors = np.linalg.svd(E, full_matrices=False)
    rank = np.count_nonzero(singular > singular[0] * max(E.shape) * np.finfo(float).eps)
    if rank == 0:
        msg = "differences are all zero; give spectra in which the influence shows, or None"
        raise InputError(msg)
    kept = vectors[:rank]
    return kept * fix_signs(kept.T)[:, None], singular[:rank] ** 2 / len(E)


def _checked_differences(
    estimator: Any, differences: Any, n_points: int
) -> NDArray[np.float64]:
    if isinstance(differences, xr.DataArray) and estimator.axis_ is not None:
        problem = difference_of_axes(
            estimator, axis_values(differences), axis_kind(differences)
        )
        if problem:
            msg = f"differences have another axis than X: {problem}; bring them onto it first"
            raise AxisError(msg)
    E = _matrix("differences", differences)
    if E.shape[1] != n_points:
        msg = f"differences have {E.shape[1]} points, but the spectra have {n_points}"
        raise InputError(msg)
    return E


def _matrix(name: str, given: Any) -> NDArray[np.float64]:
    """Return one spectrum a row from any container."""
    if isinstance(given, xr.DataArray):
        given = given.transpose(..., axis_kind(given)).to_numpy()
    values = as_float(name, given)
    if values.ndim != 2 or not values.size:
        msg = f"{name} must have shape (n, n_points) and not be empty, got {values.shape}"
        raise InputError(msg)
    check_finite(name, values)
    return values
