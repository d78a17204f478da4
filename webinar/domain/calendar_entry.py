"""What a calendar entry says of a session: plain values, rendered by webinar.calendar."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from webinar.domain.timezone import to_local


class Audience(StrEnum):
    """Whose calendar it is: only a session a person registered for makes that person busy."""

    PUBLIC = "public"
    PERSONAL = "personal"


@dataclass(frozen=True, kw_only=True)
class SessionEntry:
    """What calendar programs are told of a session, and nothing else.

    `changed_at` has to rise and `sequence` to grow by one whenever `content_digest` changes:
    Google and ICSx5 skip an event otherwise. `moved_from` is wall text, see `wall_text`.
    `join_url` is our own door, the same for all readers, as feeds are cached.
    """

    uid: str
    sequence: int
    created_at: datetime
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    zone: str
    title: str
    session_url: str
    join_url: str
    cancelled: bool = False
    moved_from: str | None = None
    series: str = ""
    faculty: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    credits: str = ""
    recording_until: datetime | None = None
    room: str = ""


def wall_text(instant: datetime, zone: str) -> str:
    """A wall time in words, for moved_from: "Thu 16 April 18:15"."""
    local = to_local(instant, zone)
    return f"{local:%a} {local.day} {local:%B %H:%M}"
