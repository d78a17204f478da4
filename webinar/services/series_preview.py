"""What a plan would look like: each date with what an organiser should notice before planning."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import defer, load_only, selectinload

from webinar.db import DbSession
from webinar.domain.series import PlannedSession, SeriesRule, plan_together
from webinar.domain.series_notes import USUAL_READER_ZONES, preview_notes
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.models import FacultyMember, WebinarSession
from webinar.services import holidays
from webinar.services.session_facts import name_for

# Whoever took part in the last year is likely to take part again.
REGULAR_WITHIN = timedelta(days=366)
DOES = {
    FacultyPart.PRESENTER: "presents",
    FacultyPart.DISCUSSANT: "discusses",
    FacultyPart.MODERATOR: "moderates",
}


# Read into feeds only, and far longer than all the rest.
LONG_TEXTS = (defer(WebinarSession.ical_public), defer(WebinarSession.ical_personal))


@dataclass(frozen=True)
class PlannedDate:
    """A date of a plan beside what is there already: `session` is None while it is only a plan."""

    day: date
    planned: PlannedSession
    session: WebinarSession | None
    is_new: bool
    notes: tuple[str, ...] = ()
    overlaps: tuple[str, ...] = ()  # titles of other sessions at the same time
    holidays: tuple[str, ...] = ()  # sentences
    clashes: tuple[str, ...] = ()  # sentences: faculty with another part at the same time

    def made(self, session: WebinarSession) -> "PlannedDate":
        """The same date, now with its session."""
        return replace(self, session=session)


@dataclass(frozen=True)
class _People:
    """By whom a session is held: accounts, and names as they are compared."""

    user_ids: frozenset[int]
    names: frozenset[str]

    def includes(self, member: FacultyMember) -> bool:
        return member.user_id in self.user_ids or _folded(member.name) in self.names


def preview(
    db: DbSession,
    rules: Sequence[SeriesRule],
    *,
    first_day: date,
    until: date,
    series_id: int | None = None,
    reader_zones: Iterable[str] = USUAL_READER_ZONES,
    holiday_countries: Iterable[str] = (),
    societies: frozenset[int] | None = None,
) -> list[PlannedDate]:
    """The dates of the rules, with all that stands out, and what the series has already.

    `societies`: before whose people it is shown (see `name_for`). Raises as `plan_together`.
    """
    planned = plan_together(rules, first_day=first_day, last_day=until)
    notes: dict[datetime, list[str]] = defaultdict(list)
    for note in preview_notes(planned, reader_zones):
        notes[note.starts_at].append(note.text)
    free = holidays.between(holiday_countries, first_day, until)
    met = _met(db, planned[0].starts_at, planned[-1].ends_at, series_id, first_day, until)
    existing = {one.planned_day: one for one in met if one.series_id == series_id is not None}
    others = _by_day(one for one in met if one.status is not SessionStatus.CANCELLED)
    regulars = _regulars(db, series_id, planned[0].starts_at)
    dates = []
    for session in planned:
        day = session.local_start.date()
        there = existing.get(day)
        at_once = [
            other
            for other in others.get(session.starts_at.date(), [])
            if other.starts_at < session.ends_at
            and session.starts_at < other.ends_at
            and other is not there
        ]
        people = _people(there.faculty) if there and there.faculty else regulars
        dates.append(
            PlannedDate(
                day=day,
                planned=session,
                session=there,
                is_new=there is None,
                notes=tuple(notes[session.starts_at]),
                overlaps=tuple(_name(other, societies) for other in at_once),
                holidays=tuple(holiday.words for holiday in free.get(day, [])),
                clashes=tuple(_clashes(people, at_once, societies)),
            )
        )
    return dates


def sessions_by_day(
    db: DbSession, series_id: int, first_day: date, last_day: date | None = None
) -> dict[date, WebinarSession]:
    """The sessions the series planned for these days, moved or not, with their faculty."""
    found = (
        select(WebinarSession)
        .where(WebinarSession.series_id == series_id, WebinarSession.planned_day >= first_day)
        .options(
            selectinload(WebinarSession.faculty),
            *LONG_TEXTS,
        )
    )
    if last_day is not None:
        found = found.where(WebinarSession.planned_day <= last_day)
    return {session.planned_day: session for session in db.scalars(found) if session.planned_day}


def _met(
    db: DbSession,
    start: datetime,
    end: datetime,
    series_id: int | None,
    first_day: date,
    last_day: date,
) -> list[WebinarSession]:
    """All that takes place meanwhile, and what the series has on these days, in one question."""
    at_the_time = and_(
        WebinarSession.starts_at < end,
        WebinarSession.ends_at > start,
        WebinarSession.status != SessionStatus.CANCELLED,
    )
    own = and_(
        WebinarSession.series_id == series_id,
        WebinarSession.planned_day.between(first_day, last_day),
    )
    found = (
        select(WebinarSession)
        .where(at_the_time if series_id is None else or_(at_the_time, own))
        .options(
            selectinload(WebinarSession.faculty).load_only(
                FacultyMember.name, FacultyMember.user_id, FacultyMember.part
            ),
            *LONG_TEXTS,
        )
        .order_by(WebinarSession.starts_at, WebinarSession.id)
    )
    return list(db.scalars(found))


def _by_day(others: Iterable[WebinarSession]) -> dict[date, list[WebinarSession]]:
    """By each UTC day from the one before they start, for plans that run over midnight."""
    by_day: dict[date, list[WebinarSession]] = defaultdict(list)
    for other in others:
        day = other.starts_at.date() - timedelta(days=1)
        while day <= other.ends_at.date():
            by_day[day].append(other)
            day += timedelta(days=1)
    return by_day


def _regulars(db: DbSession, series_id: int | None, first: datetime) -> _People:
    if series_id is None:
        return _people([])
    found = (
        select(FacultyMember)
        .join(WebinarSession)
        .where(
            WebinarSession.series_id == series_id,
            WebinarSession.starts_at > first - REGULAR_WITHIN,
        )
        .options(load_only(FacultyMember.name, FacultyMember.user_id))
    )
    return _people(db.scalars(found))


def _people(faculty: Iterable[FacultyMember]) -> _People:
    members = list(faculty)
    return _People(
        frozenset(member.user_id for member in members if member.user_id is not None),
        frozenset(_folded(member.name) for member in members),
    )


def _clashes(
    people: _People, at_once: Iterable[WebinarSession], societies: frozenset[int] | None
) -> Iterable[str]:
    for other in at_once:
        for member in other.faculty:
            if people.includes(member):
                name = _name(other, societies)
                yield f"{member.name} {DOES[member.part]} “{name}” at the same time."


def _name(session: WebinarSession, societies: frozenset[int] | None) -> str:
    return name_for(session.title, session.status, session.society_id, societies)


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
