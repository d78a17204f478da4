import io
from dataclasses import replace

import pytest
from pypdf import PdfReader

from tests.certificate_samples import CONTENT, EACCME, ESMO
from webinar.documents.archive_pdf import UnprintableText
from webinar.documents.certificate import certificate_pdf
from webinar.domain.attendance import ViewingMode
from webinar.domain.certificate import CertificateContent


def read(content: CertificateContent) -> PdfReader:
    return PdfReader(io.BytesIO(certificate_pdf(content)))


def lines_of(content: CertificateContent) -> list[str]:
    return [line for page in read(content).pages for line in page.extract_text().splitlines()]


def test_everything_a_certificate_must_say_stands_on_one_page():
    assert lines_of(CONTENT) == [
        "DSO",
        "DEMO SCHOOL OF ONCOLOGY",
        "Demo School of Oncology, Zurich",
        "under the auspices of the Demo Society",
        "Certificate of attendance",
        "THIS CERTIFIES THAT",
        "Dr. Ελένη Παπαδοπούλου-Šimić",
        "ATTENDED",
        "Axillary surgery after neoadjuvant treatment",
        "e-grandrounds",
        "HELD Thursday 26 November 2026, 18:15–19:00 CET (Zurich)",
        "FORMAT Live internet event, attended as it happened",
        "TIME COUNTED 43 minutes",
        "FACULTY Prof. Jana Nováková · Dr. Luca Rossi",
        "0.5 ECMEC",
        "EACCME",
        "Accredited by the EACCME with 0.5 European CME credits (ECMECs).",
        "Reference LEE-2026-00001",
        "1 point",
        "ESMO-MORA",
        "Accredited with 1 ESMO-MORA point.",
        "Prof. Jana Nováková, scientific chair",
        "Issued online, 26 November 2026",
        "WCS-TA8G-C8CE-XS1Y",
        "Anyone can check this certificate: scan the code, or go to",
        "https://webinar.example/verify/WCS-TA8G-C8CE-XS1Y",
        "The file is digitally signed; the signature can be checked without us.",
        "Declarations of interest: https://webinar.example/sessions/k3Jd9w",
        f"SHA-256 {CONTENT.digest} Scan to verify",
    ]
    assert len(read(CONTENT).pages) == 1


def test_an_extract_shows_one_credit_and_says_that_there_are_more():
    pages = PdfReader(io.BytesIO(certificate_pdf(CONTENT, only=1))).pages
    lines = [line for page in pages for line in page.extract_text().splitlines()]

    assert lines[14:18] == [
        "Extract: 1 of the 2 credits of certificate WCS-TA8G-C8CE-XS1Y.",
        "1 point",
        "ESMO-MORA",
        "Accredited with 1 ESMO-MORA point.",
    ]
    assert lines[-1] == f"SHA-256 {CONTENT.digest} Scan to verify"


def test_a_short_name_in_capitals_is_its_own_mark():
    assert lines_of(replace(CONTENT, provider="ESSO"))[:2] == ["ESSO", "ESSO"]


def test_the_page_is_a4_upright():
    page = read(CONTENT).pages[0].mediabox

    assert (round(page.width / 72 * 25.4), round(page.height / 72 * 25.4)) == (210, 297)


def test_the_file_claims_to_be_accessible_and_archivable():
    reader = read(CONTENT)
    root = reader.trailer["/Root"]
    xmp = reader.xmp_metadata.rdf_root.toxml()

    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert "<pdfuaid:part>1</pdfuaid:part>" in xmp
    assert "<pdfaid:part>2</pdfaid:part>" in xmp
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in xmp


def test_the_file_says_what_it_is_whose_it_is_and_who_made_it():
    information = read(CONTENT).metadata

    assert information.title == (
        "Certificate of attendance WCS-TA8G-C8CE-XS1Y: Axillary surgery after neoadjuvant treatment"
    )
    assert information.author == "Demo School of Oncology"
    assert information.creation_date_raw == "D:20261126000000Z"


def test_both_addresses_can_be_clicked():
    annotations = read(CONTENT).pages[0]["/Annots"]

    assert sorted(str(note.get_object()["/A"]["/URI"]) for note in annotations) == [
        "https://webinar.example/sessions/k3Jd9w",
        "https://webinar.example/verify/WCS-TA8G-C8CE-XS1Y",
    ]


def test_the_same_content_gives_the_same_bytes():
    assert certificate_pdf(CONTENT) == certificate_pdf(CONTENT)


def test_a_recording_is_not_called_attendance_of_the_live_event():
    lines = lines_of(replace(CONTENT, mode=ViewingMode.RECORDED, minutes_attended=61))

    assert lines[7] == "WATCHED THE RECORDING OF"
    assert lines[11] == "FORMAT Recording of a live internet event, watched afterwards"
    assert lines[12] == "TIME COUNTED 1 hour 1 minute"


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "0 minutes"), (1, "1 minute"), (60, "1 hour"), (125, "2 hours 5 minutes")],
)
def test_time_is_told_in_words(minutes, words):
    assert lines_of(replace(CONTENT, minutes_attended=minutes))[12] == f"TIME COUNTED {words}"


def test_attendance_without_credit_says_so():
    lines = lines_of(replace(CONTENT, lines=(), faculty=(), signatory=""))

    assert lines[12:15] == [
        "TIME COUNTED 43 minutes",
        "This certificate confirms attendance. It carries no credit.",
        "Issued online, 26 November 2026",
    ]


def test_a_correction_names_the_certificate_it_stands_in_for():
    lines = lines_of(replace(CONTENT, supersedes="WCS-7K3M-9QXT-4B2H"))

    assert lines[-2] == "It takes the place of certificate WCS-7K3M-9QXT-4B2H."


def test_many_credit_lines_go_on_to_a_second_page_with_their_number():
    reader = read(replace(CONTENT, lines=(EACCME, ESMO) * 6))

    pages = [page.extract_text().splitlines() for page in reader.pages]
    assert [lines[-1] for lines in pages] == [
        "WCS-TA8G-C8CE-XS1Y, page 1 of 2",
        "WCS-TA8G-C8CE-XS1Y, page 2 of 2",
    ]
    assert sum(line == "ESMO-MORA" for lines in pages for line in lines) == 6


@pytest.mark.parametrize(
    "name",
    ["Nguyễn Thị Ánh", "Иван Петров", "Åse Øst-Ægir ßŁőș", '#strong[x] $y$ `z` "q" @a <b>'],
)
def test_names_are_set_as_they_are_typed(name):
    assert lines_of(replace(CONTENT, person_name=name))[6] == name


def test_a_character_without_a_shape_is_refused_by_name():
    with pytest.raises(UnprintableText) as refused:
        certificate_pdf(replace(CONTENT, person_name="王小明"))

    assert str(refused.value) == (
        "The certificate cannot be set with “王”. Write it in Latin, Greek, "
        "Cyrillic, Hebrew or Arabic letters."
    )
