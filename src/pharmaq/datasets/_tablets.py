"""Simulated near-infrared spectra of tablets from several batches, and the truth."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from pharmaq._checks import check_integer, check_vector
from pharmaq.datasets._bands import COMPONENTS, absorptivity
from pharmaq.datasets._composition import compose
from pharmaq.datasets._optics import (
    Spectrometer,
    absorbance,
    check_spread,
    detector_noise,
    scatter_effects,
)
from pharmaq.errors import InputError, InputTypeError
from pharmaq.results import Result, json_safe
from pharmaq.spectra import as_spectra, axis_values

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["SimulatedTablets", "tablets"]

STRENGTHS = (17.0, 18.5, 20.0, 21.5, 23.0)

# one random stream an effect: changing one leaves the draws of all others alone
STREAMS = ("content", "excipients", "scatter", "shift", "reference", "noise")

CONTENT_UNIT = "%w/w"
# every other variable of the truth is a number without unit, absorbance too
UNITS = {"concentration": CONTENT_UNIT, "batch_water": CONTENT_UNIT, "wavelength_shift": "nm"}

# the tablet with most API must still hold more lactose than a foreign ingredient replaces
HIGHEST_STRENGTH = 60.0


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class SimulatedTablets(Result):
    """Spectra of simulated tablets, the laboratory's values, and the truth behind both.

    Parameters
    ----------
    spectra : DataArray, dims (sample, wavelength)
        Measured absorbance; sample coordinates ``sample`` (``"B01-T03"``), ``batch``
        (``"B01"``), ``strength`` (nominal API content, % w/w) and ``api`` (reference value of
        the laboratory, % w/w).
    truth : xarray.Dataset
        What no laboratory knows, each variable with ``attrs["units"]``: ``concentration``
        (sample, component), ``path_factor``, ``offset``, ``slope``, ``wavelength_shift`` and
        ``foreign`` for each sample, the levels ``batch_*`` of its batch, ``noise_free``
        spectra (sample, wavelength), with scatter and wavelength error, and ``absorptivity``
        (component, wavelength), the spectra of the pure components without either.
    parameters : dict
        The settings of the simulation, flat.
    """

    spectra: xr.DataArray
    truth: xr.Dataset
    parameters: dict[str, Any]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a tablet, as it would stand in a CSV file.

        Returns
        -------
        pandas.DataFrame
            Columns ``sample, batch, strength, api``, then one a wavelength, headed by it.
        """
        names = ["sample", "batch", "strength", "api"]
        labels = pd.DataFrame({name: self.spectra[name].to_numpy() for name in names})
        wavelength = self.spectra["wavelength"].to_numpy()
        values = pd.DataFrame(self.spectra.to_numpy(), columns=wavelength)
        return pd.concat([labels, values], axis="columns")

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain Python that `json` can write.

        Returns
        -------
        dict
            ``spectra`` and ``truth`` in the form that ``xarray.DataArray.from_dict`` and
            ``xarray.Dataset.from_dict`` read, and ``parameters``.
        """
        return json_safe(
            {
                "spectra": self.spectra.to_dict(),
                "truth": self.truth.to_dict(),
                "parameters": self.parameters,
            }
        )

    def __repr__(self) -> str:
        n_samples, n_points = self.spectra.shape
        settings = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"SimulatedTablets({n_samples} spectra of {n_points} points, {settings})"

    def _repr_html_(self) -> str:
        table = self.to_frame().to_html(max_rows=12, max_cols=12)
        return f"<p><b>SimulatedTablets</b></p>{table}"


def tablets(
    *,
    n_batches: int = 12,
    tablets_per_batch: int = 10,
    strengths: ArrayLike = STRENGTHS,
    scatter: float = 0.08,
    sel: float = 0.25,
    n_foreign: int = 0,
    spectrometer: Spectrometer | None = None,
    random_state: int | np.random.Generator = 0,
) -> SimulatedTablets:
    """Simulate near-infrared spectra of tablets and the laboratory's values of their content.

    Tablets of an aromatic amide in lactose and microcrystalline cellulose, with magnesium
    stearate and water, are pressed in batches and measured once each. Bands, spreads and
    levels are plausible, not measured: use them to learn and to test methods, never as
    reference spectra.

    Parameters
    ----------
    n_batches, tablets_per_batch : int, default 12 and 10
        Size of the data set.
    strengths : array-like, shape (n_strengths,), default (17, 18.5, 20, 21.5, 23)
        Nominal API contents in % w/w, between 0 and 60; batches cycle through them. The
        default spans 85 % to 115 % of a label claim of 20 % w/w.
    scatter : float, default 0.08
        Strength of the light scatter, 0 for none: standard deviation of the logarithm of the
        path length, and the scale of offset and slope; see Notes.
    sel : float, default 0.25
        Standard error of the reference laboratory in % w/w.
    n_foreign : int, default 0
        Number of tablets, spread over the last batch, in which talc takes the place of
        lactose, 8 % w/w of the tablet: spectral outliers. At most `tablets_per_batch`.
    spectrometer : Spectrometer, optional
        Axis, noise and wavelength error of the instrument. The same `random_state` with
        another instrument measures the same tablets again.
    random_state : int or numpy.random.Generator, default 0
        Seed; the same number gives the same bytes. A generator moves on with every call.

    Returns
    -------
    SimulatedTablets
        Spectra with reference values, the truth, and the settings.

    Raises
    ------
    InputError
        If a setting is out of its range; the message names it.
    InputTypeError
        If a setting is no number, or `spectrometer` no Spectrometer.

    Notes
    -----
    Composition. API content = strength x batch factor x tablet factor (relative SD 1 % and
    2 %); water 3 % w/w (15 % relative between batches, 3 % within); magnesium stearate 1 %
    w/w (5 %, 5 %); lactose and cellulose share what is left, about 65 : 35. Every composition
    closes to 100 % w/w.

    Spectra. By the Beer-Lambert law, with additive scatter [2]_ and detector noise::

        A(x) = p * sum_k c_k / 100 * eps_k(x - d) + a + b * ((x - d) / 1100 nm)^-2
        measured(x) = A(x) + noise * 10^A(x) * z

    where c_k is in % w/w, eps_k is the absorptivity of component k, a sum of pseudo-Voigt bands
    whose assignments follow the usual tables [1]_, and z is standard normal. The noise is that
    of an intensity 10^-A with a constant error, to first order.

    * p, the path factor of hardness and thickness: log-normal, SD of the logarithm `scatter`,
      half of the variance between batches.
    * a, the offset: normal, SD `scatter` / 4, half of the variance between batches.
    * b, the slope of particle size: log-normal about 2 x `scatter`, SD of the logarithm 0.2
      between and 0.1 within batches.
    * d, the error of the wavelength scale, one a batch: a positive d moves every band to a
      longer reported wavelength. Bands are evaluated at x - d; nothing is interpolated.

    The reference value is the true API content plus a normal error of SD `sel`. With all
    defaults, PLS of 3 or 4 components after SNV and a first derivative predicts new batches
    to about 0.34 % w/w (RMSEP); raw spectra need 6 components.

    References
    ----------
    .. [1] D. A. Burns and E. W. Ciurczak (eds), Handbook of Near-Infrared Analysis, CRC Press.
    .. [2] T. Naes, T. Isaksson, T. Fearn and T. Davies, A User-Friendly Guide to Multivariate
       Calibration and Classification, NIR Publications.

    Examples
    --------
    >>> data = tablets(n_batches=2, tablets_per_batch=3, random_state=1)
    >>> data.spectra.sizes["sample"], data.spectra.sizes["wavelength"]
    (6, 276)
    >>> data.truth["concentration"].sum("component").values.round(6)
    array([100., 100., 100., 100., 100., 100.])
    """
    nominal = _nominal(strengths, n_batches, tablets_per_batch)
    foreign = _foreign(nominal.shape, n_foreign)
    check_spread("scatter", scatter, below=1.0)
    check_spread("sel", sel)
    instrument = _instrument(spectrometer)
    streams = _streams(random_state)
    spectra, truth = _simulate(nominal, foreign, scatter, sel, instrument, streams)
    seeded = not isinstance(random_state, np.random.Generator)
    parameters = {
        "n_batches": n_batches,
        "tablets_per_batch": tablets_per_batch,
        "strengths": np.asarray(strengths, dtype=np.float64).tolist(),
        "scatter": scatter,
        "sel": sel,
        "n_foreign": n_foreign,
        "noise": instrument.noise,
        "wavelength_shift": instrument.wavelength_shift,
        "random_state": random_state if seeded else "Generator",
    }
    return SimulatedTablets(spectra=spectra, truth=truth, parameters=parameters)


def _nominal(strengths: ArrayLike, n_batches: int, tablets_per_batch: int) -> Array:
    """Return the nominal content of each tablet, shape (n_batches, tablets_per_batch)."""
    check_integer("n_batches", n_batches, least=1)
    check_integer("tablets_per_batch", tablets_per_batch, least=1)
    levels = check_vector("strengths", strengths)
    if levels.min() <= 0 or levels.max() >= HIGHEST_STRENGTH:
        msg = (
            f"strengths must lie in (0, {HIGHEST_STRENGTH:g}) % w/w, which leaves room for the "
            f"excipients, got {levels.min():g} to {levels.max():g}"
        )
        raise InputError(msg)
    return np.tile(np.resize(levels, (n_batches, 1)), tablets_per_batch)


def _foreign(shape: tuple[int, int], n_foreign: int) -> NDArray[np.bool_]:
    """Return which tablets hold a foreign ingredient: evenly spread over the last batch."""
    check_integer("n_foreign", n_foreign, least=0, most=shape[1])
    flags = np.zeros(shape, dtype=bool)
    flags[-1, np.arange(n_foreign) * shape[1] // max(n_foreign, 1)] = True
    return flags


def _instrument(spectrometer: Spectrometer | None) -> Spectrometer:
    if spectrometer is None:
        return Spectrometer()
    if not isinstance(spectrometer, Spectrometer):
        msg = f"spectrometer must be a pharmaq.datasets.Spectrometer, got {spectrometer!r}"
        raise InputTypeError(msg)
    return spectrometer


def _streams(random_state: int | np.random.Generator) -> dict[str, np.random.Generator]:
    if not isinstance(random_state, np.random.Generator):
        check_integer("random_state", random_state, least=0)
    children = np.random.default_rng(random_state).spawn(len(STREAMS))
    return dict(zip(STREAMS, children, strict=True))


def _simulate(
    nominal: Array,
    foreign: NDArray[np.bool_],
    scatter: float,
    sel: float,
    instrument: Spectrometer,
    streams: dict[str, np.random.Generator],
) -> tuple[xr.DataArray, xr.Dataset]:
    """Press the tablets, measure them and send them to the laboratory."""
    axis = np.asarray(instrument.wavelength, dtype=np.float64)
    concentration, levels = compose(nominal, foreign, streams["content"], streams["excipients"])
    optics, optical_levels = scatter_effects(nominal.shape, scatter, streams["scatter"])
    shift = instrument.wavelength_shift * streams["shift"].standard_normal((len(nominal), 1))
    noise_free = absorbance(axis - shift, concentration, optics)
    measured = noise_free + detector_noise(instrument.noise, noise_free, streams["noise"])
    content = concentration[..., COMPONENTS.index("api")]
    reference = content + sel * streams["reference"].standard_normal(nominal.shape)

    spectra = _labelled(measured, axis, nominal, reference)
    effects = {"foreign": foreign, "wavelength_shift": shift, **optics, **levels}
    return spectra, _truth(spectra, concentration, noise_free, effects | optical_levels)


def _labelled(values: Array, axis: Array, nominal: Array, reference: Array) -> xr.DataArray:
    n_batches, n_tablets = nominal.shape
    batches = _numbered("B", n_batches)
    places = _numbered("T", n_tablets)
    spectra = as_spectra(
        values.reshape(-1, axis.size),
        axis=axis,
        kind="wavelength",
        quantity="absorbance",
        coords={
            "sample": [f"{batch}-{place}" for batch in batches for place in places],
            "batch": np.repeat(batches, n_tablets),
            "strength": nominal.ravel(),
            "api": reference.ravel(),
        },
    )
    for name in ("strength", "api"):
        spectra.coords[name].attrs["units"] = CONTENT_UNIT
    return spectra


def _numbered(letter: str, count: int) -> list[str]:
    """Return labels such as B01, padded so that they sort."""
    width = max(2, len(str(count)))
    return [f"{letter}{number:0{width}d}" for number in range(1, count + 1)]


def _truth(
    spectra: xr.DataArray,
    concentration: Array,
    noise_free: Array,
    effects: dict[str, NDArray[Any]],
) -> xr.Dataset:
    """Return all that is known of the tablets, labelled as their spectra are."""
    shape = concentration.shape[:2]
    variables: dict[str, Any] = {
        "concentration": (("sample", "component"), concentration.reshape(len(spectra), -1)),
        **{
            name: ("sample", np.broadcast_to(effect, shape).ravel())
            for name, effect in effects.items()
        },
        "noise_free": spectra.drop_vars("api").copy(data=noise_free.reshape(spectra.shape)),
        "absorptivity": (("component", "wavelength"), absorptivity(axis_values(spectra))),
    }
    truth = xr.Dataset(variables, coords={"component": list(COMPONENTS)})
    for name in variables:
        truth[name].attrs["units"] = UNITS.get(name, "1")
    return truth
