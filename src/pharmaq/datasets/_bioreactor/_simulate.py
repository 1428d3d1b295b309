"""Simulated fed-batch cultures: growth, controllers, sensors, spectra, laboratory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from pharmaq._checks import check_integer
from pharmaq.datasets._bioreactor._culture import (
    ACTUATORS,
    START,
    STATES,
    culture_array,
    recipe_array,
)
from pharmaq.datasets._bioreactor._faults import (
    BioreactorFault,
    check_faults,
    disturbances,
    faults_frame,
    sensor_error,
)
from pharmaq.datasets._bioreactor._raman import (
    ANALYTES,
    RAMAN_SHIFT,
    noise_free_spectra,
    shot_noise,
)
from pharmaq.datasets._bioreactor._result import SimulatedBioreactor
from pharmaq.datasets._bioreactor._sensors import SENSORS, noise_free_readings, sensor_noise
from pharmaq.datasets._bioreactor._variation import (
    LEVELS,
    batch_levels,
    draw_levels,
    oxygen_wander,
)
from pharmaq.datasets._optics import check_spread
from pharmaq.errors import InputError
from pharmaq.spectra import as_spectra

if TYPE_CHECKING:
    from collections.abc import Iterable

    import xarray as xr
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["bioreactor"]

PHASES = ("batch", "fed_batch", "production", "harvest")

LONGEST = 60 * 60
"""Minutes after which a culture is given up."""

# one random stream an effect: changing one leaves the draws of all others alone
STREAMS = ("levels", "wander", "noise", "laboratory", "raman")

KNOWN_BEFORE = ("inoculum", "initial_glucose", "feed_glucose", "medium")
CONDITION_ERROR = 0.01
TITRE_ERROR, PURITY_ERROR = 0.02, 0.15
REFERENCE_ERROR = (0.05, 0.02)
"""Of the laboratory on samples of broth: constant in g/L, and relative."""
POWER_SPREAD = 0.01
FOREIGN_IN_PRODUCT = 0.02
"""Share of the foreign cells that ends up beside the product."""


class _Run(NamedTuple):
    """One culture: phases and noise-free columns at the recorded times, and how it ended."""

    name: str
    phase: NDArray[np.int64]
    truth: dict[str, Array]
    final: dict[str, float]


def bioreactor(
    *,
    n_batches: int = 30,
    faults: Iterable[BioreactorFault] = (),
    variation: float = 1.0,
    noise: float = 1.0,
    interval: int = 6,
    raman_interval: int | None = 60,
    random_state: int | np.random.Generator = 0,
) -> SimulatedBioreactor:
    """Simulate fed-batch cultures of recombinant bacteria, with faults if wished.

    A pilot vessel of 10 L is inoculated, grows on its first glucose, is fed exponentially, is
    induced and fed at a constant rate until the feed is used up, and is cooled for harvest.
    Controllers hold temperature, pH and dissolved oxygen. Batches differ in inoculum and raw
    materials and are of unequal length, about 28 to 31 h.

    Parameters
    ----------
    n_batches : int, default 30
        Number of batches, named ``"B001"``, ``"B002"`` and so on.
    faults : iterable of BioreactorFault, optional
        What goes wrong, in which batch and when. Until its fault starts a batch is the same,
        to the last bit, as without it.
    variation : float, default 1.0
        Factor on all differences between batches, 0 to below 5; 0 makes them alike.
    noise : float, default 1.0
        Factor on the noise of the sensors, of the spectra and of the laboratory, 0 to below
        100.
    interval : int, default 6
        Minutes between rows of the data, 1 to 60.
    raman_interval : int or None, default 60
        Minutes between Raman spectra, a multiple of `interval`; None for no spectra.
    random_state : int or numpy.random.Generator, default 0
        Seed; the same number gives the same bytes. More batches leave the first ones alone. A
        generator moves on with every call.

    Returns
    -------
    SimulatedBioreactor
        Data, conditions, quality, spectra, and the truth behind them.

    Raises
    ------
    InputError
        If a setting is out of its range, or a fault is of a batch that is not there.
    InputTypeError
        If a setting has the wrong type.

    Notes
    -----
    Kinetics and their constants are those of Anane et al. for *Escherichia coli* with
    acetate cycling [1]_, multiplied by the cardinal models of temperature and pH of Rosso
    et al. [2]_ [3]_, and by O / (O + 0.5 %) of dissolved oxygen. Uptake of oxygen and evolution
    of carbon dioxide are not separate fits but what the balances of carbon and of available
    electrons leave [4]_, so that both close. Product, in the cells, follows Luedeking and
    Piret [5]_; it turns into variants faster when warm. Constants of product, vessel,
    controllers, contaminant and sensors are plausible, not measured: use the data to learn and
    to test methods, never as reference.

    The equations are integrated in steps of 2 s by the classical Runge-Kutta method; the
    controllers act once a minute.

    References
    ----------
    .. [1] E. Anane, D. C. Lopez, P. Neubauer and M. N. Cruz Bournazou, "Modelling overflow
       metabolism in Escherichia coli by acetate cycling", Biochem. Eng. J. 125 (2017) 23-30.
    .. [2] L. Rosso, J. R. Lobry and J. P. Flandrois, "An unexpected correlation between
       cardinal temperatures of microbial growth highlighted by a new model", J. Theor. Biol.
       162 (1993) 447-463.
    .. [3] L. Rosso, J. R. Lobry, S. Bajard and J. P. Flandrois, "Convenient model to describe
       the combined effects of temperature and pH on microbial growth", Appl. Environ.
       Microbiol. 61 (1995) 610-616.
    .. [4] J. A. Roels, "Application of macroscopic principles to microbial metabolism",
       Biotechnol. Bioeng. 22 (1980) 2457-2514.
    .. [5] R. Luedeking and E. L. Piret, "A kinetic study of the lactic acid fermentation",
       J. Biochem. Microbiol. Technol. Eng. 1 (1959) 393-412.

    Examples
    --------
    >>> from pharmaq.datasets import BioreactorFault, bioreactor
    >>> clogged = BioreactorFault(batch="B002", kind="feed_failure", start=14.0, duration=2.0)
    >>> plant = bioreactor(n_batches=3, faults=[clogged], random_state=1)
    >>> sorted(plant.data["phase"].unique())
    ['batch', 'fed_batch', 'harvest', 'production']
    >>> plant.faults[["batch", "end", "causes"]].values.tolist()
    [['B002', 16.0, 'feed_rate, feed_total']]
    """
    check_integer("n_batches", n_batches, least=1)
    check_integer("interval", interval, least=1, most=60)
    every = _raman_rows(raman_interval, interval)
    check_spread("variation", variation, below=5.0)
    check_spread("noise", noise, below=100.0)
    width = max(3, len(str(n_batches)))
    names = [f"B{number:0{width}d}" for number in range(1, n_batches + 1)]
    listed = check_faults(faults, names)
    streams = _streams(random_state)
    levels = draw_levels(n_batches, variation, streams["levels"])
    runs = _grow(names, levels, listed, interval, variation, streams["wander"])
    seeded = not isinstance(random_state, np.random.Generator)
    parameters = {
        "n_batches": n_batches,
        "variation": variation,
        "noise": noise,
        "interval": interval,
        "raman_interval": raman_interval,
        "random_state": random_state if seeded else "Generator",
    }
    truth = _levels_frame(runs, levels)
    ends = {run.name: run.final["duration"] for run in runs}
    return SimulatedBioreactor(
        data=_read_sensors(runs, listed, noise, streams["noise"]),
        units={name: sensor.units for name, sensor in SENSORS.items()},
        conditions=_conditions(truth, noise, streams["laboratory"]),
        quality=_laboratory(truth, noise, streams["laboratory"]),
        spectra=_take_spectra(runs, every, noise, streams["raman"]) if every else None,
        states=_states_frame(runs),
        faults=faults_frame(listed, ends),
        levels=truth,
        parameters=parameters,
    )


def _raman_rows(raman_interval: int | None, interval: int) -> int:
    """Return how many rows of data lie between two spectra; 0 for none."""
    if raman_interval is None:
        return 0
    check_integer("raman_interval", raman_interval, least=1)
    if raman_interval % interval:
        msg = (
            f"raman_interval must be a multiple of interval, {interval} min, so that every "
            f"spectrum has its row of data, got {raman_interval!r}"
        )
        raise InputError(msg)
    return raman_interval // interval


def _streams(random_state: int | np.random.Generator) -> dict[str, np.random.Generator]:
    if not isinstance(random_state, np.random.Generator):
        check_integer("random_state", random_state, least=0)
    children = np.random.default_rng(random_state).spawn(len(STREAMS))
    return dict(zip(STREAMS, children, strict=True))


def _grow(
    names: list[str],
    levels: Array,
    faults: tuple[BioreactorFault, ...],
    interval: int,
    variation: float,
    stream: np.random.Generator,
) -> list[_Run]:
    """Run every culture to its end."""
    from pharmaq.datasets._bioreactor._kernels import run

    width = 2 + len(STATES) + len(ACTUATORS)
    record = np.empty((LONGEST // interval + 1, width))
    runs = []
    for name, row, wandering in zip(names, levels, stream.spawn(len(names)), strict=True):
        start, culture, recipe = batch_levels(row)
        state = np.array([(START | start).get(key, 0.0) for key in STATES])
        mine = [fault for fault in faults if fault.batch == name]
        outside = disturbances(mine, oxygen_wander(LONGEST, variation, wandering))
        constants = culture_array(**culture), recipe_array(**recipe)
        rows, duration = run(state, *constants, outside, interval, record)
        columns = record[:rows].T.copy()
        truth = dict(zip(("time", "phase", *STATES, *ACTUATORS), columns, strict=True))
        final = dict(zip(STATES, state.tolist(), strict=True)) | {"duration": duration}
        runs.append(_Run(name, truth.pop("phase").astype(np.int64), truth, final))
    return runs


def _read_sensors(
    runs: list[_Run],
    faults: tuple[BioreactorFault, ...],
    noise: float,
    stream: np.random.Generator,
) -> pd.DataFrame:
    """Return what the sensors say, right or wrong."""
    tables = []
    for culture, noisy in zip(runs, stream.spawn(len(runs)), strict=True):
        readings = noise_free_readings(culture.truth)
        mine = [fault for fault in faults if fault.batch == culture.name]
        time = culture.truth["time"]
        errors = np.stack([sensor_error(mine, name, time) for name in SENSORS], axis=1)
        tables.append(readings + errors + noise * sensor_noise(readings, noisy))
    values = pd.DataFrame(np.concatenate(tables), columns=list(SENSORS))
    return pd.concat([_labels(runs), values], axis="columns")


def _labels(runs: list[_Run]) -> pd.DataFrame:
    """Return batch, time and phase of every row."""
    return pd.DataFrame(
        {
            "batch": np.repeat([run.name for run in runs], [run.phase.size for run in runs]),
            "time": np.concatenate([run.truth["time"] for run in runs]),
            "phase": np.array(PHASES)[np.concatenate([run.phase for run in runs])],
        }
    )


def _states_frame(runs: list[_Run]) -> pd.DataFrame:
    names = (*STATES, *ACTUATORS)
    columns = {name: np.concatenate([run.truth[name] for run in runs]) for name in names}
    return pd.concat([_labels(runs), pd.DataFrame(columns)], axis="columns")


def _levels_frame(runs: list[_Run], levels: Array) -> pd.DataFrame:
    """Return by batch what it was made of, and the quality that came out of it."""
    batch = pd.Index([run.name for run in runs], name="batch")
    frame = pd.DataFrame(levels, index=batch, columns=list(LEVELS))
    final = pd.DataFrame([run.final for run in runs], index=batch)
    beside = final["variants"] + FOREIGN_IN_PRODUCT * final["contaminant"]
    made = final["product"] + beside
    frame["titre"] = final["product"]
    # a culture that was given up before induction has no product to be pure
    frame["purity"] = 100.0 * final["product"] / made.where(made > 0)
    frame["product_mass"] = final["product"] * final["volume"]
    frame["duration"] = final["duration"]
    return frame


def _conditions(truth: pd.DataFrame, noise: float, stream: np.random.Generator) -> pd.DataFrame:
    """Return what certificates and the first samples say."""
    known = truth[list(KNOWN_BEFORE)]
    return known * np.exp(noise * CONDITION_ERROR * stream.standard_normal(known.shape))


def _laboratory(truth: pd.DataFrame, noise: float, stream: np.random.Generator) -> pd.DataFrame:
    """Return what the laboratory finds in the harvest."""
    error = noise * stream.standard_normal((len(truth), 2))
    factor = np.exp(TITRE_ERROR * error[:, 0])
    return pd.DataFrame(
        {
            "titre": truth["titre"] * factor,
            "purity": truth["purity"] + PURITY_ERROR * error[:, 1],
            "product_mass": truth["product_mass"] * factor,
            "duration": truth["duration"],
        }
    )


def _take_spectra(
    runs: list[_Run], every: int, noise: float, stream: np.random.Generator
) -> xr.DataArray:
    """Return a spectrum of every so many rows, and the laboratory's values beside it."""
    tables, references, labels = [], [], []
    own = stream.spawn(len(runs))
    for (name, phase, truth, _), drawing in zip(runs, own, strict=True):
        exact = np.stack([truth[key][::every] for key in ANALYTES], axis=1)
        power = np.exp(noise * POWER_SPREAD * drawing.standard_normal())
        counts = noise_free_spectra(exact, np.full(len(exact), power))
        tables.append(counts + noise * shot_noise(counts, drawing))
        spread = np.hypot(REFERENCE_ERROR[0], REFERENCE_ERROR[1] * exact)
        references.append(exact + noise * spread * drawing.standard_normal(exact.shape))
        hours = truth["time"][::every]
        labels.append(pd.DataFrame({"batch": name, "time": hours, "phase": phase[::every]}))
    table = pd.concat(labels, ignore_index=True)
    columns = dict(zip(ANALYTES, np.concatenate(references).T, strict=True))
    spectra = as_spectra(
        np.concatenate(tables),
        axis=RAMAN_SHIFT,
        kind="raman_shift",
        quantity="counts",
        coords={
            "sample": [
                f"{b}-{t:05.2f}" for b, t in zip(table["batch"], table["time"], strict=True)
            ],
            "batch": table["batch"].to_numpy(dtype=str),
            "time": table["time"].to_numpy(),
            "phase": np.array(PHASES)[table["phase"]],
            **columns,
        },
    )
    spectra.coords["time"].attrs["units"] = "h"
    for name in ANALYTES:
        spectra.coords[name].attrs["units"] = "g/L"
    return spectra
