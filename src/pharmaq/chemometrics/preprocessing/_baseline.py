"""Baselines of spectra by penalised or polynomial fits that bands do not pull up."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.chemometrics._base import fit_matrix, like_points, new_matrix
from pharmaq.chemometrics.preprocessing._detrend import (
    axis_polynomials,
    combined,
    project_rows,
)
from pharmaq.chemometrics.preprocessing._shared import require_points, warn_of_spectra
from pharmaq.errors import InputError
from pharmaq.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

BaselineMethod = Literal["asls", "arpls", "airpls", "modpoly"]

_LAM = {"asls": 1e6, "arpls": 1e5, "airpls": 1e6}
_MAX_ITER = {"asls": 50, "arpls": 50, "airpls": 50, "modpoly": 250}
_DEGREE = 2


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class BaselineFit(Result):
    """Baselines of spectra, and how the iterations that found them went.

    Parameters
    ----------
    baselines : array, DataFrame or DataArray, shape (n_samples, n_points)
        One baseline a row, in the container and the units of the spectra.
    iterations : ndarray of shape (n_samples,)
        Number of fits after which each spectrum stopped.
    history : ndarray of shape (n_samples, most iterations)
        The change after each fit that is held against `tol`; NaN where there was none.
    converged : ndarray of bool, shape (n_samples,)
        Whether the last change was below `tol`.
    method : str
        Method of the fit.
    tol : float
        The tolerance.
    """

    baselines: Any
    iterations: NDArray[np.intp]
    history: NDArray[np.float64]
    converged: NDArray[np.bool_]
    method: str
    tol: float

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each spectrum: iterations, last change, whether it converged."""
        last = self.history[np.arange(len(self.history)), self.iterations - 1]
        return pd.DataFrame(
            {"iterations": self.iterations, "change": last, "converged": self.converged}
        )


class Baseline(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Subtract a baseline that passes below the bands of every spectrum.

    Parameters
    ----------
    method : {"asls", "arpls", "airpls", "modpoly"}, default "asls"
        Asymmetric least squares [1]_, asymmetrically reweighted [2]_ or adaptive iteratively
        reweighted [3]_ penalised least squares, or the modified polynomial [4]_. In a recipe
        ``asls(lam,p)``, ``arpls(lam)``, ``airpls(lam)`` and ``poly(degree)``.
    lam : float, optional
        Stiffness of the baseline, for all but ``"modpoly"``; larger is smoother, and the same
        stiffness over twice the number of points needs 16 times the value. By default 1e6, and
        1e5 for ``"arpls"``; the right one depends on the widths of bands and baseline.
    p : float, default 0.01
        Weight of points above the baseline in ``"asls"``, between 0 and 1; those below weigh
        1 - p.
    degree : int, optional
        Degree of the polynomial of ``"modpoly"``. By default 2, or what fits where spectra have
        fewer than four points.
    max_iter : int, optional
        How often the fit may be repeated after the first. By default 50, and 250 for
        ``"modpoly"``.
    tol : float, default 1e-3
        A spectrum is done when its change is below this.

    Attributes
    ----------
    lam_ : float or None
        Stiffness in use; None for ``"modpoly"``.
    n_iter_ : int
        Fits that a spectrum gets at most: one more than `max_iter`.
    terms_ : ndarray of shape (n_terms, n_points), or None
        Orthonormal polynomials along the axis; None for the penalised methods.
    axis_, axis_kind_, n_features_in_
        As in `SNV`.

    Notes
    -----
    The first three minimise ``sum w (x - z)^2 + lam * sum (second difference of z)^2``, that is
    (W + lam D'D) z = W x, with w = 1 at first. With r = x - z, and m, s the mean and the
    standard deviation (divisor n - 1) of the negative r, the weights for the next fit are

    - asls: p where r > 0, otherwise 1 - p;
    - arpls: 1 / (1 + exp(2 (r - (2 s - m)) / s));
    - airpls, after fit t: 0 where r >= 0, otherwise exp(t r / sum of the negative r), as the
      authors' program has it, with t no more than 50.

    Their change is the norm of the difference of old and new weights over the norm of the old
    ones; for airpls the sum of the negative ``|r|`` over the sum of ``|x|``. Second differences
    count points: the axis should be even. Where fewer than two points lie below the baseline,
    arpls and airpls stop without having converged.

    modpoly fits a polynomial along the axis by least squares, then again to the smaller of
    spectrum and last fit at each point, until the norm of the difference of two fits is below
    `tol` times the norm of the earlier one.

    Spectra that do not converge keep their last baseline, and a `ConvergenceWarning` of
    scikit-learn names the first and counts them; `baselines` returns the history. NaN raises.

    References
    ----------
    .. [1] P. H. C. Eilers, H. F. M. Boelens, Baseline correction with asymmetric least squares
       smoothing, Leiden University Medical Centre report, 2005.
    .. [2] S.-J. Baek, A. Park, Y.-J. Ahn, J. Choo, Analyst 140 (2015) 250-257.
    .. [3] Z.-M. Zhang, S. Chen, Y.-Z. Liang, Analyst 135 (2010) 1138-1146.
    .. [4] C. A. Lieber, A. Mahadevan-Jansen, Appl. Spectrosc. 57 (2003) 1363-1367.

    Examples
    --------
    >>> import numpy as np
    >>> axis = np.arange(200.0)
    >>> band = np.exp(-(((axis - 80) / 5) ** 2))
    >>> spectrum = 3 + 0.01 * axis + band
    >>> out = Baseline("asls", lam=1e5, p=0.001).fit_transform([spectrum])
    >>> bool(np.abs(out[0] - band).max() < 0.02)
    True
    """

    learns_from_samples: ClassVar[bool] = False

    def __init__(
        self,
        method: BaselineMethod = "asls",
        *,
        lam: float | None = None,
        p: float = 0.01,
        degree: int | None = None,
        max_iter: int | None = None,
        tol: float = 1e-3,
    ) -> None:
        self.method = method
        self.lam = lam
        self.p = p
        self.degree = degree
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Check the settings and remember the axis of the spectra.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra, at least two points each.
        y : object
            Not used.

        Returns
        -------
        Baseline
            The fitted transformer.

        Raises
        ------
        InputError
            If a setting is out of its range, or `degree` too high for the number of points.
        """
        method = check_choice("method", self.method, get_args(BaselineMethod))
        values = fit_matrix(self, X)
        require_points(values, 2)
        check_real("p", self.p, above=0, below=1)
        check_real("tol", self.tol, above=0)
        given = _MAX_ITER[method] if self.max_iter is None else self.max_iter
        self.n_iter_ = check_integer("max_iter", given, least=1) + 1
        self.lam_: float | None = None
        self.terms_: NDArray[np.float64] | None = None
        if method == "modpoly":
            self.terms_ = self._polynomials(values.shape[1])
        else:
            lam = _LAM[method] if self.lam is None else self.lam
            self.lam_ = check_real("lam", lam, above=0)
        return self

    def transform(self, X: Any) -> Any:
        """Return the spectra without their baselines, in the container of `X`.

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
        baselines, history, iterations = self._fitted(values)
        self._warn(self._converged(history, iterations), iterations)
        return like_points(X, values - baselines)

    def baselines(self, X: Any) -> BaselineFit:
        """Return the baselines themselves, and how the iterations went; nothing is warned of.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis.

        Returns
        -------
        BaselineFit
            What `transform` subtracts, with iterations, history and convergence.
        """
        baselines, history, iterations = self._fitted(new_matrix(self, X))
        return BaselineFit(
            baselines=like_points(X, baselines),
            iterations=iterations,
            history=history,
            converged=self._converged(history, iterations),
            method=self.method,
            tol=self.tol,
        )

    def _fitted(
        self, values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
        if self.terms_ is not None:
            return self._modified_polynomials(values, self.terms_)
        from pharmaq.chemometrics.preprocessing import _kernels

        number = get_args(BaselineMethod).index(self.method)
        out = np.empty_like(values)
        history = np.full((len(values), self.n_iter_), np.nan)
        iterations = _kernels.reweighted_baselines(
            values, number, float(self.lam_ or 0.0), self.p, self.tol, out, history
        )
        return out, history, iterations

    def _modified_polynomials(
        self, values: NDArray[np.float64], terms: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
        out = combined(project_rows(values, terms), terms)
        history = np.full((len(values), self.n_iter_ - 1), np.nan)
        iterations = np.zeros(len(values), dtype=np.intp)
        open_ = np.arange(len(values))
        while open_.size and iterations[open_[0]] < self.n_iter_ - 1:
            earlier = out[open_]
            cut = np.minimum(values[open_], earlier)
            out[open_] = combined(project_rows(cut, terms), terms)
            size = np.sqrt((earlier**2).sum(axis=1))
            moved = np.sqrt(((out[open_] - earlier) ** 2).sum(axis=1))
            # a fit that is zero everywhere cannot move: the spectrum is at or above it
            change = moved / np.where(size > 0, size, 1.0)
            history[open_, iterations[open_]] = change
            iterations[open_] += 1
            open_ = open_[change >= self.tol]
        return out, history, iterations

    def _converged(
        self, history: NDArray[np.float64], iterations: NDArray[np.intp]
    ) -> NDArray[np.bool_]:
        return history[np.arange(len(history)), iterations - 1] < self.tol

    def _warn(self, converged: NDArray[np.bool_], iterations: NDArray[np.intp]) -> None:
        if converged.all():
            return
        first = int(converged.argmin())
        problem = (
            f"has a {self.method} baseline that did not converge to tol = {self.tol:g} in "
            f"{iterations[first]} fits; raise max_iter or tol, or look at its baseline"
        )
        warn_of_spectra(~converged, problem, ConvergenceWarning)

    def _polynomials(self, n_points: int) -> NDArray[np.float64]:
        degree = min(_DEGREE, n_points - 2) if self.degree is None else self.degree
        check_integer("degree", degree, least=0)
        if degree > n_points - 2:
            msg = (
                f"degree must be at most {n_points - 2} for spectra of {n_points} points, got "
                f"{degree}; a polynomial through all points leaves nothing"
            )
            raise InputError(msg)
        polynomials = axis_polynomials(self.axis_, n_points, degree)
        return np.ascontiguousarray(np.linalg.qr(polynomials.T)[0].T)
