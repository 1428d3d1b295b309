"""Subtraction of a polynomial baseline from every spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from pharmaq._checks import check_integer
from pharmaq.chemometrics._base import fit_matrix, like_points, new_matrix
from pharmaq.chemometrics.preprocessing._shared import require_points
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DEGREE = 2


class Detrend(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Subtract a least-squares polynomial along the axis from every spectrum [1]_.

    Parameters
    ----------
    degree : int, optional
        Degree of the polynomial, 0 or more. By default 2, as in the source, or what fits where
        spectra have fewer than four points.

    Attributes
    ----------
    degree_ : int
        The degree in use.
    terms_ : ndarray of shape (n_terms, n_points)
        Orthonormal polynomials along the axis, one a row: one more than the degree.
    axis_, axis_kind_, n_features_in_
        As in `SNV`.

    Notes
    -----
    z = x - sum over k of c_k v^k, with v the positions on the axis (point numbers for data
    without one), uneven spacing included, and c_k from least squares over all points. The
    source applies it after SNV. NaN raises.

    References
    ----------
    .. [1] R. J. Barnes, M. S. Dhanoa, S. J. Lister, Appl. Spectrosc. 43 (1989) 772-777.

    Examples
    --------
    >>> (Detrend(degree=1).fit_transform([[1.0, 2.0, 3.0, 8.0]]) + 0.0).round(6)
    array([[ 0.8, -0.4, -1.6,  1.2]])
    """

    learns_from_samples: ClassVar[bool] = False

    def __init__(self, degree: int | None = None) -> None:
        self.degree = degree

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Compute the polynomials on the axis of the spectra.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra with at least `degree` + 2 points, for fewer leave nothing.
        y : object
            Not used.

        Returns
        -------
        Detrend
            The fitted transformer.

        Raises
        ------
        InputError
            If `degree` is too high for the number of points.
        """
        values = fit_matrix(self, X)
        require_points(values, 2)
        n_points = values.shape[1]
        degree = min(_DEGREE, n_points - 2) if self.degree is None else self.degree
        self.degree_ = check_integer("degree", degree, least=0)
        if self.degree_ > n_points - 2:
            msg = (
                f"degree must be at most {n_points - 2} for spectra of {n_points} points, got "
                f"{degree}; a polynomial through all points leaves nothing"
            )
            raise InputError(msg)
        polynomials = axis_polynomials(self.axis_, n_points, self.degree_)
        self.terms_ = np.ascontiguousarray(np.linalg.qr(polynomials.T)[0].T)
        return self

    def transform(self, X: Any) -> Any:
        """Return the spectra without their polynomial, in the container of `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis.

        Returns
        -------
        array, DataFrame or DataArray
            Same shape, labels and units as `X`.
        """
        values = new_matrix(self, X)
        baseline = combined(project_rows(values, self.terms_), self.terms_)
        return like_points(X, values - baseline)


def axis_polynomials(
    axis: NDArray[np.float64] | None, n_points: int, degree: int
) -> NDArray[np.float64]:
    """Return powers 0 to `degree` of the axis scaled to -1 ... 1, one a row."""
    positions = np.arange(n_points, dtype=np.float64) if axis is None else axis
    low, high = positions.min(), positions.max()
    scaled = (2 * positions - (low + high)) / (high - low)
    return np.vander(scaled, degree + 1, increasing=True).T


def project_rows(
    values: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the product of each row with each row of `weights`, one spectrum at a time."""
    from pharmaq.chemometrics import _kernels

    n_points = values.shape[1]
    out = np.empty((len(values), len(weights)))
    _kernels.project(
        values, np.zeros(n_points), np.ones(n_points), weights, weights, out, np.empty(len(out))
    )
    return out


def combined(
    coefficients: NDArray[np.float64], terms: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the sum of `terms`, one a row, with the coefficients of each spectrum."""
    out = np.zeros((len(coefficients), terms.shape[1]))
    # term by term: the bits of a spectrum do not depend on how many there are
    for k, term in enumerate(terms):
        out += coefficients[:, k, None] * term
    return out
