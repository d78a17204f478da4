"""The judge of our feeds: it accepts right ones, and refuses each kind of wrong one by its name."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.calendar.kit.judge import ExpectedEvent, judge_feed, judge_single

ZURICH = """\
BEGIN:VTIMEZONE
TZID:Europe/Zurich
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
WINTER = """\
BEGIN:VEVENT
UID:session-1@webinar.example
DTSTAMP:20260301T090000Z
LAST-MODIFIED:20260301T090000Z
SEQUENCE:0
DTSTART;TZID=Europe/Zurich:20260326T181500
DTEND;TZID=Europe/Zurich:20260326T190000
SUMMARY:Lung cancer\\, early stages
DESCRIPTION:Join: https://webinar.example/sessions/ab12/live\\nFree for
  all who register.
CATEGORIES:Lung,Surgery
STATUS:CONFIRMED
TRANSP:TRANSPARENT
END:VEVENT
"""
SUMMER = """\
BEGIN:VEVENT
UID:session-2@webinar.example
DTSTAMP:20260302T090000Z
LAST-MODIFIED:20260302T090000Z
SEQUENCE:3
DTSTART;TZID=Europe/Zurich:20260402T181500
DTEND;TZID=Europe/Zurich:20260402T190000
SUMMARY:Cancelled: Grüße aus dem Labor
STATUS:CANCELLED
TRANSP:TRANSPARENT
END:VEVENT
"""
NAMES = "NAME:Grand rounds\nX-WR-CALNAME:Grand rounds\n"
HEAD = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Webinar//EN\nCALSCALE:GREGORIAN\n"
REFRESH = "REFRESH-INTERVAL;VALUE=DURATION:PT1H\n"
FEED = HEAD + NAMES + REFRESH + ZURICH + WINTER + SUMMER + "END:VCALENDAR\n"
SINGLE = HEAD + ZURICH + WINTER + "END:VCALENDAR\n"

WINTER_EVENT = ExpectedEvent(
    datetime(2026, 3, 26, 17, 15, tzinfo=UTC),
    datetime(2026, 3, 26, 18, 0, tzinfo=UTC),
    "Lung cancer, early stages",
)
SUMMER_EVENT = ExpectedEvent(
    datetime(2026, 4, 2, 16, 15, tzinfo=UTC),
    datetime(2026, 4, 2, 17, 0, tzinfo=UTC),
    "Cancelled: Grüße aus dem Labor",
    "CANCELLED",
)
EXPECTED = [WINTER_EVENT, SUMMER_EVENT]


def encoded(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def test_a_right_feed_across_the_clock_change_is_accepted() -> None:
    assert judge_feed(encoded(FEED), EXPECTED) == []


def test_a_feed_in_utc_is_accepted() -> None:
    in_utc = FEED.replace(";TZID=Europe/Zurich:20260326T181500", ":20260326T171500Z")

    assert judge_feed(encoded(in_utc), EXPECTED) == []


def test_a_feed_without_events_is_accepted() -> None:
    assert judge_feed(encoded(HEAD + NAMES + ZURICH + "END:VCALENDAR\n"), []) == []


def test_the_file_of_one_session_is_accepted() -> None:
    assert judge_single(encoded(SINGLE), WINTER_EVENT) == []


def test_a_calendar_name_in_the_file_of_one_session_is_refused() -> None:
    named = SINGLE.replace("CALSCALE", "X-WR-CALNAME:Grand rounds\nCALSCALE")

    assert judge_single(encoded(named), WINTER_EVENT) == [
        "X-WR-CALNAME in a single event makes Outlook open a new calendar"
    ]


UID1 = "(UID session-1@webinar.example)"
SECOND_SUNDAY = ("BYMONTH=3;BYDAY=-1SU", "BYMONTH=4;BYDAY=2SU")
# What goes wrong, by which replacement in the right feed, and what the judge must then say.
WRONG = {
    "a long line": (
        ("SUMMARY:Lung cancer", "SUMMARY:" + "x" * 80),
        "a line has 103 octets, more than 75",
    ),
    "a bare colon in a name": (("STATUS:CONFIRMED", "STA TUS:X"), "cannot read the line STA TUS:X"),
    "a comma that is not escaped": (
        ("cancer\\,", "cancer,"),
        "SUMMARY has a comma or semicolon that is not escaped",
    ),
    "a backslash that escapes nothing": (
        ("cancer\\,", "cancer\\x"),
        "SUMMARY has a backslash that escapes nothing",
    ),
    "a control character": (
        ("SUMMARY:Lung", "SUMMARY:\x00Lung"),
        "SUMMARY holds a control character",
    ),
    "no UID": (
        ("UID:session-1@webinar.example\n", ""),
        "VEVENT has UID 0 times, not once (UID )",
    ),
    "the same UID twice": (
        ("UID:session-2", "UID:session-1"),
        "UID session-1@webinar.example stands 2 times",
    ),
    "a stamp in local time": (
        ("DTSTAMP:20260301T090000Z", "DTSTAMP:20260301T090000"),
        "DTSTAMP is 20260301T090000, not in UTC",
    ),
    "a stamp of now": (
        ("DTSTAMP:20260301T090000Z", "DTSTAMP:20261101T090000Z"),
        f"DTSTAMP differs from LAST-MODIFIED: it says when it was last revised {UID1}",
    ),
    "no sequence": (("SEQUENCE:0\n", ""), f"VEVENT has SEQUENCE 0 times, not once {UID1}"),
    "a method": (
        ("VERSION:2.0", "VERSION:2.0\nMETHOD:PUBLISH"),
        "METHOD belongs into mails: programs ask for an answer to it",
    ),
    "an organiser": (
        ("SEQUENCE:0", "SEQUENCE:0\nORGANIZER:mailto:a@example.net"),
        f"ORGANIZER in an event of a feed {UID1}",
    ),
    "an alarm": (
        (
            "SEQUENCE:0\n",
            "SEQUENCE:0\nBEGIN:VALARM\nACTION:AUDIO\nTRIGGER:-PT5M\nEND:VALARM\n",
        ),
        f"VALARM in an event of a feed {UID1}",
    ),
    "no zone": ((ZURICH, ""), "Europe/Zurich has no VTIMEZONE"),
    "a zone of listed dates": (
        ("DTSTART:19700329T020000", "DTSTART:19700329T020000\nRDATE:19710328T020000"),
        "VTIMEZONE lists RDATEs: Outlook and Thunderbird show wrong hours",
    ),
    "a zone with a wrong clock change": (
        SECOND_SUNDAY,
        "missing: 2026-04-02T16:15:00Z 2026-04-02T17:00:00Z CANCELLED "
        "Cancelled: Grüße aus dem Labor",
    ),
    "a time that floats": (
        ("DTSTART;TZID=Europe/Zurich:20260326", "DTSTART:20260326"),
        f"DTSTART floats: it has neither TZID nor Z {UID1}",
    ),
    "a time in a zone and in UTC": (
        ("20260326T181500", "20260326T181500Z"),
        f"DTSTART has both TZID and Z {UID1}",
    ),
    "a wrong hour": (
        ("20260326T181500", "20260326T171500"),
        "not expected: 2026-03-26T16:15:00Z 2026-03-26T18:00:00Z CONFIRMED "
        "Lung cancer, early stages",
    ),
    "a session left out": (
        (WINTER, ""),
        "missing: 2026-03-26T17:15:00Z 2026-03-26T18:00:00Z CONFIRMED Lung cancer, early stages",
    ),
    "cancelled in STATUS only": (
        ("SUMMARY:Cancelled: ", "SUMMARY:"),
        "Outlook ignores STATUS, so a cancelled SUMMARY begins with Cancelled: "
        "(UID session-2@webinar.example)",
    ),
    "no calendar name": (("X-WR-CALNAME:Grand rounds\n", ""), "a feed has X-WR-CALNAME once"),
    "an interval without its type": (
        (";VALUE=DURATION", ""),
        "REFRESH-INTERVAL without VALUE=DURATION",
    ),
    "an end missing": (("END:VCALENDAR\n", ""), "VCALENDAR is not closed"),
}


@pytest.mark.parametrize(("replacement", "complaint"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_feed_is_refused(replacement: tuple[str, str], complaint: str) -> None:
    wrong = FEED.replace(*replacement, 1)
    assert wrong != FEED

    complaints = judge_feed(encoded(wrong), EXPECTED)

    assert complaint in complaints


def folded_in_a_character(content: bytes) -> bytes:
    return content.replace("ü".encode(), b"\xc3\r\n \xbc", 1)


WRONG_BYTES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "bare line feeds": (lambda feed: feed.replace(b"\r\n", b"\n"), "a line does not end in CRLF"),
    "no last line end": (bytes.rstrip, "the last line does not end in CRLF"),
    "a fold within a character": (folded_in_a_character, "a fold splits a character"),
    "Latin-1": (lambda feed: feed.decode().encode("latin-1"), "it is not UTF-8"),
    "a byte order mark": (
        lambda feed: b"\xef\xbb\xbf" + feed,
        "a byte order mark stands at the start",
    ),
    "an empty line": (lambda feed: feed.replace(b"VERSION", b"\r\nVERSION"), "a line is empty"),
    "nothing at all": (lambda _: b"", "the body is empty"),
    "an error page": (lambda _: b"<h1>Error</h1>\r\n", "it is not exactly one VCALENDAR"),
}


@pytest.mark.parametrize(("spoil", "complaint"), WRONG_BYTES.values(), ids=WRONG_BYTES.keys())
def test_wrong_bytes_are_refused(spoil: Callable[[bytes], bytes], complaint: str) -> None:
    complaints = judge_feed(spoil(encoded(FEED)), EXPECTED)

    assert complaint in complaints
