"""A session -> the bytes of one VEVENT (RFC 5545), always the same ones. The home of icalendar.

Rendering one event costs 2,000 times what joining it into a feed does, so it is done once per
change and the bytes are kept.
"""

import hashlib
import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

from icalendar import Event
from icalendar.parser import Parameters

from webinar.domain.calendar_entry import Audience, SessionEntry
from webinar.domain.timezone import follows_eu_rule, to_local
from webinar.domain.wording import deadline

# C0 but tab and line feed, DEL, and the line ends of Unicode: icalendar lets them through, and
# one of them makes strict readers refuse the whole feed.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")
UNCHANGING = datetime(2000, 1, 1, tzinfo=UTC)


def render_event(entry: SessionEntry, *, audience: Audience) -> bytes:
    """One VEVENT, folded on octets, with CRLF; no METHOD, ORGANIZER, ATTENDEE or VALARM.

    Download and feed readers ask to accept or decline as soon as an ORGANIZER is in it.
    """
    rendered: bytes = build_event(entry, audience=audience).to_ical(sorted=False)
    return rendered


def build_event(entry: SessionEntry, *, audience: Audience) -> Event:
    """The event before it becomes bytes, its properties in the order in which they are written."""
    event = Event()
    event.add("uid", entry.uid)
    # Without METHOD, DTSTAMP says when the entry was last revised (RFC 5545, 3.8.7.2). The time
    # of rendering would make every poll a change.
    event.add("dtstamp", _in_utc(entry.changed_at))
    event.add("created", _in_utc(entry.created_at))
    event.add("last-modified", _in_utc(entry.changed_at))
    event.add("sequence", entry.sequence)
    starts, ends = _local_times(entry)
    event.add("dtstart", starts)
    event.add("dtend", ends)
    event.add("summary", _summary(entry))
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    busy = audience is Audience.PERSONAL and not entry.cancelled
    event.add("transp", "OPAQUE" if busy else "TRANSPARENT")
    event.add("url", clean(entry.session_url))
    if not entry.cancelled:
        event.add("location", clean_line(entry.room) or clean_line(entry.join_url))
        # Thunderbird, Outlook and Apple do not show CONFERENCE: LOCATION and DESCRIPTION repeat it.
        event.add(
            "conference",
            clean(entry.join_url),
            parameters=Parameters(VALUE="URI", FEATURE=["AUDIO", "VIDEO"], LABEL="Join live"),
        )
    event.add("description", clean("\n".join(_description(entry))))
    categories = [clean_line(name) for name in entry.categories]
    if any(categories):
        event.add("categories", [name for name in categories if name])
    return event


def content_digest(entry: SessionEntry) -> str:
    """SHA-256 of everything a reader can see. Equal: nothing to announce, keep the sequence."""
    still = replace(entry, sequence=0, created_at=UNCHANGING, changed_at=UNCHANGING)
    return hashlib.sha256(render_event(still, audience=Audience.PERSONAL)).hexdigest()


def clean(text: str) -> str:
    """Composed, with line feeds only, and without control characters."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return CONTROL.sub(" ", unicodedata.normalize("NFC", lines)).strip()


def clean_line(text: str) -> str:
    """The same on one line."""
    return " ".join(clean(text).split())


def _in_utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(microsecond=0)


def _local_times(entry: SessionEntry) -> tuple[datetime, datetime]:
    """Start and end in the zone, or in UTC where local time would be read wrong.

    That is in zones for which feeds carry no VTIMEZONE, and in the second of two equal hours,
    which TZID cannot name (RFC 5545, 3.3.5).
    """
    starts, ends = _in_utc(entry.starts_at), _in_utc(entry.ends_at)
    if not follows_eu_rule(entry.zone):
        return starts, ends
    local_starts, local_ends = to_local(starts, entry.zone), to_local(ends, entry.zone)
    if local_starts.fold or local_ends.fold:
        return starts, ends
    return local_starts, local_ends


def _summary(entry: SessionEntry) -> str:
    # Outlook ignores STATUS; the word has to be in the title.
    title = clean_line(entry.title)
    return f"Cancelled: {title}" if entry.cancelled else title


def _description(entry: SessionEntry) -> list[str]:
    """Plain text: Apple and Thunderbird show tags as they are."""
    lines = []
    if entry.cancelled:
        lines.append("This session is cancelled.")
    if entry.moved_from:
        lines.append(f"Moved from {clean_line(entry.moved_from)}")
    if entry.series:
        lines.append(clean_line(entry.series))
    if entry.faculty:
        lines.append(f"With {', '.join(clean_line(name) for name in entry.faculty)}")
    if not entry.cancelled:
        lines.append(f"Join live: {clean_line(entry.join_url)}")
    lines.append(f"Session page: {clean_line(entry.session_url)}")
    if entry.credits and not entry.cancelled:
        lines.append(clean_line(entry.credits))
    if entry.recording_until:
        until = deadline(entry.recording_until, entry.zone)
        lines.append(f"Recording until {until} time: {clean_line(entry.session_url)}")
    return lines
