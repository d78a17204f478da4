"""The post-event report as PDF (PDF/UA-1, A-2a), XLSX, CSV and JSON: the same words in each."""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from webinar.documents.archive_pdf import archive_pdf
from webinar.documents.sheets import FORMULA, as_csv
from webinar.domain.report import Chart, Grid, Report, Section, report_data
from webinar.domain.wording import local_moment

JSON_TYPE = "application/json; charset=utf-8"
PDF_TYPE = "application/pdf"
LONGEST_SHEET_NAME = 31


@dataclass(frozen=True, kw_only=True)
class Signature:
    """Who signed the report, as which, and when."""

    name: str
    role: str
    signed_at: datetime
    zone: str

    @property
    def words(self) -> str:
        who = ", ".join(part for part in (self.name, self.role) if part)
        return f"Signed by {who}, {local_moment(self.signed_at, self.zone)}."


def report_pdf(report: Report, signature: Signature | None) -> bytes:
    """The report on paper; the same content gives the same bytes. Raises UnprintableText."""
    return archive_pdf(
        "report.typ",
        "report",
        _paper(report, signature),
        otherwise="Download the report as XLSX or CSV instead, or write it in other letters.",
    )


def report_json(report: Report, signature: Signature | None) -> bytes:
    """Everything, for programs: the plain numbers under `figures`."""
    data = report_data(report) | {
        "signed": None
        if signature is None
        else {
            "name": signature.name,
            "role": signature.role,
            "at": signature.signed_at.isoformat(),
        }
    }
    return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode()


def report_csv(report: Report, signature: Signature | None) -> bytes:
    """One thing said a line: section, table, row, column, value."""
    head = ["section", "table", "row", "column", "value"]
    return as_csv([head, *_head_lines(report, signature), *_lines(report)])


def report_xlsx(report: Report, signature: Signature | None) -> bytes:
    """A sheet a section; numbers are numbers, and each chart is drawn from its table."""
    content = io.BytesIO()
    book = Workbook(content, {"in_memory": True})
    # Read from the report, so that the same report gives the same bytes.
    book.set_properties({"title": report.title, "created": report.counted_at.replace(tzinfo=None)})
    writer = _Writer(book)
    writer.open("Report")
    for _, _, row, _, value in _head_lines(report, signature):
        writer.row((row, value))
    for section in report.sections:
        writer.open(section.title)
        writer.heading(section.title)
        for label, value in section.facts:
            writer.row((label, int(value) if value.isdecimal() else value))
        for words in section.words:
            writer.row((words,))
        for chart in section.charts:
            writer.chart(chart)
        for grid in section.grids:
            writer.grid(grid)
    book.close()
    return content.getvalue()


class _Writer:
    """Writes below what was written before, on the sheet that is open."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._bold: Format = book.add_format({"bold": True, "valign": "top"})
        self._wrap: Format = book.add_format({"text_wrap": True, "valign": "top"})
        self._quoted: Format = book.add_format(
            {"text_wrap": True, "valign": "top", "quote_prefix": True}
        )
        self._sheet: Worksheet
        self._at = 0

    def open(self, title: str) -> None:
        self._sheet = self._book.add_worksheet(title[:LONGEST_SHEET_NAME])
        self._sheet.set_column(0, 0, 44)
        self._sheet.set_column(1, 6, 22)
        self._at = 0

    def heading(self, words: str) -> None:
        self._sheet.write_string(self._at, 0, words, self._bold)
        self._at += 1

    def row(self, cells: Sequence[str | int]) -> None:
        for column, cell in enumerate(cells):
            if isinstance(cell, int):
                self._sheet.write_number(self._at, column, cell, self._wrap)
            else:
                form = self._quoted if FORMULA.match(cell) else self._wrap
                self._sheet.write_string(self._at, column, cell, form)
        self._at += 1

    def grid(self, grid: Grid) -> None:
        self._at += 1
        self.heading(grid.title)
        for column, words in enumerate(grid.columns):
            self._sheet.write_string(self._at, column, words, self._bold)
        self._at += 1
        for row in grid.rows:
            self.row(row)

    def chart(self, chart: Chart) -> None:
        self._at += 1
        self.heading(chart.title)
        self._sheet.write_string(self._at, 1, chart.unit, self._bold)
        self._at += 1
        first = self._at
        for line in chart.lines:
            self.row((line.label, line.number))
        if chart.note:
            self.row((chart.note,))
        if not chart.lines:
            return
        drawn = self._book.add_chart({"type": "bar"})
        last = first + len(chart.lines) - 1
        name = self._sheet.get_name()
        drawn.add_series(
            {
                "name": chart.title,
                "categories": [name, first, 0, last, 0],
                "values": [name, first, 1, last, 1],
                "fill": {"color": "#0b5a63"},
                "gap": 60,
            }
        )
        drawn.set_legend({"none": True})
        drawn.set_title({"name": chart.title, "name_font": {"size": 10}})
        drawn.set_y_axis({"reverse": True})
        drawn.set_x_axis({"min": 0, "major_gridlines": {"visible": False}})
        height = 60 + 24 * len(chart.lines)
        drawn.set_size({"width": 480, "height": height})
        self._sheet.insert_chart(
            first - 1, 3, drawn, {"description": f"{chart.title}: as in the table beside it"}
        )
        self._at = max(self._at, first + height // 20)


def _head_lines(report: Report, signature: Signature | None) -> list[list[str]]:
    facts = [
        ("Post-event report", report.title),
        ("Provider", report.provider),
        ("Body", report.body),
        ("Reference", report.reference),
        ("Held", report.held),
        ("Counted", local_moment(report.counted_at, "UTC")),
        ("Signed", signature.words if signature else "not signed yet"),
    ]
    return [["report", "", label, "", value] for label, value in facts]


def _lines(report: Report) -> Iterator[list[str]]:
    for section in report.sections:
        for label, value in section.facts:
            yield [section.key, "", label, "", value]
        for number, words in enumerate(section.words, start=1):
            yield [section.key, "", f"text {number}", "", words]
        for chart in section.charts:
            for line in chart.lines:
                yield [section.key, chart.title, line.label, chart.unit, str(line.number)]
        for grid in section.grids:
            for row in grid.rows:
                for column, cell in zip(grid.columns[1:], row[1:], strict=True):
                    yield [section.key, grid.title, row[0], column, cell]


def _paper(report: Report, signature: Signature | None) -> dict[str, object]:
    day = signature.signed_at if signature else report.counted_at
    return {
        "title": report.title,
        "provider": report.provider,
        "body": report.body,
        "head": [line[2::2] for line in _head_lines(report, signature)[1:]],
        "signature": signature.words if signature else "",
        "sections": [_paper_section(section) for section in report.sections],
        "year": day.year,
        "month": day.month,
        "day": day.day,
    }


def _paper_section(section: Section) -> dict[str, object]:
    return {
        "title": section.title,
        "facts": [list(fact) for fact in section.facts],
        "words": list(section.words),
        "charts": [
            {
                "title": chart.title,
                "unit": chart.unit,
                "note": chart.note,
                "top": max((line.number for line in chart.lines), default=0),
                "lines": [[line.label, line.number, line.shown] for line in chart.lines],
            }
            for chart in section.charts
        ],
        "grids": [
            {
                "title": grid.title,
                "columns": list(grid.columns),
                "rows": [list(r) for r in grid.rows],
            }
            for grid in section.grids
            if grid.rows
        ],
    }
