"""What can go wrong in a simulated batch: kinds, sizes, and their way into the culture."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice, check_real
from pharmaq.datasets._bioreactor._sensors import SENSORS
from pharmaq.errors import InputError, InputTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["BioreactorFault", "FaultKind", "check_faults", "disturbances", "faults_frame"]

FaultKind = Literal[
    "sensor_drift",
    "sensor_bias",
    "feed_failure",
    "aeration_failure",
    "contamination",
    "temperature_excursion",
]


class _Kind(NamedTuple):
    """Default size, its unit, what it may be, and the variables in which the cause shows."""

    size: float
    units: str
    highest: float
    causes: tuple[str, ...]


KINDS: dict[str, _Kind] = {
    "sensor_drift": _Kind(math.nan, "/h", math.inf, ()),
    "sensor_bias": _Kind(math.nan, "", math.inf, ()),
    "feed_failure": _Kind(1.0, "1", 1.0, ("feed_rate", "feed_total")),
    "aeration_failure": _Kind(0.5, "1", 0.95, ("aeration",)),
    "contamination": _Kind(0.05, "g/L", 5.0, ("biomass", "base_total", "co2_offgas")),
    "temperature_excursion": _Kind(3.0, "K", 15.0, ("temperature", "jacket_temperature")),
}
"""The size of a sensor's error has no default, for it is in the unit of the sensor."""

FOLLOWED_BY = {"temperature": "jacket_temperature", "ph": "base_total", "do": "stirrer"}
"""A controller holds its sensor on target: when it errs, the actuator shows it."""

TINIEST = 1e-12


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BioreactorFault:
    """One thing that goes wrong in one batch of `pharmaq.datasets.bioreactor`.

    Parameters
    ----------
    batch : str
        Name of the batch, such as ``"B003"``.
    kind : str
        ``"sensor_drift"`` and ``"sensor_bias"``: the sensor `variable` reads wrong, and its
        controller, if it has one, believes it. ``"feed_failure"``: the pump delivers less.
        ``"aeration_failure"``: less air. ``"contamination"``: a foreign organism gets in.
        ``"temperature_excursion"``: temperature is held at a wrong value.
    start : float
        Hours after inoculation.
    size : float, optional
        Unit of the sensor an hour for a drift; unit of the sensor for a bias; the share that
        is lost, from above 0 to 1, for feed (default 1) and, to 0.95, for aeration (default
        0.5); g/L of foreign cells for a contamination (default 0.05); K for a temperature
        excursion, from -15 to 15 (default 3). Drift and bias have no default.
    duration : float, optional
        Hours until it is put right; the default is never. A drift that ends leaves no error.
        A contamination is one moment and has no duration.
    variable : str, optional
        The sensor of a drift or bias; any measured variable.

    Raises
    ------
    InputError
        If a value breaks one of these rules; the message names it.
    InputTypeError
        If a number is none.

    Examples
    --------
    >>> BioreactorFault(batch="B002", kind="feed_failure", start=14.0, duration=1.0).size
    1.0
    """

    batch: str
    kind: FaultKind
    start: float
    size: float | None = None
    duration: float | None = None
    variable: str | None = None

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, get_args(FaultKind))
        check_real("start", self.start, above=-TINIEST)
        if self.duration is not None:
            check_real("duration", self.duration, above=0.0)
        self._check_variable()
        self._check_size()
        if self.kind == "contamination" and self.duration is not None:
            msg = "a contamination is one moment; leave duration out"
            raise InputError(msg)

    @property
    def causes(self) -> tuple[str, ...]:
        """The measured variables in which the cause itself shows, not only its effects."""
        if self.variable is None:
            return KINDS[self.kind].causes
        follower = FOLLOWED_BY.get(self.variable)
        return (self.variable,) if follower is None else (self.variable, follower)

    @property
    def units(self) -> str:
        """The unit of `size`."""
        unit = KINDS[self.kind].units
        return unit if self.variable is None else f"{SENSORS[self.variable].units}{unit}"

    @property
    def end(self) -> float:
        """Hours after inoculation when it is over; infinity for never."""
        return math.inf if self.duration is None else self.start + self.duration

    def _check_variable(self) -> None:
        of_a_sensor = self.kind in ("sensor_drift", "sensor_bias")
        if of_a_sensor:
            check_choice("variable", self.variable, SENSORS)
        elif self.variable is not None:
            msg = (
                f"variable names the sensor of a drift or bias; leave it out of {self.kind!r}, "
                f"got {self.variable!r}"
            )
            raise InputError(msg)

    def _check_size(self) -> None:
        default, _, highest, _ = KINDS[self.kind]
        if self.size is None and math.isnan(default):
            msg = f"size of a {self.kind} is missing; give it in units of {self.variable!r}"
            raise InputError(msg)
        size = default if self.size is None else check_real("size", self.size)
        signed = math.isinf(highest) or self.kind == "temperature_excursion"
        lowest = -highest if signed else TINIEST
        if not lowest <= size <= highest or size == 0:
            rule = f"from {-highest:g} to" if signed else "above 0, at most"
            rule = "not zero" if math.isinf(highest) else f"{rule} {highest:g}"
            msg = f"size of a {self.kind} must be {rule}, got {size!r}"
            raise InputError(msg)
        object.__setattr__(self, "size", size)


def check_faults(
    faults: Iterable[BioreactorFault], batches: Sequence[str]
) -> tuple[BioreactorFault, ...]:
    """Return the faults as a tuple; each must be one, of a batch that there is."""
    listed = tuple(faults)
    for fault in listed:
        if not isinstance(fault, BioreactorFault):
            msg = f"faults must hold pharmaq.datasets.BioreactorFault only, got {fault!r}"
            raise InputTypeError(msg)
        if fault.batch not in batches:
            msg = (
                f"faults name batch {fault.batch!r}, but the batches are {batches[0]} to "
                f"{batches[-1]}"
            )
            raise InputError(msg)
    return listed


def disturbances(faults: Iterable[BioreactorFault], wander: Array) -> Array:
    """Return what acts on one batch, minute by minute.

    Parameters
    ----------
    faults : iterable of BioreactorFault
        Of this batch.
    wander : ndarray, shape (n_minutes,)
        The factor of oxygen transfer that no one controls.

    Returns
    -------
    ndarray, shape (n_minutes, 8)
        Errors of the sensors of temperature, pH and dissolved oxygen; factors of feed and
        air; error of the temperature target; foreign cells in g/L; `wander`.
    """
    outside = np.zeros((wander.size, 8))
    outside[:, 3:5] = 1.0
    outside[:, 7] = wander
    time = np.arange(wander.size) / 60.0
    for column, sensor in enumerate(("temperature", "ph", "do")):
        outside[:, column] = sensor_error(faults, sensor, time)
    for fault in faults:
        active = active_at(fault, time)
        size = float(fault.size or 0.0)
        if fault.kind == "feed_failure":
            outside[active, 3] *= 1.0 - size
        elif fault.kind == "aeration_failure":
            outside[active, 4] *= 1.0 - size
        elif fault.kind == "temperature_excursion":
            outside[active, 5] += size
        elif fault.kind == "contamination":
            outside[np.flatnonzero(active)[:1], 6] += size
    return outside


def sensor_error(faults: Iterable[BioreactorFault], sensor: str, time: Array) -> Array:
    """Return by how much `sensor` reads wrong at each time."""
    error = np.zeros(time.size)
    for fault in faults:
        if fault.variable == sensor:
            grown = time - fault.start if fault.kind == "sensor_drift" else 1.0
            error += np.where(active_at(fault, time), float(fault.size or 0.0) * grown, 0.0)
    return error


def active_at(fault: BioreactorFault, time: Array) -> NDArray[np.bool_]:
    """Return at which times a fault acts; minutes are counted, so a millionth is none."""
    return (time >= fault.start - 1e-6) & (time < fault.end - 1e-6)


def faults_frame(faults: Iterable[BioreactorFault], ends: dict[str, float]) -> pd.DataFrame:
    """Return one row a fault; `happened` is false where the batch had ended before."""
    rows = [
        {
            "batch": fault.batch,
            "kind": fault.kind,
            "variable": fault.variable,
            "start": float(fault.start),
            "end": min(fault.end, ends[fault.batch]),
            "size": fault.size,
            "units": fault.units,
            "causes": ", ".join(fault.causes),
            "happened": fault.start <= ends[fault.batch],
        }
        for fault in faults
    ]
    columns = ["batch", "kind", "variable", "start", "end", "size", "units", "causes"]
    return pd.DataFrame(rows, columns=[*columns, "happened"])
