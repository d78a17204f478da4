"""What people are told of a session: what it needs before it can be announced, and its limits."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from webinar.domain.errors import DomainError
from webinar.domain.session import FacultyPart
from webinar.domain.span import Span
from webinar.domain.timezone import AmbiguousWallTime, to_local, to_utc

UNTITLED = "To be announced"
LONGEST_TITLE = 300
LONGEST_TEXT = 20_000
LONGEST_HOURS = 12


class EndBeforeStart(DomainError):
    """A session ends after it starts."""


class TooLong(DomainError):
    """A session of half a day is a slip of the keyboard; so is a title of a page."""


class NotReady(DomainError):
    """Something that people need to know is missing."""


class FacultyNameMissing(DomainError):
    """A member of the faculty without a name."""


class UnknownLevel(DomainError):
    """No such level of knowledge."""


class SessionLevel(StrEnum):
    """What a session takes for granted."""

    INTRODUCTORY = "introductory"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


@dataclass(frozen=True)
class FacultyDetails:
    """A person's part in a session; `user_id` is the account that may open the studio, if any.

    `id` names the member that is meant, None being a new one or one known by account or name.
    `email`, if given, says whose account it is, and makes one that waits if there is none.
    """

    part: FacultyPart
    name: str
    affiliation: str = ""
    disclosure: str = ""
    user_id: int | None = None
    id: int | None = None
    email: str = ""


@dataclass(frozen=True)
class SessionDetails:
    """Everything an organiser can say of a session; start and end are wall times in the zone."""

    title: str
    starts: datetime
    ends: datetime
    zone: str
    abstract: str = ""
    objectives: str = ""
    language: str = "en"
    topics: tuple[str, ...] = ()
    faculty: tuple[FacultyDetails, ...] = ()
    level: str = ""
    """A SessionLevel, or "" where nothing is said."""
    audience: tuple[str, ...] = ()
    """Names of the groups it is made for."""


def ensure_ends_after_start(starts: datetime, ends: datetime) -> None:
    """Two wall times of one zone, or two instants; raises EndBeforeStart, TooLong."""
    if ends <= starts:
        raise EndBeforeStart("The session ends before it starts. Choose a later end.")
    if ends - starts > timedelta(hours=LONGEST_HOURS):
        raise TooLong(f"A session lasts {LONGEST_HOURS} hours at most. Choose an earlier end.")


def ensure_sensible(details: SessionDetails) -> None:
    """Raise the refusal of words that cannot be stored or shown, whatever the session's state."""
    if not details.title.strip():
        raise NotReady(f'Give the session a title; "{UNTITLED}" will do for now.')
    if len(details.title) > LONGEST_TITLE:
        raise TooLong(f"A title has at most {LONGEST_TITLE} characters. Shorten it.")
    if max(len(details.abstract), len(details.objectives)) > LONGEST_TEXT:
        raise TooLong(f"A text has at most {LONGEST_TEXT} characters. Shorten it.")
    if any(not member.name.strip() for member in details.faculty):
        raise FacultyNameMissing("Every member of the faculty needs a name.")
    if details.level and details.level not in set(SessionLevel):
        raise UnknownLevel("Choose a level from the list, or leave it open.")


def instants_of(
    starts: datetime, ends: datetime, zone: str, *, present: Span[datetime] | None = None
) -> Span[datetime]:
    """From when to when these two wall times are; `present` is where the session is now, if at all.

    A wall time that is there already keeps meaning the instant it means. An end that the clocks
    show twice is the one that keeps the length. Raises EndBeforeStart, TooLong, UnknownZone,
    NonexistentWallTime, AmbiguousWallTime.
    """
    if present is not None and _shows(present.start, starts, zone):
        starts_at = present.start
    else:
        starts_at = to_utc(starts, zone)
    try:
        ends_at = to_utc(ends, zone)
    except AmbiguousWallTime:
        if present is None:
            raise
        ends_at = starts_at + (present.end - present.start)
        if not _shows(ends_at, ends, zone):
            raise
    ensure_ends_after_start(starts_at, ends_at)
    return Span(starts_at, ends_at)


def _shows(instant: datetime, wall: datetime, zone: str) -> bool:
    """True if the clocks of the zone show this wall time at that instant."""
    return to_local(instant, zone).replace(tzinfo=None, fold=0) == wall
