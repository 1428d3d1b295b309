"""Extended multiplicative scatter correction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
import xarray as xr
from scipy.linalg import qr, solve_triangular, svdvals
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from pharmaq._checks import as_float, check_choice, check_finite, check_integer
from pharmaq.chemometrics._base import (
    difference_of_axes,
    fit_matrix,
    like_columns,
    like_points,
    new_matrix,
)
from pharmaq.chemometrics.preprocessing._detrend import (
    axis_polynomials,
    project_rows,
)
from pharmaq.chemometrics.preprocessing._shared import require_points, warn_of_spectra
from pharmaq.errors import AxisError, InputError
from pharmaq.spectra import AXIS_UNITS, axis_kind, axis_values

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_DEGREE = 2
# what is below this share of its scale is rounding, not signal
_ROUNDING = 1e-10


class EMSC(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Extended multiplicative scatter correction [1]_, [2]_.

    Parameters
    ----------
    reference : {"mean", "median"}, array-like or DataArray, default "mean"
        The spectrum that all others are brought to: mean or median of the fitted spectra, or
        one that is given, shape (n_points,).
    degree : int, optional
        Degree of the polynomial baseline, 0 or more; 0 is MSC. By default 2, or what fits where
        spectra have fewer than five points.
    interferents : array-like or DataArray of shape (n_interferents, n_points), optional
        Spectra of what disturbs and is to be taken off: water vapour, a glass, a coating.
    replicates : str or array-like of shape (n_samples,), optional
        Which of the fitted spectra are replicates: labels that replicates share, or the name of
        the sample coordinate of a DataArray that holds them. Labels belong to one set of
        spectra; a name works in every fold of a cross-validation.
    n_replicate_components : int, default 1
        How many of the main directions in which replicates differ are taken off too; used only
        with `replicates`.

    Attributes
    ----------
    reference_ : ndarray of shape (n_points,)
        The reference in use.
    degree_ : int
        The degree in use.
    design_ : ndarray of shape (n_terms, n_points)
        The terms of the model, one a row: reference, powers 0 to `degree_` of the axis scaled
        to -1 ... 1, interferents, directions of the replicates.
    weights_ : ndarray of shape (n_terms, n_points)
        The scalar products of these rows with a spectrum are its least-squares coefficients.
    term_names_ : ndarray of str
        Names of the terms.
    axis_, axis_kind_, n_features_in_
        As in `SNV`.

    Notes
    -----
    Least squares x = b * reference + sum c_k v^k + sum g_j interferent_j + sum h_m direction_m
    over the points, v being the position on the axis (the point number for data without one);
    then (x - all terms but the first) / b. Units are those of the reference. NaN raises.

    A spectrum that holds nothing of the reference (b = 0 within rounding, as for a flat one)
    has its baseline and interferents subtracted only, and a `DegenerateSpectrumWarning` names
    it.

    Directions of replicates [3]_: the fitted spectra are corrected without them, the mean of
    its replicates is subtracted from each, and the first right singular vectors of what is left
    are the directions. Taken before the correction, scatter itself would be the first of them.
    A direction that carries analyte as well takes it off: compare results with and without.

    References
    ----------
    .. [1] H. Martens, E. Stark, J. Pharm. Biomed. Anal. 9 (1991) 625-635.
    .. [2] N. K. Afseth, A. Kohler, Chemom. Intell. Lab. Syst. 117 (2012) 92-99.
    .. [3] A. Kohler, U. Boecker, J. Warringer, A. Blomberg, S. W. Omholt, E. Stark, H. Martens,
       Appl. Spectrosc. 63 (2009) 296-305.

    Examples
    --------
    >>> import numpy as np
    >>> reference = np.array([0.0, 1.0, 3.0, 1.0, 0.0])
    >>> spectrum = 2 * reference + 5 + 0.1 * np.arange(5)
    >>> EMSC(reference=reference, degree=1).fit_transform([spectrum]).round(6) + 0.0
    array([[0., 1., 3., 1., 0.]])
    """

    def __init__(
        self,
        *,
        reference: Literal["mean", "median"] | ArrayLike | xr.DataArray = "mean",
        degree: int | None = None,
        interferents: ArrayLike | xr.DataArray | None = None,
        replicates: str | ArrayLike | None = None,
        n_replicate_components: int = 1,
    ) -> None:
        self.reference = reference
        self.degree = degree
        self.interferents = interferents
        self.replicates = replicates
        self.n_replicate_components = n_replicate_components

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Learn the reference and the directions of replicates, and set up the model.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Calibration spectra, at least two points each.
        y : object
            Not used.

        Returns
        -------
        EMSC
            The fitted transformer.

        Raises
        ------
        InputError
            If a given spectrum has another number of points, the terms of the model depend on
            each other, or replicates do not differ.
        AxisError
            If reference or interferents are labelled with another axis than `X`.
        """
        values = fit_matrix(self, X)
        require_points(values, 2)
        self.reference_ = self._reference(values)
        interferents = np.empty((0, values.shape[1]))
        if self.interferents is not None:
            interferents = self._given("interferents", self.interferents)
        n_points, n_given = values.shape[1], len(interferents)
        degree = max(0, min(_DEGREE, n_points - 3 - n_given))
        degree = degree if self.degree is None else self.degree
        self.degree_ = check_integer("degree", degree, least=0)
        polynomials = axis_polynomials(self.axis_, n_points, self.degree_)
        names = ["reference", *(f"power {k}" for k in range(self.degree_ + 1))]
        names += [f"interferent {j}" for j in range(n_given)]
        self._set_model(np.vstack([self.reference_[None], polynomials, interferents]), names)
        if self.replicates is not None:
            directions = self._replicate_directions(X, values)
            names += [f"replicate {m}" for m in range(len(directions))]
            self._set_model(np.vstack([self.design_, directions]), names)
        return self

    def transform(self, X: Any) -> Any:
        """Return the corrected spectra, in the container of `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis.

        Returns
        -------
        array, DataFrame or DataArray
            Same shape, labels and units as `X`.
        """
        out, degenerate = self._corrected(new_matrix(self, X))
        problem = "holds nothing of the reference of EMSC; its baseline was subtracted only"
        warn_of_spectra(degenerate, problem)
        return like_points(X, out)

    def coefficients(self, X: Any) -> Any:
        """Return the least-squares coefficients of the terms, such as b of the reference.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis.

        Returns
        -------
        array, DataFrame or DataArray, shape (n_samples, n_terms)
            One column a term, in the order of `term_names_`.
        """
        values = project_rows(new_matrix(self, X), self.weights_)
        return like_columns(X, values, list(self.term_names_), "term")

    def _corrected(
        self, values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        from pharmaq.chemometrics.preprocessing import _kernels

        out, degenerate = np.empty_like(values), np.empty(len(values), dtype=np.bool_)
        # 1 / norm of the weights: norm of what is in the reference and in no other term
        least = _ROUNDING * float(np.linalg.norm(self.weights_[0]))
        _kernels.emsc(values, self.weights_, self.design_, least, out, degenerate)
        return out, degenerate

    def _set_model(self, design: NDArray[np.float64], names: list[str]) -> None:
        norms = np.linalg.norm(design, axis=1)
        unit = design / np.where(norms > 0, norms, 1.0)[:, None]
        if len(design) > design.shape[1] or svdvals(unit)[-1] < _ROUNDING:
            msg = (
                f"the {len(design)} terms of EMSC ({', '.join(names)}) depend on each other "
                f"over {design.shape[1]} points; lower degree, or leave out an interferent"
            )
            raise InputError(msg)
        q, r = qr(design.T, mode="economic")
        self.weights_ = np.ascontiguousarray(solve_triangular(r, q.T))
        self.design_, self.term_names_ = design, np.array(names)

    def _reference(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if isinstance(self.reference, str):
            check_choice("reference", self.reference, ("mean", "median"))
            average = np.mean if self.reference == "mean" else np.median
            return np.asarray(average(values, axis=0))
        given = self._given("reference", self.reference)
        if len(given) != 1:
            msg = f"reference must be one spectrum, got {len(given)}; average or choose"
            raise InputError(msg)
        return given[0]

    def _given(self, name: str, given: Any) -> NDArray[np.float64]:
        """Return spectra that were given as an array, one a row."""
        labelled = isinstance(given, xr.DataArray) and set(given.dims) & set(AXIS_UNITS)
        if labelled:
            kind = axis_kind(given)
            if self.axis_ is not None:
                problem = difference_of_axes(self, axis_values(given), kind)
                if problem:
                    msg = f"{name} has another axis than X: {problem}; resample it first"
                    raise AxisError(msg)
            given = given.transpose(..., kind)
        spectra = np.atleast_2d(as_float(name, given))
        if spectra.ndim != 2 or spectra.shape[1] != self.n_features_in_:
            msg = (
                f"{name} has shape {np.shape(given)}, but spectra have {self.n_features_in_} "
                "points; give one value a point"
            )
            raise InputError(msg)
        check_finite(name, spectra)
        return np.ascontiguousarray(spectra)

    def _replicate_directions(self, X: Any, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the main directions in which corrected replicates differ, one a row."""
        count = check_integer("n_replicate_components", self.n_replicate_components, least=1)
        group = _group_numbers(_replicate_labels(X, self.replicates), len(values))
        corrected, _ = self._corrected(values)
        frame = pd.DataFrame(corrected)
        differences = (frame - frame.groupby(group).transform("mean")).to_numpy()
        _, singular, right = np.linalg.svd(differences, full_matrices=False)
        found = int((singular > _ROUNDING * np.linalg.norm(corrected)).sum())
        if found < count:
            msg = (
                f"replicates differ in {found} direction(s), fewer than n_replicate_components "
                f"= {count}; ask for fewer, or label more replicates"
            )
            raise InputError(msg)
        largest = np.abs(right).argmax(axis=1)
        signs = np.sign(right[np.arange(len(right)), largest])
        return (right * signs[:, None])[:count]


def _replicate_labels(X: Any, replicates: Any) -> Any:
    if not isinstance(replicates, str):
        return replicates
    if not isinstance(X, xr.DataArray) or replicates not in X.coords:
        msg = (
            f"X has no sample coordinate {replicates!r} that replicates names; add it with "
            "as_spectra(..., coords=...), or give labels"
        )
        raise InputError(msg)
    return X.coords[replicates].to_numpy()


def _group_numbers(labels: Any, n_samples: int) -> NDArray[np.intp]:
    array = np.asarray(labels)
    if array.shape != (n_samples,):
        msg = (
            f"replicates must hold one label for each of the {n_samples} spectra, got shape "
            f"{array.shape}"
        )
        raise InputError(msg)
    numbers, _ = pd.factorize(array)
    if (numbers < 0).any():
        msg = f"replicates must hold no missing label, but label {numbers.argmin()} is missing"
        raise InputError(msg)
    return numbers
