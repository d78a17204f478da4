"""A file's bytes as text, as rows of cells, or as JSON; each in bounds."""

import codecs
import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence

from webinar.domain.attendance_report import ReportRefused

MOST_BYTES = 8_000_000
MOST_ROWS = 20_000
LONGEST_CELL = 20_000
SEPARATORS = ("\t", ",", ";")


def text_of(content: bytes) -> str:
    """The text, whatever the program wrote it in: Teams writes UTF-16, most others UTF-8."""
    if not content.strip():
        raise ReportRefused("The file is empty. Export the report again.")
    if len(content) > MOST_BYTES:
        raise ReportRefused(f"The file has more than {MOST_BYTES // 1_000_000} MB.")
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")):
        raise ReportRefused(
            "This is not a report as the program exports it. Give the CSV or JSON file itself, "
            "not one saved from a spreadsheet."
        )
    for encoding in _encodings(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text.removeprefix("\ufeff")
    raise ReportRefused("This is not a text file. Export the report as CSV or JSON.")


def rows_of(text: str) -> list[list[str]]:
    """The cells of a table, trimmed; the same number of rows as the file has lines of cells."""
    separator = max(SEPARATORS, key=lambda sign: max(line.count(sign) for line in _lines(text)))
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        rows = [[_cell(cell) for cell in row] for row in reader]
    except csv.Error as wrong:
        raise ReportRefused("The table is damaged. Export the report again.") from wrong
    if len(rows) > MOST_ROWS:
        raise ReportRefused(f"The report has more than {MOST_ROWS} rows. Import it in parts.")
    return rows


def headings(row: Sequence[str]) -> list[str]:
    """The cells as names of columns: programs change their letter case between versions."""
    return [" ".join(cell.casefold().split()) for cell in row]


def json_of(text: str) -> list[object]:
    """The JSON documents of the text: one, or several one after another, as pages are saved."""
    found: list[object] = []
    decoder, at = json.JSONDecoder(), 0
    try:
        while at < len(text):
            if text[at].isspace() or text[at] == ",":
                at += 1
                continue
            document, at = decoder.raw_decode(text, at)
            found += document if isinstance(document, list) else [document]
    except (ValueError, RecursionError) as wrong:
        raise ReportRefused("The JSON is damaged. Save the answer again, whole.") from wrong
    return found


def mapping(value: object) -> Mapping[str, object]:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def listed(value: object) -> list[object]:
    """The value if it is a JSON list, else an empty one."""
    return value if isinstance(value, list) else []


def words(value: object) -> str:
    """The value as text if it is text or a number, trimmed; else nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return _cell(str(value))


def _cell(text: str) -> str:
    if len(text) > LONGEST_CELL:
        raise ReportRefused("A cell of the table never ends. Export the report again.")
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _lines(text: str) -> Iterator[str]:
    yield from text.splitlines()[:50]


def _encodings(content: bytes) -> Sequence[str]:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    head = content[:400]
    if b"\0" in head:
        return ("utf-16-le", "utf-16-be") if head[1:2] == b"\0" else ("utf-16-be", "utf-16-le")
    return ("utf-8", "cp1252")
