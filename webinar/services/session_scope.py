"""One edit put on a session, on it and those after it, or on all of its series to come."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from webinar.db import DbSession
from webinar.domain.session import SessionStatus
from webinar.domain.session_details import FacultyDetails, SessionDetails, instants_of
from webinar.domain.wording import plural
from webinar.models import WebinarSession
from webinar.services import season_changes, session_audience, sessions
from webinar.services.feeds import CalendarTool
from webinar.services.session_audience import Audience
from webinar.services.session_facts import details_of
from webinar.services.session_rows import locked

CAN_BE_EDITED = (SessionStatus.DRAFT, SessionStatus.PUBLISHED)


class Scope(StrEnum):
    """How far an edit reaches."""

    ONE = "one"
    LATER = "later"
    ALL = "all"


@dataclass(frozen=True)
class ScopedEdit:
    """What an edit makes of one session: the names of the details that differ, and its start."""

    session: WebinarSession
    details: SessionDetails
    fields: tuple[str, ...]
    """As SessionDetails names them, but "starts_at", "ends_at" for the hour."""
    new_starts_at: datetime


def preview(
    db: DbSession,
    session: WebinarSession,
    details: SessionDetails,
    scope: Scope,
    *,
    now: datetime,
) -> list[ScopedEdit]:
    """What the edit would change, this session first, then the others by date; nothing is stored.

    What differs between the session and the details is put on every session in reach that is not
    over. A new time of day keeps each one's own day, and each keeps its own disclosures. Raises
    EndBeforeStart, TooLong, UnknownZone, NonexistentWallTime, AmbiguousWallTime.
    """
    was = details_of(session)
    changed = frozenset(
        field.name
        for field in fields(SessionDetails)
        if getattr(was, field.name) != getattr(details, field.name)
    )
    edits = [_edit_of(session, details)]
    if changed:
        edits += [
            _edit_of(other, _as_changed(details_of(other), was, details, changed))
            for other in _others(db, session, scope, now=now)
        ]
    return [edit for edit in edits if edit.fields]


def audience_of(db: DbSession, edits: Sequence[ScopedEdit]) -> Audience:
    """Who is told of new hours, were these edits made."""
    return session_audience.of_moves(
        db,
        [
            (edit.session, edit.new_starts_at)
            for edit in edits
            if {"starts_at", "ends_at"} & set(edit.fields)
        ],
    )


def apply(
    db: DbSession,
    session_id: int,
    details: SessionDetails,
    scope: Scope,
    *,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
    seen_revision: int | None = None,
) -> list[sessions.Change]:
    """Do what `preview` shows, as one change that can be taken back; each person is told once
    a session. Raises what `sessions.edit` does, and then changes nothing.
    """
    session = locked(db, session_id, seen_revision=seen_revision)
    if scope is Scope.ONE:
        return [
            sessions.edit(db, session_id, details, actor_id=actor_id, calendar=calendar, now=now)
        ]
    edits = preview(db, session, details, scope, now=now)
    if not edits:
        return []
    name = session.series.name if session.series else session.title
    change = season_changes.begin(
        db,
        actor_id=actor_id,
        summary=f"{name}: edited {plural(len(edits), 'session', 'sessions')}",
        now=now,
    )
    return [
        sessions.edit(
            db,
            edit.session.id,
            edit.details,
            actor_id=actor_id,
            calendar=calendar,
            now=now,
            # Between being looked at and being edited, each of them could be changed by others.
            seen_revision=edit.session.revision,
            change=change,
        )
        for edit in edits
    ]


def _others(
    db: DbSession, session: WebinarSession, scope: Scope, *, now: datetime
) -> list[WebinarSession]:
    if scope is Scope.ONE or session.series_id is None:
        return []
    found = (
        select(WebinarSession)
        .where(
            WebinarSession.series_id == session.series_id,
            WebinarSession.id != session.id,
            WebinarSession.status.in_(CAN_BE_EDITED),
            WebinarSession.ends_at > now,
        )
        .options(
            joinedload(WebinarSession.series),
            selectinload(WebinarSession.topics),
            selectinload(WebinarSession.audience),
            selectinload(WebinarSession.faculty),
        )
        .order_by(WebinarSession.starts_at, WebinarSession.id)
    )
    if scope is Scope.LATER:
        found = found.where(WebinarSession.starts_at >= session.starts_at)
    return list(db.scalars(found))


def _as_changed(
    own: SessionDetails, was: SessionDetails, said: SessionDetails, changed: frozenset[str]
) -> SessionDetails:
    """The details of another session with what changed put on them."""
    starts, length = own.starts, own.ends - own.starts
    if was.starts.time() != said.starts.time():
        starts = datetime.combine(own.starts.date(), said.starts.time())
    if was.ends - was.starts != said.ends - said.starts:
        length = said.ends - said.starts
    zone = said.zone if "zone" in changed else own.zone
    result = replace(own, starts=starts, ends=starts + length, zone=zone)
    if "faculty" in changed:
        result = replace(result, faculty=_faculty_as_changed(own, said))
    plain = changed - {"starts", "ends", "zone", "faculty"}
    return replace(result, **{name: getattr(said, name) for name in plain})


def _faculty_as_changed(own: SessionDetails, said: SessionDetails) -> tuple[FacultyDetails, ...]:
    """The same people, each with the row and the disclosure they have here, if any."""
    members = []
    for member in said.faculty:
        here = next((row for row in own.faculty if _same_person(row, member)), None)
        members.append(
            replace(
                member,
                id=here.id if here else None,
                disclosure=(here.disclosure if here else "") or member.disclosure,
            )
        )
    return tuple(members)


def _same_person(one: FacultyDetails, other: FacultyDetails) -> bool:
    if one.user_id is not None and other.user_id is not None:
        return one.user_id == other.user_id and one.part is other.part
    return (one.name.strip(), one.part) == (other.name.strip(), other.part)


def _edit_of(session: WebinarSession, details: SessionDetails) -> ScopedEdit:
    was = details_of(session)
    same_time = (was.starts, was.ends, was.zone) == (details.starts, details.ends, details.zone)
    span = (
        session.span
        if same_time
        else instants_of(details.starts, details.ends, details.zone, present=session.span)
    )
    names = [
        field.name
        for field in fields(SessionDetails)
        if field.name not in ("starts", "ends")
        and getattr(was, field.name) != getattr(details, field.name)
    ]
    names += [
        name
        for name, before, after in (
            ("starts_at", session.starts_at, span.start),
            ("ends_at", session.ends_at, span.end),
        )
        if before != after
    ]
    return ScopedEdit(session, details, tuple(names), span.start)
