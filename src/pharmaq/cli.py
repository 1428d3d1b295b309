"""The command `pharmaq`: read, compute, write; exit 0 in control, 1 findings, 2 bad input."""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pharmaq
from pharmaq.errors import FileAccessError, InputError, PharmaqError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import xarray as xr

    from pharmaq.chemometrics import Calibration, CalibrationPrediction
    from pharmaq.results import Finding

__all__ = ["main"]

_SHOWN_FINDINGS = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; by default those of this process.

    Returns
    -------
    int
        0 in control, 1 findings of severity alert or action, 2 bad input, 3 a defect of
        pharmaq itself.
    """
    arguments = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            return run(arguments)
    except PharmaqError as error:
        if arguments.debug:
            raise
        print(f"pharmaq: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("pharmaq: interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        if arguments.debug:
            raise
        print(
            f"pharmaq: internal error: {type(error).__name__}: {error} (--debug shows where)",
            file=sys.stderr,
        )
        return 3


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pharmaq",
        description="Analytics for PAT and process quality in medicines manufacturing.",
        epilog="Exit code: 0 in control, 1 findings (alert or action), 2 bad input.",
    )
    parser.add_argument("--version", action="version", version=pharmaq.__version__)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_demo(commands, common)
    _add_calibrate(commands, common)
    _add_predict(commands, common)
    return parser


def _add_demo(commands: Any, common: argparse.ArgumentParser) -> None:
    demo = commands.add_parser(
        "demo",
        parents=[common],
        help="simulate tablets, calibrate an assay, report on it",
        description="Simulate NIR spectra of tablets, write them to files, calibrate an assay "
        "from the files, predict new tablets with planted problems, and write a report. "
        "Exits 0 when it ran through: the findings are planted.",
    )
    demo.add_argument("dir", nargs="?", default="pharmaq-demo", metavar="DIR", type=Path)
    demo.set_defaults(run=_demo)


def _add_calibrate(commands: Any, common: argparse.ArgumentParser) -> None:
    calibrate = commands.add_parser(
        "calibrate",
        parents=[common],
        help="fit and validate a calibration from a table of spectra",
        description="Read spectra (one a row; axis positions as column headers), fit a PLS "
        "calibration, and write report.html, model.pqm, calibration.json and predictions.csv.",
    )
    add = calibrate.add_argument
    add("file", metavar="FILE", type=Path, help="CSV, Parquet or Excel table of spectra")
    add("--response", required=True, metavar="NAME", help="column of the reference values")
    add("--batch", metavar="NAME", help="column that tells the batch of each sample")
    add("--recipe", default="none", help='preprocessing, e.g. "snv, sg(15,2,1)" (none)')
    add(
        "--components",
        default="auto",
        metavar="N",
        help="number of PLS components, or auto (default)",
    )
    add("--max-components", default=15, type=int, metavar="N", help="most that auto tries (15)")
    add(
        "--rule",
        default="1se",
        choices=["1se", "min"],
        help="how auto chooses: one standard error (default) or minimum",
    )
    add(
        "--cv",
        metavar="SPLIT",
        help="batch, venetian(10), contiguous(10), random(10) or loo; by default batch where "
        "--batch is given, otherwise venetian(10)",
    )
    add("--scale", action="store_true", help="scale each point by its standard deviation")
    add("--alpha", default=0.01, type=float, help="error rate of T2 and SPE limits (0.01)")
    add("--units", default="", help="units of the response")
    _add_reading(add)
    add("--test", metavar="FILE", type=Path, help="independent spectra with the same columns")
    add("--out", required=True, metavar="DIR", type=Path, help="folder for the results")
    calibrate.set_defaults(run=_calibrate)


def _add_predict(commands: Any, common: argparse.ArgumentParser) -> None:
    predict = commands.add_parser(
        "predict",
        parents=[common],
        help="predict spectra with a stored calibration",
        description="Predict each spectrum, with interval, T2, SPE and status. The table goes "
        "to standard output as CSV, or to --out.",
    )
    add = predict.add_argument
    add("model", metavar="MODEL", type=Path, help="a .pqm file that calibrate wrote")
    add("file", metavar="FILE", type=Path, help="CSV, Parquet or Excel table of spectra")
    add("--out", metavar="FILE", type=Path, help="CSV file for the predictions")
    _add_sheet(add)
    predict.set_defaults(run=_predict)


def _add_reading(add: Callable[..., Any]) -> None:
    add(
        "--axis",
        choices=["wavelength", "wavenumber", "raman_shift"],
        help="kind of the axis (nm, 1/cm, 1/cm); recognised from units or range by default",
    )
    add(
        "--quantity",
        choices=["absorbance", "reflectance", "transmittance", "counts"],
        help="what the values are; never guessed",
    )
    _add_sheet(add)


def _add_sheet(add: Callable[..., Any]) -> None:
    add("--sheet", metavar="NAME", help="sheet of an Excel file that holds several")


def _demo(arguments: argparse.Namespace) -> int:
    from pharmaq.demo import run_demo

    outcome = run_demo(_folder(arguments.dir), say=print)
    _print_findings(outcome.findings)
    print(f"\nThe report: {outcome.report}")
    return 0


def _calibrate(arguments: argparse.Namespace) -> int:
    from pharmaq.chemometrics import Calibration
    from pharmaq.report import write_calibration

    spectra = _read(arguments.file, arguments, kind=arguments.axis)
    _column(spectra, arguments.response, "--response")
    groups = None if arguments.batch is None else _column(spectra, arguments.batch, "--batch")
    calibration = Calibration(
        arguments.recipe,
        n_components=_components(arguments.components),
        max_components=arguments.max_components,
        cv=_splitter(arguments),
        rule=arguments.rule,
        scale=arguments.scale,
        alpha=arguments.alpha,
        units=arguments.units,
    )
    calibration.fit(spectra, arguments.response, groups=groups, progress=True)
    validation = _validation(calibration, arguments)
    report = write_calibration(
        calibration, spectra, _folder(arguments.out), validation=validation
    )
    print(_summary(calibration, spectra))
    _print_findings(calibration.findings_)
    print(f"The report: {report}")
    return _exit_code(calibration.findings_)


def _predict(arguments: argparse.Namespace) -> int:
    from pharmaq.chemometrics import Calibration
    from pharmaq.modelfile import write_atomically

    calibration = Calibration.load(arguments.model)
    spectra = _read(arguments.file, arguments, kind=calibration.axis_kind_)
    prediction = calibration.predict(spectra)
    table = prediction.to_frame().to_csv(index=False)
    if arguments.out is None:
        print(table, end="")
    else:
        write_atomically(arguments.out, table)
        ok = int((prediction.status == "ok").sum())
        print(f"{ok} of {len(prediction.status)} spectra ok; written to {arguments.out}")
    _print_findings(prediction.findings, stream=sys.stderr)
    return _exit_code(prediction.findings)


def _read(path: Path, arguments: argparse.Namespace, *, kind: Any) -> xr.DataArray:
    from pharmaq.io import read_spectra

    # predict does not ask: what the values are was said when the model was made
    quantity = getattr(arguments, "quantity", None)
    # a file of the calibration set may be a workbook, and the test set a text, or the reverse
    first = path == arguments.file or path.suffix.lower() == ".xlsx"
    sheet = arguments.sheet if first else None
    return read_spectra(path, kind=kind, quantity=quantity, sheet=sheet)


def _column(spectra: xr.DataArray, name: str, option: str) -> Any:
    """Return a sample coordinate by name, or say which there are."""
    columns = [str(key) for key, c in spectra.coords.items() if c.dims == ("sample",)]
    if name not in columns:
        msg = (
            f"{option} {name!r} is no column of {spectra.attrs.get('file', 'the file')}; there "
            f"are {', '.join(map(repr, columns))} and the spectral columns"
        )
        raise InputError(msg)
    return spectra[name].to_numpy()


def _components(text: str) -> Any:
    if text == "auto":
        return text
    if not text.isdecimal() or int(text) < 1:
        msg = f"--components must be auto or a whole number from 1, got {text!r}"
        raise InputError(msg)
    return int(text)


def _splitter(arguments: argparse.Namespace) -> str:
    if arguments.cv is None:
        return "venetian(10)" if arguments.batch is None else "batch"
    if arguments.cv.strip() == "batch" and arguments.batch is None:
        msg = "--cv batch needs --batch NAME, the column that tells the batch of each sample"
        raise InputError(msg)
    return str(arguments.cv)


def _validation(
    calibration: Calibration, arguments: argparse.Namespace
) -> tuple[CalibrationPrediction, Any] | None:
    if arguments.test is None:
        return None
    test = _read(arguments.test, arguments, kind=calibration.axis_kind_)
    reference = _column(test, arguments.response, "--response")
    prediction = calibration.predict(test)
    if (prediction.status == "wrong_axis").any():
        msg = f"--test {arguments.test}: {prediction.findings[0].message}"
        raise InputError(msg)
    return prediction, reference


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"cannot make the folder {path}: {error.strerror}"
        raise FileAccessError(msg) from None
    return path


def _summary(calibration: Calibration, spectra: xr.DataArray) -> str:
    merit = calibration.merit_["cross_validation"]
    choice = calibration.choice_
    reason = "given" if choice is None else choice.reason
    return (
        f"{spectra.shape[0]} spectra of {spectra.shape[1]} points, axis "
        f"{spectra.attrs['axis_source']}\n"
        f"recipe {calibration.recipe_}; {calibration.n_components_} components ({reason})\n"
        f"RMSECV {merit.rmse:.4g} {calibration.units}".rstrip()
        + f", bias {merit.bias:.2g}, R2 {merit.r2:.4f}, RPD {merit.rpd:.2f}"
    )


def _print_findings(findings: Sequence[Finding], *, stream: Any = None) -> None:
    for finding in findings[:_SHOWN_FINDINGS]:
        print(f"{finding.severity:>6}  {finding.subject}: {finding.message}", file=stream)
    if len(findings) > _SHOWN_FINDINGS:
        print(f"        and {len(findings) - _SHOWN_FINDINGS} more", file=stream)


def _exit_code(findings: Sequence[Finding]) -> int:
    from pharmaq.results import worst_severity

    return 1 if worst_severity(findings) in {"alert", "action"} else 0


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"pharmaq: warning: {message}", file=sys.stderr)
