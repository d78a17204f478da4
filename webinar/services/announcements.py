"""Telling the people who have a place when a session moves, is cancelled, or takes place after all.

Each tells everybody once a change: the revision of a delivery is the calendar's sequence number,
which rises with every change that can be seen. A later change takes back what is not sent yet.
"""

from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.letter import MailKind
from webinar.models import Registration, WebinarSession
from webinar.services import deliveries


def tell_of_move(db: DbSession, session: WebinarSession, *, now: datetime) -> int:
    """Tell everybody with a place of the new time, and let the reminders follow; how many."""
    _take_back(db, session, because="the session was moved again", now=now)
    deliveries.follow_session(db, session, now=now)
    people = _places(db, session)
    for user_id in people:
        deliveries.queue(
            db,
            MailKind.SESSION_MOVED,
            user_id=user_id,
            subject_id=session.id,
            due_at=now,
            revision=session.ical_sequence,
            now=now,
        )
    return len(people)


def tell_of_cancellation(db: DbSession, session: WebinarSession, *, now: datetime) -> int:
    """Tell everybody with a place that the session does not take place; how many."""
    because = "the session was cancelled"
    _take_back(db, session, because=because, now=now)
    for kind in (MailKind.SESSION_REMINDER, MailKind.REGISTRATION_CONFIRMED):
        deliveries.drop(db, kind, subject_id=session.id, because=because, now=now)
    people = _places(db, session)
    for user_id in people:
        deliveries.queue(
            db,
            MailKind.SESSION_CANCELLED,
            user_id=user_id,
            subject_id=session.id,
            due_at=now,
            revision=session.ical_sequence,
            now=now,
        )
    return len(people)


def tell_of_restoration(db: DbSession, session: WebinarSession, *, now: datetime) -> int:
    """Confirm everybody's place anew, with its reminder: it takes place after all; how many."""
    _take_back(db, session, because="the session takes place after all", now=now)
    deliveries.follow_session(db, session, now=now)
    kind = MailKind.REGISTRATION_CONFIRMED
    people = _places(db, session)
    for user_id in people:
        deliveries.queue(
            db,
            kind,
            user_id=user_id,
            subject_id=session.id,
            due_at=now,
            revision=deliveries.next_revision(db, kind, user_id=user_id, subject_id=session.id),
            now=now,
        )
    return len(people)


def _take_back(db: DbSession, session: WebinarSession, *, because: str, now: datetime) -> None:
    for kind in (MailKind.SESSION_MOVED, MailKind.SESSION_CANCELLED):
        deliveries.drop(db, kind, subject_id=session.id, because=because, now=now)


def _places(db: DbSession, session: WebinarSession) -> list[int]:
    return list(
        db.scalars(
            select(Registration.user_id)
            .where(Registration.session_id == session.id, Registration.cancelled_at.is_(None))
            .order_by(Registration.user_id)
        )
    )
