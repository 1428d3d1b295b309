from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pharmaq import cli, datasets
from pharmaq.chemometrics import Calibration

ARGUMENTS = ["--response", "api", "--recipe", "snv, sg(15,2,1)"]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "tablets.csv"
    simulated = datasets.tablets(n_batches=12, tablets_per_batch=6, random_state=4)
    simulated.to_frame().to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def out(table: Path) -> Path:
    folder = table.parent / "out"
    code = cli.main(
        ["calibrate", str(table), *ARGUMENTS, "--batch", "batch", "--out", str(folder)]
    )
    assert code in {0, 1}
    return folder


# refitted with scikit-learn 1.9.1 and ikpls 6.1.2, which agree to 1e-9
@pytest.mark.parametrize(
    ("recipe", "case"),
    [("none", "dyrby_tablets_raw_VB10"), ("snv", "dyrby_tablets_SNV_VB10")],
)
def test_calibrate_reproduces_published_tablets(
    shared: Path, chemometric_cases: Any, tmp_path: Path, recipe: str, case: str
) -> None:
    file = shared / "data" / "nir" / "tablets_escitalopram_nir.csv"
    options = ["--response", "active (%w/w)", "--recipe", recipe, "--cv", "venetian(10)"]
    cli.main(["calibrate", str(file), *options, "--components", "8", "--out", str(tmp_path)])
    written = json.loads((tmp_path / "calibration.json").read_text())
    assert written["rmsecv"] == pytest.approx(chemometric_cases[case]["rmsecv"], rel=1e-6)


def test_calibrate_writes_everything(out: Path) -> None:
    names = {path.name for path in out.iterdir()}
    files = ("report.html", "model.pqm", "calibration.json", "predictions.csv", "findings.csv")
    assert names == set(files)


def test_the_numbers_are_those_of_the_library(table: Path, out: Path) -> None:
    frame = pd.read_csv(table)
    spectra = frame.iloc[:, 4:].to_numpy()
    fitted = Calibration("snv, sg(15,2,1)", cv="batch")
    fitted.fit(spectra, frame["api"], groups=frame["batch"])
    written = json.loads((out / "calibration.json").read_text())
    # without an axis the derivative has another unit, which changes no prediction
    assert written["rmsecv"] == pytest.approx(fitted.rmsecv_, rel=1e-6)
    assert written["n_components"] == fitted.n_components_
    assert written["seal"] == Calibration.load(out / "model.pqm").seal_
    predictions = pd.read_csv(out / "predictions.csv")
    assert predictions["reference"].tolist() == frame["api"].tolist()


def test_a_sheet_of_a_workbook_can_be_named(table: Path, out: Path, tmp_path: Path) -> None:
    book = tmp_path / "tablets.xlsx"
    frame = pd.read_csv(table)
    with pd.ExcelWriter(book) as writer:
        frame.to_excel(writer, sheet_name="NIR", index=False)
        pd.DataFrame({"note": ["made by hand"]}).to_excel(writer, sheet_name="notes")
    assert cli.main(["predict", str(out / "model.pqm"), str(book)]) == 2
    target = tmp_path / "new.csv"
    options = ["--sheet", "NIR", "--out", str(target)]
    assert cli.main(["predict", str(out / "model.pqm"), str(book), *options]) in {0, 1}
    expected = pd.read_csv(out / "predictions.csv")["value"]
    assert pd.read_csv(target)["value"].tolist() == pytest.approx(expected.tolist(), rel=1e-12)


def test_predict_repeats_the_calibration(
    table: Path, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "new.csv"
    code = cli.main(["predict", str(out / "model.pqm"), str(table), "--out", str(target)])
    told = capsys.readouterr().out
    new, old = pd.read_csv(target), pd.read_csv(out / "predictions.csv")
    np.testing.assert_array_equal(new["value"], old["value"])
    assert code == int((new["status"] != "ok").any())
    assert f"of 72 spectra ok; written to {target}" in told


def test_predict_writes_a_table_to_standard_output(
    table: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["predict", str(out / "model.pqm"), str(table)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "sample,value,standard_error,lower,upper,t2,spe,leverage,status"
    assert len(lines) == 73


def test_foreign_tablets_give_exit_code_1(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = datasets.tablets(n_batches=1, n_foreign=2, random_state=9)
    new.to_frame().to_csv(tmp_path / "new.csv", index=False)
    assert cli.main(["predict", str(out / "model.pqm"), str(tmp_path / "new.csv")]) == 1
    assert "features that the calibration does not know" in capsys.readouterr().err


def test_spectra_in_control_give_exit_code_0(out: Path, table: Path, tmp_path: Path) -> None:
    frame, judged = pd.read_csv(table), pd.read_csv(out / "predictions.csv")
    frame[(judged["status"] == "ok").to_numpy()].to_csv(tmp_path / "good.csv", index=False)
    assert cli.main(["predict", str(out / "model.pqm"), str(tmp_path / "good.csv")]) == 0


def test_a_shifted_axis_predicts_nothing_and_gives_exit_code_1(
    table: Path, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.read_csv(table)
    shifted = [*frame.columns[:4], *(str(float(c) + 2) for c in frame.columns[4:])]
    frame.set_axis(shifted, axis=1).to_csv(tmp_path / "shifted.csv", index=False)
    assert cli.main(["predict", str(out / "model.pqm"), str(tmp_path / "shifted.csv")]) == 1
    told = capsys.readouterr()
    assert "wrong_axis" in told.out
    assert "mean shift +2" in told.err


def test_an_independent_set_is_validated(table: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.csv"
    datasets.tablets(n_batches=4, random_state=8).to_frame().to_csv(test, index=False)
    options = [*ARGUMENTS, "--test", str(test), "--out", str(tmp_path / "out"), "--units", "%"]
    cli.main(["calibrate", str(table), *options])
    assert "RMSEP" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize("cv", ["venetian(6)", "contiguous(6)", "random(6)", "loo"])
def test_every_split_can_be_named(table: Path, tmp_path: Path, cv: str) -> None:
    options = [*ARGUMENTS, "--cv", cv, "--components", "3", "--out", str(tmp_path)]
    cli.main(["calibrate", str(table), *options])
    written = json.loads((tmp_path / "calibration.json").read_text())
    assert written["cv"] == cv or written["cv"].startswith("RandomSubsets")
    assert len(written["rmsecv"]) == 3


def damaged(table: Path, folder: Path, name: str) -> Path:
    """Write one kind of broken table."""
    frame, path = pd.read_csv(table), folder / "broken.csv"
    axis = list(frame.columns[4:])
    if name == "empty":
        path.write_text("")
        return path
    if name == "truncated":
        path.write_bytes(table.read_bytes()[: -len(table.read_bytes()) // 3])
        return path
    if name == "absent":
        return folder / "absent.csv"
    changes: dict[str, Any] = {
        "nan": lambda f: f.mask((f.index.to_numpy()[:, None] == 3) & (f.columns == axis[7])),
        "infinite": lambda f: f.astype(dict.fromkeys(axis, float)).replace(
            f.loc[3, axis[7]], np.inf
        ),
        "text": lambda f: f.astype({axis[7]: object}).replace(
            {axis[7]: {f.loc[3, axis[7]]: "n/a"}}
        ),
        "one_sample": lambda f: f.iloc[:1],
        "constant": lambda f: f.assign(api=20.0),
        "missing_reference": lambda f: f.assign(api=f["api"].where(f.index != 5)),
        "duplicate_axis": lambda f: f.rename(columns={axis[7]: axis[8]}),
        "unsorted_axis": lambda f: f[[*f.columns[:4], *axis[10:], *axis[:10]]],
        "named_axis": lambda f: f.rename(columns={c: f"v{c}" for c in axis}),
        "typo_in_axis": lambda f: f.rename(columns={axis[7]: "11Z8"}),
    }
    changes[name](frame).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("name", "options", "parts"),
    [
        ("empty", [], ["broken.csv", "empty"]),
        ("truncated", [], ["broken.csv", "line", "truncated"]),
        ("absent", [], ["absent.csv"]),
        ("nan", [], ["line 5", "1128"]),
        ("infinite", [], ["line 5", "1128"]),
        ("text", [], ["line 5", "1128", "n/a"]),
        ("one_sample", [], ["1"]),
        ("constant", [], ["api", "constant"]),
        ("missing_reference", [], ["api", "NaN"]),
        ("duplicate_axis", [], ["1132"]),
        ("unsorted_axis", [], ["not in order", "1100 follows 2200"]),
        ("named_axis", [], ["number"]),
        ("typo_in_axis", [], ["11Z8"]),
        (None, ["--response", "assay"], ["--response", "'assay'", "'api'"]),
        (None, ["--batch", "lot"], ["--batch", "'lot'", "'batch'"]),
        (None, ["--recipe", "smooth"], ["recipe", "'smooth'", "snv"]),
        (None, ["--components", "many"], ["--components", "'many'"]),
        (None, ["--components", "71"], ["n_components = 71"]),
        (None, ["--cv", "tenfold"], ["'tenfold'", "venetian(10)"]),
        (None, ["--cv", "batch"], ["--cv batch needs --batch"]),
        (None, ["--alpha", "2"], ["alpha", "(0, 1)"]),
        (None, ["--axis", "wavenumber", "--test", "{table}.txt"], ["tablets.csv.txt"]),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    table: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str | None,
    options: list[str],
    parts: list[str],
) -> None:
    file = table if name is None else damaged(table, tmp_path, name)
    folder = tmp_path / "out"
    given = [option.format(table=table) for option in options]
    code = cli.main(["calibrate", str(file), *ARGUMENTS, *given, "--out", str(folder)])
    told = capsys.readouterr()
    assert code == 2
    assert told.err.startswith("pharmaq: error: ")
    assert told.err.count("\n") == 1
    assert [part for part in parts if part not in told.err] == []
    assert not folder.exists()


def test_a_model_file_that_is_none_gives_exit_code_2(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.pqm").write_text("not a model")
    assert cli.main(["predict", str(tmp_path / "model.pqm"), str(table)]) == 2
    assert "is not a pharmaq model file" in capsys.readouterr().err


def test_an_output_folder_that_is_a_file_gives_exit_code_2(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("")
    assert (
        cli.main(["calibrate", str(table), *ARGUMENTS, "--out", str(tmp_path / "taken")]) == 2
    )
    assert "taken" in capsys.readouterr().err


def test_debug_shows_where(table: Path, tmp_path: Path) -> None:
    options = ["--recipe", "smooth", "--out", str(tmp_path), "--debug"]
    with pytest.raises(Exception, match="recipe step 'smooth'"):
        cli.main(["calibrate", str(table), "--response", "api", *options])


def test_a_defect_of_our_own_is_not_taken_for_findings(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Calibration, "fit", broken)
    assert cli.main(["calibrate", str(table), *ARGUMENTS, "--out", str(tmp_path)]) == 3
    assert "internal error: ZeroDivisionError" in capsys.readouterr().err


def test_an_interruption_is_quiet(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Calibration, "fit", stopped)
    assert cli.main(["calibrate", str(table), *ARGUMENTS, "--out", str(tmp_path)]) == 130


@pytest.mark.parametrize("command", [[], ["demo"], ["calibrate"], ["predict"]])
def test_every_command_explains_itself(command: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main([*command, "--help"])
    assert stop.value.code == 0
    assert "pharmaq" in capsys.readouterr().out


@pytest.mark.slow
def test_the_demonstration_finds_what_was_planted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["demo", str(tmp_path / "demo")]) == 0
    folder = tmp_path / "demo"
    truth = pd.read_csv(folder / "new_tablets_truth.csv", keep_default_na=False)
    judged = pd.read_csv(folder / "new_tablets_predicted.csv")
    planted = truth["planted"] != ""
    assert planted.sum() == 7
    assert ((judged["status"] != "ok") >= planted).all()
    foreign = truth["planted"] == "foreign ingredient"
    assert set(judged["status"][foreign]) == {"outlier_spe"}
    # what was not planted is predicted within three standard errors of the assay
    good = judged["status"] == "ok"
    error = (judged["value"] - truth["api"])[good].abs()
    assert (error < 3 * np.hypot(judged["standard_error"][good], 0.25)).all()
    assert f"The report: {folder / 'report.html'}" in capsys.readouterr().out


@pytest.mark.slow
def test_the_program_runs_without_traceback_as_a_process(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pharmaq", "predict", "absent.pqm", "absent.csv"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert done.stderr == "pharmaq: error: cannot read absent.pqm: No such file or directory\n"
