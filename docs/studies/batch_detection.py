"""Tables of the page on detection of faults in batches, by simulation.

Run it as ``python docs/studies/batch_detection.py``; it takes about a minute.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np
import xarray as xr

from pharmaq.batches import as_batches
from pharmaq.datasets import BioreactorFault, SimulatedBioreactor, bioreactor
from pharmaq.mspc import BatchAligner, BatchMonitor, BatchScores

N_REFERENCE, N_BATCHES, N_COMPONENTS = 60, 100, 4
# hours after inoculation, drawn for each batch: from the fed-batch phase to mid-production
FIRST, LAST = 11.0, 24.0
# so many times in a row above the 99 % limit are an alarm, as in BatchSession's findings
RUN = 3

FAULTS = {
    "pH sensor drifts, 0.05 1/h": {"kind": "sensor_drift", "variable": "ph", "size": 0.05},
    "temperature sensor drifts, 0.1 K/h": {
        "kind": "sensor_drift",
        "variable": "temperature",
        "size": 0.1,
    },
    "oxygen sensor reads 10 % high": {"kind": "sensor_bias", "variable": "do", "size": 10.0},
    "biomass sensor drifts, 0.5 g/(L h)": {
        "kind": "sensor_drift",
        "variable": "biomass",
        "size": 0.5,
    },
    "feed stops for an hour": {"kind": "feed_failure", "size": 1.0, "duration": 1.0},
    "feed 10 % low": {"kind": "feed_failure", "size": 0.1},
    "air 20 % low": {"kind": "aeration_failure", "size": 0.2},
    "contamination, 0.05 g/L": {"kind": "contamination", "size": 0.05},
    "temperature 1 K high": {"kind": "temperature_excursion", "size": 1.0},
}


class Alarms(NamedTuple):
    """Position of the first alarm of each batch, -1 for none, and which statistic raised it."""

    position: np.ndarray
    by_spe: np.ndarray


def on_clock(aligner: BatchAligner, plant: SimulatedBioreactor) -> xr.Dataset:
    """Align by the time since the phase began, which is known while a batch runs."""
    return aligner.transform(as_batches(plant.data, units=plant.units, time_units="h"))


def runs(result: BatchScores, statistic: str) -> np.ndarray:
    """Return where the third time in a row above the widest limit is, within one phase."""
    above = getattr(result, statistic) > getattr(result, f"{statistic}_limit")[-1]
    found = np.zeros_like(above)
    for span in result.phase_spans().values():
        part = above[:, span]
        whole = np.ones_like(part[:, RUN - 1 :])
        for lag in range(RUN):
            whole &= part[:, lag : part.shape[1] - RUN + 1 + lag]
        found[:, span][:, RUN - 1 :] = whole
    return found


def first_alarm(result: BatchScores, hours: np.ndarray, start: np.ndarray) -> Alarms:
    """Return the first alarm of T2 or SPE that began when the fault was there."""
    spe, t2 = runs(result, "spe"), runs(result, "t2")
    began = np.full(hours.shape, np.nan)
    began[:, RUN - 1 :] = hours[:, : -(RUN - 1)]
    alarm = (spe | t2) & (began >= start[:, None])
    position = np.where(alarm.any(axis=1), alarm.argmax(axis=1), -1)
    return Alarms(position, spe[np.arange(len(position)), position])


def rank(shares: np.ndarray, variables: list[str], causes: str) -> int:
    """Return the place of the first true cause among the variables."""
    order = np.argsort(-np.abs(shares))
    return 1 + min(
        int(np.flatnonzero(order == variables.index(name))[0]) for name in causes.split(", ")
    )


def live_ranks(
    monitor: BatchMonitor, batches: xr.Dataset, alarms: Alarms, causes: str
) -> list[int]:
    """Rank causes at the moment of the alarm, with nothing known of what came later."""
    later = np.arange(batches.sizes["time"]) > alarms.position[:, None]
    known = batches.where(xr.DataArray(~later, dims=("batch", "time")))
    for name in batches.data_vars:
        known[name].attrs = batches[name].attrs
    result = monitor.score(known)
    spans = result.phase_spans()
    found = []
    for i in np.flatnonzero(alarms.position >= 0):
        now = int(alarms.position[i])
        began = spans[str(result.phase[now])].start
        if alarms.by_spe[i]:
            shares = np.abs(result.spe_contributions[i, now - RUN + 1 : now + 1])
        else:
            shares = result.t2_contributions[i, began : now + 1]
        found.append(rank(np.nansum(shares, axis=0), list(result.variables), causes))
    return found


def ends_above(result: BatchScores, statistic: str) -> np.ndarray:
    """Return for each batch and phase whether the statistic ends above its limit."""
    values, limit = getattr(result, statistic), getattr(result, f"{statistic}_limit")[-1]
    columns = []
    for span in result.phase_spans().values():
        known = ~np.isnan(values[:, span])
        last = known.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
        rows = np.arange(len(last))
        columns.append(values[:, span][rows, last] > limit[span][last])
    return np.stack(columns, axis=1)


def offline_ranks(result: BatchScores, causes: str) -> list[int]:
    """Rank causes of each batch that ends a phase above its limit of cumulative SPE."""
    above, found = ends_above(result, "spe_cumulative"), []
    for i in np.flatnonzero(above.any(axis=1)):
        spans = [
            s for s, bad in zip(result.phase_spans().values(), above[i], strict=True) if bad
        ]
        table = np.abs(result.spe_contributions[i])
        shares = sum(np.nansum(table[span], axis=0) for span in spans)
        found.append(rank(shares, list(result.variables), causes))
    return found


def simulate(number: int, setting: dict[str, object]) -> SimulatedBioreactor:
    names = [f"B{i:03d}" for i in range(1, N_BATCHES + 1)]
    rng = np.random.default_rng(1000 + number)
    starts = rng.uniform(FIRST, LAST, size=N_BATCHES)
    faults = [
        BioreactorFault(batch=name, start=float(start), **setting)
        for name, start in zip(names, starts, strict=True)
    ]
    return bioreactor(
        n_batches=N_BATCHES, faults=faults, raman_interval=None, random_state=10 + number
    )


def row(name: str, monitor: BatchMonitor, aligner: BatchAligner, number: int) -> str:
    """Return one line of the table of faults."""
    plant = simulate(number, FAULTS[name])
    batches = on_clock(aligner, plant)
    result = monitor.score(batches)
    start = plant.faults["start"].to_numpy()
    causes = plant.faults["causes"].iloc[0]
    hours = batches["warping"].to_numpy()
    alarms = first_alarm(result, hours, start)
    caught = np.flatnonzero(alarms.position >= 0)
    delay = hours[caught, alarms.position[caught]] - start[caught]
    live = live_ranks(monitor, batches, alarms, causes)
    end = ends_above(result, "spe_cumulative").any(axis=1) | ends_above(result, "t2").any(
        axis=1
    )
    cells = [
        name,
        causes.replace(", ", " or "),
        f"{100 * len(caught) / N_BATCHES:.0f}",
        spread(delay),
        firsts(live),
        f"{100 * end.mean():.0f}",
        firsts(offline_ranks(result, causes)),
    ]
    return "| " + " | ".join(cells) + " |"


def spread(delay: np.ndarray) -> str:
    """Return median and 90th percentile in hours."""
    if not delay.size:
        return "-"
    return f"{np.median(delay):.1f} ({np.quantile(delay, 0.9):.1f})"


def firsts(ranks: list[int]) -> str:
    """Return the median rank and the share of first places."""
    if not ranks:
        return "-"
    return f"{np.median(ranks):.0f} ({100 * np.mean(np.array(ranks) == 1):.0f})"


def false_alarms(monitor: BatchMonitor, aligner: BatchAligner) -> str:
    """Return the table of batches without any fault."""
    plant = bioreactor(n_batches=N_BATCHES, raman_interval=None, random_state=2)
    result = monitor.score(on_clock(aligner, plant))
    lines = []
    for statistic in ("t2", "spe", "spe_cumulative"):
        values, limit = getattr(result, statistic), getattr(result, f"{statistic}_limit")[-1]
        above, known = values > limit, ~np.isnan(values)
        alarm = runs(result, statistic)
        begun = alarm & ~np.pad(alarm, ((0, 0), (1, 0)))[:, :-1]
        shares = (above.sum() / known.sum(), above.any(1).mean(), alarm.any(1).mean())
        cells = [f"`{statistic}`", *(f"{100 * share:.1f}" for share in shares)]
        if statistic == "spe":
            end = "-"
        else:
            end = f"{100 * ends_above(result, statistic).any(axis=1).mean():.0f}"
        cells += [f"{begun.sum() / N_BATCHES:.2f}", end]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    reference = bioreactor(n_batches=N_REFERENCE, raman_interval=None, random_state=1)
    known = as_batches(reference.data, units=reference.units, time_units="h")
    aligner = BatchAligner("resample", phases="each").fit(known)
    monitor = BatchMonitor(N_COMPONENTS, phases="each").fit(aligner.transform(known))
    sys.stdout.write(f"{len(aligner.time_)} times\n\n{false_alarms(monitor, aligner)}\n\n")
    for number, name in enumerate(FAULTS):
        sys.stdout.write(row(name, monitor, aligner, number) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
