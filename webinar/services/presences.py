"""Who was there: the condition of evaluating a session and of taking its test."""

from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.errors import DomainError, NotYet
from webinar.domain.session import SessionStatus
from webinar.models import ViewingPass, WatchSegment, WebinarSession
from webinar.services.evidence import visits


class NotSeen(DomainError):
    """The person has watched nothing of the session yet."""

    status = 403


def has_seen(db: DbSession, session_id: int, user_id: int) -> bool:
    """True if anything was played for this person, live or recorded, or they were in a room."""
    played = (
        select(WatchSegment.pass_id)
        .join(ViewingPass, ViewingPass.id == WatchSegment.pass_id)
        .where(ViewingPass.session_id == session_id, ViewingPass.user_id == user_id)
        .limit(1)
    )
    return db.scalar(played) is not None or visits.has_visited(db, session_id, user_id)


def ensure_seen(
    db: DbSession, session: WebinarSession, user_id: int, *, what: str, now: datetime
) -> None:
    """Raise NotYet before the end, and NotSeen for who was not there. `what`: "test"."""
    if session.status is not SessionStatus.ENDED and now < session.ends_at:
        raise NotYet(f"The {what} opens when the session has ended.")
    if not has_seen(db, session.id, user_id):
        raise NotSeen(
            f"The {what} is for those who were there. Watch the recording first, then come back."
        )
