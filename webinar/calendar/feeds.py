"""VEVENTs kept as bytes -> a feed or a single .ics, by joining."""

import hashlib
from collections.abc import Iterable, Sequence

from icalendar import vText
from icalendar.parser import Contentline, Parameters

from webinar.calendar.events import clean_line
from webinar.domain.timezone import follows_eu_rule

PRODID = b"PRODID:-//Webinar scheduler//Session calendar//EN\r\n"
HOME_ZONE = "Europe/Zurich"

# Outlook reads one yearly rule for summer and one for winter, and ical.js the first of several
# RDATEs: two rules are what every reader understands. The zones that get it are checked against
# the time zone database by follows_eu_rule. X-LIC-LOCATION is the hint libical maps names by.
VTIMEZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:{zone}\r\nX-LIC-LOCATION:{zone}\r\n"
    "BEGIN:DAYLIGHT\r\nTZNAME:CEST\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n"
    "DTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\n"
    "BEGIN:STANDARD\r\nTZNAME:CET\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n"
    "DTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\n"
    "END:VTIMEZONE\r\n"
)


def feed_bytes(
    name: str,
    zones: Iterable[str],
    events: Sequence[bytes],
    *,
    single: bool = False,
    home_zone: str = HOME_ZONE,
) -> bytes:
    """A VCALENDAR of events rendered before, in the order given: by start, then by id.

    `zones` are those of the sessions; one that needs no VTIMEZONE is passed over. A single .ics
    has no name: with one, Outlook would open a new calendar for it (MS-OXCICAL).
    """
    frame = [b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", PRODID, b"CALSCALE:GREGORIAN\r\n"]
    if not single:
        frame += _feed_properties(name, home_zone)
    return b"".join([*frame, *timezones(zones, events), *events, b"END:VCALENDAR\r\n"])


def etag(*parts: bytes) -> str:
    """A strong entity tag (RFC 9110, 8.8.3), still without its quotes.

    Give the body; or, to answer 304 before there is a body, all that the body is made from: name,
    first day of the window, and of each session in order its id and sequence.
    """
    digest = hashlib.blake2b(PRODID + VTIMEZONE.encode(), digest_size=16)
    for part in parts:
        # The length first, so that ("ab", "c") and ("a", "bc") differ.
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.hexdigest()


def timezones(zones: Iterable[str], events: Sequence[bytes]) -> list[bytes]:
    """The VTIMEZONEs that a VCALENDAR with these events needs."""
    named = sorted({zone for zone in zones if follows_eu_rule(zone)})
    # A VCALENDAR needs a component (RFC 5545, 3.6), also while there is no session.
    if not events and not named:
        named = [HOME_ZONE]
    return [VTIMEZONE.format(zone=zone).encode() for zone in named]


def _feed_properties(name: str, home_zone: str) -> list[bytes]:
    # Typed, because icalendar escapes commas and semicolons in vText only.
    title = vText(clean_line(name))
    return [
        _line("NAME", title),
        _line("X-WR-CALNAME", title),
        _line("X-WR-TIMEZONE", vText(home_zone)),
        # Nextcloud reads weekly without these two; VALUE=DURATION is required by RFC 7986, 5.7.
        b"REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n",
        b"X-PUBLISHED-TTL:PT1H\r\n",
    ]


def _line(name: str, value: vText) -> bytes:
    folded: bytes = Contentline.from_parts(name, Parameters(), value).to_ical()
    return folded + b"\r\n"
