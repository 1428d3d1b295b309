"""The demonstration: from simulated tablets in files to a report on planted problems."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd

from pharmaq.chemometrics import Calibration
from pharmaq.datasets import tablets
from pharmaq.io import read_spectra
from pharmaq.modelfile import write_atomically
from pharmaq.report import write_calibration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import xarray as xr

    from pharmaq.datasets import SimulatedTablets
    from pharmaq.results import Finding

__all__ = ["DemoOutcome", "run_demo"]

_SEED = 20


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class DemoOutcome:
    """What the demonstration left behind.

    Parameters
    ----------
    report : Path
        The report page.
    findings : tuple of Finding
        Findings on the calibration and on the new tablets.
    planted : tuple of str
        Samples among the new tablets in which a problem was planted.
    """

    report: Path
    findings: tuple[Finding, ...]
    planted: tuple[str, ...]


def run_demo(folder: Path, *, say: Callable[[str], object]) -> DemoOutcome:
    """Simulate, write to files, calibrate from the files, predict, and report.

    Parameters
    ----------
    folder : Path
        An existing folder for all files.
    say : callable
        Told each step in one line, for example `print`.

    Returns
    -------
    DemoOutcome
        Report, findings, and what was planted.

    Notes
    -----
    30 batches of 8 tablets for calibration and 10 for validation, contents 85 to 115 % of
    20 % w/w; then 3 batches of new tablets, in the last of which three hold a foreign
    ingredient, and one batch made far above the calibrated range.
    """
    say(f"Simulating NIR spectra of tablets into {folder} ...")
    calibration_set = tablets(n_batches=30, tablets_per_batch=8, random_state=_SEED)
    test_set = tablets(n_batches=10, tablets_per_batch=8, random_state=_SEED + 1)
    new = _new_tablets()
    for name, frame in (
        ("calibration.csv", calibration_set.to_frame()),
        ("validation.csv", test_set.to_frame()),
        ("new_tablets.csv", new.drop(columns=["api", "planted"])),
        ("new_tablets_truth.csv", new[["sample", "batch", "api", "planted"]]),
    ):
        write_atomically(folder / name, frame.to_csv(index=False))
        say(f"  {name}: {len(frame)} tablets")
    say("Calibrating (recipe snv, sg(15,2,1); leave-batch-out cross-validation) ...")
    spectra = _read(folder / "calibration.csv")
    calibration = Calibration("snv, sg(15,2,1)", cv="batch", units="% w/w")
    calibration.fit(spectra, "api")
    unseen = _read(folder / "validation.csv")
    validation = (calibration.predict(unseen), unseen["api"].to_numpy())
    say("Predicting the new tablets and writing the report ...")
    predictions = calibration.predict(_read(folder / "new_tablets.csv"))
    report = write_calibration(
        calibration,
        spectra,
        folder,
        validation=validation,
        predictions=predictions,
        title="Tablet assay by NIR: demonstration on simulated tablets",
    )
    write_atomically(
        folder / "new_tablets_predicted.csv", predictions.to_frame().to_csv(index=False)
    )
    return DemoOutcome(
        report=report,
        findings=(*calibration.findings_, *predictions.findings),
        planted=tuple(new["sample"][new["planted"] != ""]),
    )


def _read(path: Path) -> xr.DataArray:
    return read_spectra(path, kind="wavelength", quantity="absorbance")


def _new_tablets() -> pd.DataFrame:
    """Return new tablets with the planted problems named in a column."""
    routine = tablets(n_batches=3, tablets_per_batch=8, n_foreign=3, random_state=_SEED + 2)
    strong = tablets(
        n_batches=1, tablets_per_batch=4, strengths=(28.0,), random_state=_SEED + 3
    )
    frames = [_planted(routine, "N", ""), _planted(strong, "S", "content above the range")]
    return pd.concat(frames, ignore_index=True)


def _planted(simulated: SimulatedTablets, prefix: str, problem: str) -> pd.DataFrame:
    frame = simulated.to_frame()
    foreign = simulated.truth["foreign"].to_numpy() > 0
    frame["planted"] = ["foreign ingredient" if f else problem for f in foreign]
    for column in ("sample", "batch"):
        frame[column] = prefix + frame[column].str.removeprefix("B")
    return frame
