"""One session for one person's calendar, by mail (iTIP, RFC 5546): added, changed, taken out again.

The bytes go into a mail twice: as text/calendar with the same METHOD in its Content-Type (RFC 6047,
2.4), and as an attachment.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from icalendar import vCalAddress, vDDDTypes, vText

from webinar.calendar.events import build_event, clean_line
from webinar.calendar.feeds import PRODID, timezones
from webinar.domain.calendar_entry import Audience, SessionEntry


class Method(StrEnum):
    """What the mail asks the person's calendar to do. A change is a REQUEST again."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True)
class Mailbox:
    """A name and a bare address."""

    name: str
    address: str


def invitation_bytes(
    entry: SessionEntry,
    *,
    method: Method,
    sequence: int,
    organizer: Mailbox,
    attendee: Mailbox,
    sent_at: datetime,
) -> bytes:
    """A VCALENDAR with one VEVENT for one reader.

    `sequence` is the registration's own and rises with every mail, as a person may register, leave
    and come back: max(entry.sequence, last sent + 1). `organizer` is the From address and never
    changes, because calendars match by UID and ORGANIZER; `attendee` is the To address.
    """
    if method is Method.REQUEST and entry.cancelled:
        raise ValueError(f"a cancelled session is sent with CANCEL: {entry.uid}")
    event = build_event(replace(entry, sequence=sequence), audience=Audience.PERSONAL)
    # With METHOD, DTSTAMP is the time of this message (RFC 5545, 3.8.7.2).
    event["DTSTAMP"] = vDDDTypes(sent_at.astimezone(UTC).replace(microsecond=0))
    if method is Method.CANCEL:
        # A person who leaves gets CANCEL too, while the session goes on for all others.
        event["STATUS"] = vText("CANCELLED")
        event["TRANSP"] = vText("TRANSPARENT")
    event["ORGANIZER"] = _address(organizer)
    attending = _address(attendee)
    attending.params["CUTYPE"] = "INDIVIDUAL"
    attending.params["ROLE"] = "REQ-PARTICIPANT"
    # They registered already; nobody waits for an answer.
    attending.params["PARTSTAT"] = "ACCEPTED"
    attending.params["RSVP"] = "FALSE"
    event["ATTENDEE"] = attending
    rendered: bytes = event.to_ical(sorted=False)
    frame = [b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", PRODID, b"CALSCALE:GREGORIAN\r\n"]
    frame.append(f"METHOD:{method}\r\n".encode())
    return b"".join([*frame, *timezones({entry.zone}, [rendered]), rendered, b"END:VCALENDAR\r\n"])


def _address(mailbox: Mailbox) -> vCalAddress:
    address = vCalAddress(f"mailto:{mailbox.address}")
    # A double quote cannot stand in a parameter; a name of a person needs none.
    name = clean_line(mailbox.name).replace('"', "'")
    if name:
        address.params["CN"] = name
    return address
