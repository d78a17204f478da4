"""Telling the people who have a place when a session moves, is cancelled, or takes place after all.

Each notice keeps what its reader was last told. Whatever happens before it leaves replaces it by
what is new to that reader then: moved twice is told once, from the hour they know; moved there and
back is not told at all. The revision of a notice is the calendar's sequence number, which rises
with every change that can be seen.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Select, func, or_, select

from webinar import letterbox
from webinar.db import DbSession
from webinar.domain.announcement import Standing, what_to_say
from webinar.domain.letter import MailKind
from webinar.domain.mail_wishes import REMINDED_BEFORE
from webinar.domain.session import SessionStatus
from webinar.models import Delivery, Registration, WebinarSession
from webinar.services import deliveries, reminders

NOTICES = (MailKind.SESSION_MOVED, MailKind.SESSION_CANCELLED, MailKind.SESSION_RESTORED)
CANCELLED = "the session is cancelled"


def standing_of(session: WebinarSession) -> Standing:
    """What people can rely on now."""
    return Standing(
        takes_place=session.status is not SessionStatus.CANCELLED,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
    )


def tell(
    db: DbSession, session: WebinarSession, before: Standing, *, due_at: datetime, now: datetime
) -> int:
    """Owe everybody with a place what is new to them, let the reminders follow; how many.

    `before` is how the session stood: what those know who wait for no notice.
    """
    letterbox.shut(db)
    stands = standing_of(session)
    unsaid = _unsaid(db, session.id, now=now)
    for kind in NOTICES:
        deliveries.drop(
            db, kind, subject_id=session.id, because="something newer is to be said", now=now
        )
    if stands.takes_place:
        reminders.follow_session(db, session, now=now)
    else:
        for kind in (*REMINDED_BEFORE, MailKind.REGISTRATION_CONFIRMED):
            deliveries.drop(db, kind, subject_id=session.id, because=CANCELLED, now=now)
    told = set()
    for user_id in places(db, session.id):
        known = unsaid.get(user_id, before)
        news = what_to_say(known, stands)
        if news is None:
            continue
        deliveries.queue(
            db,
            news,
            user_id=user_id,
            subject_id=session.id,
            due_at=due_at,
            revision=session.ical_sequence,
            details=known.as_details(),
            now=now,
        )
        told.add(user_id)
    if stands.takes_place:
        _confirm_anew(db, session, told=told, now=now)
    return len(told)


def told_of_last(db: DbSession, session: WebinarSession, *, now: datetime) -> Standing:
    """Where people still believe the session to be, as long as nobody has told them otherwise."""
    unsaid = _unsaid(db, session.id, now=now)
    return next(iter(unsaid.values()), standing_of(session))


def unsaid_until(db: DbSession, user_id: int, session_ids: Iterable[int]) -> datetime | None:
    """When the last notice leaves that the person waits for, or None.

    What is mailed before must not give the news away: the change may still be taken back.
    """
    return unsaid_of(db, [user_id], session_ids).get(user_id)


def unsaid_of(
    db: DbSession, user_ids: Iterable[int], session_ids: Iterable[int]
) -> dict[int, datetime]:
    """The same for many people: those who wait for no notice are left out."""
    rows = db.execute(
        select(Delivery.user_id, func.max(Delivery.due_at))
        .where(Delivery.kind.in_([kind.value for kind in NOTICES]))
        .where(Delivery.subject_id.in_(list(session_ids)))
        .where(Delivery.user_id.in_(list(user_ids)))
        .where(Delivery.due_at.is_not(None))
        .group_by(Delivery.user_id)
    )
    return {user_id: until for user_id, until in rows if until is not None}


def has_left(db: DbSession, session_ids: Iterable[int], *, since: datetime, now: datetime) -> bool:
    """True if a notice owed since then is sent, or being sent."""
    left = (
        select(Delivery.id)
        .where(Delivery.kind.in_([kind.value for kind in NOTICES]))
        .where(Delivery.subject_id.in_(list(session_ids)))
        .where(Delivery.created_at >= since)
        .where(or_(Delivery.sent_at.is_not(None), Delivery.lease_until > now))
        .limit(1)
    )
    return db.scalar(left) is not None


def places(db: DbSession, session_id: int) -> list[int]:
    """Ids of the people with a place."""
    return list(
        db.scalars(
            select(Registration.user_id)
            .where(Registration.session_id == session_id, Registration.cancelled_at.is_(None))
            .order_by(Registration.user_id)
        )
    )


def _unsaid(db: DbSession, session_id: int, *, now: datetime) -> dict[int, Standing]:
    """For each person who waits for a notice, what they know until it leaves.

    None of these leaves before this transaction ends: else it would count as unsaid and be sent.
    """
    waiting: Select[Delivery] = (
        select(Delivery)
        .where(Delivery.kind.in_([kind.value for kind in NOTICES]))
        .where(Delivery.subject_id == session_id)
        .where(Delivery.due_at.is_not(None))
        # What is being sent this moment counts as said.
        .where(or_(Delivery.lease_until.is_(None), Delivery.lease_until <= now))
        .order_by(Delivery.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found: dict[int, Standing] = {}
    for delivery in db.scalars(waiting):
        known = Standing.from_details(delivery.details)
        if known is not None:
            found.setdefault(delivery.user_id, known)
    return found


def _confirm_anew(db: DbSession, session: WebinarSession, *, told: set[int], now: datetime) -> None:
    """Owe the confirmation again that a cancellation cut short, unless more is said anyway."""
    kind = MailKind.REGISTRATION_CONFIRMED
    last: dict[int, Delivery] = {
        delivery.user_id: delivery
        for delivery in db.scalars(
            select(Delivery)
            .where(Delivery.kind == kind.value, Delivery.subject_id == session.id)
            .order_by(Delivery.revision)
        )
    }
    for user_id in places(db, session.id):
        delivery = last.get(user_id)
        if delivery is None or user_id in told or delivery.dropped_because != CANCELLED:
            continue
        deliveries.queue(
            db,
            kind,
            user_id=user_id,
            subject_id=session.id,
            due_at=now,
            revision=delivery.revision + 1,
            now=now,
        )
