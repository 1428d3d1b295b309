"""Specifications: limits read from text, tables, and what is refused."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmaq.errors import InputError, InputTypeError
from pharmaq.spc import AcceptanceRange, Specification, Specifications, parse_range


@pytest.mark.parametrize(
    ("text", "lsl", "usl", "ends", "digits", "units"),
    [
        ("NLT 95.0", 95.0, None, "[]", (1, None), ""),
        ("not less than 95.0 %", 95.0, None, "[]", (1, None), "%"),
        ("NMT 0.10 %w/w", None, 0.1, "[]", (None, 2), "%w/w"),
        ("<= 0.5", None, 0.5, "[]", (None, 1), ""),
        ("≤0.5 ppm", None, 0.5, "[]", (None, 1), "ppm"),
        ("< 0.5", None, 0.5, "[)", (None, 1), ""),
        ("more than 5 mg", 5.0, None, "(]", (0, None), "mg"),
        ("95.0-105.0 %", 95.0, 105.0, "[]", (1, 1), "%"),
        ("95.0 % - 105.0 %", 95.0, 105.0, "[]", (1, 1), "%"),
        ("95.0 \N{EN DASH} 105.0", 95.0, 105.0, "[]", (1, 1), ""),
        ("95.0 to 105.00", 95.0, 105.0, "[]", (1, 2), ""),
        ("between 5 and 10 mm", 5.0, 10.0, "[]", (0, 0), "mm"),
        ("-25 - -15 degC", -25.0, -15.0, "[]", (0, 0), "degC"),
        ("\N{MINUS SIGN}25 to \N{MINUS SIGN}15 degC", -25.0, -15.0, "[]", (0, 0), "degC"),
        ("[0, 10) mg", 0.0, 10.0, "[)", (0, 0), "mg"),
        ("(0;10.5]", 0.0, 10.5, "(]", (0, 1), ""),
        (">= 95.0 and < 105.0", 95.0, 105.0, "[)", (1, 1), ""),
        ("NLT 95.0 %, NMT 105.0 %", 95.0, 105.0, "[]", (1, 1), "%"),
        ("100.0 ± 5.0 %", 95.0, 105.0, "[]", (1, 1), "%"),
        ("0.5 +/- 0.05", 0.45, 0.55, "[]", (2, 2), ""),
        ("250 mg ± 5 %", 237.5, 262.5, "[]", (1, 1), "mg"),
        ("NMT 1e3 CFU/g", None, 1000.0, "[]", (None, 0), "CFU/g"),
    ],
)
def test_limits_are_read_with_ends_digits_and_units(
    text: str, lsl: Any, usl: Any, ends: str, digits: tuple[Any, Any], units: str
) -> None:
    found, known = parse_range(text)
    assert (found.lsl, found.usl, known) == (lsl, usl, units)
    assert (found.lsl_included, found.usl_included) == (ends[0] == "[", ends[1] == "]")
    assert (found.lsl_digits, found.usl_digits) == digits


@given(
    st.decimals(-1000, 1000, places=2), st.decimals(min_value="0.01", max_value=99, places=2)
)
def test_a_range_reads_what_it_writes(low: Any, width: Any) -> None:
    first = parse_range(f"{low} to {low + width}").range
    assert parse_range(str(first)).range == first
    assert first.lsl == float(low)
    assert first.usl == float(low + width)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("95,0-105,0", "comma"),
        ("white powder", "cannot be read"),
        ("95", "cannot be read"),
        ("NLT 95 and NLT 97", "two lower limits"),
        ("NMT 95 and NMT 97", "two upper limits"),
        ("105.0-95.0", "nothing lies within"),
        ("(5, 5)", "nothing lies within"),
        ("95 % to 105 mg", "different units"),
        ("5 mg ± 1 g", "different units"),
    ],
)
def test_text_that_can_be_read_in_two_ways_or_none_is_refused(text: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        parse_range(text)


def test_limits_that_are_no_text_or_no_limits() -> None:
    with pytest.raises(InputTypeError, match="must be text"):
        parse_range(95.0)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="neither"):
        AcceptanceRange()
    with pytest.raises(InputError, match="finite"):
        AcceptanceRange(usl=float("inf"))
    assert str(AcceptanceRange(lsl=1.5)) == ">= 1.5"


def test_a_specification_knows_its_limits_and_says_them() -> None:
    spec = Specification("assay", "95.0-105.0 %", product="A", stage="release", target=100)
    assert (spec.lsl, spec.usl, spec.units, spec.target) == (95.0, 105.0, "%", 100.0)
    assert str(spec) == "A / assay / release: 95.0 to 105.0 %"


def test_numbers_need_digits_and_whole_numbers_have_none() -> None:
    with pytest.raises(InputError, match="how many decimals"):
        Specification("assay", (95.0, 105.0))
    assert Specification("assay", (95.0, None), digits=1).limits.lsl_digits == 1
    assert Specification("assay", (95.0, None), rounding="none").limits.lsl_digits is None
    assert Specification("assay", (95, 105)).limits.usl_digits == 0
    assert Specification("assay", ("95.0", None)).limits.lsl_digits == 1
    assert Specification("assay", AcceptanceRange(usl=2.0, usl_digits=1)).lsl is None


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"units": "mg"}, "units"),
        ({"alert": "94.0-103.0"}, "alert limits of 'assay' must lie within"),
        ({"action": "97.0-106.0"}, "action limits"),
        ({"target": 94.0}, "target"),
        ({"target": 106.0}, "target"),
        ({"rounding": "up"}, "rounding"),
        ({"reporting_limit": -1.0}, "reporting_limit"),
        ({"digits": 99}, "digits"),
    ],
)
def test_a_specification_refuses(options: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        Specification("assay", "95.0-105.0 %", **options)


def test_names_and_limits_of_the_wrong_type() -> None:
    with pytest.raises(InputTypeError, match="product must be text"):
        Specification("assay", "NLT 95", product=5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="test must name"):
        Specification(" ", "NLT 95")
    with pytest.raises(InputTypeError, match="pair of limits"):
        Specification("assay", 95.0)  # type: ignore[arg-type]


ROWS = pd.DataFrame(
    {
        "Test": ["assay", "water", "assay"],
        "Limit": ["95.0-105.0 %", "NMT 0.50 %", "94.0-106.0 %"],
        "Product": ["", "", "A"],
        "alert": ["96.0-104.0", None, ""],
        "comment": ["x", "y", "z"],
    }
)
NAMES = {"test": "Test", "limits": "Limit", "product": "Product"}


def test_a_table_is_read_with_the_names_it_has() -> None:
    table = Specifications.from_frame(ROWS, columns=NAMES)
    assert [str(spec) for spec in table] == [
        "assay: 95.0 to 105.0 %",
        "water: <= 0.50 %",
        "A / assay: 94.0 to 106.0 %",
    ]
    general = table.find("assay")
    assert general is not None
    assert str(general.alert) == "96.0 to 104.0"


def test_the_most_special_specification_holds() -> None:
    table = Specifications.from_frame(ROWS, columns=NAMES)
    special, general = table.find("assay", product="A"), table.find("assay", product="B")
    assert special is not None
    assert general is not None
    assert (special.lsl, general.lsl) == (94.0, 95.0)
    assert table.find("water", product="A", stage="release") is not None
    assert table.find("ph") is None
    assert not table.has_stages


def test_a_file_keeps_the_digits(tmp_path: Any) -> None:
    path = tmp_path / "specifications.csv"
    path.write_text("test,lsl,usl,units,target\nassay,95.0,105.0,%,100\nwater,,0.50,%,\n")
    first, second = Specifications.read_csv(path)
    assert (first.limits.lsl_digits, first.target) == (1, 100.0)
    assert (second.lsl, second.limits.usl_digits, second.units) == (None, 2, "%")


def test_a_table_survives_a_frame() -> None:
    table = Specifications(
        [
            Specification("assay", "[95.0, 105.0) %", alert="97.0-103.0", stage="release"),
            Specification("water", "NMT 0.50 %", reporting_limit=0.05, product="A"),
        ]
    )
    assert list(Specifications.from_frame(table.to_frame())) == list(table)
    assert "assay" in repr(table)
    assert "<table" in table._repr_html_()


def test_tables_that_cannot_be_read_name_the_row() -> None:
    with pytest.raises(InputError, match="row 1"):
        Specifications.from_frame(ROWS.assign(Limit=["NLT 1", "?", "NLT 1"]), columns=NAMES)
    with pytest.raises(InputError, match="row 0: column 'test' is empty"):
        Specifications.from_frame(pd.DataFrame({"test": [None], "limits": ["NLT 1"]}))
    with pytest.raises(InputError, match="how many decimals"):
        Specifications.from_frame(pd.DataFrame({"test": ["a"], "lsl": [95.0], "usl": [None]}))
    with pytest.raises(InputError, match="needs the columns 'test'"):
        Specifications.from_frame(ROWS)
    with pytest.raises(InputError, match="which no specification has"):
        Specifications.from_frame(ROWS, columns={"name": "Test"})
    with pytest.raises(InputError, match="not in the frame"):
        Specifications.from_frame(ROWS, columns={"test": "Nothing"})
    with pytest.raises(InputTypeError, match="DataFrame"):
        Specifications.from_frame([1])  # type: ignore[arg-type]


def test_tables_hold_specifications_once() -> None:
    spec = Specification("assay", "NLT 95")
    with pytest.raises(InputError, match="two specifications of assay"):
        Specifications([spec, Specification("assay", "NLT 96")])
    with pytest.raises(InputError, match="at least one"):
        Specifications([])
    with pytest.raises(InputTypeError, match="Specification objects"):
        Specifications(["NLT 95"])  # type: ignore[list-item]
    number = pd.DataFrame({"test": ["a"], "lsl": [95], "digits": [1.0]})
    assert next(iter(Specifications.from_frame(number))).limits.lsl_digits == 1
