from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from pharmaq import datasets
from pharmaq.chemometrics import Calibration
from pharmaq.errors import FileAccessError, InputError
from pharmaq.report import calibration_report, write_calibration

VOID = {"meta", "br", "link", "input", "path", "use", "image"}


class Outline(HTMLParser):
    """Collect headings, figures and addresses, and check that tags close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.labels: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.addresses += [str(found[k]) for k in ("href", "src", "xlink:href") if k in found]
        if tag == "svg":
            self.labels.append(str(found.get("aria-label")))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"h1", "h2"}:
            self.headings.append(data)


@pytest.fixture(scope="module")
def simulated() -> datasets.SimulatedTablets:
    return datasets.tablets(n_batches=12, tablets_per_batch=5, random_state=2)


@pytest.fixture(scope="module")
def calibration(simulated: datasets.SimulatedTablets) -> Calibration:
    return Calibration("snv, sg(15,2,1)", units="% w/w").fit(simulated.spectra, "api")


@pytest.fixture(scope="module")
def page(calibration: Calibration, simulated: datasets.SimulatedTablets) -> str:
    new = datasets.tablets(n_batches=1, n_foreign=1, random_state=5).spectra
    predictions = calibration.predict(new)
    return calibration_report(
        calibration,
        simulated.spectra,
        predictions=predictions,
        validation=(predictions, new.api.values),
        title="Assay <of> tablets & more",
    )


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    parsed = Outline()
    parsed.feed(page)
    return parsed


def test_the_page_is_well_formed(outline: Outline) -> None:
    assert outline.open == []


def test_the_page_asks_for_no_network(outline: Outline, page: str) -> None:
    outside = [a for a in outline.addresses if not a.startswith(("#", "data:"))]
    assert outside == []
    assert "@import" not in page
    assert "<script" not in page


def test_every_section_is_there_and_reached(outline: Outline) -> None:
    assert outline.headings == [
        "Assay <of> tablets & more",
        "Findings",
        "Pictures",
        "Figures of merit",
        "New spectra",
        "Choice of components",
        "Method and provenance",
    ]


def test_every_picture_is_named_for_those_who_cannot_see_it(outline: Outline) -> None:
    assert outline.labels == [
        "Spectra before preprocessing",
        "Spectra after preprocessing",
        "Error of cross-validation",
        "Predicted against reference",
        "T2 and SPE of the calibration spectra",
        "Regression coefficients",
        "Variable importance (VIP)",
        "T2 and SPE of the new spectra",
    ]


def test_references_within_pictures_lead_somewhere(page: str) -> None:
    used = set(re.findall(r"url\(#([\w-]+)\)", page)) | set(
        re.findall(r'xlink:href="#([\w-]+)"', page)
    )
    assert used <= set(re.findall(r' id="([\w-]+)"', page))


def test_colours_follow_the_page(page: str) -> None:
    pictures = "".join(re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL))
    assert "var(--ink)" in pictures
    assert "#1f2933" not in pictures


def test_numbers_on_the_page_are_those_of_the_model(
    page: str, calibration: Calibration
) -> None:
    for merit in calibration.merit_.values():
        assert f"{merit.rmse:.4g}" in page
    assert calibration.choice_.reason[1:] in page
    assert calibration.provenance_.inputs["spectra"]["sha256"] in page


def test_the_foreign_tablet_is_shown_first(page: str) -> None:
    first = re.search(r"<tbody><tr>(.*?)</tr>", page, flags=re.DOTALL)
    assert first is not None
    assert "■ action" in first[1]


def test_equal_results_give_equal_pages(
    calibration: Calibration, simulated: datasets.SimulatedTablets
) -> None:
    pages = {calibration_report(calibration, simulated.spectra) for _ in range(2)}
    assert len(pages) == 1


def test_names_in_any_script_are_kept_as_they_are(
    calibration: Calibration, simulated: datasets.SimulatedTablets
) -> None:
    new = datasets.tablets(
        n_batches=1, tablets_per_batch=2, n_foreign=2, random_state=5
    ).spectra
    named = new.assign_coords(sample=["批次一", "$a<b$"])
    page = calibration_report(
        calibration, simulated.spectra, predictions=calibration.predict(named)
    )
    assert page.count("批次一") >= 2
    assert "$a&lt;b$" in page
    assert "$a<b$" not in page


def test_a_loaded_model_has_nothing_to_report_on(
    calibration: Calibration, simulated: datasets.SimulatedTablets, tmp_path
) -> None:
    calibration.save(tmp_path / "m.pqm")
    loaded = Calibration.load(tmp_path / "m.pqm")
    with pytest.raises(InputError, match="was read from a file"):
        calibration_report(loaded, simulated.spectra)


def test_a_folder_that_is_absent_is_named(
    calibration: Calibration, simulated: datasets.SimulatedTablets, tmp_path
) -> None:
    with pytest.raises(FileAccessError, match="absent"):
        write_calibration(calibration, simulated.spectra, tmp_path / "absent")
