from dataclasses import replace
from datetime import UTC, datetime

import pytest

from webinar.calendar.invitations import Mailbox, Method, invitation_bytes
from webinar.domain.calendar_entry import SessionEntry

ORGANIZER = Mailbox("Grand Rounds Online", "events@webinar.example")
ANNA = Mailbox('Anna "Äni" Keller, MD; PhD', "anna@example.net")
SENT_AT = datetime(2026, 3, 2, 7, 0, 0, 5, tzinfo=UTC)
ENTRY = SessionEntry(
    uid="session-17@webinar.example",
    sequence=3,
    created_at=datetime(2026, 1, 1, 9, 30, tzinfo=UTC),
    changed_at=datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
    starts_at=datetime(2026, 3, 26, 17, 15, tzinfo=UTC),
    ends_at=datetime(2026, 3, 26, 18, 0, tzinfo=UTC),
    zone="Europe/Zurich",
    title="Myélome multiple",
    session_url="https://webinar.example/sessions/ab12cd",
    join_url="https://webinar.example/sessions/ab12cd/live",
)


def invited(
    entry: SessionEntry = ENTRY, *, method: Method = Method.REQUEST, sequence: int = 4
) -> bytes:
    return invitation_bytes(
        entry,
        method=method,
        sequence=sequence,
        organizer=ORGANIZER,
        attendee=ANNA,
        sent_at=SENT_AT,
    )


def lines(content: bytes) -> list[str]:
    return content.replace(b"\r\n ", b"").decode().split("\r\n")


def without_zone(content: bytes) -> list[str]:
    found = lines(content)
    return found[: found.index("BEGIN:VTIMEZONE")] + found[found.index("END:VTIMEZONE") + 1 :]


def test_a_request_is_one_event_for_one_person():
    assert without_zone(invited()) == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Webinar scheduler//Session calendar//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        "UID:session-17@webinar.example",
        "DTSTAMP:20260302T070000Z",
        "CREATED:20260101T093000Z",
        "LAST-MODIFIED:20260301T080000Z",
        "SEQUENCE:4",
        "DTSTART;TZID=Europe/Zurich:20260326T181500",
        "DTEND;TZID=Europe/Zurich:20260326T190000",
        "SUMMARY:Myélome multiple",
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
        "URL:https://webinar.example/sessions/ab12cd",
        "LOCATION:https://webinar.example/sessions/ab12cd/live",
        "CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO;LABEL=Join live:"
        "https://webinar.example/sessions/ab12cd/live",
        "DESCRIPTION:Join live: https://webinar.example/sessions/ab12cd/live"
        "\\nSession page: https://webinar.example/sessions/ab12cd",
        'ORGANIZER;CN="Grand Rounds Online":mailto:events@webinar.example',
        "ATTENDEE;CN=\"Anna 'Äni' Keller, MD; PhD\";CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;"
        "PARTSTAT=ACCEPTED;RSVP=FALSE:mailto:anna@example.net",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


def test_a_cancelled_session_is_taken_out_with_what_names_it():
    cancelled = lines(invited(replace(ENTRY, cancelled=True), method=Method.CANCEL, sequence=5))

    wanted = [
        "METHOD:CANCEL",
        "TZID:Europe/Zurich",
        "UID:session-17@webinar.example",
        "SEQUENCE:5",
        "DTSTART;TZID=Europe/Zurich:20260326T181500",
        "SUMMARY:Cancelled: Myélome multiple",
        "STATUS:CANCELLED",
        "TRANSP:TRANSPARENT",
        'ORGANIZER;CN="Grand Rounds Online":mailto:events@webinar.example',
    ]
    assert [line for line in cancelled if line in wanted] == wanted


def test_a_person_who_leaves_is_sent_a_cancellation_of_a_session_that_goes_on():
    left = lines(invited(method=Method.CANCEL))

    assert [line for line in left if line.startswith(("STATUS", "SUMMARY", "TRANSP"))] == [
        "SUMMARY:Myélome multiple",
        "STATUS:CANCELLED",
        "TRANSP:TRANSPARENT",
    ]


def test_a_cancelled_session_cannot_be_asked_for():
    with pytest.raises(ValueError, match="a cancelled session is sent with CANCEL"):
        invited(replace(ENTRY, cancelled=True))


def test_an_invitation_is_folded_and_ends_its_lines_as_the_format_wants():
    content = invited()

    assert max(len(line) for line in content.split(b"\r\n")) <= 75
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert invited() == content
