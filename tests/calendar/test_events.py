from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from webinar.calendar.events import clean, content_digest, render_event
from webinar.domain.calendar_entry import Audience, SessionEntry, wall_text

ENTRY = SessionEntry(
    uid="session-17@webinar.example",
    sequence=3,
    created_at=datetime(2026, 1, 1, 9, 30, 15, 123456, tzinfo=UTC),
    changed_at=datetime(2026, 3, 1, 8, 0, 0, 999999, tzinfo=UTC),
    starts_at=datetime(2026, 3, 26, 17, 15, tzinfo=UTC),
    ends_at=datetime(2026, 3, 26, 18, 0, tzinfo=UTC),
    zone="Europe/Zurich",
    title="Myélome multiple; cas, questions",
    session_url="https://webinar.example/sessions/ab12cd",
    join_url="https://webinar.example/sessions/ab12cd/live",
    series="Weekly e-grandrounds",
    faculty=("Anna Keller", "Bruno Rossi"),
    categories=("Breast, cervix", "European School"),
    credits="Up to 0.5 EACCME credits",
    recording_until=datetime(2026, 9, 26, 17, 0, tzinfo=UTC),
)

GOLDEN = """\
BEGIN:VEVENT
UID:session-17@webinar.example
DTSTAMP:20260301T080000Z
CREATED:20260101T093015Z
LAST-MODIFIED:20260301T080000Z
SEQUENCE:3
DTSTART;TZID=Europe/Zurich:20260326T181500
DTEND;TZID=Europe/Zurich:20260326T190000
SUMMARY:Myélome multiple\\; cas\\, questions
STATUS:CONFIRMED
TRANSP:TRANSPARENT
URL:https://webinar.example/sessions/ab12cd
LOCATION:https://webinar.example/sessions/ab12cd/live
CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO;LABEL=Join live:https://webinar.e
 xample/sessions/ab12cd/live
DESCRIPTION:Weekly e-grandrounds\\nWith Anna Keller\\, Bruno Rossi\\nJoin liv
 e: https://webinar.example/sessions/ab12cd/live\\nSession page: https://web
 inar.example/sessions/ab12cd\\nUp to 0.5 EACCME credits\\nRecording until 26
  Sep 2026\\, 19:00 Zurich time: https://webinar.example/sessions/ab12cd
CATEGORIES:Breast\\, cervix,European School
END:VEVENT
"""


def rendered(entry: SessionEntry, audience: Audience = Audience.PUBLIC) -> list[str]:
    """Content lines, unfolded as bytes as RFC 5545, 3.1 advises."""
    raw = render_event(entry, audience=audience)
    return raw.replace(b"\r\n ", b"").decode().split("\r\n")


def line(entry: SessionEntry, name: str, audience: Audience = Audience.PUBLIC) -> str:
    """The one line of this property."""
    (found,) = [text for text in rendered(entry, audience) if text.startswith(name)]
    return found


def names(entry: SessionEntry) -> set[str]:
    return {text.partition(":")[0].partition(";")[0] for text in rendered(entry)}


def last_sunday(year: int, month: int) -> date:
    day = date(year, month, 31)
    return day - timedelta(days=day.isoweekday() % 7)


def utc_by_the_eu_rule(wall: datetime) -> datetime:
    """Central European wall time to UTC, written down without any time zone database."""
    summer = datetime.combine(last_sunday(wall.year, 3), time(2))
    winter = datetime.combine(last_sunday(wall.year, 10), time(3))
    hours = 2 if summer <= wall < winter else 1
    return (wall - timedelta(hours=hours)).replace(tzinfo=UTC)


def test_an_event_is_these_bytes():
    expected = GOLDEN.replace("\n", "\r\n").encode()

    assert render_event(ENTRY, audience=Audience.PUBLIC) == expected
    assert render_event(ENTRY, audience=Audience.PUBLIC) == expected


def test_a_personal_event_makes_the_person_busy_and_is_otherwise_the_same():
    expected = GOLDEN.replace("\n", "\r\n").replace("TRANSP:TRANSPARENT", "TRANSP:OPAQUE").encode()

    assert render_event(ENTRY, audience=Audience.PERSONAL) == expected


def test_a_cancelled_event_is_kept_says_so_twice_and_blocks_nobody():
    cancelled = replace(ENTRY, cancelled=True, recording_until=None)

    assert line(cancelled, "STATUS") == "STATUS:CANCELLED"
    assert line(cancelled, "TRANSP", Audience.PERSONAL) == "TRANSP:TRANSPARENT"
    assert line(cancelled, "SUMMARY") == ("SUMMARY:Cancelled: Myélome multiple\\; cas\\, questions")
    assert line(cancelled, "DESCRIPTION") == (
        "DESCRIPTION:This session is cancelled.\\nWeekly e-grandrounds"
        "\\nWith Anna Keller\\, Bruno Rossi"
        "\\nSession page: https://webinar.example/sessions/ab12cd"
    )
    assert names(ENTRY) - names(cancelled) == {"LOCATION", "CONFERENCE"}


def test_a_moved_event_keeps_its_uid_and_says_from_when():
    before = datetime(2026, 4, 16, 16, 15, tzinfo=UTC)
    moved = replace(
        ENTRY,
        starts_at=datetime(2026, 4, 17, 15, 0, tzinfo=UTC),
        ends_at=datetime(2026, 4, 17, 15, 45, tzinfo=UTC),
        moved_from=wall_text(before, "Europe/Zurich"),
    )

    assert line(moved, "UID") == "UID:session-17@webinar.example"
    assert line(moved, "DTSTART") == "DTSTART;TZID=Europe/Zurich:20260417T170000"
    assert line(moved, "DTEND") == "DTEND;TZID=Europe/Zurich:20260417T174500"
    assert line(moved, "DESCRIPTION").startswith("DESCRIPTION:Moved from Thu 16 April 18:15\\n")


def test_a_room_takes_the_place_of_the_address():
    hybrid = replace(ENTRY, room="Aula, Gelbes Haus; 1. Stock")

    assert line(hybrid, "LOCATION") == "LOCATION:Aula\\, Gelbes Haus\\; 1. Stock"


def test_an_event_with_nothing_to_add_has_no_empty_lines():
    bare = replace(
        ENTRY, series="", faculty=(), categories=("", "\x00"), credits="", recording_until=None
    )

    assert names(ENTRY) - names(bare) == {"CATEGORIES"}
    assert line(bare, "DESCRIPTION") == (
        "DESCRIPTION:Join live: https://webinar.example/sessions/ab12cd/live"
        "\\nSession page: https://webinar.example/sessions/ab12cd"
    )


def test_what_makes_programs_ask_or_ring_is_not_in_an_event():
    unwanted = {"METHOD", "ORGANIZER", "ATTENDEE", "ATTACH", "RRULE", "DURATION", "X-ALT-DESC"}

    assert names(ENTRY) & unwanted == set()
    assert b"VALARM" not in render_event(ENTRY, audience=Audience.PERSONAL)


@pytest.mark.parametrize(
    "title",
    [
        "Καρκίνος του μαστού: νέες θεραπείες και παρενέργειες στην κλινική πράξη σήμερα",
        "🩺🧬" * 40,
        "日本語のテスト、症例検討" * 20,
        "x" * 400,
        "a" + "é" * 200,
        "e\u0301" * 80,
    ],
)
def test_lines_are_folded_at_75_octets_and_never_inside_a_character(title):
    raw = render_event(replace(ENTRY, title=title), audience=Audience.PUBLIC)

    lines = raw.split(b"\r\n")
    assert lines.pop() == b""
    assert max(len(text) for text in lines) <= 75
    assert [text for text in lines if text != text.decode().encode()] == []
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert line(replace(ENTRY, title=title), "SUMMARY") == f"SUMMARY:{clean(title)}"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\x00b\x0bc\x0cd\x1be\x7ff", "a b c d e f"),
        ("a\x85b\u2028c\u2029d", "a b c d"),
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\tb", "a\tb"),
        ("  e\u0301 \n", "é"),
    ],
)
def test_text_is_composed_and_without_control_characters(text, cleaned):
    assert clean(text) == cleaned


def test_a_title_stays_on_one_line_and_cannot_add_a_property():
    nasty = replace(ENTRY, title="One\r\nATTENDEE:mailto:eve@example.net\x00\u2028two \\n three")

    assert line(nasty, "SUMMARY") == ("SUMMARY:One ATTENDEE:mailto:eve@example.net two \\\\n three")
    assert names(nasty) == names(ENTRY)


CLOCK_CHANGE_DAYS = [
    last_sunday(year, month) + timedelta(days=days)
    for year in (2026, 2027)
    for month in (3, 10)
    for days in (-3, -1, 0, 1, 4)
]


@pytest.mark.parametrize("day", CLOCK_CHANGE_DAYS, ids=str)
@pytest.mark.parametrize("zone", ["Europe/Zurich", "Europe/Rome"])
def test_wall_time_stays_across_both_clock_changes(day, zone):
    wall = datetime.combine(day, time(18, 15))
    starts_at = utc_by_the_eu_rule(wall)
    entry = replace(
        ENTRY, zone=zone, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=45)
    )

    assert line(entry, "DTSTART") == f"DTSTART;TZID={zone}:{wall:%Y%m%dT%H%M%S}"
    assert line(entry, "DTEND") == f"DTEND;TZID={zone}:{day:%Y%m%d}T190000"


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Athens", "Asia/Tokyo", "UTC"])
def test_a_zone_without_a_definition_in_the_feed_is_written_in_utc(zone):
    entry = replace(ENTRY, zone=zone)

    assert line(entry, "DTSTART") == "DTSTART:20260326T171500Z"
    assert line(entry, "DTEND") == "DTEND:20260326T180000Z"


def test_the_second_of_two_equal_hours_is_written_in_utc():
    second = replace(
        ENTRY,
        starts_at=datetime(2026, 10, 25, 0, 45, tzinfo=UTC),
        ends_at=datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    )

    assert line(second, "DTSTART") == "DTSTART:20261025T004500Z"
    assert line(second, "DTEND") == "DTEND:20261025T013000Z"


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Other"},
        {"series": "Other"},
        {"faculty": ("Anna Keller",)},
        {"categories": ()},
        {"credits": ""},
        {"cancelled": True},
        {"moved_from": "Thu 16 April 18:15"},
        {"recording_until": None},
        {"room": "Aula"},
        {"ends_at": ENTRY.ends_at + timedelta(minutes=1)},
        {"zone": "Europe/Rome"},
        {"join_url": "https://webinar.example/other"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_a_reader_sees_changes_the_digest(change):
    assert content_digest(replace(ENTRY, **change)) != content_digest(ENTRY)


def test_what_only_counts_changes_leaves_the_digest_alone():
    later = replace(
        ENTRY, sequence=9, created_at=ENTRY.changed_at, changed_at=datetime(2027, 1, 1, tzinfo=UTC)
    )

    assert content_digest(later) == content_digest(ENTRY)
    assert len(content_digest(ENTRY)) == 64
