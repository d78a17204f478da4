from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import icalendar
import pytest

from tests.calendar.kit.judge import ExpectedEvent, judge_feed, judge_single
from webinar.calendar.events import render_event
from webinar.calendar.feeds import etag, feed_bytes
from webinar.domain.calendar_entry import Audience, SessionEntry

FIRST_DAY, LAST_DAY = date(2026, 10, 1), date(2027, 4, 30)
SUMMER_TIME_ENDS = datetime(2026, 10, 25, 3, 0)
SUMMER_TIME_BEGINS = datetime(2027, 3, 28, 2, 0)
MOVED_DAY, MOVED_TO = date(2027, 4, 15), datetime(2027, 4, 16, 17, 0)
CANCELLED_DAY = date(2026, 12, 24)

HEADER = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Webinar scheduler//Session calendar//EN
CALSCALE:GREGORIAN
"""
FEED_PROPERTIES = """\
NAME:Haut\\, Brust\\; Lunge – 2026
X-WR-CALNAME:Haut\\, Brust\\; Lunge – 2026
X-WR-TIMEZONE:Europe/Zurich
REFRESH-INTERVAL;VALUE=DURATION:PT1H
X-PUBLISHED-TTL:PT1H
"""
VTIMEZONE = """\
BEGIN:VTIMEZONE
TZID:Europe/Zurich
X-LIC-LOCATION:Europe/Zurich
BEGIN:DAYLIGHT
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
"""
FOOTER = "END:VCALENDAR\n"
NAME = "Haut, Brust; Lunge – 2026"


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def entry_at(wall: datetime, uid: str, title: str) -> SessionEntry:
    """A session of 45 minutes in Zurich; its instants by the EU rule, written by hand."""
    winter = SUMMER_TIME_ENDS <= wall < SUMMER_TIME_BEGINS
    starts_at = (wall - timedelta(hours=1 if winter else 2)).replace(tzinfo=UTC)
    return SessionEntry(
        uid=uid,
        sequence=0,
        created_at=datetime(2026, 8, 1, 9, tzinfo=UTC),
        changed_at=datetime(2026, 8, 1, 9, tzinfo=UTC),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=45),
        zone="Europe/Zurich",
        title=title,
        session_url=f"https://webinar.example/sessions/{uid.partition('@')[0]}",
        join_url=f"https://webinar.example/sessions/{uid.partition('@')[0]}/live",
        series="Weekly e-grandrounds",
        faculty=("Ἑλένη Παπαδοπούλου", "José Núñez, MD"),
        categories=("Breast cancer", "Lung; pleura"),
        credits="Up to 0.5 EACCME credits",
    )


def season() -> list[SessionEntry]:
    """Every Thursday and every first Tuesday from October 2026 to April 2027, 18:15."""
    entries = []
    day = FIRST_DAY
    while day <= LAST_DAY:
        wall = datetime.combine(day, time(18, 15))
        if day == MOVED_DAY:
            moved = entry_at(MOVED_TO, f"session-{day:%Y%m%d}@webinar.example", f"Fälle {day}")
            entries.append(replace(moved, sequence=1, moved_from="Thu 15 April 18:15"))
        elif day.isoweekday() == 4:
            thursday = entry_at(wall, f"session-{day:%Y%m%d}@webinar.example", f"Fälle; {day}, 🩺")
            entries.append(replace(thursday, cancelled=day == CANCELLED_DAY))
        elif day.isoweekday() == 2 and day.day <= 7:
            entries.append(entry_at(wall, f"review-{day:%Y%m%d}@webinar.example", "Ανασκόπηση"))
        day += timedelta(days=1)
    return sorted(entries, key=lambda entry: (entry.starts_at, entry.uid))


def feed_of(entries: list[SessionEntry]) -> bytes:
    events = [render_event(entry, audience=Audience.PUBLIC) for entry in entries]
    return feed_bytes(NAME, {entry.zone for entry in entries}, events)


def as_a_reader_sees_it(entry: SessionEntry) -> ExpectedEvent:
    if entry.cancelled:
        title = f"Cancelled: {entry.title}"
        return ExpectedEvent(entry.starts_at, entry.ends_at, title, "CANCELLED")
    return ExpectedEvent(entry.starts_at, entry.ends_at, entry.title)


def test_a_feed_is_its_frame_the_zone_and_the_events_as_they_are():
    feed = feed_bytes(NAME, {"Europe/Zurich"}, [b"BEGIN:VEVENT\r\n", b"END:VEVENT\r\n"])

    assert feed == crlf(
        HEADER + FEED_PROPERTIES + VTIMEZONE + "BEGIN:VEVENT\nEND:VEVENT\n" + FOOTER
    )


def test_a_feed_without_sessions_still_has_a_component():
    assert feed_bytes(NAME, set(), []) == crlf(HEADER + FEED_PROPERTIES + VTIMEZONE + FOOTER)


def test_a_single_file_has_no_name_so_that_no_new_calendar_is_made_for_it():
    single = feed_bytes(NAME, {"Europe/Zurich"}, [b"BEGIN:VEVENT\r\n"], single=True)

    assert single == crlf(HEADER + VTIMEZONE + "BEGIN:VEVENT\n" + FOOTER)


def test_each_zone_in_use_is_defined_once_and_in_order():
    feed = feed_bytes(NAME, ["Europe/Zurich", "Europe/Rome", "Europe/Zurich"], [b""])

    rome = VTIMEZONE.replace("Europe/Zurich", "Europe/Rome")
    assert feed == crlf(HEADER + FEED_PROPERTIES + rome + VTIMEZONE + FOOTER)


def test_a_zone_whose_sessions_are_written_in_utc_is_not_defined():
    feed = feed_bytes(NAME, {"America/New_York"}, [b"BEGIN:VEVENT\r\n"])

    assert feed == crlf(HEADER + FEED_PROPERTIES + "BEGIN:VEVENT\n" + FOOTER)


def test_a_long_name_with_line_ends_is_folded_and_stays_one_property():
    feed = feed_bytes("Ογκολογία\r\nMETHOD:PUBLISH\x00 " * 9, set(), [])

    assert max(len(text) for text in feed.split(b"\r\n")) <= 75
    unfolded = feed.replace(b"\r\n ", b"").decode().split("\r\n")
    assert [text for text in unfolded if text.startswith("METHOD")] == []
    assert [text for text in unfolded if text.startswith("NAME:")] == [
        "NAME:" + " ".join(["Ογκολογία METHOD:PUBLISH"] * 9)
    ]


def test_a_whole_season_means_the_instants_written_by_hand():
    entries = season()

    parsed = icalendar.Calendar.from_ical(feed_of(entries)).walk("VEVENT")

    assert len(entries) == 38
    assert [
        (str(event["UID"]), event["DTSTART"].dt.astimezone(UTC), event["DTEND"].dt.astimezone(UTC))
        for event in parsed
    ] == [(entry.uid, entry.starts_at, entry.ends_at) for entry in entries]


def test_calendar_programs_show_the_whole_season_as_it_was_planned():
    entries = season()

    assert judge_feed(feed_of(entries), [as_a_reader_sees_it(entry) for entry in entries]) == []


def test_calendar_programs_show_sessions_in_several_zones():
    zones = ["Europe/Rome", "America/New_York", "Europe/Zurich"] * 13
    entries = [replace(entry, zone=zone) for entry, zone in zip(season(), zones, strict=False)]

    assert judge_feed(feed_of(entries), [as_a_reader_sees_it(entry) for entry in entries]) == []


def test_calendar_programs_read_a_feed_without_sessions():
    assert judge_feed(feed_bytes(NAME, set(), []), []) == []


def test_calendar_programs_show_a_single_session():
    entry = season()[0]
    event = render_event(entry, audience=Audience.PUBLIC)

    single = feed_bytes(NAME, {entry.zone}, [event], single=True)

    assert judge_single(single, as_a_reader_sees_it(entry)) == []


@pytest.mark.parametrize(
    ("uid", "start"),
    [
        ("review-20261006", "2026-10-06T16:15:00+00:00"),
        ("session-20261022", "2026-10-22T16:15:00+00:00"),
        ("session-20261029", "2026-10-29T17:15:00+00:00"),
        ("review-20261103", "2026-11-03T17:15:00+00:00"),
        ("session-20270325", "2027-03-25T17:15:00+00:00"),
        ("session-20270401", "2027-04-01T16:15:00+00:00"),
        ("review-20270406", "2027-04-06T16:15:00+00:00"),
        ("session-20270415", "2027-04-16T15:00:00+00:00"),
    ],
)
def test_sessions_around_the_clock_changes_start_at(uid, start):
    parsed = icalendar.Calendar.from_ical(feed_of(season())).walk("VEVENT")

    (event,) = [event for event in parsed if event["UID"] == f"{uid}@webinar.example"]
    assert event["DTSTART"].dt.astimezone(UTC).isoformat() == start


def test_the_same_sessions_make_the_same_bytes():
    assert feed_of(season()) == feed_of(season())


def test_the_entity_tag_follows_what_it_is_made_from():
    assert etag(b"body") == etag(b"body")
    assert len({etag(b"ab", b"c"), etag(b"a", b"bc"), etag(b"abc"), etag()}) == 4
    assert etag(b"body").isalnum()
