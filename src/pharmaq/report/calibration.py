"""The report of a calibration: what went in, what came out, how good it is, what to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from pharmaq.chemometrics import plots
from pharmaq.chemometrics.interpretation import vip
from pharmaq.chemometrics.merit import FORMULAS, FiguresOfMerit, figures_of_merit
from pharmaq.errors import InputError
from pharmaq.report import _page
from pharmaq.report._svg import draw_svg
from pharmaq.results import worst_severity
from pharmaq.spectra import as_spectra

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from pharmaq.chemometrics.calibration import Calibration
    from pharmaq.chemometrics.prediction import CalibrationPrediction

    # what draws it, its title, its caption
    Picture = tuple[Callable[[Axes], object], str, str]

__all__ = ["calibration_report"]


def calibration_report(
    calibration: Calibration,
    spectra: Any,
    *,
    validation: tuple[CalibrationPrediction, ArrayLike] | None = None,
    predictions: CalibrationPrediction | None = None,
    title: str | None = None,
) -> str:
    """Return the report of a calibration as one self-contained HTML page.

    Parameters
    ----------
    calibration : Calibration
        Fitted in this session, so that its cross-validation is at hand.
    spectra : DataFrame or DataArray, shape (n_samples, n_points)
        The calibration spectra.
    validation : tuple of (CalibrationPrediction, array-like), optional
        Predictions of an independent set and its reference values.
    predictions : CalibrationPrediction, optional
        Predictions of new spectra without reference values.
    title : str, optional
        Heading of the page.

    Returns
    -------
    str
        HTML; it refers to nothing outside itself.

    Raises
    ------
    InputError
        If the calibration was read from a file: its calibration data are not at hand.
    """
    if calibration.cross_validation_ is None:
        msg = "calibration was read from a file and has no data to report on; fit it again"
        raise InputError(msg)
    labelled = as_spectra(spectra)
    merits = dict(calibration.merit_)
    if validation is not None:
        shown, reference = validation
        merits["validation"] = figures_of_merit(reference, shown.value)
    findings = [*calibration.findings_, *(predictions.findings if predictions else ())]
    sections = [
        ("findings", "Findings", _page.findings_table(findings, "Nothing to look at.")),
        ("pictures", "Pictures", _pictures(calibration, labelled, validation, predictions)),
        ("merit", "Figures of merit", _merit_table(merits, calibration.units)),
    ]
    if predictions is not None:
        sections.append(("predictions", "New spectra", _page.table(predictions.to_frame())))
    sections.append(("components", "Choice of components", _components(calibration)))
    sections.append(("method", "Method and provenance", _provenance(calibration)))
    heading = title or f"Calibration of {calibration.response_}"
    return _page.page(
        heading,
        _subtitle(calibration, labelled),
        sections,
        _headline(calibration, merits, findings),
    )


def _subtitle(calibration: Calibration, spectra: Any) -> str:
    n, points = spectra.shape
    made = calibration.provenance_.created.replace("T", " ").removesuffix("+00:00")
    return (
        f"{n} spectra of {points} points; recipe {calibration.recipe_}; PLS with "
        f"{calibration.n_components_} components; {made} UTC"
    )


def _headline(
    calibration: Calibration, merits: dict[str, FiguresOfMerit], findings: list[Any]
) -> str:
    validated = merits["cross_validation"]
    facts = [
        ("RMSECV", _page.number(validated.rmse), calibration.units),
        ("Components", str(calibration.n_components_), _rule(calibration)),
        ("R² (cross-validated)", _page.number(validated.r2), ""),
        ("RPD", _page.number(validated.rpd, 3), ""),
    ]
    if "validation" in merits:
        outside = merits["validation"]
        remark = f"{calibration.units}, {outside.n} independent samples".strip(", ")
        facts.insert(1, ("RMSEP", _page.number(outside.rmse), remark))
    worst = worst_severity(findings) or "in control"
    facts.append(("Findings", str(len(findings)), f"worst: {worst}" if findings else worst))
    return _page.cards(facts)


def _rule(calibration: Calibration) -> str:
    return f"rule {calibration.rule}" if calibration.choice_ is not None else "given"


def _pictures(
    calibration: Calibration,
    spectra: Any,
    validation: tuple[CalibrationPrediction, ArrayLike] | None,
    predictions: CalibrationPrediction | None,
) -> str:
    parts = [
        *_of_spectra(calibration, spectra),
        *_of_errors(calibration, validation),
        *_of_model(calibration),
    ]
    if predictions is not None:
        parts.append(
            (
                lambda ax: plots.plot_t2_spe(predictions, ax=ax),
                "T2 and SPE of the new spectra",
                "New spectra against the limits of the calibration; marks show the status.",
            )
        )
    return _page.figures(
        _page.figure(draw_svg(draw, title=title), f"{title}. {caption}")
        for draw, title, caption in parts
    )


def _of_spectra(calibration: Calibration, spectra: Any) -> list[Picture]:
    reference, recipe = calibration.reference_, calibration.recipe_
    transformed = recipe.transform(spectra)
    return [
        (
            lambda ax: plots.plot_spectra(spectra, color_by=reference, ax=ax),
            "Spectra before preprocessing",
            f"All {len(spectra)} spectra as measured, coloured by "
            f"{calibration.response_}{_unit(calibration)}.",
        ),
        (
            lambda ax: plots.plot_spectra(transformed, color_by=reference, ax=ax),
            "Spectra after preprocessing",
            f"After the recipe: {recipe}.",
        ),
    ]


def _of_errors(
    calibration: Calibration, validation: tuple[CalibrationPrediction, ArrayLike] | None
) -> list[Picture]:
    result, chosen = calibration.cross_validation_, calibration.n_components_
    left_out = result.predictions.to_numpy()[chosen - 1]
    rmsecv = calibration.merit_["cross_validation"].rmse
    other = (validation[1], validation[0].value, "independent set") if validation else None
    return [
        (
            lambda ax: plots.plot_rmsecv(result, chosen=chosen, ax=ax),
            "Error of cross-validation",
            "RMSECV by number of components; 0 is the mean of the training samples. "
            f"Splits: {result.cv}.",
        ),
        (
            lambda ax: plots.plot_predicted(
                calibration.reference_,
                left_out,
                rmse=rmsecv,
                label="cross-validated",
                other=other,
                ax=ax,
            ),
            "Predicted against reference",
            "Each sample predicted by a model that had not seen it"
            f"{_unit(calibration)}; dashed: two RMSECV.",
        ),
    ]


def _of_model(calibration: Calibration) -> list[Picture]:
    return [
        (
            lambda ax: plots.plot_t2_spe(calibration.diagnostics_, ax=ax),
            "T2 and SPE of the calibration spectra",
            "Distance within the model (T2) and from it (SPE), each divided by its limit.",
        ),
        (
            lambda ax: plots.plot_coefficients(calibration, ax=ax),
            "Regression coefficients",
            "What the model multiplies the preprocessed spectrum with.",
        ),
        (
            lambda ax: plots.plot_vip(calibration, vip(calibration.pls_), ax=ax),
            "Variable importance (VIP)",
            "From the PLS weights; 1 (dashed) is the root mean square over all points.",
        ),
    ]


def _unit(calibration: Calibration) -> str:
    # the name of a column often tells the units already
    units = calibration.units
    told = units.replace(" ", "") in calibration.response_.replace(" ", "")
    return f" ({units})" if units and not told else ""


def _merit_table(merits: dict[str, FiguresOfMerit], units: str) -> str:
    roles = {
        "calibration": "calibration",
        "cross_validation": "cross-validation",
        "validation": "independent set",
    }
    frame = pd.DataFrame({"figure": [_figure_name(name, units) for name in FORMULAS]})
    for role, heading in roles.items():
        if role in merits:
            merit = merits[role]
            frame[heading] = [_page.number(getattr(merit, name)) for name in FORMULAS]
    frame["formula"] = list(FORMULAS.values())
    return _page.table(frame)


def _figure_name(name: str, units: str) -> str:
    names = {
        "rmse": "RMSEC, RMSECV, RMSEP",
        "sep": "SEP",
        "sec": "SEC",
        "bias_t": "bias, t",
        "bias_p": "bias, p",
        "r2": "R²",
        "r2_correlation": "R², squared correlation",
        "rpd": "RPD",
        "rer": "RER",
    }
    with_units = name in {"rmse", "sep", "sec", "bias", "intercept"} and units
    return names.get(name, name) + (f" / {units}" if with_units else "")


def _components(calibration: Calibration) -> str:
    choice = calibration.choice_
    reason = "The number of components was given." if choice is None else f"{choice.reason}."
    frame = calibration.cross_validation_.to_frame()
    frame["chosen"] = [
        "◀" if n == calibration.n_components_ else "" for n in frame.n_components
    ]
    text = reason[0].upper() + reason[1:]
    return f"<p>{_page.text(text)}</p>{_page.table(frame)}"


def _provenance(calibration: Calibration) -> str:
    frame = calibration.provenance_.to_frame()
    if calibration.seal_:
        frame.loc[len(frame)] = ["model file", "seal (SHA-256)", calibration.seal_]
    return _page.table(frame)
