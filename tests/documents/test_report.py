"""The post-event report on paper and in spreadsheets: the same words and numbers in each."""

import csv
import io
import json
from datetime import UTC, datetime

from openpyxl import load_workbook
from pypdf import PdfReader

from webinar.documents.report import (
    Signature,
    report_csv,
    report_json,
    report_pdf,
    report_xlsx,
)
from webinar.domain.report import Chart, Grid, Line, Report, Section

AT = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
SIGNED = Signature(
    name="Prof Elena Marchetti", role="Scientific chair", signed_at=AT, zone="Europe/Zurich"
)
REPORT = Report(
    title="Sentinel nodes after neoadjuvant therapy",
    body="European Accreditation Council for CME",
    provider="Demo School of Oncology",
    reference="LEE-2026-0815",
    held="26 Nov 2026, 18:15–19:00 Europe/Zurich",
    counted_at=AT,
    figures=(("registered", 42), ("attended", 31)),
    sections=(
        Section(
            key="participants",
            title="Participants",
            facts=(("Registered", "42"), ("Attended live (different people)", "31")),
            charts=(
                Chart(
                    "Attended live, by country",
                    "People",
                    (Line("Switzerland", 19), Line("2 other countries", 12)),
                    "Small groups stand together.",
                ),
            ),
        ),
        Section(
            key="feedback",
            title="Feedback",
            words=("Given without a name.",),
            grids=(
                Grid(
                    "Commercial bias, in their words",
                    ("No.", "Text"),
                    (("1", "=A logo on every slide"), ("2", "Nothing")),
                ),
            ),
        ),
    ),
)


def words_of(pdf: bytes) -> str:
    return " ".join(
        " ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages
    )


def test_the_paper_says_everything_and_who_signed_it() -> None:
    words = words_of(report_pdf(REPORT, SIGNED))

    for said in (
        "Post-event report",
        "Sentinel nodes after neoadjuvant therapy",
        "LEE-2026-0815",
        "Switzerland 19",
        "2 other countries 12",
        "Small groups stand together.",
        "Given without a name.",
        "=A logo on every slide",
        "Signed by Prof Elena Marchetti, Scientific chair, Mon 30 Nov 2026, 10:00 CET.",
    ):
        assert said in words, said


def test_a_report_that_is_not_signed_says_so() -> None:
    assert "not signed yet: its figures may still change" in words_of(report_pdf(REPORT, None))


def test_the_paper_is_for_the_archive_and_for_readers_by_ear() -> None:
    reader = PdfReader(io.BytesIO(report_pdf(REPORT, SIGNED)))
    metadata = reader.xmp_metadata
    assert metadata is not None
    xmp = metadata.rdf_root.toxml()

    assert reader.root_object["/Lang"] == "en"
    assert "<pdfuaid:part>1</pdfuaid:part>" in xmp
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in xmp


def test_the_same_report_gives_the_same_bytes() -> None:
    assert report_pdf(REPORT, SIGNED) == report_pdf(REPORT, SIGNED)
    assert report_xlsx(REPORT, SIGNED) == report_xlsx(REPORT, SIGNED)


def test_the_spreadsheet_has_a_sheet_a_section_numbers_and_charts() -> None:
    book = load_workbook(io.BytesIO(report_xlsx(REPORT, SIGNED)))

    assert book.sheetnames == ["Report", "Participants", "Feedback"]
    cells = {row[0].value: row[1].value for row in book["Participants"].iter_rows()}
    assert (cells["Registered"], cells["Switzerland"]) == (42, 19)
    texts = [cell for row in book["Feedback"].iter_rows() for cell in row if cell.value]
    formula_like = next(cell for cell in texts if str(cell.value).startswith("="))
    assert (formula_like.data_type, formula_like.quotePrefix) == ("s", True)


def test_the_csv_has_one_thing_said_a_line() -> None:
    rows = list(csv.reader(io.StringIO(report_csv(REPORT, SIGNED).decode("utf-8-sig"))))

    assert rows[0] == ["section", "table", "row", "column", "value"]
    assert ["participants", "", "Registered", "", "42"] in rows
    assert ["participants", "Attended live, by country", "Switzerland", "People", "19"] in rows
    assert ["feedback", "Commercial bias, in their words", "2", "Text", "Nothing"] in rows
    assert rows[1:] == [row for row in rows[1:] if len(row) == 5]


def test_the_json_has_the_plain_numbers_and_the_signature() -> None:
    data = json.loads(report_json(REPORT, SIGNED))

    assert data["figures"] == {"registered": 42, "attended": 31}
    assert data["signed"]["name"] == "Prof Elena Marchetti"
    assert json.loads(report_json(REPORT, None))["signed"] is None
