"""Tables of spectra in files: what is read, what is refused, and in which words."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import hashlib
import random
import re
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pharmaq.errors import (
    AxisError,
    FileAccessError,
    FormatError,
    InputError,
    MissingExtraError,
    PharmaqError,
)
from pharmaq.io import read_spectra

PLAIN = "Sample ID,Type,1100,1102,1104\nT1,A,0.1,0.2,0.3\nT2,B,0.4,0.5,0.6\n"


@pytest.fixture
def write(tmp_path):
    def write(content: str | bytes, name: str = "spectra.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def write_book(tmp_path):
    def write_book(**sheets: list[list[object]]) -> Path:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            page = book.create_sheet(title)
            for row in rows:
                page.append(row)
        path = tmp_path / "spectra.xlsx"
        book.save(path)
        return path

    return write_book


@pytest.fixture
def write_parquet(tmp_path):
    def write_parquet(columns: dict[str, object]) -> Path:
        path = tmp_path / "spectra.parquet"
        pq.write_table(pa.table(columns), path)
        return path

    return write_parquet


def rows_of(path: Path) -> tuple[list[str], list[list[str]]]:
    """Return header and rows as the csv module reads them."""
    with path.open(newline="") as stream:
        header, *rows = csv.reader(stream)
    return header, rows


# real files


@pytest.mark.parametrize(
    ("name", "shape", "kind", "labels"),
    [
        (
            "tablets_escitalopram_nir.csv",
            (310, 404),
            "wavenumber",
            {"Type", "Scale", "active (%w/w)"},
        ),
        ("corn_m5.csv", (80, 700), "wavelength", {"Moisture", "Oil", "Protein", "Starch"}),
        ("gasoline_octane.csv", (60, 401), "wavelength", {"octane"}),
    ],
)
def test_real_tables_are_read_as_the_csv_module_reads_them(shared, name, shape, kind, labels):
    path = shared / "data" / "nir" / name
    spectra = read_spectra(path)
    header, rows = rows_of(path)
    first = len(header) - shape[1]
    assert spectra.shape == shape
    assert spectra.dims == ("sample", kind)
    assert spectra[kind].values.tolist() == [float(text) for text in header[first:]]
    assert spectra.values.tolist() == [[float(text) for text in row[first:]] for row in rows]
    assert set(spectra.coords) == {"sample", kind, *labels}


def test_samples_of_the_tablets_carry_their_names(shared):
    path = shared / "data" / "nir" / "tablets_escitalopram_nir.csv"
    spectra = read_spectra(path)
    _, rows = rows_of(path)
    assert spectra["sample"].values.tolist() == [row[0] for row in rows]
    assert spectra["sample"].values[0] == "Tab 1"
    assert spectra["Type"].values.tolist() == [row[1] for row in rows]
    assert spectra["active (%w/w)"].values.tolist() == [float(row[3]) for row in rows]


def test_column_called_sample_names_the_samples(shared):
    path = shared / "data" / "nir" / "corn_m5.csv"
    _, rows = rows_of(path)
    assert read_spectra(path)["sample"].values.tolist() == [int(row[0]) for row in rows]


def test_rows_are_counted_from_one_where_nothing_names_them(shared):
    spectra = read_spectra(shared / "data" / "nir" / "gasoline_octane.csv")
    assert spectra["sample"].values.tolist() == list(range(1, 61))


def test_missing_labels_do_not_keep_spectra_from_being_read(shared):
    path = shared / "data" / "nir" / "soil_nir.parquet"
    spectra = read_spectra(path)
    table = pq.read_table(path)
    assert spectra.shape == (825, 700)
    assert np.isnan(spectra["CEC"].values).sum() == table.column("CEC").null_count > 0
    assert spectra.values[:, 0].tolist() == table.column("1100").to_pylist()


def test_headers_without_positions_are_refused_with_the_way_out(shared):
    with pytest.raises(AxisError, match=r"yarn_density\.csv: no column .*'NIR\.V1'.*correct"):
        read_spectra(shared / "data" / "nir" / "yarn_density.csv")


# values


@given(
    values=arrays(
        np.float64,
        array_shapes(min_dims=2, max_dims=2, max_side=6),
        elements=st.floats(allow_nan=False, allow_infinity=False),
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    decimal=st.sampled_from([".", ","]),
    start=st.floats(200, 1000),
    irregular=st.booleans(),
)
def test_every_number_comes_back_exactly(
    tmp_path_factory, values, delimiter, decimal, start, irregular
):
    decimal = "." if delimiter == "," else decimal
    axis = start + np.arange(values.shape[1])
    # a doubled quotation mark sends a file past the fast reader
    label = '"a ""b"""' if irregular else "a"
    table = [["note", *axis], *([label, *row] for row in values)]
    texts = [[str(cell).replace(".", decimal) for cell in row] for row in table]
    path = tmp_path_factory.mktemp("round") / "spectra.csv"
    path.write_text("\n".join(delimiter.join(row) for row in texts))
    spectra = read_spectra(path, kind="wavelength", delimiter=delimiter, decimal=decimal)
    assert spectra.values.tobytes() == values.tobytes()
    assert spectra["wavelength"].values.tolist() == axis.tolist()


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_delimiter_is_recognised_from_the_header(write, mark):
    spectra = read_spectra(write(PLAIN.replace(",", mark)))
    assert spectra.attrs["delimiter"] == mark
    assert spectra.values.tolist() == [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]


def test_decimal_commas_are_recognised_in_numbers_headers_and_labels(write):
    text = "name;pH;1100,5;1101,0\nA, first;7,5;1;0,25\nB;7;2;1e-3\n"
    spectra = read_spectra(write(text))
    assert (spectra.attrs["delimiter"], spectra.attrs["decimal"]) == (";", ",")
    assert spectra["wavelength"].values.tolist() == [1100.5, 1101.0]
    assert spectra.values.tolist() == [[1.0, 0.25], [2.0, 0.001]]
    assert spectra["pH"].values.tolist() == [7.5, 7.0]
    assert spectra["name"].values.tolist() == ["A, first", "B"]


def test_decimal_commas_of_labels_settle_a_table_of_counts(write):
    spectra = read_spectra(write("pH;1100;1101\n7,5;1;2\n"))
    assert spectra["pH"].values.tolist() == [7.5]


def test_delimiter_and_decimal_can_be_given(write):
    path = write('a:1100:1101\nx:"1,5":2\n')
    spectra = read_spectra(path, delimiter=":", decimal=",")
    assert spectra.values.tolist() == [[1.5, 2.0]]


def test_quoted_numbers_with_commas_need_the_decimal_mark(write):
    path = write('1100,1101\n"1,5","2,5"\n')
    with pytest.raises(FormatError, match=r"holds '1,5'.*give decimal=','"):
        read_spectra(path)
    assert read_spectra(path, decimal=",").values.tolist() == [[1.5, 2.5]]


def test_one_spectrum_is_a_table(write):
    assert read_spectra(write("1100,1101\n1,2")).values.tolist() == [[1.0, 2.0]]


def test_one_point_is_an_axis(write):
    assert read_spectra(write("1100\n1\n2\n\n")).values.tolist() == [[1.0], [2.0]]


def test_units_in_headers_settle_the_kind_of_axis(write):
    spectra = read_spectra(write("1100 cm-1,1101 cm-1\n1,2\n"))
    assert spectra.dims == ("sample", "wavenumber")
    assert "unit" in spectra.attrs["axis_source"]


def test_kind_and_quantity_are_passed_on(write):
    spectra = read_spectra(write(PLAIN), kind="raman_shift", quantity="counts")
    assert spectra.dims == ("sample", "raman_shift")
    assert spectra.attrs["units"] == "counts"


def test_blank_lines_around_the_table_are_ignored(write):
    spectra = read_spectra(write("\n" + PLAIN + "\n,,,,\n  \n"))
    assert spectra.shape == (2, 3)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_is_read(write, end):
    spectra = read_spectra(write(PLAIN.replace("\n", end)))
    assert spectra["sample"].values.tolist() == ["T1", "T2"]
    assert spectra.values[1, 2] == 0.6


def test_quoted_texts_may_hold_delimiters_quotes_and_line_ends(write):
    text = '"Sample ID","a\nnote",1100,1102\n"T,1","say ""x""",1,2\n"T2","two\nlines",3,4\n'
    spectra = read_spectra(write(text))
    assert spectra["sample"].values.tolist() == ["T,1", "T2"]
    assert spectra["a\nnote"].values.tolist() == ['say "x"', "two\nlines"]
    assert spectra.values.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_a_header_may_run_over_two_lines(write):
    spectra = read_spectra(write('"a\nnote",1100,1102\nx,1,2\n'))
    assert spectra["a\nnote"].values.tolist() == ["x"]


def test_what_pandas_cannot_read_is_read_all_the_same(write, monkeypatch):
    def fail(*_args, **_options):
        raise pd.errors.ParserError

    monkeypatch.setattr(pd, "read_csv", fail)
    assert read_spectra(write(PLAIN)).values.tolist() == [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]


def test_packed_text_is_read_and_the_hash_is_that_of_the_file(write):
    packed = gzip.compress(PLAIN.encode())
    spectra = read_spectra(write(packed, "spectra.csv.gz"))
    assert spectra.shape == (2, 3)
    assert spectra.attrs["sha256"] == hashlib.sha256(packed).hexdigest()


def test_attributes_say_what_was_read_and_how(write):
    attrs = read_spectra(write(PLAIN)).attrs
    known = {name: attrs[name] for name in ("file", "rows", "encoding", "ends_with_newline")}
    assert known == {
        "file": "spectra.csv",
        "rows": 2,
        "encoding": "utf-8",
        "ends_with_newline": True,
    }
    assert not read_spectra(write(PLAIN[:-1])).attrs["ends_with_newline"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_are_recognised_and_recorded(write, encoding):
    spectra = read_spectra(write("Größe,1100\nµm²,1\n".encode(encoding)))
    assert spectra["Größe"].values.tolist() == ["µm²"]
    assert spectra.attrs["encoding"] == encoding


# labels


def none_if_missing(values: np.ndarray) -> list[object]:
    """Return values with None for what misses: pandas 3 makes it NaN in text as well."""
    return [None if pd.isna(value) else value for value in values.tolist()]


def label(write, *cells: str) -> np.ndarray:
    text = "note;1100\n" + "".join(f"{cell};1\n" for cell in cells)
    return read_spectra(write(text))["note"].values


@pytest.mark.parametrize(
    ("cells", "expected", "dtype"),
    [
        (["1", "-20"], [1, -20], np.int64),
        (["1", "2.5", "1e-05", ".5"], [1.0, 2.5, 1e-5, 0.5], np.float64),
        (["True", "False"], [True, False], np.bool_),
        (["TRUE", "FALSE"], [True, False], np.bool_),
        (["a", " b "], ["a", "b"], object),
        (["007", "8"], ["007", "8"], object),
        (["24E01", "24E02"], ["24E01", "24E02"], object),
        (["12345678901234567890", "1"], ["12345678901234567890", "1"], object),
        (["2024-01-31", "2024-02-29"], ["2024-01-31", "2024-02-29"], object),
        (["a", "", "NA"], ["a", None, "NA"], object),
        (["True", ""], ["True", None], object),
    ],
)
def test_labels_get_the_type_that_all_of_them_have(write, cells, expected, dtype):
    found = label(write, *cells)
    assert none_if_missing(found) == expected
    assert found.dtype == dtype


@pytest.mark.parametrize("blank", ["", " ", "NA", "n/a", "NaN", "#N/A"])
def test_missing_numbers_among_labels_are_nan(write, blank):
    np.testing.assert_array_equal(label(write, "1", blank, "2.5"), [1.0, np.nan, 2.5])


def test_a_label_without_any_value_is_nan(write):
    assert np.isnan(label(write, "", "")).all()


def test_given_column_names_the_samples(write):
    spectra = read_spectra(write("lot,sample,1100\nX,a,1\nY,a,2\n"), sample="lot")
    assert spectra.sel(sample="Y").values.tolist() == [2.0]
    assert "lot" not in spectra.coords
    assert spectra["sample_label"].values.tolist() == ["a", "a"]


@pytest.mark.parametrize("cells", [("a", "a"), ("a", "")])
def test_repeated_or_missing_names_are_kept_as_a_label(write, cells):
    first, second = cells
    spectra = read_spectra(write(f"Sample_Name,1100\n{first},1\n{second},2\n"))
    assert spectra["sample"].values.tolist() == [1, 2]
    assert none_if_missing(spectra["Sample_Name"].values) == [first, second or None]


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (("a", "b", "a"), "the same name in line 2 and line 4"),
        (("a", "", ""), "none in line 3"),
    ],
)
def test_given_names_have_to_differ_and_be_there(write, cells, fault):
    text = "lot,1100\n" + "".join(f"{cell},1\n" for cell in cells)
    with pytest.raises(InputError, match=fault):
        read_spectra(write(text), sample="lot")


def test_index_that_pandas_wrote_names_the_samples(write):
    assert read_spectra(write(",1100\na,1\nb,2\n"))["sample"].values.tolist() == ["a", "b"]


def test_index_that_pandas_wrote_stays_a_label_beside_a_sample_column(write):
    spectra = read_spectra(write(",sample,1100\n5,a,1\n6,b,2\n"), metadata=["sample"])
    assert spectra["sample"].values.tolist() == ["a", "b"]
    assert spectra["index"].values.tolist() == [5, 6]


def test_colliding_names_of_labels_are_refused(write):
    path = write("lot,sample,sample_label,1100\nX,a,b,1\n")
    with pytest.raises(InputError, match="'sample' and 'sample_label' collide"):
        read_spectra(path, sample="lot")


def test_a_label_called_as_an_axis_is_refused(write):
    with pytest.raises(InputError, match=r"spectra\.csv: .*'wavelength'"):
        read_spectra(write("wavelength,1100\n1,2\n"))


# headers


def test_named_metadata_may_have_numbers_as_headers_and_stand_anywhere(write):
    spectra = read_spectra(write("2024,1100,note,1102\n5,1,x,2\n"), metadata=["2024", "note"])
    assert spectra["wavelength"].values.tolist() == [1100.0, 1102.0]
    assert spectra["2024"].values.tolist() == [5]


def test_one_name_of_metadata_may_be_plain_text(write):
    assert read_spectra(write("note,1100\nx,1\n"), metadata="note")["note"].values == ["x"]


@pytest.mark.parametrize("argument", ["metadata", "sample"])
def test_unknown_names_are_answered_with_close_ones(write, argument):
    value = ["type"] if argument == "metadata" else "type"
    with pytest.raises(InputError, match=f"{argument} names 'type'.*did you mean 'Type'"):
        read_spectra(write(PLAIN), **{argument: value})


def test_unknown_names_without_close_ones_are_answered_with_all(write):
    with pytest.raises(InputError, match="no numbers are 'Sample ID', 'Type'"):
        read_spectra(write(PLAIN), metadata=["zzz"])


def test_with_metadata_given_every_other_header_must_be_a_position(write):
    with pytest.raises(AxisError, match=r"column 2 is headed 'Type'.*add it to metadata"):
        read_spectra(write(PLAIN), metadata=["Sample ID"])


def test_a_misspelt_position_between_others_is_refused(write):
    with pytest.raises(AxisError, match="column 4 is headed '11O2' between '1100' and '1104'"):
        read_spectra(write(PLAIN.replace("1102", "11O2")))


def test_an_empty_header_is_refused(write):
    with pytest.raises(FormatError, match="column 2 has no header"):
        read_spectra(write("a,,1100\nx,y,1\n"))


@pytest.mark.parametrize("header", ["1100,1102,1100", "1100,1102,1100.0"])
def test_duplicated_positions_are_refused(write, header):
    with pytest.raises(AxisError, match=r"1100.*(twice|duplicated)"):
        read_spectra(write(f"{header}\n1,2,3\n"))


def test_duplicated_names_are_refused(write):
    with pytest.raises(FormatError, match="columns 1 and 3 are both headed 'a'"):
        read_spectra(write("a,1100,a\nx,1,y\n"))


def test_positions_out_of_order_are_refused(write):
    with pytest.raises(AxisError, match="not in order: 1102 follows 1104"):
        read_spectra(write("1100,1104,1102,1106\n1,2,3,4\n"))


def test_a_header_that_no_delimiter_splits_is_refused_with_a_question(write):
    with pytest.raises(AxisError, match="is the delimiter right"):
        read_spectra(write("a 1100 1102\nx 1 2\n", "spectra.txt"))


@pytest.mark.parametrize("end", ["", "\n\n"])
def test_delimiters_at_the_end_of_all_lines_are_no_column(write, end):
    assert read_spectra(write(f"1100;1102;\n1;2;\n3;4;{end}")).shape == (2, 2)


def test_a_field_without_header_is_refused(write):
    with pytest.raises(FormatError, match="line 3: column 3 holds 'x', but has no header"):
        read_spectra(write("1100;1102;\n1;2;\n3;4;x\n"))


# damage


def test_truncated_last_line_names_the_line(write):
    with pytest.raises(FormatError, match=r"line 3 has 4 fields, .* has 5.*last.*truncated"):
        read_spectra(write(PLAIN[:-6]))


def test_a_short_line_in_the_middle_is_damaged(write):
    text = PLAIN.replace("0.1,0.2,0.3", "0.1,0.3")
    with pytest.raises(FormatError, match=r"line 2 has 4 fields, .* has 5: .* is damaged"):
        read_spectra(write(text))


def test_a_long_line_is_damaged(write):
    with pytest.raises(FormatError, match="line 3 has 6 fields"):
        read_spectra(write(PLAIN[:-1] + ",0.7\n"))


def test_a_blank_line_within_the_table_is_refused(write):
    with pytest.raises(FormatError, match="line 3 is blank"):
        read_spectra(write(PLAIN.replace("\nT2", "\n\nT2")))


def test_lines_are_counted_as_an_editor_does(write):
    text = '\nnote,1100,1102\n"two\nlines",1,2\nx,1,oops\n'
    with pytest.raises(FormatError, match="line 5, column '1102' holds 'oops'"):
        read_spectra(write(text))


@pytest.mark.parametrize("text", ["", "\n\n \n", "\ufeff"])
def test_an_empty_file_is_refused(write, text):
    with pytest.raises(FormatError, match=r"spectra\.csv: the file is empty"):
        read_spectra(write(text))


def test_a_header_alone_is_refused(write):
    with pytest.raises(FormatError, match="a header, but no spectra"):
        read_spectra(write(PLAIN.splitlines()[0]))


@pytest.mark.parametrize(
    "cell",
    [
        "NaN",
        "NA",
        "#N/A",
        "-",
        "1_0",
        "0x1",
        "True",
        "inf",
        "-Infinity",
        "1e999",
        "1,5",
        "1.2.3",
    ],
)
def test_cells_without_a_number_are_refused(write, cell):
    path = write(f"sample;1100;1102\nA;1.5;2.5\nB;3.5;{cell}\n")
    place = rf"line 3 \(sample 'B'\), column '1102' holds '{re.escape(cell)}'"
    with pytest.raises(FormatError, match=place + ".*no other such cell"):
        read_spectra(path)


def test_a_spectrum_of_flags_is_no_spectrum(write):
    with pytest.raises(FormatError, match="holds 'True'"):
        read_spectra(write("1100\nTrue\nFalse\n"))


def test_empty_cells_are_counted_and_not_filled(write):
    with pytest.raises(FormatError, match=r"line 2, column '1102' is empty; 3 such cells"):
        read_spectra(write("1100,1102,1104\n1,,3\n, ,6\n7,8,9\n"))


def test_the_other_decimal_mark_is_pointed_out(write):
    path = write("1100;1102\n1.5;2.5\n1.5;2,5\n")
    with pytest.raises(FormatError, match=r"line 3, .*'2,5'.* give decimal=','"):
        read_spectra(path)


@pytest.mark.parametrize("text", ['a,1100\n"x,1\n', 'a,1100\n"x"y,1\nz,2\n', '"a,1100\nx,1\n'])
def test_misplaced_quotation_marks_are_refused(write, text):
    with pytest.raises(FormatError, match="quotation mark"):
        read_spectra(write(text))


@pytest.mark.parametrize("tool", ['3" tool', "tool"])
def test_a_quotation_mark_within_a_text_is_a_character(write, tool):
    spectra = read_spectra(write(f'die 5",1100,1102\n{tool},1,2\n'))
    assert spectra['die 5"'].values.tolist() == [tool]


def test_a_damaged_line_is_named_even_if_worse_follows(write):
    with pytest.raises(FormatError, match="line 2 has 1 fields"):
        read_spectra(write('a,1100\nx\n"y,1\n'))


@pytest.mark.parametrize(
    "content",
    [b"1100,1102\n1,2\n3,\x00\n", b"\x89PNG\r\n\x1a\n", b"1100\n\x81\n", b"\xff\xfe1"],
)
def test_what_is_no_text_is_refused(write, content):
    with pytest.raises(FormatError, match="is not a text table"):
        read_spectra(write(content))


def test_a_file_cut_within_a_character_is_refused(write):
    whole = "ä,note\nx,µ".encode()
    with pytest.raises(FormatError, match="ends within a character"):
        read_spectra(write(whole[:-1]))


def test_a_cut_file_never_gives_a_wrong_row(write):
    rng = random.Random(1)
    values = [[rng.gauss(0, 1) for _ in range(8)] for _ in range(12)]
    lines = [f'"T{i}",note {i},' + ",".join(map(repr, row)) for i, row in enumerate(values)]
    axis = ",".join(str(1100 + 2 * i) for i in range(8))
    text = "\n".join([f"sample,note,{axis}", *lines, ""])
    read = 0
    for cut in np.linspace(0, len(text), 200, dtype=int):
        try:
            spectra = read_spectra(write(text[:cut]))
        except PharmaqError:
            continue
        read += 1
        found = spectra.values.ravel().tolist()
        expected = [value for row in values[: len(spectra)] for value in row]
        # a cut within the very last number cannot be seen
        sure = None if spectra.attrs["ends_with_newline"] else -1
        assert found[:sure] == expected[:sure]
    assert read >= 1


@pytest.mark.parametrize("keep", [5, 40])
def test_truncated_packed_text_is_refused(write, keep):
    with pytest.raises(FormatError, match=r"spectra\.csv\.gz: is no complete gzip file"):
        read_spectra(write(gzip.compress(PLAIN.encode())[:keep], "spectra.csv.gz"))


# files and arguments


@pytest.mark.parametrize("name", ["none.csv", "", "none"])
def test_what_is_no_file_is_refused(tmp_path, name):
    with pytest.raises(FileAccessError, match="give the path of an existing file"):
        read_spectra(tmp_path / name)


def test_an_unknown_ending_is_answered_with_the_known_ones(write):
    with pytest.raises(FormatError, match=r"'\.xls' are not read, only .*\.parquet, \.xlsx"):
        read_spectra(write("x", "spectra.xls"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "nm"}, "kind must be one of"),
        ({"quantity": "colour"}, "quantity must be one of"),
        ({"decimal": ";"}, "decimal must be one of"),
        ({"delimiter": "ab"}, "delimiter must be one mark"),
        ({"delimiter": "1"}, "delimiter must be one mark"),
        ({"sheet": "A"}, "sheet is for workbooks"),
    ],
)
def test_bad_options_are_refused(write, options, message):
    with pytest.raises(InputError, match=message):
        read_spectra(write(PLAIN), **options)


def test_options_of_text_files_are_refused_for_others(write_parquet):
    with pytest.raises(InputError, match=r"for text files, not for \.parquet"):
        read_spectra(write_parquet({"1100": [1.0]}), decimal=",")


# workbooks

SHEET = [["Sample ID", "pH", 1100, 1102.5], ["T1", 7, 0.1, 2], ["T2", None, 0.3, 0.4]]


def test_a_workbook_with_one_filled_sheet_is_read(write_book):
    spectra = read_spectra(write_book(Empty=[], NIR=[[], *SHEET, [], [None, " "]]))
    assert spectra["wavelength"].values.tolist() == [1100.0, 1102.5]
    assert spectra.values.tolist() == [[0.1, 2.0], [0.3, 0.4]]
    assert spectra["sample"].values.tolist() == ["T1", "T2"]
    np.testing.assert_array_equal(spectra["pH"].values, [7.0, np.nan])
    assert spectra.attrs["sheet"] == "NIR"


def test_a_table_may_stand_away_from_the_corner(write_book):
    spectra = read_spectra(write_book(A=[[], *([None, *row] for row in SHEET)]))
    assert set(spectra.coords) == {"sample", "pH", "wavelength"}


def test_one_of_many_sheets_has_to_be_named(write_book):
    path = write_book(A=SHEET, B=SHEET[:2])
    with pytest.raises(InputError, match=r"sheet is missing.*'A', 'B'"):
        read_spectra(path)
    assert read_spectra(path, sheet="B").shape == (1, 2)


def test_an_unknown_sheet_is_answered_with_the_known_ones(write_book):
    with pytest.raises(InputError, match="sheet is 'C', but the workbook has 'A'"):
        read_spectra(write_book(A=SHEET), sheet="C")


@pytest.mark.parametrize("sheet", [None, "A"])
def test_an_empty_workbook_is_refused(write_book, sheet):
    with pytest.raises(FormatError, match="is empty"):
        read_spectra(write_book(A=[]), sheet=sheet)


@pytest.mark.parametrize(
    ("cells", "expected", "dtype"),
    [
        ([1, 2], [1, 2], np.int64),
        ([1, 2.5], [1.0, 2.5], np.float64),
        ([10**20, 1], [1e20, 1.0], np.float64),
        ([True, False], [True, False], np.bool_),
        ([1, " a ", ""], ["1", "a", None], object),
    ],
)
def test_labels_of_a_workbook_keep_their_type(write_book, cells, expected, dtype):
    found = read_spectra(write_book(A=[["x", 1100], *([c, 1] for c in cells)]))["x"].values
    assert none_if_missing(found) == expected
    assert found.dtype == dtype


def test_dates_of_a_workbook_are_dates(write_book):
    when = dt.datetime(2024, 1, 31, 12)
    found = read_spectra(write_book(A=[["x", 1100], [when, 1], [None, 1]]))["x"].values
    assert found[0] == np.datetime64(when)
    assert np.isnat(found[1])


@pytest.mark.skipif(xr.__version__ < "2025", reason="this xarray holds nanoseconds only")
def test_dates_that_nanoseconds_do_not_reach_are_kept(write_book):
    when = dt.datetime(9999, 12, 31)
    found = read_spectra(write_book(A=[["x", 1100], [when, 1]]))["x"].values
    assert found[0] == np.datetime64(when)


def test_missing_words_among_numbers_of_a_workbook_are_nan(write_book):
    path = write_book(A=[["x", 1100], [1, 1], ["NA", 1], [None, 1]])
    np.testing.assert_array_equal(read_spectra(path)["x"].values, [1.0, np.nan, np.nan])


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (None, "is empty \\(a formula"),
        ("0.5", "holds '0.5', which is not a number"),
        (True, "holds True"),
    ],
)
def test_cells_of_a_workbook_without_a_number_are_refused(write_book, cell, message):
    path = write_book(NIR=[*SHEET, ["T3", 7, cell, 0.5]])
    with pytest.raises(
        FormatError, match=f"row 4 of sheet 'NIR' .sample 'T3'., column '1100' {message}"
    ):
        read_spectra(path)


def test_a_blank_row_within_a_sheet_is_refused(write_book):
    with pytest.raises(FormatError, match="row 3 of sheet 'A' is blank"):
        read_spectra(write_book(A=[*SHEET[:2], [], SHEET[2]]))


def test_a_cell_beside_the_table_is_refused(write_book):
    with pytest.raises(FormatError, match="row 4 of sheet 'A': column 5 holds 'note'"):
        read_spectra(write_book(A=[*SHEET, ["T3", 7, 1, 2, "note"]]))


def test_a_damaged_workbook_is_refused_at_whatever_place_it_is_cut(write_book):
    path = write_book(A=SHEET)
    whole = path.read_bytes()
    for cut in np.linspace(1, len(whole) - 1, 40, dtype=int):
        path.write_bytes(whole[:cut])
        with pytest.raises(FormatError, match="is no readable Excel workbook"):
            read_spectra(path)


# Parquet


def test_parquet_keeps_the_types_of_labels(write_parquet):
    when = dt.datetime(2024, 1, 31)
    path = write_parquet(
        {
            "text": ["a", None],
            "size": pa.array([1.5, None], pa.float32()),
            "price": pa.array([1, None], pa.decimal128(5, 2)),
            "when": [when, None],
            "1100": pa.array([1, 2], pa.int16()),
            "1102": pa.array([0.5, 0.25], pa.float32()),
        }
    )
    spectra = read_spectra(path)
    assert spectra.values.tolist() == [[1.0, 0.5], [2.0, 0.25]]
    assert none_if_missing(spectra["text"].values) == ["a", None]
    assert spectra["size"].dtype == np.float32
    assert spectra["price"].values[0] == 1.0
    assert spectra["when"].values[0] == np.datetime64(when)


def test_a_named_index_in_parquet_is_a_label(tmp_path):
    index = pd.Index(["a", "b"], name="Sample ID")
    pd.DataFrame({"1100": [1.0, 2.0]}, index=index).to_parquet(tmp_path / "x.parquet")
    assert read_spectra(tmp_path / "x.parquet")["sample"].values.tolist() == ["a", "b"]


def test_an_index_without_name_in_parquet_names_the_samples(tmp_path):
    frame = pd.DataFrame({"1100": [1.0, 2.0]}, index=["a", "b"])
    frame.to_parquet(tmp_path / "x.parquet")
    assert read_spectra(tmp_path / "x.parquet")["sample"].values.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([0.5, None], "row 2, column '1102' is empty; no other"),
        ([0.5, float("nan")], "row 2, column '1102' holds nan, which is not a finite number"),
        (["0.5", "0.6"], "row 1, column '1102' holds '0.5', which is not a number; 2 such"),
    ],
)
def test_cells_of_parquet_without_a_number_are_refused(write_parquet, column, message):
    with pytest.raises(FormatError, match=message):
        read_spectra(write_parquet({"1100": [1.0, 2.0], "1102": column}))


def test_a_column_of_parquet_without_name_is_refused(write_parquet):
    with pytest.raises(FormatError, match="column 2 has no name"):
        read_spectra(write_parquet({"1100": [1.0], "": [2.0]}))


def test_parquet_without_rows_is_refused(write_parquet):
    with pytest.raises(FormatError, match="no spectra below it"):
        read_spectra(write_parquet({"1100": pa.array([], pa.float64())}))


def test_damaged_parquet_is_refused_at_whatever_place_it_is_cut(write_parquet):
    path = write_parquet({"1100": [1.0, 2.0], "1102": [3.0, 4.0]})
    whole = path.read_bytes()
    for cut in np.linspace(1, len(whole) - 1, 40, dtype=int):
        path.write_bytes(whole[:cut])
        with pytest.raises(FormatError, match="is no readable Parquet file"):
            read_spectra(path)


@pytest.mark.parametrize(
    ("ending", "package"), [(".parquet", "pyarrow"), (".xlsx", "openpyxl")]
)
def test_a_missing_package_names_the_extra(write, monkeypatch, ending, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"'{package}'.*pharmaq\[files\]"):
        read_spectra(write("x", "spectra" + ending))
