"""Spreadsheets in and out, as programs write them and as attackers do."""

import codecs
import io
import zipfile
from datetime import datetime, time

import pytest
from openpyxl import Workbook, load_workbook

from webinar.documents.sheets import as_csv, as_xlsx, read_sheet
from webinar.domain.season_sheet import SheetRefused, table_of

ROWS = [
    ["date", "title"],
    ["2027-01-14", "Müller; “Łoś”, Νίκος"],
    ["2027-01-21", "=HYPERLINK(1)"],
    ["2027-01-28", "+1"],
    ["2027-02-04", "-1, then\nanother line"],
    ["2027-02-11", "@all"],
    ["2027-02-18", "'=quoted already"],
    ["2027-02-25", "'plain'"],
]


def xlsx(*rows: list[object]) -> bytes:
    book, content = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(content)
    return content.getvalue()


def zipped(**members: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/"), data)
    return content.getvalue()


def test_csv_and_xlsx_come_back_as_they_went_out() -> None:
    assert read_sheet(as_csv(ROWS)) == ROWS
    assert read_sheet(as_xlsx(ROWS, widths=(12, 40))) == ROWS


def test_no_cell_of_a_csv_begins_like_a_formula() -> None:
    lines = as_csv([["=1"], ["+1"], ["-1"], ["@x"], ["\t=1"], ["1"]]).decode("utf-8-sig")

    assert lines.splitlines() == ["'=1", "'+1", "'-1", "'@x", "'\t=1", "1"]


def test_every_cell_of_an_xlsx_is_text_and_quoted_where_it_looks_like_a_formula() -> None:
    sheet = load_workbook(io.BytesIO(as_xlsx(ROWS))).active

    assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s"}
    assert [sheet.cell(row, 2).quotePrefix for row in (2, 3, 4)] == [False, True, True]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_csv_is_read_however_it_was_saved(encoding: str, separator: str, end: str) -> None:
    text = end.join([separator.join(["date", "title"]), separator.join(["2027-01-14", "Zoë €"])])

    assert read_sheet(text.encode(encoding)) == [["date", "title"], ["2027-01-14", "Zoë €"]]


@pytest.mark.parametrize("mark", [codecs.BOM_UTF8, codecs.BOM_UTF16_LE])
def test_a_file_of_a_mark_alone_has_no_rows(mark: bytes) -> None:
    assert read_sheet(mark) == []


def test_a_csv_may_announce_its_separator() -> None:
    assert read_sheet(b"sep=|\r\ndate|title\r\n2027-01-14|A; b, c") == [
        ["date", "title"],
        ["2027-01-14", "A; b, c"],
    ]


def test_days_hours_and_numbers_of_an_xlsx_are_read_as_typed() -> None:
    content = xlsx(
        ["date", "start", "minutes"], [datetime(2027, 1, 14, tzinfo=None), time(18, 15), 45.0]
    )

    assert read_sheet(content)[1] == ["2027-01-14", "18:15", "45"]


def test_a_formula_is_neither_calculated_nor_believed() -> None:
    rows = read_sheet(xlsx(["date", "title"], ["2027-01-14", "=1+1"]))

    problems = table_of(rows).problems
    assert [(found.row, found.column) for found in problems] == [(2, "title")]
    assert problems[0].words == "The cell holds a formula. Put its result there, as a value."


BOMB = zipped(**{"[Content_Types].xml": b"<a/>", "xl__big.xml": b" " * 31_000_000})
BROKEN = bytearray(zipped(**{"[Content_Types].xml": b"<a/>" * 1000}))
BROKEN[50:60] = b"\xff" * 10
DOCTYPE = '<!DOCTYPE a [<!ENTITY b "c">]><a/>'
ENTITIES, LATE_ENTITIES, WIDE_ENTITIES = (
    zipped(**{"[Content_Types].xml": b"<a/>", "xl__sharedStrings.xml": strings})
    for strings in (
        DOCTYPE.encode(),
        f"<!--{' ' * 100_000}-->{DOCTYPE}".encode(),
        DOCTYPE.encode("utf-16"),
    )
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b" \n", "The file is empty"),
        (b"x" * 900_001, "more than 900 kB"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 100, "the old Excel format"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xd8\xff\x81\x8d", "not a table"),
        (b'date,title\n2027-01-14,"left open', "from row 2 on"),
        (b"date\n" + b"2027-01-14\n" * 2500, "too many rows"),
        (b"PK\x03\x04 and then nothing", "damaged"),
        (zipped(**{"a.txt": b"a"}), "not an XLSX file"),
        (zipped(**{"[Content_Types].xml": b"<a/>"}), "cannot be read"),
        (BOMB, "too large once unpacked"),
        (bytes(BROKEN), "damaged"),
        (ENTITIES, "holds what no spreadsheet writes"),
        (LATE_ENTITIES, "holds what no spreadsheet writes"),
        (WIDE_ENTITIES, "holds what no spreadsheet writes"),
        (xlsx(["date"], *([["2027-01-14"]] * 2500)), "too many rows"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(content: bytes, words: str) -> None:
    with pytest.raises(SheetRefused) as refusal:
        read_sheet(content)

    assert words in str(refusal.value)
