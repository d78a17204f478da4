"""Hours of a session and places in a recording, as they are typed for incidents and corrections."""

import re
from datetime import UTC, datetime, time, timedelta

from webinar.domain.attendance import ViewingMode
from webinar.domain.figures import minutes_and_seconds
from webinar.domain.timezone import to_local, to_utc
from webinar.domain.wording import local_date
from webinar.models import WebinarSession

CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
PLACE = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):(\d{2})", re.ASCII)


def instant(text: str, session: WebinarSession) -> datetime | None:
    """`18:20` or `18:20:30` by the session’s own clock, that evening; None if it is no hour."""
    found = CLOCK.fullmatch(text.strip())
    if found is None:
        return None
    hour, minute, second = (int(part or 0) for part in found.groups())
    if hour > 23 or minute > 59 or second > 59:
        return None
    held = to_local(session.starts_at, session.zone)
    middle = session.starts_at + (session.ends_at - session.starts_at) / 2
    # An evening may go past midnight: the hour is the one nearest to the session.
    days = [held.date() + timedelta(days=days) for days in (-1, 0, 1)]
    candidates = [
        to_utc(
            datetime.combine(one, time(hour, minute, second)),
            session.zone,
            on_gap="forward",
            on_fold="first",
        )
        for one in days
    ]
    return min(candidates, key=lambda at: abs(at - middle))


def second(text: str, session: WebinarSession, mode: ViewingMode) -> int | None:
    """On the clock that counts: an hour of the live session, `12:30` into the recording."""
    if mode is not ViewingMode.RECORDED:
        at = instant(text, session)
        return None if at is None else int(at.timestamp())
    found = PLACE.fullmatch(text.strip())
    if found is None or int(found[3]) > 59:
        return None
    return int(found[1] or 0) * 3600 + int(found[2]) * 60 + int(found[3])


def clock(at: datetime, zone: str) -> str:
    """`18:20:30`, without seconds where there are none."""
    local = to_local(at, zone)
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def hours(starts_at: datetime, ends_at: datetime, zone: str) -> str:
    """`Thu 26 Nov 2026, 18:20–18:25`."""
    return f"{local_date(starts_at, zone)}, {clock(starts_at, zone)}–{clock(ends_at, zone)}"


def from_unix(at_second: int) -> datetime:
    """The instant of a second of Unix time."""
    return datetime.fromtimestamp(at_second, UTC)


def place(at_second: int) -> str:
    """`12:30` into a recording."""
    return minutes_and_seconds(at_second)
