"""How much of each session counts for a person: kept figures, and fresh ones for late evenings."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode, coverage
from webinar.models import (
    AttendanceImport,
    AttendanceSummary,
    ExternalRoom,
    ImportedVisit,
    RoomGuest,
    ViewingPass,
    WebinarSession,
)
from webinar.services import attendance
from webinar.services.evidence import visits

FRESH = timedelta(days=14)
"""Who watched something in this time is counted anew: beats may have come since."""
MOST_FRESH = 6
MODES = (ViewingMode.LIVE, ViewingMode.RECORDED)


@dataclass(frozen=True)
class Counted:
    """So many seconds of so many, live or of the recording."""

    mode: ViewingMode
    seconds: int
    of: int


def of_person(db: DbSession, user_id: int, *, now: datetime) -> dict[int, tuple[Counted, ...]]:
    """By session, live first; without what counts for nothing."""
    found: dict[int, dict[ViewingMode, Counted]] = {}
    for row in db.scalars(select(AttendanceSummary).where(AttendanceSummary.user_id == user_id)):
        counted = Counted(row.mode, row.seconds, row.window_seconds)
        found.setdefault(row.session_id, {})[row.mode] = counted
    for session_id in _fresh(db, user_id, now):
        session = db.get_one(WebinarSession, session_id)
        found[session_id] = {mode: _count(db, session, user_id, mode) for mode in MODES}
    return {
        session_id: tuple(
            by_mode[mode] for mode in MODES if mode in by_mode and by_mode[mode].seconds
        )
        for session_id, by_mode in found.items()
    }


def _fresh(db: DbSession, user_id: int, now: datetime) -> list[int]:
    """Sessions of which something was told or watched lately, the latest first."""
    since = now - FRESH
    watched = (
        select(ViewingPass.session_id, func.max(ViewingPass.issued_at).label("at"))
        .where(ViewingPass.user_id == user_id, ViewingPass.issued_at > since)
        .group_by(ViewingPass.session_id)
    )
    entered = (
        select(ExternalRoom.session_id, func.max(RoomGuest.made_at).label("at"))
        .join(RoomGuest, RoomGuest.room_id == ExternalRoom.id)
        .where(RoomGuest.user_id == user_id, RoomGuest.made_at > since)
        .group_by(ExternalRoom.session_id)
    )
    imported = (
        select(AttendanceImport.session_id, func.max(AttendanceImport.made_at).label("at"))
        .join(ImportedVisit, ImportedVisit.import_id == AttendanceImport.id)
        .where(ImportedVisit.user_id == user_id, AttendanceImport.made_at > since)
        .group_by(AttendanceImport.session_id)
    )
    latest: dict[int, datetime] = {}
    for query in (watched, entered, imported):
        for session_id, at in db.execute(query):
            latest[session_id] = max(at, latest.get(session_id, at))
    return sorted(latest, key=lambda session_id: latest[session_id], reverse=True)[:MOST_FRESH]


def _count(db: DbSession, session: WebinarSession, user_id: int, mode: ViewingMode) -> Counted:
    window = attendance.counting_window(db, session, mode)
    spans = attendance.viewing_of(db, session.id, user_id, mode).spans()
    spans = list(attendance.counting_spans(db, session, mode, spans))
    if mode is ViewingMode.LIVE:
        spans += visits.spans(db, session, user_ids=[user_id]).get(user_id, ())
    return Counted(mode, coverage(window, spans), window.end - window.start)
