"""The form of a session: as typed, and as details with a sentence beside each field in error."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain import languages
from webinar.domain.errors import DomainError
from webinar.domain.person import FormRefused
from webinar.domain.session import FacultyPart, InThePast, TimeIsFixed
from webinar.domain.session_details import (
    LONGEST_TITLE,
    EndBeforeStart,
    FacultyDetails,
    FacultyNameMissing,
    SessionDetails,
    SessionLevel,
    TooLong,
    UnknownLevel,
    instants_of,
)
from webinar.domain.timezone import AmbiguousWallTime, NonexistentWallTime, UnknownZone, to_utc
from webinar.models import User, WebinarSession
from webinar.services.accounts import email_key
from webinar.services.session_facts import details_of
from webinar.services.topics import UnusableTopic
from webinar.web.manage.series_form import day, wall_time

MOST_FACULTY = 20
LANGUAGES = list(languages.NAMES.items())
LEVELS = [("", "Not said"), *((level.value, level.value.capitalize()) for level in SessionLevel)]
PARTS = [(part.value, part.value.capitalize()) for part in FacultyPart]
FIELD_OF: dict[type[DomainError], str] = {
    EndBeforeStart: "ends",
    FacultyNameMissing: "faculty-0-name",
    InThePast: "day",
    TimeIsFixed: "day",
    UnknownLevel: "level",
    UnknownZone: "zone",
    UnusableTopic: "more_topics",
}


@dataclass(frozen=True)
class TypedMember:
    """A row of the faculty as typed; `id` is that of the member who is there already, or ""."""

    id: str = ""
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

    title: str = ""
    abstract: str = ""
    objectives: str = ""
    language: str = "en"
    level: str = ""
    day: str = ""
    starts: str = ""
    ends: str = ""
    zone: str = ""
    more_topics: str = ""
    topics: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    faculty: tuple[TypedMember, ...] = ()

    @classmethod
    def from_session(cls, db: DbSession, session: WebinarSession) -> "Typed":
        """What the session says now."""
        details = details_of(session)
        emails = _emails(db, [member.user_id for member in session.faculty])
        return cls(
            title=details.title,
            abstract=_lines(details.abstract),
            objectives=_lines(details.objectives),
            language=details.language,
            level=details.level,
            day=f"{details.starts:%Y-%m-%d}",
            starts=f"{details.starts:%H:%M}",
            ends=f"{details.ends:%H:%M}",
            zone=details.zone,
            topics=details.topics,
            audience=details.audience,
            faculty=tuple(
                TypedMember(
                    id=str(member.id),
                    part=member.part.value,
                    name=member.name,
                    affiliation=member.affiliation,
                    disclosure=_lines(member.disclosure),
                    email=emails.get(member.user_id, ""),
                )
                for member in session.faculty
            ),
        )

    @classmethod
    def from_form(
        cls, form: Mapping[str, str], topics: Sequence[str], audience: Sequence[str] = ()
    ) -> "Typed":
        """What was sent; rows of the faculty that are empty or taken out are left out."""
        rows = [
            _row(form, number)
            for number in range(MOST_FACULTY)
            if f"faculty-{number}-out" not in form
        ]
        text = {
            field.name: _lines(form.get(field.name, ""))
            for field in fields(cls)
            if field.name not in ("topics", "audience", "faculty")
        }
        return cls(
            **text,
            topics=tuple(topics),
            audience=tuple(audience),
            faculty=tuple(row for row in rows if not row.is_blank),
        )

    @classmethod
    def from_json(cls, text: str) -> "Typed | None":
        """What `as_json` wrote and a browser sent back; None if it is something else."""
        try:
            found = json.loads(text)
            rows = found.pop("faculty")
            lists = {name: tuple(map(str, found.pop(name))) for name in ("topics", "audience")}
            plain = {str(name): str(value) for name, value in found.items()}
            faculty = tuple(
                TypedMember(**{str(name): str(value) for name, value in row.items()})
                for row in rows[:MOST_FACULTY]
            )
            return cls(**plain, topics=lists["topics"], audience=lists["audience"], faculty=faculty)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    def as_json(self) -> str:
        """For a hidden field: what the form said when it was opened."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @property
    def all_topics(self) -> tuple[str, ...]:
        """Those ticked and those written."""
        more = (name.strip() for name in self.more_topics.split(","))
        return tuple(dict.fromkeys((*self.topics, *(name for name in more if name))))


def read(
    db: DbSession, typed: Typed, *, present: WebinarSession | None = None
) -> tuple[SessionDetails | None, dict[str, str]]:
    """The details, or for each field that is wrong a sentence; `present` is what is edited."""
    errors: dict[str, str] = {}
    if not typed.title:
        errors["title"] = "Give the session a title."
    elif len(typed.title) > LONGEST_TITLE:
        errors["title"] = f"A title has at most {LONGEST_TITLE} characters. Shorten it."
    times = _times(typed, present, errors)
    faculty = _faculty(db, typed, present, errors)
    if times is None or errors:
        return None, errors
    return (
        SessionDetails(
            title=typed.title,
            starts=times[0],
            ends=times[1],
            zone=typed.zone,
            abstract=_as_kept(typed.abstract, present.abstract if present else ""),
            objectives=_as_kept(typed.objectives, present.objectives if present else ""),
            language=typed.language,
            topics=typed.all_topics,
            faculty=faculty,
            level=typed.level,
            audience=typed.audience,
        ),
        {},
    )


def field_of(refusal: DomainError) -> str:
    """The field a refusal belongs beside, or "" for the whole form."""
    return FIELD_OF.get(type(refusal), "")


def _times(
    typed: Typed, present: WebinarSession | None, errors: dict[str, str]
) -> tuple[datetime, datetime] | None:
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
    if walls[1] <= walls[0]:
        errors["ends"] = "The session ends before it starts. Choose a later end."
        return walls
    try:
        # Who leaves the time alone is not asked about clocks that show it twice.
        instants_of(*walls, typed.zone, present=present.span if present else None)
    except UnknownZone as refusal:
        errors["zone"] = str(refusal)
    except (NonexistentWallTime, AmbiguousWallTime) as refusal:
        errors[_where(walls, typed.zone)] = str(refusal)
    except (EndBeforeStart, TooLong) as refusal:
        errors["ends"] = str(refusal)
    return walls


def _where(walls: tuple[datetime, datetime], zone: str) -> str:
    """Which of the two the clocks do not show once."""
    try:
        to_utc(walls[0], zone)
    except (NonexistentWallTime, AmbiguousWallTime):
        return "starts"
    return "ends"


def _faculty(
    db: DbSession, typed: Typed, present: WebinarSession | None, errors: dict[str, str]
) -> tuple[FacultyDetails, ...]:
    there = {str(member.id): member for member in (present.faculty if present else ())}
    emails = _emails(db, [member.user_id for member in there.values()])
    members = []
    for number, row in enumerate(typed.faculty):
        if not row.name:
            errors[f"faculty-{number}-name"] = "Give this person a name, or empty the row."
        if row.email:
            try:
                email_key(row.email)
            except FormRefused as refusal:
                errors[f"faculty-{number}-email"] = " ".join(refusal.problems.values())
        # Who keeps the address keeps the account; another address is another account.
        here = there.get(row.id)
        user_id = here.user_id if here else None
        is_kept = user_id is not None and emails.get(user_id) == row.email
        part = row.part if row.part in dict(PARTS) else FacultyPart.PRESENTER.value
        members.append(
            FacultyDetails(
                FacultyPart(part),
                row.name,
                row.affiliation,
                _as_kept(row.disclosure, here.disclosure if here else ""),
                user_id if is_kept else None,
                id=here.id if here else None,
                email="" if is_kept else row.email,
            )
        )
    return tuple(members)


def _row(form: Mapping[str, str], number: int) -> TypedMember:
    values = {
        name: _lines(form.get(f"faculty-{number}-{name}", "")) for name in asdict(TypedMember())
    }
    return TypedMember(**values)


def _emails(db: DbSession, user_ids: Sequence[int | None]) -> dict[int | None, str]:
    ids = [user_id for user_id in user_ids if user_id is not None]
    return {
        row[0]: row[1] for row in db.execute(select(User.id, User.email).where(User.id.in_(ids)))
    }


def _as_kept(typed: str, kept: str) -> str:
    """What is kept already if it reads the same: other line ends are no change of words."""
    return kept if _lines(kept) == typed else typed


def _lines(text: str) -> str:
    """As typed, with the line ends that are stored: browsers send both signs."""
    return text.strip().replace("\r\n", "\n")
