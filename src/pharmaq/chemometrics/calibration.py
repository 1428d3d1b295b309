"""A calibration: recipe, PLS and diagnostics fitted, judged, stored and used together."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from pharmaq import modelfile
from pharmaq._checks import as_float, check_finite, check_real
from pharmaq.chemometrics._base import check_response, difference_of_axes, require_fitted
from pharmaq.chemometrics._fit_findings import fit_findings, robust_or_box
from pharmaq.chemometrics._pictures import CalibrationPictures
from pharmaq.chemometrics._storage import (
    calibration_content,
    restored_attributes,
    restored_model,
)
from pharmaq.chemometrics.crossval import CrossValidation, cross_validate
from pharmaq.chemometrics.merit import figures_of_merit
from pharmaq.chemometrics.pls import PLS
from pharmaq.chemometrics.prediction import CalibrationPrediction, PredictedArrays, judged
from pharmaq.chemometrics.preprocessing._one_pass import in_one_pass
from pharmaq.chemometrics.recipe import Recipe, make_recipe
from pharmaq.chemometrics.selection import ComponentRule, select_n_components
from pharmaq.errors import AxisError, FormatError, InputError
from pharmaq.provenance import record_provenance
from pharmaq.results import Finding
from pharmaq.spectra import as_spectra, axis_kind, axis_values

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Calibration"]

_CONFIDENCE = 0.95
_GOLDEN = 5
# a model that is read back must repeat itself within this share of the calibrated range
_REPEATS = 1e-9


class Calibration(CalibrationPictures, BaseEstimator):
    """A quantitative calibration for spectra, from recipe to status of each prediction.

    Parameters
    ----------
    recipe : str, sequence of transformers or Pipeline, default "none"
        Preprocessing; text as in `make_recipe`.
    n_components : int or "auto", default "auto"
        Number of PLS components; ``"auto"`` chooses it by cross-validation.
    max_components : int, default 15
        Largest number tried by ``"auto"``; fewer where the training sets are smaller.
    cv : cross-validator, str or int, optional
        As in `cross_validate`: batches are left out where they are known.
    rule : {"min", "1se"}, default "1se"
        As in `select_n_components`.
    scale : bool, default False
        Scale the preprocessed points by their standard deviation.
    alpha : float, default 0.01
        Error rate of the T2 and SPE limits for one new spectrum.
    units : str, default ""
        Units of the response, for results and reports.

    Attributes
    ----------
    recipe_ : Recipe
        Fitted preprocessing.
    pls_ : PLS
        Fitted model.
    pipeline_ : Pipeline
        Both as one scikit-learn pipeline.
    n_components_ : int
        Number of components.
    choice_ : ComponentChoice or None
        How it was chosen; None where it was given.
    cross_validation_ : CrossValidation or None
        Predictions of left-out samples; None after `load`.
    merit_ : dict of str to FiguresOfMerit
        ``"calibration"`` and ``"cross_validation"``.
    rmsecv_ : list of float
        RMSECV for 1, 2, ... components.
    t2_limit_, spe_limit_ : float
        Limits for new spectra at `alpha`: T2 by F, SPE by a scaled
        chi2 with robust moments.
    value_range_ : tuple of float
        Smallest and largest reference value.
    diagnostics_ : CalibrationPrediction or None
        The calibration spectra, judged as new ones would be; None after `load`.
    reference_ : ndarray or None
        Reference values; None after `load`.
    findings_ : tuple of Finding
        What the fit gave reason to look at.
    provenance_ : Provenance
        Versions, parameters, hashes of spectra and reference values, time.
    seal_ : str or None
        SHA-256 seal of the file that this model was read from or written to last.

    Examples
    --------
    >>> import pharmaq
    >>> spectra = pharmaq.datasets.tablets(random_state=1).spectra
    >>> calibration = pharmaq.chemometrics.Calibration("snv, sg(15,2,1)")
    >>> prediction = calibration.fit(spectra, "api").predict(spectra[:3])
    >>> prediction.status.tolist()
    ['ok', 'ok', 'ok']
    """

    def __init__(
        self,
        recipe: Any = "none",
        *,
        n_components: int | Literal["auto"] = "auto",
        max_components: int = 15,
        cv: Any = None,
        rule: ComponentRule = "1se",
        scale: bool = False,
        alpha: float = 0.01,
        units: str = "",
    ) -> None:
        self.recipe = recipe
        self.n_components = n_components
        self.max_components = max_components
        self.cv = cv
        self.rule = rule
        self.scale = scale
        self.alpha = alpha
        self.units = units

    def fit(
        self,
        spectra: Any,
        y: str | ArrayLike,
        *,
        groups: ArrayLike | None = None,
        progress: bool = False,
    ) -> Self:
        """Cross-validate, choose the number of components, fit, and judge the result.

        Parameters
        ----------
        spectra : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Calibration spectra; NaN raises.
        y : str or array-like of shape (n_samples,)
            Reference values, or the name of the sample coordinate that holds them.
        groups : array-like of shape (n_samples,), optional
            Batch of each sample; by default the coordinate ``batch``.
        progress : bool, default False
            Show a progress bar on a terminal.

        Returns
        -------
        Calibration
            The fitted calibration.

        Raises
        ------
        InputError
            If data or settings cannot be used, or no number of components predicts better
            than the mean of the reference values.
        """
        check_real("alpha", self.alpha, above=0, below=1)
        # what an earlier fit knew of the axis plays no part
        self.axis_kind_: str | None = None
        labelled = self._as_labelled(spectra)
        self.response_ = y if isinstance(y, str) else "y"
        reference = _reference(labelled, y)
        recipe = make_recipe(self.recipe)
        automatic = self.n_components == "auto"
        most: Any = self.max_components if automatic else self.n_components
        validation = cross_validate(
            Pipeline([("recipe", recipe), ("pls", PLS(most, scale=self.scale))]),
            labelled,
            reference,
            cv=self.cv,
            groups=groups,
            excess="trim" if automatic else "raise",
            progress=progress,
        )
        self._choose(validation)
        self._fit_model(labelled, reference, recipe)
        self.provenance_ = record_provenance(
            parameters=self._described(labelled, validation),
            arrays={"spectra": labelled, "y": reference},
        )
        self._judge_fit(labelled, reference, validation)
        self.seal_: str | None = None
        return self

    def predict(self, spectra: Any) -> CalibrationPrediction:
        """Predict values and judge each spectrum.

        Parameters
        ----------
        spectra : array-like, DataFrame or DataArray, shape (n_samples, n_points) or (n_points,)
            New spectra. Where they carry an axis it must be the calibrated one; otherwise the
            status is ``"wrong_axis"`` and the value NaN. NaN in spectra raises.

        Returns
        -------
        CalibrationPrediction
            Per spectrum the value, its interval, T2, SPE, leverage and status, with findings. A
            spectrum gets the same bits alone and among others.
        """
        require_fitted(self)
        try:
            labelled = self._as_labelled(spectra)
        except AxisError as error:
            return self._wrong_axis(np.arange(len(spectra)), str(error))
        sample = _labels(labelled)
        if isinstance(labelled, xr.DataArray) and self.axis_ is not None:
            problem = difference_of_axes(self, axis_values(labelled), axis_kind(labelled))
            if problem:
                return self._wrong_axis(sample, problem)
        value, t2, spe, _ = self.predict_arrays(labelled)
        return self._judged(sample, value, t2, spe)

    def predict_arrays(self, spectra: ArrayLike) -> PredictedArrays:
        """Predict without labels and statuses: the short way for one spectrum at a time.

        Parameters
        ----------
        spectra : array-like, shape (n_samples, n_points) or (n_points,)
            New spectra on the calibrated axis, which is not checked here; NaN raises.

        Returns
        -------
        PredictedArrays
            Values, T2, SPE and leverage, the same bits as `predict` gives.
        """
        require_fitted(self)
        values = np.ascontiguousarray(np.atleast_2d(as_float("spectra", spectra)))
        if values.ndim != 2 or values.shape[1] != self.n_points_:
            msg = (
                f"spectra must have {self.n_points_} points, as the calibration has, got shape "
                f"{values.shape}"
            )
            raise InputError(msg)
        check_finite("spectra", values)
        value, t2, spe = self._computed(values)
        return PredictedArrays(value, t2, spe, self.pls_.leverage_of_t2(t2))

    def _computed(self, values: Any) -> tuple[NDArray[np.float64], ...]:
        """Return values, T2 and SPE of spectra that were checked."""
        for step in in_one_pass(self.steps_):
            values = step.apply(values) if hasattr(step, "apply") else step.transform(values)
        scores, spe = self.pls_.project_array(np.ascontiguousarray(values))
        value = self.pls_.path_of_scores(scores)[-1, :, 0]
        return value, self.pls_.t2_of_scores(scores), spe

    def save(self, path: str | Path) -> str:
        """Write the whole procedure to a sealed file.

        Parameters
        ----------
        path : str or Path
            By custom with the ending ``.pqm``; replaced in one step if it exists.

        Returns
        -------
        str
            The seal, a SHA-256.

        Notes
        -----
        The file holds every constant of preprocessing and model, limits, merit, provenance and
        a few calibration spectra with their predictions; no pickle, nothing that runs.
        """
        require_fitted(self)
        seal = modelfile.save(path, "calibration", calibration_content(self))
        self.seal_ = seal
        return seal

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a procedure back, check its seal and let it prove itself.

        Parameters
        ----------
        path : str or Path
            A file that `save` wrote.

        Returns
        -------
        Calibration
            Ready to predict. The calibration data are not in the file.

        Raises
        ------
        FormatError
            If the file is damaged or changed, or the model does not repeat the predictions that
            are stored with it.
        """
        content, seal = modelfile.load(path, "calibration")
        self = cls(**content["settings"])
        self._set_model(*restored_model(content))
        for name, value in restored_attributes(content).items():
            setattr(self, name, value)
        for name in ("choice_", "cross_validation_", "diagnostics_", "reference_"):
            setattr(self, name, None)
        self.seal_ = seal
        self._prove(path)
        return self

    def _as_labelled(self, spectra: Any) -> Any:
        """Return labelled spectra where an axis is known, otherwise a two-dimensional array."""
        kind = (
            getattr(self, "axis_kind_", None) if not isinstance(spectra, xr.DataArray) else None
        )
        if isinstance(spectra, xr.DataArray | pd.DataFrame):
            return as_spectra(spectra, kind=kind)
        return np.atleast_2d(as_float("spectra", spectra))

    def _choose(self, validation: CrossValidation) -> None:
        self.cross_validation_ = validation
        self.rmsecv_ = [float(value) for value in validation.rmsecv]
        self.choice_ = None
        if self.n_components != "auto":
            self.n_components_ = int(self.n_components)
            return
        self.choice_ = select_n_components(validation, rule=self.rule)
        self.n_components_ = self.choice_.n_components
        if self.n_components_ == 0:
            msg = (
                "n_components = 'auto' found nothing: no number of components predicts better "
                f"than the mean (RMSECV {validation.rmsecv.min():.4g} against "
                f"{float(validation.rmsecv_null):.4g}); look at the recipe and the reference "
                "values, or give n_components"
            )
            raise InputError(msg)

    def _fit_model(self, spectra: Any, y: NDArray[np.float64], recipe: Recipe) -> None:
        fitted = clone(recipe).fit(spectra, y)
        pls = PLS(self.n_components_, scale=self.scale)
        pls.fit(fitted.transform(spectra), y)
        self._set_model(fitted, pls)
        labelled = isinstance(spectra, xr.DataArray)
        self.axis_ = axis_values(spectra) if labelled else None
        self.axis_kind_ = axis_kind(spectra) if labelled else None
        self.t2_limit_ = pls.t2_limit(alpha=self.alpha, method="f")
        self.spe_method_ = robust_or_box(pls)
        self.spe_limit_ = pls.spe_limit(alpha=self.alpha, method=self.spe_method_)
        self.value_range_ = (float(y.min()), float(y.max()))

    def _set_model(self, recipe: Recipe, pls: PLS) -> None:
        self.recipe_, self.pls_ = recipe, pls
        self.pipeline_ = Pipeline([("recipe", recipe), ("pls", pls)])
        self.steps_ = [step for _, step in recipe.steps if step != "passthrough"]
        self.n_components_ = pls.n_components_
        self.n_samples_ = pls.n_samples_
        self.n_points_ = getattr(self.steps_[0] if self.steps_ else pls, "n_features_in_", None)

    def _judge_fit(
        self, spectra: Any, y: NDArray[np.float64], validation: CrossValidation
    ) -> None:
        A = self.n_components_
        fitted = self.pls_.predict_path(self.recipe_.transform(spectra))[-1]
        left_out = validation.predictions.to_numpy()[A - 1]
        judged = validation.n_predictions > 0
        self.merit_ = {
            "calibration": figures_of_merit(y, fitted, role="calibration", n_components=A),
            "cross_validation": figures_of_merit(
                y[judged], left_out[judged], role="cross_validation"
            ),
        }
        self.reference_ = y
        self.diagnostics_ = self.predict(spectra)
        self.findings_ = tuple(fit_findings(self, y, validation))
        values = np.asarray(spectra)
        ranks = np.linspace(0, len(y) - 1, min(_GOLDEN, len(y))).round().astype(int)
        chosen = np.argsort(y, kind="stable")[ranks]
        self.golden_spectra_ = values[chosen].copy()
        self.golden_values_ = self.diagnostics_.value[chosen].copy()

    def _described(self, spectra: Any, validation: CrossValidation) -> dict[str, Any]:
        facts = {
            "recipe": str(self.recipe_),
            "model": f"PLS, {self.pls_.algorithm}, scale={self.scale}",
            "n_components": self.n_components_,
            "rule": "given" if self.choice_ is None else self.rule,
            "cv": validation.cv,
            "cv algorithm": validation.algorithm,
            "alpha": self.alpha,
            "t2 limit": "F, new samples",
            "spe limit": f"scaled chi2, {self.spe_method_}, from the calibration samples",
            "response": self.response_,
            "units": self.units,
        }
        kept = ("file", "sha256", "axis_source", "quantity")
        attrs = spectra.attrs if isinstance(spectra, xr.DataArray) else {}
        return facts | {f"spectra {name}": attrs[name] for name in kept if name in attrs}

    def _judged(
        self,
        sample: NDArray[Any],
        value: NDArray[np.float64],
        t2: NDArray[np.float64],
        spe: NDArray[np.float64],
    ) -> CalibrationPrediction:
        leverage = self.pls_.leverage_of_t2(t2)
        error = self.sec_ * np.sqrt(1 + leverage)
        half = error * stats.t.isf((1 - _CONFIDENCE) / 2, self.freedom_)
        prediction = CalibrationPrediction(
            sample=sample,
            value=value,
            standard_error=error,
            lower=value - half,
            upper=value + half,
            t2=t2,
            spe=spe,
            leverage=leverage,
            status=np.full(len(value), "ok", dtype="<U12"),
            t2_limit=self.t2_limit_,
            spe_limit=self.spe_limit_,
            value_range=self.value_range_,
            alpha=self.alpha,
            confidence=_CONFIDENCE,
            response=self.response_,
            units=self.units,
            findings=(),
        )
        return judged(prediction)

    def _wrong_axis(self, sample: NDArray[Any], problem: str) -> CalibrationPrediction:
        nothing = np.full(len(sample), np.nan)
        finding = Finding(
            rule="wrong_axis",
            severity="action",
            subject=f"{len(sample)} spectra",
            message=f"the axis is not the calibrated one: {problem}; nothing was predicted",
        )
        return dataclasses.replace(
            self._judged(sample, nothing, nothing, nothing),
            status=np.full(len(sample), "wrong_axis"),
            findings=(finding,),
        )

    @property
    def sec_(self) -> float:
        """Standard error of calibration, divisor n - A - 1."""
        return float(self.merit_["calibration"].sec or 0.0)

    @property
    def freedom_(self) -> int:
        """Degrees of freedom of `sec_`: n - A - 1."""
        return int(self.n_samples_ - self.n_components_ - 1)

    def _prove(self, path: str | Path) -> None:
        again = self.predict(self.golden_spectra_).value
        span = self.value_range_[1] - self.value_range_[0]
        worst = float(np.abs(again - self.golden_values_).max())
        if not worst <= _REPEATS * span:
            msg = (
                f"{path} does not repeat its own predictions on this machine: they differ by "
                f"{worst:.3g}, allowed is {_REPEATS * span:.3g}; do not use it"
            )
            raise FormatError(msg)


def _reference(spectra: Any, y: str | ArrayLike) -> NDArray[np.float64]:
    name = y if isinstance(y, str) else "y"
    if isinstance(y, str):
        coords = getattr(spectra, "coords", {})
        if y not in coords:
            known = ", ".join(repr(str(n)) for n in coords if coords[n].dims == ("sample",))
            msg = (
                f"y = {y!r} is no sample coordinate of the spectra; there are {known or 'none'}"
            )
            raise InputError(msg)
        y = coords[y].to_numpy()
    reference = check_response(y, len(spectra), name=name)
    if reference.ndim != 1:
        msg = f"y must be one response, shape (n_samples,), got {reference.shape}"
        raise InputError(msg)
    return reference


def _labels(spectra: Any) -> NDArray[Any]:
    if isinstance(spectra, xr.DataArray):
        return np.asarray(spectra["sample"].to_numpy())
    return np.arange(len(spectra))
