"""Orthogonal signal correction: what has nothing to do with the response is taken off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from pharmaq._checks import check_integer
from pharmaq.chemometrics._base import check_response, fit_matrix, like_points, new_matrix
from pharmaq.chemometrics.latent import fix_signs
from pharmaq.chemometrics.preprocessing._orthogonal import remove_directions
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# a direction counts only above this share of the largest singular value of X
_RANK = 1e-10


class OSC(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Orthogonal signal correction by Fearn's method [1]_.

    Parameters
    ----------
    n_components : int, default 1
        Number of components to take off; more than `X` has beside `y` is an error. Every
        component costs variance of new samples too: one or two are usual.

    Attributes
    ----------
    weights_ : ndarray of shape (n_components, n_points)
        Orthonormal directions w of the components, all of them orthogonal to X'y.
    loadings_ : ndarray of shape (n_components, n_points)
        What a unit of each score takes off a spectrum; the largest |loading| is positive.
    scores_ : ndarray of shape (n_samples, n_components)
        Scores of the calibration samples: uncorrelated with `y` and with each other.
    explained_ : ndarray of shape (n_components,)
        Share of the variance of the calibration spectra that each component takes off.
    mean_ : ndarray of shape (n_points,)
        Mean of the calibration spectra.
    axis_, axis_kind_, n_features_in_
        As in `SNV`.

    Notes
    -----
    With X and Y centred, w maximises the variance of t = X w under t'Y = 0: the leading right
    singular vectors of X (I - X'Y (Y'X X'Y)^-1 Y'X). The loadings are p = X't / t't, and a
    spectrum becomes x - (x - mean) w p'. No iteration, unlike the method of Wold et al. [2]_,
    whose scores are orthogonal to Y only as far as an inner PLS model reaches.

    It learns from the spectra and from `y`. Inside cross-validation it has to be refitted in
    every fold; a model on spectra corrected once with all samples looks better than it is. The
    scores of new samples are no longer exactly uncorrelated with their `y`.

    References
    ----------
    .. [1] T. Fearn, Chemom. Intell. Lab. Syst. 50 (2000) 47-52.
    .. [2] S. Wold, H. Antti, F. Lindgren, J. Ohman, Chemom. Intell. Lab. Syst. 44 (1998)
       175-185.

    Examples
    --------
    >>> X = [[-2.0, 1.0], [1.0, -2.0], [1.0, 1.0]]
    >>> OSC().fit_transform(X, [-1.0, 0.0, 1.0])
    array([[-1.5,  0. ],
           [ 0. ,  0. ],
           [ 1.5,  0. ]])
    """

    learns_from_samples: ClassVar[bool] = True

    def __init__(self, n_components: int = 1) -> None:
        self.n_components = n_components

    def fit(self, X: Any, y: Any) -> Self:
        """Find the components of X that are orthogonal to y.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Calibration spectra, at least two; NaN raises.
        y : array-like, shape (n_samples,) or (n_samples, n_responses)
            Reference values, none of them constant; NaN raises.

        Returns
        -------
        OSC
            The fitted transformer.

        Raises
        ------
        InputError
            If `y` is missing or constant, or `n_components` is more than X has beside y.
        """
        values = fit_matrix(self, X, least=2)
        response = check_response(y, len(values))
        count = check_integer("n_components", self.n_components, least=1)
        self.mean_ = values.mean(axis=0)
        Xc = values - self.mean_
        Yc = response.reshape(len(response), -1)
        weights = _weights(Xc, Yc - Yc.mean(axis=0), count)
        scores = Xc @ weights
        squares = (scores**2).sum(axis=0)
        loadings = Xc.T @ scores / squares
        signs = fix_signs(loadings)
        self.weights_ = np.ascontiguousarray((weights * signs).T)
        self.loadings_ = np.ascontiguousarray((loadings * signs).T)
        self.scores_ = scores * signs
        self.explained_ = squares * (loadings**2).sum(axis=0) / (Xc**2).sum()
        return self

    def transform(self, X: Any) -> Any:
        """Return the corrected spectra, in the container of `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis; NaN raises.

        Returns
        -------
        array, DataFrame or DataArray
            Same shape, labels and units as `X`; its quantity is "unknown".
        """
        centered = new_matrix(self, X) - self.mean_
        out = remove_directions(centered, self.weights_, self.loadings_) + self.mean_
        return like_points(X, out, same_quantity=False)

    def __sklearn_tags__(self) -> Any:
        """Say that `fit` needs y."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def _weights(
    Xc: NDArray[np.float64], Yc: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Return the directions of largest variance whose scores are orthogonal to Y."""
    related, strength, _ = np.linalg.svd(Xc.T @ Yc, full_matrices=False)
    basis = related[:, strength > _RANK * strength[0]]
    # twice, for one projection leaves rounding errors of the size of the largest part
    beside = Xc - (Xc @ basis) @ basis.T
    beside -= (beside @ basis) @ basis.T
    _, singular, vectors = np.linalg.svd(beside, full_matrices=False)
    available = np.count_nonzero(singular > _RANK * np.linalg.norm(Xc))
    if count > available:
        msg = (
            f"n_components = {count} is too many: the {len(Xc)} samples with n_features = "
            f"{Xc.shape[1]} have {available} components orthogonal to y; lower n_components"
        )
        raise InputError(msg)
    return vectors[:count].T
