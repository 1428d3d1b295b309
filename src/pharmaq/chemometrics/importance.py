"""What a calibration relies on, and how sure its coefficients are."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.base import clone
from sklearn.model_selection import LeaveOneOut
from sklearn.pipeline import Pipeline

from pharmaq._checks import check_choice, check_real
from pharmaq.chemometrics._base import check_response, fit_matrix, new_matrix, require_fitted
from pharmaq.chemometrics._folds import rows_of
from pharmaq.chemometrics.crossval import folds_of, groups_of
from pharmaq.chemometrics.pls import PLS
from pharmaq.chemometrics.splitters import LeaveBatchOut, make_splitter, splitter_text
from pharmaq.errors import InputError, InputTypeError
from pharmaq.results import Result

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.chemometrics._folds import Folds

__all__ = [
    "JackknifeCoefficients",
    "NetAnalyteSignal",
    "jackknife",
    "net_analyte_signal",
    "selectivity_ratio",
]

# share of its variance that keeps the ratio of a fully explained point finite
PLS_TOOLBOX_SHARE = 1e-3


def selectivity_ratio(
    model: Any, X: Any, *, convention: Literal["kvalheim", "pls_toolbox"] = "kvalheim"
) -> NDArray[np.float64]:
    """Return the selectivity ratio of each point [1]_.

    Parameters
    ----------
    model : PLS or Pipeline that ends in one
        Fitted.
    X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
        The calibration samples, as they were given to `fit`; NaN raises.
    convention : {"kvalheim", "pls_toolbox"}, default "kvalheim"
        The original, or with 0.1% of each point's variance added to its residual variance,
        which gives the numbers that PLS_Toolbox prints: at most 1000 instead of infinity.

    Returns
    -------
    ndarray of shape (n_points,) or (n_responses, n_points)
        Explained over residual variance of each point; 0 for one that does not vary, infinity
        for one that is explained entirely.

    Raises
    ------
    InputError
        If `X` does not fit the model, or if the model predicts the same for all of it.

    Notes
    -----
    Target projection: with b the coefficients and X centred and scaled as the model is,
    t = X b / norm(b), p = X't / (t't), and the ratio of point j is
    sum_i (t_i p_j)^2 / sum_i (x_ij - t_i p_j)^2.

    References
    ----------
    .. [1] O. M. Kvalheim, J. Chemom. 24 (2010) 496-504.

    Examples
    --------
    >>> X = [[1.0, 0.2], [2.0, 0.1], [3.0, 0.4], [4.0, 0.3]]
    >>> model = PLS(n_components=1).fit(X, [1.1, 2.0, 3.1, 4.0])
    >>> selectivity_ratio(model, X).round(3)
    array([3.9335045e+04, 5.7400000e-01])
    """
    check_choice("convention", convention, ("kvalheim", "pls_toolbox"))
    added = PLS_TOOLBOX_SHARE if convention == "pls_toolbox" else 0.0
    pls, values = _model_and_points(model, X)
    Xc = (values - pls.x_mean_) / pls.x_scale_
    ratios = np.array([_target_ratio(Xc, coef * pls.x_scale_, added) for coef in pls.coef_])
    return ratios[0] if pls.y_is_vector_ else ratios


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class NetAnalyteSignal(Result):
    """The part of the signal that only the analyte has, and what follows from it.

    Parameters
    ----------
    sensitivity : float
        1 / norm(b): net signal per unit of the response.
    net_signal, selectivity : ndarray of shape (n_samples,) or None
        Net signal with its sign, and its share of the length of the spectrum, from 0 to 1; 0
        for a sample that has no signal at all. None without `X`.
    origin : str
        Where spectra are measured from: ``"mean"`` or ``"zero"``.
    analytical_sensitivity : float or None
        Sensitivity / noise, in 1 / unit of the response; None unless noise is known.
    lod, loq : float or None
        Limits of detection and of quantitation, in units of the response.
    basis : str or None
        What the limits follow from: ``"noise"`` or ``"sec"``.
    """

    sensitivity: float
    net_signal: NDArray[np.float64] | None
    selectivity: NDArray[np.float64] | None
    origin: str
    analytical_sensitivity: float | None
    lod: float | None
    loq: float | None
    basis: str | None

    def to_frame(self) -> pd.DataFrame:
        """Return one row a figure that is known, with its definition."""
        sigma = "SEC" if self.basis == "sec" else "noise / sensitivity"
        rows = [
            ("sensitivity", self.sensitivity, "1 / ||b||"),
            ("analytical_sensitivity", self.analytical_sensitivity, "sensitivity / noise"),
            ("lod", self.lod, f"3.3 {sigma}"),
            ("loq", self.loq, f"10 {sigma}"),
        ]
        known = [row for row in rows if row[1] is not None]
        return pd.DataFrame(known, columns=["name", "value", "definition"])


def net_analyte_signal(
    model: Any,
    X: Any = None,
    *,
    noise: float | None = None,
    sec: float | None = None,
    origin: Literal["mean", "zero"] = "mean",
) -> NetAnalyteSignal:
    """Return sensitivity, selectivity and limits of detection of a calibration [1]_ [2]_.

    Parameters
    ----------
    model : PLS or Pipeline that ends in one
        Fitted, with one response.
    X : array-like, DataFrame or DataArray, shape (n_samples, n_points), optional
        Samples whose net signal and selectivity are wanted; NaN raises.
    noise : float, optional
        Standard deviation of the preprocessed spectra at one point under repetition.
    sec : float, optional
        Standard error of calibration, in units of the response; in place of `noise`.
    origin : {"mean", "zero"}, default "mean"
        Measure spectra from the mean of the calibration, as the model does, or from zero.

    Returns
    -------
    NetAnalyteSignal
        In units of the preprocessed spectra and of the response.

    Raises
    ------
    InputError
        If there are several responses, or if `noise` and `sec` are both given.

    Notes
    -----
    For an inverse calibration with coefficients b in units of response per signal, the net
    analyte signal of a spectrum x is its projection x'b / norm(b). Sensitivity is 1 / norm(b),
    selectivity abs(x'b) / (norm(b) norm(x)). With s = noise * norm(b), or s = SEC, the limit of
    detection is 3.3 s and that of quantitation 10 s, the factors of ICH Q2. Noise alone leaves
    out the errors of reference values and of the model.

    References
    ----------
    .. [1] A. Lorber, Anal. Chem. 58 (1986) 1167-1172.
    .. [2] A. C. Olivieri et al., Pure Appl. Chem. 78 (2006) 633-661.

    Examples
    --------
    >>> X = [[1.0, 0.2], [2.0, 0.1], [3.0, 0.4], [4.0, 0.3]]
    >>> model = PLS(n_components=2).fit(X, [1.1, 2.0, 3.1, 4.0])
    >>> net_analyte_signal(model, noise=0.01).to_frame()
                         name      value               definition
    0             sensitivity   0.931493                1 / ||b||
    1  analytical_sensitivity  93.149287      sensitivity / noise
    2                     lod   0.035427  3.3 noise / sensitivity
    3                     loq   0.107355   10 noise / sensitivity
    """
    check_choice("origin", origin, ("mean", "zero"))
    pls = _pls_part(model)
    require_fitted(pls)
    if len(pls.coef_) != 1:
        msg = f"model has {len(pls.coef_)} responses; fit one for each to get its net signal"
        raise InputError(msg)
    length = float(np.linalg.norm(pls.coef_[0]))
    signals: dict[str, Any] = {"net_signal": None, "selectivity": None}
    if X is not None:
        start = pls.x_mean_ if origin == "mean" else 0.0
        signals = _net_signals(_model_and_points(model, X)[1] - start, pls.coef_[0] / length)
    limits = _limits(noise, sec, length)
    return NetAnalyteSignal(sensitivity=1 / length, origin=origin, **signals, **limits)


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class JackknifeCoefficients(Result):
    """Coefficients of a calibration with their standard errors.

    Parameters
    ----------
    coefficients, standard_errors : ndarray of shape (n_points,) or (n_responses, n_points)
        In units of response per signal.
    t, p : ndarray of the same shape
        Coefficient / standard error, and its two-sided significance; t = 0 and p = 1 for a
        coefficient that is 0 in every segment.
    n_segments : int
        Number M of segments left out; t has M - 1 degrees of freedom.
    method, cv : str
        Scaling of the standard errors, and the splitter.
    axis : ndarray of shape (n_points,)
        Axis of the points, or their numbers.
    axis_kind : str or None
        ``"wavelength"``, ``"wavenumber"``, ``"raman_shift"``; None where there is no axis.
    """

    coefficients: NDArray[np.float64]
    standard_errors: NDArray[np.float64]
    t: NDArray[np.float64]
    p: NDArray[np.float64]
    n_segments: int
    method: str
    cv: str
    axis: NDArray[Any]
    axis_kind: str | None

    def to_frame(self) -> pd.DataFrame:
        """Return one row a point, and a response where there are several."""
        n_responses = len(np.atleast_2d(self.coefficients))
        frame = pd.DataFrame({"point": np.tile(self.axis, n_responses)})
        if self.coefficients.ndim == 2:
            frame.insert(0, "response", np.repeat(np.arange(n_responses), len(self.axis)))
        frame["coefficient"] = self.coefficients.ravel()
        frame["standard_error"] = self.standard_errors.ravel()
        return frame.assign(t=self.t.ravel(), p=self.p.ravel())

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the coefficients with two standard errors on each side.

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

        return plots.plot_jackknife(self, ax=ax)


def jackknife(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    cv: Any = None,
    groups: ArrayLike | None = None,
    method: Literal["martens", "tukey"] = "martens",
) -> JackknifeCoefficients:
    """Estimate standard errors of coefficients by leaving out segments of samples.

    Parameters
    ----------
    estimator : PLS or Pipeline that ends in one
        Cloned, never changed.
    X, y, groups
        Calibration samples, reference values and batches, as in `cross_validate`; NaN raises.
    cv : cross-validator or str, optional
        A splitter or its short name, see `make_splitter`. By default batches are left out where
        they are known, and single samples if not.
    method : {"martens", "tukey"}, default "martens"
        Deviations of the segments' coefficients from those of all samples [1]_, or from their
        own mean [2]_.

    Returns
    -------
    JackknifeCoefficients
        Coefficients of all samples with standard errors, t and p.

    Raises
    ------
    InputError
        If `cv` does not leave out every sample exactly once.

    Notes
    -----
    With b_m the coefficients without segment m of M: s^2 = (M - 1) / M sum_m (b_m - c)^2, where
    c is the coefficients of all samples (``"martens"``) or the mean of b_m (``"tukey"``, never
    larger). Coefficients of PLS are biased and depend on each other, so that p is a guide for
    the eye rather than the error rate of a test.

    References
    ----------
    .. [1] H. Martens, M. Martens, Food Qual. Prefer. 11 (2000) 5-16.
    .. [2] B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap, Chapman & Hall, 1993.

    Examples
    --------
    >>> X = [[1.0], [2.0], [3.0], [4.0]]
    >>> jackknife(PLS(n_components=1), X, [1.1, 2.0, 3.1, 4.0]).to_frame().round(4)
       point  coefficient  standard_error        t    p
    0      0         0.98          0.0266  36.7735  0.0
    """
    check_choice("method", method, ("martens", "tukey"))
    response = check_response(y, len(fit_matrix(PLS(), X, least=2)))
    groups = groups_of(X, groups)
    default = LeaveOneOut() if groups is None else LeaveBatchOut()
    splitter = make_splitter(cv) if isinstance(cv, str) else default if cv is None else cv
    folds = _partition(splitter, response, groups)
    whole = _pls_part(clone(estimator).fit(X, response))
    fits = [clone(estimator).fit(rows_of(X, train), response[train]) for train, _ in folds]
    segments = np.array([_pls_part(fit).coef_ for fit in fits])
    center = whole.coef_ if method == "martens" else segments.mean(axis=0)
    M = len(folds)
    errors = np.sqrt((M - 1) / M * np.sum((segments - center) ** 2, axis=0))
    coefficients = whole.coef_
    if whole.y_is_vector_:
        coefficients, errors = coefficients[0], errors[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(coefficients == 0, 0.0, coefficients / errors)
    return JackknifeCoefficients(
        coefficients=coefficients,
        standard_errors=errors,
        t=t,
        p=2 * stats.t.sf(np.abs(t), M - 1),
        n_segments=M,
        method=method,
        cv=splitter_text(splitter),
        axis=np.arange(whole.n_features_in_) if whole.axis_ is None else whole.axis_,
        axis_kind=whole.axis_kind_,
    )


def _target_ratio(
    Xc: NDArray[np.float64], coefficients: NDArray[np.float64], added: float
) -> NDArray[np.float64]:
    scores = Xc @ (coefficients / np.linalg.norm(coefficients))
    square = float(scores @ scores)
    if square == 0:
        msg = "X gives the same prediction for all samples; there is no target to project on"
        raise InputError(msg)
    explained = np.outer(scores, Xc.T @ scores / square)
    above = np.sum(explained**2, axis=0)
    below = np.sum((Xc - explained) ** 2, axis=0) + added * np.sum(Xc**2, axis=0)
    ratio = np.full(len(above), np.inf)
    np.divide(above, below, out=ratio, where=below > 0)
    return np.where(above > 0, ratio, 0.0)


def _pls_part(model: Any) -> PLS:
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    if not isinstance(last, PLS):
        msg = f"model must be a PLS or a pipeline that ends in one, got {model!r}"
        raise InputTypeError(msg)
    return last


def _model_and_points(model: Any, X: Any) -> tuple[PLS, NDArray[np.float64]]:
    """Return the fitted PLS and the samples as it sees them."""
    pls = _pls_part(model)
    if isinstance(model, Pipeline) and len(model.steps) > 1:
        X = model[:-1].transform(X)
    return pls, new_matrix(pls, X)


def _net_signals(
    spectra: NDArray[np.float64], direction: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    # row by row: the same bits for a spectrum alone and among others
    signal = np.einsum("ij,j->i", spectra, direction)
    length = np.sqrt(np.einsum("ij,ij->i", spectra, spectra))
    share = np.zeros(len(signal))
    np.divide(np.abs(signal), length, out=share, where=length > 0)
    return {"net_signal": signal, "selectivity": np.minimum(share, 1.0)}


def _limits(noise: float | None, sec: float | None, length: float) -> dict[str, Any]:
    if noise is not None and sec is not None:
        msg = f"give noise or sec, not both: got noise = {noise!r} and sec = {sec!r}"
        raise InputError(msg)
    basis, value = ("noise", noise) if sec is None else ("sec", sec)
    if value is None:
        return dict.fromkeys(("analytical_sensitivity", "lod", "loq", "basis"))
    spread = check_real(basis, value, above=0) * (length if basis == "noise" else 1.0)
    limits = {"lod": 3.3 * spread, "loq": 10 * spread, "basis": basis}
    return limits | {"analytical_sensitivity": 1 / spread if basis == "noise" else None}


def _partition(splitter: Any, y: NDArray[np.float64], groups: Any) -> Folds:
    folds = folds_of(splitter, len(y), y, groups)
    left_out = np.sort(np.concatenate(folds.tests))
    if not np.array_equal(left_out, np.arange(len(y))):
        msg = (
            f"{splitter_text(splitter)} must leave out every sample exactly once; use other cv"
        )
        raise InputError(msg)
    return folds
