"""Pictures that fitted models draw: what they show is gathered here, `plots` draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pharmaq._checks import check_integer, check_same_length
from pharmaq.chemometrics._base import require_fitted
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.chemometrics.crossval import CrossValidation
    from pharmaq.chemometrics.limits import T2Method
    from pharmaq.chemometrics.pls import PLS
    from pharmaq.chemometrics.recipe import Recipe


class LatentPictures:
    """Mixin of models with scores and loadings."""

    if TYPE_CHECKING:
        n_samples_: int
        n_components_: int
        x_scores_: NDArray[np.float64]
        x_loadings_: NDArray[np.float64]
        score_variances_: NDArray[np.float64]

        def project(self, X: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...

    def score_limits(
        self,
        *,
        components: tuple[int, int] = (1, 2),
        alpha: float = 0.05,
        method: T2Method = "f",
    ) -> NDArray[np.float64]:
        """Return the half-axes of the Hotelling ellipse of two components.

        Parameters
        ----------
        components : tuple of int, default (1, 2)
            Numbers of the two components, from 1.
        alpha : float, default 0.05
            Share of good samples allowed outside.
        method : {"f", "beta", "simca", "chi2"}, default "f"
            As in `pharmaq.chemometrics.t2_limit`: ``"f"`` for new samples, ``"beta"`` for the
            calibration samples.

        Returns
        -------
        ndarray of shape (2,)
            sqrt(variance of the score * limit of T2 with two components).
        """
        from pharmaq.chemometrics.limits import t2_limit

        pair = self._pair(components)
        limit = t2_limit(self.n_samples_, 2, alpha=alpha, method=method)
        return np.sqrt(self.score_variances_[pair] * limit)

    def plot_scores(
        self,
        X: Any = None,
        *,
        components: tuple[int, int] = (1, 2),
        color_by: str | ArrayLike | None = None,
        alpha: float = 0.05,
        method: T2Method | None = None,
        ax: Any = None,
    ) -> Any:
        """Draw scores on two components with the Hotelling ellipse.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points), optional
            Samples on the fitted axis; by default the calibration samples, unnamed.
        components : tuple of int, default (1, 2)
            Numbers of the two components, from 1.
        color_by : str or array-like of shape (n_samples,), optional
            What colours the samples, or the name of a sample coordinate of `X`; by default its
            coordinate ``batch``, where there is one. Decimal numbers and times give a scale,
            on which a missing one is grey; text and up to 30 whole numbers give groups.
        alpha : float, default 0.05
            Share of good samples allowed outside the ellipse.
        method : str, optional
            As in `score_limits`; by default ``"f"`` if `X` is given, and ``"beta"`` if not.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture; samples outside the ellipse are named.
        """
        from pharmaq.chemometrics import plots

        pair = self._pair(components)
        limit = method or ("beta" if X is None else "f")
        scores = self.x_scores_ if X is None else self.project(X)[0]
        colors, text = colors_of(X, color_by, len(scores))
        return plots.plot_scores(
            scores[:, pair],
            half_axes=self.score_limits(components=components, alpha=alpha, method=limit),
            limit_label=f"Hotelling T², {100 * (1 - alpha):g} % ({limit})",
            axis_labels=self._score_labels(components),
            color_by=colors,
            color_label=text,
            names=names_of(X, len(scores)),
            ax=ax,
        )

    def plot_loadings(self, *, components: tuple[int, ...] = (1, 2), ax: Any = None) -> Any:
        """Draw loadings along the axis, or as bars for named variables.

        Parameters
        ----------
        components : tuple of int, default (1, 2)
            Numbers of the components, from 1; fewer where the model has fewer.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.chemometrics import plots

        require_fitted(self)
        shown = components if components != (1, 2) else components[: self.n_components_]
        for number in shown:
            check_integer("components", number, least=1, most=self.n_components_)
        return plots.plot_loadings(self, components=shown, ax=ax)

    def plot_biplot(
        self,
        X: Any = None,
        *,
        components: tuple[int, int] = (1, 2),
        color_by: str | ArrayLike | None = None,
        ax: Any = None,
    ) -> Any:
        """Draw scores as points and loadings as arrows on two components.

        Parameters
        ----------
        X, components, color_by
            As in `plot_scores`.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture; arrows are stretched to the size of the scores.
        """
        from pharmaq.chemometrics import plots

        pair = self._pair(components)
        scores = self.x_scores_ if X is None else self.project(X)[0]
        colors, text = colors_of(X, color_by, len(scores))
        return plots.plot_biplot(
            scores[:, pair],
            self.x_loadings_[:, pair],
            self._point_names(),
            axis_labels=self._score_labels(components),
            color_by=colors,
            color_label=text,
            ax=ax,
        )

    def _pair(self, components: tuple[int, int]) -> list[int]:
        """Return the two components, counted from 0."""
        require_fitted(self)
        if len(components) != 2 or components[0] == components[1]:
            msg = f"components must be two different numbers, got {components!r}"
            raise InputError(msg)
        most = self.n_components_
        if most < 2:
            msg = "components: the model has one component, and this picture needs two"
            raise InputError(msg)
        return [check_integer("components", n, least=1, most=most) - 1 for n in components]

    def _score_labels(self, components: tuple[int, int]) -> tuple[str, str]:
        shares = getattr(self, "explained_variance_ratio_", None)
        shares = getattr(self, "explained_x_", None) if shares is None else shares
        one, two = (
            f"t{n}" if shares is None else f"t{n} ({100 * shares[n - 1]:.3g} % of X)"
            for n in components
        )
        return one, two

    def _point_names(self) -> NDArray[Any]:
        names = getattr(self, "feature_names_in_", None)
        axis = getattr(self, "axis_", None)
        if axis is not None:
            return np.array([f"{position:g}" for position in axis])
        return np.arange(len(self.x_loadings_)) if names is None else np.asarray(names)


class RegressionPictures:
    """Mixin of linear models with coefficients."""

    def plot_coefficients(self, *, n_components: int | None = None, ax: Any = None) -> Any:
        """Draw the regression coefficients along the axis, or as bars for named variables.

        Parameters
        ----------
        n_components : int, optional
            Coefficients with the first so many components; all by default.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.chemometrics import plots

        require_fitted(self)
        if n_components is not None:
            path = getattr(self, "coef_path_", None)
            if path is None:
                name = type(self).__name__
                msg = f"n_components = {n_components!r}: {name} has coefficients for all only"
                raise InputError(msg)
            check_integer("n_components", n_components, least=1, most=len(path))
        return plots.plot_coefficients(self, n_components=n_components, ax=ax)


def colors_of(
    X: Any, color_by: str | ArrayLike | None, n_samples: int
) -> tuple[NDArray[Any] | None, str]:
    """Return what colours samples, and its name; the batch where nothing is said."""
    coords = X.coords if isinstance(X, xr.DataArray) else {}
    if color_by is None:
        color_by = "batch" if "batch" in coords else None
    if color_by is None:
        return None, ""
    if not isinstance(color_by, str):
        colors = np.asarray(color_by)
        check_same_length(color_by=colors, X=np.empty(n_samples))
        return colors, ""
    if color_by not in coords:
        known = [str(name) for name in coords if coords[name].dims == ("sample",)]
        msg = (
            f"color_by = {color_by!r} is no sample coordinate of X; "
            f"there are {', '.join(known) or 'none'}"
        )
        raise InputError(msg)
    return np.asarray(coords[color_by].to_numpy()), color_by


def names_of(X: Any, n_samples: int) -> NDArray[Any]:
    """Return the labels of samples, or their numbers."""
    if isinstance(X, xr.DataArray) and "sample" in X.coords:
        return np.asarray(X["sample"].to_numpy())
    return np.asarray(getattr(X, "index", np.arange(n_samples)))


class CalibrationPictures:
    """Mixin of `Calibration`."""

    if TYPE_CHECKING:
        n_components_: int
        units: str
        cross_validation_: Any
        pls_: PLS
        recipe_: Recipe

    def plot_rmsecv(self, *, ax: Any = None) -> Any:
        """Draw RMSECV over the number of components, with the chosen one marked.

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

        return plots.plot_rmsecv(self._validation(), chosen=self.n_components_, ax=ax)

    def plot_predicted(self, *, ax: Any = None) -> Any:
        """Draw cross-validated predictions over reference values.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture, with limits at two RMSECV.
        """
        validation = self._validation()
        return validation.plot_predicted(self.n_components_, units=self.units, ax=ax)

    def plot_errors(self, *, batch: ArrayLike | None = None, ax: Any = None) -> Any:
        """Draw cross-validated errors over the reference value, or batch by batch.

        Parameters
        ----------
        batch : array-like of shape (n_samples,), optional
            Batch of each calibration sample.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture, with lines at two RMSECV.
        """
        validation = self._validation()
        return validation.plot_errors(self.n_components_, batch=batch, units=self.units, ax=ax)

    def plot_scores(
        self,
        spectra: Any,
        *,
        components: tuple[int, int] = (1, 2),
        color_by: str | ArrayLike | None = None,
        ax: Any = None,
    ) -> Any:
        """Draw scores of spectra on two components of the PLS model.

        Parameters
        ----------
        spectra : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra as `fit` takes them; NaN raises.
        components, color_by
            As in `PLS.plot_scores`.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture, with the Hotelling ellipse for new samples.
        """
        require_fitted(self)
        points = self.recipe_.transform(spectra)
        return self.pls_.plot_scores(points, components=components, color_by=color_by, ax=ax)

    def plot_coefficients(self, *, ax: Any = None) -> Any:
        """Draw the regression coefficients of the preprocessed spectra.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        require_fitted(self)
        return self.pls_.plot_coefficients(ax=ax)

    def plot_vip(self, *, ax: Any = None) -> Any:
        """Draw the variable importance in projection, by weights.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture, with the mean level 1 marked.
        """
        from pharmaq.chemometrics import plots
        from pharmaq.chemometrics.interpretation import vip

        require_fitted(self)
        return plots.plot_vip(self, vip(self.pls_), ax=ax)

    def _validation(self) -> CrossValidation:
        require_fitted(self)
        if self.cross_validation_ is None:
            msg = "the calibration was read from a file, which does not hold its validation"
            raise InputError(msg)
        validation: CrossValidation = self.cross_validation_
        return validation
