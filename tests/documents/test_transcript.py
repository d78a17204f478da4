"""The transcript on paper and as a table."""

import csv
import io
from dataclasses import replace
from datetime import date
from decimal import Decimal

from pypdf import PdfReader

from tests.domain.test_transcript import EVENING
from webinar.documents.transcript import transcript_csv, transcript_pdf
from webinar.domain.transcript import Year, by_year

YEARS = by_year([EVENING, replace(EVENING, day=date(2026, 1, 8), certificate="", reference="")])


def pdf_of(years: tuple[Year, ...]) -> PdfReader:
    made = transcript_pdf(
        years,
        person="Dr Ελένη Šimić",
        site="Grand Rounds Online",
        verify_url="https://webinar.example/verify/",
        made_on=date(2026, 12, 1),
    )
    return PdfReader(io.BytesIO(made))


def test_the_paper_names_the_person_each_credit_and_the_sum() -> None:
    text = pdf_of(YEARS).pages[0].extract_text()

    assert [
        words
        for words in (
            "Dr Ελένη Šimić",
            "credit held on 1 December 2026",
            "EACCME: 1 ECMEC",
            "26 November",
            "Demo School; live, 43 min, reference LEE-1",
            "WCS-TA8G-C8CE-XS1Y",
            "none stands",
        )
        if words not in text
    ] == []


def test_the_paper_is_for_the_archive_and_for_readers_by_ear() -> None:
    xmp = pdf_of(YEARS).xmp_metadata.rdf_root.toxml()

    assert "<pdfuaid:part>1</pdfuaid:part>" in xmp
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in xmp


def test_a_long_life_goes_on_over_pages() -> None:
    many = [replace(EVENING, title=f"Session {number}") for number in range(120)]

    assert len(pdf_of(by_year(many)).pages) == 6


def test_no_credit_makes_a_paper_too() -> None:
    assert "No credit so far." in pdf_of(()).pages[0].extract_text()


def test_the_table_has_a_row_for_each_credit_and_calculates_nothing() -> None:
    risky = by_year([replace(EVENING, title="=1+1", credit=Decimal("0.50"))])

    rows = list(csv.reader(io.StringIO(transcript_csv(risky).decode("utf-8-sig"))))

    assert rows == [
        ["Date", "Session", "Provider", "How", "Minutes", "Body", "Reference", "Credit", "Unit",
         "Certificate"],
        ["2026-11-26", "'=1+1", "Demo School", "live", "43", "EACCME", "LEE-1", "0.5", "ECMEC",
         "WCS-TA8G-C8CE-XS1Y"],
    ]  # fmt: skip
