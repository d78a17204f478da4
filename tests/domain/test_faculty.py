"""What the faculty still owe, and when they are reminded."""

from datetime import UTC, date, datetime, timedelta

import pytest

from webinar.domain.faculty import (
    Need,
    SentIn,
    Words,
    cleaned,
    reminder_due,
    safe_filename,
    still_missing,
)
from webinar.domain.person import FormRefused
from webinar.domain.session import FacultyPart

# Thursday 26 November 2026, 18:15 in Zurich.
STARTS_AT = datetime(2026, 11, 26, 17, 15, tzinfo=UTC)
PRESENTS = frozenset({FacultyPart.PRESENTER})
LONG_AGO = STARTS_AT - timedelta(days=60)


def owed(sent: SentIn) -> list[Need]:
    return [one.need for one in still_missing(sent, starts_at=STARTS_AT, zone="Europe/Zurich")]


def test_a_presenter_is_asked_for_everything() -> None:
    assert owed(SentIn(PRESENTS)) == list(Need)


def test_a_moderator_is_not_asked_for_slides() -> None:
    assert owed(SentIn(frozenset({FacultyPart.MODERATOR}))) == [
        Need.DISCLOSURE,
        Need.CONSENT,
        Need.BIOGRAPHY,
        Need.PHOTO,
    ]


@pytest.mark.parametrize("need", Need)
def test_what_is_in_is_not_asked_for_again(need: Need) -> None:
    everything = {one.value: True for one in Need}

    assert owed(SentIn(PRESENTS, **everything)) == []
    assert owed(SentIn(PRESENTS, **(everything | {need.value: False}))) == [need]


@pytest.mark.parametrize(
    ("zone", "due_on"), [("Europe/Zurich", date(2026, 11, 5)), ("Asia/Tokyo", date(2026, 11, 6))]
)
def test_days_are_counted_in_the_zone_of_the_session(zone: str, due_on: date) -> None:
    missing = still_missing(SentIn(PRESENTS), starts_at=STARTS_AT, zone=zone)

    assert (missing[0].need, missing[0].due_on) == (Need.DISCLOSURE, due_on)
    assert missing[0].words == "your disclosure"


@pytest.mark.parametrize(
    ("asked_days_before", "due_days_before"), [(60, 21), (24, 21), (22, 19), (5, 2), (2, 0)]
)
def test_who_is_asked_late_has_three_days_but_no_longer_than_until_the_session(
    asked_days_before: int, due_days_before: int
) -> None:
    asked_at = STARTS_AT - timedelta(days=asked_days_before)

    missing = still_missing(
        SentIn(PRESENTS), starts_at=STARTS_AT, zone="Europe/Zurich", asked_at=asked_at
    )

    assert missing[0].due_on == date(2026, 11, 26) - timedelta(days=due_days_before)


@pytest.mark.parametrize(
    ("days_left", "reminder"),
    [(22, None), (21, 21), (11, 21), (10, 10), (4, 10), (3, 3), (0.1, 3), (0, None), (-1, None)],
)
def test_the_latest_reminder_that_should_be_out_is_due(
    days_left: float, reminder: int | None
) -> None:
    now = STARTS_AT - timedelta(days=days_left)

    assert reminder_due(starts_at=STARTS_AT, invited_at=LONG_AGO, now=now) == reminder


def test_nobody_is_reminded_of_what_they_were_asked_a_moment_ago() -> None:
    five_days_before = STARTS_AT - timedelta(days=5)

    assert (
        reminder_due(starts_at=STARTS_AT, invited_at=five_days_before, now=five_days_before) is None
    )
    assert (
        reminder_due(
            starts_at=STARTS_AT, invited_at=five_days_before, now=STARTS_AT - timedelta(days=2)
        )
        == 3
    )


def test_words_are_trimmed_and_lines_of_the_biography_kept() -> None:
    words = Words("  Prof  Elena Marchetti ", " Milan\n", " She operates.\r\nShe teaches. ")

    assert cleaned(words) == Words("Prof Elena Marchetti", "Milan", "She operates.\nShe teaches.")


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        (Words(""), {"name"}),
        (Words("x" * 201, "y" * 201, "z" * 1501), {"name", "affiliation", "biography"}),
    ],
)
def test_words_that_do_not_fit_are_named(words: Words, fields: set[str]) -> None:
    with pytest.raises(FormRefused) as refusal:
        cleaned(words)

    assert set(refusal.value.problems) == fields


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("My talk (final).PDF", "My talk (final).pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\me\\talk.exe", "talk.pdf"),
        ("Лекция о раке.pdf", "Лекция о раке.pdf"),
        ('a"b\r\nSet-Cookie: x=1.pdf', "ab Set-Cookie x1.pdf"),
        ("...", "slides.pdf"),
        ("", "slides.pdf"),
        (".pdf", "pdf.pdf"),
        ("x" * 300, "x" * 100 + ".pdf"),
    ],
)
def test_a_file_is_given_back_under_a_harmless_name(sent: str, name: str) -> None:
    assert safe_filename(sent, extension="pdf", otherwise="slides") == name
