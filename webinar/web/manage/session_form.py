"""The form of a session: as typed, and as details with a sentence beside each field in error."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.errors import DomainError
from webinar.domain.session import FacultyPart
from webinar.domain.session_details import (
    LONGEST_TITLE,
    EndBeforeStart,
    FacultyDetails,
    FacultyNameMissing,
    SessionDetails,
    TooLong,
    ensure_ends_after_start,
)
from webinar.domain.timezone import AmbiguousWallTime, NonexistentWallTime, UnknownZone, to_utc
from webinar.models import User, WebinarSession
from webinar.services.session_facts import details_of
from webinar.services.sessions import InThePast, TimeIsFixed
from webinar.services.topics import UnusableTopic
from webinar.web.manage.series_form import day, wall_time

MOST_FACULTY = 20
LANGUAGES = [
    ("en", "English"),
    ("de", "German"),
    ("fr", "French"),
    ("it", "Italian"),
    ("es", "Spanish"),
    ("pt", "Portuguese"),
    ("el", "Greek"),
    ("ru", "Russian"),
]
PARTS = [(part.value, part.value.capitalize()) for part in FacultyPart]
FIELD_OF: dict[type[DomainError], str] = {
    EndBeforeStart: "ends",
    FacultyNameMissing: "faculty-0-name",
    InThePast: "day",
    TimeIsFixed: "day",
    UnknownZone: "zone",
    UnusableTopic: "more_topics",
}


@dataclass(frozen=True)
class TypedMember:
    """A row of the faculty as typed; `email` is that of the account, if there is one."""

    part: str = FacultyPart.PRESENTER.value
    name: str = ""
    affiliation: str = ""
    disclosure: str = ""
    email: str = ""

    @property
    def is_blank(self) -> bool:
        """True if nobody is meant."""
        return not (self.name or self.affiliation or self.disclosure or self.email)


@dataclass(frozen=True)
class Typed:
    """What stands in the form, as text."""

    title: str
    abstract: str
    objectives: str
    language: str
    day: str
    starts: str
    ends: str
    zone: str
    topics: tuple[str, ...]
    more_topics: str
    faculty: tuple[TypedMember, ...]

    @classmethod
    def from_session(cls, db: DbSession, session: WebinarSession) -> "Typed":
        """What the session says now."""
        details = details_of(session)
        return cls(
            title=details.title,
            abstract=details.abstract,
            objectives=details.objectives,
            language=details.language,
            day=f"{details.starts:%Y-%m-%d}",
            starts=f"{details.starts:%H:%M}",
            ends=f"{details.ends:%H:%M}",
            zone=details.zone,
            topics=details.topics,
            more_topics="",
            faculty=tuple(_member(db, member) for member in details.faculty),
        )

    @classmethod
    def from_form(cls, form: Mapping[str, str], topics: Sequence[str]) -> "Typed":
        """What was sent; rows of the faculty that are empty or taken out are left out."""
        rows = [
            _row(form, number)
            for number in range(MOST_FACULTY)
            if f"faculty-{number}-out" not in form
        ]
        text = {
            field.name: form.get(field.name, "").strip()
            for field in fields(cls)
            if field.name not in ("topics", "faculty")
        }
        return cls(
            **text, topics=tuple(topics), faculty=tuple(row for row in rows if not row.is_blank)
        )

    def says_the_same_time(self, other: "Typed") -> bool:
        """True if nobody has to be told of a new time."""
        return (self.day, self.starts, self.ends, self.zone) == (
            other.day,
            other.starts,
            other.ends,
            other.zone,
        )


def read(db: DbSession, typed: Typed) -> tuple[SessionDetails | None, dict[str, str]]:
    """The details, or for each field that is wrong a sentence."""
    errors: dict[str, str] = {}
    if not typed.title:
        errors["title"] = "Give the session a title."
    elif len(typed.title) > LONGEST_TITLE:
        errors["title"] = f"A title has at most {LONGEST_TITLE} characters. Shorten it."
    times = _times(typed, errors)
    faculty = _faculty(db, typed, errors)
    if times is None or errors:
        return None, errors
    more = [name.strip() for name in typed.more_topics.split(",") if name.strip()]
    return (
        SessionDetails(
            title=typed.title,
            starts=times[0],
            ends=times[1],
            zone=typed.zone,
            abstract=typed.abstract,
            objectives=typed.objectives,
            language=typed.language,
            topics=(*typed.topics, *more),
            faculty=faculty,
        ),
        {},
    )


def field_of(refusal: DomainError) -> str:
    """The field a refusal belongs beside, or "" for the whole form."""
    return FIELD_OF.get(type(refusal), "")


def _times(typed: Typed, errors: dict[str, str]) -> tuple[datetime, datetime] | None:
    """Start and end as wall times, both on the day given."""
    on, starts, ends = day(typed.day), wall_time(typed.starts), wall_time(typed.ends)
    if on is None:
        errors["day"] = "Give the day as a date: 2026-11-26."
    if starts is None:
        errors["starts"] = "Give the start as hours and minutes: 18:15."
    if ends is None:
        errors["ends"] = "Give the end as hours and minutes: 19:00."
    if on is None or starts is None or ends is None:
        return None
    walls = datetime.combine(on, starts), datetime.combine(on, ends)
    for field, wall in zip(("starts", "ends"), walls, strict=True):
        try:
            to_utc(wall, typed.zone)
        except UnknownZone as refusal:
            errors["zone"] = str(refusal)
        except (NonexistentWallTime, AmbiguousWallTime) as refusal:
            errors[field] = str(refusal)
    try:
        ensure_ends_after_start(*walls)
    except (EndBeforeStart, TooLong) as refusal:
        errors["ends"] = str(refusal)
    return walls


def _faculty(db: DbSession, typed: Typed, errors: dict[str, str]) -> tuple[FacultyDetails, ...]:
    members = []
    for number, row in enumerate(typed.faculty):
        if not row.name:
            errors[f"faculty-{number}-name"] = "Give this person a name, or empty the row."
        user_id = None
        if row.email:
            user_id = db.scalar(select(User.id).where(User.email == row.email.casefold()))
            if user_id is None:
                errors[f"faculty-{number}-email"] = (
                    f"No account has the address {row.email}. Leave it empty for now, "
                    "or ask the person to register first."
                )
        part = row.part if row.part in dict(PARTS) else FacultyPart.PRESENTER.value
        members.append(
            FacultyDetails(FacultyPart(part), row.name, row.affiliation, row.disclosure, user_id)
        )
    return tuple(members)


def _row(form: Mapping[str, str], number: int) -> TypedMember:
    values = {
        name: form.get(f"faculty-{number}-{name}", "").strip() for name in asdict(TypedMember())
    }
    return TypedMember(**values)


def _member(db: DbSession, member: FacultyDetails) -> TypedMember:
    user = db.get(User, member.user_id) if member.user_id else None
    return TypedMember(
        part=member.part.value,
        name=member.name,
        affiliation=member.affiliation,
        disclosure=member.disclosure,
        email=user.email if user else "",
    )
