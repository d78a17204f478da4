"""Visits in rooms of others as evidence: joined and left, as a provider says and as imported."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode, coverage
from webinar.domain.credit import GrantStatus
from webinar.domain.review import MatchedBy
from webinar.domain.session import SessionStatus
from webinar.domain.span import Span, clip
from webinar.models import (
    AccreditationGrant,
    AttendanceImport,
    CreditDecision,
    ExternalRoom,
    ImportedVisit,
    RoomGuest,
    RoomVisit,
    WebinarSession,
)
from webinar.services import attendance


@dataclass(frozen=True)
class Visited:
    """A person was in a room, in Unix seconds, as `source` says."""

    user_id: int
    source: str
    span: Span[float]


def visited(
    db: DbSession, session_id: int, *, user_ids: Sequence[int] | None = None
) -> Iterator[Visited]:
    """Every visit of a known person. A visit whose end nobody has told is not evidence yet."""
    left_at = func.coalesce(RoomVisit.left_at, ExternalRoom.ended_at)
    rooms = (
        select(RoomGuest.user_id, ExternalRoom.provider, RoomVisit.joined_at, left_at)
        .join(RoomGuest, RoomGuest.id == RoomVisit.guest_id)
        .join(ExternalRoom, ExternalRoom.id == RoomVisit.room_id)
        .where(ExternalRoom.session_id == session_id)
        .order_by(RoomVisit.id)
    )
    reports = (
        select(
            ImportedVisit.user_id,
            AttendanceImport.source,
            ImportedVisit.joined_at,
            ImportedVisit.left_at,
        )
        .join(AttendanceImport, AttendanceImport.id == ImportedVisit.import_id)
        .where(
            AttendanceImport.session_id == session_id,
            AttendanceImport.withdrawn_at.is_(None),
            ImportedVisit.user_id.is_not(None),
            ImportedVisit.matched_by != MatchedBy.DISMISSED,
        )
        .order_by(ImportedVisit.id)
    )
    if user_ids is not None:
        rooms = rooms.where(RoomGuest.user_id.in_(user_ids))
        reports = reports.where(ImportedVisit.user_id.in_(user_ids))
    for user_id, provider, joined, left in db.execute(rooms):
        if left is not None and left > joined:
            span = Span(joined.timestamp(), left.timestamp())
            yield Visited(user_id, provider.value, span)
    for person, source, joined, left in db.execute(reports):
        if person is not None and left > joined:
            span = Span(joined.timestamp(), left.timestamp())
            yield Visited(person, f"{source} report", span)


def spans(
    db: DbSession, session: WebinarSession, *, user_ids: Sequence[int]
) -> dict[int, tuple[Span[float], ...]]:
    """What these people visited, in Unix seconds; who visited nothing is not in it.

    Where we know when the session began and ended, the lobby before and the chat after are none
    of it.
    """
    found: dict[int, list[Span[float]]] = {}
    on_air = None if session.actual_started_at is None else attendance.on_air(session)
    for visit in visited(db, session.id, user_ids=user_ids):
        inside = [visit.span] if on_air is None else clip([visit.span], on_air)
        found.setdefault(visit.user_id, []).extend(inside)
    return {user_id: tuple(own) for user_id, own in found.items() if own}


def people(db: DbSession, session_id: int) -> set[int]:
    """Everybody with a visit that is evidence."""
    return {visit.user_id for visit in visited(db, session_id)}


def has_visited(db: DbSession, session_id: int, user_id: int) -> bool:
    """True if any visit of this person is evidence."""
    return next(visited(db, session_id, user_ids=[user_id]), None) is not None


def seconds_by_source(db: DbSession, session: WebinarSession, user_id: int) -> dict[str, int]:
    """Seconds inside the announced hours by what told of them, for pages; they may overlap."""
    window = attendance.counting_window(db, session, ViewingMode.LIVE)
    found: dict[str, list[Span[float]]] = {}
    for visit in visited(db, session.id, user_ids=[user_id]):
        found.setdefault(visit.source, []).append(visit.span)
    return {source: coverage(window, own) for source, own in sorted(found.items())}


def due(db: DbSession, *, since: datetime, until: datetime) -> set[tuple[int, int]]:
    """(session, person) with a visit and no decision, of sessions that ended in between.

    What changes after a decision marks the session's grants instead: see `redeciding`.
    """
    ended_at = func.coalesce(WebinarSession.actual_ended_at, WebinarSession.ends_at)
    sessions = db.execute(
        select(AccreditationGrant.session_id, AccreditationGrant.id)
        .join(WebinarSession, WebinarSession.id == AccreditationGrant.session_id)
        .where(
            AccreditationGrant.mode == ViewingMode.LIVE,
            AccreditationGrant.status == GrantStatus.GRANTED,
            WebinarSession.status == SessionStatus.ENDED,
            ended_at > since,
            ended_at <= until,
            select(ExternalRoom.id).where(ExternalRoom.session_id == WebinarSession.id).exists()
            | select(AttendanceImport.id)
            .where(AttendanceImport.session_id == WebinarSession.id)
            .exists(),
        )
    )
    found = set()
    for session_id, grant_id in sessions:
        decided = select(CreditDecision.user_id).where(
            CreditDecision.session_id == session_id, CreditDecision.grant_id == grant_id
        )
        undecided = people(db, session_id) - set(db.scalars(decided))
        found |= {(session_id, user_id) for user_id in undecided}
    return found
