"""Spreadsheets in and out: CSV as any program writes it, and XLSX. Nothing is ever calculated."""

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime, time
from lzma import LZMAError
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from xlsxwriter import Workbook

from webinar.domain.season_sheet import FORMULA_MARK, MOST_ROWS, SheetRefused

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_BYTES = 900_000
MOST_UNPACKED_BYTES = 30_000_000
MOST_COLUMNS = 60
LONGEST_FIELD = 40_000
# A spreadsheet would calculate a cell of text that begins with one of these.
FORMULA = re.compile(r"'*[=+\-@\t\r]")
QUOTED = re.compile(r"''*[=+\-@\t\r]")
# What zipfile raises for a member that is broken, locked or packed in a way it does not know.
DAMAGED = (
    EOFError,
    LZMAError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
# In each encoding that the reader of XML knows by itself.
DOCUMENT_TYPE = re.compile(
    b"|".join(
        re.escape(sign.encode(encoding))
        for sign in ("<!DOCTYPE", "<!ENTITY")
        for encoding in ("ascii", "utf-16-le", "utf-16-be")
    )
)
# What openpyxl raises for a file that is not as it says, each seen in the tests or its code.
UNREADABLE = (
    AttributeError,
    IndexError,
    InvalidFileException,
    KeyError,
    OSError,
    OverflowError,
    ParseError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_sheet(content: bytes) -> list[list[str]]:
    """The cells of a file as text, whatever its name says; raises SheetRefused."""
    if not content.strip():
        raise SheetRefused("The file is empty. Choose a CSV or XLSX file.")
    if len(content) > MOST_BYTES:
        raise SheetRefused(
            f"The file has more than {MOST_BYTES // 1000} kB. Split the season in two."
        )
    if content.startswith(b"PK\x03\x04"):
        return _from_xlsx(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise SheetRefused("This is the old Excel format. Save the file as XLSX or CSV first.")
    return _from_csv(_text(content))


def as_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """With the mark that lets Excel read accents, and no cell it would take for a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([f"'{cell}" if FORMULA.match(cell) else cell for cell in row])
    return codecs.BOM_UTF8 + text.getvalue().encode()


def as_xlsx(rows: Iterable[Sequence[str]], *, widths: Sequence[int] = ()) -> bytes:
    """One sheet, every cell text; the first row stays in sight. `widths` are in characters."""
    content = io.BytesIO()
    book = Workbook(content, {"in_memory": True})
    sheet = book.add_worksheet("Season")
    head = book.add_format({"bold": True, "bottom": 1})
    plain = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
    quoted = book.add_format(
        {"text_wrap": True, "valign": "top", "num_format": "@", "quote_prefix": True}
    )
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            form = head if number == 0 else quoted if FORMULA.match(cell) else plain
            sheet.write_string(number, column, cell, form)
    for column, width in enumerate(widths):
        # The form also holds for rows still empty: a day typed there stays as typed.
        sheet.set_column(column, column, width, plain)
    sheet.freeze_panes(1, 0)
    book.close()
    return content.getvalue()


def _text(content: bytes) -> str:
    """Excel writes any of these, and says which only sometimes."""
    encodings = ["utf-8-sig", "cp1252"]
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif b"\0" in content[:200]:
        encodings = ["utf-16-le" if content[1:2] == b"\0" else "utf-16-be"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise SheetRefused("This is not a table. Choose a CSV or XLSX file.")


def _from_csv(text: str) -> list[list[str]]:
    announced = re.match(r"sep=(.)\r?\n", text)
    if announced:
        text = text[announced.end() :]
    separator = announced[1] if announced else _separator(text)
    csv.field_size_limit(LONGEST_FIELD)
    rows = []
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            rows.append(_trimmed([_unquoted(cell) for cell in cells[:MOST_COLUMNS]]))
            _ensure_few(rows)
    except csv.Error as error:
        raise SheetRefused(
            f"The table cannot be read from row {len(rows) + 1} on: a quotation mark is left open "
            "there, or a cell is too long. Save it as CSV again, or as XLSX."
        ) from error
    return rows


def _separator(text: str) -> str:
    """What stands most often in the first line, outside quotation marks."""
    first = re.sub(r'"[^"]*"', "", (text.splitlines() or [""])[0])
    return max(",;\t", key=first.count)


def _from_xlsx(content: bytes) -> list[list[str]]:
    _ensure_small(content)
    try:
        # Not data_only: a formula is seen as one, and its last result is not believed.
        book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its own size may be a lie
        rows: list[list[str]] = []
        for cells in sheet.iter_rows(max_col=MOST_COLUMNS, max_row=MOST_ROWS * 4 + 2):
            rows.append(_trimmed([_shown(cell.value, cell.data_type) for cell in cells]))
            _ensure_few(rows)
        book.close()
    except UNREADABLE as error:
        raise SheetRefused(
            "This XLSX file cannot be read. Open it, save it anew, or save it as CSV."
        ) from error
    return rows


def _ensure_small(content: bytes) -> None:
    """A few kB can unpack to gigabytes, and a document type can grow without end."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > MOST_UNPACKED_BYTES:
                raise SheetRefused("The file is too large once unpacked. Save it as CSV.")
            if "[Content_Types].xml" not in archive.namelist():
                raise SheetRefused("This is not an XLSX file. Choose a CSV or XLSX file.")
            for member in members:
                # To its end: a comment of megabytes may stand before the document type, and what
                # comes before is what the reader of XML lets grow a hundredfold.
                if DOCUMENT_TYPE.search(archive.read(member)):
                    raise SheetRefused("This XLSX file holds what no spreadsheet writes.")
    except DAMAGED as error:
        raise SheetRefused(
            "This XLSX file is damaged or locked by a password. Save it anew."
        ) from error


def _shown(value: object, kind: str) -> str:
    """A cell as text, times as they are typed; a formula keeps its sign."""
    match value:
        case None:
            return ""
        case datetime():
            return f"{value:%Y-%m-%d}" if value.time() == time() else f"{value:%Y-%m-%d %H:%M:%S}"
        case time():
            return f"{value:%H:%M}"
        case float() if value.is_integer():
            return str(int(value))
        case _ if kind == "f":
            return f"{FORMULA_MARK}{value}"
        case _:
            return str(value)


def _trimmed(cells: list[str]) -> list[str]:
    """Without the empty cells behind the last one that says something."""
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _unquoted(cell: str) -> str:
    return cell[1:] if QUOTED.match(cell) else cell


def _ensure_few(rows: Sequence[Sequence[str]]) -> None:
    if len(rows) > MOST_ROWS * 4:
        raise SheetRefused(f"The table has too many rows; {MOST_ROWS} can be imported at a time.")
