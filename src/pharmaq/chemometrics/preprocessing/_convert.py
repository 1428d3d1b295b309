"""Conversion between absorbance, transmittance, reflectance and Kubelka-Munk units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import xarray as xr
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from pharmaq._checks import check_choice
from pharmaq.chemometrics._base import fit_matrix, like_points, new_matrix
from pharmaq.errors import InputError
from pharmaq.spectra import AXIS_UNITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Intensity = Literal["absorbance", "transmittance", "reflectance", "kubelka_munk"]

# no fraction of light is that large, but nearly every spectrum in percent is
_LARGEST_FRACTION = 1.5


class Convert(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Express spectra in another quantity.

    Parameters
    ----------
    source : {"absorbance", "transmittance", "reflectance", "kubelka_munk"}
        What the values are, default "absorbance". It is never guessed; where a DataArray says
        what it holds, both must agree.
    to : {"absorbance", "transmittance", "reflectance", "kubelka_munk"}
        What they become, default "transmittance". Absorbance converts to and from
        transmittance and reflectance, reflectance also to and from Kubelka-Munk.

    Attributes
    ----------
    axis_, axis_kind_, n_features_in_
        As in `SNV`.

    Notes
    -----
    A = -log10(T) and A = -log10(R), with T and R as fractions, not percent. Kubelka-Munk [1]_:
    F = (1 - R)^2 / (2 R), for the reflectance R of a layer too thick to see through; back by
    the solution between 0 and 1, R = 1 / (1 + F + sqrt(F (F + 2))). A reflectance above 1 has
    no value of F of its own and is refused there. Nothing is clipped: a fraction that is zero
    or negative, or so large that it must be percent, raises.

    A DataArray leaves with the new quantity in its attributes; "unknown" after
    ``to="kubelka_munk"``, which is not among the quantities of `pharmaq.spectra`.

    References
    ----------
    .. [1] P. Kubelka, F. Munk, Z. Tech. Phys. 12 (1931) 593-601.

    Examples
    --------
    >>> Convert(source="transmittance", to="absorbance").fit_transform([[1.0, 0.1, 0.001]])
    array([[0., 1., 3.]])
    """

    learns_from_samples: ClassVar[bool] = False

    def __init__(
        self, *, source: Intensity = "absorbance", to: Intensity = "transmittance"
    ) -> None:
        self.source = source
        self.to = to

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Remember the axis of the spectra.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra in the quantity `source`.
        y : object
            Not used.

        Returns
        -------
        Convert
            The fitted transformer.

        Raises
        ------
        InputError
            If there is no conversion from `source` to `to`, or `X` says that it is something
            else than `source`.
        """
        check_choice("source", self.source, dict.fromkeys(pair[0] for pair in _FORMULAS))
        if (self.source, self.to) not in _FORMULAS:
            targets = [to for source, to in _FORMULAS if source == self.source]
            check_choice(f"to, for source {self.source!r},", self.to, targets)
        _check_label(X, self.source)
        fit_matrix(self, X)
        return self

    def transform(self, X: Any) -> Any:
        """Return the converted spectra, in the container of `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis, in the quantity `source`; NaN raises.

        Returns
        -------
        array, DataFrame or DataArray
            Same shape and labels as `X`; dimensionless, with the new quantity.

        Raises
        ------
        InputError
            If a value cannot be converted: the message names the spectrum and the point.
        """
        values = new_matrix(self, X)
        _check_label(X, self.source)
        self._check_range(values)
        with np.errstate(over="ignore"):
            converted = _FORMULAS[self.source, self.to](values)
        self._refuse(values, ~np.isfinite(converted), f"is too large a number as {self.to}")
        out = like_points(X, converted)
        if isinstance(X, xr.DataArray):
            quantity = "unknown" if self.to == "kubelka_munk" else self.to
            out = out.assign_attrs(quantity=quantity, units="1")
        return out

    def _check_range(self, values: NDArray[np.float64]) -> None:
        if self.source == "absorbance":
            return
        if self.source == "kubelka_munk":
            self._refuse(values, values < 0, "must not be negative; correct the spectra")
            return
        percent = f"is above {_LARGEST_FRACTION}: divide the spectra by 100 if they are percent"
        self._refuse(values, values > _LARGEST_FRACTION, percent)
        dark = "must be above 0 to be converted; cut such points off or correct the dark signal"
        self._refuse(values, values <= 0, dark)
        if self.to == "kubelka_munk":
            white = "must not exceed 1 for Kubelka-Munk; correct the white reference"
            self._refuse(values, values > 1, white)

    def _refuse(
        self, values: NDArray[np.float64], bad: NDArray[np.bool_], problem: str
    ) -> None:
        """Raise if any value is bad, and say where the first one is."""
        if not bad.any():
            return
        i, j = (int(index) for index in np.argwhere(bad)[0])
        place = f"point {j}"
        if self.axis_ is not None:
            place += f" ({self.axis_[j]:.8g} {AXIS_UNITS[self.axis_kind_]})"
        msg = (
            f"the {self.source} {values[i, j]:.6g} of spectrum {i} at {place} {problem} "
            f"({np.count_nonzero(bad)} of {bad.size} values)"
        )
        raise InputError(msg)


def _check_label(X: Any, source: str) -> None:
    """Raise if the spectra say that they are something else than `source`."""
    if not isinstance(X, xr.DataArray):
        return
    label = X.attrs.get("quantity", "unknown")
    if label not in {"unknown", source}:
        msg = f"X holds {label}, but source is {source!r}; correct source or the label of X"
        raise InputError(msg)
    if X.attrs.get("units") in {"%", "percent"}:
        msg = "X is in percent; divide it by 100 and set its units to '1'"
        raise InputError(msg)


def _decimal_power(absorbance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.power(10.0, -absorbance)


def _absorbance(fraction: NDArray[np.float64]) -> NDArray[np.float64]:
    # 0 - 0 is 0, where -0 would be printed with its sign
    return 0.0 - np.log10(fraction)


def _kubelka_munk(reflectance: NDArray[np.float64]) -> NDArray[np.float64]:
    return (1 - reflectance) ** 2 / (2 * reflectance)


def _reflectance(remission: NDArray[np.float64]) -> NDArray[np.float64]:
    # the textbook root 1 + F - sqrt(F^2 + 2F) loses all digits where F is large
    return 1 / (1 + remission + np.sqrt(remission) * np.sqrt(remission + 2))


_FORMULAS: dict[tuple[str, str], Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    ("absorbance", "transmittance"): _decimal_power,
    ("absorbance", "reflectance"): _decimal_power,
    ("transmittance", "absorbance"): _absorbance,
    ("reflectance", "absorbance"): _absorbance,
    ("reflectance", "kubelka_munk"): _kubelka_munk,
    ("kubelka_munk", "reflectance"): _reflectance,
}
