"""The record of a destruction: frozen facts, the same bytes, what remains possible."""

from datetime import UTC, datetime

import pypdfium2
import pytest

from webinar.documents.destruction import destruction_pdf, facts_in_words
from webinar.domain.destruction import (
    DestructionFacts,
    DestructionRecord,
    new_destruction_number,
)


@pytest.fixture
def record() -> DestructionRecord:
    return DestructionRecord(
        number="DEL-RSDC-KTG6-KHCS",
        facts=DestructionFacts(
            session="Sentinel nodes after neoadjuvant therapy",
            public_id="k7m2qx4p",
            society="Demo School of Oncology",
            series="e-grandrounds",
            zone="Europe/Zurich",
            starts_at=datetime(2026, 11, 26, 17, 15, tzinfo=UTC),
            ended_at=datetime(2026, 11, 26, 18, 0, tzinfo=UTC),
            recording="a1b2c3d4",
            opened_at=datetime(2026, 11, 26, 18, 1, tzinfo=UTC),
            closed_at=datetime(2027, 5, 26, 17, 0, tzinfo=UTC),
            last_end=datetime(2027, 6, 2, 17, 0, tzinfo=UTC),
            extensions=3,
            decided_by="",
            reason="",
        ),
        keys=9,
        segments=1354,
        bytes=512_345_678,
        takes=2,
        keys_destroyed_at=datetime(2027, 6, 2, 17, 0, 12, tzinfo=UTC),
        media_deleted_at=None,
        media_due_at=datetime(2027, 6, 9, 17, 0, 12, tzinfo=UTC),
        checked_at=datetime(2027, 6, 2, 17, 0, 13, tzinfo=UTC),
        provider="Demo School of Oncology",
    )


def test_the_record_prints_what_was_counted_and_what_remains(record: DestructionRecord) -> None:
    pdf = destruction_pdf(record)

    page = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()
    words = " ".join(page.split())
    for said in (
        "DEL-RSDC-KTG6-KHCS",
        "Sentinel nodes after neoadjuvant therapy",
        "9 keys; 2 Jun 2027, 19:00 Zurich (2027-06-02T17:00:12Z)",
        "3 extensions; the last ended 2 Jun 2027, 19:00 Zurich",
        "unreadable, to be deleted 9 Jun 2027",
        "the clock",
        "program fetched while the recording was open",
        "at most 35 days",
    ):
        assert said in words, said


def test_the_same_facts_give_the_same_bytes(record: DestructionRecord) -> None:
    assert destruction_pdf(record) == destruction_pdf(record)


def test_the_facts_come_back_from_the_database_as_they_were(record: DestructionRecord) -> None:
    assert DestructionFacts.from_data(record.facts.to_data()) == record.facts


def test_the_paper_says_what_the_page_says(record: DestructionRecord) -> None:
    labels = [label for label, _ in facts_in_words(record)]

    assert labels == [
        "Session",
        "Society",
        "Held",
        "Recording",
        "Could be watched from",
        "Closed",
        "Extensions",
        "Keys destroyed",
        "Raw takes deleted",
        "Also deleted",
        "Encrypted segments",
        "Last looked for remains",
        "Decided by",
    ]


def test_the_number_is_made_like_that_of_a_certificate() -> None:
    assert new_destruction_number(b"12345678").startswith("DEL-")
    assert len(new_destruction_number(b"12345678")) == len("DEL-7K3M-9QXT-4B2H")
